/* Cells in PostgreSQL's binary formats: arrays of one column for unnest, single parameters, and back from a
 * result. */
#ifndef PDR_BACKENDS_POSTGRES_VIEWS_VALUES_H
#define PDR_BACKENDS_POSTGRES_VIEWS_VALUES_H

#include <libpq-fe.h>

#include "perdure/arena.h"
#include "perdure/view.h"

/* Type numbers of a column's type and of its array, and its name in SQL. */
Oid pdr_pgv_oid(pdr_column_type type);
Oid pdr_pgv_array_oid(pdr_column_type type);
const char *pdr_pgv_type_name(pdr_column_type type);

typedef struct pdr_pgv_array {
    pdr_column_type type;
    int scale; /* of a numeric */
    const pdr_cell *(*cell)(const void *context, size_t i);
    const void *context;
    size_t count;
} pdr_pgv_array;

/* An array's bytes, in the arena. data NULL: no memory, or over 1 GiB. */
pdr_bytes pdr_pgv_put_array(const pdr_pgv_array *array, pdr_arena *arena);
/* One value's; data NULL with size 0: SQL NULL. false: no memory. */
PDR_CHECKED bool pdr_pgv_put(pdr_column_type type, int scale, const pdr_cell *cell, pdr_arena *arena,
                             pdr_bytes *out);
/* Borrows bytes from `result`. PDR_BAD_VIEW: not what the column's type has; PDR_BAD_DATA: more than can be
 * held. */
PDR_CHECKED pdr_code pdr_pgv_get(const PGresult *result, int row, int field, const pdr_column *column,
                                 pdr_cell *out, pdr_error *err);

#endif
