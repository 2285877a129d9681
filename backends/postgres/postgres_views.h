/* The views seam on PostgreSQL (15 or newer): tables of read views in one schema, positions and dead letters
 * in ours. docs/formats/views.md.
 *
 * A batch is one transaction and one round trip: positions first, then rows by `unnest`, each group of rows
 * that change the same columns in the same way with one statement. Blocking operations have a connection of
 * their own, and wait until the batch that is under way has ended. */
#ifndef PDR_BACKENDS_POSTGRES_VIEWS_H
#define PDR_BACKENDS_POSTGRES_VIEWS_H

#include "projections/views.h"

typedef struct pdr_postgres_views_options {
    const char *url;
    const char *schema;      /* of our own tables; NULL: "perdure" */
    const char *view_schema; /* of the views and their tables; NULL: "public" */
    int wait_ms;             /* how long an operation may wait for a connection; 0: 5,000 */
    int limit_ms;            /* how long the server may take over one; 0: 30,000 */
} pdr_postgres_views_options;

/* Doesn't wait for the server. Everything is copied. PDR_BAD_URL, PDR_BAD_SETTING, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_postgres_views_open(pdr_views **out, const pdr_postgres_views_options *options,
                                             pdr_error *err);

#endif
