#include "cli/log_walk.h"

#include <inttypes.h>
#include <poll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/common.h"

/* Several at once, so that nobody waits for one partition to begin; few, since each reads ahead. */
enum { STUCK_US = 60 * 1000000, MAX_SLEEP_MS = 200, MAX_FDS = 16, AT_ONCE = 8 };

/* One partition: first where it ends, then its records. */
typedef struct part {
    struct state *state;
    pdr_log_reader *reader;
    int64_t end;  /* -1: not told yet */
    int64_t next; /* everything below was delivered */
    int32_t number;
} part;

typedef struct state {
    const pdr_log_walk *walk;
    part *parts;
    int32_t untold; /* partitions whose end isn't known yet */
    int64_t total;  /* records in all, as far as offsets tell */
    int64_t done;   /* of these */
    int32_t opened, finished;
    int64_t began_us;
    pdr_error failure; /* code PDR_OK: none */
} state;

static void fail(state *s, const pdr_error *error)
{
    if (s->failure.code == PDR_OK) s->failure = *error;
}

static void sleep_a_little(pdr_log *log)
{
    struct pollfd fds[MAX_FDS];
    int64_t us = INT64_MAX;
    int count = log->ops->wait_on(log, fds, MAX_FDS, &us);
    int ms = us <= 0 ? 0 : us > MAX_SLEEP_MS * 1000 ? MAX_SLEEP_MS : (int)((us + 999) / 1000);
    (void)poll(fds, (nfds_t)count, ms); /* whatever woke it: what is due is looked at */
}

/* --- where the partitions end --- */

static void ends_records(void *context, const pdr_log_record *records, size_t count)
{
    (void)context;
    (void)records;
    (void)count;
}

static void ends_end(void *context, int64_t end)
{
    part *p = context;
    if (p->end >= 0) return;
    p->end = end;
    p->state->total += end;
    p->state->untold--;
    p->state->walk->log->ops->reader_close(p->reader);
    p->reader = NULL;
}

static void part_failed(void *context, const pdr_error *error)
{
    const part *p = context;
    fail(p->state, error);
}

static const pdr_log_reader_events ends_events = {ends_records, ends_end, part_failed};

static pdr_code find_ends(state *s, pdr_error *err)
{
    pdr_log *log = s->walk->log;
    pdr_code code = PDR_OK;
    int64_t until = pdr_deadline_us(s->walk->timeout_ms);
    for (int32_t i = 0; code == PDR_OK && i < s->walk->partitions; i++)
        code = log->ops->reader_open(log, i, PDR_LOG_TAIL(0), &ends_events, &s->parts[i], &s->parts[i].reader,
                                     err);
    while (code == PDR_OK && s->untold && s->failure.code == PDR_OK) {
        if (log->ops->poll(log)) continue;
        if (pdr_mono_us() >= until)
            return pdr_fail(err, PDR_TIMEOUT, "the ends of %d partitions weren't told within %d ms",
                            (int)s->untold, s->walk->timeout_ms);
        sleep_a_little(log);
    }
    return code;
}

/* --- their records --- */

static void show(const state *s)
{
    double seconds = (double)(pdr_mono_us() - s->began_us) / 1e6;
    double rate = seconds > 0 ? (double)s->done / seconds : 0;
    double left = rate > 0 ? (double)(s->total - s->done) / rate : 0;
    pdr_cli_progress("%s: %" PRId64 " of %" PRId64
                     " records, %d of %d partitions done, %.0f records/s, %.0f s left",
                     s->walk->doing, s->done, s->total, (int)s->finished, (int)s->walk->partitions, rate,
                     left > 0 ? left : 0);
}

static void move(part *p, int64_t next)
{
    if (next > p->end) next = p->end;
    p->state->done += next - p->next;
    p->next = next;
}

static void walk_records(void *context, const pdr_log_record *records, size_t count)
{
    part *p = context;
    state *s = p->state;
    pdr_error err;
    for (size_t i = 0; i < count && records[i].offset < p->end && s->failure.code == PDR_OK; i++) {
        pdr_code code = s->walk->record(s->walk->context, p->number, &records[i], &err);
        if (code != PDR_OK) fail(s, &err);
    }
    move(p, records[count - 1].offset + 1);
    show(s);
}

static void walk_end(void *context, int64_t end)
{
    part *p = context;
    if (end > p->next) move(p, end);
}

static const pdr_log_reader_events walk_events = {walk_records, walk_end, part_failed};

/* Close what is read, open what comes next. */
static pdr_code turn_over(state *s, pdr_error *err)
{
    const pdr_log_ops *ops = s->walk->log->ops;
    pdr_code code = PDR_OK;
    for (int32_t i = 0; i < s->opened; i++) {
        part *p = &s->parts[i];
        if (!p->reader || p->next < p->end) continue;
        ops->reader_close(p->reader);
        p->reader = NULL;
        s->finished++;
    }
    while (code == PDR_OK && s->opened < s->walk->partitions && s->opened - s->finished < AT_ONCE) {
        part *p = &s->parts[s->opened++];
        if (p->end == 0)
            s->finished++;
        else
            code = ops->reader_open(s->walk->log, p->number, 0, &walk_events, p, &p->reader, err);
    }
    return code;
}

static pdr_code drive(state *s, pdr_error *err)
{
    pdr_log *log = s->walk->log;
    int64_t moved_us = pdr_mono_us(), seen = 0;
    pdr_code code = turn_over(s, err);
    while (code == PDR_OK && s->failure.code == PDR_OK && s->finished < s->walk->partitions) {
        if (log->ops->poll(log) == 0) sleep_a_little(log);
        int64_t now = pdr_mono_us();
        if (s->done != seen) moved_us = now;
        seen = s->done;
        if (now - moved_us > STUCK_US)
            return pdr_fail(err, PDR_TIMEOUT, "nothing was read for %d s, with %" PRId64 " records to come",
                            STUCK_US / 1000000, s->total - s->done);
        code = turn_over(s, err);
    }
    return code;
}

static pdr_code run(state *s, pdr_error *err)
{
    pdr_code code = find_ends(s, err);
    s->began_us = pdr_mono_us();
    if (code == PDR_OK && s->failure.code == PDR_OK) code = drive(s, err);
    if (code != PDR_OK || s->failure.code == PDR_OK) return code;
    if (err) *err = s->failure;
    return s->failure.code;
}

pdr_code pdr_log_walk_run(const pdr_log_walk *walk, pdr_error *err)
{
    state s = {.walk = walk, .untold = walk->partitions};
    s.parts = pdr_calloc((size_t)walk->partitions, sizeof *s.parts);
    if (!s.parts) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)walk->partitions);
    for (int32_t i = 0; i < walk->partitions; i++)
        s.parts[i] = (part){.state = &s, .end = -1, .number = i};
    pdr_code code = run(&s, err);
    for (int32_t i = 0; i < walk->partitions; i++)
        walk->log->ops->reader_close(s.parts[i].reader);
    pdr_free(s.parts);
    return code;
}
