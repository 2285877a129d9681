/* perdure tail: the newest events, and what is appended from now on. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/event_filter.h"
#include "journal/held.h"
#include "replay/newest.h"
#include "replay/scan.h"

enum { FIRST_BACK = 256, GROWTH = 8, MAX_BACK = INT32_MAX };

/* What was read of a partition: all behind `from`. */
typedef struct part {
    pdr_position from, at;
    int64_t first_ms;    /* when the first event behind `from` was appended; INT64_MAX: none */
    pdr_held **held;     /* the newest that pass, a ring of `wanted`; they are owned */
    size_t count, begin; /* how many, and where the eldest is */
} part;

typedef struct tail {
    pdr_target target;
    pdr_event_wish wish;
    int64_t wanted;
    bool follow, json;
    pdr_loaded_app app;
    pdr_tool *tool;
    pdr_event_filter filter;  /* of what is read */
    pdr_event_filter printer; /* of what is printed, once more */
    part *parts;
    int32_t *todo; /* partitions to read, or to read more of */
    size_t todo_count;
    pdr_out *out;
    bool following;
} tail;

/* --- reading --- */

static void drop(part *p)
{
    for (size_t i = 0; i < p->count; i++)
        pdr_free(p->held[(p->begin + i)]);
    p->count = p->begin = 0;
    p->first_ms = INT64_MAX;
}

static pdr_code hold(const tail *t, part *p, const pdr_commit_event *event, pdr_error *err)
{
    size_t wanted = (size_t)t->wanted;
    if (!wanted) return PDR_OK;
    if (!p->held) p->held = pdr_calloc(2 * wanted, sizeof(pdr_held *));
    pdr_held *copy = p->held ? pdr_held_copy(event->record) : NULL;
    if (!copy) return pdr_fail(err, PDR_NOMEM, "the newest %zu events of a partition", wanted);
    if (p->count == wanted) {
        pdr_free(p->held[p->begin++]);
        p->count--;
    }
    if (p->begin == wanted) {
        memmove(p->held, p->held + p->begin, p->count * sizeof *p->held);
        p->begin = 0;
    }
    p->held[p->begin + p->count++] = copy;
    return PDR_OK;
}

static pdr_code print_lines(tail *t, const pdr_event_filter *filter, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < filter->found_count; i++)
        code = pdr_event_line_put(filter->found[i], true, t->out, err);
    return code;
}

static pdr_code took_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                            size_t count, pdr_position at, pdr_error *err)
{
    (void)thread;
    (void)at;
    tail *t = context;
    part *p = &t->parts[partition];
    pdr_code code = PDR_OK;
    if (p->first_ms == INT64_MAX) p->first_ms = events[0].record->append_ms;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        code = pdr_event_filter_take(&t->filter, partition, &events[i], err);
        if (code != PDR_OK || !t->filter.found_count) continue;
        code = t->following ? print_lines(t, &t->filter, err) : hold(t, p, &events[i], err);
    }
    return code;
}

/* Whoever looks on while nothing comes has seen all that there is. */
static pdr_code ended(void *context, unsigned thread, int32_t partition, pdr_position at, pdr_error *err)
{
    (void)thread;
    tail *t = context;
    t->parts[partition].at = at;
    return t->following ? pdr_out_flush(t->out, err) : PDR_OK;
}

static bool watch(void *context, const pdr_scan_progress *progress)
{
    const tail *t = context;
    if (!t->following)
        pdr_cli_progress("reading the newest: %lld of %lld records", (long long)progress->done,
                         (long long)progress->total);
    return pdr_stopped() || pdr_cli_reader_gone();
}

static const pdr_scan_sink sink = {.commit = took_commit, .ended = ended};

/* By number, as a scan wants them. */
static pdr_position *positions(const tail *t, bool of_ends, pdr_error *err)
{
    size_t count = (size_t)pdr_tool_partitions(t->tool);
    pdr_position *all = pdr_alloc(count * sizeof *all);
    for (size_t i = 0; all && i < count; i++)
        all[i] = of_ends ? t->parts[i].at : t->parts[i].from;
    if (!all) (void)pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    return all;
}

static pdr_code read_newest(tail *t, int64_t back, pdr_error *err)
{
    pdr_position *from = positions(t, false, err);
    if (!from) return PDR_NOMEM;
    pdr_scan_spec spec = {.partitions = t->todo,
                          .partition_count = t->todo_count,
                          .from = from,
                          .threads = 1,
                          .sink = &sink,
                          .context = t,
                          .watch = watch};
    pdr_code code = pdr_newest_positions(t->tool, t->todo, t->todo_count, back, from, err);
    for (size_t i = 0; i < t->todo_count && code == PDR_OK; i++) {
        part *p = &t->parts[t->todo[i]];
        drop(p);
        p->from = from[t->todo[i]];
    }
    if (code == PDR_OK) code = pdr_scan_run(t->tool, &spec, err);
    pdr_cli_progress_end();
    pdr_free(from);
    return code;
}

/* --- which are the newest of all --- */

typedef struct shown {
    const pdr_held *held;
    int32_t partition;
} shown;

/* The order of appends, as far as it is known. */
static int by_append(const void *a, const void *b)
{
    const shown *x = a, *y = b;
    const pdr_log_record *p = &x->held->record, *q = &y->held->record;
    if (p->append_ms != q->append_ms) return p->append_ms < q->append_ms ? -1 : 1;
    if (x->partition != y->partition) return x->partition < y->partition ? -1 : 1;
    return (p->offset > q->offset) - (p->offset < q->offset);
}

static pdr_code gather(const tail *t, shown **out, size_t *count, pdr_error *err)
{
    size_t room = 0, partitions = (size_t)pdr_tool_partitions(t->tool);
    for (size_t i = 0; i < partitions; i++)
        room += t->parts[i].count;
    shown *all = pdr_alloc((room + 1) * sizeof *all);
    if (!all) return pdr_fail(err, PDR_NOMEM, "%zu events", room);
    *count = 0;
    for (size_t i = 0; i < partitions; i++)
        for (size_t k = 0; k < t->parts[i].count; k++)
            all[(*count)++] = (shown){t->parts[i].held[t->parts[i].begin + k], (int32_t)i};
    qsort(all, *count, sizeof *all, by_append);
    *out = all;
    return PDR_OK;
}

/* Which partitions may have one of the newest before what was read of them? */
static void choose_todo(tail *t, const shown *all, size_t count)
{
    size_t wanted = (size_t)t->wanted;
    int64_t eldest = count >= wanted && wanted ? all[count - wanted].held->record.append_ms : INT64_MIN;
    t->todo_count = 0;
    for (int32_t i = 0; wanted && i < pdr_tool_partitions(t->tool); i++) {
        const part *p = &t->parts[i];
        bool enough = p->from.offset < 0 || p->count >= wanted || p->first_ms <= eldest;
        if (!enough) t->todo[t->todo_count++] = i;
    }
}

static pdr_code print_newest(tail *t, const shown *all, size_t count, pdr_error *err)
{
    size_t first = count > (size_t)t->wanted ? count - (size_t)t->wanted : 0;
    pdr_code code = PDR_OK;
    for (size_t i = first; code == PDR_OK && i < count; i++) {
        pdr_commit_event event = {&all[i].held->record, &all[i].held->header};
        code = pdr_event_filter_take(&t->printer, all[i].partition, &event, err);
        if (code == PDR_OK) code = print_lines(t, &t->printer, err);
    }
    return code == PDR_OK ? pdr_out_flush(t->out, err) : code;
}

/* The last so many offsets of each partition; of those of which that isn't enough, more and more. */
static pdr_code show_newest(tail *t, pdr_error *err)
{
    shown *all = NULL;
    size_t count = 0;
    int64_t back = 2 * t->wanted > FIRST_BACK ? 2 * t->wanted : FIRST_BACK;
    pdr_code code = PDR_OK;
    if (!t->wanted) back = 1;
    for (; code == PDR_OK && t->todo_count; back = back < MAX_BACK ? back * GROWTH : back) {
        pdr_free(all);
        all = NULL;
        code = read_newest(t, back, err);
        if (code == PDR_OK) code = gather(t, &all, &count, err);
        if (code == PDR_OK) choose_todo(t, all, count);
    }
    if (code == PDR_OK) code = print_newest(t, all, count, err);
    pdr_free(all);
    return code;
}

static pdr_code go_on(tail *t, pdr_error *err)
{
    pdr_position *from = positions(t, true, err);
    if (!from) return PDR_NOMEM;
    t->following = true;
    pdr_scan_spec spec = {
        .from = from, .threads = 1, .follow = true, .sink = &sink, .context = t, .watch = watch};
    pdr_code code = pdr_scan_run(t->tool, &spec, err);
    pdr_free(from);
    return code;
}

/* --- the command --- */

static pdr_code open_all(tail *t, pdr_error *err)
{
    pdr_code code = pdr_event_wish_read(&t->wish, err);
    if (code == PDR_OK) code = pdr_event_filter_init(&t->filter, &t->wish, err);
    if (code == PDR_OK) code = pdr_event_filter_init(&t->printer, &t->wish, err);
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&t->app, t->target.app, err);
    pdr_tool_spec spec = {
        .journal = t->target.journal, .store = t->target.store, .app = t->app.app, .stopped = pdr_stopped};
    if (code == PDR_OK) code = pdr_tool_open(&t->tool, &spec, err);
    if (code == PDR_OK) code = pdr_event_wish_check(&t->wish, t->tool, err);
    if (code == PDR_OK) code = pdr_out_open(&t->out, t->json, err);
    if (code != PDR_OK) return code;
    t->filter.tool = t->printer.tool = t->tool;
    size_t count = (size_t)pdr_tool_partitions(t->tool);
    t->parts = pdr_calloc(count, sizeof *t->parts);
    t->todo = pdr_calloc(count, sizeof *t->todo);
    if (!t->parts || !t->todo) return pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    for (; t->todo_count < count; t->todo_count++) {
        t->todo[t->todo_count] = (int32_t)t->todo_count;
        t->parts[t->todo_count].from = t->parts[t->todo_count].at = PDR_POSITION_START;
    }
    return PDR_OK;
}

static void close_all(tail *t)
{
    for (int32_t i = 0; t->parts && i < pdr_tool_partitions(t->tool); i++) {
        drop(&t->parts[i]);
        pdr_free(t->parts[i].held);
    }
    pdr_free(t->parts);
    pdr_free(t->todo);
    pdr_event_filter_release(&t->filter);
    pdr_event_filter_release(&t->printer);
    pdr_tool_close(t->tool);
    pdr_loaded_app_close(&t->app);
}

static int run(int argc, char **argv)
{
    static tail t = {.wanted = 10};
    const pdr_flag flags[] = {
        {PDR_FLAG_NUMBER, "--events", "N", "the newest so many; default 10", &t.wanted, 0, 1000000},
        {PDR_FLAG_SWITCH, "--follow", NULL, "go on with what is appended, until ^C", &t.follow, 0, 0},
        PDR_EVENT_WHERE_FLAG(t.wish),
        PDR_EVENT_TYPE_FLAG(t.wish),
        PDR_EVENT_ENTITY_FLAG(t.wish),
        PDR_JOURNAL_FLAG(t.target),
        PDR_STORE_FLAG(t.target),
        PDR_APP_FLAG(t.target),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line", &t.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_tail, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_code code = open_all(&t, &err);
    if (code == PDR_OK) code = show_newest(&t, &err);
    if (code == PDR_OK && t.follow) code = go_on(&t, &err);
    code = pdr_out_close(t.out, code, &err);
    pdr_event_trouble_tell(&t.filter.failed, &pdr_cli_tail, "--where failed at");
    pdr_event_trouble_tell(&t.filter.unreadable, &pdr_cli_tail, "the application can't read");
    bool trouble = t.filter.failed.count || t.filter.unreadable.count;
    close_all(&t);
    if (code == PDR_CANCELLED && t.following && pdr_stopped()) return PDR_EXIT_STOPPED; /* how it ends */
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_tail, &err);
    return trouble ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}

const pdr_cli_command pdr_cli_tail = {.name = "tail",
                                      .summary = "the newest events, and those that are appended from now on",
                                      .about =
                                          "Prints the newest events of all partitions in the order in which "
                                          "the log took them, as far as its clock "
                                          "tells. Reads the log from near its end, and further back only if "
                                          "the newest that pass the flags aren't "
                                          "there.\n\n"
                                          "  perdure tail --events 20\n"
                                          "  perdure tail --events 0 --follow --type ApplicationDeclined\n\n"
                                          "With --follow it goes on with what owners append meanwhile; "
                                          "events of one entity come in their order. "
                                          "--where is jq's language over the object that --json prints.\n",
                                      .run = run};
