/* From the server's rows to a completion's result. */
#ifndef PDR_BACKENDS_POSTGRES_ANSWER_H
#define PDR_BACKENDS_POSTGRES_ANSWER_H

#include "backends/postgres/op.h"

/* Memory that results are made in, kept from one to the next. Zero-initialised. */
typedef struct pdr_pg_found {
    pdr_head *heads;
    size_t head_capacity;
    pdr_schema_row *schemas;
    size_t schema_capacity;
} pdr_pg_found;

void pdr_pg_found_release(pdr_pg_found *found);

/* Fills *out from the answers of an operation that the server carried out; what was found points into op and
 * its answers. The code is the operation's: PDR_STALE, PDR_NOT_INITIALISED (no such row), PDR_CORRUPT
 * (columns that aren't the statement's), PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_pg_answer(pdr_store_result *out, const pdr_pg_op *op, pdr_pg_found *found,
                                   pdr_error *err);

/* One head with its state from a row with the columns of a look-up. */
PDR_CHECKED pdr_code pdr_pg_head_from_row(pdr_head *out, const PGresult *result, int row, pdr_error *err);

#endif
