/* From the queue into rows. An event that can't be read, or that the projection refuses, is parked, and with
 * it all later events of its entity; the others go on. */
#include <inttypes.h>

#include "base/mem.h"
#include "journal/app.h"
#include "projections/projector_core.h"

enum { FOLDS_PER_TURN = 2000 }; /* commits: between them the database is looked at */

typedef enum fold_end {
    FOLDED,
    BLOCKED, /* rows must be fetched, or what was folded committed, before it can be folded */
    BROKEN   /* the projector failed */
} fold_end;

static pdr_folder *folder_of(const pdr_projector *p, pdr_string entity)
{
    size_t i = pdr_app_entity_of(p->spec.app, pdr_bytes_of(entity.data, entity.size));
    return i == SIZE_MAX ? NULL : p->folders[i];
}

/* --- The writer's schema, when reading began behind its SCHEMA record --- */

static void sought(void *context, pdr_code code, const pdr_error *error)
{
    pdr_projector *p = context;
    pdr_schema_seek_close(p->seek);
    p->seek = NULL;
    if (code != PDR_OK && code != PDR_NOT_FOUND) pdr_prj_fail(p, code, error);
}

/* Nothing at all is known of the schema that this event was written with: look for it, once. */
static bool seek_schema(pdr_projector *p, const pdr_kept_commit *kept, const pdr_kept_event *event)
{
    uint64_t fingerprint;
    pdr_error err;
    const pdr_folder *folder = folder_of(p, kept->entity);
    if (!p->spec.book || !folder || !pdr_folder_lacks(folder, event->value, &fingerprint)) return false;
    if (p->sought == kept->part && p->sought_at == event->offset) return false;
    p->sought = kept->part;
    p->sought_at = event->offset;
    p->numbers.seeks++;
    pdr_schema_seek_spec spec =
        pdr_schema_seek_for(kept->part->partition, event->value, fingerprint, event->schema, event->offset);
    pdr_code code = pdr_schema_seek_open(&p->seek, p->spec.log, NULL, p->spec.book, &spec, sought, p, &err);
    if (code != PDR_OK) pdr_prj_fail(p, code, &err);
    return true;
}

/* --- Events into rows --- */

static pdr_code project_all(pdr_projector *p, const pdr_kept_commit *kept, const pdr_kept_event *event,
                            const pdr_event_list *list, pdr_error *err)
{
    pdr_projection *projection = p->spec.projection;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < list->count; i++) {
        const pdr_event *today = pdr_event_list_at(list, i);
        if (!projection->ops->wants(projection, today->type)) continue;
        pdr_projected projected = {.entity = kept->entity,
                                   .event = *today,
                                   .part = (uint32_t)i,
                                   .parts = (uint32_t)list->count,
                                   .partition = kept->part->partition,
                                   .offset = event->offset,
                                   .command_id = event->id,
                                   .correlation = event->correlation,
                                   .causation = event->causation};
        code = projection->ops->project(projection, &projected, p->rows, err);
    }
    return code;
}

static pdr_code read_and_project(pdr_projector *p, const pdr_kept_commit *kept, const pdr_kept_event *event,
                                 pdr_error *err)
{
    pdr_folder *folder = folder_of(p, kept->entity);
    if (!folder) return PDR_OK;
    const pdr_type *type = pdr_folder_event_type(folder, event->value);
    if (type && pdr_folder_declares(folder, type) &&
        !p->spec.projection->ops->wants(p->spec.projection, type))
        return PDR_OK;
    pdr_event_list list;
    pdr_arena_clear(&p->scratch);
    pdr_code code =
        pdr_folder_read(folder, event->value, event->seq, event->time_us, &p->scratch, &list, err);
    return code == PDR_OK ? project_all(p, kept, event, &list, err) : code;
}

static bool is_events_fault(pdr_code code)
{
    return code == PDR_BAD_DATA || code == PDR_BAD_HANDLER || code == PDR_UNKNOWN_SCHEMA ||
           code == PDR_TOO_LARGE || code == PDR_UNKNOWN_TYPE || code == PDR_INVALID_ARGUMENT;
}

/* Once, and again while the event itself seems to be at fault: a handler may fail at random. */
static pdr_code try_event(pdr_projector *p, const pdr_kept_commit *kept, const pdr_kept_event *event,
                          int32_t *attempts, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (*attempts = 1;; (*attempts)++) {
        code = pdr_rows_begin(p->rows, (uint32_t)p->folding->events, err);
        if (code == PDR_OK) code = read_and_project(p, kept, event, err);
        if (code == PDR_OK) return PDR_OK;
        pdr_rows_undo(p->rows);
        if (!is_events_fault(code) || *attempts >= p->spec.settings.attempts) return code;
        p->numbers.retries++;
    }
}

static pdr_code park(pdr_projector *p, const pdr_kept_commit *kept, const pdr_kept_event *event, bool behind,
                     int32_t attempts, const char *reason, pdr_error *err)
{
    int64_t now = pdr_prj_wall(p);
    pdr_dead_letter letter = {.partition = kept->part->partition,
                              .offset = event->offset,
                              .before = kept->before,
                              .entity = pdr_bytes_of(kept->entity.data, kept->entity.size),
                              .seq = event->seq,
                              .behind = behind,
                              .attempts = attempts,
                              .first_us = now,
                              .last_us = now,
                              .reason = reason};
    pdr_code code = pdr_prj_add_letter(p->folding, true, &letter, err);
    if (code == PDR_OK) code = pdr_prj_note_parked(kept->part, kept->entity, err);
    if (code != PDR_OK) return code;
    p->numbers.parked++;
    if (!behind) (void)!pdr_fail(&p->parked_why, PDR_BAD_DATA, "%s", reason);
    if (!behind)
        pdr_prj_trace(p, PDR_LEVEL_WARN,
                      "parked %.*s from seq %" PRIu64 " on (partition %d, offset %" PRId64 "): %s",
                      (int)kept->entity.size, kept->entity.data, event->seq, (int)kept->part->partition,
                      event->offset, reason);
    if (kept->part->parked_count <= p->spec.settings.parked_max) return PDR_OK;
    return pdr_fail(err, PDR_FATAL,
                    "partition %d has more than %" PRIu64
                    " parked events (setting project.parked.max); the last, %.*s seq %" PRIu64 "%s: %s",
                    (int)kept->part->partition, p->spec.settings.parked_max, (int)kept->entity.size,
                    kept->entity.data, event->seq, behind ? ", waits behind an earlier one" : "",
                    p->parked_why.code != PDR_OK ? p->parked_why.message : "see `perdure dlq list`");
}

static bool is_suspect(const pdr_kept_commit *kept, uint32_t index)
{
    const pdr_suspect *suspect = pdr_prj_suspect_of(kept->part, kept->parked);
    return suspect->at == kept->at.offset && index >= suspect->keep;
}

static pdr_code fold_event(pdr_projector *p, const pdr_kept_commit *kept, uint32_t index, pdr_error *err)
{
    const pdr_kept_event *event = &kept->events[index];
    if (pdr_prj_is_parked(kept->part, kept->entity)) return park(p, kept, event, true, 0, "", err);
    if (is_suspect(kept, index)) return park(p, kept, event, false, 1, kept->part->suspect.why.message, err);
    int32_t attempts;
    pdr_error why;
    pdr_code code = try_event(p, kept, event, &attempts, &why);
    if (code == PDR_OK) return PDR_OK;
    if (code == PDR_UNKNOWN_SCHEMA && seek_schema(p, kept, event)) return PDR_RECOVERING;
    if (is_events_fault(code)) return park(p, kept, event, false, attempts, why.message, err);
    if (err) *err = why;
    return code;
}

/* An event of a retry: a dead letter less, or the same one with one attempt more. */
static pdr_code fold_letter(pdr_projector *p, const pdr_kept_commit *kept, pdr_error *err)
{
    pdr_retry *retry = &p->retry;
    int32_t attempts;
    pdr_error why;
    pdr_dead_letter letter = {.partition = kept->part->partition, .offset = kept->events[0].offset};
    if (retry->failed) return PDR_OK;
    bool suspect = is_suspect(kept, 0);
    pdr_code code = suspect ? PDR_BAD_DATA : try_event(p, kept, &kept->events[0], &attempts, &why);
    if (code == PDR_OK) return pdr_prj_add_letter(p->folding, false, &letter, err);
    if (code == PDR_UNKNOWN_SCHEMA && seek_schema(p, kept, &kept->events[0])) return PDR_RECOVERING;
    if (!is_events_fault(code)) {
        if (err) *err = why;
        return code;
    }
    for (size_t i = 0; i < retry->letter_count; i++)
        if (retry->letters[i].offset == letter.offset) letter = retry->letters[i];
    retry->failed = true;
    letter.behind = false;
    letter.attempts += suspect ? 1 : attempts;
    letter.last_us = pdr_prj_wall(p);
    letter.reason = suspect ? kept->part->retried_suspect.why.message : why.message;
    /* Taken away and parked anew: it must still be there, or another worker has carried the retry out. */
    code = pdr_prj_add_letter(p->folding, false, &letter, err);
    return code == PDR_OK ? pdr_prj_add_letter(p->folding, true, &letter, err) : code;
}

static pdr_code fold_commit(pdr_projector *p, const pdr_kept_commit *kept, uint32_t *done, pdr_error *err)
{
    for (; *done < kept->count; (*done)++) {
        pdr_code code = kept->parked ? fold_letter(p, kept, err) : fold_event(p, kept, *done, err);
        if (code != PDR_OK) return code;
        p->folding->events++;
    }
    return PDR_OK;
}

/* What the commit covers now belongs to the batch. */
static void cover(pdr_projector *p, const pdr_kept_commit *kept)
{
    pdr_part *part = kept->part;
    if (p->first_waits == INT64_MAX) p->first_waits = pdr_prj_now(p);
    p->folding->commits++;
    p->folding->part = part;
    p->folding->at = kept->at.offset;
    if (kept->parked) return;
    part->folded = kept->at;
    part->folding_events += kept->count;
    if (p->throttle) p->allowance_at += (int64_t)kept->count * 1000000 / p->throttle;
    for (uint32_t i = 0; i < kept->count; i++)
        if (kept->events[i].time_us > part->folding_time) part->folding_time = kept->events[i].time_us;
}

static pdr_kept_commit *head_of(const pdr_projector *p)
{
    return p->retry.active ? p->retry.first : p->first;
}

static void take_head(pdr_projector *p)
{
    pdr_kept_commit *kept = head_of(p);
    if (kept->parked) {
        p->retry.first = kept->next;
        if (!p->retry.first) p->retry.last = NULL;
    } else {
        p->first = kept->next;
        if (!p->first) p->last = NULL;
        kept->part->queued--;
        kept->part->queued_bytes -= kept->bytes;
    }
    p->first_done = 0;
    pdr_free(kept);
}

/* Rows that are missing are fetched together with those that the queue will want. */
static void ask_for_rows(pdr_projector *p)
{
    size_t looked = 0, most = pdr_rows_bytes(p->rows) + p->spec.settings.batch_bytes;
    uint32_t from = p->first_done;
    for (const pdr_kept_commit *kept = head_of(p); kept && looked < FOLDS_PER_TURN;
         kept = kept->next, looked++) {
        for (uint32_t i = from; i < kept->count; i++) {
            if (!kept->parked && pdr_prj_is_parked(kept->part, kept->entity)) continue;
            pdr_code code = pdr_rows_begin(p->rows, (uint32_t)p->folding->events, NULL);
            if (code == PDR_OK) code = read_and_project(p, kept, &kept->events[i], NULL);
            pdr_rows_undo(p->rows);
            if (code == PDR_NOMEM || code == PDR_STALE) return;
            if (pdr_rows_bytes(p->rows) >= most) return;
        }
        from = 0;
    }
}

/* The event reads rows that a statement before it may have changed: that is committed first. If that
 * statement belongs to the same commit it can't be; a commit that stands first in its batch is then at fault
 * itself. */
static fold_end wait_for_statement(pdr_projector *p, const pdr_kept_commit *kept)
{
    pdr_suspect *suspect = pdr_prj_suspect_of(kept->part, kept->parked);
    if (p->first_done == 0) {
        p->must_commit = true;
        return BLOCKED;
    }
    if (p->folding->commits > 0) {
        kept->part->suspect_to = kept->at.offset;
        p->isolate = 1;
        pdr_prj_restart(p);
        return BROKEN;
    }
    suspect->at = kept->at.offset;
    suspect->keep = p->first_done;
    pdr_fail(
        &suspect->why, PDR_BAD_HANDLER,
        "the event reads a row after a statement of an event of the same commit, which can't be seen yet");
    return FOLDED;
}

static fold_end fold_first(pdr_projector *p)
{
    pdr_error err;
    pdr_kept_commit *kept = head_of(p);
    pdr_code code = fold_commit(p, kept, &p->first_done, &err);
    if (code == PDR_STALE) return wait_for_statement(p, kept);
    if (code == PDR_RECOVERING) return p->seek ? BLOCKED : BROKEN; /* its schema is looked for */
    if (code == PDR_BUSY) {
        ask_for_rows(p);
        p->rows_wanted = true;
        return BLOCKED;
    }
    if (code != PDR_OK) {
        pdr_prj_fail(p, code, &err);
        return BROKEN;
    }
    cover(p, kept);
    take_head(p);
    return FOLDED;
}

static bool is_full(const pdr_projector *p)
{
    if (p->folding->commits == 0) return false; /* what was undone takes room too */
    return pdr_prj_ends_search_step(p) || pdr_prj_is_full(p);
}

static bool is_allowed(pdr_projector *p, const pdr_kept_commit *kept)
{
    if (p->throttle == 0 || kept->parked) return true;
    int64_t now = pdr_prj_now(p);
    if (p->allowance_at < now - 1000000) p->allowance_at = now - 1000000;
    return p->allowance_at <= now;
}

static bool may_fold(pdr_projector *p)
{
    const pdr_kept_commit *kept = head_of(p);
    if (!kept || p->state != PDR_PROJECTOR_RUNNING || p->rows_wanted || p->must_commit || p->seek)
        return false;
    return p->first_done > 0 || (!is_full(p) && !p->request_waits && is_allowed(p, kept));
}

size_t pdr_prj_fold(pdr_projector *p)
{
    size_t folded = 0;
    while (folded < FOLDS_PER_TURN && may_fold(p) && fold_first(p) == FOLDED)
        folded++;
    if (folded) pdr_prj_pause_if_full(p);
    return folded;
}
