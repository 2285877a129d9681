/* Claims about the PostgreSQL store that the seam's contract doesn't make: URLs, migrations, locks, ceilings.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tests/integration/postgres_world.h"

TestSuite(postgres_open, .init = world_open, .fini = world_close);
TestSuite(postgres_tables, .init = world_ready, .fini = world_close);
TestSuite(postgres_races, .init = world_ready, .fini = world_close);
TestSuite(postgres_errors, .init = world_ready, .fini = world_close);
TestSuite(postgres_bad_input, .init = world_ready, .fini = world_close);

/* --- Opening --- */

static pdr_code open_with(const char *url, const char *schema, int wait_ms, int limit_ms, pdr_error *err)
{
    pdr_postgres_options options = {url, schema, wait_ms, limit_ms};
    pdr_store *store = NULL;
    pdr_code code = pdr_postgres_store_open(&store, &options, err);
    cr_assert_eq(code == PDR_OK, store != NULL);
    if (store) store->ops->close(store);
    return code;
}

Test(postgres_open, urls_that_libpq_does_not_understand_are_bad_urls)
{
    static const char *const bad[] = {NULL,
                                      "",
                                      "loans.db",
                                      "kafka://host:9092/loans",
                                      "postgres://host:port:5432/db?nonsense",
                                      "postgres://host/db?no_such_parameter=1",
                                      "postgres://[::1/db",
                                      "postgres://host/db?sslmode",
                                      "host='unclosed"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_error err = {0};
        cr_assert_eq(open_with(bad[i], NULL, 0, 0, &err), PDR_BAD_URL, "%s", bad[i] ? bad[i] : "(null)");
        cr_assert(err.message[0]);
    }
}

Test(postgres_open, urls_that_it_understands_open_without_a_server)
{
    static const char *const good[] = {
        "postgres://", "postgresql://user:pass@10.255.255.1:5432/db?sslmode=verify-full",
        "host=/nowhere dbname=x", "postgres://a,b:2/db?target_session_attrs=any"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert_eq(open_with(good[i], NULL, 0, 0, NULL), PDR_OK, "%s", good[i]);
}

Test(postgres_open, a_password_does_not_come_back_in_a_message)
{
    pdr_error err = {0};
    cr_assert_eq(open_with("postgres://user:secret@[::1/db", NULL, 0, 0, &err), PDR_BAD_URL);
    cr_assert_null(strstr(err.message, "secret"), "%s", err.message);
}

Test(postgres_open, schemas_and_limits_out_of_range_are_bad_settings)
{
    char long_name[65];
    memset(long_name, 's', 64);
    long_name[64] = '\0';
    const char *const schemas[] = {"", "pg_mine", long_name};
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(open_with("postgres://", schemas[i], 0, 0, NULL), PDR_BAD_SETTING, "%s", schemas[i]);
    static const int limits[] = {-1, 1, 99, 3600001, INT32_MAX};
    for (size_t i = 0; i < 5; i++) {
        cr_assert_eq(open_with("postgres://", NULL, limits[i], 0, NULL), PDR_BAD_SETTING, "%d", limits[i]);
        cr_assert_eq(open_with("postgres://", NULL, 0, limits[i], NULL), PDR_BAD_SETTING, "%d", limits[i]);
    }
}

static const uint64_t one = 1; /* the revision that look-ups want */

Test(postgres_open, every_allocation_of_opening_and_submitting_may_fail)
{
    pdr_postgres_options options = {.url = "postgres://10.255.255.1/none"};
    pdr_head heads[2] = {{.key = pdr_bytes_of("a", 1), .state = pdr_bytes_of("s", 1)},
                         {.key = pdr_bytes_of("b", 1)}};
    pdr_save save = {.heads = heads, .head_count = 2};
    pdr_lookup_key keys[2] = {{pdr_bytes_of("a", 1), &one, 1}, {pdr_bytes_of("b", 1), &one, 1}};
    for (uint64_t at = 1;; at++) {
        pdr_error err = {0};
        pdr_store *store = NULL;
        told t = {0};
        pdr_mem_fail_at(at);
        pdr_code code = pdr_postgres_store_open(&store, &options, &err);
        if (code == PDR_OK) code = store->ops->save(store, 0, &save, tell, &t, 1, &err);
        if (code == PDR_OK) code = store->ops->lookup(store, 0, keys, 2, tell, &t, 1, &err);
        if (code == PDR_OK) code = store->ops->load(store, 0, tell, &t, 1, &err);
        bool failed = pdr_mem_count() >= at;
        pdr_mem_fail_at(0);
        cr_assert_eq(code, failed ? PDR_NOMEM : PDR_OK, "allocation %llu", (unsigned long long)at);
        if (store) store->ops->close(store);
        if (!failed) break;
        cr_assert_lt(at, 100);
    }
}

/* --- What of the URL reaches the server --- */

static void with_parameter(char *out, size_t size, const char *parameter)
{
    const char *url = getenv("PERDURE_TEST_POSTGRES");
    snprintf(out, size, "%s%c%s", url, strchr(url, '?') ? '&' : '?', parameter);
}

Test(postgres_tables, parameters_of_the_url_pass_through_libpq)
{
    char url[500];
    with_parameter(url, sizeof url, "application_name=of-the-claim&sslmode=disable");
    cr_assert_eq(load_of(store_at(url, 0, 0), 0).code, PDR_OK);
    cr_assert_eq(sql_number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'of-the-claim'"),
                 1);
    with_parameter(url, sizeof url, "sslmode=verify-full");
    told t = load_of(store_at(url, 300, 0), 0);
    cr_assert_eq(t.code, PDR_UNAVAILABLE);
    cr_assert(strstr(t.message, "SSL") || strstr(t.message, "root certificate"), "%s", t.message);
}

Test(postgres_tables, a_server_that_only_reads_is_unavailable)
{
    char url[500];
    with_parameter(url, sizeof url, "options=-cdefault_transaction_read_only%3Don");
    told t = load_saying(store_at(url, 300, 0), "read-only");
    cr_assert_eq(t.code, PDR_UNAVAILABLE);
    cr_assert_not_null(strstr(t.message, "read-only"), "%s", t.message);
}

Test(postgres_tables, another_database_says_which_is_missing)
{
    char url[500];
    with_parameter(url, sizeof url, "dbname=no_such_database");
    pdr_store_meta meta;
    pdr_error err = {0};
    pdr_store *store = store_at(url, 300, 0);
    cr_assert_eq(store->ops->meta(store, &meta, 5000, &err), PDR_UNAVAILABLE);
    cr_assert_not_null(strstr(err.message, "no_such_database"), "%s", err.message);
    told t = load_saying(store, "no_such_database");
    cr_assert_eq(t.code, PDR_UNAVAILABLE);
    cr_assert_not_null(strstr(t.message, "no_such_database"), "%s", t.message);
}

/* --- Migrations --- */

static pdr_code meta_code(pdr_error *err)
{
    pdr_store *store = store_here();
    pdr_store_meta meta;
    pdr_code code = store->ops->meta(store, &meta, 60000, err);
    store_gone(store);
    return code;
}

static pdr_code init_code(pdr_error *err)
{
    pdr_store *store = store_here();
    pdr_code code = store->ops->init(store, &world_meta, 60000, err);
    store_gone(store);
    return code;
}

Test(postgres_tables, a_migration_that_is_missing_asks_for_init)
{
    pdr_error err = {0};
    cr_assert_eq(meta_code(&err), PDR_OK, "%s", err.message);
    sql("DELETE FROM @migration");
    cr_assert_eq(meta_code(&err), PDR_NOT_INITIALISED);
    cr_assert_not_null(strstr(err.message, "perdure init"), "%s", err.message);
}

Test(postgres_tables, a_migration_with_another_text_is_corrupt)
{
    sql("UPDATE @migration SET checksum = 'another' WHERE number = 1");
    pdr_error err = {0};
    cr_assert_eq(meta_code(&err), PDR_CORRUPT);
    cr_assert_eq(init_code(&err), PDR_CORRUPT);
    cr_assert_not_null(strstr(err.message, "migration 1"), "%s", err.message);
}

Test(postgres_tables, migrations_that_this_version_does_not_know_are_too_new)
{
    sql("INSERT INTO @migration (number, name, checksum) SELECT max(number) + 1, 'later', 'x' FROM "
        "@migration");
    pdr_error err = {0};
    cr_assert_eq(meta_code(&err), PDR_TOO_NEW);
    cr_assert_eq(init_code(&err), PDR_TOO_NEW);
}

Test(postgres_tables, a_failing_migration_leaves_nothing_behind)
{
    sql("DROP SCHEMA @ CASCADE; CREATE SCHEMA @ ; CREATE TABLE @takeover (in_the_way int)");
    pdr_error err = {0};
    cr_assert_neq(init_code(&err), PDR_OK);
    cr_assert_not_null(strstr(err.message, "migration 1"), "%s", err.message);
    cr_assert_eq(sql_number("SELECT count(*) FROM @migration"), 0);
    sql("DROP TABLE @takeover");
    cr_assert_eq(init_code(&err), PDR_OK, "%s", err.message);
}

static void *init_at_once(void *context)
{
    pdr_store *store = context;
    return (void *)(intptr_t)store->ops->init(store, &world_meta, 60000, NULL);
}

Test(postgres_open, two_inits_at_once_both_succeed)
{
    pthread_t threads[3];
    pdr_store *stores[3];
    for (int i = 0; i < 3; i++)
        stores[i] = store_here();
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, init_at_once, stores[i]), 0);
    for (int i = 0; i < 3; i++) {
        void *code;
        pthread_join(threads[i], &code);
        cr_assert_eq((intptr_t)code, PDR_OK);
    }
    cr_assert_eq(sql_number("SELECT count(*) FROM @partition"), 2);
}

Test(postgres_tables, a_schema_dropped_under_an_open_store_is_not_initialised_until_it_is_made_again)
{
    pdr_store *store = store_here();
    cr_assert_eq(claim_of(store, 0, 5).code, PDR_OK);
    sql("DROP SCHEMA @ CASCADE");
    cr_assert_eq(load_of(store, 0).code, PDR_NOT_INITIALISED);
    cr_assert_eq(lookup_of(store, "a").code, PDR_NOT_INITIALISED);
    told t = claim_of(store, 0, 6);
    cr_assert_eq(t.code, PDR_NOT_INITIALISED);
    cr_assert_not_null(strstr(t.message, "perdure init"), "%s", t.message);
    cr_assert_eq(init_code(NULL), PDR_OK);
    cr_assert_eq(load_of(store, 0).code, PDR_OK);
    cr_assert_eq(lookup_of(store, "a").code, PDR_OK);
    cr_assert_eq(claim_of(store, 0, 6).code, PDR_OK);
}

Test(postgres_tables, takeovers_are_listed_once_each_and_the_oldest_go)
{
    pdr_store *store = store_here();
    for (int64_t term = 1; term <= 1010; term++)
        cr_assert_eq(claim_of(store, 0, term).code, PDR_OK);
    cr_assert_eq(claim_of(store, 0, 1010).code, PDR_OK);
    cr_assert_eq(claim_of(store, 1, 1).code, PDR_OK);
    long kept = sql_number("SELECT count(*) FROM @takeover WHERE partition = 0");
    cr_assert(kept >= 1000 && kept <= 1001, "%ld", kept);
    cr_assert_eq(sql_number("SELECT max(term_offset) FROM @takeover WHERE partition = 0"), 1010);
    cr_assert_eq(sql_number("SELECT count(*) FROM @takeover WHERE partition = 1 AND address = 'node'"), 1);
}

/* --- Locks and races --- */

Test(postgres_races, of_two_saves_with_one_stamp_exactly_one_goes_through)
{
    enum { ROUNDS = 200 };
    pdr_store *a = store_here(), *b = store_here();
    pdr_stamp stamp = claim_of(a, 0, 5).row.stamp;
    load_of(b, 0);
    int wins_of_a = 0;
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        told of_a = {0}, of_b = {0};
        begin_save(&of_a, a, 0, stamp, "key", 2 * i);
        begin_save(&of_b, b, 0, stamp, "key", 2 * i + 1);
        (void)(i % 2 ? a : b)->ops->poll(i % 2 ? a : b);
        (void)(i % 2 ? b : a)->ops->poll(i % 2 ? b : a);
        until_told(a, &of_a);
        until_told(b, &of_b);
        cr_assert((of_a.code == PDR_OK) != (of_b.code == PDR_OK), "%s and %s", pdr_code_name(of_a.code),
                  pdr_code_name(of_b.code));
        cr_assert_eq(of_a.code == PDR_OK ? of_b.code : of_a.code, PDR_STALE);
        wins_of_a += of_a.code == PDR_OK;
        stamp = of_a.code == PDR_OK ? of_a.row.stamp : of_b.row.stamp;
        told head = lookup_of(a, "key");
        cr_assert_eq(head.seq, of_a.code == PDR_OK ? 2 * i : 2 * i + 1);
        cr_assert_eq(head.state_seq, head.seq);
        cr_assert_eq(head.row.stamp.saves, i);
    }
    cr_assert(wins_of_a > 0 && wins_of_a < ROUNDS, "the race was none: %d", wins_of_a);
}

/* However they meet, the claim shows a row that has the save or refuses it. */
Test(postgres_races, a_claim_and_a_save_never_both_come_first)
{
    enum { ROUNDS = 200 };
    pdr_store *owner = store_here(), *taker = store_here();
    load_of(taker, 0);
    for (int64_t i = 1; i <= ROUNDS; i++) {
        pdr_stamp stamp = claim_of(owner, 0, 2 * i).row.stamp;
        told saved = {0}, claimed = {0};
        pdr_claim claim = {.term = {2 * i + 1, 9}, .at_us = 1, .address = pdr_bytes_of("n", 1)};
        begin_save(&saved, owner, 0, stamp, "key", (uint64_t)i);
        cr_assert_eq(taker->ops->claim(taker, 0, &claim, tell, &claimed, 1, NULL), PDR_OK);
        (void)(i % 2 ? owner : taker)->ops->poll(i % 2 ? owner : taker);
        (void)(i % 2 ? taker : owner)->ops->poll(i % 2 ? taker : owner);
        until_told(owner, &saved);
        until_told(taker, &claimed);
        cr_assert_eq(claimed.code, PDR_OK, "%s", claimed.message);
        cr_assert_eq(saved.code, claimed.row.stamp.saves == stamp.saves ? PDR_STALE : PDR_OK);
    }
}

Test(postgres_races, a_refused_claim_shows_the_row_of_the_claim_that_it_waited_for)
{
    pdr_store *store = store_here();
    told t = {0};
    PGconn *pg = sql_connect();
    sql_on(pg, "BEGIN; UPDATE @partition SET term_offset = 100, term_incarnation = 3 WHERE partition = 0");
    pdr_claim claim = {.term = {50, 7}, .at_us = 1, .address = pdr_bytes_of("n", 1)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, tell, &t, 1, NULL), PDR_OK);
    until_locked(store);
    cr_assert_eq(t.times, 0);
    sql_on(pg, "COMMIT");
    PQfinish(pg);
    until_told(store, &t);
    cr_assert_eq(t.code, PDR_STALE);
    cr_assert_eq(t.row.stamp.term.offset, 100);
    cr_assert_eq(t.row.stamp.term.incarnation, 3);
}

Test(postgres_races, a_save_waits_for_a_lock_and_goes_through_when_it_is_free)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    PGconn *pg = sql_connect();
    sql_on(pg, "BEGIN; SELECT * FROM @partition WHERE partition = 0 FOR UPDATE");
    told t = {0};
    begin_save(&t, store, 0, stamp, "key", 1);
    until_locked(store);
    cr_assert_eq(t.times, 0);
    sql_on(pg, "COMMIT");
    PQfinish(pg);
    until_told(store, &t);
    cr_assert_eq(t.code, PDR_OK, "%s", t.message);
}

Test(postgres_races, a_lock_that_is_not_let_go_fails_the_save_as_locked_and_nothing_is_done)
{
    pdr_store *store = store_at(NULL, 0, 4000);
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    PGconn *pg = sql_connect();
    sql_on(pg, "BEGIN; SELECT * FROM @partition WHERE partition = 0 FOR UPDATE");
    told t = save_of(store, 0, stamp, "key", 1);
    cr_assert_eq(t.code, PDR_LOCKED, "%s", t.message);
    cr_assert_eq(load_of(store, 0).row.stamp.saves, 0);
    sql_on(pg, "COMMIT");
    PQfinish(pg);
    cr_assert_eq(lookup_of(store, "key").head_count, 0);
    cr_assert_eq(save_of(store, 0, stamp, "key", 1).code, PDR_OK);
}

Test(postgres_races, what_the_server_gives_up_after_its_limit_is_unavailable_and_not_done)
{
    pdr_store *store = store_at(NULL, 0, 3000);
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    sql("CREATE FUNCTION @slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(20); RETURN "
        "NEW; END $$;"
        "CREATE TRIGGER slow BEFORE INSERT ON @head FOR EACH ROW EXECUTE FUNCTION @slow()");
    told t = save_of(store, 0, stamp, "key", 1);
    cr_assert_eq(t.code, PDR_UNAVAILABLE, "%s: %s", pdr_code_name(t.code), t.message);
    sql("DROP TRIGGER slow ON @head");
    cr_assert_eq(load_of(store, 0).row.stamp.saves, 0);
    cr_assert_eq(save_of(store, 0, stamp, "key", 1).code, PDR_OK);
}

/* --- Errors of the server in the middle of an operation --- */

/* From now on each head that is inserted runs this PL/pgSQL; nextval counts also what is rolled back. */
static void on_insert(const char *statement)
{
    char text[600];
    snprintf(text, sizeof text,
             "CREATE SEQUENCE @tries; CREATE FUNCTION @hook() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
             "%s RETURN NEW;"
             " END $$; CREATE TRIGGER hook BEFORE INSERT ON @head FOR EACH ROW EXECUTE FUNCTION @hook()",
             statement);
    sql(text);
}

Test(postgres_errors, what_the_server_rolls_back_for_a_conflict_is_sent_again)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    on_insert("IF nextval('@tries') < 3 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF;");
    told t = save_of(store, 0, stamp, "key", 1);
    cr_assert_eq(t.code, PDR_OK, "%s", t.message);
    cr_assert_eq(t.row.stamp.saves, 1);
    cr_assert_eq(sql_number("SELECT last_value FROM @tries"), 3);
}

Test(postgres_errors, a_conflict_is_not_tried_for_ever)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    on_insert("PERFORM nextval('@tries'); RAISE EXCEPTION 'conflict' USING ERRCODE = '40P01';");
    cr_assert_eq(save_of(store, 0, stamp, "key", 1).code, PDR_UNAVAILABLE);
    cr_assert_eq(sql_number("SELECT last_value FROM @tries"), 4);
    cr_assert_eq(load_of(store, 0).row.stamp.saves, 0);
}

/* Sent again it would come after what was submitted later. */
Test(postgres_errors, a_conflict_is_not_tried_again_behind_a_later_operation_of_its_partition)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    cr_assert_eq(save_of(store, 0, stamp, "other", 1).code, PDR_OK);
    stamp.saves++;
    on_insert("IF nextval('@tries') = 1 THEN RAISE EXCEPTION 'conflict' USING ERRCODE = '40001'; END IF;");
    told saved = {0}, loaded = {0};
    begin_save(&saved, store, 0, stamp, "key", 1);
    cr_assert_eq(store->ops->load(store, 0, tell, &loaded, 1, NULL), PDR_OK);
    until_told(store, &loaded);
    cr_assert_eq(saved.times, 1);
    cr_assert_eq(saved.code, PDR_UNAVAILABLE);
    cr_assert_eq(loaded.row.stamp.saves, 1);
}

Test(postgres_errors, a_full_disk_is_no_space_and_nothing_is_done)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    on_insert("RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';");
    told t = save_of(store, 0, stamp, "key", 1);
    cr_assert_eq(t.code, PDR_NO_SPACE);
    cr_assert_not_null(strstr(t.message, "53100"), "%s", t.message);
    cr_assert_eq(load_of(store, 0).row.stamp.saves, 0);
}

/* As behind a pooler that hands out another session. */
Test(postgres_errors, statements_that_the_server_has_forgotten_are_prepared_again)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    cr_assert_eq(lookup_of(store, "key").code, PDR_OK);
    on_insert("EXECUTE 'DEALLOCATE ALL';");
    told t = save_of(store, 0, stamp, "key", 1);
    cr_assert_eq(t.code, PDR_OK, "%s", t.message);
    t = lookup_of(store, "key");
    cr_assert_eq(t.code, PDR_OK, "%s", t.message);
    cr_assert_eq(t.seq, 1);
    cr_assert_eq(load_of(store, 0).row.stamp.saves, 1);
}

/* --- Bad input --- */

Test(postgres_bad_input, a_key_twice_in_a_save_is_refused_whole)
{
    pdr_store *store = store_here();
    pdr_stamp stamp = claim_of(store, 0, 5).row.stamp;
    pdr_head heads[2] = {{.key = pdr_bytes_of("a", 1), .seq = 1}, {.key = pdr_bytes_of("a", 1), .seq = 2}};
    pdr_save save = {.expected = stamp, .heads = heads, .head_count = 2};
    told t = {0};
    cr_assert_eq(store->ops->save(store, 0, &save, tell, &t, 1, NULL), PDR_OK);
    until_told(store, &t);
    cr_assert_eq(t.code, PDR_INVALID_ARGUMENT, "%s", t.message);
    cr_assert_eq(load_of(store, 0).row.stamp.saves, 0);
    cr_assert_eq(lookup_of(store, "a").head_count, 0);
}

Test(postgres_bad_input, a_database_of_another_encoding_is_unsafe)
{
    char url[500], make[200], drop[200];
    snprintf(make, sizeof make,
             "CREATE DATABASE %s TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
             world_schema());
    snprintf(drop, sizeof drop, "DROP DATABASE %s", world_schema());
    snprintf(url, sizeof url, "dbname=%s", world_schema());
    sql(make);
    char with[700];
    with_parameter(with, sizeof with, url);
    pdr_store *store = store_at(with, 0, 0);
    pdr_error err = {0};
    pdr_code code = store->ops->init(store, &world_meta, 60000, &err);
    store_gone(store);
    sql(drop);
    cr_assert_eq(code, PDR_UNSAFE_SETTING, "%s", err.message);
    cr_assert_not_null(strstr(err.message, "LATIN1"), "%s", err.message);
}

Test(postgres_bad_input, keys_that_are_not_texts_fail_alone)
{
    pdr_store *store = store_here();
    pdr_lookup_key bad = {pdr_bytes_of("\xff\xfe", 2), &one, 1}, good = {pdr_bytes_of("a", 1), &one, 1};
    told before = {0}, broken = {0}, after = {0};
    cr_assert_eq(store->ops->lookup(store, 0, &good, 1, tell, &before, 1, NULL), PDR_OK);
    cr_assert_eq(store->ops->lookup(store, 0, &bad, 1, tell, &broken, 1, NULL), PDR_OK);
    cr_assert_eq(store->ops->lookup(store, 0, &good, 1, tell, &after, 1, NULL), PDR_OK);
    until_told(store, &after);
    cr_assert_eq(before.code, PDR_OK);
    cr_assert_eq(broken.code, PDR_INVALID_ARGUMENT);
    cr_assert_eq(after.code, PDR_OK);
}

Test(postgres_bad_input, what_is_over_a_ceiling_is_refused_at_once)
{
    pdr_store *store = store_here();
    static char key[600];
    static pdr_head many[PDR_POSTGRES_MAX_KEYS + 1];
    memset(key, 'k', sizeof key);
    pdr_head head = {.key = pdr_bytes_of(key, 513)};
    pdr_save save = {.heads = &head, .head_count = 1};
    cr_assert_eq(store->ops->save(store, 0, &save, tell, NULL, 1, NULL), PDR_INVALID_ARGUMENT);
    head.key = pdr_bytes_of("a\0b", 3);
    cr_assert_eq(store->ops->save(store, 0, &save, tell, NULL, 1, NULL), PDR_INVALID_ARGUMENT);
    head.key = pdr_bytes_of("a", 1);
    head.state = pdr_bytes_of(key, PDR_POSTGRES_MAX_BYTES); /* never read */
    cr_assert_eq(store->ops->save(store, 0, &save, tell, NULL, 1, NULL), PDR_TOO_LARGE);
    head.state.size = SIZE_MAX - 8;
    cr_assert_eq(store->ops->save(store, 0, &save, tell, NULL, 1, NULL), PDR_TOO_LARGE);
    save.heads = many;
    save.head_count = PDR_POSTGRES_MAX_KEYS + 1;
    cr_assert_eq(store->ops->save(store, 0, &save, tell, NULL, 1, NULL), PDR_TOO_LARGE);
    pdr_claim claim = {.address = pdr_bytes_of(key, 256)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, tell, NULL, 1, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(store->ops->load(store, 0, NULL, NULL, 1, NULL), PDR_INVALID_ARGUMENT);
}

Test(postgres_bad_input, the_queue_has_an_end_and_empties_again)
{
    pdr_store *store = store_here();
    static told loads[PDR_POSTGRES_MAX_QUEUED];
    told extra = {0};
    for (int i = 0; i < PDR_POSTGRES_MAX_QUEUED; i++)
        cr_assert_eq(store->ops->load(store, 0, tell, &loads[i], 1, NULL), PDR_OK);
    cr_assert_eq(store->ops->load(store, 0, tell, &extra, 1, NULL), PDR_QUEUE_FULL);
    until_told(store, &loads[PDR_POSTGRES_MAX_QUEUED - 1]);
    for (int i = 0; i < PDR_POSTGRES_MAX_QUEUED; i++)
        cr_assert(loads[i].times == 1 && loads[i].code == PDR_OK);
    cr_assert_eq(load_of(store, 0).code, PDR_OK);
}

Test(postgres_bad_input, tables_of_other_types_are_corrupt_and_never_misread)
{
    pdr_store *store = store_here();
    sql("ALTER TABLE @partition ALTER COLUMN saves TYPE integer; ALTER TABLE @head ALTER COLUMN seq TYPE "
        "smallint;"
        "INSERT INTO @head VALUES ('a', 0, 1, 1, 1, 1, 1, NULL, '')");
    cr_assert_eq(load_of(store, 0).code, PDR_CORRUPT);
    cr_assert_eq(lookup_of(store, "a").code, PDR_CORRUPT);
}
