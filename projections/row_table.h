/* Inside rows.h: the rows of one table that a batch changes or that are known, by key. */
#ifndef PDR_PROJECTIONS_ROW_TABLE_H
#define PDR_PROJECTIONS_ROW_TABLE_H

#include "projections/cell.h"

/* What a batch does to one row; in the batch's arena. */
typedef struct pdr_change {
    bool remove;
    uint32_t event;  /* the one that changed it; UINT32_MAX: several */
    uint32_t serial; /* of the event that touched it last: its undo is there already */
    pdr_cell *cells; /* of the columns after the key */
    uint8_t *modes;
} pdr_change;

typedef enum pdr_known { PDR_ROW_UNKNOWN, PDR_ROW_ABSENT, PDR_ROW_PRESENT } pdr_known;

typedef struct pdr_row {
    struct pdr_row *next; /* in its slot */
    uint64_t hash;
    pdr_change *folding, *taken;
    pdr_cell *base;   /* PRESENT: cells after the key, one block with their bytes */
    size_t base_size; /* bytes that knowing it takes */
    pdr_known known;  /* of what is committed, the batch that was taken not counted */
    bool wanted;
    bool listed; /* in the batch's list of changed rows */
    pdr_cell *key;
    size_t sort_size;
    uint8_t *sort; /* bytes that compare as the key does */
} pdr_row;

typedef struct pdr_row_table {
    const pdr_table *spec;
    pdr_row **slots;
    size_t mask; /* slots - 1 */
    size_t count;
    size_t base_bytes;
    size_t hand;       /* where forgetting goes on */
    pdr_buf sort;      /* scratch */
    pdr_cell *scratch; /* a row as pdr_rows_read gives it */
    pdr_row **wanted;
    const pdr_cell **wanted_keys;
    size_t wanted_count, wanted_room;
} pdr_row_table;

PDR_CHECKED pdr_code pdr_row_table_init(pdr_row_table *table, const pdr_table *spec, pdr_error *err);
void pdr_row_table_release(pdr_row_table *table);
static inline size_t pdr_row_width(const pdr_row_table *table)
{
    return table->spec->column_count - table->spec->key_count;
}
static inline const pdr_column *pdr_row_columns(const pdr_row_table *table)
{
    return table->spec->columns + table->spec->key_count;
}
/* The row of a key, made if it isn't there. PDR_BAD_DATA: a key that can't be stored; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_row_of(pdr_row_table *table, const pdr_cell *key, pdr_row **out, pdr_error *err);
/* Is it the one of this key? false: it may yet be. */
bool pdr_row_has_key(const pdr_row_table *table, const pdr_row *row, const pdr_cell *key);
/* What is known of it from now on; `cells` NULL: it doesn't exist. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_row_learn(pdr_row_table *table, pdr_row *row, const pdr_cell *cells, pdr_error *err);
void pdr_row_forget(pdr_row_table *table, pdr_row *row); /* what is known */
PDR_CHECKED pdr_code pdr_row_want(pdr_row_table *table, pdr_row *row, pdr_error *err);
/* Frees the row if nothing is known of it and no batch changes it. */
void pdr_row_drop_unused(pdr_row_table *table, pdr_row *row);
/* Free rows that no batch changes until what is known takes at most max_bytes. */
void pdr_row_table_trim(pdr_row_table *table, size_t max_bytes);
void pdr_row_table_forget(pdr_row_table *table); /* everything that is known */

#endif
