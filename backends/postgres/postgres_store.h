/* The store seam on PostgreSQL 15, by libpq in pipeline and non-blocking mode. Tables in schema "perdure" or
 * the one that is named. */
#ifndef PDR_BACKENDS_POSTGRES_STORE_H
#define PDR_BACKENDS_POSTGRES_STORE_H

#include "journal/store.h"

typedef struct pdr_postgres_options {
    const char *url;    /* "postgres://..." or a libpq connection string; PDR_BAD_URL */
    const char *schema; /* NULL: "perdure" */
} pdr_postgres_options;

/* Doesn't wait for the server: operations reconnect with back-off and fail with PDR_UNAVAILABLE meanwhile. */
PDR_CHECKED pdr_code pdr_postgres_store_open(pdr_store **out, const pdr_postgres_options *options,
                                             pdr_error *err);

#endif
