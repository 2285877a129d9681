/* Batches: rows, positions and dead letters in one transaction. While one is under way the next is folded,
 * and handed over if it is full: the database begins with it at once. It is refused if the one that it rests
 * on isn't carried out. */
#include <inttypes.h>

#include "base/mem.h"
#include "projections/projector_core.h"

enum { IDLE_MOVE_US = 1000000 }; /* a position moves without events at most so often */

/* --- Dead letters of a batch --- */

void pdr_prj_clear_outgoing(pdr_outgoing *o)
{
    pdr_arena_clear(&o->arena);
    o->park_count = o->unpark_count = o->commits = 0;
    o->events = 0;
    o->request = 0;
    o->rows = o->statements = 0;
    o->part = NULL;
}

static bool grow_letters(pdr_dead_letter **letters, size_t count, size_t *room)
{
    if (count < *room) return true;
    size_t wanted = *room ? 2 * *room : 8;
    pdr_dead_letter *more = pdr_realloc(*letters, wanted * sizeof *more);
    if (!more) return false;
    *letters = more;
    *room = wanted;
    return true;
}

pdr_code pdr_prj_add_letter(pdr_outgoing *o, bool park, const pdr_dead_letter *letter, pdr_error *err)
{
    const char *reason = letter->reason ? letter->reason : "";
    pdr_dead_letter copy = *letter;
    copy.entity = pdr_arena_bytes(&o->arena, letter->entity);
    copy.reason = pdr_arena_string(&o->arena, pdr_string_of(reason)).data;
    bool room = park ? grow_letters(&o->park, o->park_count, &o->park_room)
                     : grow_letters(&o->unpark, o->unpark_count, &o->unpark_room);
    if (!room || !copy.entity.data || !copy.reason) return pdr_fail(err, PDR_NOMEM, "a dead letter");
    if (park)
        o->park[o->park_count++] = copy;
    else
        o->unpark[o->unpark_count++] = copy;
    return PDR_OK;
}

/* --- Making a batch --- */

static bool moves(const pdr_projector *p, const pdr_part *part)
{
    if (p->retry.active && p->retry.part == part) return true;
    return !pdr_position_equal(part->folded, part->committed);
}

static size_t make_moves(pdr_projector *p)
{
    size_t count = 0;
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_part *part = p->parts[i];
        pdr_taken taken = {part->folded, part->folding_time, part->folding_events};
        p->folding->taken[i] = taken;
        if (!moves(p, part)) continue;
        p->moves[count++] = (pdr_position_move){.partition = part->partition,
                                                .generation = part->generation,
                                                .from = part->sent,
                                                .to = taken.position,
                                                .event_time_us = taken.time,
                                                .events = taken.events};
    }
    return count;
}

static void count_rows(pdr_outgoing *o, const pdr_view_batch *batch)
{
    for (size_t i = 0; i < batch->step_count; i++) {
        o->rows += batch->steps[i].row_count;
        o->statements += batch->steps[i].statement ? 1 : 0;
    }
}

/* The batch that was being made is under way; the next one begins. */
static void begin_next(pdr_projector *p)
{
    if (p->under_way++ > 0) p->numbers.ahead++;
    p->folding = &p->outgoing[(size_t)(p->folding - p->outgoing + 1) % PDR_OUTGOING];
    pdr_prj_clear_outgoing(p->folding);
    for (size_t i = 0; i < p->part_count; i++) {
        p->parts[i]->sent = p->parts[i]->folded;
        p->parts[i]->folding_events = 0;
    }
    p->first_waits = INT64_MAX;
    p->must_commit = false;
}

static void committed(void *context, uint64_t tag, const pdr_view_result *result);

static pdr_code end_batch(pdr_projector *p, pdr_error *err)
{
    pdr_projection *projection = p->spec.projection;
    if (!projection->ops->batch_end || p->folding->commits == 0) return PDR_OK;
    pdr_code code = pdr_rows_begin(p->rows, UINT32_MAX, err);
    return code == PDR_OK ? projection->ops->batch_end(projection, p->rows, err) : code;
}

static pdr_code commit(pdr_projector *p, pdr_error *err)
{
    pdr_view_batch batch = {.moves = p->moves};
    pdr_code code = end_batch(p, err);
    if (code == PDR_OK) code = pdr_rows_take(p->rows, &batch.steps, &batch.step_count, err);
    if (code != PDR_OK) return code;
    pdr_outgoing *o = p->folding;
    count_rows(o, &batch);
    batch.move_count = make_moves(p);
    batch.park = o->park;
    batch.park_count = o->park_count;
    batch.unpark = o->unpark;
    batch.unpark_count = o->unpark_count;
    batch.requests_done = &o->request;
    batch.request_count = o->request ? 1 : 0;
    batch.on_top = p->under_way > 0;
    code =
        p->spec.views->ops->commit(p->spec.views, &p->version, p->spec.worker, &batch, committed, p, 0, err);
    if (code != PDR_OK) return code;
    pdr_rows_settle(p->rows); /* whatever fails from now on forgets all that is known */
    begin_next(p);
    return PDR_OK;
}

/* --- What came of it --- */

static pdr_part *suspect_part(const pdr_projector *p)
{
    for (size_t i = 0; i < p->part_count; i++)
        if (p->parts[i]->committed.offset < p->parts[i]->suspect_to) return p->parts[i];
    return NULL;
}

pdr_part *pdr_prj_next_suspect(const pdr_projector *p)
{
    return p->isolate ? suspect_part(p) : NULL;
}

/* Once a bad event is parked batches grow again, each to twice the size of the one before. */
static void grow_batches(pdr_projector *p, bool found)
{
    if (p->isolate_grows && !found) p->isolate *= 2;
    p->isolate_grows = p->isolate_grows || found;
    if (suspect_part(p) && p->isolate < p->spec.settings.batch_events) return;
    p->isolate = 0;
    p->isolate_grows = false;
}

static void clear_suspects(pdr_projector *p, const pdr_outgoing *through)
{
    bool found = false;
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_part *part = p->parts[i];
        if (part->suspect.at >= 0 && part->committed.offset >= part->suspect.at) {
            part->suspect.at = -1;
            found = true;
        }
        if (p->retry.active && part == through->part && through->at >= part->retried_suspect.at)
            part->retried_suspect.at = -1;
    }
    if (p->isolate) grow_batches(p, found);
}

static void went_through(pdr_projector *p)
{
    const pdr_outgoing *o = pdr_prj_oldest(p);
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_part *part = p->parts[i];
        part->committed = o->taken[i].position;
        part->committed_time = o->taken[i].time;
        part->events += o->taken[i].events;
        if (o->taken[i].events > 0) part->beaten = false;
        p->numbers.events += o->taken[i].events;
    }
    p->numbers.batches++;
    p->numbers.rows += o->rows;
    p->numbers.statements += o->statements;
    p->numbers.last_commit_us = pdr_prj_wall(p);
    p->last_commit = pdr_prj_now(p);
    p->backoff = 0;
    clear_suspects(p, o);
    bool carried_out = o->request != 0;
    bool searched = p->searched && p->searched != pdr_prj_next_suspect(p);
    p->under_way--;
    if (carried_out)
        pdr_prj_end_retry(p);
    else if (searched && p->state == PDR_PROJECTOR_RUNNING)
        pdr_prj_restart(p); /* the others are read again */
}

/* The values of some event can't be stored. Try one partition after the other, and fewer commits at a time,
 * in the end one; of that one fewer events: the one that is left over is the one. */
static void look_for_bad_event(pdr_projector *p, const pdr_error *why)
{
    const pdr_outgoing *taken = pdr_prj_oldest(p);
    pdr_suspect *suspect = taken->part ? pdr_prj_suspect_of(taken->part, p->retry.active) : NULL;
    bool again = taken->commits == 1 && suspect->at == taken->at;
    if (taken->commits == 0 || (again && suspect->keep == 0)) {
        pdr_prj_stop(p, why);
        return;
    }
    for (size_t i = 0; i < p->part_count; i++)
        if (taken->taken[i].position.offset > p->parts[i]->suspect_to)
            p->parts[i]->suspect_to = taken->taken[i].position.offset;
    p->isolate = taken->commits > 1 ? taken->commits / 2 : 1;
    p->isolate_grows = false;
    if (taken->commits == 1)
        *suspect = (pdr_suspect){taken->at, again ? suspect->keep - 1 : (uint32_t)taken->events - 1, *why};
    pdr_prj_restart(p);
}

/* Another worker moved the position: whatever the assignment says, it won this batch. If both are told to
 * work here, one wins each batch. */
static void was_beaten(pdr_projector *p, const pdr_view_result *result)
{
    p->numbers.stale++;
    for (size_t i = 0; i < p->part_count; i++)
        if (p->parts[i]->partition == result->partition) p->parts[i]->beaten = true;
    pdr_prj_fail(p, PDR_STALE, result->error);
}

static void committed(void *context, uint64_t tag, const pdr_view_result *result)
{
    pdr_projector *p = context;
    (void)tag;
    switch (result->code) {
    case PDR_OK: went_through(p); break;
    case PDR_STALE: was_beaten(p, result); break;
    case PDR_BAD_DATA:
        p->numbers.refused++;
        look_for_bad_event(p, result->error);
        break;
    default:
        if (result->code == PDR_UNKNOWN_OUTCOME) p->numbers.unknown_outcomes++;
        pdr_prj_fail(p, result->code, result->error);
    }
}

/* --- Rows that are wanted --- */

static void fetched(void *context, uint64_t tag, const pdr_view_rows *rows)
{
    pdr_projector *p = context;
    pdr_error err;
    p->fetches--;
    pdr_code code = rows->code;
    if (code == PDR_OK)
        code = pdr_rows_fetched(p->rows, (size_t)tag, rows->rows, rows->count, &err);
    else
        err = *rows->error;
    if (code != PDR_OK)
        pdr_prj_fail(p, code, &err);
    else if (p->fetches == 0)
        p->rows_wanted = false;
}

static size_t fetch_wanted(pdr_projector *p)
{
    if (p->fetches > 0) return 0;
    for (size_t table = 0; table < p->version.table_count; table++) {
        const pdr_cell *const *keys;
        pdr_error err;
        size_t count = pdr_rows_wanted(p->rows, table, &keys);
        if (count == 0) continue;
        pdr_code code = p->spec.views->ops->fetch(p->spec.views, &p->version, table, keys, count, fetched, p,
                                                  table, &err);
        if (code != PDR_OK) {
            pdr_prj_fail(p, code, &err);
            return 1;
        }
        p->fetches++;
        p->numbers.fetches++;
    }
    if (p->fetches == 0) p->rows_wanted = false;
    return 1;
}

/* --- When --- */

/* Records without events (MARKs, void ones) were passed: the positions follow, now and then. */
static bool follow_log(pdr_projector *p, int64_t now, int64_t *due_us)
{
    bool behind = false;
    if (p->retry.active) return false;
    for (size_t i = 0; i < p->part_count; i++) {
        const pdr_part *part = p->parts[i];
        behind = behind || (part->at_end && part->queued == 0 && part->read.offset > part->folded.offset);
    }
    if (!behind) return false;
    if (now < p->last_commit + IDLE_MOVE_US) {
        if (p->last_commit + IDLE_MOVE_US < *due_us) *due_us = p->last_commit + IDLE_MOVE_US;
        return false;
    }
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_part *part = p->parts[i];
        if (part->at_end && part->queued == 0 && part->read.offset > part->folded.offset)
            part->folded = part->read;
    }
    return true;
}

/* A batch goes when it is full, when nothing more can join it, or when it has waited long enough. */
static bool is_due(pdr_projector *p, int64_t now, int64_t *due_us)
{
    if (p->folding->commits == 0 && p->folding->request == 0) return follow_log(p, now, due_us);
    bool now_or_never = p->must_commit || pdr_prj_ends_search_step(p) || p->draining || p->retry.active;
    if (pdr_prj_is_full(p) || now_or_never || p->request_waits) return true;
    int64_t due = p->first_waits + p->spec.settings.batch_wait_us;
    if (now < due && due < *due_us) *due_us = due;
    return now >= due;
}

/* A second batch goes ahead of the answer to the first if it is full. But a bad event is looked for batch by
 * batch, as is an entity retried; and now and then all must be quiet, so that controls are looked at. */
static bool may_hand_over(const pdr_projector *p)
{
    if (p->under_way == 0) return true;
    return p->under_way < PDR_UNDER_WAY_MAX && p->spec.views->ops->pipelined && pdr_prj_is_full(p) &&
           !p->isolate && !p->retry.active && !pdr_prj_controls_due(p) && !p->request_waits;
}

size_t pdr_prj_commit_if_due(pdr_projector *p, int64_t *due_us)
{
    pdr_error err;
    if (p->state != PDR_PROJECTOR_RUNNING && p->state != PDR_PROJECTOR_DRAINING) return 0;
    if (p->rows_wanted) return fetch_wanted(p);
    if (!may_hand_over(p) || p->first_done > 0 || !is_due(p, pdr_prj_now(p), due_us)) return 0;
    pdr_code code = commit(p, &err);
    if (code != PDR_OK) pdr_prj_fail(p, code, &err);
    return 1;
}
