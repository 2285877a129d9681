/* Tables of read views: columns, and the cells of one row. Used by declarative projections and C projections
 * alike; constant data or values. */
#ifndef PERDURE_VIEW_H
#define PERDURE_VIEW_H

#include "perdure/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PDR_VIEW_MAX_NAME = 48,     /* bytes of a projection's, table's or column's name */
    PDR_VIEW_MAX_TABLES = 32,   /* of one projection */
    PDR_VIEW_MAX_COLUMNS = 256, /* of one table */
    PDR_VIEW_MAX_KEY = 8        /* columns of one key */
};

/* How each is held in a cell. NUMERIC: the unscaled number, at the column's scale, at most 18 digits. */
typedef enum pdr_column_type {
    PDR_COLUMN_BOOLEAN,     /* boolean */
    PDR_COLUMN_INTEGER,     /* integer: 32 bits */
    PDR_COLUMN_BIGINT,      /* integer */
    PDR_COLUMN_NUMERIC,     /* integer, unscaled */
    PDR_COLUMN_DOUBLE,      /* real */
    PDR_COLUMN_TEXT,        /* bytes: UTF-8 without NUL */
    PDR_COLUMN_BYTEA,       /* bytes */
    PDR_COLUMN_DATE,        /* integer: days since 1970 */
    PDR_COLUMN_TIMESTAMPTZ, /* integer: microseconds since 1970 UTC */
    PDR_COLUMN_TYPES
} pdr_column_type;

typedef struct pdr_cell {
    bool null;
    union {
        bool boolean;
        int64_t integer;
        double real;
        pdr_bytes bytes;
    } as;
} pdr_cell;

typedef struct pdr_column {
    const char *name;
    pdr_column_type type;
    int precision, scale; /* of a NUMERIC */
    bool not_null;
    pdr_cell
        initial; /* of a row that a rule makes without setting this column: the column's default, or NULL */
} pdr_column;

typedef struct pdr_table {
    const char *name; /* as readers call it, without schema: "applications" */
    const pdr_column *columns;
    size_t column_count;
    size_t key_count; /* the first columns are the primary key */
    bool shared;      /* rows are written by several partitions, as deltas only */
    const char *const
        *statements; /* run once after the table is made (indexes); "{table}" is its versioned name */
    size_t statement_count;
} pdr_table;

typedef enum pdr_cell_mode {
    PDR_CELL_KEEP,     /* the row's value stays; in a new row `initial` */
    PDR_CELL_SET,      /* becomes the cell */
    PDR_CELL_ADD,      /* value (in a new row `initial`) + cell; NULL + x is NULL */
    PDR_CELL_GREATEST, /* greatest(value, cell): NULLs are passed over */
    PDR_CELL_LEAST
} pdr_cell_mode;

#ifdef __cplusplus
}
#endif
#endif
