#include "bare_postgres.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "harness.h"

static PGconn *connect(const char *url)
{
    PGconn *c = PQconnectdb(url);
    if (PQstatus(c) != CONNECTION_OK) bench_die(PQerrorMessage(c), NULL);
    return c;
}

static void run(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        bench_die(PQerrorMessage(c), NULL);
    PQclear(r);
}

void bare_postgres_run(const char *url, const char *statement)
{
    PGconn *c = connect(url);
    run(c, "SET client_min_messages = warning");
    run(c, statement);
    PQfinish(c);
}

static const char columns[] = "h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, "
                              "h.last_number, h.timer_us, h.ids, "
                              "s.seq, s.bytes";

static void prepare(PGconn *c, const char *name, const char *sql)
{
    PGresult *r = PQprepare(c, name, sql, 0, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) bench_die(PQerrorMessage(c), NULL);
    PQclear(r);
}

static PGconn *open_on(const char *url, const char *schema)
{
    char sql[200];
    PGconn *c = connect(url);
    snprintf(sql, sizeof sql, "SET search_path = %s", schema);
    run(c, sql);
    return c;
}

void bare_postgres_select_one(const char *url, const char *schema, uint32_t first, size_t count, double *out)
{
    char sql[600], key[32];
    PGconn *c = open_on(url, schema);
    snprintf(sql, sizeof sql, "SELECT %s FROM head h LEFT JOIN state s ON s.key = h.key WHERE h.key = $1",
             columns);
    prepare(c, "one", sql);
    for (size_t i = 0; i < count; i++) {
        const char *values[1] = {key};
        snprintf(key, sizeof key, "acct/%u", first + (uint32_t)i);
        double start = bench_now();
        PGresult *r = PQexecPrepared(c, "one", 1, values, NULL, NULL, 1);
        out[i] = (bench_now() - start) * 1e6;
        if (PQntuples(r) != 1) bench_die("a row is missing", NULL);
        PQclear(r);
    }
    PQfinish(c);
}

double bare_postgres_select_batches(const char *url, const char *schema, uint32_t first, size_t count,
                                    size_t batch)
{
    char sql[600];
    PGconn *c = open_on(url, schema);
    snprintf(sql, sizeof sql,
             "SELECT %s FROM head h LEFT JOIN state s ON s.key = h.key WHERE h.key = ANY ($1::text[])",
             columns);
    prepare(c, "many", sql);
    char *array = malloc(batch * 20 + 10);
    if (!array) bench_die("out of memory", NULL);
    double start = bench_now();
    size_t got = 0;
    for (size_t at = 0; at < count; at += batch) {
        size_t used = 0;
        for (size_t i = at; i < at + batch && i < count; i++)
            used += (size_t)sprintf(array + used, "%cacct/%u", used ? ',' : '{', first + (uint32_t)i);
        sprintf(array + used, "}");
        const char *values[1] = {array};
        PGresult *r = PQexecPrepared(c, "many", 1, values, NULL, NULL, 1);
        got += (size_t)PQntuples(r);
        PQclear(r);
    }
    double seconds = bench_now() - start;
    if (got != count) bench_die("rows are missing", NULL);
    free(array);
    PQfinish(c);
    return (double)count / seconds;
}

/* The same rows again into copies of the two tables, with their indexes and fill factors, each batch a
 * transaction of its own. */
double bare_postgres_upsert(const char *url, const char *schema, size_t count, size_t batch)
{
    char sql[1200], from[32], to[32];
    PGconn *c = open_on(url, schema);
    run(c, "SET client_min_messages = warning; DROP TABLE IF EXISTS bare_rows, bare_head, bare_state;"
           "CREATE TABLE bare_rows AS SELECT row_number() OVER () AS n, h.*, s.revision, s.bytes FROM head h "
           "JOIN state s USING (key);"
           "CREATE INDEX ON bare_rows (n); ANALYZE bare_rows;"
           "CREATE TABLE bare_head (LIKE head INCLUDING ALL) WITH (fillfactor = 70);"
           "CREATE TABLE bare_state (LIKE state INCLUDING ALL) WITH (fillfactor = 70);"
           "INSERT INTO bare_head SELECT * FROM head; INSERT INTO bare_state SELECT * FROM state");
    /* What the client sends, made before the clock starts: arrays as text of one batch each. */
    size_t batches = (count + batch - 1) / batch;
    char *(*arrays)[10] = calloc(batches, sizeof *arrays);
    for (size_t b = 0; b < batches; b++) {
        snprintf(from, sizeof from, "%zu", b * batch);
        snprintf(to, sizeof to, "%zu", (b + 1) * batch);
        const char *bounds[2] = {from, to};
        PGresult *r = PQexecParams(c,
                                   "SELECT array_agg(key), array_agg(partition), array_agg(seq), "
                                   "array_agg(last_offset), array_agg(last_term_offset),"
                                   " array_agg(last_term_incarnation), array_agg(last_number), "
                                   "array_agg(ids), array_agg(revision), array_agg(bytes)"
                                   " FROM bare_rows WHERE n > $1::bigint AND n <= $2::bigint",
                                   2, NULL, bounds, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK) bench_die(PQerrorMessage(c), NULL);
        for (int i = 0; i < 10; i++)
            arrays[b][i] = strdup(PQgetvalue(r, 0, i));
        PQclear(r);
    }
    snprintf(sql, sizeof sql,
             "WITH h AS (INSERT INTO bare_head (key, partition, seq, last_offset, last_term_offset, "
             "last_term_incarnation, last_number, ids)"
             " SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], "
             "$6::bigint[], $7::bigint[], $8::bytea[])"
             " ON CONFLICT (key) DO UPDATE SET seq = excluded.seq + 1, last_offset = excluded.last_offset, "
             "last_number = excluded.last_number,"
             " ids = excluded.ids)"
             " INSERT INTO bare_state (key, revision, seq, bytes) SELECT * FROM unnest($1::text[], "
             "$9::bigint[], $3::bigint[], $10::bytea[])"
             " ON CONFLICT (key, revision) DO UPDATE SET seq = excluded.seq + 1, bytes = excluded.bytes");
    prepare(c, "upsert", sql);
    run(c, "CHECKPOINT");
    bench_settle();
    double start = bench_now();
    for (size_t b = 0; b < batches; b++) {
        PGresult *r = PQexecPrepared(c, "upsert", 10, (const char *const *)arrays[b], NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_COMMAND_OK) bench_die(PQerrorMessage(c), NULL);
        PQclear(r);
    }
    double seconds = bench_now() - start;
    for (size_t b = 0; b < batches; b++)
        for (int i = 0; i < 10; i++)
            free(arrays[b][i]);
    free(arrays);
    run(c, "DROP TABLE bare_rows, bare_head, bare_state");
    PQfinish(c);
    return (double)count / seconds;
}
