/* A partition's entities. When they take more than the partition's share of the memory, the half of them that
 * has the next bit of its hash set is left for another pass. */
#include "base/mem.h"
#include "journal/command.h"
#include "replay/verify_core.h"

enum { FIRST_SLOTS = 64 };

void *verify_list_add(verify_list *list, size_t size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        void *grown = pdr_realloc(list->items, capacity * size);
        if (!grown) return NULL;
        list->items = grown;
        list->capacity = capacity;
    }
    return (uint8_t *)list->items + size * list->count++;
}

/* Slots are found by the lower bits. */
bool verify_in_pass(const verify_part *part, uint64_t hash)
{
    return ((uint32_t)(hash >> 32) & part->slice.mask) == part->slice.value;
}

static void put(verify_entity **slots, size_t mask, verify_entity *e)
{
    size_t at = (size_t)e->hash & mask;
    while (slots[at])
        at = (at + 1) & mask;
    slots[at] = e;
}

static bool has_room(verify_part *part)
{
    if (part->slots && 2 * (part->count + 1) <= part->mask + 1) return true;
    size_t room = part->slots ? 2 * (part->mask + 1) : FIRST_SLOTS;
    verify_entity **slots = pdr_calloc(room, sizeof(verify_entity *));
    if (!slots) return false;
    for (size_t i = 0; part->slots && i <= part->mask; i++)
        if (part->slots[i]) put(slots, room - 1, part->slots[i]);
    pdr_free(part->slots);
    part->slots = slots;
    part->mask = room - 1;
    return true;
}

verify_entity *verify_find(const verify_part *part, pdr_bytes key, uint64_t hash)
{
    if (!part->slots) return NULL;
    for (size_t at = (size_t)hash & part->mask; part->slots[at]; at = (at + 1) & part->mask) {
        verify_entity *e = part->slots[at];
        if (e->hash == hash && pdr_bytes_equal(verify_key(e), key)) return e;
    }
    return NULL;
}

verify_entity *verify_add(verify_part *part, pdr_bytes key, uint64_t hash)
{
    verify_entity *e = has_room(part) ? pdr_calloc(1, sizeof *e + key.size) : NULL;
    if (!e) return NULL;
    e->hash = hash;
    e->base = 1;
    e->term_offset = -1;
    e->key_size = (uint32_t)key.size;
    memcpy(e->key, key.data, key.size);
    put(part->slots, part->mask, e);
    part->count++;
    return e;
}

void verify_account(verify_part *part, verify_entity *e)
{
    size_t bytes = sizeof *e + e->key_size + 4 * sizeof e + e->offset_capacity * sizeof *e->offsets;
    if (e->ids) bytes += sizeof *e->ids + e->ids->capacity;
    if (e->head) bytes += sizeof *e->head + e->head->ids_size + e->head->state_size;
    if (e->state.value) bytes += e->state.arena.held;
    part->used = part->used - e->bytes + bytes;
    e->bytes = bytes;
}

static void free_entity(verify_part *part, verify_entity *e)
{
    part->used -= e->bytes;
    if (e->state.value) pdr_state_release(&e->state);
    if (e->head) pdr_free(e->head->bytes);
    pdr_free(e->head);
    pdr_ids_free(e->ids);
    pdr_free(e->offsets);
    pdr_free(e);
}

void verify_forget(verify_part *part)
{
    for (size_t i = 0; part->slots && i <= part->mask; i++)
        if (part->slots[i]) free_entity(part, part->slots[i]);
    pdr_free(part->slots);
    part->slots = NULL;
    part->mask = part->count = 0;
}

/* Those that aren't in the pass any more go. */
static void keep_those_in(verify_part *part, verify_entity **slots)
{
    verify_entity **old = part->slots;
    part->slots = slots;
    part->count = 0;
    for (size_t i = 0; i <= part->mask; i++) {
        if (!old[i]) continue;
        if (verify_in_pass(part, old[i]->hash)) {
            put(part->slots, part->mask, old[i]);
            part->count++;
        } else {
            free_entity(part, old[i]);
        }
    }
    pdr_free(old);
}

pdr_code verify_make_room(verify_part *part, pdr_error *err)
{
    while (part->used > part->verify->share && part->count > 1 && part->slice.mask != UINT32_MAX) {
        verify_entity **slots = pdr_calloc(part->mask + 1, sizeof(verify_entity *));
        if (!slots) return pdr_fail(err, PDR_NOMEM, "%zu entities", part->count);
        uint32_t mask = part->slice.mask << 1 | 1;
        int64_t told = part->now > part->slice.told ? part->now : part->slice.told;
        part->left[part->left_count++] =
            (verify_slice){mask, part->slice.value | (mask ^ part->slice.mask), told};
        part->slice.mask = mask;
        keep_those_in(part, slots);
    }
    return PDR_OK;
}
