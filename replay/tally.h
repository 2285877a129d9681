/* What is counted by key while a log is read: a hash table that only grows. */
#ifndef PDR_REPLAY_TALLY_H
#define PDR_REPLAY_TALLY_H

#include "perdure/arena.h"

/* One key's. What is counted stands behind it: pdr_tally_value. */
typedef struct pdr_tally_entry {
    uint64_t hash;
    uint32_t key_size;
    _Alignas(8) uint8_t value[]; /* of the tally's size, then the key */
} pdr_tally_entry;

/* A value, from pdr_tally_init; not thread safe. */
typedef struct pdr_tally {
    pdr_tally_entry **slots;
    pdr_tally_entry **entries; /* in the order in which they were added, or as sorted */
    size_t mask, count, capacity;
    size_t value_size;
    pdr_arena arena;
} pdr_tally;

void pdr_tally_init(pdr_tally *tally, size_t value_size);
void pdr_tally_release(pdr_tally *tally);
/* The key's value, zeroed if the key is new. It stays where it is. NULL: out of memory. */
PDR_CHECKED void *pdr_tally_of(pdr_tally *tally, pdr_bytes key);
void *pdr_tally_find(const pdr_tally *tally, pdr_bytes key); /* NULL: it isn't there */

static inline pdr_bytes pdr_tally_key(const pdr_tally *tally, const pdr_tally_entry *entry)
{
    return pdr_bytes_of(entry->value + tally->value_size, entry->key_size);
}

/* Order the entries. `order` gets two keys and two values, and gives below 0, 0 or above 0; equal ones are
 * ordered by key. */
typedef int (*pdr_tally_order)(const void *a, const void *b);
void pdr_tally_sort(pdr_tally *tally, pdr_tally_order order); /* NULL: by key */

#endif
