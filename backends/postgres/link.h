/* The store's one connection: away, connecting, setting up, ready, and back with a growing pause. */
#ifndef PDR_BACKENDS_POSTGRES_LINK_H
#define PDR_BACKENDS_POSTGRES_LINK_H

#include <libpq-fe.h>

#include "perdure/error.h"

typedef enum pdr_pg_link_state {
    PDR_PG_AWAY,       /* no connection; the next try is at due_us */
    PDR_PG_CONNECTING, /* until due_us */
    PDR_PG_SETTING_UP, /* connected; the session's settings are under way, until due_us */
    PDR_PG_READY       /* in pipeline mode */
} pdr_pg_link_state;

typedef struct pdr_pg_link {
    pdr_pg_link_state state;
    PGconn *pg;
    char *url;         /* owned */
    int limit_ms;      /* of one operation, and of connecting */
    int64_t due_us;    /* monotonic */
    unsigned failures; /* in a row */
    unsigned prepared; /* bits of pdr_pg_statement: known to the server, or on the way to it */
    bool unflushed;    /* libpq holds bytes that the socket didn't take */
    PostgresPollingStatusType waits_for;
    pdr_error why; /* of the last failure */
} pdr_pg_link;

/* The first try is at the first advance. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_pg_link_init(pdr_pg_link *link, const char *url, int limit_ms, pdr_error *err);
void pdr_pg_link_release(pdr_pg_link *link);
/* Takes the steps towards READY that are due; never waits. */
void pdr_pg_link_advance(pdr_pg_link *link, int64_t now_us);
/* Reads what has come. false: the connection is lost (call lose). */
PDR_CHECKED bool pdr_pg_link_read(pdr_pg_link *link);
/* The next result that has come whole, while some are expected; the caller frees it. *sound becomes false
 * when the connection can't bring it any more. */
PDR_CHECKED bool pdr_pg_link_next(pdr_pg_link *link, PGresult **out, bool *sound);
/* Writes what the socket takes. false: lost. */
PDR_CHECKED bool pdr_pg_link_flush(pdr_pg_link *link);
/* Gives the connection up and plans the next try. `why` NULL: libpq's own message. */
void pdr_pg_link_lose(pdr_pg_link *link, int64_t now_us, const char *why);
/* The events of poll(2) to wait for; 0: none. */
short pdr_pg_link_events(const pdr_pg_link *link);

#endif
