/* Fuzzy checkpoints: entities with unsaved events wait in a queue ordered by their first unsaved offset; a
 * due entity's newest state is encoded at once and handed to the store when its last event is acknowledged; a
 * batch is saved in one statement, and the checkpoint moves to just before the queue's new head. Passivation
 * lives here too: only what is saved may leave. */
#include "journal/owner_core.h"

enum { SWEEP = 64, SWEEP_US = 10000, GATHER_US = 100000, GATHER_ENOUGH = 256 };
/* Bytes of one save: with the largest state on top, well below what a store takes in one operation. */
enum { SAVE_BYTES = 64 * 1024 * 1024 };

/* --- the dirty queue --- */

void pdr_own_dirty_push(pdr_owner *o, pdr_entity *e, pdr_place from)
{
    e->flags |= PDR_ENTITY_DIRTY;
    e->dirty_from = from;
    e->dirty_at_ms = pdr_own_clock_ms(o);
    e->unsaved = 0;
    e->dirty_next = NULL;
    e->dirty_prev = o->dirty_last;
    if (o->dirty_last)
        o->dirty_last->dirty_next = e;
    else
        o->dirty_first = e;
    o->dirty_last = e;
    o->dirty_count++;
}

void pdr_own_dirty_remove(pdr_owner *o, pdr_entity *e)
{
    if (!(e->flags & PDR_ENTITY_DIRTY)) return;
    if (e->dirty_prev)
        e->dirty_prev->dirty_next = e->dirty_next;
    else
        o->dirty_first = e->dirty_next;
    if (e->dirty_next)
        e->dirty_next->dirty_prev = e->dirty_prev;
    else
        o->dirty_last = e->dirty_prev;
    e->dirty_prev = e->dirty_next = NULL;
    e->flags &= (uint16_t)~PDR_ENTITY_DIRTY;
    e->unsaved = 0;
    o->dirty_count--;
}

void pdr_own_note_hot(pdr_owner *o, pdr_entity *e)
{
    /* Out of memory only means that its age will bring it. */
    if (!(e->flags & PDR_ENTITY_HOT) && pdr_own_entities_push(&o->hot, e) == PDR_OK)
        e->flags |= PDR_ENTITY_HOT;
}

/* --- encoding --- */

static pdr_own_item *make_item(pdr_owner *o, pdr_entity *e, pdr_error *err)
{
    pdr_buf packed = PDR_BUF_INIT(PDR_MAX_STATE);
    pdr_bytes ids = pdr_ids_packed(e->ids);
    pdr_code code = e->state.value ? pdr_state_pack(&e->state, e->folder, &packed, err) : PDR_OK;
    pdr_own_item *item = NULL;
    if (code == PDR_BAD_HANDLER || code == PDR_TOO_LARGE) {
        pdr_own_break_entity(o, e, code, err); /* its head is saved all the same */
        pdr_buf_clear(&packed);
        code = PDR_OK;
    }
    if (code == PDR_OK) item = pdr_alloc(sizeof *item + ids.size + packed.size);
    if (item) {
        const pdr_entity_type *type = e->folder ? pdr_folder_type(e->folder) : NULL;
        bool timer = type && type->next_timer && e->state.value;
        *item = (pdr_own_item){.entity = e,
                               .seq = e->seq,
                               .number = e->sent,
                               .timer_us = timer ? type->next_timer(e->state.value) : PDR_NO_TIMER,
                               .ids_size = ids.size,
                               .state_size = packed.size,
                               .has_state = e->state.value != NULL};
        if (ids.size) memcpy(item->bytes, ids.data, ids.size);
        if (packed.size) memcpy(item->bytes + ids.size, packed.data, packed.size);
    }
    pdr_buf_release(&packed);
    return item;
}

void pdr_own_hand_over(pdr_owner *o, pdr_own_item *item)
{
    pdr_entity *e = item->entity;
    item->last = e->last;
    if (e->flags & PDR_ENTITY_QUEUED) o->queued_count--;
    e->flags = (uint16_t)((e->flags & ~PDR_ENTITY_QUEUED) | PDR_ENTITY_SAVING);
    pdr_own_dirty_remove(o, e);
    item->next = NULL;
    if (o->batch_last)
        o->batch_last->next = item;
    else
        o->batch = item;
    o->batch_last = item;
    if (o->batch_count++ == 0) o->batch_since = o->now;
}

/* The entity is due: encode it as it is now. */
static void encode(pdr_owner *o, pdr_entity *e)
{
    pdr_error err;
    pdr_own_item *item = make_item(o, e, &err);
    if (!item) return; /* out of memory: it stays due */
    o->gathered_bytes += item->ids_size + item->state_size;
    if (e->sent <= o->acked || !PDR_RULE(SAVE_ON_ACK)) {
        pdr_own_hand_over(o, item);
        return;
    }
    e->flags |= PDR_ENTITY_QUEUED;
    o->queued_count++;
    pdr_own_pending_of(o, e->sent)->item = item;
}

/* --- what is due --- */

uint64_t pdr_own_scan_distance(const pdr_owner *o)
{
    int64_t from = o->row.checkpoint.offset, to = o->known;
    return o->state == PDR_OWNER_SERVING && to > from ? (uint64_t)(to - from) : 0;
}

static bool is_far_behind(const pdr_owner *o)
{
    return pdr_own_scan_distance(o) > o->config.settings.scan_limit / 2;
}

static bool presses(const pdr_owner *o)
{
    return is_far_behind(o) || o->resident_bytes > o->config.settings.resident_bytes;
}

/* The save under way and the next one's batch are all there is. */
static bool has_room(const pdr_owner *o)
{
    return o->batch_count + o->queued_count < o->config.settings.save_batch && o->gathered_bytes < SAVE_BYTES;
}

static bool is_old(const pdr_owner *o, const pdr_entity *e)
{
    return (int64_t)(pdr_own_clock_ms(o) - e->dirty_at_ms) * 1000 >= o->config.settings.snapshot_age_us;
}

/* true: there is room for more in the batch. */
static bool take_due(pdr_owner *o, pdr_entity *e)
{
    if (e->flags & (PDR_ENTITY_QUEUED | PDR_ENTITY_SAVING)) return true;
    if (e->flags & PDR_ENTITY_READY)
        encode(o, e);
    else if (!(e->flags & PDR_ENTITY_ACTIVATING))
        pdr_own_activate(o, e);
    return has_room(o);
}

static void collect_hot(pdr_owner *o)
{
    while (o->hot.count && has_room(o)) {
        pdr_entity *e = o->hot.items[--o->hot.count];
        e->flags &= (uint16_t)~PDR_ENTITY_HOT;
        if (e->flags & PDR_ENTITY_DIRTY && !take_due(o, e)) return;
    }
}

static void collect_due(pdr_owner *o, bool all)
{
    bool checkpointing = o->config.settings.checkpointing || all;
    size_t looked_up_at_most = 2 * (size_t)o->config.settings.save_batch;
    if (!has_room(o)) return;
    if (checkpointing) collect_hot(o);
    for (pdr_entity *e = o->dirty_first, *next; e; e = next) {
        next = e->dirty_next;
        bool due = all || presses(o) || (checkpointing && is_old(o, e));
        if (!due || o->to_lookup.count >= looked_up_at_most || !take_due(o, e)) return;
    }
}

/* --- saving --- */

static pdr_position covered(const pdr_owner *o)
{
    if (o->dirty_first) return pdr_place_position(o->dirty_first->dirty_from);
    return o->state == PDR_OWNER_SCANNING ? o->scan.walk.at : pdr_place_position(o->run);
}

static void fill_head(pdr_head *head, const pdr_own_item *item)
{
    const pdr_entity *e = item->entity;
    *head = (pdr_head){.key = pdr_entity_key(e),
                       .seq = item->seq,
                       .last = pdr_place_position(item->last),
                       .ids = pdr_bytes_of(item->bytes, item->ids_size),
                       .timer_us = item->timer_us,
                       .revision = e->folder ? pdr_folder_revision(e->folder) : 0,
                       .state_seq = item->seq,
                       .state = item->has_state ? pdr_bytes_of(item->bytes + item->ids_size, item->state_size)
                                                : pdr_bytes_of(NULL, 0)};
}

static void free_items(pdr_own_item *items)
{
    for (pdr_own_item *next; items; items = next) {
        next = items->next;
        pdr_free(items);
    }
}

static void save_landed(pdr_owner *o)
{
    for (pdr_own_item *i = o->saving; i; i = i->next)
        i->entity->flags &= (uint16_t)~PDR_ENTITY_SAVING;
    free_items(o->saving);
    o->saving = NULL;
    o->save_unknown = false;
    o->row.stamp.saves++;
    o->row.checkpoint = o->saving_checkpoint;
    if (o->saving_seen.offset > o->row.seen.offset) o->row.seen = o->saving_seen;
    o->new_schema_count -= o->saving_schema_count;
    if (o->saving_schema_count)
        memmove(o->new_schemas, o->new_schemas + o->saving_schema_count,
                o->new_schema_count * sizeof *o->new_schemas);
    o->saving_schema_count = 0;
    o->ids_unsaved = false;
    o->saved_at = o->now;
    if (o->state == PDR_OWNER_SERVING && o->now - o->served_since > 4 * o->backoff) o->backoff = 0;
}

/* What became of a save whose connection broke: the row tells. */
static void on_settled(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_owner *o = context;
    (void)tag;
    o->save_under_way = false;
    const pdr_stamp *mine = &o->row.stamp, *row = &result->row.stamp;
    if (result->code != PDR_OK) {
        o->save_after = o->now + o->config.settings.backoff_min_us;
        return;
    }
    bool same =
        memcmp(mine->store_id, row->store_id, PDR_ID_SIZE) == 0 && pdr_term_equal(mine->term, row->term);
    if (same && row->saves == mine->saves + 1) {
        save_landed(o);
    } else {
        /* It didn't land, and may yet: only a new term shuts it out. */
        pdr_own_recover(o, PDR_STALE, "a save of unknown outcome isn't in the store");
    }
}

static void settle_save(pdr_owner *o)
{
    pdr_error err;
    pdr_code code = o->store->ops->load(o->store, o->config.partition, on_settled, o, 0, &err);
    o->save_under_way = code == PDR_OK;
    if (code != PDR_OK) o->save_after = o->now + o->config.settings.backoff_min_us;
}

static void on_saved(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_owner *o = context;
    (void)tag;
    o->save_under_way = false;
    if (result->code == PDR_OK) {
        save_landed(o);
        return;
    }
    if (result->code == PDR_STALE) {
        o->counters.refused_saves++;
        pdr_own_recover(o, PDR_STALE, "a save was refused: the store was changed by another");
        return;
    }
    pdr_own_trace(o, PDR_LEVEL_WARN, "save: %s", result->error->message);
    if (result->code == PDR_UNKNOWN_OUTCOME) {
        o->counters.unknown_saves++;
        o->save_unknown = true;
        if (o->rebuilding) { /* another rebuild may save under the same triple: begin again from the row */
            pdr_own_recover(o, PDR_UNKNOWN_OUTCOME, "a rebuild's save has an unknown outcome");
            return;
        }
    }
    o->save_after = o->now + o->config.settings.backoff_min_us;
}

static pdr_code submit_save(pdr_owner *o, pdr_error *err)
{
    size_t count = 0;
    for (pdr_own_item *i = o->saving; i; i = i->next)
        count++;
    pdr_head *heads = pdr_alloc(count * sizeof *heads);
    pdr_schema_row *schemas = NULL;
    pdr_code code = heads ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a save of %zu heads", count);
    if (code == PDR_OK) code = pdr_own_schema_rows(o, o->saving_schema_count, &schemas, err);
    if (code == PDR_OK) {
        count = 0;
        for (pdr_own_item *i = o->saving; i; i = i->next)
            fill_head(&heads[count++], i);
        pdr_save save = {o->row.stamp, o->saving_checkpoint,  o->saving_seen, heads, count,
                         schemas,      o->saving_schema_count};
        code = o->store->ops->save(o->store, o->config.partition, &save, on_saved, o, 0, err);
    }
    pdr_free(heads);
    pdr_free(schemas);
    return code;
}

static void send_save(pdr_owner *o)
{
    pdr_error err;
    pdr_code code = submit_save(o, &err);
    o->save_under_way = code == PDR_OK;
    if (code == PDR_OK) {
        o->counters.saves++;
        return;
    }
    pdr_own_trace(o, PDR_LEVEL_WARN, "save: %s", err.message);
    o->save_after = o->now + o->config.settings.backoff_min_us;
}

static void start_save(pdr_owner *o)
{
    o->saving = o->batch;
    o->batch = o->batch_last = NULL;
    o->counters.saved_heads += o->batch_count;
    o->batch_count = 0;
    o->saving_checkpoint = covered(o);
    o->saving_seen = o->row.seen;
    o->saving_schema_count = o->new_schema_count;
    for (pdr_own_item *i = o->saving; i; i = i->next) {
        o->gathered_bytes -= i->ids_size + i->state_size;
        if (i->last.offset > o->saving_seen.offset) o->saving_seen = pdr_place_position(i->last);
    }
    send_save(o);
}

static bool wants_save(const pdr_owner *o, bool forced)
{
    if (o->batch_count)
        return forced || presses(o) || o->batch_count >= GATHER_ENOUGH ||
               o->now - o->batch_since >= GATHER_US;
    if (o->ids_unsaved && !o->queued_count) return true;
    int64_t behind = covered(o).offset - o->row.checkpoint.offset;
    if (behind <= 0 || o->queued_count) return false;
    return forced || is_far_behind(o) ||
           (o->config.settings.checkpointing && o->now - o->saved_at >= o->config.settings.snapshot_age_us);
}

void pdr_own_save_turn(pdr_owner *o, bool forced)
{
    collect_due(o, forced);
    if (o->save_under_way || o->now < o->save_after) return;
    if (o->save_unknown)
        settle_save(o);
    else if (o->saving)
        send_save(o); /* it wasn't carried out: again, as it was */
    else if (wants_save(o, forced))
        start_save(o);
}

bool pdr_own_save_is_idle(const pdr_owner *o)
{
    return !o->save_under_way && !o->saving && !o->batch && !o->queued_count;
}

int64_t pdr_own_save_due(const pdr_owner *o)
{
    if (o->save_under_way) return INT64_MAX;
    int64_t due = INT64_MAX;
    if (o->saving || o->save_unknown) due = o->save_after;
    if (o->ids_unsaved && !o->queued_count && o->save_after < due) due = o->save_after;
    if (o->batch && o->batch_since + GATHER_US < due) due = o->batch_since + GATHER_US;
    if (!o->config.settings.checkpointing) return due;
    if (o->dirty_first) {
        int64_t age = (int64_t)(pdr_own_clock_ms(o) - o->dirty_first->dirty_at_ms) * 1000;
        int64_t at = o->now + o->config.settings.snapshot_age_us - age;
        if (at < due) due = at;
    } else if (o->run.offset > o->row.checkpoint.offset &&
               o->saved_at + o->config.settings.snapshot_age_us < due) {
        due = o->saved_at + o->config.settings.snapshot_age_us;
    }
    return due;
}

/* A recovery begins: nothing that was encoded goes to the store any more; a save under way lands or not, and
 * the claim tells. */
void pdr_own_drop_saves(pdr_owner *o)
{
    free_items(o->batch);
    free_items(o->saving);
    o->batch = o->batch_last = o->saving = NULL;
    o->batch_count = o->queued_count = o->gathered_bytes = 0;
    o->save_under_way = o->save_unknown = false;
    o->saving_schema_count = 0;
}

/* --- passivation --- */

void pdr_own_account(pdr_owner *o, pdr_entity *e)
{
    size_t bytes = pdr_entity_bytes(e);
    if (bytes > UINT32_MAX) bytes = UINT32_MAX;
    o->resident_bytes = o->resident_bytes - e->accounted + bytes;
    e->accounted = (uint32_t)bytes;
}

bool pdr_own_evictable(const pdr_entity *e)
{
    return (e->flags & ~(PDR_ENTITY_READY | PDR_ENTITY_BROKEN)) == 0 && e->open == 0 && !e->waiting;
}

void pdr_own_evict(pdr_owner *o, pdr_entity *e)
{
    o->resident_bytes -= e->accounted;
    pdr_entity_remove(&o->table, e);
}

void pdr_own_passivate(pdr_owner *o)
{
    const pdr_owner_settings *s = &o->config.settings;
    bool press = o->resident_bytes > s->resident_bytes;
    if (!press && o->now < o->sweep_at) return;
    o->sweep_at = o->now + SWEEP_US;
    uint32_t now_s = pdr_own_clock_s(o);
    for (size_t i = 0; i < SWEEP && o->table.count; i++) {
        o->table.hand = (o->table.hand + 1) & o->table.mask;
        pdr_entity *e = pdr_entity_at(&o->table, o->table.hand);
        if (!e || !pdr_own_evictable(e) || e->sent > o->acked) continue;
        bool idle = (int64_t)(now_s - e->used_at_s) * 1000000 >= s->idle_us;
        if (!idle && !press && !(e->flags & PDR_ENTITY_BROKEN)) continue;
        pdr_own_evict(o, e);
        o->counters.passivations++;
    }
}
