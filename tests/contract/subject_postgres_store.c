/* The PostgreSQL store under the store seam's contract: each place is a schema of its own in the database
 * that PERDURE_TEST_POSTGRES names. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "backends/postgres/postgres_store.h"
#include "tests/contract/store_contract.h"

typedef struct place {
    char schema[64];
} place;

static const char *server(void)
{
    const char *url = getenv("PERDURE_TEST_POSTGRES");
    return url && *url ? url : NULL;
}

const char *pdr_contract_skip(void)
{
    return server() ? NULL : "PERDURE_TEST_POSTGRES isn't set";
}

/* Schemas have a capital letter and a quote in their names: both want quoting. */
static pdr_code create(void **out, pdr_error *err)
{
    place *p = calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "place");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(p->schema, sizeof p->schema, "Contract\"%d %lld", (int)getpid(),
             (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    *out = p;
    return PDR_OK;
}

/* `format` has one %s: the quoted schema. */
static pdr_code run(const place *p, const char *format, pdr_error *err)
{
    char sql[500];
    PGconn *pg = PQconnectdb(server());
    char *quoted = PQescapeIdentifier(pg, p->schema, strlen(p->schema));
    pdr_code code = PDR_IO;
    if (quoted) {
        snprintf(sql, sizeof sql, format, quoted);
        PGresult *result = PQexec(pg, sql);
        if (PQresultStatus(result) == PGRES_COMMAND_OK) code = PDR_OK;
        PQclear(result);
    }
    if (code != PDR_OK) code = pdr_fail(err, code, "%s", PQerrorMessage(pg));
    PQfreemem(quoted);
    PQfinish(pg);
    return code;
}

static void destroy(void *context)
{
    pdr_error err = {0};
    cr_expect_eq(run(context, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS %s CASCADE", &err),
                 PDR_OK, "%s", err.message);
    free(context);
}

static pdr_code open_store(void *context, pdr_store **out, pdr_error *err)
{
    pdr_postgres_options options = {.url = server(), .schema = ((place *)context)->schema};
    return pdr_postgres_store_open(out, &options, err);
}

static pdr_code make_too_new(void *context, pdr_error *err)
{
    return run(context, "INSERT INTO %s.migration (number, name, checksum) VALUES (9999, 'later', 'x')", err);
}

const pdr_store_subject *pdr_store_subject_get(void)
{
    static const pdr_store_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_store,
        .make_too_new = make_too_new,
    };
    return &subject;
}
