/* Activation: tail events in memory, else one batched look-up for all entities that wait in a turn; never a
 * scan of the log. A state that is missing or older than its head is brought up by reading the entity's
 * history. */
#include "journal/owner_core.h"

enum { HISTORY_PERMITS = 4, HISTORY_BYTES = 64 * 1024 * 1024 };

void pdr_own_activate(pdr_owner *o, pdr_entity *e)
{
    if (pdr_own_entities_push(&o->to_lookup, e) == PDR_OK) {
        e->flags |= PDR_ENTITY_ACTIVATING;
        return;
    }
    pdr_own_recover(o, PDR_NOMEM, "out of memory while activating");
}

void pdr_own_break_entity(pdr_owner *o, pdr_entity *e, pdr_code code, const pdr_error *why)
{
    pdr_state_release(&e->state);
    e->flags |= PDR_ENTITY_BROKEN;
    o->counters.broken++;
    e->why = pdr_memdup(why, sizeof *why);
    if (e->why) e->why->code = code;
    pdr_own_trace(o, PDR_LEVEL_ERROR, "entity %.*s is unavailable: %s",
                  (int)(e->key_size > 200 ? 200 : e->key_size), (const char *)e->key, why->message);
}

/* The exact triple that this owner last saw, or that its own save under way will make. */
bool pdr_own_stamp_fits(const pdr_owner *o, const pdr_stamp *stamp, uint64_t since_saves)
{
    if (!PDR_RULE(STORE_TRIPLE)) return true;
    const pdr_stamp *mine = &o->row.stamp;
    if (memcmp(stamp->store_id, mine->store_id, PDR_ID_SIZE) != 0 || !pdr_term_equal(stamp->term, mine->term))
        return false;
    uint64_t newest = mine->saves + (o->save_under_way || o->save_unknown ? 1 : 0);
    return stamp->saves >= since_saves && stamp->saves <= newest;
}

/* --- becoming ready --- */

static bool merge_tail(pdr_owner *o, pdr_entity *e)
{
    pdr_error err;
    if (!(e->flags & PDR_ENTITY_TAIL) || pdr_own_tail_merge(o, e, &err) == PDR_OK) return true;
    pdr_own_recover_error(o, &err);
    return false;
}

static void serve_entity(pdr_owner *o, pdr_entity *e)
{
    e->flags = (uint16_t)((e->flags & ~PDR_ENTITY_ACTIVATING) | PDR_ENTITY_READY);
    o->counters.activations++;
    pdr_own_account(o, e);
    pdr_own_run_waiting(o, e);
}

static bool wait_for_tail_schema(pdr_owner *o, pdr_entity *e);

static void ready(pdr_owner *o, pdr_entity *e)
{
    if (wait_for_tail_schema(o, e)) return;
    if (merge_tail(o, e)) serve_entity(o, e);
}

/* Unavailable, but its head is known and will be saved. */
static void ready_broken(pdr_owner *o, pdr_entity *e, pdr_code code, const pdr_error *why)
{
    pdr_state_release(&e->state);
    if (!merge_tail(o, e)) return;
    pdr_own_break_entity(o, e, code, why);
    serve_entity(o, e);
}

/* --- history --- */

static void end_catchup(pdr_own_catchup *c)
{
    pdr_owner *o = c->owner;
    pdr_own_catchup **p = &o->catchups, *before = NULL;
    for (; *p != c; p = &(*p)->next)
        before = *p;
    *p = c->next;
    if (o->catchups_last == c) o->catchups_last = before;
    if (c->history) o->catchups_under_way--;
    pdr_history_close(c->history);
    pdr_free(c);
}

/* Its SCHEMA record is the one with this number of the term: at or behind this offset, and before the event.
 */
static pdr_code on_history_event(void *context, const pdr_log_record *record, const pdr_header *header,
                                 pdr_error *err)
{
    pdr_own_catchup *c = context;
    pdr_owner *o = c->owner;
    pdr_bytes value = record->entry.value;
    pdr_code code = pdr_state_fold(&c->entity->state, c->entity->folder, value, header->seq, header->time_us,
                                   o->config.settings.check_handlers, &o->scratch, err);
    uint64_t fingerprint;
    if (code == PDR_UNKNOWN_SCHEMA && pdr_folder_lacks(c->entity->folder, value, &fingerprint)) {
        c->lacks = true;
        c->seek = pdr_schema_seek_for(o->config.partition, value, fingerprint,
                                      header->term.offset + (int64_t)header->schema, record->offset);
    }
    return code;
}

/* It begins again later. */
static void drop_history(pdr_own_catchup *c)
{
    if (c->history) c->owner->catchups_under_way--;
    pdr_history_close(c->history);
    c->history = NULL;
    pdr_state_release(&c->entity->state);
}

/* The log can't be read for now (too many readers, a server away): it waits for its permit again. Out of
 * memory isn't of this kind: a state over its arena's ceiling never gets any. */
static bool try_later(pdr_own_catchup *c, const pdr_error *why)
{
    pdr_owner *o = c->owner;
    if (pdr_code_class(why->code) != PDR_CLASS_TRANSIENT || why->code == PDR_NOMEM) return false;
    pdr_own_trace(o, PDR_LEVEL_WARN, "history: %s", why->message);
    drop_history(c);
    o->catchup_after = o->now + o->config.settings.backoff_min_us;
    return true;
}

static void catchup_failed(pdr_own_catchup *c, const pdr_error *why)
{
    if (try_later(c, why)) return;
    if (c->lacks) {
        c->why = *why;
        drop_history(c);
        pdr_own_start_seeks(c->owner);
        return;
    }
    pdr_owner *o = c->owner;
    pdr_entity *e = c->entity;
    end_catchup(c);
    ready_broken(o, e, why->code, why);
}

static void on_history_done(void *context, pdr_code code, const pdr_error *error)
{
    pdr_own_catchup *c = context;
    pdr_owner *o = c->owner;
    pdr_entity *e = c->entity;
    if (code == PDR_OK) {
        end_catchup(c);
        ready(o, e);
    } else {
        pdr_error why = *error; /* it lives in the history */
        why.code = code;
        catchup_failed(c, &why);
    }
    if (o->state == PDR_OWNER_SERVING || o->state == PDR_OWNER_SCANNING) pdr_own_start_catchups(o);
}

static const pdr_history_events history_events = {on_history_event, on_history_done};

static pdr_code start_state(const pdr_own_catchup *c, pdr_error *err)
{
    pdr_entity *e = c->entity;
    if (!c->base_seq) return pdr_state_init(&e->state, e->folder, err);
    return pdr_state_load_as(&e->state, e->folder, c->base_revision, c->base, err);
}

static pdr_code start_catchup(pdr_own_catchup *c, pdr_error *err)
{
    pdr_owner *o = c->owner;
    pdr_history_spec spec = {.partition = o->config.partition,
                             .key = pdr_entity_key(c->entity),
                             .after_seq = c->base_seq,
                             .to_seq = c->head_seq,
                             .last = c->head_last,
                             .max_bytes = HISTORY_BYTES};
    pdr_code code = start_state(c, err);
    if (code == PDR_OK) code = pdr_history_open(&c->history, o->log, &spec, &history_events, c, err);
    return code;
}

void pdr_own_start_catchups(pdr_owner *o)
{
    if (o->now < o->catchup_after) return;
    for (pdr_own_catchup *c = o->catchups, *next; c && o->catchups_under_way < HISTORY_PERMITS; c = next) {
        pdr_error err;
        next = c->next;
        if (c->history || c->lacks) continue;
        if (start_catchup(c, &err) != PDR_OK) {
            catchup_failed(c, &err);
            if (o->now < o->catchup_after) return;
            continue;
        }
        o->catchups_under_way++;
        o->counters.history_reads++;
    }
}

/* First come, first served. NULL: out of memory, a recovery begins. */
static pdr_own_catchup *add_catchup(pdr_owner *o, pdr_entity *e, pdr_bytes base)
{
    pdr_own_catchup *c = pdr_alloc(sizeof *c + base.size);
    if (!c) {
        pdr_own_recover(o, PDR_NOMEM, "out of memory while activating");
        return NULL;
    }
    *c = (pdr_own_catchup){.owner = o, .entity = e};
    c->base = pdr_bytes_of(c + 1, base.size);
    if (base.size) memcpy(c + 1, base.data, base.size);
    if (o->catchups_last)
        o->catchups_last->next = c;
    else
        o->catchups = c;
    o->catchups_last = c;
    return c;
}

/* From the state that the look-up has found, if it is of an earlier seq; else from the beginning. */
static void bring_up(pdr_owner *o, pdr_entity *e, const pdr_head *head, bool has_base)
{
    pdr_own_catchup *c = add_catchup(o, e, has_base ? head->state : pdr_bytes_of(NULL, 0));
    if (!c) return;
    c->head_seq = head->seq;
    c->head_last = head->last;
    if (!has_base) return;
    c->base_seq = head->state_seq;
    c->base_revision = head->revision;
}

/* --- events of a tail whose schema isn't known --- */

/* The newest, as they are linked; events up to the head aren't folded any more. NULL: none. */
static const pdr_tail_event *unreadable(const pdr_entity *e, uint64_t *fingerprint)
{
    for (const pdr_tail_event *t = e->tail; t && t->seq > e->seq; t = t->next)
        if (pdr_folder_lacks(e->folder, pdr_bytes_of(t->bytes, t->value_size), fingerprint)) return t;
    return NULL;
}

/* Its SCHEMA record wasn't met by the scan, so it stands before the checkpoint, in the term in force there:
 * the store should have it, else that part of the log has. false: there is nothing to wait for. */
static bool wait_for_tail_schema(pdr_owner *o, pdr_entity *e)
{
    uint64_t fingerprint;
    if (!(e->flags & PDR_ENTITY_TAIL) || !e->state.value) return false;
    const pdr_tail_event *t = unreadable(e, &fingerprint);
    if (!t) return false;
    pdr_own_catchup *c = add_catchup(o, e, pdr_bytes_of(NULL, 0));
    if (!c) return true;
    pdr_event_list events;
    c->tail = c->lacks = true;
    pdr_bytes value = pdr_bytes_of(t->bytes, t->value_size);
    c->seek = pdr_schema_seek_for(o->config.partition, value, fingerprint, o->row.checkpoint.term.offset + 1,
                                  o->row.checkpoint.offset);
    pdr_arena_clear(&o->scratch);
    pdr_code code = pdr_folder_read(e->folder, value, t->seq, t->time_us, &o->scratch, &events, &c->why);
    if (code == PDR_OK) c->lacks = false; /* another owner of the same book has just met it */
    pdr_own_start_seeks(o);
    if (!c->lacks) pdr_own_schema_sought(c, true);
    return true;
}

void pdr_own_schema_sought(pdr_own_catchup *c, bool found)
{
    pdr_owner *o = c->owner;
    pdr_entity *e = c->entity;
    c->lacks = false;
    if (found && !c->tail) return; /* it begins again with the next permit */
    pdr_error why = c->why;
    end_catchup(c);
    if (found)
        ready(o, e);
    else
        ready_broken(o, e, why.code, &why);
}

/* --- look-ups --- */

/* A start that can't be read is no start: better to know before the history is read from there. */
static bool is_readable(const pdr_entity *e, const pdr_head *head)
{
    pdr_state state;
    pdr_error err;
    pdr_code code = pdr_state_load_as(&state, e->folder, head->revision, head->state, &err);
    if (code == PDR_OK) pdr_state_release(&state);
    return code == PDR_OK;
}

static void take_state(pdr_owner *o, pdr_entity *e, const pdr_head *head)
{
    pdr_error err;
    pdr_code code = PDR_OK;
    bool has_state = head && head->state.data && head->state_seq && head->state_seq <= head->seq;
    bool fits = has_state && (head->state_seq == head->seq || !PDR_RULE(HEAD_STATE));
    if (!e->folder) {
        ready(o, e);
        return;
    }
    if (!head)
        code = pdr_state_init(&e->state, e->folder, &err);
    else if (fits)
        code = pdr_state_load_as(&e->state, e->folder, head->revision, head->state, &err);
    if (code == PDR_NOMEM) { /* of this entity alone: its state may be over the ceiling */
        ready_broken(o, e, code, &err);
        return;
    }
    if (code != PDR_OK) fits = has_state = false; /* bytes that today's code can't read: the log can tell */
    if (has_state && (!fits || head->revision != pdr_folder_revision(e->folder))) o->counters.older_states++;
    if (!head || fits) {
        ready(o, e);
        return;
    }
    if (!head->state.data) o->counters.other_revisions++;
    bring_up(o, e, head, has_state && is_readable(e, head));
}

static void take_head(pdr_owner *o, pdr_entity *e, const pdr_head *head)
{
    pdr_error err;
    e->seq = head ? head->seq : 0;
    if (head) {
        const pdr_term *term = pdr_own_intern(o, head->last.term);
        pdr_code code = term ? pdr_ids_load(&e->ids, head->ids, &err)
                             : pdr_fail(&err, PDR_NOMEM, "out of memory while activating");
        if (code != PDR_OK) {
            pdr_own_recover_error(o, &err);
            return;
        }
        /* A tail's newest event is further on, unless the head was saved after the checkpoint moved. */
        if (!(e->flags & PDR_ENTITY_TAIL) || e->tail->seq <= head->seq) {
            e->acked_seq = head->seq;
            e->last = (pdr_place){head->last.offset, head->last.number, term};
        }
    }
    take_state(o, e, head);
}

static bool goes_on(const pdr_owner *o)
{
    return o->state == PDR_OWNER_SERVING || o->state == PDR_OWNER_SCANNING;
}

/* Heads come in any order and are found through the table; who was asked for and isn't among them has none.
 */
static void take_heads(pdr_owner *o, const pdr_own_lookup *l, const pdr_store_result *result)
{
    for (size_t i = 0; i < result->head_count && goes_on(o); i++) {
        const pdr_head *head = &result->heads[i];
        pdr_entity *e = pdr_entity_find(&o->table, head->key, pdr_key_hash(head->key));
        if (!e || !(e->flags & PDR_ENTITY_ASKED)) continue;
        e->flags &= (uint16_t)~PDR_ENTITY_ASKED;
        take_head(o, e, head);
    }
    for (size_t i = 0; i < l->count && goes_on(o); i++) {
        pdr_entity *e = l->entities[i];
        if (!(e->flags & PDR_ENTITY_ASKED)) continue;
        e->flags &= (uint16_t)~PDR_ENTITY_ASKED;
        take_head(o, e, NULL);
    }
}

static void unlink_lookup(pdr_owner *o, pdr_own_lookup *l)
{
    for (pdr_own_lookup **p = &o->lookups; *p; p = &(*p)->next) {
        if (*p != l) continue;
        *p = l->next;
        break;
    }
    o->lookups_under_way--;
}

/* The store can't say: those who wait are told, what is dirty is looked up again later. Tables that were
 * there when the owner began and are gone now come back: the store was lost and is being made again. */
static void lookup_failed(pdr_owner *o, const pdr_own_lookup *l, const pdr_error *told)
{
    pdr_error gone;
    const pdr_error *why = told;
    if (told->code == PDR_NOT_INITIALISED) {
        (void)pdr_fail(&gone, PDR_UNAVAILABLE, "the store is gone for now: %s", told->message);
        why = &gone;
    }
    o->lookup_after = o->now + o->config.settings.backoff_min_us;
    pdr_own_trace(o, PDR_LEVEL_WARN, "look-up: %s", why->message);
    for (size_t i = 0; i < l->count; i++) {
        pdr_entity *e = l->entities[i];
        e->flags &= (uint16_t) ~(PDR_ENTITY_ASKED | PDR_ENTITY_ACTIVATING);
        while (e->waiting) {
            pdr_cmd *cmd = e->waiting->next;
            if (cmd == e->waiting)
                e->waiting = NULL;
            else
                e->waiting->next = cmd->next;
            pdr_own_detach(cmd);
            pdr_own_answer_now(o, cmd, why->code, why);
        }
    }
}

static void on_found(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_owner *o = context;
    pdr_own_lookup *l = (pdr_own_lookup *)(uintptr_t)tag;
    unlink_lookup(o, l);
    if (result->code != PDR_OK) {
        lookup_failed(o, l, result->error);
    } else if (!pdr_own_stamp_fits(o, &result->row.stamp, l->saves)) {
        pdr_own_recover(o, PDR_STALE, "a look-up shows another store than the last save");
    } else {
        if (o->save_under_way) o->counters.activations_during_save += l->count;
        take_heads(o, l, result);
        pdr_own_start_catchups(o);
    }
    pdr_free(l);
}

static pdr_code send_lookup(pdr_owner *o, size_t count, pdr_error *err)
{
    pdr_own_lookup *l = pdr_alloc(sizeof *l + count * sizeof *l->entities);
    pdr_lookup_key *keys = pdr_alloc(count * sizeof *keys);
    if (!l || !keys) {
        pdr_free(l);
        pdr_free(keys);
        return pdr_fail(err, PDR_NOMEM, "a look-up of %zu entities", count);
    }
    *l = (pdr_own_lookup){o->lookups, o, o->row.stamp.saves, count};
    for (size_t i = 0; i < count; i++) {
        pdr_entity *e = o->to_lookup.items[i];
        if (!e->folder) e->folder = pdr_own_folder_of(o, pdr_entity_key(e));
        l->entities[i] = e;
        keys[i] = (pdr_lookup_key){pdr_entity_key(e), NULL, 0};
        if (e->folder)
            keys[i].revisions =
                pdr_state_chain_revisions(pdr_folder_states(e->folder), &keys[i].revision_count);
    }
    pdr_code code = o->store->ops->lookup(o->store, o->config.partition, keys, count, on_found, o,
                                          (uint64_t)(uintptr_t)l, err);
    pdr_free(keys);
    if (code != PDR_OK) {
        pdr_free(l);
        return code;
    }
    for (size_t i = 0; i < count; i++)
        l->entities[i]->flags |= PDR_ENTITY_ASKED;
    o->lookups = l;
    o->lookups_under_way++;
    return PDR_OK;
}

void pdr_own_send_lookups(pdr_owner *o)
{
    while (o->to_lookup.count && o->lookups_under_way < o->config.settings.lookup_permits &&
           o->now >= o->lookup_after) {
        pdr_error err;
        size_t count = o->to_lookup.count;
        if (count > o->config.settings.lookup_batch) count = o->config.settings.lookup_batch;
        pdr_code code = send_lookup(o, count, &err);
        if (code != PDR_OK) {
            pdr_own_trace(o, PDR_LEVEL_WARN, "look-up: %s", err.message);
            o->lookup_after = o->now + o->config.settings.backoff_min_us;
            return;
        }
        o->to_lookup.count -= count;
        memmove(o->to_lookup.items, o->to_lookup.items + count,
                o->to_lookup.count * sizeof *o->to_lookup.items);
    }
}

/* Completions were forgotten: nothing of this comes any more. */
void pdr_own_cancel_activations(pdr_owner *o)
{
    for (pdr_own_lookup *l = o->lookups, *next; l; l = next) {
        next = l->next;
        pdr_free(l);
    }
    o->lookups = NULL;
    o->lookups_under_way = 0;
    pdr_own_cancel_seeks(o);
    while (o->catchups)
        end_catchup(o->catchups);
    o->to_lookup.count = 0;
}
