/* Events after the checkpoint, from a recovery's scan: kept by entity until the entity is activated. A tail
 * longer than the limit is applied and saved as it is read, in bounded memory. */
#include "journal/owner_core.h"

enum { BLOCK = 256 * 1024 };

typedef struct pdr_own_block {
    struct pdr_own_block *next;
    size_t used, size;
    uint8_t bytes[];
} pdr_own_block;

static void *block_alloc(pdr_owner *o, size_t size)
{
    size = (size + 7) & ~(size_t)7;
    pdr_own_block *b = o->tail_blocks;
    if (!b || b->size - b->used < size) {
        size_t capacity = size > BLOCK ? size : BLOCK;
        b = pdr_alloc(sizeof *b + capacity);
        if (!b) return NULL;
        *b = (pdr_own_block){o->tail_blocks, 0, capacity};
        o->tail_blocks = b;
        o->tail_bytes += capacity;
    }
    void *p = b->bytes + b->used;
    b->used += size;
    return p;
}

void pdr_own_tail_release(pdr_owner *o)
{
    for (pdr_own_block *b = o->tail_blocks, *next; b; b = next) {
        next = b->next;
        pdr_free(b);
    }
    o->tail_blocks = NULL;
    o->tail_bytes = 0;
    o->tail_entities = 0;
}

static pdr_tail_event *copy_event(pdr_owner *o, const pdr_commit_event *event)
{
    const pdr_header *h = event->header;
    pdr_bytes value = event->record->entry.value;
    bool last = h->index + 1 == h->count;
    size_t id = last ? h->id.size : 0, reply = last ? h->reply.size : 0;
    pdr_tail_event *t = block_alloc(o, sizeof *t + value.size + id + reply);
    if (!t) return NULL;
    *t = (pdr_tail_event){NULL,
                          h->seq,
                          h->time_us,
                          h->fingerprint,
                          (uint32_t)value.size,
                          last ? h->count : 0,
                          (uint16_t)id,
                          (uint16_t)reply,
                          last && h->has_reply};
    if (value.size) memcpy(t->bytes, value.data, value.size);
    if (id) memcpy(t->bytes + value.size, h->id.data, id);
    if (reply) memcpy(t->bytes + value.size + id, h->reply.data, reply);
    return t;
}

static pdr_code seq_gap(const pdr_owner *o, const pdr_entity *e, uint64_t have, uint64_t next, pdr_error *err)
{
    return pdr_fail(err, PDR_CORRUPT,
                    "seq-contiguous: partition %d, entity %.*s: event %llu follows event %llu",
                    o->config.partition, (int)e->key_size, (const char *)e->key, (unsigned long long)next,
                    (unsigned long long)have);
}

/* The entity's shell for tail events. */
static pdr_code shell_of(pdr_owner *o, const pdr_commit_event *event, pdr_place before, pdr_entity **out)
{
    pdr_bytes key = event->record->entry.key;
    uint64_t hash = pdr_key_hash(key);
    pdr_entity *e = *out = pdr_entity_find(&o->table, key, hash);
    if (e) return PDR_OK;
    pdr_code code = pdr_entity_add(&o->table, key, hash, &e);
    if (code != PDR_OK) return code;
    e->flags = PDR_ENTITY_TAIL;
    e->used_at_s = pdr_own_clock_s(o);
    o->tail_entities++;
    pdr_own_account(o, e);
    pdr_own_dirty_push(o, e, before);
    *out = e;
    return PDR_OK;
}

static pdr_code add_event(pdr_owner *o, const pdr_commit_event *event, pdr_place before, const pdr_term *term,
                          pdr_error *err)
{
    pdr_entity *e;
    pdr_code code = shell_of(o, event, before, &e);
    if (code != PDR_OK) return pdr_fail(err, code, "unsaved events of a recovery");
    const pdr_header *h = event->header;
    if (e->tail && h->seq != e->seq + 1) return seq_gap(o, e, e->seq, h->seq, err);
    pdr_tail_event *t = copy_event(o, event);
    if (!t) return pdr_fail(err, PDR_NOMEM, "unsaved events of a recovery");
    t->next = e->tail;
    e->tail = t;
    e->last = (pdr_place){event->record->offset, h->number, term};
    e->seq = e->acked_seq = h->seq;
    e->unsaved++;
    return PDR_OK;
}

static pdr_code on_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                          pdr_error *err)
{
    pdr_owner *o = context;
    const pdr_term *before_term = before.offset < 0 ? NULL : pdr_own_intern(o, before.term);
    const pdr_term *term = pdr_own_intern(o, o->scan.walk.term);
    if (!term || (before.offset >= 0 && !before_term))
        return pdr_fail(err, PDR_NOMEM, "unsaved events of a recovery");
    pdr_place place = {before.offset, before.number, before_term};
    for (size_t i = 0; i < count; i++) {
        pdr_code code = add_event(o, &events[i], place, term, err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static pdr_code check_fence(pdr_owner *o, const pdr_header *fence, int64_t offset, pdr_error *err)
{
    if (memcmp(fence->journal_id, o->config.journal_id, sizeof fence->journal_id) != 0)
        return pdr_fail(err, PDR_WRONG_JOURNAL,
                        "partition %d: the FENCE at offset %lld belongs to another journal than the store",
                        o->config.partition, (long long)offset);
    if (fence->partitions != o->config.partitions)
        return pdr_fail(
            err, PDR_WRONG_JOURNAL,
            "partition %d: the FENCE at offset %lld was written for %d partitions; this journal has %d",
            o->config.partition, (long long)offset, fence->partitions, o->config.partitions);
    return PDR_OK;
}

static pdr_code on_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err)
{
    pdr_owner *o = context;
    if (verdict == PDR_VERDICT_VOID) o->voids_told++;
    if (verdict == PDR_VERDICT_SCHEMA) return pdr_own_meet_schema(o, record, err);
    if (verdict == PDR_VERDICT_MALFORMED)
        pdr_own_trace(o, PDR_LEVEL_WARN, "the record at offset %lld has a malformed header: void",
                      (long long)record->offset);
    if (verdict != PDR_VERDICT_FENCE) return PDR_OK;
    if (o->scan.voids > o->voids_told) o->counters.torn_commits++;
    o->voids_told = o->scan.voids;
    if (record->offset > o->run_before.offset && !pdr_own_is_own_incarnation(o, header->term.incarnation))
        o->foreign = true;
    return check_fence(o, header, record->offset, err);
}

const pdr_commit_sink pdr_own_tail_sink = {on_commit, on_other};

/* --- merging into an activated head --- */

static pdr_code remember_id(pdr_entity *e, const pdr_tail_event *t)
{
    if (t->events == 0 || t->id_size == 0) return PDR_OK;
    pdr_id_entry entry = {pdr_bytes_of(t->bytes + t->value_size, t->id_size),
                          t->fingerprint,
                          t->seq,
                          t->events,
                          t->has_reply,
                          pdr_bytes_of(t->bytes + t->value_size + t->id_size, t->reply_size)};
    return pdr_ids_add(&e->ids, pdr_own_id_window(e), &entry);
}

static pdr_code merge_event(pdr_owner *o, pdr_entity *e, const pdr_tail_event *t, pdr_error *err)
{
    if (t->seq != e->seq + 1) return seq_gap(o, e, e->seq, t->seq, err);
    pdr_code code = remember_id(e, t);
    if (code != PDR_OK) return pdr_fail(err, code, "unsaved events of a recovery");
    if (e->state.value) {
        pdr_error why;
        code = pdr_state_fold(&e->state, e->folder, pdr_bytes_of(t->bytes, t->value_size), t->seq, t->time_us,
                              o->config.settings.check_handlers, &o->scratch, &why);
        if (code != PDR_OK) pdr_own_break_entity(o, e, code, &why);
    }
    e->seq = t->seq;
    return PDR_OK;
}

static pdr_tail_event *oldest_first(pdr_tail_event *newest)
{
    pdr_tail_event *list = NULL;
    for (pdr_tail_event *older; newest; newest = older) {
        older = newest->next;
        newest->next = list;
        list = newest;
    }
    return list;
}

pdr_code pdr_own_tail_merge(pdr_owner *o, pdr_entity *e, pdr_error *err)
{
    uint64_t head_seq = e->seq, tail_seq = e->tail->seq;
    pdr_tail_event *t = oldest_first(e->tail);
    e->flags &= (uint16_t)~PDR_ENTITY_TAIL;
    e->tail = NULL;
    o->tail_entities--;
    pdr_code code = PDR_OK;
    for (; t && code == PDR_OK; t = t->next)
        if (t->seq > head_seq) code = merge_event(o, e, t, err);
    if (o->tail_entities == 0) pdr_own_tail_release(o);
    if (code != PDR_OK) return code;
    e->acked_seq = e->seq;
    if (tail_seq <= head_seq) pdr_own_dirty_remove(o, e); /* a save was there before the checkpoint moved */
    return PDR_OK;
}

/* --- a long tail --- */

/* Everything read so far is saved, then forgotten, then reading goes on. */
void pdr_own_tail_turn(pdr_owner *o)
{
    pdr_own_save_turn(o, true);
    pdr_own_send_lookups(o);
    pdr_own_start_seeks(o);
    pdr_own_start_catchups(o);
    if (o->state != PDR_OWNER_SCANNING || o->dirty_first || !pdr_own_save_is_idle(o) ||
        o->lookups_under_way || o->to_lookup.count || o->row.checkpoint.offset < o->scan.walk.at.offset)
        return;
    pdr_own_drop_residents(o);
    o->saving_tail = false;
    o->deadline = o->now + o->config.settings.store_timeout_us;
    if (o->scan_done)
        pdr_own_recovery_advance(o);
    else
        o->log->ops->reader_pause(o->scan_reader, false);
}
