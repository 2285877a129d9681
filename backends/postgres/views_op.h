/* One batch, or one look for rows, on its way to PostgreSQL: prepared statements with their parameters, and
 * what came back. */
#ifndef PDR_BACKENDS_POSTGRES_VIEWS_OP_H
#define PDR_BACKENDS_POSTGRES_VIEWS_OP_H

#include <libpq-fe.h>

#include "perdure/arena.h"
#include "projections/views.h"

/* A statement that a connection knows, or will. Kept for the life of the connection object. */
typedef enum pdr_pgv_known { PDR_PGV_UNKNOWN, PDR_PGV_ON_ITS_WAY, PDR_PGV_KNOWN } pdr_pgv_known;
typedef struct pdr_pgv_prepared {
    struct pdr_pgv_prepared *next;
    uint64_t hash;
    pdr_pgv_known known;
    int param_count;
    Oid *params;
    char name[24];
    char sql[];
} pdr_pgv_prepared;

typedef struct pdr_pgv_prepared_set {
    pdr_pgv_prepared *first;
    size_t count;
} pdr_pgv_prepared_set;

/* The statement with this text and parameters, made if it is new. NULL: no memory. */
pdr_pgv_prepared *pdr_pgv_prepared_of(pdr_pgv_prepared_set *set, const char *sql, const Oid *params,
                                      int count);
/* The server must prepare it again, under another name. */
void pdr_pgv_prepared_renew(pdr_pgv_prepared_set *set, pdr_pgv_prepared *prepared);
void pdr_pgv_prepared_forget(pdr_pgv_prepared_set *set); /* another connection: it knows none */
void pdr_pgv_prepared_release(pdr_pgv_prepared_set *set);

enum { PDR_PGV_MAX_PARAMS = PDR_VIEW_MAX_COLUMNS + 16 };

typedef struct pdr_pgv_statement {
    pdr_pgv_prepared *prepared;
    const char **values; /* NULL: SQL NULL */
    int *lengths;
    size_t step; /* of the batch; SIZE_MAX: none */
} pdr_pgv_statement;

typedef struct pdr_pgv_op {
    struct pdr_pgv_op *next;
    pdr_arena arena; /* parameters, rows */
    bool is_fetch;
    bool sent;
    pdr_view_done done;       /* of a batch; NULL: forgotten */
    pdr_view_fetched fetched; /* of a fetch; NULL: forgotten */
    void *context;
    uint64_t tag;
    uint64_t id, after; /* of a batch: its own number, and that of the one that it rests on; 0: of none */
    int64_t submitted_us;
    const pdr_table *table; /* of a fetch; its columns outlive the connection's use */
    pdr_pgv_statement *statements;
    size_t count, room;

    /* What has come. */
    size_t preparing; /* Prepares sent before it, and how many are confirmed */
    size_t prepared;
    bool prepare_synced;
    size_t answered;
    PGresult *rows;    /* owned: of a fetch */
    PGresult *refusal; /* owned: the first error */
    size_t refused;    /* the statement it came from */
    size_t bad_step;   /* its values can't be stored: never sent; SIZE_MAX: none */
    bool outdated;     /* that statement must be prepared anew */
    pdr_error failure; /* code not PDR_OK: ended without an answer */
} pdr_pgv_op;

pdr_pgv_op *pdr_pgv_op_new(void); /* NULL: no memory */
void pdr_pgv_op_free(pdr_pgv_op *op);
/* One statement more with room for its parameters. NULL: no memory. */
pdr_pgv_statement *pdr_pgv_op_add(pdr_pgv_op *op, pdr_pgv_prepared *prepared, size_t step);
void pdr_pgv_set(pdr_pgv_statement *statement, int parameter, pdr_bytes value);

/* Where things are called. */
typedef struct pdr_pgv_names {
    char *schema;      /* quoted: of our own tables */
    char *view_schema; /* quoted */
} pdr_pgv_names;

/* Fill an op. PDR_NOMEM, PDR_TOO_LARGE, PDR_INVALID_ARGUMENT, PDR_BAD_VIEW; PDR_BAD_DATA with op->bad_step.
 */
PDR_CHECKED pdr_code pdr_pgv_batch(pdr_pgv_op *op, pdr_pgv_prepared_set *set, const pdr_pgv_names *names,
                                   const pdr_version_spec *spec, const char *worker,
                                   const pdr_view_batch *batch, pdr_error *err);
PDR_CHECKED pdr_code pdr_pgv_fetch(pdr_pgv_op *op, pdr_pgv_prepared_set *set, const pdr_pgv_names *names,
                                   const pdr_version_spec *spec, size_t table, const pdr_cell *const *keys,
                                   size_t count, pdr_error *err);

/* --- SQL --- */

/* Append schema."table__vN". */
PDR_CHECKED pdr_code pdr_pgv_sql_table(pdr_buf *sql, const pdr_pgv_names *names, const pdr_version_spec *spec,
                                       size_t table);
/* Append `text` with {name} replaced by a versioned table, {table} by the given one's (without schema and
 * quotes if it stands in quotes). PDR_BAD_VIEW: no such table. */
PDR_CHECKED pdr_code pdr_pgv_sql_expand(pdr_buf *sql, const char *text, const pdr_pgv_names *names,
                                        const pdr_version_spec *spec, size_t table, pdr_error *err);
/* Append a constant. */
PDR_CHECKED pdr_code pdr_pgv_sql_constant(pdr_buf *sql, const pdr_column *column, const pdr_cell *cell);

#endif
