/* How far each entity has come: by a 128-bit hash of its id, so that millions need no memory for their ids.
 */
#ifndef PDR_REPLAY_SEQ_TABLE_H
#define PDR_REPLAY_SEQ_TABLE_H

#include "perdure/bytes.h"

typedef struct pdr_seq_slot {
    uint64_t high, low; /* of the hash; both 0: free */
    uint64_t seq;
} pdr_seq_slot;

/* Zero-initialised: empty. */
typedef struct pdr_seq_table {
    pdr_seq_slot *slots; /* open addressing, at most half full */
    size_t mask;         /* slots - 1 */
    size_t count;        /* entities */
} pdr_seq_table;

/* The entity's seq, 0 when it is met for the first time; yours to set, valid until the next call. PDR_NOMEM.
 */
PDR_CHECKED pdr_code pdr_seq_table_at(pdr_seq_table *table, pdr_bytes entity, uint64_t **seq, pdr_error *err);
void pdr_seq_table_release(pdr_seq_table *table);

#endif
