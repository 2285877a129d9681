/* Reading the log past what is acknowledged. While serving: across a gap before a reported offset, or to the
 * end after a report that says nothing. During a recovery: from the end of the run, so that everything the
 * old term had open becomes definite, and a foreign FENCE is met. */
#include "journal/owner_core.h"

bool pdr_own_is_own_incarnation(const pdr_owner *o, uint64_t incarnation)
{
    for (size_t i = 0; i < o->incarnation_count; i++)
        if (o->incarnations[i] == incarnation) return true;
    return false;
}

void pdr_own_settle_close(pdr_owner *o)
{
    o->log->ops->reader_close(o->settle.reader);
    o->settle.reader = NULL;
}

/* A reader that was serving has come to its target: what it proved, and what it refuted. */
static void finish_serving(pdr_owner *o)
{
    pdr_own_settle_close(o);
    if (o->acked < o->sent) {
        int64_t reported = pdr_own_pending_of(o, o->acked + 1)->reported;
        if (reported != PDR_OWN_UNREPORTED && reported <= o->known) {
            pdr_own_recover(o, PDR_UNKNOWN_OUTCOME,
                            "record %llu was reported, but isn't in sequence up to offset %lld",
                            (unsigned long long)o->acked + 1, (long long)o->known);
            return;
        }
        if (reported == PDR_OWN_UNREPORTED && o->out_of_order > o->acked) {
            pdr_own_recover(o, PDR_UNKNOWN_OUTCOME, "record %llu is missing before a reported one",
                            (unsigned long long)o->acked + 1);
            return;
        }
    }
    pdr_own_run_advance(o);
}

static void note_fence(pdr_owner *o, const pdr_header *fence)
{
    pdr_own_settle *s = &o->settle;
    bool own = pdr_own_is_own_incarnation(o, fence->term.incarnation);
    s->fenced = true;
    s->foreign = !own;
    if (o->state == PDR_OWNER_FENCING && fence->term.incarnation == o->fence_incarnation)
        o->fence_offset = fence->term.offset;
    if (!own) {
        s->foreign_offset = fence->term.offset;
        s->generation = fence->generation;
        s->address_size = fence->address.size;
        if (fence->address.size) memcpy(s->address, fence->address.data, fence->address.size);
    }
}

/* A record in sequence of the own term. false: stop reading, a recovery begins. */
static bool take_own(pdr_owner *o, int64_t offset)
{
    uint64_t number = o->settle.walk.count;
    if (number <= o->acked) return true;
    if (number != o->acked + 1 || number > o->sent) {
        pdr_own_recover(o, PDR_UNKNOWN_OUTCOME,
                        "offset %lld holds record %llu of the own term, which wasn't sent", (long long)offset,
                        (unsigned long long)number);
        return false;
    }
    pdr_own_ack(o, number, offset);
    return true;
}

/* false: the reader is closed or must not go on. */
static bool take_record(pdr_owner *o, const pdr_log_record *record)
{
    pdr_own_settle *s = &o->settle;
    pdr_header header;
    uint32_t voided;
    pdr_error err;
    pdr_verdict verdict = pdr_walk_step(&s->walk, record, &header, &voided, &err);
    bool serving = o->state == PDR_OWNER_SERVING;
    switch (verdict) {
    case PDR_VERDICT_TOO_NEW:
    case PDR_VERDICT_CORRUPT: pdr_own_fail(o, &err); return false;
    case PDR_VERDICT_FENCE:
        note_fence(o, &header);
        if (!serving) break;
        pdr_own_recover(o, PDR_NOT_OWNER, "met a FENCE at offset %lld", (long long)record->offset);
        return false;
    case PDR_VERDICT_EVENT:
    case PDR_VERDICT_COMMIT:
    case PDR_VERDICT_MARK:
    case PDR_VERDICT_SCHEMA:
        if (o->term && pdr_term_equal(s->walk.term, *o->term) && !take_own(o, record->offset)) return false;
        break;
    case PDR_VERDICT_FOREIGN: o->counters.foreigns++; break;
    case PDR_VERDICT_MALFORMED: o->counters.malformeds++; break;
    case PDR_VERDICT_VOID: o->counters.voids++; break;
    }
    if (serving && record->offset > o->known) o->known = record->offset;
    return true;
}

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_owner *o = context;
    bool was_fenced = o->settle.fenced;
    for (size_t i = 0; i < count; i++) {
        if (!take_record(o, &records[i])) return;
        if (o->state == PDR_OWNER_SERVING && records[i].offset >= o->settle.target) {
            finish_serving(o);
            return;
        }
    }
    if (o->state == PDR_OWNER_FENCING || (!was_fenced && o->settle.fenced)) pdr_own_recovery_advance(o);
}

static void on_end(void *context, int64_t end)
{
    pdr_owner *o = context;
    if (o->state != PDR_OWNER_SERVING) {
        o->settle.reached = true;
        o->settle.end = end;
        pdr_own_recovery_advance(o);
        return;
    }
    if (o->settle.target != INT64_MAX)
        return; /* what was reported isn't visible yet: the next records show it */
    if (end - 1 > o->known) o->known = end - 1;
    finish_serving(o);
}

static void on_failed(void *context, const pdr_error *error)
{
    pdr_owner *o = context;
    pdr_own_recover_error(o, error);
}

static const pdr_log_reader_events settle_events = {on_records, on_end, on_failed};

pdr_code pdr_own_settle_open(pdr_owner *o, pdr_position from, int64_t first, int64_t target, pdr_error *err)
{
    pdr_own_settle *s = &o->settle;
    memset(s, 0, sizeof *s);
    pdr_walk_init(&s->walk, from);
    s->target = target;
    s->foreign_offset = -1;
    return o->log->ops->reader_open(o->log, o->config.partition, first, &settle_events, o, &s->reader, err);
}
