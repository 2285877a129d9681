/* perdure history: an entity's events from the first to the newest. */
#include <inttypes.h>

#include "cli/commands.h"
#include "cli/entity_command.h"
#include "cli/event_line.h"
#include "cli/event_raw.h"
#include "cli/json.h"
#include "replay/moment.h"
#include "replay/where.h"

enum { MAX_TEXT = 256 * 1024 * 1024 };

typedef struct history {
    pdr_entity_command base;
    const char *filter, *since, *until;
    int64_t from_seq, to_seq, since_us, until_us;
    bool raw, voids;
    pdr_where *where; /* NULL: all */
    uint64_t where_failures;
    pdr_error where_failed; /* the first */
    pdr_event_lines lines;
    pdr_buf more, text;
} history;

/* --- which --- */

static bool is_in_time(const history *h, const pdr_story_event *event)
{
    if (!event->header) return true;
    if (h->since && pdr_entity_command_is_by(&h->base, event, h->since_us - 1)) return false;
    return !h->until || pdr_entity_command_is_by(&h->base, event, h->until_us - 1);
}

static pdr_code is_wanted(history *h, const pdr_event_line *line, bool *wanted, pdr_error *err)
{
    pdr_error why;
    *wanted = true;
    if (!h->where) return PDR_OK;
    pdr_buf_clear(&h->text);
    pdr_code code = pdr_event_line_json(line, &h->text);
    if (code != PDR_OK) return pdr_fail(err, code, "an event");
    code = pdr_where_holds(h->where, pdr_buf_bytes(&h->text), wanted, &why);
    if (code != PDR_OK && err) *err = why;
    if (code != PDR_BAD_DATA) return code;
    *wanted = false;
    if (h->where_failures++ == 0)
        (void)pdr_fail(&h->where_failed, PDR_INVALID_ARGUMENT, "--where fails at seq %" PRIu64 ": %.400s",
                       line->header->seq, why.message);
    return PDR_OK;
}

/* --- showing one --- */

static pdr_code add_more(history *h, const pdr_story_event *event, const pdr_event_raw *raw, pdr_error *err)
{
    pdr_code code = event->is_void ? pdr_buf_printf(&h->more, ",\"void\":true") : PDR_OK;
    if (code != PDR_OK) return pdr_fail(err, code, "an event");
    return h->raw ? pdr_event_raw_json(h->base.tool, raw, &h->more, err) : PDR_OK;
}

static pdr_code show(history *h, const pdr_story_event *event, pdr_error *err)
{
    bool wanted, shown = false, json = pdr_out_is_json(h->base.out);
    pdr_event_list today = {.count = 0};
    pdr_error why;
    pdr_arena *scratch = &h->lines.scratch;
    pdr_arena_clear(scratch);
    pdr_code code =
        pdr_tool_read(h->base.tool, event->partition, event->record, event->header, scratch, &today, &why);
    pdr_event_raw raw = {event->partition, event->record, event->header, code == PDR_OK ? &today : NULL};
    code = pdr_event_lines_take(&h->lines, h->base.tool, event->partition, event->record, event->header,
                                &today, code == PDR_OK ? NULL : &why, err);
    pdr_buf_clear(&h->more);
    if (code == PDR_OK && json) code = add_more(h, event, &raw, err);
    for (size_t i = 0; code == PDR_OK && i < h->lines.count; i++) {
        pdr_event_line *line = &h->lines.items[i];
        if (h->more.size) line->more = pdr_buf_bytes(&h->more);
        code = is_wanted(h, line, &wanted, err);
        if (code != PDR_OK || !wanted) continue;
        shown = true;
        if (event->is_void && !json) code = pdr_out_put(h->base.out, PDR_COLOUR_BAD, "void");
        if (code == PDR_OK) code = pdr_event_line_put(line, false, h->base.out, err);
    }
    return code == PDR_OK && shown && h->raw && !json
               ? pdr_event_raw_put(h->base.tool, &raw, h->base.out, err)
               : code;
}

/* A record with the entity's id that isn't one of ours. */
static pdr_code show_foreign(history *h, const pdr_story_event *event, pdr_error *err)
{
    pdr_out *out = h->base.out;
    static const char what[] = "its header can't be read: it isn't of this journal, or damaged";
    pdr_code code;
    if (!pdr_out_is_json(out)) {
        code = pdr_out_put(out, PDR_COLOUR_BAD, "void    %s", what);
        if (code == PDR_OK)
            code = pdr_out_put(out, PDR_COLOUR_DIM, "  partition %d offset %" PRId64, (int)event->partition,
                               event->record->offset);
        return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "a line of output");
    }
    pdr_buf *line = pdr_out_line(out);
    code = pdr_buf_printf(line, "{\"entity\":");
    if (code == PDR_OK) code = pdr_json_text(line, event->record->entry.key);
    if (code == PDR_OK)
        code =
            pdr_buf_printf(line, ",\"partition\":%d,\"offset\":%" PRId64 ",\"problem\":\"%s\",\"void\":true}",
                           (int)event->partition, event->record->offset, what);
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "a line of output");
}

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    history *h = context;
    if (!is_in_time(h, event)) return PDR_OK;
    if (!event->header) return h->where ? PDR_OK : show_foreign(h, event, err);
    return show(h, event, err);
}

static pdr_code caught_up(void *context, pdr_error *err)
{
    const history *h = context;
    return h->base.follows ? pdr_out_flush(h->base.out, err) : PDR_OK;
}

/* --- the command --- */

static pdr_code read_flags(history *h, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (h->from_seq > h->to_seq) return pdr_fail(err, PDR_INVALID_ARGUMENT, "--from-seq is above --to-seq");
    if (h->filter) code = pdr_where_open(&h->where, h->filter, err);
    if (code == PDR_OK && h->since) code = pdr_entity_command_time("--since", h->since, &h->since_us, err);
    if (code == PDR_OK && h->until) code = pdr_entity_command_time("--until", h->until, &h->until_us, err);
    if (code == PDR_OK && h->since && h->until && h->since_us > h->until_us)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "--since is later than --until");
    return code;
}

static pdr_code work(history *h, pdr_error *err)
{
    pdr_story_told told;
    pdr_code code = read_flags(h, err);
    pdr_story_spec spec = {.entity = pdr_entity_command_id(&h->base),
                           .after_seq = (uint64_t)h->from_seq - 1,
                           .to_seq = h->to_seq == INT64_MAX ? UINT64_MAX : (uint64_t)h->to_seq,
                           .voids = h->voids,
                           .follow = h->base.follows,
                           .event = take,
                           .caught_up = caught_up,
                           .context = h};
    if (code == PDR_OK) code = pdr_entity_command_open(&h->base, false, err);
    if (code == PDR_OK) code = pdr_entity_command_story(&h->base, &spec, &told, err);
    if (code != PDR_OK) return code;
    if (!told.newest_seq && !told.voids) return pdr_entity_command_unknown(&h->base, err);
    if (!h->where_failures) return PDR_OK;
    if (err) *err = h->where_failed; /* what could be looked at was shown */
    return PDR_INVALID_ARGUMENT;
}

static int run(int argc, char **argv)
{
    history h = {
        .from_seq = 1, .to_seq = INT64_MAX, .more = PDR_BUF_INIT(MAX_TEXT), .text = PDR_BUF_INIT(MAX_TEXT)};
    const pdr_flag flags[] = {
        PDR_ENTITY_FLAGS(h.base),
        {PDR_FLAG_TEXT, "--where", "FILTER",
         "only events for which this holds, in jq's language, over the object that --json prints", &h.filter,
         0, 0},
        {PDR_FLAG_TEXT, "--since", "TIME", "only events of this time or later", &h.since, 0, 0},
        {PDR_FLAG_TEXT, "--until", "TIME", "only events before this time", &h.until, 0, 0},
        PDR_APPEND_TIME_FLAG(h.base),
        {PDR_FLAG_NUMBER, "--from-seq", "N", "begin with this event", &h.from_seq, 1, INT64_MAX},
        {PDR_FLAG_NUMBER, "--to-seq", "N", "end with this event", &h.to_seq, 1, INT64_MAX},
        {PDR_FLAG_SWITCH, "--raw", NULL,
         "the stored bytes too, who wrote them, and which upcasters they go through", &h.raw, 0, 0},
        {PDR_FLAG_SWITCH, "--void", NULL, "records that don't count too; reads the whole partition", &h.voids,
         0, 0},
        {PDR_FLAG_SWITCH, "--follow", NULL, "go on with what is appended later, until ^C", &h.base.follows, 0,
         0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_history, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_event_lines_init(&h.lines);
    pdr_code code = work(&h, &err);
    pdr_where_close(h.where);
    pdr_event_lines_release(&h.lines);
    pdr_buf_release(&h.more);
    pdr_buf_release(&h.text);
    return pdr_entity_command_end(&h.base, &pdr_cli_history, code, &err);
}

const pdr_cli_command pdr_cli_history = {
    .name = "history",
    .summary = "an entity's events from the first to the newest",
    .about =
        "Each event with its seq, its time, what it says, and the ids of the command that made it. What is "
        "shown is what today's code reads: older versions have gone through the application's upcasters, "
        "unless no application is named; then it is what was written. An event that can't be read is shown "
        "with the reason, and the history goes on.\n"
        "\n"
        "--where takes a filter in jq's language over what --json prints. Times are the events' own, as "
        "\"2011-10-01\", \"2011-10-01T12:30\", \"3d\" (ago), \"@1317470400\"; in UTC unless they say "
        "otherwise.\n"
        "\n"
        "  perdure history loan/173688\n"
        "  perdure history loan/173688 --since 2011-10-10 --where '.type == \"loans.OfferSent\"'\n"
        "  perdure history loan/173688 --raw --from-seq 3 --to-seq 3\n",
    .run = run};
