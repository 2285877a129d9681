/* One operation on its way: its parameters in binary form, what it sends, what came back so far. */
#ifndef PDR_BACKENDS_POSTGRES_OP_H
#define PDR_BACKENDS_POSTGRES_OP_H

#include "backends/postgres/statements.h"
#include "journal/store.h"

typedef enum pdr_pg_kind {
    PDR_PG_OP_LOAD,
    PDR_PG_OP_CLAIM,
    PDR_PG_OP_LOOKUP,
    PDR_PG_OP_SAVE,
    PDR_PG_OP_SCHEMAS,
    PDR_PG_OP_HEADS,
    PDR_PG_OP_PUT_STATES
} pdr_pg_kind;

enum { PDR_PG_OP_STATEMENTS = 2 };

typedef struct pdr_pg_op {
    struct pdr_pg_op *next;
    pdr_pg_kind kind;
    int32_t partition;
    pdr_store_done done; /* NULL: forgotten */
    void *context;
    uint64_t tag;
    int64_t submitted_us; /* monotonic */
    pdr_stamp stamp;      /* save: the stamp after it */

    /* What it sends: one or two statements, the later ones with the first parameters only. */
    int statement_count;
    pdr_pg_statement statements[PDR_PG_OP_STATEMENTS];
    const char *values[PDR_PG_MAX_PARAMS]; /* into body */
    int lengths[PDR_PG_MAX_PARAMS];

    /* This try. */
    unsigned tries;     /* times sent */
    unsigned preparing; /* bits of statements whose Prepare went out with it and isn't confirmed */
    PGresult *answers[PDR_PG_OP_STATEMENTS]; /* owned */
    int answer_count;
    PGresult *refusal; /* owned: the first error */

    pdr_error failure; /* code not PDR_OK: ended without an answer */
    size_t bytes;      /* of body */
    uint8_t body[];
} pdr_pg_op;

typedef struct pdr_pg_target {
    int32_t partition;
    pdr_store_done done;
    void *context;
    uint64_t tag;
} pdr_pg_target;

/* Each copies what it is given. PDR_TOO_LARGE, PDR_INVALID_ARGUMENT, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_pg_op_load(pdr_pg_op **out, const pdr_pg_target *target, pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_op_claim(pdr_pg_op **out, const pdr_pg_target *target, const pdr_claim *claim,
                                     pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_op_lookup(pdr_pg_op **out, const pdr_pg_target *target,
                                      const pdr_lookup_key *keys, size_t count, pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_op_save(pdr_pg_op **out, const pdr_pg_target *target, const pdr_save *save,
                                    pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_op_schemas(pdr_pg_op **out, const pdr_pg_target *target,
                                       const uint64_t *fingerprints, size_t count, pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_op_heads(pdr_pg_op **out, const pdr_pg_target *target, pdr_bytes after,
                                     size_t limit, uint64_t revision, pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_op_put_states(pdr_pg_op **out, const pdr_pg_target *target,
                                          const pdr_new_states *states, pdr_error *err);
void pdr_pg_op_clear_answers(pdr_pg_op *op); /* as before it was sent */
void pdr_pg_op_free(pdr_pg_op *op);          /* NULL is fine */

/* Operations in order of submission. Zero-initialised. */
typedef struct pdr_pg_queue {
    pdr_pg_op *first;
    pdr_pg_op *last;
    size_t count;
    size_t bytes;
} pdr_pg_queue;

void pdr_pg_queue_push(pdr_pg_queue *queue, pdr_pg_op *op);
pdr_pg_op *pdr_pg_queue_pop(pdr_pg_queue *queue); /* NULL when empty */
void pdr_pg_queue_push_front(pdr_pg_queue *queue, pdr_pg_op *op);
/* Takes out and frees the operations with this context; or, if they must stay, cuts their completions off. */
void pdr_pg_queue_remove(pdr_pg_queue *queue, const void *context);
void pdr_pg_queue_silence(pdr_pg_queue *queue, const void *context);
void pdr_pg_queue_clear(pdr_pg_queue *queue);

#endif
