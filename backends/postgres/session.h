/* A connection of its own for the blocking operations, with a deadline over all of it. */
#ifndef PDR_BACKENDS_POSTGRES_SESSION_H
#define PDR_BACKENDS_POSTGRES_SESSION_H

#include <libpq-fe.h>

#include "perdure/bytes.h"

typedef struct pdr_pg_session {
    PGconn *pg;
    int64_t deadline_us; /* monotonic */
    int timeout_ms;
} pdr_pg_session;

/* A parameter in binary format. */
typedef struct pdr_pg_param {
    Oid type;
    pdr_bytes value;
} pdr_pg_param;

/* Connects, and sets statement_timeout to what is left. PDR_UNAVAILABLE. Close it also after a failure. */
PDR_CHECKED pdr_code pdr_pg_session_open(pdr_pg_session *out, const char *url, int timeout_ms,
                                         pdr_error *err);
/* The same on a connection that an earlier session left: `pg` is the session's from now on, or, after a
 * failure, ended. */
PDR_CHECKED pdr_code pdr_pg_session_resume(pdr_pg_session *out, PGconn *pg, int timeout_ms, pdr_error *err);
void pdr_pg_session_close(pdr_pg_session *session);
/* Instead of close: the connection, if it can be resumed; else it is closed, and this is NULL. */
PGconn *pdr_pg_session_leave(pdr_pg_session *session);
/* Statements without parameters, separated by ';'; rows are thrown away. */
PDR_CHECKED pdr_code pdr_pg_session_run(pdr_pg_session *session, const char *sql, pdr_error *err);
/* One statement; results in binary. The caller clears *out, which is NULL after a failure. */
PDR_CHECKED pdr_code pdr_pg_session_query(pdr_pg_session *session, PGresult **out, const char *sql,
                                          const pdr_pg_param *params, int count, pdr_error *err);
/* The same, row by row: call next until *out is NULL (the end) or it fails. Each *out is the caller's. */
PDR_CHECKED pdr_code pdr_pg_session_stream(pdr_pg_session *session, const char *sql, pdr_error *err);
PDR_CHECKED pdr_code pdr_pg_session_next(pdr_pg_session *session, PGresult **out, pdr_error *err);

#endif
