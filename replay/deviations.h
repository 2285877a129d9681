/* What folding history found wrong, and its sum per partition: counts, groups, the earliest samples. */
#ifndef PDR_REPLAY_DEVIATIONS_H
#define PDR_REPLAY_DEVIATIONS_H

#include "perdure/bytes.h"

typedef enum pdr_deviation_kind {
    PDR_FOUND_DIFFERS,    /* a state isn't what it is compared with */
    PDR_FOUND_UNREADABLE, /* the code can't read an event */
    PDR_FOUND_FAILS,     /* apply or an upcaster failed, isn't deterministic, or made what no schema allows */
    PDR_FOUND_CRASHES,   /* apply or an upcaster ended the process, or would have */
    PDR_FOUND_OLD_FAILS, /* the code that is compared with fails, this one doesn't */
    PDR_FOUND_DAMAGED,   /* an event or snapshot that can't be: a gap, a log that ends too early */
    PDR_FOUND_ABSENT,    /* an entity that was asked for has no events */
    PDR_FOUND_KINDS
} pdr_deviation_kind;

const char *pdr_deviation_word(pdr_deviation_kind kind); /* "differs" */

/* Borrowed. Of each entity the first one of either code's. */
typedef struct pdr_deviation {
    pdr_deviation_kind kind;
    int32_t partition;
    int64_t offset;    /* of the event; -1: of none */
    int64_t time_us;   /* event time */
    int64_t append_ms; /* the log's own time */
    uint64_t seq;
    pdr_bytes entity;
    pdr_bytes type;    /* Avro full name of what is stored; data NULL: nobody knows it */
    pdr_bytes why;     /* text; may be empty */
    pdr_bytes changes; /* of a difference, where it is a sample: a JSON array of {"path","from","to"} */
} pdr_deviation;

/* By append time, then partition, then offset. */
bool pdr_deviation_is_before(const pdr_deviation *a, const pdr_deviation *b);

/* As bytes, for another process or a file of this machine. get: borrows; false: cut short. */
PDR_CHECKED pdr_code pdr_deviation_put(pdr_buf *out, const pdr_deviation *deviation);
bool pdr_deviation_get(pdr_bytes *in, pdr_deviation *deviation);

/* Findings of one kind at one type of event. */
typedef struct pdr_deviation_group {
    pdr_deviation_kind kind;
    pdr_bytes type;
    uint64_t count;
} pdr_deviation_group;

typedef struct pdr_deviations_counts {
    uint64_t events;     /* that count, of the entities that were wanted */
    uint64_t entities;   /* that were folded, as far as they could be */
    uint64_t checked;    /* of them folded twice */
    uint64_t compared;   /* of them compared with something */
    uint64_t uncompared; /* wanted, but there was nothing to compare with */
    uint64_t found[PDR_FOUND_KINDS];
} pdr_deviations_counts;

enum { PDR_DEVIATIONS_MAX_GROUPS = 256 }; /* what comes later is counted under the type "" */

typedef struct pdr_deviations pdr_deviations;

/* `samples`: deviations kept of each kind, the earliest by (append_ms, partition, offset). PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_deviations_open(pdr_deviations **out, size_t samples, pdr_error *err);
void pdr_deviations_close(pdr_deviations *deviations); /* NULL is fine */
pdr_deviations_counts *pdr_deviations_counts_of(pdr_deviations *deviations);
/* Would this one be kept as a sample? What costs more than counting needn't be done otherwise. */
bool pdr_deviations_wants(const pdr_deviations *deviations, const pdr_deviation *deviation);
/* Count it, and keep a copy if it is early enough. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_deviations_note(pdr_deviations *deviations, const pdr_deviation *deviation,
                                         pdr_error *err);
/* All of `from` too. */
PDR_CHECKED pdr_code pdr_deviations_merge(pdr_deviations *deviations, pdr_deviations *from, pdr_error *err);
size_t pdr_deviations_sample_count(const pdr_deviations *deviations, pdr_deviation_kind kind);
const pdr_deviation *pdr_deviations_sample(const pdr_deviations *deviations, pdr_deviation_kind kind,
                                           size_t i);
size_t pdr_deviations_group_count(const pdr_deviations *deviations);
pdr_deviation_group pdr_deviations_group(const pdr_deviations *deviations, size_t i);
bool pdr_deviations_is_clean(const pdr_deviations *deviations); /* nothing was found */

/* As bytes, like a deviation. */
PDR_CHECKED pdr_code pdr_deviations_write(const pdr_deviations *deviations, pdr_buf *out);
/* Into an empty deviations. PDR_BAD_DATA, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_deviations_read(pdr_deviations *deviations, pdr_bytes bytes, pdr_error *err);

#endif
