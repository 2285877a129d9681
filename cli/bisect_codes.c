#include "cli/bisect_codes.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "cli/replay_codes.h"
#include "cli/replay_report.h"
#include "journal/app.h"
#include "replay/guard.h"

enum { MEMORY_MB = 2048, PATIENCE_S = 60 };

/* --- showing it --- */

/* What tells of a disagreement, not of the journal. */
static const pdr_deviation_kind disagreements[] = {PDR_FOUND_DIFFERS, PDR_FOUND_UNREADABLE, PDR_FOUND_FAILS,
                                                   PDR_FOUND_CRASHES, PDR_FOUND_OLD_FAILS};

static const pdr_deviation *earliest(const pdr_deviations *all)
{
    const pdr_deviation *first = NULL;
    for (size_t i = 0; i < sizeof disagreements / sizeof disagreements[0]; i++) {
        if (!pdr_deviations_sample_count(all, disagreements[i])) continue;
        const pdr_deviation *d = pdr_deviations_sample(all, disagreements[i], 0);
        if (!first || pdr_deviation_is_before(d, first)) first = d;
    }
    return first;
}

static pdr_code put(const pdr_deviation *d, pdr_out *out, pdr_error *err)
{
    if (pdr_out_is_json(out)) {
        pdr_code code = pdr_replay_finding_json(d, pdr_out_line(out));
        return code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the event");
    }
    pdr_code code = pdr_out_put(out, PDR_COLOUR_PLAIN, "%s; the first event at which they disagree:",
                                d->kind == PDR_FOUND_DIFFERS     ? "the states differ"
                                : d->kind == PDR_FOUND_OLD_FAILS ? "the older version fails"
                                                                 : "the newer version fails");
    if (code == PDR_OK) code = pdr_out_end(out, err);
    return code == PDR_OK ? pdr_replay_finding_put(d, out, err) : code;
}

static pdr_code settle(const pdr_entity_command *base, pdr_deviations *all, pdr_error *err)
{
    const pdr_deviation *first = earliest(all);
    const pdr_deviations_counts *counts = pdr_deviations_counts_of(all);
    if (first) return put(first, base->out, err);
    if (counts->found[PDR_FOUND_DAMAGED]) {
        const pdr_deviation *d = pdr_deviations_sample(all, PDR_FOUND_DAMAGED, 0);
        return pdr_fail(err, PDR_CORRUPT, "%.*s: %.*s", (int)d->entity.size, (const char *)d->entity.data,
                        (int)d->why.size, (const char *)d->why.data);
    }
    return pdr_fail(err, PDR_NOT_FOUND, "the two versions agree after each of the %" PRIu64 " events of %s",
                    counts->events, base->entity ? base->entity : "all entities");
}

/* --- of all entities --- */

static pdr_code look_at_all(const pdr_cli_command *command, pdr_entity_command *base,
                            const pdr_loaded_app *old, pdr_error *err)
{
    pdr_replay replay = {.command = command,
                         .doing = "comparing",
                         .target = base->target,
                         .app = base->app.app,
                         .against = old->app,
                         .samples = 1,
                         .memory_mb = MEMORY_MB,
                         .patience_s = PATIENCE_S};
    pdr_code code = pdr_replay_run(&replay, err);
    if (code == PDR_OK) code = settle(base, replay.deviations, err);
    pdr_replay_release(&replay);
    return code;
}

/* --- of one --- */

typedef struct one {
    pdr_refold *refold;
    int32_t partition;
} one;

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    const one *o = context;
    pdr_commit_event as_commit = {event->record, event->header};
    pdr_code code = pdr_refold_take(o->refold, o->partition, &as_commit, 1, PDR_POSITION_START, err);
    if (code != PDR_OK) return code;
    bool found = earliest(pdr_refold_deviations(o->refold, o->partition)) != NULL;
    return found ? PDR_CANCELLED : PDR_OK; /* that is all */
}

static pdr_code tell_story(pdr_entity_command *base, one *o, pdr_error *err)
{
    pdr_story_told told;
    pdr_story_spec story = {
        .entity = pdr_entity_command_id(base), .to_seq = UINT64_MAX, .event = take, .context = o};
    pdr_code code = pdr_guard_install(err);
    if (code == PDR_OK) code = pdr_story_run(base->tool, &story, &told, err);
    if (code == PDR_OK && !told.newest_seq) return pdr_entity_command_unknown(base, err);
    if (code == PDR_OK) code = pdr_refold_end(o->refold, o->partition, err);
    return code == PDR_OK ? settle(base, pdr_refold_deviations(o->refold, o->partition), err) : code;
}

static pdr_code look_at_one(pdr_entity_command *base, const pdr_loaded_app *old, pdr_error *err)
{
    pdr_bytes id = pdr_entity_command_id(base);
    size_t now = pdr_app_entity_of(base->app.app, id), then = pdr_app_entity_of(old->app, id);
    one o = {.partition = pdr_tool_partition_of(base->tool, id)};
    pdr_folder *before = NULL;
    const pdr_folder *folder = pdr_tool_folder(base->tool, id);
    if (then == SIZE_MAX)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the older version doesn't declare the type of %.200s",
                        base->entity);
    /* Only the types that are looked at. */
    const pdr_app app = {.entities = &base->app.app->entities[now], .entity_count = 1};
    const pdr_app against = {.entities = &old->app->entities[then], .entity_count = 1};
    pdr_code code = pdr_folder_open_tolerant(&before, against.entities[0], pdr_tool_book(base->tool), err);
    const pdr_folder *const before_borrowed = before;
    pdr_refold_spec spec = {.app = &app,
                            .folders = &folder,
                            .against = &against,
                            .against_folders = &before_borrowed,
                            .book = pdr_tool_book(base->tool),
                            .partitions = pdr_tool_partitions(base->tool),
                            .samples = 1,
                            .memory = (size_t)MEMORY_MB << 20};
    if (code == PDR_OK) code = pdr_refold_open(&o.refold, &spec, err);
    if (code == PDR_OK) code = tell_story(base, &o, err);
    pdr_refold_close(o.refold);
    pdr_folder_close(before);
    return code;
}

/* --- both --- */

pdr_code pdr_bisect_codes(const pdr_cli_command *command, pdr_entity_command *base, const char *old_file,
                          pdr_error *err)
{
    pdr_loaded_app old;
    pdr_code code = pdr_loaded_app_open_tolerant(&old, old_file, err);
    if (code == PDR_OK && base->entity) code = pdr_entity_command_open(base, true, err);
    if (code == PDR_OK && !base->entity) {
        code = pdr_out_open(&base->out, base->json, err);
        if (code == PDR_OK) code = pdr_loaded_app_open_tolerant(&base->app, base->target.app, err);
    }
    if (code == PDR_OK) code = pdr_codes_are_apart(&base->app, &old, err);
    if (code == PDR_OK)
        code = base->entity ? look_at_one(base, &old, err) : look_at_all(command, base, &old, err);
    /* Nothing of the journal may be in use any more when its code goes. */
    pdr_tool_close(base->tool);
    base->tool = NULL;
    pdr_loaded_app_close(&old);
    return code;
}
