#include "backends/postgres/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "backends/postgres/connect.h"
#include "backends/postgres/sqlstate.h"
#include "base/mem.h"

enum { MAX_SESSION_PARAMS = 8 };

static pdr_code too_late(const pdr_pg_session *session, pdr_error *err)
{
    return pdr_fail(err, PDR_UNAVAILABLE, "PostgreSQL: no answer within %d ms", session->timeout_ms);
}

/* Until the socket is ready for `events` or the deadline. */
static pdr_code wait_for(pdr_pg_session *session, short events, pdr_error *err)
{
    int64_t left_us = session->deadline_us - pdr_pg_now_us();
    if (left_us <= 0) return too_late(session, err);
    struct pollfd fd = {PQsocket(session->pg), events, 0};
    int64_t left_ms = left_us / 1000 + 1;
    int ready = poll(&fd, 1, left_ms > INT32_MAX ? INT32_MAX : (int)left_ms);
    if (ready < 0 && errno != EINTR)
        return pdr_fail_backend(err, PDR_IO, errno, "PostgreSQL: waiting for the connection failed");
    return PDR_OK;
}

static pdr_code lost(const pdr_pg_session *session, pdr_error *err)
{
    return pdr_pg_fail_connection(err, session->pg, "connection lost");
}

static pdr_code connect_all(pdr_pg_session *session, pdr_error *err)
{
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    if (PQstatus(session->pg) == CONNECTION_BAD) step = PGRES_POLLING_FAILED;
    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED) return pdr_pg_fail_connection(err, session->pg, "can't connect");
        pdr_code code = wait_for(session, pdr_pg_connect_events(step), err);
        if (code != PDR_OK) return code;
        step = pdr_pg_connect_step(session->pg, step);
    }
    return PDR_OK;
}

static void begin(pdr_pg_session *out, int timeout_ms)
{
    out->timeout_ms = timeout_ms;
    out->deadline_us = pdr_pg_now_us() + (int64_t)timeout_ms * 1000;
}

/* What a session rests on, whatever the role's defaults are or the one before it has set. */
static pdr_code settle(pdr_pg_session *session, pdr_error *err)
{
    char sql[240];
    int64_t left_ms = (session->deadline_us - pdr_pg_now_us()) / 1000;
    snprintf(sql, sizeof sql,
             "SET search_path = pg_catalog; SET synchronous_commit = on; SET lock_timeout = DEFAULT;"
             " SET statement_timeout = %d; SET default_transaction_isolation = 'read committed'",
             left_ms > 0 ? (int)left_ms : 1);
    return pdr_pg_session_run(session, sql, err);
}

pdr_code pdr_pg_session_open(pdr_pg_session *out, const char *url, int timeout_ms, pdr_error *err)
{
    begin(out, timeout_ms);
    out->pg = pdr_pg_connect_start(url);
    if (!out->pg) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = connect_all(out, err);
    if (code != PDR_OK) return code;
    if (PQsetnonblocking(out->pg, 1) != 0) return lost(out, err);
    return settle(out, err);
}

pdr_code pdr_pg_session_resume(pdr_pg_session *out, PGconn *pg, int timeout_ms, pdr_error *err)
{
    begin(out, timeout_ms);
    out->pg = pg;
    pdr_code code = settle(out, err);
    if (code != PDR_OK) pdr_pg_session_close(out);
    return code;
}

void pdr_pg_session_close(pdr_pg_session *session)
{
    PQfinish(session->pg);
    session->pg = NULL;
}

PGconn *pdr_pg_session_leave(pdr_pg_session *session)
{
    PGconn *pg = session->pg;
    bool whole = PQstatus(pg) == CONNECTION_OK && PQtransactionStatus(pg) == PQTRANS_IDLE;
    if (!whole) PQfinish(pg);
    session->pg = NULL;
    return whole ? pg : NULL;
}

/* Until PQgetResult doesn't block. */
static pdr_code await_result(pdr_pg_session *session, pdr_error *err)
{
    int unsent = PQflush(session->pg);
    while (unsent > 0 || PQisBusy(session->pg)) {
        if (unsent < 0) return lost(session, err);
        pdr_code code = wait_for(session, (short)(POLLIN | (unsent ? POLLOUT : 0)), err);
        if (code != PDR_OK) return code;
        if (!PQconsumeInput(session->pg)) return lost(session, err);
        unsent = PQflush(session->pg);
    }
    return unsent < 0 ? lost(session, err) : PDR_OK;
}

/* The last result of what was sent, the others thrown away; the first error wins. */
static pdr_code last_result(pdr_pg_session *session, PGresult **out, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (;;) {
        pdr_code waited = await_result(session, err);
        if (waited != PDR_OK) return waited;
        PGresult *result = PQgetResult(session->pg);
        if (!result) return code;
        if (code == PDR_OK && PQresultStatus(result) == PGRES_FATAL_ERROR)
            code = pdr_pg_fail_result(err, result);
        PQclear(*out);
        *out = result;
    }
}

pdr_code pdr_pg_session_run(pdr_pg_session *session, const char *sql, pdr_error *err)
{
    PGresult *result = NULL;
    if (!PQsendQuery(session->pg, sql)) return lost(session, err);
    pdr_code code = last_result(session, &result, err);
    PQclear(result);
    return code;
}

pdr_code pdr_pg_session_query(pdr_pg_session *session, PGresult **out, const char *sql,
                              const pdr_pg_param *params, int count, pdr_error *err)
{
    Oid types[MAX_SESSION_PARAMS];
    const char *values[MAX_SESSION_PARAMS];
    int lengths[MAX_SESSION_PARAMS], formats[MAX_SESSION_PARAMS];
    PDR_INVARIANT("session-params", count <= MAX_SESSION_PARAMS);
    for (int i = 0; i < count; i++) {
        types[i] = params[i].type;
        values[i] = (const char *)params[i].value.data;
        lengths[i] = (int)params[i].value.size;
        formats[i] = 1;
    }
    *out = NULL;
    if (!PQsendQueryParams(session->pg, sql, count, types, values, lengths, formats, 1))
        return lost(session, err);
    pdr_code code = last_result(session, out, err);
    if (code == PDR_OK && !*out) code = pdr_fail(err, PDR_IO, "PostgreSQL: no result");
    if (code != PDR_OK) {
        PQclear(*out);
        *out = NULL;
    }
    return code;
}

pdr_code pdr_pg_session_stream(pdr_pg_session *session, const char *sql, pdr_error *err)
{
    bool sent =
        PQsendQueryParams(session->pg, sql, 0, NULL, NULL, NULL, NULL, 1) && PQsetSingleRowMode(session->pg);
    return sent ? PDR_OK : lost(session, err);
}

pdr_code pdr_pg_session_next(pdr_pg_session *session, PGresult **out, pdr_error *err)
{
    *out = NULL;
    session->deadline_us = pdr_pg_now_us() + (int64_t)session->timeout_ms * 1000;
    pdr_code code = await_result(session, err);
    if (code != PDR_OK) return code;
    PGresult *result = PQgetResult(session->pg);
    if (!result) return PDR_OK;
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE: *out = result; return PDR_OK;
    case PGRES_TUPLES_OK: PQclear(result); return PDR_OK; /* the end */
    default: break;
    }
    code = pdr_pg_fail_result(err, result);
    PQclear(result);
    return code;
}
