/* Read one's own write: who asks for a change and waits for its token finds it in the view. On SQLite, or
 * with PERDURE_BANK=servers on Kafka and PostgreSQL. */
#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank_journal.h"
#include "base/url.h"
#include "projections/backends.h"

enum { WAIT_MS = 120000, POISON = 666, PARTITIONS = 3 };

static bank_dir dir;
static pdr_journal *journal;
static pdr_worker *worker;
static pdr_view_waiter *waiter;

/* --- The projection --- */

static const pdr_column columns[] = {
    {.name = "account", .type = PDR_COLUMN_TEXT, .not_null = true, .initial = {.null = true}},
    {.name = "balance", .type = PDR_COLUMN_BIGINT, .not_null = true, .initial = {.as.integer = 0}},
};
static const pdr_table tables[] = {
    {.name = "balances", .columns = columns, .column_count = 2, .key_count = 1}};

static void project(void *context, const pdr_projected *event, pdr_writer *out)
{
    pdr_cell key = {.as.bytes = pdr_bytes_of(event->entity.data, event->entity.size)};
    (void)context;
    if (event->event.type != &bank_deposited_type) return;
    const bank_deposited *deposited = event->event.value;
    if (deposited->amount == POISON) pdr_write_fail(out, "not this amount");
    pdr_write(out, 0, &key, 1, PDR_CELL_ADD, (pdr_cell){.as.integer = deposited->amount});
}

static const pdr_projection_type balances = {.abi_size = sizeof balances,
                                             .name = "balances",
                                             .version = 1,
                                             .tables = tables,
                                             .table_count = 1,
                                             .handle = project};
static const pdr_projection_type *const types[] = {&balances};

/* --- The world --- */

/* Of the servers' store: the views lie there too. */
static const char *schema_of(const bank_dir *of)
{
    const char *schema = strstr(of->store, "schema=");
    return schema ? schema + strlen("schema=") : "";
}

static void begin_work(void)
{
    pdr_setting schema = {"project.view.schema", schema_of(&dir)};
    pdr_worker_options options = {.abi_size = sizeof options,
                                  .journal = dir.url,
                                  .store = dir.store,
                                  .app = &bank_app,
                                  .types = types,
                                  .type_count = 1,
                                  .settings = &schema,
                                  .setting_count = bank_on_servers() ? 1 : 0};
    pdr_error err;
    bank_must(pdr_worker_open(&worker, &options, &err), &err, "pdr_worker_open");
}

static void end_work(void)
{
    pdr_worker_close(worker);
    worker = NULL;
}

static void make(void)
{
    pdr_error err;
    bank_dir_make(&dir, PARTITIONS);
    pdr_options options = bank_options(&dir, 1);
    journal = bank_open(&options);
    bank_must(pdr_view_waiter_open(&waiter, dir.store, &err), &err, "pdr_view_waiter_open");
}

static void unmake(void)
{
    end_work();
    pdr_view_waiter_close(waiter);
    pdr_journal_close(journal);
    bank_dir_remove(&dir);
}

TestSuite(own_writes, .init = make, .fini = unmake);

typedef char token_text[PDR_VIEW_TOKEN_SIZE];

static void deposit(token_text token, const char *account, int64_t amount)
{
    pdr_answered answer;
    pdr_error err;
    cr_assert_eq(bank_ask_deposit(journal, account, amount, &answer), PDR_OK);
    bank_must(pdr_answered_token(journal, pdr_string_of(account), &answer, token, &err), &err, "token");
}

static pdr_readiness wait_for(const char *token, int timeout_ms)
{
    pdr_readiness told;
    pdr_error err;
    bank_must(pdr_view_wait(waiter, "balances", pdr_string_of(token), timeout_ms, &told, &err), &err, "wait");
    return told;
}

/* --- The row, as a reader of the database sees it; -1: there is none --- */

static long long balance_in_postgres(const char *account)
{
    char query[200];
    PGconn *pg = PQconnectdb(getenv("PERDURE_TEST_POSTGRES"));
    snprintf(query, sizeof query, "SELECT balance FROM \"%s\".balances WHERE account = $1", schema_of(&dir));
    PGresult *result = PQexecParams(pg, query, 1, NULL, &account, NULL, NULL, 0);
    cr_assert_eq(PQresultStatus(result), PGRES_TUPLES_OK, "%s", PQerrorMessage(pg));
    long long balance = PQntuples(result) ? atoll(PQgetvalue(result, 0, 0)) : -1;
    PQclear(result);
    PQfinish(pg);
    return balance;
}

static long long balance_in_sqlite(const char *account)
{
    sqlite3 *db;
    sqlite3_stmt *query;
    cr_assert_eq(sqlite3_open_v2(dir.store + strlen("sqlite:"), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    cr_assert_eq(sqlite3_prepare_v2(db, "SELECT balance FROM balances WHERE account = ?", -1, &query, NULL),
                 SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_bind_text(query, 1, account, -1, SQLITE_STATIC);
    long long balance = sqlite3_step(query) == SQLITE_ROW ? sqlite3_column_int64(query, 0) : -1;
    sqlite3_finalize(query);
    sqlite3_close(db);
    return balance;
}

static long long balance_of(const char *account)
{
    return bank_on_servers() ? balance_in_postgres(account) : balance_in_sqlite(account);
}

/* --- Claims --- */

Test(own_writes, a_change_is_in_the_view_when_its_token_is_ready)
{
    long long expected[7] = {0};
    begin_work();
    for (int i = 0; i < 60; i++) {
        char account[32];
        token_text token;
        snprintf(account, sizeof account, "account/%d", i % 7);
        deposit(token, account, i + 1);
        expected[i % 7] += i + 1;
        cr_assert_eq(wait_for(token, WAIT_MS), PDR_VIEW_READY);
        cr_assert_eq(balance_of(account), expected[i % 7], "%s after %d deposits", account, i + 1);
    }
}

Test(own_writes, a_view_that_nobody_feeds_is_behind)
{
    token_text first, second;
    deposit(first, "account/1", 5);
    begin_work();
    cr_expect_eq(wait_for(first, WAIT_MS), PDR_VIEW_READY);
    end_work();
    deposit(second, "account/1", 6);
    cr_expect_eq(wait_for(second, 0), PDR_VIEW_BEHIND);
    cr_expect_eq(wait_for(second, 30), PDR_VIEW_BEHIND);
    cr_expect_eq(wait_for(first, 0), PDR_VIEW_READY);
    cr_expect_eq(balance_of("account/1"), 5);
    begin_work();
    cr_expect_eq(wait_for(second, WAIT_MS), PDR_VIEW_READY);
    cr_expect_eq(balance_of("account/1"), 11);
}

static void set_paused(bool paused)
{
    pdr_url url = {0};
    pdr_views *views;
    pdr_error err;
    bank_must(pdr_url_parse_store(&url, dir.store, &err), &err, "url");
    bank_must(pdr_views_of_url(&views, &url, "", &err), &err, "views");
    bank_must(views->ops->set_paused(views, "balances", 1, paused, WAIT_MS, &err), &err, "set_paused");
    views->ops->close(views);
    pdr_url_release(&url);
}

Test(own_writes, a_paused_view_is_behind_until_it_goes_on)
{
    token_text token;
    begin_work();
    end_work();
    set_paused(true);
    begin_work();
    deposit(token, "account/1", 5);
    cr_expect_eq(wait_for(token, 200), PDR_VIEW_BEHIND);
    set_paused(false);
    cr_expect_eq(wait_for(token, WAIT_MS), PDR_VIEW_READY);
    cr_expect_eq(balance_of("account/1"), 5);
}

Test(own_writes, a_parked_entity_is_told_and_others_are_ready)
{
    token_text before, poison, after, other;
    deposit(before, "account/1", 5);
    deposit(poison, "account/1", POISON);
    deposit(after, "account/1", 7);
    deposit(other, "account/2", 8);
    begin_work();
    cr_expect_eq(wait_for(poison, WAIT_MS), PDR_VIEW_PARKED);
    cr_expect_eq(wait_for(after, WAIT_MS), PDR_VIEW_PARKED);
    cr_expect_eq(wait_for(other, WAIT_MS), PDR_VIEW_READY);
    cr_expect_eq(wait_for(before, WAIT_MS), PDR_VIEW_READY);
    cr_expect_eq(balance_of("account/1"), 5);
    cr_expect_eq(balance_of("account/2"), 8);
}

Test(own_writes, a_token_of_another_journal_is_told)
{
    bank_dir first = dir;
    pdr_journal *own = journal;
    token_text theirs;
    begin_work();
    bank_dir_make(&dir, PARTITIONS);
    pdr_options options = bank_options(&dir, 1);
    journal = bank_open(&options);
    deposit(theirs, "account/1", 5);
    pdr_journal_close(journal);
    bank_dir_remove(&dir);
    dir = first;
    journal = own;
    cr_expect_eq(wait_for(theirs, WAIT_MS), PDR_VIEW_WRONG_JOURNAL);
}

Test(own_writes, without_a_projection_that_is_told)
{
    token_text token;
    pdr_readiness told;
    deposit(token, "account/1", 5);
    begin_work();
    cr_expect_eq(pdr_view_wait(waiter, "balance", pdr_string_of(token), WAIT_MS, &told, NULL), PDR_OK);
    cr_expect_eq(told, PDR_VIEW_UNKNOWN);
    cr_expect_eq(pdr_view_wait(waiter, "balances", pdr_string_of("x"), WAIT_MS, &told, NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_view_wait(waiter, NULL, pdr_string_of(token), 0, &told, NULL), PDR_INVALID_ARGUMENT);
}

Test(own_writes, a_refusal_has_a_token_too_and_no_answer_has_none)
{
    token_text token, refused;
    pdr_answered answer;
    deposit(token, "account/1", 5);
    cr_assert_eq(bank_ask_deposit(journal, "account/1", -1, &answer), PDR_REFUSED);
    cr_expect_eq(pdr_answered_token(journal, pdr_string_of("account/1"), &answer, refused, NULL), PDR_OK);
    cr_expect_str_eq(refused, token, "it rests on the same event");
    answer.code = PDR_TIMEOUT;
    cr_expect_eq(pdr_answered_token(journal, pdr_string_of("account/1"), &answer, refused, NULL),
                 PDR_INVALID_ARGUMENT);
    cr_expect_str_empty(refused);
}
