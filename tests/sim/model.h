/* The reference: an own, simple reading of the true log, as it grows, by the void rule. It
 * shares nothing with journal/ but the parser of the header. */
#ifndef PDR_TESTS_SIM_MODEL_H
#define PDR_TESTS_SIM_MODEL_H

#include "journal/record.h"
#include "journal/log.h"

typedef struct model_event { /* one that counts */
    pdr_position at;
    int64_t commit_end; /* offset of its commit's last record */
    uint32_t index, count;
    uint32_t writer; /* incarnation of the node that wrote it */
    uint64_t nonce;
    int64_t amount, part;
    bool withdrew;
    pdr_bytes id;
    uint64_t fingerprint;
    bool has_reply;
    pdr_bytes reply;
    /* the fold up to and with it */
    int64_t balance;
    pdr_bytes note;
} model_event;

typedef struct model_entity {
    model_event *events; /* events[i] has seq i + 1 */
    size_t count, capacity;
} model_entity;

typedef struct model_fence {
    pdr_term term;
    uint32_t writer;
} model_fence;

typedef struct model_place { /* a record in sequence, outside an open commit */
    pdr_position at;
} model_place;

typedef struct model_partition {
    pdr_term term;
    uint64_t count;
    uint32_t writer;
    struct {
        pdr_header header;
        const pdr_log_record *record;
    } open[16];
    uint32_t open_count;
    model_place *places;
    size_t place_count, place_capacity;
    model_fence *fences;
    size_t fence_count, fence_capacity;
    uint64_t torn, voids;
} model_partition;

typedef struct model {
    model_partition partitions[2];
    model_entity entities[10];
    pdr_arena *arena;
    /* Told of each commit that counts, after it was added. */
    void (*commit)(void *context, uint32_t entity, uint64_t first_seq, uint64_t last_seq);
    /* The log breaks a rule that no fault may break. */
    void (*broken)(void *context, const char *invariant, const char *what, int64_t offset);
    void *context;
} model;

void model_append(model *m, int32_t partition, const pdr_log_record *record);
/* Whether the position names a record in sequence outside an open commit, or the start. */
bool model_knows(const model *m, int32_t partition, pdr_position position);
const model_fence *model_fence_of(const model *m, int32_t partition, pdr_term term);
/* "acct/7" to 7; -1: no such. */
int model_entity_of(pdr_bytes key);
/* The event of this seq; seq 0 or beyond: NULL. */
const model_event *model_at(const model *m, uint32_t entity, uint64_t seq);
/* Whether a commit ends at this seq (0 does). */
bool model_boundary(const model *m, uint32_t entity, uint64_t seq);
/* Up to `max` newest distinct commits with ids at or below seq, newest first: seqs of their last events. */
size_t model_ids(const model *m, uint32_t entity, uint64_t seq, uint64_t *seqs, size_t max);

#endif
