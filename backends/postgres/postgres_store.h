/* The store seam on PostgreSQL (14 or newer), by libpq in pipeline and non-blocking mode. Tables in schema
 * "perdure" or the one that is named: docs/formats/store.md.
 *
 * Operations go out in the order of submission on one connection, several under way at once; each is a
 * transaction of its own. The connection is made in `poll` and made again with back-off whenever it is lost;
 * the only step of it that may block is the look-up of a host's name. When it is lost, loads, look-ups and
 * claims under way are sent again (all can be repeated without harm); saves end as PDR_UNKNOWN_OUTCOME. */
#ifndef PDR_BACKENDS_POSTGRES_STORE_H
#define PDR_BACKENDS_POSTGRES_STORE_H

#include "journal/store.h"

/* Ceilings: over them an operation is refused with PDR_TOO_LARGE, or PDR_QUEUE_FULL for the last. */
enum {
    PDR_POSTGRES_MAX_KEYS = 100000,             /* heads of a save, keys of a look-up, schemas of a save */
    PDR_POSTGRES_MAX_BYTES = 256 * 1024 * 1024, /* of one operation as it is sent */
    PDR_POSTGRES_MAX_QUEUED = 4096              /* operations accepted and not yet answered */
};

typedef struct pdr_postgres_options {
    const char *url; /* "postgres://..." or a libpq connection string; PDR_BAD_URL */
    const char
        *schema; /* NULL: "perdure"; PDR_BAD_SETTING unless of 1 to 63 bytes and not PostgreSQL's own */
    int wait_ms; /* how long an operation may wait for a connection, then PDR_UNAVAILABLE; 0: 5,000 */
    /* How long the server may take over one operation; 0: 10,000. At 6/10 of it a lock that isn't had gives
     * PDR_LOCKED, at 8/10 the server gives the operation up (PDR_UNAVAILABLE, not carried out), at all of it
     * the connection is taken for dead. */
    int limit_ms;
} pdr_postgres_options;

/* Doesn't wait for the server: operations reconnect with back-off and fail with PDR_UNAVAILABLE meanwhile.
 * Everything in `options` is copied. */
PDR_CHECKED pdr_code pdr_postgres_store_open(pdr_store **out, const pdr_postgres_options *options,
                                             pdr_error *err);

#endif
