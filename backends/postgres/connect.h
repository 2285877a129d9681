/* What each connection of the store begins with. */
#ifndef PDR_BACKENDS_POSTGRES_CONNECT_H
#define PDR_BACKENDS_POSTGRES_CONNECT_H

#include <libpq-fe.h>

#include "perdure/error.h"

int64_t pdr_pg_now_us(void); /* monotonic */

/* PDR_BAD_URL unless libpq understands it. The message never holds the whole URL: it may have a password. */
PDR_CHECKED pdr_code pdr_pg_check_url(const char *url, pdr_error *err);
/* Begins to connect, as PQconnectStartParams; nothing is printed for the server's notices. NULL: out of
 * memory. */
PDR_CHECKED PGconn *pdr_pg_connect_start(const char *url);
/* One step, if the socket is ready for it. PGRES_POLLING_OK or _FAILED end it; else what to wait for. */
PostgresPollingStatusType pdr_pg_connect_step(PGconn *pg, PostgresPollingStatusType waits_for);
/* The events of poll(2) to wait for. */
short pdr_pg_connect_events(PostgresPollingStatusType waits_for);

#endif
