/* The parts of the SQLite store. Internal to backends/sqlite. */
#ifndef PDR_BACKENDS_SQLITE_STORE_INTERNAL_H
#define PDR_BACKENDS_SQLITE_STORE_INTERNAL_H

#include "backends/sqlite/sqlite_db.h"
#include "backends/sqlite/sqlite_shared.h"
#include "backends/sqlite/sqlite_store.h"
#include "backends/sqlite/sqlite_wait.h"
#include "perdure/arena.h"

enum {
    PDR_SQLITE_STORE_FORMAT = 1,
    STORE_QUEUE_OPS = 65536,
    STORE_QUEUE_BYTES = 1024 * 1024 * 1024,
    STORE_GROUP = 64, /* operations that write and share one transaction, at most */
    STORE_LOCKED_US = 5000000,
    STORE_TAKEOVERS = 10000, /* kept in the list */
};

typedef enum op_kind { OP_LOAD, OP_CLAIM, OP_LOOKUP, OP_SAVE, OP_SCHEMAS, OP_HEADS, OP_PUT_STATES } op_kind;

/* One operation from its submission to its completion. What it was given, and what it found, lie in its
 * arena. */
typedef struct op {
    struct op *next;
    op_kind kind;
    int32_t partition;
    pdr_store_done done; /* NULL: forgotten */
    void *context;
    uint64_t tag;
    pdr_arena arena;
    size_t size; /* bytes counted against the queue */
    pdr_claim claim;
    pdr_lookup_key *keys;
    size_t key_count;
    pdr_save save;
    uint64_t *fingerprints; /* of OP_SCHEMAS */
    size_t fingerprint_count;
    pdr_bytes after; /* of OP_HEADS, with limit and revision */
    size_t limit;
    uint64_t revision;
    pdr_new_states states;
    /* the outcome */
    pdr_error error; /* code PDR_OK: it went through */
    pdr_partition_row row;
    pdr_head *heads;
    size_t head_count;
    pdr_schema_row *schemas;
    size_t schema_count, schema_capacity;
} op;

typedef struct op_queue {
    op *first, **last;
    size_t count, bytes;
} op_queue;

typedef struct sqlite_store {
    pdr_store base;
    sqlite3 *db;
    char *path;
    pdr_sqlite_member member;
    pdr_sqlite_wait wait;
    op_queue queue;
    op_queue finished; /* whose completions are due */
    bool prepared;
    sqlite3_stmt *begin, *begin_read, *commit, *rollback;
    sqlite3_stmt *row, *set_term, *takeover, *trim, *lookup, *put_head, *put_state, *put_schema, *move,
        *put_registry, *schemas, *schema, *heads, *add_state;
} sqlite_store;

/* sqlite_store_tables.c: the blocking operations. */
pdr_code pdr_sqlite_store_init(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err);
pdr_code pdr_sqlite_store_meta(pdr_store *base, pdr_store_meta *out, int timeout_ms, pdr_error *err);
pdr_code pdr_sqlite_store_reset(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err);
pdr_code pdr_sqlite_store_dump(pdr_store *base, pdr_store_dump_row row, void *context, pdr_error *err);
pdr_code pdr_sqlite_store_dump_one(pdr_store *base, pdr_bytes key, pdr_store_dump_row row, void *context,
                                   int timeout_ms, pdr_error *err);
pdr_code pdr_sqlite_store_drop_states(pdr_store *base, const pdr_state_filter *which, size_t limit,
                                      uint64_t *dropped, int timeout_ms, pdr_error *err);
PDR_CHECKED pdr_code pdr_sqlite_store_read_meta(sqlite3 *db, pdr_store_meta *out, pdr_error *err);
/* Make the tables that came after format 1 and that its files may lack. PDR_LOCKED when another writes. */
PDR_CHECKED pdr_code pdr_sqlite_store_add_tables(sqlite3 *db, pdr_error *err);

/* sqlite_store_queue.c: submitting copies. */
pdr_code pdr_sqlite_load(pdr_store *base, int32_t partition, pdr_store_done done, void *context, uint64_t tag,
                         pdr_error *err);
pdr_code pdr_sqlite_claim(pdr_store *base, int32_t partition, const pdr_claim *claim, pdr_store_done done,
                          void *context, uint64_t tag, pdr_error *err);
pdr_code pdr_sqlite_lookup(pdr_store *base, int32_t partition, const pdr_lookup_key *keys, size_t count,
                           pdr_store_done done, void *context, uint64_t tag, pdr_error *err);
pdr_code pdr_sqlite_save(pdr_store *base, int32_t partition, const pdr_save *save, pdr_store_done done,
                         void *context, uint64_t tag, pdr_error *err);
pdr_code pdr_sqlite_schemas(pdr_store *base, const uint64_t *fingerprints, size_t count, pdr_store_done done,
                            void *context, uint64_t tag, pdr_error *err);
pdr_code pdr_sqlite_heads(pdr_store *base, pdr_bytes after, size_t limit, uint64_t revision,
                          pdr_store_done done, void *context, uint64_t tag, pdr_error *err);
pdr_code pdr_sqlite_put_states(pdr_store *base, int32_t partition, const pdr_new_states *states,
                               pdr_store_done done, void *context, uint64_t tag, pdr_error *err);
void pdr_sqlite_forget(pdr_store *base, void *context);
void pdr_op_queue_put(op_queue *queue, op *o);
op *pdr_op_queue_take(op_queue *queue); /* NULL: empty */
void pdr_op_free(op *o);

/* sqlite_store_run.c: carrying out. All give SQLite's result; when it is SQLITE_OK, op->error says what came
 * of the operation itself. */
PDR_CHECKED pdr_code pdr_sqlite_store_prepare(sqlite_store *store, pdr_error *err);
void pdr_sqlite_store_unprepare(sqlite_store *store);
int pdr_sqlite_run_read(sqlite_store *store, op *o);  /* inside a transaction */
int pdr_sqlite_run_write(sqlite_store *store, op *o); /* the same */

/* sqlite_store_lists.c: the same for schemas, pages of heads, and states made beside the owners. */
int pdr_sqlite_run_schemas(sqlite_store *store, op *o);
int pdr_sqlite_run_heads(sqlite_store *store, op *o);
int pdr_sqlite_run_put_states(sqlite_store *store, op *o); /* the row has been read */
int pdr_sqlite_run_put_schema(sqlite_store *store, const pdr_schema_row *schema);

/* Column `column` and the three after it as a position; bind the same. */
pdr_position pdr_sqlite_column_position(sqlite3_stmt *statement, int column);
int pdr_sqlite_bind_position(sqlite3_stmt *statement, int index, pdr_position position);
/* Columns of a head in the order of `HEAD_COLUMNS`, its state's after them; bytes as pdr_sqlite_column. */
pdr_head pdr_sqlite_column_head(sqlite3_stmt *statement, int column);
#define HEAD_COLUMNS                                                                                         \
    "h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number, h.ids, "       \
    "h.timer_us, s.revision, s.seq, s.state"

#endif
