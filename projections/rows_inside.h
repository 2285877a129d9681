/* Inside rows.h: the two batches. Only rows*.c include this. */
#ifndef PDR_PROJECTIONS_ROWS_INSIDE_H
#define PDR_PROJECTIONS_ROWS_INSIDE_H

#include "projections/row_table.h"
#include "projections/rows.h"

typedef struct pdr_changed {
    size_t table;
    pdr_row *row;
} pdr_changed;

/* One batch: what is folded, or what was taken and isn't settled. Its arena holds changes, steps and their
 * rows. */
typedef struct pdr_rows_batch {
    pdr_arena arena;
    pdr_changed *changed; /* since the last seal; once taken: of the whole batch's end */
    size_t changed_count, changed_room;
    pdr_view_step *steps;
    size_t step_count, step_room;
    bool stated; /* has statements: what they changed isn't known */
} pdr_rows_batch;

typedef struct pdr_undo {
    pdr_row *row;
    pdr_change *change; /* as it was before the event; NULL: none */
} pdr_undo;

struct pdr_rows {
    size_t max_bytes;
    pdr_rows_batch batches[2];
    pdr_rows_batch *folding;
    pdr_rows_batch *taken; /* NULL: none */
    uint32_t event, serial;
    pdr_row *newest; /* that this event wrote to, of which table; NULL: none yet */
    size_t newest_table;
    pdr_undo *undo;
    size_t undo_count, undo_room;
    pdr_view_step *statements; /* of this event, sealed when it is certain */
    size_t statement_count, statement_room;
    size_t table_count;
    pdr_row_table tables[];
};

void pdr_rows_batch_release(pdr_rows_batch *batch);
pdr_change *pdr_rows_new_change(pdr_rows *rows, size_t table); /* nothing changed; NULL: no memory */
PDR_CHECKED pdr_code pdr_rows_list(pdr_rows *rows, size_t table, pdr_row *row, pdr_error *err);
/* Make steps of all that was folded, then of this event's statements. */
PDR_CHECKED pdr_code pdr_rows_seal(pdr_rows *rows, pdr_error *err);
/* A row with the changes under way; `folding_too`: and those being folded. `cells` has room for its width. */
PDR_CHECKED pdr_code pdr_rows_effective(pdr_row_table *t, const pdr_row *row, bool folding_too,
                                        pdr_known *known, pdr_cell *cells, pdr_error *err);

#endif
