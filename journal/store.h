/* The store seam: heads, states and one row per partition. DESIGN: "Log and checkpoint, like a database".
 * Backends: postgres, sqlite, simulated; one contract-test suite (tests/contract/) runs against each.
 *
 * A `pdr_store` is one connection of one worker thread. Threads and re-entrancy: as for the log seam (log.h):
 * operations only queue, completions run only inside `poll`, in which any operation but `poll` and `close`
 * may be called. What an operation is given is copied; what a completion is given is valid until it returns.
 * Operations of one store are carried out in the order of submission. */
#ifndef PDR_JOURNAL_STORE_H
#define PDR_JOURNAL_STORE_H

#include "perdure/position.h"

struct pollfd;
typedef struct pdr_store pdr_store;

enum { PDR_ID_SIZE = 16, PDR_STORE_MAX_REVISIONS = 64 };
#define PDR_NO_TIMER INT64_MIN

/* The triple by which every look-up and every save knows the store's state: (store id, term, saves). */
typedef struct pdr_stamp {
    uint8_t store_id[PDR_ID_SIZE]; /* drawn when the store is made or reset */
    pdr_term term;                 /* of the owner that claimed last */
    uint64_t saves;                /* saves carried out so far */
} pdr_stamp;

/* One partition's row. */
typedef struct pdr_partition_row {
    pdr_stamp stamp;
    pdr_position checkpoint; /* recovery reads on from here */
    pdr_position seen;       /* the highest position that any saved head rests on */
} pdr_partition_row;

/* A head and, if there is one, its state. In a save, key and head are always written; state only if
 * state.data isn't NULL. */
typedef struct pdr_head {
    pdr_bytes key;      /* entity id */
    uint64_t seq;       /* of its newest event */
    pdr_position last;  /* of its newest event's record */
    pdr_bytes ids;      /* newest command ids, packed (journal/ids.h) */
    int64_t timer_us;   /* next timer, microseconds since 1970 UTC, or PDR_NO_TIMER */
    uint64_t revision;  /* of the handler that made the state */
    uint64_t state_seq; /* seq up to which the state is folded */
    pdr_bytes state;    /* packed state; data NULL: none of this revision */
} pdr_head;

typedef struct pdr_schema_row {
    uint64_t fingerprint;
    pdr_bytes name; /* Avro full name */
    pdr_bytes json;
    int32_t registry_id; /* the schema registry's id for it; -1: none */
} pdr_schema_row;

typedef struct pdr_save {
    pdr_stamp expected; /* goes through only if the row's stamp is exactly this */
    pdr_position checkpoint;
    pdr_position seen; /* stored as the greater of this and the row's, by offset */
    const pdr_head *heads;
    size_t head_count; /* keys are distinct */
    const pdr_schema_row *schemas;
    size_t schema_count; /* inserted if the fingerprint is new; a row without registry_id gets one */
} pdr_save;

typedef struct pdr_lookup_key {
    pdr_bytes key;
    /* Which state is wanted: that of the highest seq among these; of several the first. Distinct. */
    const uint64_t *revisions;
    size_t revision_count; /* at most PDR_STORE_MAX_REVISIONS; 0: no state */
} pdr_lookup_key;

/* States made beside the owners. */
typedef struct pdr_new_states {
    uint8_t store_id[PDR_ID_SIZE]; /* of the store that their heads were read from */
    const pdr_head *heads;         /* only key, revision, state_seq and state are looked at */
    size_t count;                  /* (key, revision) are distinct */
} pdr_new_states;

/* Which states. */
typedef struct pdr_state_filter {
    pdr_bytes key;             /* of this entity; size 0: of all */
    pdr_bytes prefix;          /* of entities whose keys begin so; size 0: of all */
    const uint64_t *revisions; /* of these; or, `others`, of any but these */
    size_t revision_count;     /* at most PDR_STORE_MAX_REVISIONS */
    bool others;
} pdr_state_filter;

/* Who takes over: kept in the store's list of takeovers, for people. */
typedef struct pdr_claim {
    pdr_term term;
    int64_t at_us;     /* wall time */
    pdr_bytes address; /* node address as in the FENCE, at most 255 bytes */
} pdr_claim;

/* What came of an operation. */
typedef struct pdr_store_result {
    pdr_code code;          /* PDR_OK or why not */
    const pdr_error *error; /* NULL when PDR_OK */
    /* load, claim: the row after the operation (claim refused with PDR_STALE: the row as it is). save: stamp
     * only, when PDR_OK the new one. look-up: stamp only, read in the same snapshot as the heads. */
    pdr_partition_row row;
    const pdr_head *heads; /* look-up: those that exist, in any order; heads: a page of them */
    size_t head_count;
    const pdr_schema_row *schemas; /* schemas: in any order */
    size_t schema_count;
} pdr_store_result;

typedef void (*pdr_store_done)(void *context, uint64_t tag, const pdr_store_result *result);

/* What init writes and open checks. */
typedef struct pdr_store_meta {
    uint8_t journal_id[PDR_ID_SIZE];
    int32_t partitions;
} pdr_store_meta;

/* Called for each head of a dump, in ascending byte order of key; all states of an entity follow each other
 * by revision. A non-OK code stops the dump and is its result. */
typedef pdr_code (*pdr_store_dump_row)(void *context, int32_t partition, const pdr_head *head,
                                       pdr_error *err);

typedef struct pdr_store_ops {
    const char *name; /* "postgres", "sqlite", "sim" */

    void (*close)(pdr_store *store); /* outstanding completions don't come */

    /* --- Blocking, for open and for commands; at most timeout_ms each --- */
    /* Make or migrate the tables and, in a new store, write meta and the partitions' rows. In a store that
     * has meta: PDR_WRONG_JOURNAL if it differs. PDR_TOO_NEW when a newer version made it. */
    pdr_code (*init)(pdr_store *store, const pdr_store_meta *meta, int timeout_ms, pdr_error *err);
    /* PDR_NOT_INITIALISED, PDR_TOO_NEW, or an older version: PDR_NOT_INITIALISED naming `perdure init`. */
    pdr_code (*meta)(pdr_store *store, pdr_store_meta *out, int timeout_ms, pdr_error *err);
    /* Forget every head, state and takeover, draw a new store id, all rows to the start: what rebuild-store
     * begins with. Atomic. */
    pdr_code (*reset)(pdr_store *store, const pdr_store_meta *meta, int timeout_ms, pdr_error *err);
    pdr_code (*dump)(pdr_store *store, pdr_store_dump_row row, void *context, pdr_error *err);
    /* The rows of a dump that are of one entity: none if it has no head. */
    pdr_code (*dump_one)(pdr_store *store, pdr_bytes key, pdr_store_dump_row row, void *context,
                         int timeout_ms, pdr_error *err);
    /* Drop states, at most `limit` of them (1 or more); how many there were. No head and no stamp is touched:
     * a state is a cache of the log, owners at work read the history of those that they miss. 0: none is left
     * but those that an owner is writing at this moment. Atomic; after a failure it may have been carried
     * out: doing it again is fine. */
    pdr_code (*drop_states)(pdr_store *store, const pdr_state_filter *which, size_t limit, uint64_t *dropped,
                            int timeout_ms, pdr_error *err);

    /* --- Asynchronous; `done` comes exactly once per accepted operation unless forgotten. Common failures:
     * PDR_UNAVAILABLE (not carried out), PDR_NOT_INITIALISED (tables or row missing), PDR_NO_SPACE,
     * PDR_LOCKED. --- */
    /* The partition's row as it is. */
    pdr_code (*load)(pdr_store *store, int32_t partition, pdr_store_done done, void *context, uint64_t tag,
                     pdr_error *err);
    /* Set the row's term to claim->term unless the row's is higher (greater offset; or equal offset and
     * another incarnation): then PDR_STALE with the row. Claiming with the term that the row has already is
     * fine. Adds a takeover, loads the row, atomically. */
    pdr_code (*claim)(pdr_store *store, int32_t partition, const pdr_claim *claim, pdr_store_done done,
                      void *context, uint64_t tag, pdr_error *err);
    /* One round trip for all keys. */
    pdr_code (*lookup)(pdr_store *store, int32_t partition, const pdr_lookup_key *keys, size_t count,
                       pdr_store_done done, void *context, uint64_t tag, pdr_error *err);
    /* Atomic: all of it and saves + 1, or nothing. PDR_STALE: the stamp differed, nothing was done.
     * PDR_UNKNOWN_OUTCOME: the connection broke while it was under way; it may have been, or may yet be,
     * carried out. */
    pdr_code (*save)(pdr_store *store, int32_t partition, const pdr_save *save, pdr_store_done done,
                     void *context, uint64_t tag, pdr_error *err);
    /* Writer schemas: those with these fingerprints that there are, or, with a count of 0, all. */
    pdr_code (*schemas)(pdr_store *store, const uint64_t *fingerprints, size_t count, pdr_store_done done,
                        void *context, uint64_t tag, pdr_error *err);
    /* A page of heads, of all partitions: at most `limit` whose keys come after `after` (size 0: from the
     * start), in ascending byte order of key. Without ids and the state's bytes: `state` is empty, and
     * state_seq set, where there is a state of `revision`, and absent where there is none. */
    pdr_code (*heads)(pdr_store *store, pdr_bytes after, size_t limit, uint64_t revision, pdr_store_done done,
                      void *context, uint64_t tag, pdr_error *err);
    /* Write states that somebody else than the owner has folded; no head and no stamp is touched. A state
     * whose entity has no head, or an older one, is passed over, and so is one that isn't newer than that of
     * its (key, revision). PDR_STALE: the partition's row has another store id, nothing was done. After
     * PDR_UNAVAILABLE it may have been carried out: doing it again is fine. */
    pdr_code (*put_states)(pdr_store *store, int32_t partition, const pdr_new_states *states,
                           pdr_store_done done, void *context, uint64_t tag, pdr_error *err);
    /* No completion will come any more for operations with this context. The operations may still be carried
     * out. */
    void (*forget)(pdr_store *store, void *context);

    size_t (*poll)(pdr_store *store);                                               /* as in log.h */
    int (*wait_on)(pdr_store *store, struct pollfd *fds, int max, int64_t *due_us); /* as in log.h */
} pdr_store_ops;

/* A backend's store begins with this. */
struct pdr_store {
    const pdr_store_ops *ops;
};

/* PDR_INVALID_ARGUMENT unless every operation is there. */
PDR_CHECKED pdr_code pdr_store_ops_validate(const pdr_store_ops *ops, pdr_error *err);

/* The order of terms in a store: by offset, then equal only if the incarnations are. */
static inline bool pdr_term_claims_over(pdr_term mine, pdr_term row)
{
    return mine.offset > row.offset || pdr_term_equal(mine, row);
}

#endif
