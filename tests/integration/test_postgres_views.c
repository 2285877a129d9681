/* Claims about views on PostgreSQL when the network or the server fails, tables are made anew, and readers
 * look on while versions are swapped. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/integration/postgres_views_world.h"

TestSuite(postgres_views, .init = views_open, .fini = views_close);
TestSuite(postgres_views_server, .init = views_open, .fini = views_close);

/* --- The network --- */

Test(postgres_views, batches_wait_for_a_server_that_comes_later)
{
    ended e;
    proxy_open(PROXY_REFUSES);
    pdr_views *views = views_at(proxy_url(), 30000, 0);
    begin_batch(&e, views, 1, 0, -1, 2);
    for (int i = 0; i < 10; i++)
        poll_once(views, 30);
    cr_assert_eq(e.times, 0);
    proxy_set(PROXY_PASSES);
    until_ended(views, &e);
    cr_assert_eq(e.code, PDR_OK, "%s", e.error.message);
    rows_equal_positions();
}

Test(postgres_views, batches_end_as_unavailable_when_the_server_stays_away)
{
    pdr_error err = {0};
    pdr_version_spec spec = spec_of(1);
    proxy_open(PROXY_REFUSES);
    pdr_views *views = views_at(proxy_url(), 300, 0);
    ended e = batch(views, 0, -1, 0);
    cr_assert_eq(e.code, PDR_UNAVAILABLE);
    for (int tries = 0; !strstr(e.error.message, "refused") && tries < 600; tries++)
        e = batch(views, 0, -1, 0);
    cr_assert_not_null(strstr(e.error.message, "refused"), "%s", e.error.message);
    cr_assert_eq(views->ops->verify(views, &spec, 2000, &err), PDR_UNAVAILABLE);
    proxy_set(PROXY_PASSES);
    for (int tries = 0; e.code == PDR_UNAVAILABLE && tries < 600; tries++)
        e = batch(views, 0, -1, 0);
    cr_assert_eq(e.code, PDR_OK, "%s", e.error.message);
}

Test(postgres_views, a_batch_under_way_when_the_connection_breaks_is_unknown_and_positions_tell)
{
    ended first, second, fetch = {0};
    const pdr_cell key = pdr_cell_bytes(pdr_bytes_of("0", 1)), *keys[] = {&key};
    pdr_version_spec spec = spec_of(1);
    proxy_open(PROXY_PASSES);
    pdr_views *views = views_at(proxy_url(), 20000, 0);
    cr_assert_eq(batch(views, 0, -1, 2).code, PDR_OK);
    PGconn *pg = sql_connect();
    sql_on(pg, "BEGIN; SELECT 1 FROM @projection_position WHERE partition = 0 FOR UPDATE");
    begin_batch(&first, views, 1, 0, 0, 2);
    begin_batch(&second, views, 1, 0, 1, 2);
    cr_assert_eq(views->ops->fetch(views, &spec, 0, keys, 1, note_rows, &fetch, 1, NULL), PDR_OK);
    for (int i = 0; i < 10; i++)
        poll_once(views, 30);
    cr_assert_eq(first.times + second.times + fetch.times, 0);
    proxy_set(PROXY_REFUSES);
    until_ended(views, &first);
    until_ended(views, &second);
    until_ended(views, &fetch);
    cr_assert_eq(first.code, PDR_UNKNOWN_OUTCOME, "%s", first.error.message);
    cr_assert_eq(second.code, PDR_UNKNOWN_OUTCOME, "%s", second.error.message);
    cr_assert_eq(fetch.code, PDR_UNAVAILABLE, "%s", fetch.error.message);
    proxy_set(PROXY_PASSES);
    sql_on(pg, "COMMIT"); /* the server may yet carry them out */
    PQfinish(pg);
    for (int tries = 0; tries < 600; tries++) {
        int64_t from = offset_now(opened[0]);
        ended e = batch(views, 0, from, 2);
        if (e.code == PDR_OK) break;
        cr_assert(e.code == PDR_STALE || e.code == PDR_UNAVAILABLE, "%s", e.error.message);
        cr_assert_lt(tries, 599);
    }
    rows_equal_positions();
}

Test(postgres_views, a_server_that_says_nothing_is_given_up)
{
    proxy_open(PROXY_PASSES);
    pdr_views *views = views_at(proxy_url(), 20000, 2000);
    cr_assert_eq(batch(views, 0, -1, 0).code, PDR_OK);
    proxy_set(PROXY_STALLS);
    ended e = batch(views, 0, 0, 0);
    cr_assert_eq(e.code, PDR_UNKNOWN_OUTCOME, "%s: %s", pdr_code_name(e.code), e.error.message);
    cr_assert_not_null(strstr(e.error.message, "time limit"), "%s", e.error.message);
}

Test(postgres_views, a_server_out_of_connections_is_unavailable_until_it_has_some)
{
    char url[500], role[600];
    const char *base = getenv("PERDURE_TEST_POSTGRES");
    snprintf(url, sizeof url, "%s%cuser=%s", base, strchr(base, '?') ? '&' : '?', world_schema());
    snprintf(role, sizeof role, "CREATE ROLE %s LOGIN CONNECTION LIMIT 0", world_schema());
    sql(role);
    pdr_views *views = views_at(url, 300, 0);
    ended e = batch(views, 0, -1, 0);
    cr_assert_eq(e.code, PDR_UNAVAILABLE, "%s", e.error.message);
    for (int tries = 0; !strstr(e.error.message, "too many connections") && tries < 600; tries++)
        e = batch(views, 0, -1, 0);
    cr_assert_not_null(strstr(e.error.message, "too many connections"), "%s", e.error.message);
    snprintf(role, sizeof role, "ALTER ROLE %s SUPERUSER", world_schema()); /* the limit isn't for these */
    sql(role);
    for (int tries = 0; e.code == PDR_UNAVAILABLE && tries < 600; tries++)
        e = batch(views, 0, -1, 0);
    cr_assert_eq(e.code, PDR_OK, "%s", e.error.message);
    views->ops->close(views);
    opened[1] = NULL;
    snprintf(role, sizeof role, "DROP ROLE %s", world_schema());
    sql(role);
}

/* --- Refused at the end --- */

Test(postgres_views, what_the_commit_itself_refuses_fails_its_own_batch_and_no_other)
{
    ended first, late, next, busy, last;
    pdr_views *views = opened[0];
    sql("ALTER TABLE @counts__v1 ADD CONSTRAINT late UNIQUE (n) DEFERRABLE INITIALLY DEFERRED");
    sql("CREATE FUNCTION @conflict() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION"
        " 'could not serialize access' USING ERRCODE = '40001'; END $$");
    sql("CREATE CONSTRAINT TRIGGER conflict AFTER INSERT ON @counts__v1 DEFERRABLE INITIALLY DEFERRED FOR"
        " EACH ROW WHEN (new.id = '2') EXECUTE FUNCTION @conflict()");
    begin_batch(&first, views, 1, 0, -1, 2);
    begin_batch(&late, views, 1, 1, -1, 2); /* its n is that of the first */
    begin_batch(&next, views, 1, 0, 0, 2);
    begin_batch(&busy, views, 1, 2, -1, 2);
    begin_batch(&last, views, 1, 0, 1, 2);
    until_ended(views, &last);
    cr_assert_eq(first.code, PDR_OK, "%s", first.error.message);
    cr_assert_eq(late.code, PDR_BAD_DATA, "%s: %s", pdr_code_name(late.code), late.error.message);
    cr_assert_eq(next.code, PDR_OK, "%s", next.error.message);
    cr_assert_eq(busy.code, PDR_BUSY, "%s: %s", pdr_code_name(busy.code), busy.error.message);
    cr_assert_eq(last.code, PDR_OK, "%s", last.error.message);
    rows_equal_positions();
}

/* --- The server --- */

/* As a worker: batch after batch; what is unknown is settled by the position. */
static void go_on(pdr_views *views, int64_t *at, int *failures)
{
    ended e = batch(views, 0, *at, 3);
    if (e.code == PDR_OK) {
        ++*at;
        return;
    }
    ++*failures;
    cr_assert(pdr_code_retry(e.code), "%s: %s", pdr_code_name(e.code), e.error.message);
    int64_t now = offset_now(views);
    cr_assert(now == *at || now == *at + 1, "at %lld after %lld", (long long)now, (long long)*at);
    *at = now;
}

Test(postgres_views_server, sessions_ended_by_the_server_under_load_lose_and_double_nothing)
{
    char url[500], kill[300];
    const char *base = getenv("PERDURE_TEST_POSTGRES");
    int64_t at = -1;
    int failures = 0;
    snprintf(url, sizeof url, "%s%capplication_name=%s", base, strchr(base, '?') ? '&' : '?', world_schema());
    snprintf(kill, sizeof kill,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '%s'",
             world_schema());
    pdr_views *views = views_at(url, 60000, 0);
    PGconn *pg = sql_connect();
    for (int round = 0; round < 30; round++) {
        ended e;
        for (int i = 0; i < round % 5 + 1; i++)
            go_on(views, &at, &failures);
        begin_batch(&e, views, 1, 0, at, 3);
        for (int i = 0; i < round % 3; i++)
            (void)views->ops->poll(views);
        sql_on(pg, kill);
        until_ended(views, &e);
        int64_t now = offset_now(views);
        if (e.code == PDR_OK) cr_assert_eq(now, at + 1);
        cr_assert(now == at || now == at + 1);
        at = now;
        rows_equal_positions();
    }
    PQfinish(pg);
    cr_assert_gt(at, 30);
}

Test(postgres_views_server, a_server_killed_and_started_under_load_keeps_rows_and_positions_together,
     .timeout = 600)
{
    int64_t at = -1;
    int failures = 0;
    pdr_views *views = opened[0];
    for (int round = 0; round < 3; round++) {
        ended e;
        for (int i = 0; i < 50; i++)
            go_on(views, &at, &failures);
        begin_batch(&e, views, 1, 0, at, 3);
        for (int i = 0; i < round; i++)
            (void)views->ops->poll(views);
        server_restart_hard();
        until_ended(views, &e);
        int64_t now = offset_now(views);
        cr_assert(e.code == PDR_OK ? now == at + 1 : now == at || now == at + 1, "%s", e.error.message);
        at = now;
        rows_equal_positions();
        go_on(views, &at, &failures);
    }
    rows_equal_positions();
}

/* --- Tables made anew --- */

Test(postgres_views, what_was_prepared_for_a_table_that_was_made_anew_is_prepared_again)
{
    pdr_error err = {0};
    pdr_column changed[3];
    pdr_table again[2] = {tables[0], tables[1]};
    pdr_version_spec spec = spec_of(1);
    pdr_views *views = opened[0];
    const pdr_cell key = pdr_cell_bytes(pdr_bytes_of("0", 1)), *keys[] = {&key};
    ended fetch = {0};
    cr_assert_eq(batch(views, 0, -1, 1).code, PDR_OK);
    cr_assert_eq(views->ops->fetch(views, &spec, 0, keys, 1, note_rows, &fetch, 1, NULL), PDR_OK);
    until_ended(views, &fetch);
    cr_assert_eq(fetch.count, 1);
    memcpy(changed, columns, sizeof changed);
    changed[1].type = PDR_COLUMN_INTEGER; /* the SQL's text stays the same */
    again[0].columns = changed;
    spec.tables = again;
    cr_assert_eq(views->ops->drop(views, "counting", 1, true, 60000, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(views->ops->create(views, &spec, 60000, &err), PDR_OK, "%s", err.message);
    load_generations(1);
    for (int i = 0; i < 3; i++) { /* the first may have to be sent again */
        fetch = (ended){0};
        cr_assert_eq(views->ops->fetch(views, &spec, 0, keys, 1, note_rows, &fetch, 1, NULL), PDR_OK);
        until_ended(views, &fetch);
        if (fetch.code != PDR_BUSY) break;
    }
    cr_assert_eq(fetch.code, PDR_OK, "%s: %s", pdr_code_name(fetch.code), fetch.error.message);
    const uint8_t modes[] = {PDR_CELL_SET, PDR_CELL_ADD};
    pdr_cell cells[2] = {pdr_cell_integer(-5), pdr_cell_integer(1)};
    pdr_row_change change = {.key = &key, .cells = cells, .modes = modes};
    pdr_view_step step = {.rows = &change, .row_count = 1};
    pdr_view_batch write = {.steps = &step, .step_count = 1};
    for (int i = 0; i < 3; i++) {
        fetch = (ended){0};
        cr_assert_eq(views->ops->commit(views, &spec, "w", &write, note, &fetch, 0, NULL), PDR_OK);
        until_ended(views, &fetch);
        if (fetch.code != PDR_BUSY) break;
    }
    cr_assert_eq(fetch.code, PDR_OK, "%s: %s", pdr_code_name(fetch.code), fetch.error.message);
    cr_assert_eq(sql_number("SELECT n FROM @counts"), -5);
}

/* --- Several workers --- */

Test(postgres_views, workers_of_several_partitions_on_the_same_shared_rows_go_on_without_deadlock)
{
    enum { BATCHES = 100, WORKERS = 3, ROWS = 100 };
    int64_t at[WORKERS] = {-1, -1, -1};
    ended e[WORKERS];
    int busy = 0;
    for (int i = 1; i < WORKERS; i++)
        (void)views_at(NULL, 60000, 0);
    for (int i = 0; i < WORKERS; i++)
        begin_batch(&e[i], opened[i], 1, i, at[i], ROWS);
    for (int left = WORKERS; left > 0;) {
        for (int i = 0; i < WORKERS; i++) {
            (void)opened[i]->ops->poll(opened[i]);
            if (e[i].times != 1) continue;
            cr_assert(e[i].code == PDR_OK || e[i].code == PDR_BUSY, "%s", e[i].error.message);
            if (e[i].code == PDR_OK) at[i]++;
            busy += e[i].code == PDR_BUSY;
            e[i].times = 2;
            if (at[i] + 1 < BATCHES)
                begin_batch(&e[i], opened[i], 1, i, at[i], ROWS);
            else
                left--;
        }
        poll(NULL, 0, 0);
    }
    cr_assert_eq(busy, 0);
    cr_assert_eq(sql_number("SELECT count(*) FROM @totals WHERE sum = 300"), ROWS);
    rows_equal_positions();
}

/* --- Readers --- */

typedef struct reader {
    pthread_t thread;
    const char *sql;
    PGconn *pg;
    int reads;
    bool stop;
    char trouble[300];
} reader;

static void *read_on(void *context)
{
    reader *r = context;
    while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED) && !*r->trouble) {
        PGresult *result = PQexec(r->pg, r->sql);
        if (PQresultStatus(result) != PGRES_TUPLES_OK)
            snprintf(r->trouble, sizeof r->trouble, "%s", PQerrorMessage(r->pg));
        else if (PQntuples(result) != 1 || strcmp(PQgetvalue(result, 0, 0), "4") != 0)
            snprintf(r->trouble, sizeof r->trouble, "%d rows, %s", PQntuples(result),
                     PQgetvalue(result, 0, 0));
        PQclear(result);
        __atomic_add_fetch(&r->reads, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void reader_start(reader *r, const char *isolation)
{
    char set[100];
    static char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(id) FROM %s.counts", world_schema());
    snprintf(set, sizeof set, "SET default_transaction_isolation = '%s'", isolation);
    r->sql = sql;
    r->pg = sql_connect();
    sql_on(r->pg, set);
    cr_assert_eq(pthread_create(&r->thread, NULL, read_on, r), 0);
}

static void reader_end(reader *r)
{
    __atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
    pthread_join(r->thread, NULL);
    PQfinish(r->pg);
    cr_assert_eq(*r->trouble, '\0', "after %d reads: %s", r->reads, r->trouble);
    cr_assert_gt(r->reads, 0);
}

Test(postgres_views, readers_never_fail_and_always_see_a_whole_view_while_versions_are_swapped)
{
    enum { SWAPS = 40 };
    pdr_error err = {0};
    pdr_views *views = opened[0];
    reader plain = {0}, repeatable = {0};
    pdr_table other[2] = {tables[0], tables[1]};
    pdr_version_spec spec = spec_of(2);
    other[0].column_count = 2; /* the view is made anew each time */
    spec.tables = other;
    for (int32_t p = 0; p < 4; p++)
        cr_assert_eq(batch(views, p, -1, 0).code, PDR_OK);
    cr_assert_eq(views->ops->create(views, &spec, 60000, &err), PDR_OK, "%s", err.message);
    load_generations(2);
    sql("INSERT INTO @counts__v2 SELECT id, n FROM @counts__v1; UPDATE @projection_position SET \"offset\" = "
        "0,"
        " term_offset = 0, term_incarnation = 7, number = 1; GRANT SELECT ON @counts TO PUBLIC");
    reader_start(&plain, "read committed");
    reader_start(&repeatable, "repeatable read");
    while (!__atomic_load_n(&plain.reads, __ATOMIC_RELAXED) ||
           !__atomic_load_n(&repeatable.reads, __ATOMIC_RELAXED))
        poll(NULL, 0, 1);
    for (int i = 0; i < SWAPS; i++) {
        pdr_code code;
        for (int tries = 0; (code = views->ops->swap(views, "counting", 2 - (uint32_t)(i % 2), false, 60000,
                                                     &err)) == PDR_LOCKED;
             tries++)
            cr_assert_lt(tries, 100);
        cr_assert_eq(code, PDR_OK, "%s", err.message);
    }
    reader_end(&plain);
    reader_end(&repeatable);
    cr_assert_eq(
        sql_number("SELECT count(*) FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = '@counts'::regclass"
                   " AND a.grantee = 0"),
        1, "the grant is gone");
}
