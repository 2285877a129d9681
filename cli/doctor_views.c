/* Projections: which are stopped, which are behind. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cli/doctor.h"
#include "projections/worker_plan.h"

static void look_at_version(doctor *d, const pdr_standing *s, uint64_t lag_before)
{
    const pdr_version_row *row = s->row;
    const char *name = row->projection;
    if (row->fault && *row->fault)
        doctor_say(d, "projections", DOCTOR_WRONG, "mend what it says, then perdure project resume",
                   "%.100s version %" PRIu32 " stopped: %.300s", name, row->version, row->fault);
    else if (s->parked)
        doctor_say(d, "projections", DOCTOR_WRONG,
                   "perdure dlq show tells why; mend it, then perdure dlq retry",
                   "%.100s version %" PRIu32 " has %" PRIu64 " parked events", name, row->version, s->parked);
    else if (row->paused)
        doctor_say(d, "projections", DOCTOR_NOTE, "perdure project resume",
                   "%.100s version %" PRIu32 " is paused, %" PRIu64 " records behind", name, row->version,
                   s->lag);
    else if (s->lag && s->lag >= lag_before)
        doctor_say(d, "projections", DOCTOR_NOTE,
                   "does a worker run, and does it keep up? perdure project status",
                   "%.100s version %" PRIu32 " is %" PRIu64 " records behind, and that doesn't shrink", name,
                   row->version, s->lag);
    else
        doctor_say(d, "projections", DOCTOR_FINE, "",
                   "%.100s version %" PRIu32 " is %" PRIu64 " records behind", name, row->version, s->lag);
}

static bool is_behind(const pdr_standing *standings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (standings[i].lag) return true;
    return false;
}

/* Those that are behind are looked at again, a second later. */
static pdr_code look_twice(doctor *d, pdr_project_tool *tool, const pdr_version_list *list, pdr_error *err)
{
    static const struct timespec second = {1, 0};
    pdr_standing *before = pdr_arena_alloc(&tool->arena, (list->count + 1) * sizeof *before);
    pdr_standing *after = pdr_arena_alloc(&tool->arena, (list->count + 1) * sizeof *after);
    if (!before || !after) return pdr_fail(err, PDR_NOMEM, "%zu versions", list->count);
    pdr_code code = pdr_standing_look(tool, d->log, list, before, err);
    bool again = code == PDR_OK && is_behind(before, list->count);
    if (again) (void)nanosleep(&second, NULL);
    if (again) code = pdr_standing_look(tool, d->log, list, after, err);
    for (size_t i = 0; code == PDR_OK && i < list->count; i++)
        look_at_version(d, again ? &after[i] : &before[i], before[i].lag);
    return code;
}

static pdr_code look(doctor *d, pdr_project_tool *tool, pdr_error *err)
{
    pdr_version_list list;
    pdr_url url;
    memset(&url, 0, sizeof url);
    pdr_code code = pdr_views_url(&url, d->target.views, d->target.base.store, d->target.base.journal, err);
    if (code == PDR_OK && pdr_url_is_missing_file(&url))
        code = pdr_fail(err, PDR_NOT_INITIALISED, "%.300s: no such file", url.path);
    pdr_url_release(&url);
    if (code == PDR_OK) code = pdr_tool_connect(tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(tool, NULL, &list, err);
    return code == PDR_OK ? look_twice(d, tool, &list, err) : code;
}

/* Views that nobody named needn't be there. */
void doctor_look_at_views(doctor *d)
{
    const char *variable = getenv("PERDURE_VIEWS");
    bool named = d->target.views || (variable && *variable);
    pdr_project_tool tool;
    pdr_error err;
    if (!named && !d->has_meta) return;
    memset(&tool, 0, sizeof tool);
    tool.target = d->target;
    pdr_code code = look(d, &tool, &err);
    pdr_tool_release(&tool);
    if (code == PDR_OK) return;
    if (code == PDR_NOT_INITIALISED && !named) return;
    doctor_fail(d, "projections", &err);
}
