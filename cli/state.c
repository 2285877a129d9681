/* perdure state: what an entity looks like, or looked like. */
#include <inttypes.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/entity_command.h"
#include "cli/json.h"
#include "replay/moment.h"
#include "schemas/json.h"

enum { MAX_TEXT = 256 * 1024 * 1024 };

typedef struct state {
    pdr_entity_command base;
    const char *at;
    int64_t seq; /* -1: the newest */
    bool no_snapshot;
    pdr_story_moment moment;
    pdr_folding folding;
    pdr_buf text;
    pdr_story_told told;
    bool from_store;
} state;

/* --- folding --- */

static pdr_code load(void *context, const pdr_story_state *snapshot, pdr_error *err)
{
    state *s = context;
    if (snapshot->seq > s->moment.seq) return PDR_NOT_FOUND;
    pdr_code code = pdr_folding_load(&s->folding, snapshot, err);
    if (code == PDR_OK) s->from_store = true;
    return code;
}

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    state *s = context;
    uint64_t seq = event->header->seq;
    if (seq > s->moment.seq) return PDR_CANCELLED; /* before the first */
    pdr_code code = pdr_folding_take(&s->folding, event, err);
    if (code == PDR_OK || code == PDR_NOMEM || code == PDR_CANCELLED) return code;
    return pdr_fail_context(err, code,
                            "the state stops before an event that can't be applied (--seq %" PRIu64
                            " shows it up to there)",
                            seq - 1);
}

/* The store's state of today's revision saves the reading of what is in it. One of an older revision, which
 * upcasters would bring forward, isn't asked for: what is shown is what today's code makes of the events. */
static pdr_code fold(state *s, pdr_error *err)
{
    uint64_t revision = pdr_folder_revision(s->folding.folder);
    pdr_story_spec spec = {.entity = pdr_entity_command_id(&s->base),
                           .to_seq = s->moment.seq ? s->moment.seq : 1,
                           .revisions = &revision,
                           .revision_count = 1,
                           .state = s->no_snapshot ? NULL : load,
                           .event = take,
                           .context = s};
    pdr_code code = pdr_entity_command_story(&s->base, &spec, &s->told, err);
    if (s->folding.seq > s->told.newest_seq) s->told.newest_seq = s->folding.seq;
    if (code == PDR_OK) code = pdr_entity_command_has(&s->base, s->told.newest_seq, s->moment.seq, err);
    return code;
}

/* --- showing --- */

static pdr_code put_json(state *s, pdr_buf *line)
{
    const pdr_folding *f = &s->folding;
    pdr_code code = pdr_buf_printf(line, "{\"entity\":");
    if (code == PDR_OK) code = pdr_json_text(line, pdr_entity_command_id(&s->base));
    if (code == PDR_OK)
        code = pdr_buf_printf(line, ",\"seq\":%" PRIu64 ",\"newest\":%" PRIu64, f->seq, s->told.newest_seq);
    if (code == PDR_OK && f->append_ms) {
        code = pdr_buf_printf(line, ",\"time\":\"");
        if (code == PDR_OK) code = pdr_moment_print(f->time_us, line);
        if (code == PDR_OK) code = pdr_buf_printf(line, "\",\"appended\":\"");
        if (code == PDR_OK) code = pdr_moment_print(f->append_ms * 1000, line);
        if (code == PDR_OK) code = pdr_buf_append(line, "\"", 1);
    }
    if (code == PDR_OK) code = pdr_buf_printf(line, ",\"state\":");
    if (code == PDR_OK) code = pdr_buf_append(line, s->text.data, s->text.size);
    return code == PDR_OK ? pdr_buf_append(line, "}", 1) : code;
}

static pdr_code put_head(state *s)
{
    const pdr_folding *f = &s->folding;
    pdr_out *out = s->base.out;
    pdr_buf *line = pdr_out_line(out);
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BOLD, "%s", s->base.entity);
    if (code == PDR_OK && f->seq == 0) return pdr_out_put(out, PDR_COLOUR_PLAIN, "  before its first event");
    if (code == PDR_OK)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  after event %" PRIu64 " of %" PRIu64, f->seq,
                           s->told.newest_seq);
    if (code == PDR_OK && f->append_ms) {
        code = pdr_buf_append(line, "  ", 2);
        if (code == PDR_OK) code = pdr_moment_print(f->time_us, line);
    }
    if (code == PDR_OK && s->from_store && !s->told.events)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "  (as the store has it)");
    return code;
}

static pdr_code put_lines(state *s, pdr_error *err)
{
    pdr_arena arena = PDR_ARENA_INIT(MAX_TEXT);
    pdr_json *tree;
    pdr_out *out = s->base.out;
    pdr_string text = {(const char *)s->text.data, s->text.size};
    pdr_code code = put_head(s);
    if (code == PDR_OK) code = pdr_out_end(out, err);
    if (code != PDR_OK) return code;
    if (pdr_json_parse(&tree, &arena, "state", text, NULL) == PDR_OK)
        code = pdr_json_pretty(pdr_out_line(out), tree);
    else
        code = pdr_buf_append(pdr_out_line(out), text.data, text.size);
    pdr_arena_release(&arena);
    pdr_buf *line = pdr_out_line(out);
    if (line->size && line->data[line->size - 1] == '\n') line->size--;
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the state");
}

static pdr_code show(state *s, pdr_error *err)
{
    pdr_code code = pdr_folding_print(&s->folding, &s->text, err);
    if (code != PDR_OK || !s->base.json) return code == PDR_OK ? put_lines(s, err) : code;
    code = put_json(s, pdr_out_line(s->base.out));
    return code == PDR_OK ? pdr_out_end(s->base.out, err) : pdr_fail(err, code, "the state");
}

/* --- the command --- */

static pdr_code read_flags(state *s, pdr_error *err)
{
    if (s->at && s->seq >= 0) return pdr_fail(err, PDR_INVALID_ARGUMENT, "give --at or --seq, not both");
    s->moment = (pdr_story_moment){false, s->seq >= 0 ? (uint64_t)s->seq : UINT64_MAX, 0};
    if (!s->at) return PDR_OK;
    s->moment.is_time = true;
    return pdr_entity_command_time("--at", s->at, &s->moment.us, err);
}

static pdr_code work(state *s, pdr_error *err)
{
    pdr_code code = read_flags(s, err);
    s->base.newest = !s->at && s->seq < 0;
    if (code == PDR_OK) code = pdr_entity_command_open(&s->base, true, err);
    if (code == PDR_OK) code = pdr_entity_command_resolve(&s->base, &s->moment, NULL, err);
    if (code == PDR_OK && s->at && s->moment.seq == 0)
        return pdr_fail(err, PDR_NOT_FOUND,
                        "%.150s had no event yet then (perdure history %.150s --to-seq 1)", s->base.entity,
                        s->base.entity);
    if (code == PDR_OK)
        code = pdr_folding_init(&s->folding, s->base.tool, pdr_entity_command_id(&s->base), err);
    if (code == PDR_OK) code = fold(s, err);
    return code == PDR_OK ? show(s, err) : code;
}

static int run(int argc, char **argv)
{
    state s = {.seq = -1, .text = PDR_BUF_INIT(MAX_TEXT)};
    const pdr_flag flags[] = {
        PDR_ENTITY_FLAGS(s.base),
        {PDR_FLAG_TEXT, "--at", "TIME", "after the last event of then and before", &s.at, 0, 0},
        {PDR_FLAG_NUMBER, "--seq", "N", "after this event; 0: before the first", &s.seq, 0, INT64_MAX},
        PDR_APPEND_TIME_FLAG(s.base),
        {PDR_FLAG_SWITCH, "--no-snapshot", NULL, "fold all events, even if the store has a state",
         &s.no_snapshot, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_state, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&s, &err);
    pdr_folding_release(&s.folding);
    pdr_buf_release(&s.text);
    return pdr_entity_command_end(&s.base, &pdr_cli_state, code, &err);
}

const pdr_cli_command pdr_cli_state = {
    .name = "state",
    .summary = "an entity's state, today or at a moment of its history",
    .about =
        "What today's code makes of the entity's events up to a moment. The store's state is used where it "
        "is of today's revision and not newer than that moment; --no-snapshot folds from the first event.\n"
        "\n"
        "Events are ordered by their seq. --at TIME is the state after the last event, in that order, whose "
        "own time is at or before TIME; with --by-append-time it is the time at which the log took it that "
        "counts. The two differ where an application gives its events times of their own.\n"
        "\n"
        "  perdure state loan/173688\n"
        "  perdure state loan/173688 --at 2011-10-05\n"
        "  perdure state loan/173688 --seq 8 --json\n",
    .run = run};
