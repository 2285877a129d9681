#include "replay/seq_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

enum { FIRST_SLOTS = 1024 };

static pdr_seq_slot *slot_of(pdr_seq_slot *slots, size_t mask, XXH128_hash_t hash)
{
    size_t i = (size_t)hash.low64 & mask;
    while ((slots[i].high || slots[i].low) && (slots[i].high != hash.high64 || slots[i].low != hash.low64))
        i = (i + 1) & mask;
    return &slots[i];
}

static bool grow(pdr_seq_table *t)
{
    size_t had = t->slots ? t->mask + 1 : 0, slots = had ? 2 * had : FIRST_SLOTS;
    if (2 * (t->count + 1) <= had) return true;
    pdr_seq_slot *grown = pdr_calloc(slots, sizeof *grown);
    if (!grown) return false;
    for (size_t i = 0; i < had; i++) {
        XXH128_hash_t hash = {.low64 = t->slots[i].low, .high64 = t->slots[i].high};
        if (t->slots[i].high || t->slots[i].low) *slot_of(grown, slots - 1, hash) = t->slots[i];
    }
    pdr_free(t->slots);
    t->slots = grown;
    t->mask = slots - 1;
    return true;
}

pdr_code pdr_seq_table_at(pdr_seq_table *t, pdr_bytes entity, uint64_t **seq, pdr_error *err)
{
    if (!grow(t)) return pdr_fail(err, PDR_NOMEM, "%zu entities", t->count);
    XXH128_hash_t hash = XXH3_128bits(entity.data, entity.size);
    pdr_seq_slot *slot = slot_of(t->slots, t->mask, hash);
    if (!slot->high && !slot->low) {
        *slot = (pdr_seq_slot){hash.high64, hash.low64, 0};
        t->count++;
    }
    *seq = &slot->seq;
    return PDR_OK;
}

void pdr_seq_table_release(pdr_seq_table *t)
{
    pdr_free(t->slots);
    *t = (pdr_seq_table){NULL, 0, 0};
}
