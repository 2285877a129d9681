/* Rows folded in memory, per key, between one commit and the next: what a batch will write, and what is known
 * of the rows that are there. One thread. */
#ifndef PDR_PROJECTIONS_ROWS_H
#define PDR_PROJECTIONS_ROWS_H

#include "projections/views.h"

typedef struct pdr_rows pdr_rows;

/* `tables` must outlive it. max_bytes: ceiling of what is held; beyond it changes give PDR_TOO_LARGE (the
 * worker ends its batches well before). */
PDR_CHECKED pdr_code pdr_rows_open(pdr_rows **out, const pdr_table *tables, size_t table_count,
                                   size_t max_bytes, pdr_error *err);
void pdr_rows_close(pdr_rows *rows);

/* Fold one change of one column into the row of `key`. Range, NOT NULL and overflow as PostgreSQL has them:
 * PDR_BAD_DATA. On a shared table only ADD, GREATEST and LEAST: PDR_BAD_HANDLER. */
PDR_CHECKED pdr_code pdr_rows_write(pdr_rows *rows, size_t table, const pdr_cell *key, size_t column,
                                    pdr_cell_mode mode, pdr_cell cell, pdr_error *err);
PDR_CHECKED pdr_code pdr_rows_remove(pdr_rows *rows, size_t table, const pdr_cell *key, pdr_error *err);
/* A statement that must see all that was folded before it: ends the current step. */
PDR_CHECKED pdr_code pdr_rows_statement(pdr_rows *rows, const char *sql, const pdr_cell *parameters,
                                        const pdr_column_type *types, size_t count, pdr_error *err);

/* The row as this batch, and those committed or in flight before it, leave it. *cells NULL: no such row.
 * PDR_BUSY: it isn't known here, and is now among those wanted. Only for tables that aren't shared. */
PDR_CHECKED pdr_code pdr_rows_read(pdr_rows *rows, size_t table, const pdr_cell *key, const pdr_cell **cells,
                                   pdr_error *err);
/* Keys that pdr_rows_read missed, and their rows once fetched. Rows that were fetched or written are kept as
 * a cache, bounded; only keys of partitions that this worker owns may be there. */
size_t pdr_rows_wanted(const pdr_rows *rows, size_t table, const pdr_cell *const **keys);
PDR_CHECKED pdr_code pdr_rows_fetched(pdr_rows *rows, size_t table, const pdr_cell *const *cells,
                                      size_t count, pdr_error *err);

/* An event's changes as a whole or not at all. */
void pdr_rows_begin(pdr_rows *rows,
                    uint32_t event); /* which event's changes follow; forgets the undo before */
void pdr_rows_undo(pdr_rows *rows);  /* back to the last begin */

/* The batch as steps for the views seam: keys sorted; valid until pdr_rows_settle. Changes that come after it
 * belong to the next batch (one may be in flight while the next is folded). */
PDR_CHECKED pdr_code pdr_rows_take(pdr_rows *rows, const pdr_view_step **steps, size_t *count,
                                   pdr_error *err);
/* The batch that was taken is committed: its rows are known now. */
void pdr_rows_settle(pdr_rows *rows);
/* Forget everything: the batch taken, what was folded on top of it, the cache. */
void pdr_rows_discard(pdr_rows *rows);
size_t pdr_rows_bytes(const pdr_rows *rows);
size_t pdr_rows_changed(const pdr_rows *rows); /* distinct rows of the batch that is being folded */

#endif
