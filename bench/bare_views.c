/* The ceiling of a projection into PostgreSQL: one connection, the folded rows of each batch by one prepared
 * upsert with binary arrays, made before the clock starts. No log, no positions. */
#include "viewing.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5, NAME = 16, TEXT_OID = 25, BIGINT_OID = 20, TIMESTAMPTZ_OID = 1184 };
enum { TEXT_ARRAY = 1009, BIGINT_ARRAY = 1016, TIMESTAMPTZ_ARRAY = 1185 };
static const int64_t some_time = INT64_C(800000000) * 1000000;

static void must(PGconn *c, PGresult *r)
{
    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        bench_die(PQerrorMessage(c), NULL);
    PQclear(r);
}

static PGconn *connected(const bench_run *run)
{
    PGconn *c = PQconnectdb(run->postgres);
    if (PQstatus(c) != CONNECTION_OK) bench_die(PQerrorMessage(c), NULL);
    must(c, PQexec(c, "SET client_min_messages = warning"));
    return c;
}

double bench_query(const bench_run *run, const char *sql)
{
    PGconn *c = connected(run);
    PGresult *r = PQexec(c, sql);
    if (PQresultStatus(r) != PGRES_TUPLES_OK || PQntuples(r) != 1) bench_die(PQerrorMessage(c), NULL);
    double value = strtod(PQgetvalue(r, 0, 0), NULL);
    PQclear(r);
    PQfinish(c);
    return value;
}

/* --- Binary arrays of one dimension --- */

typedef struct array {
    char *data;
    size_t size;
} array;

static void put32(array *a, uint32_t value)
{
    value = htonl(value);
    memcpy(a->data + a->size, &value, 4);
    a->size += 4;
}

static array begin(uint32_t element, size_t count, size_t width)
{
    array a = {malloc(20 + count * (4 + width)), 0};
    if (!a.data) bench_die("out of memory", NULL);
    put32(&a, 1);
    put32(&a, 0);
    put32(&a, element);
    put32(&a, (uint32_t)count);
    put32(&a, 1);
    return a;
}

static void put(array *a, const void *bytes, size_t size)
{
    put32(a, (uint32_t)size);
    memcpy(a->data + a->size, bytes, size);
    a->size += size;
}

static void put64(array *a, int64_t value)
{
    put32(a, 8);
    put32(a, (uint32_t)((uint64_t)value >> 32));
    put32(a, (uint32_t)value);
}

/* --- Batches --- */

typedef struct batch {
    array columns[COLUMNS];
} batch;

typedef struct row {
    char name[NAME];
    uint32_t account, adds;
} row;

typedef struct making {
    const bench_bare_views *b;
    row *rows; /* of the batch */
    size_t count;
    uint32_t *row_of;  /* by account: its row in this batch, plus 1 */
    uint32_t *adds_of; /* by account: so far */
} making;

static int compare(const void *a, const void *b)
{
    return strcmp(((const row *)a)->name, ((const row *)b)->name);
}

/* The account of the log's i-th event. */
static uint32_t account_of(const bench_bare_views *b, uint64_t i)
{
    uint64_t visit = i / ((uint64_t)b->window * b->adds);
    return (uint32_t)((visit * b->window + i % b->window) % b->accounts);
}

static void fold(making *m, uint64_t event)
{
    uint32_t account = account_of(m->b, event);
    if (!m->row_of[account]) {
        row *added = &m->rows[m->count++];
        *added = (row){.account = account};
        snprintf(added->name, sizeof added->name, "%u", account);
        m->row_of[account] = (uint32_t)m->count;
    }
    m->rows[m->row_of[account] - 1].adds++;
    m->adds_of[account]++;
}

static batch finish(making *m)
{
    static const uint32_t types[COLUMNS] = {TEXT_OID, BIGINT_OID, BIGINT_OID, TEXT_OID, TIMESTAMPTZ_OID};
    batch out;
    size_t note = strlen(m->b->note);
    for (size_t i = 0; i < m->count; i++)
        m->row_of[m->rows[i].account] = 0;
    qsort(m->rows, m->count, sizeof *m->rows, compare);
    for (size_t c = 0; c < COLUMNS; c++)
        out.columns[c] = begin(types[c], m->count, c == 3 ? note : NAME);
    for (size_t i = 0; i < m->count; i++) {
        const row *r = &m->rows[i];
        put(&out.columns[0], r->name, strlen(r->name));
        put64(&out.columns[1], 7 * (int64_t)m->adds_of[r->account]);
        put64(&out.columns[2], r->adds);
        put(&out.columns[3], m->b->note, note);
        put64(&out.columns[4], some_time);
    }
    m->count = 0;
    return out;
}

static batch *make_batches(const bench_bare_views *b, uint64_t events, uint64_t *batches, uint64_t *rows)
{
    making m = {.b = b,
                .rows = malloc(b->batch_events * sizeof(row)),
                .row_of = calloc(b->accounts, sizeof(uint32_t)),
                .adds_of = calloc(b->accounts, sizeof(uint32_t))};
    *batches = (events + b->batch_events - 1) / b->batch_events;
    *rows = 0;
    batch *out = calloc(*batches, sizeof *out);
    if (!m.rows || !m.row_of || !m.adds_of || !out) bench_die("out of memory", NULL);
    for (uint64_t i = 0; i < *batches; i++) {
        for (uint64_t e = i * b->batch_events; e < (i + 1) * b->batch_events && e < events; e++)
            fold(&m, e);
        *rows += m.count;
        out[i] = finish(&m);
    }
    free(m.rows);
    free(m.row_of);
    free(m.adds_of);
    return out;
}

static void prepare(PGconn *c, const bench_bare_views *b)
{
    static const Oid types[COLUMNS] = {TEXT_ARRAY, BIGINT_ARRAY, BIGINT_ARRAY, TEXT_ARRAY, TIMESTAMPTZ_ARRAY};
    char sql[800];
    snprintf(
        sql, sizeof sql,
        "SET search_path = %s; CREATE TABLE bare_accounts (account text COLLATE \"C\" PRIMARY KEY, total "
        "bigint NOT NULL DEFAULT 0, adds bigint NOT NULL DEFAULT 0, note text, changed timestamptz) WITH "
        "(fillfactor = 70)",
        b->schema);
    must(c, PQexec(c, sql));
    must(c, PQprepare(c, "upsert",
                      "INSERT INTO bare_accounts AS t SELECT * FROM unnest($1, $2, $3, $4, $5) ON CONFLICT "
                      "(account) DO UPDATE SET total = excluded.total, adds = t.adds + excluded.adds, note = "
                      "excluded.note, changed = excluded.changed",
                      COLUMNS, types));
}

static void upsert(PGconn *c, const batch *sent)
{
    static const int formats[COLUMNS] = {1, 1, 1, 1, 1};
    const char *values[COLUMNS];
    int sizes[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        values[i] = sent->columns[i].data;
        sizes[i] = (int)sent->columns[i].size;
    }
    must(c, PQexecPrepared(c, "upsert", COLUMNS, values, sizes, formats, 1));
}

double bench_bare_upserts(const bench_run *run, const bench_bare_views *b, uint64_t *batches, uint64_t *rows)
{
    uint64_t events = (uint64_t)b->visits * b->window * b->adds;
    batch *made = make_batches(b, events, batches, rows);
    PGconn *c = connected(run);
    prepare(c, b);
    bench_settle();
    double start = bench_now();
    for (uint64_t i = 0; i < *batches; i++)
        upsert(c, &made[i]);
    double seconds = bench_now() - start;
    PQfinish(c);
    for (uint64_t i = 0; i < *batches; i++)
        for (size_t column = 0; column < COLUMNS; column++)
            free(made[i].columns[column].data);
    free(made);
    return seconds;
}
