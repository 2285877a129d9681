/* Claims about a journal whose owners use a schema registry: on SQLite, with a registry of the test's own. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/schema_ids.h"
#include "bank_journal.h"
#include "tests/support/fake_registry.h"

static bank_dir dir;
static fake_registry registry;
static bool is_there;

static void start_registry(void)
{
    fake_registry_open(&registry, NULL);
    is_there = true;
}

static void stop_registry(void)
{
    if (is_there) fake_registry_close(&registry);
    is_there = false;
}

static void make(void)
{
    bank_dir_make(&dir, 2);
    start_registry();
}

static void destroy(void)
{
    stop_registry();
    bank_dir_remove(&dir);
}

TestSuite(registry_journal, .init = make, .fini = destroy, .timeout = 600);

static pdr_setting settings[3];

static pdr_options options_with_registry(void)
{
    pdr_options options = bank_options(&dir, 1);
    settings[0] = (pdr_setting){"registry.url", registry.url};
    settings[1] = (pdr_setting){"registry.attempts", "1"};
    settings[2] = (pdr_setting){"idle.ms", "1"};
    options.settings = settings;
    options.setting_count = 3;
    return options;
}

static void deposit(pdr_journal *journal, int64_t amount)
{
    pdr_answered answer;
    cr_assert_eq(bank_ask_deposit(journal, "account/1", amount, &answer), PDR_OK);
}

/* How many values of the log begin with this byte. */
static int values_beginning_with(const char *hex)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    char path[300];
    snprintf(path, sizeof path, "%s/bank.db", dir.path);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(
        sqlite3_prepare_v2(db,
                           "SELECT count(*) FROM (SELECT value FROM record_0 UNION ALL SELECT value FROM "
                           "record_1) WHERE hex(substr(value, 1, 1)) = ?",
                           -1, &statement, NULL),
        SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_bind_text(statement, 1, hex, -1, SQLITE_STATIC);
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

static int64_t read_all(pdr_reader *reader)
{
    const pdr_logged_event *event;
    int64_t sum = 0;
    for (;;) {
        cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
        if (!event) return sum;
        cr_assert_eq(event->type, &bank_deposited_type);
        cr_assert_eq(event->fingerprint, bank_deposited_type.fingerprint);
        sum += ((const bank_deposited *)event->value)->amount;
    }
}

/* By partition and by history. */
static void expect_read(pdr_journal *journal, int64_t sum)
{
    pdr_reader *reader;
    int32_t partition = pdr_journal_partition_of(journal, pdr_string_of("account/1"));
    cr_assert_eq(pdr_reader_open(&reader, journal, partition, PDR_POSITION_START, NULL), PDR_OK);
    cr_assert_eq(read_all(reader), sum);
    pdr_reader_close(reader);
    cr_assert_eq(pdr_history_reader_open(&reader, journal, pdr_string_of("account/1"), 0, NULL), PDR_OK);
    cr_assert_eq(read_all(reader), sum);
    pdr_reader_close(reader);
}

Test(registry_journal, values_carry_ids_and_are_read_on_every_path)
{
    pdr_options options = options_with_registry();
    pdr_journal *journal = bank_open(&options);
    deposit(journal, 10);
    deposit(journal, 5);
    cr_assert_eq(bank_balance(journal, "account/1", NULL), 15);
    expect_read(journal, 15);
    pdr_journal_close(journal);
    cr_assert_eq(values_beginning_with("00"), 2);
    cr_assert_eq(values_beginning_with("C3"), 0);
    journal = bank_open(&options);
    cr_assert_eq(bank_balance(journal, "account/1", NULL), 15, "activated from the store");
    expect_read(journal, 15);
    pdr_journal_close(journal);
}

Test(registry_journal, a_registry_that_is_away_stops_no_owner_that_knows_the_ids)
{
    pdr_options options = options_with_registry();
    pdr_journal *journal = bank_open(&options);
    deposit(journal, 10);
    stop_registry();
    deposit(journal, 5);
    pdr_journal_close(journal);
    journal = bank_open(&options);
    deposit(journal, 7);
    cr_assert_eq(bank_balance(journal, "account/1", NULL), 22);
    expect_read(journal, 22);
    pdr_journal_close(journal);
    cr_assert_eq(values_beginning_with("00"), 3);
}

/* Without a close in good order, and without one event: as after a crash right at the start. */
Test(registry_journal, ids_are_in_the_store_as_soon_as_an_owner_serves)
{
    pdr_options options = options_with_registry();
    pid_t child = fork();
    if (child == 0) {
        pdr_journal *journal = bank_open(&options);
        sqlite3 *db;
        char path[300];
        snprintf(path, sizeof path, "%s/bank.db", dir.path);
        bool saved = false;
        while (!saved) {
            sqlite3_stmt *statement;
            if (sqlite3_open(path, &db) != SQLITE_OK) _exit(1);
            sqlite3_busy_timeout(db, 10000);
            if (sqlite3_prepare_v2(db, "SELECT count(*) FROM store_registry", -1, &statement, NULL)) _exit(2);
            saved = sqlite3_step(statement) == SQLITE_ROW &&
                    sqlite3_column_int(statement, 0) == (int)bank_account_entity.event_count;
            sqlite3_finalize(statement);
            sqlite3_close(db);
            usleep(1000);
        }
        _exit(journal ? 0 : 3);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
    stop_registry();
    pdr_journal *journal = bank_open(&options);
    deposit(journal, 5);
    pdr_journal_close(journal);
}

Test(registry_journal, without_ids_a_registry_that_is_away_is_said_at_open)
{
    pdr_options options = options_with_registry();
    pdr_journal *journal;
    pdr_error err;
    stop_registry();
    cr_assert_eq(pdr_journal_open(&journal, &options, &err), PDR_UNAVAILABLE);
    cr_assert(strstr(err.message, "needed once for each new event type"), "%s", err.message);
    cr_assert(strstr(err.message, registry.url), "%s", err.message);
    cr_assert_null(journal);
}

Test(registry_journal, both_framings_lie_in_one_log)
{
    pdr_options with = options_with_registry(), without = bank_options(&dir, 1);
    int64_t sum = 0;
    for (int i = 0; i < 4; i++) {
        pdr_journal *journal = bank_open(i % 2 ? &without : &with);
        deposit(journal, i + 1);
        sum += i + 1;
        cr_assert_eq(bank_balance(journal, "account/1", NULL), sum);
        expect_read(journal, sum);
        pdr_journal_close(journal);
    }
    cr_assert_eq(values_beginning_with("00"), 2);
    cr_assert_eq(values_beginning_with("C3"), 2);
}

Test(registry_journal, a_reader_without_the_setting_may_begin_in_the_middle)
{
    pdr_options options = options_with_registry(), reading = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    const pdr_logged_event *event;
    pdr_reader *reader;
    for (int i = 1; i <= 3; i++)
        deposit(journal, i);
    pdr_journal_close(journal);
    stop_registry();
    reading.own_nothing = true;
    cr_assert_eq(pdr_journal_open(&journal, &reading, NULL), PDR_OK);
    expect_read(journal, 6);
    int32_t partition = pdr_journal_partition_of(journal, pdr_string_of("account/1"));
    cr_assert_eq(pdr_reader_open(&reader, journal, partition, PDR_POSITION_START, NULL), PDR_OK);
    cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
    pdr_position first = event->position;
    pdr_reader_close(reader);
    pdr_journal_close(journal);
    cr_assert_eq(pdr_journal_open(&journal, &reading, NULL), PDR_OK, "one that has met no SCHEMA record");
    cr_assert_eq(pdr_reader_open(&reader, journal, partition, first, NULL), PDR_OK);
    cr_assert_eq(read_all(reader), 5);
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

Test(registry_journal, an_id_that_stands_for_another_schema_is_refused)
{
    pdr_schema_book *book;
    pdr_settings defaults;
    bool asked;
    pdr_error err;
    const char *other = "\"string\"";
    const uint64_t fingerprint =
        UINT64_C(0x8f014872634503c7); /* of "string", as Avro's specification gives it */
    cr_assert_eq(pdr_schema_book_open(&book, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_book_add(book, fingerprint, pdr_string_of(other), 1, &err), PDR_OK, "%s",
                 err.message);
    pdr_config_defaults(&pdr_settings_table, &defaults);
    snprintf(defaults.registry.url, sizeof defaults.registry.url, "%s", registry.url);
    cr_assert_eq(pdr_schema_ids_learn(book, &asked, &defaults.registry, "bank.events", &bank_app, &err),
                 PDR_CONFLICT);
    cr_assert(strstr(err.message, "another registry"), "%s", err.message);
    pdr_schema_book_close(book);
}

Test(registry_journal, settings_that_make_no_sense_are_refused_at_open)
{
    static const pdr_setting bad[][1] = {{{"registry.subject", "schema"}},
                                         {{"registry.url", "kafka://localhost/x"}},
                                         {{"registry.timeout.ms", "0"}},
                                         {{"registry.backoff.min.ms", "600000"}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_options options = bank_options(&dir, 1);
        pdr_journal *journal;
        options.settings = bad[i];
        options.setting_count = 1;
        cr_expect_eq(pdr_journal_open(&journal, &options, NULL), PDR_BAD_SETTING, "%s", bad[i][0].name);
    }
}
