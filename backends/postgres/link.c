#include "backends/postgres/link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "backends/postgres/connect.h"
#include "backends/postgres/sqlstate.h"
#include "backends/postgres/statements.h"
#include "base/mem.h"

enum { FIRST_PAUSE_US = 50000, LONGEST_PAUSE_US = 2000000 };

pdr_code pdr_pg_link_init(pdr_pg_link *link, const char *url, int limit_ms, pdr_error *err)
{
    memset(link, 0, sizeof *link);
    link->limit_ms = limit_ms;
    link->url = pdr_strdup(url);
    if (!link->url) return pdr_fail(err, PDR_NOMEM, "out of memory");
    link->why.code = PDR_UNAVAILABLE;
    snprintf(link->why.message, sizeof link->why.message, "PostgreSQL: not connected yet");
    return PDR_OK;
}

void pdr_pg_link_release(pdr_pg_link *link)
{
    PQfinish(link->pg);
    link->pg = NULL;
    pdr_free(link->url);
    link->url = NULL;
    link->state = PDR_PG_AWAY;
}

/* Doubling, and each pause between half of it and all: many clients of one server shall not come back as one.
 */
static int64_t pause_us(const pdr_pg_link *link)
{
    int64_t pause = FIRST_PAUSE_US;
    for (unsigned i = 1; i < link->failures && pause < LONGEST_PAUSE_US; i++)
        pause *= 2;
    if (pause > LONGEST_PAUSE_US) pause = LONGEST_PAUSE_US;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0) random = 0;
    return pause / 2 + (int64_t)(random % (uint32_t)(pause / 2));
}

void pdr_pg_link_lose(pdr_pg_link *link, int64_t now_us, const char *why)
{
    pdr_code code = PDR_UNAVAILABLE;
    if (why)
        code = pdr_fail(&link->why, code, "PostgreSQL: %s", why);
    else
        code = pdr_pg_fail_connection(&link->why, link->pg,
                                      link->state == PDR_PG_CONNECTING ? "can't connect" : "connection lost");
    (void)code;
    PQfinish(link->pg);
    link->pg = NULL;
    link->state = PDR_PG_AWAY;
    link->failures++;
    link->prepared = 0;
    link->unflushed = false;
    link->due_us = now_us + pause_us(link);
}

static void connect_begin(pdr_pg_link *link, int64_t now_us)
{
    link->pg = pdr_pg_connect_start(link->url);
    link->state = PDR_PG_CONNECTING;
    link->waits_for = PGRES_POLLING_WRITING;
    link->due_us = now_us + (int64_t)link->limit_ms * 1000;
    if (!link->pg || PQstatus(link->pg) == CONNECTION_BAD) pdr_pg_link_lose(link, now_us, NULL);
}

static void set_up_begin(pdr_pg_link *link, int64_t now_us)
{
    char lock_limit[16], statement_limit[16];
    snprintf(lock_limit, sizeof lock_limit, "%d", link->limit_ms / 10 * 6 + 1);
    snprintf(statement_limit, sizeof statement_limit, "%d", link->limit_ms / 10 * 8 + 1);
    const char *const values[] = {lock_limit, statement_limit};
    link->state = PDR_PG_SETTING_UP;
    bool sent = PQsetnonblocking(link->pg, 1) == 0 && PQenterPipelineMode(link->pg) &&
                PQsendQueryParams(link->pg, pdr_pg_setup_sql, 2, NULL, values, NULL, NULL, 1) &&
                PQpipelineSync(link->pg) && pdr_pg_link_flush(link);
    if (!sent) pdr_pg_link_lose(link, now_us, NULL);
}

static void connect_go_on(pdr_pg_link *link, int64_t now_us)
{
    link->waits_for = pdr_pg_connect_step(link->pg, link->waits_for);
    if (link->waits_for == PGRES_POLLING_OK)
        set_up_begin(link, now_us);
    else if (link->waits_for == PGRES_POLLING_FAILED)
        pdr_pg_link_lose(link, now_us, NULL);
    else if (now_us >= link->due_us)
        pdr_pg_link_lose(link, now_us, "no connection within the time limit");
}

static void set_up_go_on(pdr_pg_link *link, int64_t now_us)
{
    if (!pdr_pg_link_flush(link) || !pdr_pg_link_read(link)) {
        pdr_pg_link_lose(link, now_us, NULL);
        return;
    }
    bool sound = true;
    PGresult *result = NULL;
    while (sound && link->state == PDR_PG_SETTING_UP && pdr_pg_link_next(link, &result, &sound)) {
        ExecStatusType status = PQresultStatus(result);
        PQclear(result);
        if (status == PGRES_PIPELINE_SYNC) {
            link->state = PDR_PG_READY;
            link->failures = 0;
        } else {
            sound = status == PGRES_TUPLES_OK;
        }
    }
    if (!sound)
        pdr_pg_link_lose(link, now_us, NULL);
    else if (link->state == PDR_PG_SETTING_UP && now_us >= link->due_us)
        pdr_pg_link_lose(link, now_us, "no answer while setting up a session within the time limit");
}

void pdr_pg_link_advance(pdr_pg_link *link, int64_t now_us)
{
    if (link->state == PDR_PG_AWAY && now_us >= link->due_us) connect_begin(link, now_us);
    if (link->state == PDR_PG_CONNECTING) connect_go_on(link, now_us);
    if (link->state == PDR_PG_SETTING_UP) set_up_go_on(link, now_us);
}

bool pdr_pg_link_read(pdr_pg_link *link)
{
    if (!PQconsumeInput(link->pg)) return false;
    /* TLS hands out a record of up to 16 KiB in pieces of the free buffer, and the socket doesn't show the
     * rest. */
    for (int i = 0; i < 2 && PQsslInUse(link->pg) && PQisBusy(link->pg); i++)
        if (!PQconsumeInput(link->pg)) return false;
    return true;
}

bool pdr_pg_link_next(pdr_pg_link *link, PGresult **out, bool *sound)
{
    /* A NULL ends the results of one statement; two in a row: libpq waits for nothing, though its caller
     * does. */
    for (int nulls = 0; nulls < 2; nulls++) {
        if (PQisBusy(link->pg)) return false;
        *out = PQgetResult(link->pg);
        if (*out) return true;
    }
    *sound = false;
    return false;
}

bool pdr_pg_link_flush(pdr_pg_link *link)
{
    int left = PQflush(link->pg);
    link->unflushed = left > 0;
    return left >= 0;
}

short pdr_pg_link_events(const pdr_pg_link *link)
{
    if (link->state == PDR_PG_AWAY) return 0;
    if (link->state == PDR_PG_CONNECTING) return pdr_pg_connect_events(link->waits_for);
    return (short)(POLLIN | (link->unflushed ? POLLOUT : 0));
}
