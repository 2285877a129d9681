#include "cli/entity_command.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/help.h"
#include "replay/ids_like.h"
#include "replay/moment.h"

pdr_bytes pdr_entity_command_id(const pdr_entity_command *c)
{
    return pdr_bytes_of(c->entity, strlen(c->entity));
}

static pdr_code check_app(const pdr_entity_command *c, pdr_error *err)
{
    if (!c->app.app)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "no application is named, and states are what its code makes of events: give --app, "
                        "or set PERDURE_APP");
    if (pdr_tool_folder(c->tool, pdr_entity_command_id(c))) return PDR_OK;
    pdr_code code = pdr_fail(err, PDR_UNKNOWN_TYPE, "%.200s", c->entity);
    for (size_t i = 0; i < c->app.app->entity_count && err; i++) {
        size_t at = strlen(err->message);
        (void)snprintf(err->message + at, sizeof err->message - at, "%s%s/...",
                       i ? ", " : ": the application knows ", c->app.app->entities[i]->name);
    }
    return code;
}

/* For a process that lives for some ten milliseconds: what is read is allocated by one thread and freed by
 * another, a piece per record. Heaps of threads grow by a system call for each page, and give back at once
 * what is needed again; so there is one heap, which grows by much and gives back nothing. Before there are
 * threads. */
static void choose_allocator(void)
{
    enum { GROWTH = 4 << 20, ENOUGH = 64 << 20 };
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TOP_PAD, GROWTH);
    (void)mallopt(M_MMAP_THRESHOLD, GROWTH);
    (void)mallopt(M_TRIM_THRESHOLD, ENOUGH);
}

pdr_code pdr_entity_command_open(pdr_entity_command *c, bool needs_app, pdr_error *err)
{
    size_t size = strlen(c->entity);
    if (size == 0 || size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id has 1 to %d bytes", PDR_MAX_ENTITY_ID);
    pdr_stop_on_signals();
    choose_allocator();
    pdr_code code = pdr_out_open(&c->out, c->json, err);
    if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&c->app, c->target.app, err);
    if (code != PDR_OK) return code;
    pdr_tool_spec spec = {.journal = c->target.journal,
                          .store = c->target.store,
                          .app = c->app.app,
                          .brief = !c->follows,
                          .jumps = !c->newest,
                          .stopped = pdr_stopped};
    code = pdr_tool_open(&c->tool, &spec, err);
    return code == PDR_OK && needs_app ? check_app(c, err) : code;
}

int pdr_entity_command_end(pdr_entity_command *c, const pdr_cli_command *what, pdr_code code, pdr_error *err)
{
    code = pdr_out_close(c->out, code, err);
    pdr_tool_close(c->tool);
    pdr_loaded_app_close(&c->app);
    if (code == PDR_CANCELLED && pdr_stopped()) return PDR_EXIT_STOPPED; /* there is nothing to go on with */
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(what, err);
}

pdr_code pdr_entity_command_story(pdr_entity_command *c, const pdr_story_spec *spec, pdr_story_told *told,
                                  pdr_error *err)
{
    pdr_error why;
    pdr_code code = pdr_story_run(c->tool, spec, told, err);
    bool odd = code == PDR_CORRUPT || code == PDR_OUT_OF_RANGE || code == PDR_TIMEOUT;
    if (!odd || pdr_tool_check_store(c->tool, &why) != PDR_WRONG_JOURNAL) return code;
    if (err) *err = why;
    return PDR_WRONG_JOURNAL;
}

/* --- moments --- */

pdr_code pdr_entity_command_time(const char *flag, const char *text, int64_t *us, pdr_error *err)
{
    pdr_code code = pdr_moment_parse(text, pdr_wall_us(), false, us, err);
    return code == PDR_OK ? code : pdr_fail_context(err, code, "%s", flag);
}

pdr_code pdr_entity_command_moment(const char *flag, const char *text, pdr_story_moment *out, pdr_error *err)
{
    *out = (pdr_story_moment){false, UINT64_MAX, 0};
    if (!text || strcmp(text, "newest") == 0) return PDR_OK;
    out->is_time = text[strspn(text, "0123456789")] != '\0';
    if (out->is_time) return pdr_entity_command_time(flag, text, &out->us, err);
    if (strlen(text) > 18)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%s: no entity has %.40s events", flag, text);
    out->seq = strtoull(text, NULL, 10);
    return PDR_OK;
}

bool pdr_entity_command_is_by(const pdr_entity_command *c, const pdr_story_event *event, int64_t us)
{
    return (c->by_append_time ? event->record->append_ms * 1000 : event->header->time_us) <= us;
}

typedef struct resolving {
    const pdr_entity_command *command;
    pdr_story_moment *moments[2]; /* that are times; NULL behind the last */
} resolving;

static pdr_code look(void *context, const pdr_story_event *event, pdr_error *err)
{
    resolving *r = context;
    (void)err;
    for (int i = 0; i < 2 && r->moments[i]; i++)
        if (pdr_entity_command_is_by(r->command, event, r->moments[i]->us))
            r->moments[i]->seq = event->header->seq;
    return PDR_OK;
}

static void begin(resolving *r, pdr_story_moment *moment)
{
    if (!moment || !moment->is_time) return;
    r->moments[r->moments[0] != NULL] = moment;
    moment->is_time = false;
    moment->seq = 0;
}

pdr_code pdr_entity_command_resolve(pdr_entity_command *c, pdr_story_moment *one, pdr_story_moment *other,
                                    pdr_error *err)
{
    resolving r = {.command = c};
    pdr_story_spec spec = {
        .entity = pdr_entity_command_id(c), .to_seq = UINT64_MAX, .event = look, .context = &r};
    pdr_story_told told;
    begin(&r, one);
    begin(&r, other);
    if (!r.moments[0]) return PDR_OK;
    pdr_code code = pdr_entity_command_story(c, &spec, &told, err);
    return code == PDR_OK && told.newest_seq == 0 ? pdr_entity_command_unknown(c, err) : code;
}

/* --- what isn't there --- */

pdr_code pdr_entity_command_unknown(pdr_entity_command *c, pdr_error *err)
{
    pdr_buf like = PDR_BUF_INIT(64 * 1024);
    size_t count = 0;
    pdr_code code = pdr_tool_check_store(c->tool, err);
    if (code == PDR_OK) code = pdr_ids_like(c->tool, pdr_entity_command_id(c), 3, &like, &count, err);
    if (code == PDR_OK && count)
        code = pdr_fail(err, PDR_NOT_FOUND, "there is no entity %.150s; did you mean %.*s?", c->entity,
                        (int)like.size, (const char *)like.data);
    else if (code == PDR_OK)
        code = pdr_fail(err, PDR_NOT_FOUND, "there is no entity %.150s, and no id is like it", c->entity);
    pdr_buf_release(&like);
    return code;
}

pdr_code pdr_entity_command_has(pdr_entity_command *c, uint64_t newest_seq, uint64_t seq, pdr_error *err)
{
    if (newest_seq == 0) return pdr_entity_command_unknown(c, err);
    if (seq == UINT64_MAX || seq <= newest_seq) return PDR_OK;
    return pdr_fail(err, PDR_NOT_FOUND, "%.150s has no event %" PRIu64 ": its newest is %" PRIu64, c->entity,
                    seq, newest_seq);
}
