/* Two versions of one projection compared row by row, at the same positions.
 *
 * The one that isn't live is held (its pause switch), so that it is never ahead. For each table a snapshot of
 * the other is taken, the held one is brought to exactly the snapshot's positions, and both are read in the
 * order of their keys at once. The live one never stands still. */
#ifndef PDR_PROJECTIONS_DIFF_H
#define PDR_PROJECTIONS_DIFF_H

#include "projections/projector.h"

typedef enum pdr_diff_kind {
    PDR_DIFF_ONLY_FROM, /* a row of the one */
    PDR_DIFF_ONLY_TO,   /* a row of the other */
    PDR_DIFF_DIFFERENT  /* of both, but columns differ */
} pdr_diff_kind;

/* A column that both have. */
typedef struct pdr_diff_column {
    const char *name;
    pdr_column_type type;
    int scale;
    size_t from, to; /* index in each table */
    bool comparable; /* false: declared as other types */
    uint64_t different;
} pdr_diff_column;

/* One table name. A table that only one version has isn't read. */
typedef struct pdr_diff_table {
    const char *name;
    const pdr_table *from, *to; /* NULL: that version doesn't have it */
    bool other_key;             /* the keys aren't declared alike: rows can't be compared */
    pdr_diff_column *columns;   /* those that both have, after the key */
    size_t column_count;
    uint64_t from_rows, to_rows, only_from, only_to, different;
    uint64_t from_parked,
        to_parked; /* events parked at these positions: rows of their entities stand still */
} pdr_diff_table;

/* A row that differs. Borrowed for the call. */
typedef struct pdr_diff_row {
    const pdr_diff_table *table;
    pdr_diff_kind kind;
    const pdr_cell *from, *to; /* all cells; NULL where there is no row */
} pdr_diff_row;
/* Does this column of a DIFFERENT row differ? */
bool pdr_diff_column_differs(const pdr_diff_row *row, const pdr_diff_column *column);

typedef struct pdr_diff_spec {
    pdr_version_spec from, to;
    bool hold_from;     /* `from` is held, not `to` */
    bool was_paused;    /* the held one, before */
    pdr_views *control; /* three connections */
    pdr_views *from_views, *to_views;
    const pdr_projector_spec
        *projector; /* of the held version, with `control` as its views; NULL: no definition is
                       at hand, so it is waited until its workers bring it there */
    int timeout_ms; /* of bringing both to the same positions, for each table */
    /* May be NULL. */
    void (*row)(void *context, const pdr_diff_row *row);
    void (*waits)(void *context, const char *for_what); /* now and then */
    void *context;
} pdr_diff_spec;

/* Fill *tables with all tables of both; everything lies in `arena`. Blocking. PDR_TIMEOUT: the positions
 * don't come together, the message says why; PDR_BAD_VIEW, PDR_UNAVAILABLE, ... The held version's switch is
 * put back. */
PDR_CHECKED pdr_code pdr_diff_run(const pdr_diff_spec *spec, pdr_arena *arena, pdr_diff_table **tables,
                                  size_t *count, pdr_error *err);

#endif
