/* Read one's own write: wait until a view shows what a token names. For who reads, in any process, with
 * nothing but the views' database at hand. docs/projections.md, "Reading one's own write". */
#ifndef PERDURE_WAIT_H
#define PERDURE_WAIT_H

#include "perdure/token.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pdr_readiness {
    PDR_VIEW_READY,  /* the views show the event, and go on showing it */
    PDR_VIEW_BEHIND, /* not yet */
    PDR_VIEW_PARKED, /* the entity is parked, at this event or an earlier one: an operator has to act */
    PDR_VIEW_WRONG_JOURNAL, /* the projection is made from another journal's log */
    PDR_VIEW_UNKNOWN        /* there is no such projection, or it has no live version */
} pdr_readiness;

/* "ready", "behind", "parked", "wrong journal", "no such projection". */
PDR_API const char *pdr_readiness_text(pdr_readiness readiness);

/* A connection to the views' database. One thread at a time; as many as there are threads that wait. */
typedef struct pdr_view_waiter pdr_view_waiter;

/* `views`: "postgres://...", "sqlite:file"; NULL: as a worker's (perdure/worker.h). *out is yours.
 * PDR_BAD_URL, PDR_NOMEM, and of an SQLite file PDR_IO, PDR_CORRUPT, ...; a server is first spoken to by
 * pdr_view_wait. */
PDR_API PDR_CHECKED pdr_code pdr_view_waiter_open(pdr_view_waiter **out, const char *views, pdr_error *err);
PDR_API void pdr_view_waiter_close(pdr_view_waiter *waiter); /* NULL is fine */

/* Look at the live version's position until it covers the token: at once, then after growing pauses, for at
 * most timeout_ms (0: look once; -1: no limit). PDR_OK with *out, BEHIND when the time is over. PDR_BAD_DATA,
 * PDR_TOO_NEW: `token` isn't one of ours. While the database is away it is tried again; its error if the time
 * ends so. Once READY, always READY for the same token: a swap lets no version go live that is behind the one
 * before. Only what takes a view back on purpose takes that back: a reset of the live version, or a forced
 * swap to one that has the entity parked. Blocking. */
PDR_API PDR_CHECKED pdr_code pdr_view_wait(pdr_view_waiter *waiter, const char *projection, pdr_string token,
                                           int timeout_ms, pdr_readiness *out, pdr_error *err);

#ifdef __cplusplus
}
#endif
#endif
