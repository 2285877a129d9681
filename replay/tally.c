#include "replay/tally.h"

#define XXH_INLINE_ALL
#include <stdlib.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/order.h"

enum { FIRST_SLOTS = 256 };

void pdr_tally_init(pdr_tally *tally, size_t value_size)
{
    *tally = (pdr_tally){.value_size = (value_size + 7) & ~(size_t)7, .arena = PDR_ARENA_INIT(SIZE_MAX / 2)};
}

void pdr_tally_release(pdr_tally *tally)
{
    pdr_free(tally->slots);
    pdr_free(tally->entries);
    pdr_arena_release(&tally->arena);
    *tally = (pdr_tally){.value_size = tally->value_size, .arena = PDR_ARENA_INIT(SIZE_MAX / 2)};
}

static size_t slot_of(const pdr_tally *tally, pdr_bytes key, uint64_t hash)
{
    size_t i = hash & tally->mask;
    for (; tally->slots[i]; i = (i + 1) & tally->mask)
        if (tally->slots[i]->hash == hash && pdr_bytes_equal(pdr_tally_key(tally, tally->slots[i]), key))
            break;
    return i;
}

/* Room for one more, at most half full. */
static bool make_room(pdr_tally *tally)
{
    if (tally->count < tally->capacity) return true;
    size_t slots = tally->slots ? 2 * (tally->mask + 1) : FIRST_SLOTS;
    pdr_tally_entry **grown = pdr_calloc(slots, sizeof(pdr_tally_entry *));
    pdr_tally_entry **entries =
        grown ? pdr_realloc(tally->entries, slots / 2 * sizeof(pdr_tally_entry *)) : NULL;
    if (!entries) {
        pdr_free(grown);
        return false;
    }
    pdr_free(tally->slots);
    tally->slots = grown;
    tally->entries = entries;
    tally->mask = slots - 1;
    tally->capacity = slots / 2;
    for (size_t i = 0; i < tally->count; i++) {
        size_t slot = entries[i]->hash & tally->mask;
        while (grown[slot])
            slot = (slot + 1) & tally->mask;
        grown[slot] = entries[i];
    }
    return true;
}

void *pdr_tally_of(pdr_tally *tally, pdr_bytes key)
{
    uint64_t hash = XXH3_64bits(key.data, key.size);
    if (!make_room(tally)) return NULL;
    size_t slot = slot_of(tally, key, hash);
    if (tally->slots[slot]) return tally->slots[slot]->value;
    pdr_tally_entry *e =
        pdr_arena_calloc(&tally->arena, 1, sizeof(pdr_tally_entry) + tally->value_size + key.size);
    if (!e) return NULL;
    e->hash = hash;
    e->key_size = (uint32_t)key.size;
    if (key.size) memcpy(e->value + tally->value_size, key.data, key.size);
    tally->slots[slot] = e;
    tally->entries[tally->count++] = e;
    return e->value;
}

void *pdr_tally_find(const pdr_tally *tally, pdr_bytes key)
{
    if (!tally->slots) return NULL;
    pdr_tally_entry *e = tally->slots[slot_of(tally, key, XXH3_64bits(key.data, key.size))];
    return e ? e->value : NULL;
}

/* --- order --- */

typedef struct by {
    const pdr_tally *tally;
    pdr_tally_order order;
} by;

static int compare(const void *a, const void *b, void *context)
{
    const pdr_tally_entry *x = *(pdr_tally_entry *const *)a, *y = *(pdr_tally_entry *const *)b;
    const by *how = context;
    int order = how->order ? how->order(x->value, y->value) : 0;
    if (order) return order;
    return pdr_bytes_order(pdr_tally_key(how->tally, x), pdr_tally_key(how->tally, y));
}

void pdr_tally_sort(pdr_tally *tally, pdr_tally_order order)
{
    by how = {tally, order};
    if (tally->count) qsort_r(tally->entries, tally->count, sizeof(pdr_tally_entry *), compare, &how);
}
