/* Rows folded in memory, per key, between one commit and the next: what a batch will write, and what is known
 * of the rows that are there. One thread. */
#ifndef PDR_PROJECTIONS_ROWS_H
#define PDR_PROJECTIONS_ROWS_H

#include "projections/views.h"

typedef struct pdr_rows pdr_rows;

/* `tables` must outlive it. max_bytes: ceiling of what one batch's changes may take (PDR_TOO_LARGE; the
 * worker ends its batches well before), and of what is known of rows that are there. */
PDR_CHECKED pdr_code pdr_rows_open(pdr_rows **out, const pdr_table *tables, size_t table_count,
                                   size_t max_bytes, pdr_error *err);
void pdr_rows_close(pdr_rows *rows);

/* An event's changes count as a whole or not at all: begin, change, and begin the next, or undo. `event`: its
 * index in the batch. */
PDR_CHECKED pdr_code pdr_rows_begin(pdr_rows *rows, uint32_t event, pdr_error *err);
void pdr_rows_undo(pdr_rows *rows); /* back to the last begin */

/* Fold one change of one column (not of the key) into the row of `key`. Range, NOT NULL and overflow as
 * PostgreSQL has them: PDR_BAD_DATA. On a shared table only one of ADD, GREATEST and LEAST per column, and no
 * remove: PDR_BAD_HANDLER. PDR_BUSY: the row itself is needed, and is now among those wanted. PDR_STALE: as
 * for read; or what the batch adds to a shared column is out of range before it is in the row. */
PDR_CHECKED pdr_code pdr_rows_write(pdr_rows *rows, size_t table, const pdr_cell *key, size_t column,
                                    pdr_cell_mode mode, const pdr_cell *cell, pdr_error *err);
PDR_CHECKED pdr_code pdr_rows_remove(pdr_rows *rows, size_t table, const pdr_cell *key, pdr_error *err);
/* A statement; it sees all changes of earlier events and of its own, wherever in the event it was written.
 * Borrows `sql`, which must outlive the batch; parameters are copied. */
PDR_CHECKED pdr_code pdr_rows_statement(pdr_rows *rows, const char *sql, const pdr_cell *parameters,
                                        const pdr_column_type *types, size_t count, pdr_error *err);

/* The row as the changes so far leave it: *cells are those after the key, valid until the next read of this
 * table, or NULL: no such row. PDR_BUSY: it isn't known, and is now among those wanted. PDR_STALE: a
 * statement that isn't committed yet may have changed it: commit first. Not for shared tables. */
PDR_CHECKED pdr_code pdr_rows_read(pdr_rows *rows, size_t table, const pdr_cell *key, const pdr_cell **cells,
                                   pdr_error *err);
/* Keys that are wanted. They are to be fetched behind the batches that were handed over, and no batch is
 * taken before they are here. */
size_t pdr_rows_wanted(const pdr_rows *rows, size_t table, const pdr_cell *const **keys);
/* Their rows (all columns, the key first); those wanted and not among them don't exist. */
PDR_CHECKED pdr_code pdr_rows_fetched(pdr_rows *rows, size_t table, const pdr_cell *const *cells,
                                      size_t count, pdr_error *err);

/* The batch as steps for the views seam, keys sorted; valid until settle or discard. Changes that come after
 * it belong to the next batch. */
PDR_CHECKED pdr_code pdr_rows_take(pdr_rows *rows, const pdr_view_step **steps, size_t *count,
                                   pdr_error *err);
/* What was taken is handed over: from now on it counts as committed, and what it changed is known or can be
 * fetched behind it. If it comes to nothing everything must be discarded. */
void pdr_rows_settle(pdr_rows *rows);
void pdr_rows_discard(
    pdr_rows *rows); /* forget everything: what was taken, what was folded on top, what is known */

size_t pdr_rows_bytes(const pdr_rows *rows);   /* of the batch that is being folded */
size_t pdr_rows_changed(const pdr_rows *rows); /* its distinct rows */

#endif
