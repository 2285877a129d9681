/* perdure stats: what a log is made of. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/order.h"
#include "cli/common.h"
#include "cli/json.h"
#include "cli/stats_count.h"
#include "replay/moment.h"

#define HOUR INT64_C(3600000000)
#define DAY (24 * HOUR)
enum { BAR_MAX = 60, MAX_DAYS = 31, USUAL_WIDTH = 80, BEFORE_BAR = 32 };

/* An entity that is among the first ones. */
typedef struct ranked {
    pdr_bytes id;
    const pdr_stats_entity *entity;
} ranked;

typedef struct stats {
    pdr_target target;
    pdr_event_wish wish;
    int64_t top;
    bool json;
    pdr_loaded_app app;
    pdr_tool *tool;
    pdr_stats_count *counts; /* by thread */
    unsigned threads;
    ranked *ranked; /* all entities */
    size_t ranked_count;
    pdr_out *out;
} stats;

/* --- counting --- */

static pdr_code took_commit(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                            size_t count, pdr_position at, pdr_error *err)
{
    (void)at;
    stats *s = context;
    pdr_stats_count *c = &s->counts[thread];
    pdr_code code = PDR_OK;
    bool any = false;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        if (!pdr_event_wish_has(&s->wish, &events[i])) continue;
        any = true;
        code = pdr_stats_count_event(c, s->tool, partition, &events[i], err);
    }
    c->totals.commits += any;
    return code;
}

static pdr_code took_other(void *context, unsigned thread, int32_t partition, pdr_verdict verdict,
                           const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    (void)partition;
    (void)record;
    (void)header;
    (void)err;
    pdr_stats_count_other(&((stats *)context)->counts[thread], verdict);
    return PDR_OK;
}

static bool watch(void *context, const pdr_scan_progress *p)
{
    (void)context;
    double percent = p->total ? 100.0 * (double)p->done / (double)p->total : 100;
    pdr_cli_progress("counting: %.0f %% of %" PRId64 " records", percent, p->total);
    return pdr_stopped();
}

static const pdr_scan_sink sink = {.commit = took_commit, .other = took_other};

/* --- printing --- */

/* The line's text is there, or not: ends it. */
static pdr_code end(stats *s, pdr_code code, pdr_error *err)
{
    return code == PDR_OK ? pdr_out_end(s->out, err) : pdr_fail(err, code, "a line of output");
}

static pdr_code title(stats *s, const char *text, pdr_error *err)
{
    if (s->json) return PDR_OK;
    pdr_code code = pdr_out_end(s->out, err);
    return code == PDR_OK ? end(s, pdr_out_put(s->out, PDR_COLOUR_BOLD, "%s", text), err) : code;
}

static pdr_code put_bar(stats *s, uint64_t part, uint64_t most)
{
    unsigned width = pdr_out_width(s->out) ? pdr_out_width(s->out) : USUAL_WIDTH;
    uint64_t room = width > BEFORE_BAR + 10 ? width - BEFORE_BAR : 10;
    uint64_t size = most ? (part * room + most - 1) / most : 0;
    pdr_code code = PDR_OK;
    for (uint64_t i = 0; code == PDR_OK && i < size; i++)
        code = pdr_buf_append(pdr_out_line(s->out), "#", 1);
    return code;
}

static pdr_code put_moment(pdr_buf *line, int64_t us, size_t cut)
{
    size_t before = line->size;
    pdr_code code = pdr_moment_print(us, line);
    if (code == PDR_OK && cut && line->size > before + cut) line->size = before + cut;
    return code;
}

static pdr_code put_totals(stats *s, pdr_error *err)
{
    const pdr_stats_totals *t = &s->counts->totals;
    pdr_buf *line = pdr_out_line(s->out);
    const char *format = s->json ? "{\"of\":\"totals\",\"events\":%" PRIu64
                                   ",\"entities\":%zu,\"commits\":%" PRIu64 ",\"bytes\":%" PRIu64
                                   ",\"fences\":%" PRIu64 ",\"voids\":%" PRIu64 ",\"foreign\":%" PRIu64
                                   ",\"malformed\":%" PRIu64
                                 : "%" PRIu64 " events of %zu entities in %" PRIu64 " commits, %" PRIu64
                                   " bytes of values; %" PRIu64 " terms, %" PRIu64 " void records, %" PRIu64
                                   " foreign, %" PRIu64 " malformed";
    pdr_code code = pdr_buf_printf(line, format, t->events, s->ranked_count, t->commits, t->bytes, t->fences,
                                   t->voids, t->foreigns, t->malformeds);
    if (code == PDR_OK && t->events) {
        code = pdr_buf_printf(line, s->json ? ",\"first\":\"" : "; from ");
        if (code == PDR_OK) code = put_moment(line, t->first_us, 0);
        if (code == PDR_OK) code = pdr_buf_printf(line, s->json ? "\",\"last\":\"" : " to ");
        if (code == PDR_OK) code = put_moment(line, t->last_us, 0);
        if (code == PDR_OK && s->json) code = pdr_buf_printf(line, "\"");
    }
    if (code == PDR_OK && s->json) code = pdr_buf_printf(line, "}");
    return end(s, code, err);
}

static pdr_code put_type(stats *s, const pdr_stats_type *type, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(s->out);
    const char *name = type->name ? type->name : "?";
    if (s->json)
        return end(s,
                   pdr_buf_printf(line,
                                  "{\"of\":\"type\",\"type\":\"%s\",\"version\":%" PRIu32
                                  ",\"fingerprint\":\"%016" PRIx64 "\",\"events\":%" PRIu64
                                  ",\"bytes\":%" PRIu64 "}",
                                  name, type->version, type->fingerprint, type->events, type->bytes),
                   err);
    pdr_code code = pdr_buf_printf(line, "%12" PRIu64 "  ", type->events);
    if (code == PDR_OK) code = pdr_out_put(s->out, PDR_COLOUR_BOLD, "%s", name);
    if (code == PDR_OK && type->version) code = pdr_buf_printf(line, "@%" PRIu32, type->version);
    if (code == PDR_OK)
        code =
            pdr_out_put(s->out, PDR_COLOUR_DIM, "  %" PRIu64 " bytes on average", type->bytes / type->events);
    return end(s, code, err);
}

static int by_events(const void *a, const void *b)
{
    const pdr_stats_type *x = a, *y = b;
    return (x->events < y->events) - (x->events > y->events);
}

static pdr_code put_types(stats *s, pdr_error *err)
{
    pdr_tally *types = &s->counts->types;
    pdr_tally_sort(types, by_events);
    pdr_code code = title(s, "events by type and version", err);
    for (size_t i = 0; code == PDR_OK && i < types->count; i++)
        code = put_type(s, (const void *)types->entries[i]->value, err);
    return code;
}

/* --- days --- */

typedef struct day {
    int64_t number;
    uint64_t events;
} day;

static int by_number(const void *a, const void *b)
{
    const day *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* The days of one month become its first. */
static size_t fold_months(day *days, size_t count)
{
    char name[2][64];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        pdr_buf text = {(uint8_t *)name[i % 2], 0, sizeof name[0], sizeof name[0]};
        if (pdr_moment_print(days[i].number * DAY, &text) != PDR_OK) text.size = 0;
        memset(text.data + text.size, 0, sizeof name[0] - text.size);
        bool same = i && memcmp(name[0], name[1], 7) == 0;
        if (same)
            days[kept - 1].events += days[i].events;
        else
            days[kept++] = days[i];
    }
    return kept;
}

static pdr_code put_day(stats *s, const day *d, size_t cut, uint64_t most, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(s->out);
    pdr_code code = s->json ? pdr_buf_printf(line, "{\"of\":\"day\",\"day\":\"") : PDR_OK;
    if (code == PDR_OK) code = put_moment(line, d->number * DAY, cut);
    if (s->json) return end(s, pdr_buf_printf(line, "\",\"events\":%" PRIu64 "}", d->events), err);
    if (code == PDR_OK) code = pdr_buf_printf(line, "  %12" PRIu64 "  ", d->events);
    if (code == PDR_OK) code = put_bar(s, d->events, most);
    return end(s, code, err);
}

static pdr_code put_days(stats *s, pdr_error *err)
{
    const pdr_tally *tally = &s->counts->days;
    size_t count = tally->count;
    uint64_t most = 0;
    day *days = pdr_alloc((count + 1) * sizeof *days);
    if (!days) return pdr_fail(err, PDR_NOMEM, "%zu days", count);
    for (size_t i = 0; i < count; i++) {
        memcpy(&days[i].number, pdr_tally_key(tally, tally->entries[i]).data, sizeof days[i].number);
        days[i].events = *(const uint64_t *)(const void *)tally->entries[i]->value;
    }
    qsort(days, count, sizeof *days, by_number);
    bool months = !s->json && count > MAX_DAYS;
    if (months) count = fold_months(days, count);
    for (size_t i = 0; i < count; i++)
        if (days[i].events > most) most = days[i].events;
    pdr_code code = title(s, months ? "events by month (by day: --json)" : "events by day", err);
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = put_day(s, &days[i], months ? 7 : 10, most, err);
    pdr_free(days);
    return code;
}

/* --- entities --- */

static pdr_code put_sizes(stats *s, pdr_error *err)
{
    const uint64_t *sizes = s->counts->sizes;
    uint64_t most = 0;
    int last = 0;
    for (int i = 0; i < PDR_STATS_SIZES; i++) {
        if (sizes[i] > most) most = sizes[i];
        if (sizes[i]) last = i;
    }
    pdr_code code = title(s, "entities by how many events they have", err);
    for (int i = 0; code == PDR_OK && i <= last && most; i++) {
        pdr_buf *line = pdr_out_line(s->out);
        uint64_t from = UINT64_C(1) << i, to = from + (from - 1);
        if (s->json) {
            code = end(s,
                       pdr_buf_printf(line,
                                      "{\"of\":\"size\",\"from\":%" PRIu64 ",\"to\":%" PRIu64
                                      ",\"entities\":%" PRIu64 "}",
                                      from, to, sizes[i]),
                       err);
            continue;
        }
        char range[48];
        snprintf(range, sizeof range, from == to ? "%" PRIu64 : "%" PRIu64 " to %" PRIu64, from, to);
        code = pdr_buf_printf(line, "%16s  %10" PRIu64 "  ", range, sizes[i]);
        if (code == PDR_OK) code = put_bar(s, sizes[i], most);
        code = end(s, code, err);
    }
    return code;
}

static int longest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->entity->events != y->entity->events) return x->entity->events < y->entity->events ? 1 : -1;
    return pdr_bytes_order(x->id, y->id);
}

static int hottest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->entity->best_events != y->entity->best_events)
        return x->entity->best_events < y->entity->best_events ? 1 : -1;
    return pdr_bytes_order(x->id, y->id);
}

static pdr_code put_ranked(stats *s, const ranked *r, bool hottest, pdr_error *err)
{
    pdr_buf *line = pdr_out_line(s->out);
    uint64_t events = hottest ? r->entity->best_events : r->entity->events;
    pdr_code code;
    if (s->json) {
        code = pdr_buf_printf(line, "{\"of\":\"%s\",\"entity\":", hottest ? "hottest" : "longest");
        if (code == PDR_OK) code = pdr_json_text(line, r->id);
        if (code == PDR_OK) code = pdr_buf_printf(line, ",\"events\":%" PRIu64, events);
        if (code == PDR_OK)
            code =
                pdr_buf_printf(line, hottest ? ",\"hour\":\"" : ",\"bytes\":%" PRIu64 "}", r->entity->bytes);
    } else {
        code = pdr_buf_printf(line, "%12" PRIu64 "  ", events);
        if (code == PDR_OK)
            code = pdr_out_put(s->out, PDR_COLOUR_BOLD, "%.*s", (int)r->id.size, (const char *)r->id.data);
        if (code == PDR_OK)
            code = pdr_buf_printf(line, hottest ? "  in the hour from " : "  %" PRIu64 " bytes",
                                  r->entity->bytes);
    }
    if (code == PDR_OK && hottest) code = put_moment(line, r->entity->best_hour * HOUR, 0);
    if (code == PDR_OK && hottest && s->json) code = pdr_buf_printf(line, "\"}");
    return end(s, code, err);
}

static pdr_code put_top(stats *s, bool hottest, pdr_error *err)
{
    size_t top = (size_t)s->top < s->ranked_count ? (size_t)s->top : s->ranked_count;
    if (s->ranked_count)
        qsort(s->ranked, s->ranked_count, sizeof *s->ranked, hottest ? hottest_first : longest_first);
    pdr_code code =
        top ? title(s, hottest ? "hottest entities: most events in one hour" : "longest entities", err)
            : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < top; i++)
        code = put_ranked(s, &s->ranked[i], hottest, err);
    return code;
}

static pdr_code rank(stats *s, pdr_error *err)
{
    size_t count = 0;
    for (unsigned t = 0; t < s->threads; t++)
        count += s->counts[t].entities.count;
    s->ranked = pdr_alloc((count + 1) * sizeof *s->ranked);
    if (!s->ranked) return pdr_fail(err, PDR_NOMEM, "%zu entities", count);
    for (unsigned t = 0; t < s->threads; t++) {
        const pdr_tally *entities = &s->counts[t].entities;
        for (size_t i = 0; i < entities->count; i++)
            s->ranked[s->ranked_count++] = (ranked){pdr_tally_key(entities, entities->entries[i]),
                                                    (const void *)entities->entries[i]->value};
    }
    return PDR_OK;
}

/* --- the command --- */

static pdr_code open_all(stats *s, pdr_error *err)
{
    pdr_code code = pdr_event_wish_read(&s->wish, err);
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&s->app, s->target.app, err);
    pdr_tool_spec spec = {
        .journal = s->target.journal, .store = s->target.store, .app = s->app.app, .stopped = pdr_stopped};
    if (code == PDR_OK) code = pdr_tool_open(&s->tool, &spec, err);
    return code == PDR_OK ? pdr_out_open(&s->out, s->json, err) : code;
}

static pdr_code count_all(stats *s, pdr_error *err)
{
    pdr_scan_spec spec = {.sink = &sink, .context = s, .watch = watch};
    unsigned threads = pdr_scan_threads(s->tool, &spec);
    s->counts = pdr_calloc(threads, sizeof *s->counts);
    if (!s->counts) return pdr_fail(err, PDR_NOMEM, "%u threads", threads);
    for (; s->threads < threads; s->threads++)
        pdr_stats_count_init(&s->counts[s->threads]);
    pdr_code code = pdr_scan_run(s->tool, &spec, err);
    pdr_cli_progress_end();
    if (code == PDR_OK) code = pdr_stats_merge(s->counts, threads, err);
    return code == PDR_OK ? rank(s, err) : code;
}

static pdr_code work(stats *s, pdr_error *err)
{
    pdr_code code = open_all(s, err);
    if (code == PDR_OK) code = count_all(s, err);
    if (code == PDR_OK) code = put_totals(s, err);
    if (code == PDR_OK && s->counts->totals.events) code = put_types(s, err);
    if (code == PDR_OK && s->counts->totals.events) code = put_days(s, err);
    if (code == PDR_OK && s->counts->totals.events) code = put_sizes(s, err);
    if (code == PDR_OK) code = put_top(s, false, err);
    return code == PDR_OK ? put_top(s, true, err) : code;
}

static int run(int argc, char **argv)
{
    static stats s = {.top = 10};
    const pdr_flag flags[] = {
        PDR_EVENT_ENTITY_FLAG(s.wish),
        PDR_EVENT_SINCE_FLAG(s.wish),
        PDR_EVENT_UNTIL_FLAG(s.wish),
        {PDR_FLAG_NUMBER, "--top", "N", "how many of the longest and the hottest entities; default 10",
         &s.top, 0, 1000000},
        PDR_JOURNAL_FLAG(s.target),
        PDR_STORE_FLAG(s.target),
        PDR_APP_FLAG(s.target),
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object a line; \"of\" says what it is about", &s.json, 0,
         0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_stats, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_stop_on_signals();
    pdr_code code = work(&s, &err);
    code = pdr_out_close(s.out, code, &err);
    for (unsigned t = 0; t < s.threads; t++)
        pdr_stats_count_release(&s.counts[t]);
    pdr_free(s.counts);
    pdr_free(s.ranked);
    pdr_tool_close(s.tool);
    pdr_loaded_app_close(&s.app);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_stats, &err);
}

const pdr_cli_command pdr_cli_stats = {
    .name = "stats",
    .summary = "what the log is made of: types, days, sizes, the longest and the hottest entities",
    .about = "Reads all the log and counts events by type and version as they were written, by day, entities "
             "by how many "
             "events they have, and names those with the most events in all and in one hour. Times are the "
             "events' own, "
             "in UTC.\n\n"
             "  perdure stats --since 2012-01-01 --until 2012-02-01 --top 3\n\n"
             "Needs no application.\n",
    .run = run};
