/* Views on PostgreSQL under the views seam's contract: each place is two schemas of its own in the database
 * that PERDURE_TEST_POSTGRES names. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "backends/postgres/postgres_views.h"
#include "tests/contract/views_contract.h"

/* A lock is waited for six tenths of it. */
enum { LIMIT_MS = 60000, LIMIT_IF_LOCKED_MS = 3000 };

typedef struct place {
    char schema[64], views[64];
    PGconn *locker;
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

/* @ becomes our own schema, ^ that of the views. */
static void expand(char *out, size_t size, const place *p, const char *text)
{
    size_t used = 0;
    for (; *text; text++) {
        if (*text == '@' || *text == '^')
            used += (size_t)snprintf(out + used, size - used, "\"%s\"", *text == '@' ? p->schema : p->views);
        else
            used += (size_t)snprintf(out + used, size - used, "%c", *text);
        cr_assert_lt(used, size);
    }
}

static PGresult *query(const place *p, PGconn *pg, const char *text, pdr_error *err)
{
    char sql[1000];
    expand(sql, sizeof sql, p, text);
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
    bool missing = strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "42P01") == 0;
    (void)!pdr_fail(err, missing ? PDR_NOT_FOUND : PDR_IO, "%s", PQerrorMessage(pg));
    PQclear(result);
    return NULL;
}

static pdr_code run(const place *p, const char *text, pdr_error *err)
{
    pdr_error own = {0};
    PGconn *pg = PQconnectdb(server());
    PGresult *result = query(p, pg, text, &own);
    pdr_code code = result ? PDR_OK : own.code;
    if (err && code != PDR_OK) *err = own;
    PQclear(result);
    PQfinish(pg);
    return code;
}

/* Schemas have capital letters and blanks in their names: both want quoting. */
static pdr_code create(void **out, pdr_error *err)
{
    place *p = calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "place");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(p->schema, sizeof p->schema, "Ours %d %lld", (int)getpid(),
             (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    snprintf(p->views, sizeof p->views, "Views%s", p->schema + 4);
    *out = p;
    return run(p, "CREATE SCHEMA ^", err);
}

static void unlock(void *context)
{
    place *p = context;
    PQfinish(p->locker);
    p->locker = NULL;
}

static void destroy(void *context)
{
    pdr_error err = {0};
    unlock(context);
    cr_expect_eq(run(context,
                     "SET client_min_messages = warning; DROP SCHEMA IF EXISTS @ CASCADE;"
                     " DROP SCHEMA IF EXISTS ^ CASCADE",
                     &err),
                 PDR_OK, "%s", err.message);
    free(context);
}

static pdr_code open_views(void *context, pdr_views **out, pdr_error *err)
{
    place *p = context;
    pdr_postgres_views_options options = {.url = server(),
                                          .schema = p->schema,
                                          .view_schema = p->views,
                                          .limit_ms = p->locker ? LIMIT_IF_LOCKED_MS : LIMIT_MS};
    return pdr_postgres_views_open(out, &options, err);
}

static pdr_code make_too_new(void *context, pdr_error *err)
{
    return run(context, "INSERT INTO @.migration (number, name, checksum) VALUES (9999, 'later', 'x')", err);
}

static pdr_code read_view(void *context, const char *view, size_t *rows, char *columns, size_t size,
                          pdr_error *err)
{
    char sql[200];
    size_t used = 0;
    PGconn *pg = PQconnectdb(server());
    snprintf(sql, sizeof sql, "SELECT * FROM ^.\"%s\"", view);
    pdr_error own = {0};
    PGresult *result = query(context, pg, sql, &own);
    pdr_code code = result ? PDR_OK : own.code;
    if (err && !result) *err = own;
    *columns = '\0';
    *rows = result ? (size_t)PQntuples(result) : 0;
    for (int i = 0; result && i < PQnfields(result); i++)
        used += (size_t)snprintf(columns + used, size - used, "%s%s", i ? "," : "", PQfname(result, i));
    PQclear(result);
    PQfinish(pg);
    return code;
}

static pdr_code lock(void *context, pdr_error *err)
{
    place *p = context;
    p->locker = PQconnectdb(server());
    PGresult *result =
        query(p, p->locker,
              "BEGIN; SELECT 1 FROM @.projection_position WHERE projection = 'books' FOR UPDATE", err);
    PQclear(result);
    return result ? PDR_OK : PDR_IO;
}

static pdr_code do_damage(void *context, damage what, pdr_error *err)
{
    static const char *const statements[] = {
        [DAMAGE_DROP_COLUMN] = "ALTER TABLE ^.\"order__v1\" DROP COLUMN amount CASCADE",
        [DAMAGE_DROP_TABLE] = "DROP TABLE ^.\"order__v1\" CASCADE",
        [DAMAGE_RETYPE] =
            ("DROP VIEW IF EXISTS ^.\"order\"; ALTER TABLE ^.\"order__v1\" ALTER COLUMN amount DROP"
             " DEFAULT, ALTER COLUMN amount TYPE text"),
        [DAMAGE_FOREIGN_VIEW] = "CREATE VIEW ^.\"order\" AS SELECT 1 AS one",
    };
    return run(context, statements[what], err);
}

const pdr_views_subject *pdr_views_subject_get(void)
{
    static const pdr_views_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_views,
        .make_too_new = make_too_new,
        .read = read_view,
        .lock = lock,
        .unlock = unlock,
        .damage = do_damage,
    };
    return &subject;
}
