/* A projection as the worker sees it: tables, and a function from an event to changes of rows. Made from a
 * declarative file (definition.h) or from C (include/perdure/projection.h). */
#ifndef PDR_PROJECTIONS_PROJECTION_H
#define PDR_PROJECTIONS_PROJECTION_H

#include "perdure/projection.h"
#include "projections/rows.h"

typedef struct pdr_projection pdr_projection;
struct pdr_schema_book; /* journal/schema_book.h */

typedef struct pdr_projection_ops {
    void (*close)(pdr_projection *projection);
    /* One event into `rows`. PDR_OK; PDR_BUSY: rows are needed that `rows` doesn't have (pdr_rows_wanted
     * lists them), nothing was changed: fetch them and try again. PDR_BAD_DATA, PDR_BAD_HANDLER: the event's
     * fault. PDR_NOMEM. */
    pdr_code (*project)(pdr_projection *projection, const pdr_projected *event, pdr_rows *rows,
                        pdr_error *err);
    pdr_code (*batch_end)(pdr_projection *projection, pdr_rows *rows, pdr_error *err); /* may be NULL */
    /* Does it want events of this type at all? */
    bool (*wants)(const pdr_projection *projection, const pdr_type *type);
} pdr_projection_ops;

struct pdr_projection {
    const pdr_projection_ops *ops;
    const char *name;
    uint32_t version;
    uint64_t fingerprint; /* of all that decides what rows come out */
    const pdr_table *tables;
    size_t table_count;
    const char
        *topic; /* not NULL: its events go there, and it has no tables; a name, or kafka://host:9092/name */
    bool exactly_once; /* of a topic: in Kafka transactions */
    const struct pdr_schema_book
        *ids; /* of a topic: a registry's ids for the framing; NULL: framed by fingerprint */
};

/* A declarative file, read and checked against the application's events. `file` names it in messages.
 * PDR_BAD_PROJECTION with file:line:column; PDR_TOO_LARGE, PDR_NOMEM. `app` must outlive it. */
PDR_CHECKED pdr_code pdr_projection_read(pdr_projection **out, const char *file, pdr_string text,
                                         const pdr_app *app, pdr_error *err);
/* One in C. `type` must outlive it. PDR_INVALID_ARGUMENT names what is wrong. */
PDR_CHECKED pdr_code pdr_projection_of(pdr_projection **out, const pdr_projection_type *type, pdr_error *err);
static inline void pdr_projection_close(pdr_projection *projection)
{
    if (projection) projection->ops->close(projection);
}

#endif
