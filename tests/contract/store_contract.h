/* The contract suite of the store seam (journal/store.h): claims written once against a subject. A backend
 * joins with one file, subject_<backend>_store.c, that defines pdr_store_subject_get and pdr_contract_skip.
 */
#ifndef PDR_TESTS_STORE_CONTRACT_H
#define PDR_TESTS_STORE_CONTRACT_H

#include <criterion/criterion.h>

#include "journal/store.h"
#include "perdure/arena.h"
#include "tests/contract/contract.h"

/* A backend under test. Claims run in processes of their own, several at once: names must be unique. */
typedef struct pdr_store_subject {
    /* A fresh place for a store, without tables. */
    pdr_code (*create)(void **place, pdr_error *err);
    void (*destroy)(void *place); /* its stores are closed before */
    /* Another connection, as another process would have it. */
    pdr_code (*open)(void *place, pdr_store **out, pdr_error *err);
    /* No store had work: wait until one may have (the simulation: go to the next event). NULL: sleep on what
     * wait_on says. */
    void (*idle)(void *place, pdr_store *const *stores, size_t count);
    /* Make the store say that a newer version made it. NULL: the backend has no versions. */
    pdr_code (*make_too_new)(void *place, pdr_error *err);
} pdr_store_subject;

const pdr_store_subject *pdr_store_subject_get(void);

/* --- for the claims: one place, its connections, and outcomes that note every completion --- */

extern const pdr_store_meta store_meta; /* of the world's journal: 4 partitions */

void store_world_open(void);  /* the place, without tables */
void store_world_ready(void); /* the place, initialised */
void store_world_close(void);
pdr_store *store_world_store(size_t index); /* opened on first use; index < 3 */
pdr_arena *store_world_arena(void);         /* until the end of the claim */
void store_world_make_too_new(void);
bool store_world_pump(void); /* as log_world_pump */

/* What came of an operation; a copy. */
typedef struct outcome {
    size_t times; /* completions so far */
    size_t order; /* of the completion among all */
    uint64_t tag;
    pdr_code code;
    pdr_error error;
    pdr_partition_row row;
    pdr_head *heads;
    size_t head_count;
    pdr_schema_row *schemas;
    size_t schema_count;
    void (*then)(struct outcome *outcome); /* run in the completion; NULL: nothing */
    struct outcome *other;
} outcome;

extern const uint64_t wants_1[1];    /* revision 1, for keys of look-ups */
void outcome_wait(const outcome *o); /* until it is there; exactly once */

/* Submit; the outcome must live until it is there. */
void submit_load(outcome *o, pdr_store *store, int32_t partition);
void submit_claim(outcome *o, pdr_store *store, int32_t partition, pdr_term term);
void submit_lookup(outcome *o, pdr_store *store, int32_t partition, const pdr_lookup_key *keys, size_t count);
void submit_save(outcome *o, pdr_store *store, int32_t partition, const pdr_save *save);

void submit_schemas(outcome *o, pdr_store *store, const uint64_t *fingerprints, size_t count);
void submit_heads(outcome *o, pdr_store *store, const char *after, size_t limit, uint64_t revision);
void submit_put_states(outcome *o, pdr_store *store, int32_t partition, const pdr_new_states *states);

/* Submit and wait. */
outcome do_load(pdr_store *store, int32_t partition);
outcome do_claim(pdr_store *store, int32_t partition, pdr_term term);
outcome do_lookup(pdr_store *store, int32_t partition, const pdr_lookup_key *keys, size_t count);
outcome do_save(pdr_store *store, int32_t partition, const pdr_save *save);
outcome do_schemas(pdr_store *store, const uint64_t *fingerprints, size_t count);
outcome do_heads(pdr_store *store, const char *after, size_t limit, uint64_t revision);
outcome do_put_states(pdr_store *store, int32_t partition, const pdr_new_states *states);
/* Claim partition 0 with term (5, 55), which must go through; its stamp. */
pdr_stamp claimed(pdr_store *store);
/* Save one head under the stamp, which must go through; the new stamp. */
pdr_stamp save_head(pdr_store *store, pdr_stamp stamp, const pdr_head *head);
/* The head of one key with the state of one revision, NULL if it isn't there. */
const pdr_head *find_head(pdr_store *store, const char *key, uint64_t revision);

pdr_bytes text(const char *text); /* its bytes */
pdr_position position(int64_t offset);
pdr_head head_of(const char *key, uint64_t seq, const char *state); /* revision 1; state NULL: none */
bool stamp_equal(const pdr_stamp *a, const pdr_stamp *b);
void expect_row(const pdr_partition_row *got, const pdr_partition_row *wanted);
void expect_head(const pdr_head *got, const pdr_head *wanted);

#endif
