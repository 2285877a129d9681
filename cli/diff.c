/* perdure diff: what changed in an entity's state between two moments, and by which event. */
#include <inttypes.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/entity_command.h"
#include "cli/json.h"
#include "cli/state_changes.h"
#include "replay/moment.h"

enum { MAX_TEXT = 256 * 1024 * 1024 };

/* An event between the two moments changed this. */
typedef struct touch {
    pdr_bytes path;
    uint64_t seq;
    int64_t time_us;
    const char *type; /* NULL: what it was is dropped today */
} touch;

typedef struct diff {
    pdr_entity_command base;
    const char *from_text, *to_text;
    pdr_story_moment from, to;
    pdr_folding folding;
    pdr_state_pair pair;
    pdr_buf before; /* the state at `from` */
    bool begun;     /* `before` is filled */
    touch *touches;
    size_t count, capacity;
    pdr_arena memory; /* of paths */
    pdr_story_told told;
} diff;

/* --- what each event touches --- */

static pdr_code add_touch(diff *d, pdr_bytes path, pdr_error *err)
{
    if (d->count == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 64;
        touch *touches = pdr_realloc(d->touches, capacity * sizeof *touches);
        if (!touches) return pdr_fail(err, PDR_NOMEM, "%zu changes", capacity);
        d->touches = touches;
        d->capacity = capacity;
    }
    path = pdr_arena_bytes(&d->memory, path);
    if (!path.data) return pdr_fail(err, PDR_TOO_LARGE, "more than %zu changes", d->count);
    d->touches[d->count++] = (touch){path, d->folding.seq, d->folding.time_us, pdr_folding_type(&d->folding)};
    return PDR_OK;
}

static pdr_code note_changes(diff *d, pdr_error *err)
{
    pdr_changes *changes;
    pdr_code code =
        pdr_changes_open(&changes, pdr_buf_bytes(&d->pair.before), pdr_buf_bytes(&d->pair.after), err);
    for (size_t i = 0; code == PDR_OK && i < pdr_changes_count(changes); i++)
        code = add_touch(d, pdr_changes_at(changes, i).path, err);
    pdr_changes_close(changes);
    return code;
}

/* The state at `from` is what everything after is compared with. */
static pdr_code begin(diff *d, pdr_error *err)
{
    if (d->begun) return PDR_OK;
    d->begun = true;
    pdr_code code = pdr_folding_print(&d->folding, &d->before, err);
    if (code == PDR_OK) code = pdr_state_pair_next(&d->pair, &d->folding, err);
    return code;
}

static pdr_code load(void *context, const pdr_story_state *state, pdr_error *err)
{
    diff *d = context;
    return state->seq <= d->from.seq ? pdr_folding_load(&d->folding, state, err) : PDR_NOT_FOUND;
}

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    diff *d = context;
    uint64_t seq = event->header->seq;
    pdr_code code = seq > d->from.seq ? begin(d, err) : PDR_OK;
    if (code == PDR_OK) code = pdr_folding_take(&d->folding, event, err);
    if (code != PDR_OK || seq <= d->from.seq) return code;
    code = pdr_state_pair_next(&d->pair, &d->folding, err);
    return code == PDR_OK ? note_changes(d, err) : code;
}

static pdr_code fold(diff *d, pdr_error *err)
{
    uint64_t revision = pdr_folder_revision(d->folding.folder);
    pdr_story_spec spec = {.entity = pdr_entity_command_id(&d->base),
                           .to_seq = d->to.seq,
                           .revisions = &revision,
                           .revision_count = 1,
                           .state = load,
                           .event = take,
                           .context = d};
    pdr_code code = pdr_entity_command_story(&d->base, &spec, &d->told, err);
    if (code == PDR_OK) code = pdr_entity_command_has(&d->base, d->told.newest_seq, d->to.seq, err);
    if (code == PDR_OK) code = pdr_entity_command_has(&d->base, d->told.newest_seq, d->from.seq, err);
    return code == PDR_OK ? begin(d, err) : code;
}

/* --- showing --- */

/* Is one of the two paths inside the other, or the same? */
static bool concerns(pdr_bytes a, pdr_bytes b)
{
    pdr_bytes shorter = a.size <= b.size ? a : b, longer = a.size <= b.size ? b : a;
    if (shorter.size == 1) return true; /* "." */
    if (memcmp(shorter.data, longer.data, shorter.size) != 0) return false;
    return shorter.size == longer.size || longer.data[shorter.size] == '.' ||
           longer.data[shorter.size] == '[';
}

static const touch *last_of(const diff *d, pdr_bytes path)
{
    for (size_t i = d->count; i-- > 0;)
        if (concerns(d->touches[i].path, path)) return &d->touches[i];
    return NULL;
}

static pdr_code put_seqs(const diff *d, pdr_bytes path, pdr_buf *line)
{
    uint64_t told = 0;
    pdr_code code = pdr_buf_printf(line, ",\"seqs\":[");
    for (size_t i = 0; code == PDR_OK && i < d->count; i++) {
        const touch *t = &d->touches[i];
        if (t->seq == told || !concerns(t->path, path)) continue;
        code = pdr_buf_printf(line, "%s%" PRIu64, told ? "," : "", t->seq);
        told = t->seq;
    }
    return code == PDR_OK ? pdr_buf_append(line, "]}", 2) : code;
}

static pdr_code put_json(diff *d, const pdr_change *change, const touch *by)
{
    pdr_buf *line = pdr_out_line(d->base.out);
    pdr_code code = pdr_change_json(change, line);
    if (code == PDR_OK && by) {
        code = pdr_buf_printf(line, ",\"by\":{\"seq\":%" PRIu64 ",\"time\":\"", by->seq);
        if (code == PDR_OK) code = pdr_moment_print(by->time_us, line);
        if (code == PDR_OK && by->type) code = pdr_buf_printf(line, "\",\"type\":\"%s", by->type);
        if (code == PDR_OK) code = pdr_buf_append(line, "\"}", 2);
    }
    return code == PDR_OK ? put_seqs(d, change->path, line) : code;
}

static pdr_code put_text(diff *d, const pdr_change *change, const touch *by)
{
    pdr_out *out = d->base.out;
    pdr_buf time = PDR_BUF_INIT(64);
    pdr_code code = pdr_out_put(out, PDR_COLOUR_PLAIN, "  ");
    if (code == PDR_OK) code = pdr_change_put(change, out);
    if (code == PDR_OK && by) code = pdr_moment_print(by->time_us, &time);
    if (code == PDR_OK && by)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "  by event %" PRIu64 " %s %.*s", by->seq,
                           by->type ? by->type : "(dropped)", (int)time.size, (const char *)time.data);
    pdr_buf_release(&time);
    return code;
}

static pdr_code put_head(diff *d, size_t count, pdr_error *err)
{
    pdr_out *out = d->base.out;
    if (d->base.json) return PDR_OK;
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BOLD, "%s", d->base.entity);
    if (code == PDR_OK)
        code =
            pdr_out_put(out, PDR_COLOUR_PLAIN, "  from after event %" PRIu64 " to after event %" PRIu64 "%s",
                        d->from.seq, d->folding.seq, count ? "" : ": nothing differs");
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the differences");
}

static pdr_code show(diff *d, pdr_error *err)
{
    pdr_changes *changes;
    pdr_code code = pdr_changes_open(&changes, pdr_buf_bytes(&d->before), pdr_buf_bytes(&d->pair.after), err);
    if (code != PDR_OK) return code;
    code = put_head(d, pdr_changes_count(changes), err);
    for (size_t i = 0; code == PDR_OK && i < pdr_changes_count(changes); i++) {
        pdr_change change = pdr_changes_at(changes, i);
        const touch *by = last_of(d, change.path);
        code = d->base.json ? put_json(d, &change, by) : put_text(d, &change, by);
        code = code == PDR_OK ? pdr_out_end(d->base.out, err) : pdr_fail(err, code, "the differences");
    }
    pdr_changes_close(changes);
    return code;
}

/* --- the command --- */

static pdr_code read_moments(diff *d, pdr_error *err)
{
    pdr_code code = pdr_entity_command_resolve(&d->base, &d->from, &d->to, err);
    if (code == PDR_OK && d->from.seq > d->to.seq)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "--from, after event %" PRIu64 ", is behind --to, after %" PRIu64, d->from.seq,
                        d->to.seq);
    return code;
}

static pdr_code work(diff *d, pdr_error *err)
{
    pdr_code code = pdr_entity_command_moment("--from", d->from_text, &d->from, err);
    if (code == PDR_OK) code = pdr_entity_command_moment("--to", d->to_text, &d->to, err);
    if (code == PDR_OK) code = pdr_entity_command_open(&d->base, true, err);
    if (code == PDR_OK) code = read_moments(d, err);
    if (code == PDR_OK)
        code = pdr_folding_init(&d->folding, d->base.tool, pdr_entity_command_id(&d->base), err);
    if (code == PDR_OK) code = fold(d, err);
    return code == PDR_OK ? show(d, err) : code;
}

static int run(int argc, char **argv)
{
    diff d = {.from_text = "0", .before = PDR_BUF_INIT(MAX_TEXT), .memory = PDR_ARENA_INIT(MAX_TEXT)};
    const pdr_flag flags[] = {
        PDR_ENTITY_FLAGS(d.base),
        {PDR_FLAG_TEXT, "--from", "SEQ|TIME",
         "after this event, or at this time; default 0: before the first", &d.from_text, 0, 0},
        {PDR_FLAG_TEXT, "--to", "SEQ|TIME", "the same; default the newest event", &d.to_text, 0, 0},
        PDR_APPEND_TIME_FLAG(d.base),
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_diff, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_state_pair_init(&d.pair);
    pdr_code code = work(&d, &err);
    pdr_folding_release(&d.folding);
    pdr_state_pair_release(&d.pair);
    pdr_buf_release(&d.before);
    pdr_arena_release(&d.memory);
    pdr_free(d.touches);
    return pdr_entity_command_end(&d.base, &pdr_cli_diff, code, &err);
}

const pdr_cli_command pdr_cli_diff = {
    .name = "diff",
    .summary = "what changed in an entity's state between two moments, and by which event",
    .about =
        "Each value that differs, where it is in jq's language, what it was, what it is, and the last event "
        "that changed it. A number alone is an event's seq; anything else is a time, as --at of perdure "
        "state "
        "takes it. With --json, \"seqs\" names all events in between that changed it.\n"
        "\n"
        "  perdure diff loan/173688 --from 8\n"
        "  perdure diff loan/173688 --from 2011-10-05 --to 2011-10-12\n",
    .run = run};
