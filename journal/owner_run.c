/* The run of acknowledged records. A record is acknowledged when its reported offset continues the run of
 * offsets that the owner knows: then nobody wrote in between. At a gap, or at a report that can't be right,
 * the log itself is read (owner_settle.c). */
#include "journal/owner_core.h"

enum { FIRST_RING = 256, LARGEST_RING = 1 << 18 };

/* The ring stays at most half full, so that the offsets of the newest acknowledged records remain: answers
 * that saw them ask for them. */
pdr_code pdr_own_run_reserve(pdr_owner *o, size_t records)
{
    size_t slots = o->ring ? o->ring_mask + 1 : 0;
    size_t wanted = 2 * ((size_t)(o->sent - o->acked) + records);
    if (wanted <= slots) return PDR_OK;
    size_t grown = slots ? slots : FIRST_RING;
    while (grown < wanted)
        grown *= 2;
    pdr_own_pending *ring = pdr_calloc(grown, sizeof *ring);
    if (!ring) return PDR_NOMEM;
    for (uint64_t n = o->sent > slots ? o->sent - slots + 1 : 1; slots && n <= o->sent; n++)
        ring[n & (grown - 1)] = o->ring[n & o->ring_mask];
    pdr_free(o->ring);
    o->ring = ring;
    o->ring_mask = grown - 1;
    return PDR_OK;
}

bool pdr_own_run_full(const pdr_owner *o)
{
    return o->unsent || o->sent - o->acked >= LARGEST_RING;
}

static uint8_t *copy_range(uint8_t *p, pdr_bytes *range)
{
    if (!range->data) return p;
    if (range->size) memcpy(p, range->data, range->size);
    range->data = p;
    return p + range->size;
}

static void keep_unsent(pdr_owner *o, const pdr_log_entry *entry, uint64_t number)
{
    pdr_own_unsent *u = pdr_alloc(sizeof *u + entry->key.size + entry->value.size + entry->header.size +
                                  entry->schema.size + entry->trace.size);
    if (!u) {
        pdr_own_recover(o, PDR_NOMEM, "out of memory while the log's queue was full");
        return;
    }
    *u = (pdr_own_unsent){NULL, number, *entry};
    uint8_t *p = copy_range((uint8_t *)(u + 1), &u->entry.key);
    p = copy_range(p, &u->entry.value);
    p = copy_range(p, &u->entry.header);
    p = copy_range(p, &u->entry.schema);
    copy_range(p, &u->entry.trace);
    if (o->unsent_last)
        o->unsent_last->next = u;
    else
        o->unsent = u;
    o->unsent_last = u;
}

/* A record that the log never takes would be tried in every term: its command is told after the recovery. */
static void append_failed(pdr_owner *o, uint64_t number, const pdr_error *err)
{
    if (err->code == PDR_TOO_LARGE) o->too_large = number;
    pdr_own_recover(o, err->code, "append of record %llu: %.300s", (unsigned long long)number, err->message);
}

void pdr_own_send(pdr_owner *o, const pdr_log_entry *entry, uint64_t number)
{
    if (o->state != PDR_OWNER_SERVING)
        return; /* an earlier record of this turn failed: all of it is decided again */
    if (number == o->acked + 1) o->progress_at = o->now;
    if (o->unsent) {
        keep_unsent(o, entry, number);
        return;
    }
    pdr_error err;
    pdr_code code = o->log->ops->append(o->writer, entry, number, &err);
    if (code == PDR_QUEUE_FULL) {
        keep_unsent(o, entry, number);
    } else if (code != PDR_OK) {
        append_failed(o, number, &err);
    }
}

void pdr_own_flush_unsent(pdr_owner *o)
{
    while (o->unsent) {
        pdr_own_unsent *u = o->unsent;
        pdr_error err;
        pdr_code code = o->log->ops->append(o->writer, &u->entry, u->number, &err);
        if (code == PDR_QUEUE_FULL) return;
        if (code != PDR_OK) {
            append_failed(o, u->number, &err);
            return;
        }
        o->unsent = u->next;
        if (!o->unsent) o->unsent_last = NULL;
        pdr_free(u);
    }
}

void pdr_own_drop_unsent(pdr_owner *o)
{
    for (pdr_own_unsent *u = o->unsent, *next; u; u = next) {
        next = u->next;
        pdr_free(u);
    }
    o->unsent = o->unsent_last = NULL;
}

void pdr_own_send_mark(pdr_owner *o)
{
    if (pdr_own_run_reserve(o, 1) != PDR_OK) return; /* the next turn tries again */
    pdr_header header = {.kind = PDR_RECORD_MARK, .term = *o->term, .number = o->sent + 1, .back_offset = -1};
    pdr_buf_clear(&o->header);
    if (pdr_header_encode(&header, &o->header) != PDR_OK) return;
    o->sent++;
    *pdr_own_pending_of(o, o->sent) = (pdr_own_pending){PDR_OWN_UNREPORTED, NULL, NULL, true, NULL};
    o->counters.marks++;
    pdr_log_entry entry = {.header = pdr_buf_bytes(&o->header)};
    pdr_own_send(o, &entry, o->sent);
}

/* Give a command its answer: record `number` of it is acknowledged. */
static void release(pdr_owner *o, pdr_cmd *cmd)
{
    pdr_waiting_answer *a = &cmd->answer;
    pdr_code code = (pdr_code)a->code;
    pdr_error error;
    if (code != PDR_OK && !a->error) {
        const char *text =
            code == PDR_REFUSED && a->data.data ? (const char *)a->data.data : pdr_code_text(code);
        (void)pdr_fail(&error, code, "%.*s", code == PDR_REFUSED && a->data.data ? (int)a->data.size : 400,
                       text);
    }
    pdr_reply reply = {.code = code,
                       .error = code == PDR_OK ? NULL
                                : a->error     ? a->error
                                               : &error,
                       .seq = a->seq,
                       .events = a->events,
                       .repeated = a->repeated,
                       .answer = a->is_state ? pdr_bytes_of(NULL, 0) : a->data,
                       .state = a->is_state ? a->data : pdr_bytes_of(NULL, 0),
                       .partition = o->config.partition,
                       .position = a->position};
    if (a->commit)
        reply.position = pdr_place_position(o->last);
    else if (a->saw)
        reply.position = (pdr_position){pdr_own_pending_of(o, a->saw)->reported, *o->term, a->saw};
    pdr_own_detach(cmd);
    pdr_own_complete(o, cmd, &reply);
}

void pdr_own_wait(pdr_owner *o, pdr_cmd *cmd, uint64_t number)
{
    cmd->answer.number = number;
    if (number <= o->acked) {
        release(o, cmd);
        return;
    }
    /* The list's numbers ascend: an answer never overtakes an older one. */
    if (o->answers.last && o->answers.last->answer.number > number)
        cmd->answer.number = o->answers.last->answer.number;
    pdr_own_cmds_push(&o->answers, cmd);
    if (number <= o->sent) pdr_own_pending_of(o, number)->answer = cmd;
}

static void ack_event(pdr_owner *o, pdr_own_pending *p, pdr_place here)
{
    pdr_entity *e = p->entity;
    if (!(e->flags & PDR_ENTITY_DIRTY)) pdr_own_dirty_push(o, e, o->last);
    e->acked_seq++;
    e->last = here;
    if (++e->unsaved == o->config.settings.snapshot_events) pdr_own_note_hot(o, e);
    o->counters.events++;
}

/* Acknowledgements come in runs: what later ones touch is asked for ahead, by way of the ring, since going
 * along the list of answers would wait for each of them. */
PDR_PREFETCHING void look_ahead(pdr_owner *o, uint64_t number)
{
    enum { AHEAD = 6, LINE = 64 };
    if (number + AHEAD > o->sent) return;
    const pdr_own_pending *soon = pdr_own_pending_of(o, number + AHEAD);
    if (soon->entity) pdr_prefetch_entity(soon->entity);
    for (size_t at = 0; soon->answer && at < offsetof(pdr_cmd, request); at += LINE)
        __builtin_prefetch((const char *)soon->answer + at);
}

void pdr_own_ack(pdr_owner *o, uint64_t number, int64_t offset)
{
    PDR_INVARIANT("acked-is-valid", number == o->acked + 1 && offset > o->last.offset);
    look_ahead(o, number);
    pdr_own_pending *p = pdr_own_pending_of(o, number);
    pdr_place here = {offset, number, o->term};
    if (p->entity) ack_event(o, p, here);
    p->reported = offset;
    o->acked = number;
    o->last = here;
    if (offset > o->known) o->known = offset;
    if (p->closes) o->run = here;
    o->progress_at = o->now;
    if (p->item) {
        pdr_own_item *item = p->item;
        p->item = NULL;
        pdr_own_hand_over(o, item);
    }
    while (o->answers.first && o->answers.first->answer.number <= number)
        release(o, pdr_own_cmds_pop(&o->answers));
}

/* The oldest pending record has a report that doesn't continue the run. */
static void look_into_log(pdr_owner *o, int64_t reported)
{
    pdr_error err;
    bool gap = reported > o->known;
    if (gap)
        o->counters.gap_reads++;
    else
        o->counters.unknown_reports++;
    pdr_code code = pdr_own_settle_open(o, pdr_place_position(o->run), o->run.offset + 1,
                                        gap ? reported : INT64_MAX, &err);
    if (code != PDR_OK)
        pdr_own_recover(o, code, "reading past offset %lld: %.300s", (long long)o->known, err.message);
}

void pdr_own_run_advance(pdr_owner *o)
{
    if (o->settle.reader) return; /* what is read now acknowledges by itself; its end comes back here */
    while (o->acked < o->sent && o->state == PDR_OWNER_SERVING) {
        pdr_own_pending *p = pdr_own_pending_of(o, o->acked + 1);
        if (p->reported == PDR_OWN_UNREPORTED) {
            if (o->out_of_order > o->acked) look_into_log(o, PDR_OWN_UNPLACED);
            return;
        }
        bool continues = p->reported == o->known + 1 || (!PDR_RULE(GAP) && p->reported > o->known);
        if (!continues) {
            look_into_log(o, p->reported);
            return;
        }
        pdr_own_ack(o, o->acked + 1, p->reported);
    }
}

/* Note one report; false: it starts a recovery. */
static bool note_report(pdr_owner *o, const pdr_log_report *report)
{
    uint64_t number = report->tag;
    if (number <= o->acked || number > o->sent) return true; /* late: its record is settled already */
    if (report->code != PDR_OK) {
        if (report->code == PDR_TOO_LARGE) o->too_large = number;
        pdr_own_recover(o, report->code, "delivery of record %llu failed (%s, %d)",
                        (unsigned long long)number, pdr_code_name(report->code), report->backend);
        return false;
    }
    pdr_own_pending_of(o, number)->reported = report->offset < 0 ? PDR_OWN_UNPLACED : report->offset;
    if (number > o->acked + 1 && pdr_own_pending_of(o, number - 1)->reported == PDR_OWN_UNREPORTED &&
        number > o->out_of_order)
        o->out_of_order = number;
    return true;
}

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    pdr_owner *o = context;
    for (size_t i = 0; i < count; i++) {
        if (o->state == PDR_OWNER_FENCING && reports[i].tag == 0) {
            pdr_own_fence_reported(o, &reports[i]);
            return;
        }
        if (o->state != PDR_OWNER_SERVING || reports[i].tag == 0) continue;
        /* The fast path: the oldest one, where it must be. */
        if (reports[i].tag == o->acked + 1 && reports[i].code == PDR_OK &&
            reports[i].offset == o->known + 1 && !o->settle.reader) {
            if (reports[i].tag > o->sent) continue;
            pdr_own_ack(o, reports[i].tag, reports[i].offset);
            continue;
        }
        if (!note_report(o, &reports[i])) return;
    }
    if (o->state == PDR_OWNER_SERVING) pdr_own_run_advance(o);
}

static void on_broken(void *context, const pdr_error *error)
{
    pdr_owner *o = context;
    pdr_own_recover(o, error->code, "the log's writer can't go on: %.300s", error->message);
}

const pdr_log_writer_events pdr_own_writer_events = {on_reports, on_broken};

/* The term's open records will be settled by reading; nothing in memory goes with them any more. */
void pdr_own_forget_pending(pdr_owner *o)
{
    for (uint64_t n = o->acked + 1; n <= o->sent; n++) {
        pdr_own_pending *p = pdr_own_pending_of(o, n);
        pdr_free(p->item);
        *p = (pdr_own_pending){PDR_OWN_UNREPORTED, NULL, NULL, p->closes, NULL};
    }
    pdr_own_drop_unsent(o);
    o->out_of_order = 0;
}
