#include "replay/scan.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/schema_seek.h"
#include "journal/sleep.h"
#include "projections/log_ends.h"

/* AT_ONCE: partitions that a thread reads at the same time, so that nobody waits for one to begin; few, since
 * each reads ahead. */
enum {
    AT_ONCE = 8,
    MAX_THREADS = 16,
    MAX_SLEEP_US = 50000,
    WATCH_US = 100000,
    STUCK_US = 60 * 1000000,
    ENDS_TIMEOUT_MS = 30000
};

typedef struct scan scan;
typedef struct worker worker;

typedef struct part {
    worker *worker; /* that reads it */
    pdr_log_reader *reader;
    pdr_commit_reader commits;
    int64_t end;  /* INT64_MAX: following */
    int64_t next; /* everything below was delivered */
    int32_t number;
    bool ended;     /* nothing more is wanted of it */
    bool from_sink; /* the failure on its way is the sink's own */
} part;

struct worker {
    scan *scan;
    pthread_t thread;
    pdr_log *log;
    unsigned number;
    bool owns_log;
    part **open; /* room for scan->at_once */
    size_t open_count;
    int64_t moved_us; /* when something was last delivered */
};

struct scan {
    pdr_tool *tool; /* NULL: only the log */
    pdr_log *log;
    int32_t partitions; /* of the log */
    const pdr_scan_spec *spec;
    part *parts;
    size_t count;
    worker *workers;
    unsigned threads;
    size_t at_once;
    int64_t total;
    atomic_size_t taken; /* parts that a thread has taken */
    atomic_size_t ended; /* parts that are done */
    atomic_llong done;   /* records */
    atomic_bool stop;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t over;
    unsigned running;
    pdr_error failure; /* the first; code PDR_OK: none */
};

static void fail(scan *s, const pdr_error *error)
{
    (void)pthread_mutex_lock(&s->lock);
    if (s->failure.code == PDR_OK) s->failure = *error;
    (void)pthread_mutex_unlock(&s->lock);
    atomic_store(&s->stop, true);
}

static bool stopped(const scan *s)
{
    return atomic_load_explicit(&s->stop, memory_order_relaxed);
}

/* --- one partition's records --- */

static pdr_code saw_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                           pdr_error *err)
{
    (void)before;
    part *p = context;
    const pdr_scan_spec *spec = p->worker->scan->spec;
    pdr_code code = spec->sink->commit(spec->context, p->worker->number, p->number, events, count,
                                       p->commits.walk.at, err);
    p->from_sink = code != PDR_OK;
    return code;
}

/* What explains nothing is passed over; whoever needs it says so. */
static pdr_code take_schema(part *p, const pdr_log_record *record, pdr_error *err)
{
    uint64_t fingerprint;
    pdr_tool *tool = p->worker->scan->tool;
    if (!tool) return PDR_OK;
    pdr_code code = pdr_schema_book_take(pdr_tool_book(tool), record, &fingerprint, err);
    return code == PDR_NOMEM || code == PDR_TOO_LARGE ? code : PDR_OK;
}

static pdr_code saw_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                          const pdr_header *header, pdr_error *err)
{
    part *p = context;
    const pdr_scan_spec *spec = p->worker->scan->spec;
    pdr_code code = verdict == PDR_VERDICT_SCHEMA ? take_schema(p, record, err) : PDR_OK;
    if (code != PDR_OK || !spec->sink->other) return code;
    code = spec->sink->other(spec->context, p->worker->number, p->number, verdict, record, header, err);
    p->from_sink = code != PDR_OK;
    return code;
}

static const pdr_commit_sink commit_sink = {saw_commit, saw_other};

static void end_part(part *p)
{
    scan *s = p->worker->scan;
    pdr_error err;
    p->ended = true;
    atomic_fetch_add(&s->ended, 1);
    if (p->next < p->end && p->end != INT64_MAX) atomic_fetch_add(&s->done, p->end - p->next);
    if (stopped(s)) return;
    if (s->spec->raw) s->spec->raw->ended(s->spec->context, p->worker->number, p->number, p->end);
    if (s->spec->raw || !s->spec->sink->ended) return;
    pdr_position at = p->commits.walk.at;
    if (s->spec->sink->ended(s->spec->context, p->worker->number, p->number, at, &err) != PDR_OK)
        fail(s, &err);
}

static bool will_pass(pdr_code code)
{
    pdr_class class = pdr_code_class(code);
    return class != PDR_CLASS_CORRUPT && class != PDR_CLASS_FATAL;
}

static void part_failed(void *context, const pdr_error *error)
{
    part *p = context;
    scan *s = p->worker->scan;
    pdr_error err = *error;
    p->ended = true;
    if (s->spec->raw && !will_pass(err.code)) {
        atomic_fetch_add(&s->ended, 1);
        s->spec->raw->lost(s->spec->context, p->worker->number, p->number, &err);
        return;
    }
    (void)pdr_fail_context(&err, err.code, "partition %d", (int)p->number);
    fail(s, &err);
}

/* The void rule's own failures name an offset; here it is known of which partition. */
static void end_by(part *p, pdr_code code, pdr_error *error)
{
    if (p->from_sink && code == PDR_CANCELLED) {
        end_part(p);
    } else if (p->from_sink) {
        p->ended = true;
        fail(p->worker->scan, error);
    } else {
        part_failed(p, error);
    }
}

static void move(part *p, int64_t next)
{
    worker *w = p->worker;
    atomic_fetch_add_explicit(&w->scan->done, next - p->next, memory_order_relaxed);
    p->next = next;
}

static pdr_code take(part *p, const pdr_log_record *record, pdr_error *err)
{
    const pdr_scan_spec *spec = p->worker->scan->spec;
    if (PDR_LIKELY(!spec->raw)) return pdr_commit_reader_take(&p->commits, record, err);
    pdr_code code = spec->raw->record(spec->context, p->worker->number, p->number, record, err);
    p->from_sink = code != PDR_OK;
    return code;
}

static void tell_coming(const part *p, const pdr_log_record *record)
{
    const pdr_scan_spec *spec = p->worker->scan->spec;
    spec->sink->coming(spec->context, p->worker->number, p->number, record->entry.key);
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    part *p = context;
    pdr_error err;
    const pdr_scan_spec *spec = p->worker->scan->spec;
    bool looks_ahead = !spec->raw && spec->sink->coming;
    if (p->ended) return;
    for (size_t i = 0; i < count && records[i].offset < p->end; i++) {
        if (stopped(p->worker->scan)) return;
        if (looks_ahead && i + PDR_SCAN_AHEAD < count) tell_coming(p, &records[i + PDR_SCAN_AHEAD]);
        pdr_code code = take(p, &records[i], &err);
        if (PDR_LIKELY(code == PDR_OK)) continue;
        end_by(p, code, &err);
        return;
    }
    int64_t next = records[count - 1].offset + 1;
    move(p, next < p->end ? next : p->end);
    p->worker->moved_us = pdr_mono_us();
    if (p->next == p->end) end_part(p);
}

static void saw_end(void *context, int64_t end)
{
    part *p = context;
    scan *s = p->worker->scan;
    pdr_error err;
    if (p->ended || stopped(s)) return;
    if (end > p->next) move(p, end < p->end ? end : p->end);
    if (p->next == p->end) {
        end_part(p);
    } else if (s->spec->follow && s->spec->sink->ended) {
        pdr_position at = p->commits.walk.at;
        pdr_code code = s->spec->sink->ended(s->spec->context, p->worker->number, p->number, at, &err);
        if (code != PDR_OK) fail(s, &err);
    }
}

static const pdr_log_reader_events reader_events = {saw_records, saw_end, part_failed};

/* --- one thread --- */

static void close_ended(worker *w)
{
    for (size_t i = 0; i < w->open_count;) {
        part *p = w->open[i];
        if (!p->ended) {
            i++;
            continue;
        }
        w->log->ops->reader_close(p->reader);
        p->reader = NULL;
        pdr_commit_reader_release(&p->commits);
        w->open[i] = w->open[--w->open_count];
    }
}

static pdr_code open_part(worker *w, part *p, pdr_error *err)
{
    p->worker = w;
    w->open[w->open_count++] = p;
    if (p->next >= p->end) {
        end_part(p);
        return PDR_OK;
    }
    pdr_code code = w->log->ops->reader_open(w->log, p->number, p->next, &reader_events, p, &p->reader, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "partition %d", (int)p->number);
}

/* Close what is read, take what nobody has taken yet. */
static pdr_code turn_over(worker *w, pdr_error *err)
{
    scan *s = w->scan;
    pdr_code code = PDR_OK;
    close_ended(w);
    while (code == PDR_OK && w->open_count < s->at_once) {
        size_t next = atomic_fetch_add(&s->taken, 1);
        if (next >= s->count) break;
        code = open_part(w, &s->parts[next], err);
    }
    return code;
}

static pdr_code drive(worker *w, pdr_error *err)
{
    pdr_code code = turn_over(w, err);
    w->moved_us = pdr_mono_us();
    while (code == PDR_OK && w->open_count && !stopped(w->scan)) {
        if (w->log->ops->poll(w->log) == 0) {
            pdr_sleep_on(w->log, NULL, MAX_SLEEP_US);
            if (!w->scan->spec->follow && pdr_mono_us() - w->moved_us > STUCK_US)
                return pdr_fail(err, PDR_TIMEOUT, "nothing was read for %d s from partition %d",
                                STUCK_US / 1000000, (int)w->open[0]->number);
        }
        code = turn_over(w, err);
    }
    return code;
}

static void *work(void *argument)
{
    worker *w = argument;
    scan *s = w->scan;
    pdr_error err;
    if (drive(w, &err) != PDR_OK) fail(s, &err);
    for (size_t i = 0; i < w->open_count; i++) {
        w->log->ops->reader_close(w->open[i]->reader);
        pdr_commit_reader_release(&w->open[i]->commits);
    }
    (void)pthread_mutex_lock(&s->lock);
    s->running--;
    (void)pthread_cond_signal(&s->over);
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- all of it --- */

unsigned pdr_scan_threads(const pdr_tool *tool, const pdr_scan_spec *spec)
{
    size_t count = spec->partitions ? spec->partition_count : (size_t)pdr_tool_partitions(tool);
    long here = sysconf(_SC_NPROCESSORS_ONLN);
    size_t threads = spec->threads ? spec->threads : here > 0 ? (size_t)here : 1;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > count) threads = count;
    return threads ? (unsigned)threads : 1;
}

static pdr_position start_of(const pdr_scan_spec *spec, int32_t partition)
{
    return spec->from ? spec->from[partition] : PDR_POSITION_START;
}

static pdr_code choose_parts(scan *s, pdr_error *err)
{
    const pdr_scan_spec *spec = s->spec;
    int32_t partitions = s->partitions;
    s->count = spec->partitions ? spec->partition_count : (size_t)partitions;
    s->parts = pdr_calloc(s->count + 1, sizeof *s->parts);
    if (!s->parts) return pdr_fail(err, PDR_NOMEM, "a scan of %zu partitions", s->count);
    for (size_t i = 0; i < s->count; i++) {
        part *p = &s->parts[i];
        p->number = spec->partitions ? spec->partitions[i] : (int32_t)i;
        if (p->number < 0 || p->number >= partitions)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d: the journal has 0 to %d",
                            (int)p->number, (int)partitions - 1);
        pdr_position from = start_of(spec, p->number);
        p->next = from.offset + 1;
        pdr_commit_reader_init(&p->commits, from, &commit_sink, p);
    }
    return PDR_OK;
}

static pdr_code find_ends(scan *s, pdr_error *err)
{
    int timeout_ms = s->spec->timeout_ms ? s->spec->timeout_ms : ENDS_TIMEOUT_MS;
    int32_t *numbers = pdr_alloc((s->count + 1) * sizeof *numbers);
    int64_t *ends = pdr_alloc((s->count + 1) * sizeof *ends);
    pdr_code code =
        numbers && ends ? PDR_OK : pdr_fail(err, PDR_NOMEM, "the ends of %zu partitions", s->count);
    for (size_t i = 0; code == PDR_OK && i < s->count; i++)
        numbers[i] = s->parts[i].number;
    if (code == PDR_OK) code = pdr_log_ends_read(s->log, numbers, s->count, timeout_ms, ends, err);
    for (size_t i = 0; code == PDR_OK && i < s->count; i++) {
        part *p = &s->parts[i];
        p->end = ends[i];
        if (p->next > p->end)
            code = pdr_fail(err, PDR_OUT_OF_RANGE,
                            "partition %d ends at offset %" PRId64 ", wanted from %" PRId64, (int)p->number,
                            p->end, p->next);
        s->total += p->end - p->next;
        if (s->spec->follow) p->end = INT64_MAX;
    }
    pdr_free(numbers);
    pdr_free(ends);
    return code;
}

/* The first thread takes the tool's own log, which its caller leaves alone meanwhile. */
static pdr_code open_worker(scan *s, worker *w, unsigned number, pdr_error *err)
{
    *w = (worker){.scan = s, .number = number, .owns_log = number > 0};
    pdr_code code = PDR_OK;
    if (w->owns_log)
        code = pdr_tool_log_open(s->tool, &w->log, err);
    else
        w->log = s->log;
    if (code != PDR_OK) return code;
    w->open = pdr_calloc(s->at_once, sizeof(part *));
    return w->open ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a thread of a scan");
}

static void close_worker(worker *w)
{
    if (w->owns_log && w->log) w->log->ops->close(w->log);
    pdr_free(w->open);
}

/* Follows need all their partitions open. */
static pdr_code open_workers(scan *s, pdr_error *err)
{
    unsigned threads = s->tool ? pdr_scan_threads(s->tool, s->spec) : 1;
    s->at_once = (s->count + threads - 1) / threads;
    if (s->at_once > AT_ONCE && !s->spec->follow) s->at_once = AT_ONCE;
    if (!s->at_once) s->at_once = 1;
    s->workers = pdr_calloc(threads, sizeof *s->workers);
    if (!s->workers) return pdr_fail(err, PDR_NOMEM, "a scan's threads");
    pdr_code code = PDR_OK;
    while (code == PDR_OK && s->threads < threads) {
        unsigned number = s->threads++;
        code = open_worker(s, &s->workers[number], number, err);
    }
    return code;
}

static void watch(scan *s)
{
    if (!s->spec->watch || stopped(s)) return;
    pdr_scan_progress progress = {.done = atomic_load(&s->done),
                                  .total = s->total,
                                  .partitions_done = (int32_t)atomic_load(&s->ended),
                                  .partitions = (int32_t)s->count};
    if (!s->spec->watch(s->spec->context, &progress)) return;
    pdr_error err;
    (void)pdr_fail(&err, PDR_CANCELLED, "stopped after %" PRId64 " of %" PRId64 " records", progress.done,
                   progress.total);
    fail(s, &err);
}

static void run_workers(scan *s)
{
    unsigned started = 0;
    pdr_error err;
    s->running = s->threads;
    for (; started < s->threads; started++)
        if (pthread_create(&s->workers[started].thread, NULL, work, &s->workers[started]) != 0) break;
    if (started < s->threads) {
        (void)pdr_fail(&err, PDR_NOMEM, "no thread could be made");
        fail(s, &err);
    }
    (void)pthread_mutex_lock(&s->lock);
    s->running -= s->threads - started;
    while (s->running) {
        (void)pdr_cond_wait_until(&s->over, &s->lock, pdr_mono_us() + WATCH_US);
        (void)pthread_mutex_unlock(&s->lock);
        watch(s);
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < started; i++)
        (void)pthread_join(s->workers[i].thread, NULL);
}

static pdr_code run(scan *s, pdr_error *err)
{
    pdr_code code = choose_parts(s, err);
    if (code == PDR_OK) code = find_ends(s, err);
    if (code == PDR_OK) code = open_workers(s, err);
    if (code != PDR_OK) return code;
    run_workers(s);
    if (s->failure.code != PDR_OK && err) *err = s->failure;
    return s->failure.code;
}

static pdr_code begin(scan *s, pdr_error *err)
{
    pdr_code code = pdr_cond_open(&s->over, err);
    if (code != PDR_OK) return code;
    code = run(s, err);
    for (unsigned i = 0; i < s->threads; i++)
        close_worker(&s->workers[i]);
    for (size_t i = 0; i < s->count && s->parts; i++)
        pdr_commit_reader_release(&s->parts[i].commits);
    pdr_free(s->workers);
    pdr_free(s->parts);
    (void)pthread_cond_destroy(&s->over);
    (void)pthread_mutex_destroy(&s->lock);
    return code;
}

pdr_code pdr_scan_run(pdr_tool *tool, const pdr_scan_spec *spec, pdr_error *err)
{
    scan s = {.tool = tool,
              .log = pdr_tool_log(tool),
              .partitions = pdr_tool_partitions(tool),
              .spec = spec,
              .lock = PTHREAD_MUTEX_INITIALIZER};
    return begin(&s, err);
}

pdr_code pdr_scan_log(pdr_log *log, int32_t partitions, const pdr_scan_spec *spec, pdr_error *err)
{
    scan s = {.log = log, .partitions = partitions, .spec = spec, .lock = PTHREAD_MUTEX_INITIALIZER};
    return begin(&s, err);
}
