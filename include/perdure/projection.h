/* Projections in C: handlers that turn events into rows of read views. For what a declarative file
 * (docs/projections.md) doesn't fit. Rows and position are committed in one transaction, so each event counts
 * exactly once in its rows. */
#ifndef PERDURE_PROJECTION_H
#define PERDURE_PROJECTION_H

#include "perdure/entity.h"
#include "perdure/view.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One event on its way into a handler: today's type, after upcasting. Borrowed for the call. */
typedef struct pdr_projected {
    pdr_string entity; /* "loan/173688" */
    pdr_event event;
    uint32_t part, parts; /* of the stored event, when an upcaster made several */
    int32_t partition;
    int64_t offset;
    pdr_bytes command_id, correlation, causation; /* size 0: none */
} pdr_projected;

/* What a handler writes goes in here. Rows are folded in memory per key and written once per batch. A failure
 * (a column that isn't there, a NULL in a key, a value out of range, no memory) is remembered: the event has
 * failed. */
typedef struct pdr_writer pdr_writer;

/* Change one column of one row. `table`, `column`: indexes in the projection's tables and in the table's
 * columns (not a key column). `key`: key_count cells. Cells are copied. */
PDR_API void pdr_write(pdr_writer *out, size_t table, const pdr_cell *key, size_t column, pdr_cell_mode mode,
                       pdr_cell cell);
PDR_API void pdr_write_remove(pdr_writer *out, size_t table, const pdr_cell *key);
/* A statement of one's own with $1, $2, ...; "{name}" stands for a table's versioned name. It sees all rows
 * that were written before it. Slower: what is folded so far is written first. */
PDR_API void pdr_write_sql(pdr_writer *out, const char *sql, const pdr_cell *parameters,
                           const pdr_column_type *types, size_t count);
/* The event can't be projected, and why: it is parked, with its entity. */
PDR_API void pdr_write_fail(pdr_writer *out, const char *format, ...) PDR_PRINTF(2, 3);

typedef struct pdr_projection_type {
    size_t abi_size;         /* sizeof(pdr_projection_type) */
    const char *name;        /* lower-case letters, digits, '_'; at most PDR_VIEW_MAX_NAME */
    uint32_t version;        /* raise it when tables or handler change */
    const pdr_table *tables; /* none: the target is the handler itself, and only positions are kept */
    size_t table_count;
    /* Called for each event, in the order of its partition; different partitions interleave. Called again for
     * events whose batch was not committed: with tables nothing is written twice; without, delivery is at
     * least once, and (partition, offset, part) tells repeats. Runs on the worker's thread. */
    void (*handle)(void *context, const pdr_projected *event, pdr_writer *out);
    /* Optional, after each batch's events and before its commit. */
    void (*batch_end)(void *context, pdr_writer *out);
    void *context;
} pdr_projection_type;

/* The C projections of an application: what a shared object exports as `pdr_application_projections`, beside
 * its pdr_app, for `perdure project`. */
typedef struct pdr_projection_list {
    size_t abi_size; /* sizeof(pdr_projection_list) */
    const pdr_projection_type *const *items;
    size_t count;
} pdr_projection_list;

#define PDR_PROJECTIONS_SYMBOL "pdr_application_projections" /* const pdr_projection_list */

#ifdef __cplusplus
}
#endif
#endif
