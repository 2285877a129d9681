/* What the server's error codes (SQLSTATE) mean to the store. */
#ifndef PDR_BACKENDS_POSTGRES_SQLSTATE_H
#define PDR_BACKENDS_POSTGRES_SQLSTATE_H

#include <libpq-fe.h>

#include "perdure/error.h"

/* What can be done with an operation that failed by this error. In every case but END_CONNECTION and
 * GONE the server rolled it back and lives on. */
typedef enum pdr_pg_remedy {
    PDR_PG_FAIL,           /* tell the caller */
    PDR_PG_AGAIN,          /* send it again: a deadlock, a serialisation failure */
    PDR_PG_PREPARE_AGAIN,  /* the server has forgotten the prepared statements: prepare and send again */
    PDR_PG_END_CONNECTION, /* this server can't serve (a standby, shutting down): another connection may */
    PDR_PG_GONE            /* the session ended with the error: outcome unknown */
} pdr_pg_remedy;

/* The code for a SQLSTATE of five characters; NULL or another length: PDR_IO. */
pdr_code pdr_pg_code_of(const char *state);
/* Fills *err (may be NULL) with code, SQLSTATE (in base 36, as `backend`) and the server's message. */
pdr_code pdr_pg_fail_result(pdr_error *err, const PGresult *result);
/* Of a connection's error message: trimmed, one line. */
pdr_code pdr_pg_fail_connection(pdr_error *err, const PGconn *pg, const char *doing);
pdr_pg_remedy pdr_pg_remedy_of(const PGresult *result);

#endif
