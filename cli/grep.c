/* perdure grep: the events of all the log for which something holds. */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/event_filter.h"
#include "cli/json.h"
#include "replay/moment.h"
#include "replay/scan.h"
#include "replay/tally.h"

typedef enum counting { COUNT_NOTHING, COUNT_TYPE, COUNT_ENTITY, COUNT_DAY } counting;

/* One thread's. */
typedef struct searcher {
    pdr_event_filter filter;
    pdr_tally counts; /* key -> uint64_t */
} searcher;

typedef struct grep {
    pdr_target target;
    pdr_event_wish wish;
    const char *count;
    counting counting;
    int64_t limit; /* 0: none */
    bool json;
    pdr_loaded_app app;
    pdr_tool *tool;
    searcher *searchers;
    unsigned threads;
    pthread_mutex_t printing;
    pdr_out *out; /* under `printing` */
    uint64_t printed;
    atomic_bool enough; /* the limit is reached, or nobody reads any more */
    atomic_ullong found;
} grep;

/* --- what is found --- */

static pdr_code count_one(searcher *s, counting what, const pdr_event_line *line, pdr_error *err)
{
    char day[64];
    pdr_bytes key = line->record->entry.key;
    if (what == COUNT_TYPE) {
        const char *type = line->type ? line->type : "?";
        key = pdr_bytes_of(type, strlen(type));
    } else if (what == COUNT_DAY) {
        pdr_buf text = {(uint8_t *)day, 0, sizeof day, sizeof day};
        if (pdr_moment_print(line->header->time_us, &text) != PDR_OK) text.size = 0;
        const uint8_t *end = text.size ? memchr(text.data, 'T', text.size) : NULL;
        key = end ? pdr_bytes_of(day, (size_t)(end - text.data)) : pdr_bytes_of("?", 1);
    }
    uint64_t *count = pdr_tally_of(&s->counts, key);
    if (!count) return pdr_fail(err, PDR_NOMEM, "counting events");
    ++*count;
    return PDR_OK;
}

static pdr_code print_found(grep *g, const pdr_event_filter *filter, pdr_error *err)
{
    pdr_code code = PDR_OK;
    (void)pthread_mutex_lock(&g->printing);
    for (size_t i = 0; code == PDR_OK && i < filter->found_count && !atomic_load(&g->enough); i++) {
        code = pdr_event_line_put(filter->found[i], true, g->out, err);
        g->printed += code == PDR_OK;
        if (code == PDR_CANCELLED || (g->limit && g->printed == (uint64_t)g->limit))
            atomic_store(&g->enough, true);
    }
    (void)pthread_mutex_unlock(&g->printing);
    return code;
}

static pdr_code took_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                            size_t count, pdr_position at, pdr_error *err)
{
    (void)at;
    grep *g = context;
    searcher *s = &g->searchers[thread];
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        if (atomic_load_explicit(&g->enough, memory_order_relaxed))
            return pdr_fail(err, PDR_CANCELLED, "that was enough");
        code = pdr_event_filter_take(&s->filter, partition, &events[i], err);
        if (code != PDR_OK || !s->filter.found_count) continue;
        atomic_fetch_add_explicit(&g->found, s->filter.found_count, memory_order_relaxed);
        if (g->counting == COUNT_NOTHING) code = print_found(g, &s->filter, err);
        for (size_t k = 0; g->counting && code == PDR_OK && k < s->filter.found_count; k++)
            code = count_one(s, g->counting, s->filter.found[k], err);
    }
    return code;
}

static bool watch(void *context, const pdr_scan_progress *p)
{
    grep *g = context;
    double percent = p->total ? 100.0 * (double)p->done / (double)p->total : 100;
    (void)pthread_mutex_lock(&g->printing); /* the progress line and what is printed share the terminal */
    pdr_cli_progress("searching: %.0f %% of %" PRId64 " records, %llu found", percent, p->total,
                     atomic_load(&g->found));
    (void)pthread_mutex_unlock(&g->printing);
    return pdr_stopped() || atomic_load(&g->enough);
}

static const pdr_scan_sink sink = {.commit = took_commit};

/* --- counts --- */

static int most_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static pdr_code put_count(grep *g, pdr_bytes key, uint64_t count, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(g->out);
    pdr_code code;
    if (g->json) {
        code = pdr_buf_printf(line, "{\"%s\":", g->count);
        if (code == PDR_OK) code = pdr_json_text(line, key);
        if (code == PDR_OK) code = pdr_buf_printf(line, ",\"events\":%" PRIu64 "}", count);
    } else {
        code = pdr_out_put(g->out, PDR_COLOUR_PLAIN, "%12" PRIu64 "  ", count);
        if (code == PDR_OK)
            code = pdr_out_put(g->out, PDR_COLOUR_BOLD, "%.*s", (int)key.size, (const char *)key.data);
    }
    return code == PDR_OK ? pdr_out_end(g->out, err) : pdr_fail(err, code, "a line of output");
}

/* Into the first thread's, then all of it. Days in their order, others by how many. */
static pdr_code put_counts(grep *g, pdr_error *err)
{
    pdr_tally *all = &g->searchers[0].counts;
    for (unsigned t = 1; t < g->threads; t++) {
        const pdr_tally *more = &g->searchers[t].counts;
        for (size_t i = 0; i < more->count; i++) {
            uint64_t *count = pdr_tally_of(all, pdr_tally_key(more, more->entries[i]));
            if (!count) return pdr_fail(err, PDR_NOMEM, "counts");
            *count += *(const uint64_t *)(const void *)more->entries[i]->value;
        }
    }
    pdr_tally_sort(all, g->counting == COUNT_DAY ? NULL : most_first);
    size_t limit = g->limit && (size_t)g->limit < all->count ? (size_t)g->limit : all->count;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < limit; i++)
        code = put_count(g, pdr_tally_key(all, all->entries[i]),
                         *(const uint64_t *)(const void *)all->entries[i]->value, err);
    return code;
}

/* --- the command --- */

static pdr_code read_counting(grep *g, pdr_error *err)
{
    static const char *const names[] = {"type", "entity", "day"};
    for (size_t i = 0; g->count && i < 3; i++)
        if (strcmp(g->count, names[i]) == 0) g->counting = (counting)(i + 1);
    if (!g->count || g->counting) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "--count takes type, entity or day, not %.60s", g->count);
}

static pdr_code open_searchers(grep *g, unsigned threads, pdr_error *err)
{
    pdr_code code = PDR_OK;
    g->searchers = pdr_calloc(threads, sizeof *g->searchers);
    if (!g->searchers) return pdr_fail(err, PDR_NOMEM, "%u searchers", threads);
    while (code == PDR_OK && g->threads < threads) {
        searcher *s = &g->searchers[g->threads++];
        pdr_tally_init(&s->counts, sizeof(uint64_t));
        code = pdr_event_filter_init(&s->filter, &g->wish, err);
        s->filter.tool = g->tool;
    }
    return code;
}

static pdr_code search(grep *g, pdr_error *err)
{
    pdr_scan_spec spec = {.sink = &sink, .context = g, .watch = watch};
    pdr_code code = pdr_event_wish_check(&g->wish, g->tool, err);
    if (code == PDR_OK) code = open_searchers(g, pdr_scan_threads(g->tool, &spec), err);
    if (code == PDR_OK) code = pdr_out_open(&g->out, g->json, err);
    if (code != PDR_OK) return code;
    code = pdr_scan_run(g->tool, &spec, err);
    pdr_cli_progress_end();
    if (code == PDR_CANCELLED && atomic_load(&g->enough)) code = PDR_OK;
    if (code == PDR_OK && !atomic_load(&g->found)) code = pdr_event_wish_met(&g->wish, g->tool, err);
    if (code == PDR_OK && g->counting) code = put_counts(g, err);
    return code;
}

static pdr_code work(grep *g, pdr_error *err)
{
    pdr_event_filter tried;
    pdr_code code = read_counting(g, err);
    if (code == PDR_OK) code = pdr_event_wish_read(&g->wish, err);
    if (code != PDR_OK) return code;
    code = pdr_event_filter_init(&tried, &g->wish, err); /* is it jq at all? before anything is opened */
    pdr_event_filter_release(&tried);
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&g->app, g->target.app, err);
    pdr_tool_spec spec = {
        .journal = g->target.journal, .store = g->target.store, .app = g->app.app, .stopped = pdr_stopped};
    if (code == PDR_OK) code = pdr_tool_open(&g->tool, &spec, err);
    return code == PDR_OK ? search(g, err) : code;
}

/* What was wrong with single events; gives the exit code. */
static int tell_troubles(const grep *g)
{
    pdr_event_trouble failed = {0}, unreadable = {0};
    for (unsigned t = 0; t < g->threads; t++) {
        pdr_event_trouble_add(&failed, &g->searchers[t].filter.failed);
        pdr_event_trouble_add(&unreadable, &g->searchers[t].filter.unreadable);
    }
    pdr_event_trouble_tell(&failed, &pdr_cli_grep, "--where failed at");
    pdr_event_trouble_tell(&unreadable, &pdr_cli_grep, "the application can't read");
    return failed.count || unreadable.count || !atomic_load(&g->found) ? PDR_EXIT_FAILED : PDR_EXIT_DONE;
}

static void close_all(grep *g)
{
    for (unsigned t = 0; t < g->threads; t++) {
        pdr_event_filter_release(&g->searchers[t].filter);
        pdr_tally_release(&g->searchers[t].counts);
    }
    pdr_free(g->searchers);
    pdr_tool_close(g->tool);
    pdr_loaded_app_close(&g->app);
}

static int run(int argc, char **argv)
{
    static grep g = {.printing = PTHREAD_MUTEX_INITIALIZER};
    const pdr_flag flags[] = {
        PDR_EVENT_WHERE_FLAG(g.wish),
        PDR_EVENT_TYPE_FLAG(g.wish),
        PDR_EVENT_ENTITY_FLAG(g.wish),
        PDR_EVENT_SINCE_FLAG(g.wish),
        PDR_EVENT_UNTIL_FLAG(g.wish),
        {PDR_FLAG_TEXT, "--count", "type|entity|day", "how many there are of each, instead of the events",
         &g.count, 0, 0},
        {PDR_FLAG_NUMBER, "--limit", "N", "stop after so many events; of counts, only the N greatest",
         &g.limit, 1, INT64_MAX},
        PDR_JOURNAL_FLAG(g.target),
        PDR_STORE_FLAG(g.target),
        PDR_APP_FLAG(g.target),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line", &g.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_grep, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_code code = work(&g, &err);
    code = pdr_out_close(g.out, code, &err);
    int troubles = tell_troubles(&g);
    close_all(&g);
    return code == PDR_OK ? troubles : pdr_cli_fail(&pdr_cli_grep, &err);
}

const pdr_cli_command pdr_cli_grep = {
    .name = "grep",
    .summary = "the events of all the log for which something holds",
    .about =
        "Reads all the log, several partitions at a time, and prints the events that pass all the flags that "
        "are "
        "given. Events of one entity come in their order; those of different entities as they are met.\n\n"
        "  perdure grep --type OfferSent --since 2012-01-15 --until 2012-01-16\n"
        "  perdure grep --where '.event.amount > 10000' --count day\n\n"
        "--where is jq's language, over the object that --json prints: {\"entity\", \"seq\", \"time\", "
        "\"type\", "
        "\"event\": {...}, ...}; it holds unless its first result is false or null. Where it fails the event "
        "is "
        "left out and counted.\n\n"
        "Exit code 1 if nothing was found, and if --where failed or an event couldn't be read.\n",
    .run = run};
