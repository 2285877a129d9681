/* The store's SQL: one text per statement, prepared once per connection under the statement's name. */
#ifndef PDR_BACKENDS_POSTGRES_STATEMENTS_H
#define PDR_BACKENDS_POSTGRES_STATEMENTS_H

#include <libpq-fe.h>

#include "perdure/error.h"

typedef enum pdr_pg_statement {
    PDR_PG_LOAD,
    PDR_PG_CLAIM,
    PDR_PG_LOOKUP_ONE,
    PDR_PG_LOOKUP,
    PDR_PG_LOOKUP_ANY,
    PDR_PG_SCHEMAS,
    PDR_PG_HEADS,
    PDR_PG_PUT_STATES,
    PDR_PG_SAVE,
    PDR_PG_STATEMENTS
} pdr_pg_statement;

enum { PDR_PG_MAX_PARAMS = 29 };

typedef struct pdr_pg_statement_info {
    const char *name;
    const char *sql; /* '@' stands for the quoted schema and a dot */
    int param_count;
    Oid params[PDR_PG_MAX_PARAMS];
} pdr_pg_statement_info;

extern const pdr_pg_statement_info pdr_pg_statements[PDR_PG_STATEMENTS];

/* Columns of LOOKUP_ONE, LOOKUP, LOOKUP_ANY and HEADS: the stamp, then a head with its state. A row of LOOKUP
 * and LOOKUP_ANY has one of them, of HEADS the head. */
enum {
    PDR_PG_COL_STORE_ID,
    PDR_PG_COL_TERM_OFFSET,
    PDR_PG_COL_TERM_INCARNATION,
    PDR_PG_COL_SAVES,
    PDR_PG_COL_KEY,
    PDR_PG_COL_SEQ,
    PDR_PG_COL_LAST, /* four: offset, the term's offset and incarnation, number */
    PDR_PG_COL_TIMER = PDR_PG_COL_LAST + 4,
    PDR_PG_COL_IDS,
    PDR_PG_COL_REVISION,
    PDR_PG_COL_STATE_SEQ,
    PDR_PG_COL_STATE,
    PDR_PG_LOOKUP_COLUMNS,
};
/* Columns of SCHEMAS. */
enum {
    PDR_PG_COL_FINGERPRINT,
    PDR_PG_COL_NAME,
    PDR_PG_COL_JSON,
    PDR_PG_COL_REGISTRY_ID, /* bigint, NULL: none */
    PDR_PG_SCHEMA_COLUMNS
};
/* Columns of LOAD: the stamp, then two positions of four columns each. */
enum {
    PDR_PG_COL_CHECKPOINT = PDR_PG_COL_SAVES + 1,
    PDR_PG_COL_SEEN = PDR_PG_COL_CHECKPOINT + 4,
    PDR_PG_LOAD_COLUMNS = 12
};

/* The session settings that the statements are written for, as a row of set_config calls; $1 is lock_timeout,
 * $2 statement_timeout, in milliseconds as text. */
extern const char pdr_pg_setup_sql[];

/* A schema's name as an SQL identifier followed by nothing; the caller frees it with pdr_free.
 * PDR_BAD_SETTING for a name that is empty, over 63 bytes or PostgreSQL's own (pg_...), PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_pg_quote_schema(char **out, const char *schema, pdr_error *err);
/* A copy of `sql` with each '@' replaced; the caller frees it with pdr_free. NULL: out of memory. */
PDR_CHECKED char *pdr_pg_expand(const char *sql, const char *quoted_schema);

#endif
