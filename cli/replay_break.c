#include "cli/replay_break.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/out.h"
#include "replay/folding.h"

typedef struct stop {
    pdr_folding folding;
    pdr_bytes entity;
    uint64_t seq;
    bool reached;
} stop;

static bool is_traced(void)
{
    char line[256];
    long tracer = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (!file) return false;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "TracerPid:", 10) == 0) tracer = strtol(line + 10, NULL, 10);
    (void)fclose(file);
    return tracer != 0;
}

/* The debugger stops inside; `finish` comes back here, and apply is what is called next. */
static pdr_code apply(pdr_state *state, const pdr_folder *folder, const pdr_event *event, pdr_error *err)
{
    (void)raise(SIGTRAP);
    return pdr_state_apply(state, folder, event, err);
}

static pdr_code say_state(const stop *s, const char *when, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(PDR_MAX_STATE * (size_t)8);
    pdr_code code = pdr_folding_print(&s->folding, &text, err);
    if (code == PDR_OK)
        fprintf(stderr, "the state %s: %.*s\n", when, (int)text.size, (const char *)text.data);
    pdr_buf_release(&text);
    return code;
}

static pdr_code stop_at(stop *s, const pdr_story_event *event, pdr_error *err)
{
    pdr_folding *f = &s->folding;
    pdr_code code = pdr_folding_read(f, event, err);
    if (code == PDR_OK) code = say_state(s, "before", err);
    for (size_t i = 0; code == PDR_OK && i < f->events.count; i++) {
        const pdr_event *today = pdr_event_list_at(&f->events, i);
        fprintf(stderr,
                "stopping before apply of %s at %.*s seq %" PRIu64 ", partition %d offset %" PRId64 "\n",
                today->type->name, (int)s->entity.size, (const char *)s->entity.data, s->seq,
                (int)event->partition, event->record->offset);
        code = apply(&f->state, f->folder, today, err);
    }
    if (code == PDR_OK && !f->events.count) fprintf(stderr, "nothing is left of this event to be applied\n");
    return code == PDR_OK ? say_state(s, "after", err) : code;
}

static pdr_code on_event(void *context, const pdr_story_event *event, pdr_error *err)
{
    stop *s = context;
    if (event->header->seq < s->seq) return pdr_folding_take(&s->folding, event, err);
    s->reached = true;
    return stop_at(s, event, err);
}

static pdr_code parse(const char *where, pdr_bytes *entity, uint64_t *seq, pdr_error *err)
{
    const char *colon = strrchr(where, ':');
    char *end = NULL;
    *seq = colon && colon[1] >= '1' && colon[1] <= '9' ? strtoull(colon + 1, &end, 10) : 0;
    if (!colon || colon == where || !*seq || *end)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "--break takes ENTITY:SEQ, like loan/173688:7, not \"%.200s\"", where);
    *entity = pdr_bytes_of(where, (size_t)(colon - where));
    return PDR_OK;
}

static pdr_code run(const pdr_target *target, const pdr_app *app, stop *s, pdr_error *err)
{
    pdr_tool *tool;
    pdr_story_told told;
    pdr_tool_spec open = {
        .journal = target->journal, .store = target->store, .app = app, .stopped = pdr_stopped};
    pdr_story_spec story = {.entity = s->entity, .to_seq = s->seq, .event = on_event, .context = s};
    pdr_code code = pdr_tool_open(&tool, &open, err);
    if (code != PDR_OK) return code;
    code = pdr_folding_init(&s->folding, tool, s->entity, err);
    if (code == PDR_OK) code = pdr_story_run(tool, &story, &told, err);
    if (code == PDR_OK && !s->reached)
        code = pdr_fail(err, PDR_NOT_FOUND, "%.*s has %" PRIu64 " events, not %" PRIu64, (int)s->entity.size,
                        (const char *)s->entity.data, told.newest_seq, s->seq);
    pdr_folding_release(&s->folding);
    pdr_tool_close(tool);
    return code;
}

int pdr_replay_break(const pdr_cli_command *command, const pdr_target *target, const pdr_app *app,
                     const char *where)
{
    pdr_error err = {.code = PDR_OK};
    stop s = {.reached = false};
    pdr_code code = parse(where, &s.entity, &s.seq, &err);
    if (code == PDR_OK && !is_traced())
        return pdr_cli_refuse(command, "--break stops a debugger, and none is there",
                              "run it as: gdb --args perdure replay --app FILE --break ENTITY:SEQ, then run");
    if (code == PDR_OK) code = run(target, app, &s, &err);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(command, &err);
}
