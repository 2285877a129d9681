#include "backends/postgres/connect.h"

#include <poll.h>
#include <string.h>
#include <time.h>

int64_t pdr_pg_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

pdr_code pdr_pg_check_url(const char *url, pdr_error *err)
{
    if (!url || !*url) return pdr_fail(err, PDR_BAD_URL, "a store's URL is empty");
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &why);
    pdr_code code = PDR_OK;
    if (!options && !why)
        code = pdr_fail(err, PDR_NOMEM, "out of memory");
    else if (!options)
        code = pdr_fail(err, PDR_BAD_URL, "store URL: %.*s", (int)strcspn(why, "\n"),
                        strstr(why, url) ? "not a PostgreSQL URL or connection string" : why);
    PQconninfoFree(options);
    PQfreemem(why);
    return code;
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

PGconn *pdr_pg_connect_start(const char *url)
{
    /* What stands before dbname is a default that the URL may replace; what stands after it may not. */
    static const char *const keywords[] = {"target_session_attrs", "fallback_application_name", "dbname",
                                           "client_encoding", NULL};
    const char *const values[] = {"read-write", "perdure", url, "UTF8", NULL};
    PGconn *pg = PQconnectStartParams(keywords, values, 1);
    if (pg) PQsetNoticeReceiver(pg, ignore_notice, NULL);
    return pg;
}

short pdr_pg_connect_events(PostgresPollingStatusType waits_for)
{
    return waits_for == PGRES_POLLING_READING ? POLLIN : POLLOUT;
}

PostgresPollingStatusType pdr_pg_connect_step(PGconn *pg, PostgresPollingStatusType waits_for)
{
    if (PQstatus(pg) == CONNECTION_BAD) return PGRES_POLLING_FAILED;
    /* libpq takes each call for the news that the socket is ready. */
    struct pollfd ready = {PQsocket(pg), pdr_pg_connect_events(waits_for), 0};
    return poll(&ready, 1, 0) > 0 ? PQconnectPoll(pg) : waits_for;
}
