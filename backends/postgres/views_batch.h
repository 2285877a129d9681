/* Inside a batch's making: the statement that is being written, and what it belongs to. */
#ifndef PDR_BACKENDS_POSTGRES_VIEWS_BATCH_H
#define PDR_BACKENDS_POSTGRES_VIEWS_BATCH_H

#include "backends/postgres/views_op.h"

enum { PDR_PGV_MAX_SQL = 1024 * 1024 };

typedef struct pdr_pgv_building {
    pdr_pgv_op *op;
    pdr_pgv_prepared_set *set;
    const pdr_pgv_names *names;
    const pdr_version_spec *spec;
    pdr_buf sql;
    Oid params[PDR_PGV_MAX_PARAMS];
    int param_count;
    size_t step;
    pdr_error *err;
} pdr_pgv_building;

/* Begin another statement; add it, with its text in b->sql and its parameters' types in b->params, to the op.
 * NULL: no memory. */
void pdr_pgv_begin_statement(pdr_pgv_building *b);
pdr_pgv_statement *pdr_pgv_add_statement(pdr_pgv_building *b, size_t step);
pdr_code pdr_pgv_no_memory(const pdr_pgv_building *b);

/* A step's rows. PDR_NOMEM, PDR_INVALID_ARGUMENT, PDR_BAD_DATA. */
PDR_CHECKED pdr_code pdr_pgv_add_rows(pdr_pgv_building *b, const pdr_view_step *step, size_t index);

#endif
