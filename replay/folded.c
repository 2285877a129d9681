#include "replay/folded.h"

#include "base/mem.h"
#include "journal/command.h"

enum { FIRST_SLOTS = 64, TAG_SHIFT = 48 };
#define ADDRESS_MASK ((UINT64_C(1) << TAG_SHIFT) - 1)

static uint64_t slot_of(const pdr_folded *e, uint64_t hash)
{
    return ((uint64_t)(uintptr_t)e & ADDRESS_MASK) | (hash >> TAG_SHIFT) << TAG_SHIFT;
}

static pdr_folded *entity_of(uint64_t slot)
{
    return (pdr_folded *)(uintptr_t)(slot & ADDRESS_MASK);
}

void pdr_folded_init(pdr_folded_table *t, pdr_folded_room *room)
{
    *t = (pdr_folded_table){.room = room};
}

static void drop_state(pdr_folded_state *s, bool leaked)
{
    if (s->state.value && !leaked) pdr_state_release(&s->state);
    s->state.value = NULL;
    pdr_free(s->packed);
    s->packed = NULL;
    s->packed_size = 0;
}

void pdr_folded_forget(pdr_folded_table *t, pdr_folded *e, bool leaked)
{
    drop_state(&e->now, leaked);
    if (e->before) drop_state(e->before, leaked);
    pdr_folded_account(t, e);
    pdr_folded_drop_goal(t, e);
}

static size_t shell_bytes(const pdr_folded *e)
{
    return sizeof *e + e->key_size + (e->before ? sizeof *e->before : 0);
}

void pdr_folded_release(pdr_folded_table *t)
{
    for (pdr_folded *e = t->all, *next; e; e = next) {
        next = e->next;
        pdr_folded_forget(t, e, false);
        t->room->used -= shell_bytes(e);
        pdr_free(e->before);
        pdr_free(e->waiting);
        pdr_free(e);
    }
    if (t->slots) t->room->used -= (t->mask + 1) * sizeof *t->slots;
    pdr_free(t->slots);
    pdr_folded_init(t, t->room);
}

/* --- by id --- */

pdr_folded *pdr_folded_find(const pdr_folded_table *t, pdr_bytes key, uint64_t hash)
{
    if (!t->slots) return NULL;
    for (size_t at = (size_t)hash & t->mask; t->slots[at]; at = (at + 1) & t->mask) {
        if (t->slots[at] >> TAG_SHIFT != hash >> TAG_SHIFT) continue;
        pdr_folded *e = entity_of(t->slots[at]);
        if (e->key_size == key.size && memcmp(e->key, key.data, key.size) == 0) return e;
    }
    return NULL;
}

static void prefetch(const void *from, size_t size)
{
    for (size_t at = 0; at < size; at += 64)
        __builtin_prefetch((const char *)from + at);
}

/* The first slot only: nearly all are there, and the others are found a little later. The functions that ask
 * for memory ahead have an effect for gcc only through `volatile`. */
void pdr_folded_expect(const pdr_folded_table *t, uint64_t hash, pdr_folded_step step)
{
    enum { STATE_BYTES = 256 };
    if (!t->slots) return;
    const volatile uint64_t *slot = &t->slots[(size_t)hash & t->mask];
    if (step == PDR_FOLDED_SLOT) {
        prefetch((const void *)(uintptr_t)slot, 1);
        return;
    }
    uint64_t found = *slot;
    if (!found || found >> TAG_SHIFT != hash >> TAG_SHIFT) return;
    const pdr_folded *e = entity_of(found);
    if (step == PDR_FOLDED_ENTITY)
        prefetch(e, sizeof *e + 16);
    else if (e->now.state.value)
        prefetch(e->now.state.value, STATE_BYTES);
}

static void put_slot(pdr_folded_table *t, pdr_folded *e, uint64_t hash)
{
    size_t at = (size_t)hash & t->mask;
    while (t->slots[at])
        at = (at + 1) & t->mask;
    t->slots[at] = slot_of(e, hash);
}

static bool has_room(pdr_folded_table *t)
{
    size_t slots = t->slots ? t->mask + 1 : 0, wanted = slots ? 2 * slots : FIRST_SLOTS;
    if (2 * (t->count + 1) <= slots) return true;
    uint64_t *fresh = pdr_calloc(wanted, sizeof *fresh);
    if (!fresh) return false;
    pdr_free(t->slots);
    t->slots = fresh;
    t->mask = wanted - 1;
    t->room->used += (wanted - slots) * sizeof *fresh;
    for (pdr_folded *e = t->all; e; e = e->next)
        put_slot(t, e, pdr_key_hash(pdr_folded_key(e)));
    return true;
}

pdr_code pdr_folded_add(pdr_folded_table *t, pdr_bytes key, uint64_t hash, bool with_before, pdr_folded **out,
                        pdr_error *err)
{
    pdr_folded *e = has_room(t) ? pdr_calloc(1, sizeof *e + key.size) : NULL;
    if (e && with_before) e->before = pdr_calloc(1, sizeof *e->before);
    if (!e || (with_before && !e->before)) {
        pdr_free(e);
        return pdr_fail(err, PDR_NOMEM, "%zu entities", t->count);
    }
    e->key_size = (uint16_t)key.size;
    memcpy(e->key, key.data, key.size);
    e->next = t->all;
    t->all = e;
    t->count++;
    t->room->used += shell_bytes(e);
    put_slot(t, e, hash);
    *out = e;
    return PDR_OK;
}

/* --- snapshots to compare with --- */

pdr_code pdr_folded_aim(pdr_folded_table *t, pdr_folded *e, uint64_t revision, uint64_t seq, pdr_bytes packed,
                        pdr_error *err)
{
    pdr_folded_goal *goal = pdr_alloc(sizeof *goal + packed.size);
    if (!goal) return pdr_fail(err, PDR_NOMEM, "a snapshot of %zu bytes", packed.size);
    pdr_folded_drop_goal(t, e);
    *goal = (pdr_folded_goal){revision, seq, packed.size};
    if (packed.size) memcpy(goal->bytes, packed.data, packed.size);
    e->goal = goal;
    t->room->used += sizeof *goal + packed.size;
    return PDR_OK;
}

void pdr_folded_drop_goal(pdr_folded_table *t, pdr_folded *e)
{
    if (e->goal) t->room->used -= sizeof *e->goal + e->goal->size;
    pdr_free(e->goal);
    e->goal = NULL;
}

/* --- states --- */

static size_t state_bytes(const pdr_folded_state *s)
{
    return (s->state.value ? s->state.arena.held : 0) + (s->packed ? s->packed_size + sizeof(size_t) : 0);
}

void pdr_folded_account(pdr_folded_table *t, pdr_folded *e)
{
    size_t bytes = state_bytes(&e->now) + (e->before ? state_bytes(e->before) : 0);
    t->room->used += bytes - e->accounted;
    e->accounted = (uint32_t)bytes;
}

pdr_code pdr_folded_wake(pdr_folded_state *s, pdr_error *err)
{
    if (s->state.value) return PDR_OK;
    if (!s->packed) return pdr_state_init(&s->state, s->folder, err);
    pdr_code code = pdr_state_load(&s->state, s->folder, pdr_bytes_of(s->packed, s->packed_size), err);
    if (code != PDR_OK) return code;
    pdr_free(s->packed);
    s->packed = NULL;
    return PDR_OK;
}

pdr_code pdr_folded_pack(const pdr_folded_state *s, pdr_buf *out, pdr_error *err)
{
    if (s->state.value) return pdr_state_pack(&s->state, s->folder, out, err);
    return pdr_buf_append(out, s->packed, s->packed_size);
}

pdr_code pdr_folded_put_packed(pdr_folded_state *s, pdr_bytes packed, pdr_error *err)
{
    uint8_t *copy = pdr_memdup(packed.size ? packed.data : (const uint8_t *)"", packed.size);
    if (!copy || packed.size > UINT32_MAX) {
        pdr_free(copy);
        return pdr_fail(err, PDR_NOMEM, "a state of %zu bytes", packed.size);
    }
    drop_state(s, false);
    s->packed = copy;
    s->packed_size = (uint32_t)packed.size;
    return PDR_OK;
}

static pdr_code put_away(pdr_folded_state *s, pdr_buf *scratch, pdr_error *err)
{
    if (!s || !s->state.value) return PDR_OK;
    pdr_buf_clear(scratch);
    pdr_code code = pdr_folded_pack(s, scratch, err);
    return code == PDR_OK ? pdr_folded_put_packed(s, pdr_buf_bytes(scratch), err) : code;
}

pdr_code pdr_folded_sweep(pdr_folded_table *t, pdr_buf *scratch, pdr_folded **culprit, pdr_error *err)
{
    size_t enough = t->room->limit - t->room->limit / 4;
    for (size_t i = 0; i < 2 * t->count && t->room->used > enough; i++) {
        pdr_folded *e = t->hand ? t->hand : t->all;
        t->hand = e->next;
        if (e->flags & PDR_FOLDED_USED) {
            e->flags &= (uint16_t)~PDR_FOLDED_USED;
            continue;
        }
        pdr_code code = put_away(&e->now, scratch, err);
        if (code == PDR_OK) code = put_away(e->before, scratch, err);
        pdr_folded_account(t, e);
        *culprit = e;
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}
