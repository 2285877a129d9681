#include "projections/projector.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "projections/projector_core.h"

enum {
    MAX_EVENT_MEMORY = 64 * 1024 * 1024,
    MAX_ROWS_MEMORY = 256 * 1024 * 1024,
    VIEWS_TIMEOUT_MS = 10000,
    STOPPED_LOOK_US = 2000000
};

void pdr_prj_trace(pdr_projector *p, pdr_level level, const char *format, ...)
{
    char message[700];
    int size =
        snprintf(message, sizeof message, "projection %s v%u: ", p->version.projection, p->version.version);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message + size, sizeof message - (size_t)size, format, args);
    va_end(args);
    p->spec.env->ops->trace(p->spec.env, level, message);
}

static pdr_code look_at_version(pdr_projector *p, pdr_error *err);

/* --- Failures --- */

static void forget_all(pdr_projector *p)
{
    p->spec.views->ops->forget(p->spec.views, p);
    if (p->under_way > 0) p->numbers.discards += p->under_way - 1 + (p->folding->events > 0 ? 1 : 0);
    for (size_t i = 0; i < p->part_count; i++)
        pdr_prj_stop_reading(p->parts[i]);
    pdr_prj_drop_queue(p);
    pdr_schema_seek_close(p->seek);
    p->seek = NULL;
    p->sought = NULL;
    if (PDR_PROJECTION_RULE(DISCARD)) pdr_rows_discard(p->rows);
    for (size_t i = 0; i < PDR_OUTGOING; i++)
        pdr_prj_clear_outgoing(&p->outgoing[i]);
    p->under_way = 0;
    p->fetches = 0;
    p->rows_wanted = p->must_commit = p->request_waits = false;
    p->first_waits = INT64_MAX;
    for (size_t i = 0; i < p->part_count; i++)
        p->parts[i]->folding_events = 0;
}

void pdr_prj_restart(pdr_projector *p)
{
    p->state = PDR_PROJECTOR_LOADING;
    forget_all(p);
    pdr_prj_end_retry(p);
    p->control_at = 0;
}

void pdr_prj_stop(pdr_projector *p, const pdr_error *err)
{
    p->numbers.error = *err;
    p->state = PDR_PROJECTOR_STOPPED;
    forget_all(p);
    pdr_prj_end_retry(p);
    p->look_again_at = 0;
    p->fault_untold = !p->fault_known && err->code != PDR_CONFLICT && err->code != PDR_NOT_FOUND;
    pdr_prj_trace(p, PDR_LEVEL_ERROR, "stopped: %s", err->message);
}

static void back_off(pdr_projector *p, const pdr_error *err)
{
    const pdr_projector_settings *s = &p->spec.settings;
    p->backoff = p->backoff ? 2 * p->backoff : s->retry_min_us;
    if (p->backoff > s->retry_max_us) p->backoff = s->retry_max_us;
    int64_t jitter = (int64_t)(p->spec.env->ops->random(p->spec.env) % (uint64_t)(p->backoff / 2 + 1));
    p->retry_at = pdr_prj_now(p) + p->backoff / 2 + jitter;
    p->numbers.error = *err;
    p->numbers.retries++;
    p->state = PDR_PROJECTOR_WAITING;
    forget_all(p);
    pdr_prj_end_retry(p);
    pdr_prj_trace(p, PDR_LEVEL_WARN, "waits, then tries again: %s", err->message);
}

void pdr_prj_fail(pdr_projector *p, pdr_code code, const pdr_error *err)
{
    pdr_error said;
    if (!err || err->code != code) {
        pdr_fail(&said, code, "%s", pdr_code_text(code));
        err = &said;
    }
    if (p->state == PDR_PROJECTOR_STOPPED || p->state == PDR_PROJECTOR_WAITING) return;
    pdr_error other; /* tables that aren't there any more: perhaps all of the version was dropped */
    if (code == PDR_BAD_VIEW && look_at_version(p, &other) != PDR_OK && other.code != PDR_FATAL) {
        code = other.code;
        err = &other;
    }
    if (pdr_code_retry(code) || code == PDR_UNKNOWN_OUTCOME)
        back_off(p, err);
    else
        pdr_prj_stop(p, err);
}

/* --- Open and close --- */

static pdr_code open_folders(pdr_projector *p, pdr_error *err)
{
    size_t count = p->spec.app->entity_count;
    p->folders = pdr_calloc(count + 1, sizeof(pdr_folder *));
    if (!p->folders) return pdr_fail(err, PDR_NOMEM, "a projector's entity types");
    for (size_t i = 0; i < count; i++) {
        pdr_code code = pdr_folder_open(&p->folders[i], p->spec.app->entities[i], p->spec.book, err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

pdr_code pdr_projector_open(pdr_projector **out, const pdr_projector_spec *spec, pdr_error *err)
{
    const pdr_projection *projection = spec->projection;
    pdr_projector *p = pdr_calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "a projector");
    p->spec = *spec;
    p->version = (pdr_version_spec){.projection = projection->name,
                                    .version = projection->version,
                                    .fingerprint = projection->fingerprint,
                                    .tables = projection->tables,
                                    .table_count = projection->table_count,
                                    .partitions = spec->partitions};
    memcpy(p->version.journal_id, spec->journal_id, sizeof p->version.journal_id);
    p->scratch = (pdr_arena)PDR_ARENA_INIT(MAX_EVENT_MEMORY);
    for (size_t i = 0; i < PDR_OUTGOING; i++)
        p->outgoing[i].arena = (pdr_arena)PDR_ARENA_INIT(MAX_EVENT_MEMORY);
    p->folding = &p->outgoing[0];
    p->throttle = spec->settings.throttle;
    p->first_waits = INT64_MAX;
    pdr_prj_end_retry(p);
    pdr_code code = open_folders(p, err);
    if (code == PDR_OK)
        code = pdr_rows_open(&p->rows, projection->tables, projection->table_count, MAX_ROWS_MEMORY, err);
    if (code != PDR_OK) {
        pdr_projector_close(p);
        return code;
    }
    *out = p;
    return PDR_OK;
}

static void free_parts(pdr_projector *p)
{
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_prj_forget_parked(p->parts[i]);
        pdr_free(p->parts[i]);
    }
    pdr_free(p->parts);
    pdr_free(p->moves);
    for (size_t i = 0; i < PDR_OUTGOING; i++) {
        pdr_free(p->outgoing[i].taken);
        p->outgoing[i].taken = NULL;
    }
    p->parts = NULL;
    p->moves = NULL;
    p->part_count = 0;
}

void pdr_projector_close(pdr_projector *p)
{
    if (!p) return;
    p->state = PDR_PROJECTOR_STOPPED;
    if (p->rows) forget_all(p);
    pdr_prj_end_retry(p);
    free_parts(p);
    for (size_t i = 0; p->folders && i < p->spec.app->entity_count; i++)
        pdr_folder_close(p->folders[i]);
    pdr_free(p->folders);
    pdr_rows_close(p->rows);
    for (size_t i = 0; i < PDR_OUTGOING; i++) {
        pdr_arena_release(&p->outgoing[i].arena);
        pdr_free(p->outgoing[i].park);
        pdr_free(p->outgoing[i].unpark);
    }
    pdr_arena_release(&p->scratch);
    pdr_free(p);
}

/* --- Assignment --- */

static pdr_code make_parts(pdr_projector *p, const int32_t *partitions, size_t count, pdr_error *err)
{
    p->parts = pdr_calloc(count + 1, sizeof(pdr_part *));
    p->moves = pdr_calloc(count + 1, sizeof *p->moves);
    bool room = p->parts && p->moves;
    for (size_t i = 0; i < PDR_OUTGOING; i++) {
        p->outgoing[i].taken = pdr_calloc(count + 1, sizeof *p->outgoing[i].taken);
        room = room && p->outgoing[i].taken;
    }
    if (!room) return pdr_fail(err, PDR_NOMEM, "%zu partitions of a projector", count);
    for (size_t i = 0; i < count; i++) {
        pdr_part *part = pdr_calloc(1, sizeof *part);
        if (!part) return pdr_fail(err, PDR_NOMEM, "%zu partitions of a projector", count);
        part->owner = p;
        part->partition = partitions[i];
        part->committed = part->sent = part->folded = PDR_POSITION_START;
        part->folding_time = part->committed_time = INT64_MIN;
        part->log_end = part->suspect_to = part->suspect.at = part->retried_suspect.at = -1;
        p->parts[p->part_count++] = part;
    }
    return PDR_OK;
}

static pdr_code check_partitions(const pdr_projector *p, const int32_t *partitions, size_t count,
                                 pdr_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (partitions[i] < 0 || partitions[i] >= p->spec.partitions)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no partition %d; the journal has %d",
                            (int)partitions[i], (int)p->spec.partitions);
        for (size_t j = 0; j < i; j++)
            if (partitions[i] == partitions[j])
                return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d is assigned twice",
                                (int)partitions[i]);
    }
    return PDR_OK;
}

pdr_code pdr_projector_assign(pdr_projector *p, const int32_t *partitions, size_t count, pdr_error *err)
{
    pdr_code code = check_partitions(p, partitions, count, err);
    if (code != PDR_OK) return code;
    bool stopped = p->state == PDR_PROJECTOR_STOPPED;
    forget_all(p);
    p->state = PDR_PROJECTOR_IDLE;
    pdr_prj_end_retry(p);
    free_parts(p);
    p->isolate = 0;
    p->searched = NULL;
    code = make_parts(p, partitions, count, err);
    p->look_again_at = 0;
    if (code != PDR_OK)
        free_parts(p);
    else if (stopped)
        p->state = PDR_PROJECTOR_STOPPED;
    else if (count > 0)
        p->state = PDR_PROJECTOR_LOADING;
    return code;
}

void pdr_projector_drain(pdr_projector *p)
{
    p->draining = true;
    if (p->state == PDR_PROJECTOR_RUNNING) p->state = PDR_PROJECTOR_DRAINING;
}

/* --- Loading --- */

/* A version's throttle is shared out among its partitions, whoever works on them. */
static uint32_t share_of(const pdr_projector *p, uint32_t throttle)
{
    uint64_t share = (uint64_t)throttle * p->part_count / (uint64_t)p->spec.partitions;
    return share > 0 ? (uint32_t)share : 1;
}

static pdr_code take_switches(void *context, const pdr_version_row *row, pdr_error *err)
{
    pdr_projector *p = context;
    if (row->version != p->version.version) return PDR_OK;
    p->found = true;
    if (row->fingerprint != p->version.fingerprint)
        return pdr_fail(
            err, PDR_CONFLICT,
            "version %u was made from another definition: give the changed one a higher version and run "
            "`perdure project rebuild %s`",
            row->version, row->projection);
    p->paused = row->paused && !p->spec.unpaused;
    p->throttle = row->state == PDR_VERSION_BUILDING && row->throttle ? share_of(p, row->throttle)
                                                                      : p->spec.settings.throttle;
    p->fault_known = row->fault[0] != 0;
    if (p->fault_known) return pdr_fail(err, PDR_FATAL, "%s", row->fault);
    return PDR_OK;
}

static pdr_code look_at_switches(pdr_projector *p, pdr_error *err)
{
    p->found = p->fault_known = false;
    pdr_code code = p->spec.views->ops->versions(p->spec.views, p->version.projection, take_switches, p, err);
    if (code == PDR_OK && !p->found)
        code =
            pdr_fail(err, PDR_NOT_FOUND, "version %u isn't there (any more): `perdure project run` makes it",
                     p->version.version);
    return code;
}

static pdr_code compare_generation(void *context, const pdr_position_row *row, pdr_error *err)
{
    const pdr_projector *p = context;
    for (size_t i = 0; i < p->part_count; i++)
        if (p->parts[i]->partition == row->partition && p->parts[i]->generation != row->generation)
            return pdr_fail(err, PDR_STALE, "version %u was emptied or made anew meanwhile",
                            p->version.version);
    return PDR_OK;
}

/* Is it the one that was loaded? Fails with why not: its fault, if it has one. */
static pdr_code look_at_version(pdr_projector *p, pdr_error *err)
{
    pdr_code code = look_at_switches(p, err);
    if (code != PDR_OK) return code;
    return p->spec.views->ops->positions(p->spec.views, p->version.projection, p->version.version,
                                         compare_generation, p, err);
}

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    pdr_projector *p = context;
    (void)err;
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_part *part = p->parts[i];
        if (part->partition != row->partition) continue;
        part->generation = row->generation;
        part->committed = part->sent = part->folded = row->position;
        part->committed_time = part->folding_time = row->event_time_us;
    }
    return PDR_OK;
}

/* Positions first: whatever is looked at after them and made anew meanwhile has another generation, and the
 * first batch is stale. */
static pdr_code load_parts(pdr_projector *p, pdr_error *err)
{
    const pdr_views_ops *ops = p->spec.views->ops;
    pdr_code code =
        ops->positions(p->spec.views, p->version.projection, p->version.version, take_position, p, err);
    if (code == PDR_OK) code = look_at_switches(p, err);
    for (size_t i = 0; code == PDR_OK && i < p->part_count; i++)
        code = pdr_prj_load_parked(p->parts[i], err);
    p->searched = pdr_prj_next_suspect(p);
    for (size_t i = 0; code == PDR_OK && i < p->part_count; i++) {
        p->parts[i]->at_end = false;
        if (!p->searched || p->searched == p->parts[i]) code = pdr_prj_read_from(p->parts[i], err);
    }
    return code;
}

static size_t load(pdr_projector *p)
{
    pdr_error err;
    pdr_code code = load_parts(p, &err);
    if (code != PDR_OK)
        pdr_prj_fail(p, code, &err);
    else
        p->state = p->draining ? PDR_PROJECTOR_DRAINING : PDR_PROJECTOR_RUNNING;
    return 1;
}

/* --- Turns --- */

/* An operator pauses, resumes, throttles; and asks for retries. Looked at once a second, between batches;
 * what is folded of the next one stays. */
static void look_at_controls(pdr_projector *p)
{
    pdr_error err;
    bool due = pdr_prj_controls_due(p) || (p->request_waits && p->folding->commits == 0);
    if (!due || p->under_way > 0 || p->first_done > 0) return;
    pdr_code code = look_at_switches(p, &err);
    if (code != PDR_OK)
        pdr_prj_fail(p, code, &err);
    else
        pdr_prj_look_for_requests(p);
}

/* Others see in the database why the version stands still; but not one that was made anew meanwhile. */
static void tell_fault(pdr_projector *p)
{
    pdr_error ignored;
    if (look_at_version(p, &ignored) != PDR_OK) {
        p->fault_untold = ignored.code != PDR_STALE && pdr_code_retry(ignored.code);
        return;
    }
    pdr_code code = p->spec.views->ops->set_fault(p->spec.views, p->version.projection, p->version.version,
                                                  p->numbers.error.message, VIEWS_TIMEOUT_MS, &ignored);
    if (code != PDR_OK)
        pdr_prj_trace(p, PDR_LEVEL_WARN, "its fault couldn't be written: %s", ignored.message);
    p->fault_untold = code != PDR_OK && pdr_code_retry(code);
}

/* Stopped until an operator takes the fault away. A worker that the version doesn't fit has none to tell. */
static size_t stand_still(pdr_projector *p, int64_t *due_us)
{
    int64_t now = pdr_prj_now(p);
    if (now < p->look_again_at) {
        *due_us = p->look_again_at;
        return 0;
    }
    p->look_again_at = now + STOPPED_LOOK_US;
    *due_us = p->look_again_at;
    if (p->fault_untold) {
        tell_fault(p);
    } else if (look_at_switches(p, NULL) == PDR_OK && p->part_count > 0) {
        pdr_prj_trace(p, PDR_LEVEL_INFO, "goes on: its fault was taken away");
        pdr_prj_restart(p);
        return 1;
    }
    return 0;
}

static size_t run(pdr_projector *p, int64_t *due_us)
{
    look_at_controls(p);
    if (p->state != PDR_PROJECTOR_RUNNING) return 1;
    /* Once it is due, what stands in its way will wake us. */
    if (p->control_at > pdr_prj_now(p) && p->control_at < *due_us) *due_us = p->control_at;
    size_t done = p->paused ? 0 : pdr_prj_fold(p);
    if (p->state == PDR_PROJECTOR_RUNNING) done += pdr_prj_retry(p);
    done += pdr_prj_commit_if_due(p, due_us);
    if (p->throttle && p->first && !p->paused && p->allowance_at > pdr_prj_now(p) &&
        p->allowance_at < *due_us)
        *due_us = p->allowance_at;
    return done;
}

static size_t drain(pdr_projector *p, int64_t *due_us)
{
    if (p->first_done > 0) { /* half a commit is folded: it is read again another time */
        pdr_prj_restart(p);
        p->state = PDR_PROJECTOR_IDLE;
        return 1;
    }
    size_t done = pdr_prj_commit_if_due(p, due_us);
    if (p->state == PDR_PROJECTOR_DRAINING && p->under_way == 0 && p->folding->commits == 0) {
        forget_all(p);
        pdr_prj_end_retry(p);
        p->state = PDR_PROJECTOR_IDLE;
    }
    return done;
}

static size_t take_turn(pdr_projector *p, int64_t *due_us)
{
    size_t done = p->spec.log->ops->poll(p->spec.log) + p->spec.views->ops->poll(p->spec.views);
    *due_us = INT64_MAX;
    switch (p->state) {
    case PDR_PROJECTOR_IDLE: return done;
    case PDR_PROJECTOR_LOADING: return done + load(p);
    case PDR_PROJECTOR_RUNNING: return done + run(p, due_us);
    case PDR_PROJECTOR_DRAINING: return done + drain(p, due_us);
    case PDR_PROJECTOR_STOPPED: return done + stand_still(p, due_us);
    case PDR_PROJECTOR_WAITING: break;
    }
    if (pdr_prj_now(p) >= p->retry_at) {
        p->state = PDR_PROJECTOR_LOADING;
        return done + 1;
    }
    *due_us = p->retry_at;
    return done;
}

/* Who sees that it stopped may end the process at once: the database is told why in the same turn. */
size_t pdr_projector_turn(pdr_projector *p, int64_t *due_us)
{
    size_t done = take_turn(p, due_us);
    bool just_stopped = p->state == PDR_PROJECTOR_STOPPED && p->fault_untold && p->look_again_at == 0;
    return just_stopped ? done + 1 + stand_still(p, due_us) : done;
}

/* --- Numbers --- */

void pdr_projector_numbers_get(const pdr_projector *p, pdr_projector_numbers *out)
{
    *out = p->numbers;
    out->state = p->state;
}

/* Behind the newest record that counts there may be others: void ones, or another's. */
static int64_t passed_by(const pdr_part *part)
{
    bool all = part->at_end && part->queued == 0 && part->commits.walk.open == 0 &&
               pdr_position_equal(part->read, part->committed);
    return all && part->log_end > part->committed.offset ? part->log_end : part->committed.offset + 1;
}

size_t pdr_projector_partitions(const pdr_projector *p, pdr_projector_partition *out, size_t max)
{
    for (size_t i = 0; i < p->part_count && i < max; i++) {
        const pdr_part *part = p->parts[i];
        out[i] = (pdr_projector_partition){.partition = part->partition,
                                           .beaten = part->beaten,
                                           .position = part->committed,
                                           .log_end = part->log_end,
                                           .passed = passed_by(part),
                                           .at_end = part->at_end,
                                           .event_time_us = part->committed_time,
                                           .events = part->events,
                                           .parked = part->parked_count};
    }
    return p->part_count;
}
