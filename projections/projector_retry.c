/* Requests: an entity's parked events once more, in their order, through today's code. RETRY takes all of
 * them. SKIP drops the first, in a batch of its own, and leaves a RETRY for the rest behind, so that it drops
 * no second one if it is carried out again. They are read from the log again: a dead letter is a place.
 * While a retry runs nothing else is folded. */
#include <inttypes.h>

#include "base/mem.h"
#include "projections/projector_core.h"

enum { CONTROL_US = 1000000, VIEWS_TIMEOUT_MS = 10000 };

static pdr_part *part_of(pdr_projector *p, int32_t partition)
{
    for (size_t i = 0; i < p->part_count; i++)
        if (p->parts[i]->partition == partition) return p->parts[i];
    return NULL;
}

static void stop_reading(pdr_projector *p)
{
    pdr_retry *retry = &p->retry;
    if (!retry->reader) return;
    p->spec.log->ops->reader_close(retry->reader);
    retry->reader = NULL;
    pdr_commit_reader_release(&retry->commits);
}

void pdr_prj_end_retry(pdr_projector *p)
{
    pdr_retry *retry = &p->retry;
    bool was_active = retry->active;
    stop_reading(p);
    for (pdr_kept_commit *kept = retry->first, *next; kept; kept = next) {
        next = kept->next;
        pdr_free(kept);
    }
    pdr_arena_release(&retry->arena);
    pdr_free(retry->letters);
    *retry = (pdr_retry){.arena = PDR_ARENA_INIT(p->spec.settings.read_ahead_bytes + 1024 * 1024)};
    if (was_active && p->state == PDR_PROJECTOR_RUNNING) pdr_prj_restart(p); /* who is parked now? */
}

/* --- Which letters --- */

static pdr_code keep_letter(void *context, const pdr_dead_letter *letter, pdr_error *err)
{
    pdr_projector *p = context;
    pdr_retry *retry = &p->retry;
    if (!pdr_bytes_equal(letter->entity, retry->request.entity)) return PDR_OK;
    if (retry->letter_count == retry->letter_room) {
        size_t room = retry->letter_room ? 2 * retry->letter_room : 16;
        pdr_dead_letter *more = pdr_realloc(retry->letters, room * sizeof *more);
        if (!more) return pdr_fail(err, PDR_NOMEM, "a retry's dead letters");
        retry->letters = more;
        retry->letter_room = room;
    }
    pdr_dead_letter copy = *letter;
    copy.entity = retry->request.entity;
    copy.reason = pdr_arena_string(&retry->arena, pdr_string_of(letter->reason)).data;
    if (!copy.reason) return pdr_fail(err, PDR_NOMEM, "a retry's dead letters");
    retry->letters[retry->letter_count++] = copy;
    return PDR_OK;
}

static pdr_code first_request(void *context, const pdr_request_row *row, pdr_error *err)
{
    pdr_projector *p = context;
    pdr_retry *retry = &p->retry;
    if (retry->active) return PDR_OK;
    retry->part = part_of(p, row->partition);
    if (!retry->part) return PDR_OK;
    retry->request = *row;
    retry->request.entity = pdr_arena_bytes(&retry->arena, row->entity);
    if (!retry->request.entity.data) return pdr_fail(err, PDR_NOMEM, "a request");
    retry->active = true;
    return PDR_OK;
}

static pdr_code see_request(void *context, const pdr_request_row *row, pdr_error *err)
{
    pdr_projector *p = context;
    (void)err;
    p->request_waits = p->request_waits || part_of(p, row->partition);
    return PDR_OK;
}

static pdr_code load_request(pdr_projector *p, pdr_error *err)
{
    const pdr_views_ops *ops = p->spec.views->ops;
    pdr_code code =
        ops->requests(p->spec.views, p->version.projection, p->version.version, -1, first_request, p, err);
    if (code != PDR_OK || !p->retry.active) return code;
    return ops->dead_letters(p->spec.views, p->version.projection, p->version.version,
                             p->retry.part->partition, keep_letter, p, err);
}

static pdr_code skip(pdr_projector *p, pdr_error *err)
{
    pdr_retry *retry = &p->retry;
    pdr_request_row rest = {
        .kind = PDR_REQUEST_RETRY, .partition = retry->part->partition, .entity = retry->request.entity};
    pdr_code code = PDR_OK;
    if (retry->letter_count > 0) code = pdr_prj_add_letter(p->folding, false, &retry->letters[0], err);
    if (code == PDR_OK && retry->letter_count > 1)
        code = p->spec.views->ops->request(p->spec.views, p->version.projection, p->version.version, &rest,
                                           VIEWS_TIMEOUT_MS, err);
    retry->next = retry->letter_count;
    return code;
}

void pdr_prj_look_for_requests(pdr_projector *p)
{
    pdr_retry *retry = &p->retry;
    pdr_error err;
    int64_t now = pdr_prj_now(p);
    p->control_at = now + CONTROL_US;
    p->request_waits = false;
    if (p->paused) return;
    pdr_code code = p->folding->commits > 0
                        ? p->spec.views->ops->requests(p->spec.views, p->version.projection,
                                                       p->version.version, -1, see_request, p, &err)
                        : load_request(p, &err);
    if (code == PDR_OK && retry->active && retry->request.kind == PDR_REQUEST_SKIP) code = skip(p, &err);
    if (code != PDR_OK) pdr_prj_fail(p, code, &err);
}

/* --- Reading them again --- */

static pdr_code take_letters(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                             pdr_error *err)
{
    pdr_projector *p = context;
    pdr_retry *retry = &p->retry;
    for (size_t i = 0; i < count && retry->next < retry->letter_count; i++) {
        if (events[i].record->offset != retry->letters[retry->next].offset) continue;
        pdr_position at = retry->commits.walk.at;
        at.offset = events[i].record->offset;
        pdr_kept_commit *kept = pdr_prj_keep(retry->part, &events[i], 1, before, at);
        if (!kept) return pdr_fail(err, PDR_NOMEM, "a parked event");
        kept->parked = true;
        if (retry->last)
            retry->last->next = kept;
        else
            retry->first = kept;
        retry->last = kept;
        retry->bytes += kept->bytes;
        retry->next++;
    }
    return PDR_OK;
}

static const pdr_commit_sink sink = {take_letters, NULL};

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_projector *p = context;
    pdr_retry *retry = &p->retry;
    for (size_t i = 0; i < count && retry->next < retry->letter_count; i++) {
        pdr_error err;
        pdr_code code = pdr_commit_reader_take(&retry->commits, &records[i], &err);
        if (code == PDR_OK && retry->next < retry->letter_count &&
            records[i].offset > retry->letters[retry->next].offset &&
            retry->commits.walk.at.offset > retry->letters[retry->next].offset)
            code = pdr_fail(&err, PDR_CORRUPT,
                            "partition %d: the parked event at offset %" PRId64 " isn't in the log",
                            (int)retry->part->partition, retry->letters[retry->next].offset);
        if (code != PDR_OK) {
            pdr_prj_fail(p, code, &err);
            return;
        }
    }
}

static void saw_end(void *context, int64_t end)
{
    (void)context;
    (void)end;
}

static void saw_failure(void *context, const pdr_error *error)
{
    pdr_prj_fail(context, error->code, error);
}

static const pdr_log_reader_events reader_events = {saw_records, saw_end, saw_failure};

static size_t start_reading(pdr_projector *p)
{
    pdr_retry *retry = &p->retry;
    pdr_position before = retry->letters[retry->next].before;
    pdr_error err;
    pdr_commit_reader_init(&retry->commits, before, &sink, p);
    pdr_code code = p->spec.log->ops->reader_open(p->spec.log, retry->part->partition, before.offset + 1,
                                                  &reader_events, p, &retry->reader, &err);
    if (code != PDR_OK) {
        pdr_commit_reader_release(&retry->commits);
        pdr_prj_fail(p, code, &err);
    }
    return 1;
}

static bool is_read(const pdr_projector *p)
{
    const pdr_retry *retry = &p->retry;
    return retry->next == retry->letter_count || retry->bytes > p->spec.settings.read_ahead_bytes;
}

/* Read, then fold (projector_fold.c takes them from here); the batch with the last of them carries out the
 * request. */
size_t pdr_prj_retry(pdr_projector *p)
{
    pdr_retry *retry = &p->retry;
    if (!retry->active) return 0;
    if (!retry->ready) {
        if (!is_read(p)) return retry->reader ? 0 : start_reading(p);
        stop_reading(p);
        retry->ready = true;
        return 1;
    }
    bool last = !retry->first && p->under_way == 0 && p->folding->request == 0;
    if (!last) return 0;
    if (retry->next == retry->letter_count || retry->failed)
        p->folding->request = retry->request.id;
    else if (p->folding->commits == 0)
        pdr_prj_restart(p); /* the rest of a long list */
    return 1;
}
