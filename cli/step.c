/* perdure step: an interactive walk through an entity's history. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/step_keys.h"
#include "cli/step_walk.h"
#include "schemas/json.h"

enum { MAX_TEXT = 256 * 1024 * 1024 };

typedef struct step {
    pdr_entity_command base;
    pdr_step_walk walk;
    pdr_step_keys *keys;
    char prompt[PDR_MAX_ENTITY_ID + 64];
    const char *start;
    bool over;
} step;

static const char help[] =
    "next, n, Enter, arrow right or down   to the next event\n"
    "back, b, arrow left or up             to the event before\n"
    "goto N, g N                           to event N; goto TIME: to the last event by then\n"
    "first, last                           before the first event; to the newest\n"
    "state, s                              the state after this event; what it changed is marked\n"
    "help, h, ?                            this\n"
    "quit, q, ^D                           end";

static pdr_code say(step *s, pdr_colour colour, const char *text, pdr_error *err)
{
    pdr_code code = pdr_out_put(s->base.out, colour, "%s", text);
    return code == PDR_OK ? pdr_out_end(s->base.out, err) : pdr_fail(err, code, "a line of output");
}

/* --- where we are --- */

static pdr_code show_start(step *s, pdr_error *err)
{
    pdr_out *out = s->base.out;
    pdr_code code;
    if (!s->base.json) return say(s, PDR_COLOUR_PLAIN, "     0  before the first event", err);
    code = pdr_buf_printf(pdr_out_line(out), "{\"seq\":0,\"state\":%.*s}", (int)s->walk.pair.after.size,
                          (const char *)s->walk.pair.after.data);
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the state");
}

static pdr_code show(step *s, pdr_error *err)
{
    pdr_step_walk *w = &s->walk;
    if (w->at == 0) return show_start(s, err);
    const pdr_held *held = w->events.items[w->at - 1];
    pdr_error behind = {.code = PDR_BAD_HANDLER};
    bool has_state = pdr_step_walk_has_state(w);
    (void)snprintf(behind.message, sizeof behind.message,
                   "there is no state after event %" PRIu64 ", which can't be applied", w->broken);
    pdr_changed changed = {.tool = s->base.tool,
                           .partition = pdr_tool_partition_of(s->base.tool, pdr_entity_command_id(&s->base)),
                           .record = &held->record,
                           .header = &held->header,
                           .events = &w->folding.events,
                           .problem = has_state            ? NULL
                                      : w->at == w->broken ? &w->why
                                                           : &behind,
                           .pair = &w->pair};
    return pdr_changed_put(&changed, s->base.out, err);
}

static pdr_code go(step *s, uint64_t seq, pdr_error *err)
{
    pdr_code code = pdr_step_walk_go(&s->walk, seq, err);
    (void)snprintf(s->prompt, sizeof s->prompt, "%s %" PRIu64 "/%" PRIu64 "> ", s->base.entity, s->walk.at,
                   pdr_step_walk_newest(&s->walk));
    return code == PDR_OK ? show(s, err) : code;
}

/* --- the state --- */

static bool is_changed(const pdr_changes *changes, pdr_string key)
{
    for (size_t i = 0; i < pdr_changes_count(changes); i++) {
        pdr_bytes path = pdr_changes_at(changes, i).path;
        if (path.size <= key.size || memcmp(path.data + 1, key.data, key.size) != 0) continue;
        if (path.size == key.size + 1 || path.data[key.size + 1] == '.' || path.data[key.size + 1] == '[')
            return true;
    }
    return false;
}

/* A value that the line has no room for is cut; --json and perdure state show all of it. */
static pdr_code put_member(step *s, const pdr_json *member, bool changed, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(MAX_TEXT);
    pdr_out *out = s->base.out;
    unsigned width = pdr_out_width(out);
    pdr_code code = pdr_json_write(member, &text);
    size_t used = member->key.size + 4, room = width > used + 1 ? width - used - 1 : 0, size = text.size;
    if (width && size > room)
        for (size = room > 3 ? room - 3 : 0; size > 0 && (text.data[size] & 0xc0) == 0x80;)
            size--;
    if (code == PDR_OK)
        code = pdr_out_put(out, changed ? PDR_COLOUR_CHANGED : PDR_COLOUR_PLAIN, "%s %.*s: %.*s%s",
                           changed ? "*" : " ", (int)member->key.size, member->key.data, (int)size,
                           (const char *)text.data, size < text.size ? "..." : "");
    pdr_buf_release(&text);
    return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the state");
}

static pdr_code show_members(step *s, const pdr_changes *changes, pdr_error *err)
{
    pdr_arena arena = PDR_ARENA_INIT(MAX_TEXT);
    pdr_json *tree = NULL;
    const pdr_buf *after = &s->walk.pair.after;
    pdr_string text = {(const char *)after->data, after->size};
    pdr_code code = pdr_json_parse(&tree, &arena, "state", text, err);
    for (const pdr_json *m = code == PDR_OK ? tree->first : NULL; m && code == PDR_OK; m = m->next)
        code = put_member(s, m, is_changed(changes, m->key), err);
    pdr_arena_release(&arena);
    return code;
}

static pdr_code show_state(step *s, pdr_error *err)
{
    pdr_changes *changes;
    const pdr_state_pair *pair = &s->walk.pair;
    if (!pdr_step_walk_has_state(&s->walk)) return say(s, PDR_COLOUR_BAD, "there is no state here", err);
    if (s->base.json) return show(s, err);
    pdr_code code =
        pdr_changes_open(&changes, pdr_buf_bytes(&pair->before), pdr_buf_bytes(&pair->after), err);
    if (code == PDR_OK) code = show_members(s, changes, err);
    pdr_changes_close(changes);
    return code;
}

/* --- commands --- */

static pdr_code go_to(step *s, const char *where, pdr_error *err)
{
    pdr_story_moment moment;
    pdr_error why;
    where += strspn(where, " ");
    if (!*where) return say(s, PDR_COLOUR_BAD, "goto what? A seq or a time", err);
    if (pdr_entity_command_moment("goto", where, &moment, &why) != PDR_OK)
        return say(s, PDR_COLOUR_BAD, why.message, err);
    if (moment.is_time) moment.seq = pdr_step_walk_seq_at(&s->walk, moment.us);
    return go(s, moment.seq, err);
}

static bool is(const char *line, const char *word, const char *letter)
{
    return strcmp(line, word) == 0 || strcmp(line, letter) == 0;
}

static pdr_code obey(step *s, const char *line, pdr_error *err)
{
    uint64_t at = s->walk.at, newest = pdr_step_walk_newest(&s->walk);
    if (!*line || is(line, "next", "n"))
        return at < newest ? go(s, at + 1, err) : say(s, PDR_COLOUR_DIM, "this is the newest event", err);
    if (is(line, "back", "b"))
        return at > 0 ? go(s, at - 1, err) : say(s, PDR_COLOUR_DIM, "this is before the first event", err);
    if (is(line, "first", "f")) return go(s, 0, err);
    if (is(line, "last", "l")) return go(s, newest, err);
    if (is(line, "state", "s")) return show_state(s, err);
    if (strncmp(line, "goto", 4) == 0 && (line[4] == ' ' || !line[4])) return go_to(s, line + 4, err);
    if (line[0] == 'g' && (line[1] == ' ' || !line[1])) return go_to(s, line + 1, err);
    if (is(line, "help", "h") || strcmp(line, "?") == 0) return say(s, PDR_COLOUR_PLAIN, help, err);
    s->over = is(line, "quit", "q");
    if (s->over) return PDR_OK;
    return say(s, PDR_COLOUR_BAD, "there is no such command; help lists them", err);
}

static pdr_code walk(step *s, pdr_error *err)
{
    pdr_story_moment moment;
    pdr_code code = pdr_entity_command_moment("--at", s->start, &moment, err);
    if (code == PDR_OK && moment.is_time) moment.seq = pdr_step_walk_seq_at(&s->walk, moment.us);
    if (code == PDR_OK) code = go(s, moment.seq, err);
    while (code == PDR_OK && !s->over) {
        code = pdr_out_flush(s->base.out, err);
        const char *line = code == PDR_OK ? pdr_step_keys_next(s->keys) : NULL;
        if (!line) break;
        code = obey(s, line + strspn(line, " "), err);
    }
    if (code == PDR_OK && pdr_stopped()) code = pdr_fail(err, PDR_CANCELLED, "it was stopped");
    return code;
}

static pdr_code work(step *s, pdr_error *err)
{
    pdr_code code = pdr_entity_command_open(&s->base, true, err);
    if (code == PDR_OK) code = pdr_step_walk_load(&s->walk, &s->base, err);
    if (code == PDR_OK) code = pdr_step_keys_open(&s->keys, s->prompt, err);
    if (code == PDR_OK && pdr_step_keys_is_terminal(s->keys) && !s->base.json)
        code = say(s, PDR_COLOUR_DIM, "arrow keys: to the next event and back; help lists what else there is",
                   err);
    return code == PDR_OK ? walk(s, err) : code;
}

static int run(int argc, char **argv)
{
    step s = {.start = "0"};
    const pdr_flag flags[] = {
        PDR_ENTITY_FLAGS(s.base),
        {PDR_FLAG_TEXT, "--at", "SEQ|TIME",
         "begin after this event, or at this time; default before the first", &s.start, 0, 0},
        PDR_APPEND_TIME_FLAG(s.base),
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_step, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&s, &err);
    pdr_step_keys_close(s.keys);
    pdr_step_walk_release(&s.walk);
    return pdr_entity_command_end(&s.base, &pdr_cli_step, code, &err);
}

const pdr_cli_command pdr_cli_step = {
    .name = "step",
    .summary = "walk through an entity's history, event by event",
    .about =
        "Each event with what it changed in the state. In a terminal the arrow keys go to the next event and "
        "back; without one, commands are read from the lines of standard input: next, back, goto SEQ|TIME, "
        "first, last, state, help, quit.\n"
        "\n"
        "  perdure step loan/173688\n"
        "  printf 'next\\nstate\\n' | perdure step loan/173688 --at 8\n",
    .run = run};
