/* Cells of rows: their order, their sums, their limits. As PostgreSQL has them; docs/projections.md says each
 * rule. */
#ifndef PDR_PROJECTIONS_CELL_H
#define PDR_PROJECTIONS_CELL_H

#include "perdure/arena.h"
#include "perdure/view.h"

#define PDR_CELL_NULL ((pdr_cell){.null = true})
static inline pdr_cell pdr_cell_integer(int64_t value)
{
    return (pdr_cell){.as.integer = value};
}
static inline pdr_cell pdr_cell_bytes(pdr_bytes value)
{
    return (pdr_cell){.as.bytes = value};
}

const char *pdr_column_type_name(pdr_column_type type); /* "bigint" */
static inline bool pdr_column_is_bytes(pdr_column_type type)
{
    return type == PDR_COLUMN_TEXT || type == PDR_COLUMN_BYTEA;
}
static inline bool pdr_column_adds(pdr_column_type type) /* has + */
{
    return type == PDR_COLUMN_INTEGER || type == PDR_COLUMN_BIGINT || type == PDR_COLUMN_NUMERIC ||
           type == PDR_COLUMN_DOUBLE;
}
/* Is the value one that the column's type can hold? NULL always is. PDR_BAD_DATA naming the column. */
PDR_CHECKED pdr_code pdr_cell_check(const pdr_column *column, const pdr_cell *cell, pdr_error *err);
/* Neither is NULL. Texts by their bytes; NaN is the greatest double and equal to itself. <0, 0, >0. */
int pdr_cell_compare(pdr_column_type type, const pdr_cell *a, const pdr_cell *b);
bool pdr_cell_equal(pdr_column_type type, const pdr_cell *a, const pdr_cell *b); /* NULL equals NULL */
/* `cell` folded into *value by a mode that isn't KEEP. PDR_BAD_DATA: out of range. */
PDR_CHECKED pdr_code pdr_cell_fold(const pdr_column *column, pdr_cell_mode mode, const pdr_cell *cell,
                                   pdr_cell *value, pdr_error *err);
/* A copy whose bytes lie in `arena`. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_cell_copy(pdr_column_type type, const pdr_cell *cell, pdr_arena *arena,
                                   pdr_cell *out);
/* Append bytes that compare (memcmp) as the cell does; no cell's bytes are the beginning of another's. The
 * cell isn't NULL. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_cell_key(pdr_column_type type, const pdr_cell *cell, pdr_buf *out);

#endif
