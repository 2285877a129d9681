/* Claims about projection workers through the public API, on SQLite; other views and servers have claims of
 * their own (tests/contract, tests/cli). */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "backends/sqlite/sqlite_views.h"
#include "bank_journal.h"

enum { PARTITIONS = 4, WAIT_MS = 120000 };

static bank_dir dir;

static void make(void)
{
    bank_dir_make(&dir, PARTITIONS);
}
static void destroy(void)
{
    bank_dir_remove(&dir);
}

TestSuite(worker, .init = make, .fini = destroy, .timeout = 600);

/* --- a projection in C: sums of deposits, and how often each event was seen --- */

static const pdr_column columns[] = {
    {.name = "account", .type = PDR_COLUMN_TEXT, .not_null = true},
    {.name = "total", .type = PDR_COLUMN_BIGINT},
    {.name = "events", .type = PDR_COLUMN_BIGINT},
};
static const pdr_table sums = {.name = "sums", .columns = columns, .column_count = 3, .key_count = 1};
static atomic_bool refuses;

static void add_up(void *context, const pdr_projected *event, pdr_writer *out)
{
    (void)context;
    if (event->event.type != &bank_deposited_type) return;
    if (atomic_load(&refuses)) {
        pdr_write_fail(out, "refused on purpose");
        return;
    }
    const bank_deposited *deposited = event->event.value;
    pdr_cell key = {.as.bytes = pdr_bytes_of(event->entity.data, event->entity.size)};
    pdr_write(out, 0, &key, 1, PDR_CELL_ADD, (pdr_cell){.as.integer = deposited->amount});
    pdr_write(out, 0, &key, 2, PDR_CELL_ADD, (pdr_cell){.as.integer = 1});
}

static pdr_column made_columns[3];
static pdr_table made_sums;
static pdr_projection_type sums_type;
static const pdr_projection_type *const types[] = {&sums_type};

static pdr_worker_options options_of(uint32_t version)
{
    memcpy(made_columns, columns, sizeof columns);
    made_sums = sums;
    made_sums.columns = made_columns;
    sums_type = (pdr_projection_type){.abi_size = sizeof sums_type,
                                      .name = "sums",
                                      .version = version,
                                      .tables = &made_sums,
                                      .table_count = 1,
                                      .handle = add_up};
    pdr_worker_options options = PDR_WORKER_OPTIONS_INIT;
    options.journal = dir.url;
    options.app = &bank_app;
    options.types = types;
    options.type_count = 1;
    return options;
}

static pdr_worker *open_worker(const pdr_worker_options *options)
{
    pdr_worker *worker;
    pdr_error err;
    bank_must(pdr_worker_open(&worker, options, &err), &err, "pdr_worker_open");
    return worker;
}

static void catch_up(pdr_worker *worker)
{
    pdr_error err;
    bank_must(pdr_worker_catch_up(worker, WAIT_MS, &err), &err, "pdr_worker_catch_up");
}

/* `accounts` accounts get `each` deposits of 1, 2, 3, ... more. */
static void deposit(int accounts, int each)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    for (int i = 0; i < accounts * each; i++) {
        char entity[32];
        pdr_answered answer;
        snprintf(entity, sizeof entity, "account/%d", i % accounts);
        cr_assert_eq(bank_ask_deposit(journal, entity, i / accounts + 1, &answer), PDR_OK);
    }
    pdr_journal_close(journal);
}

static pdr_worker_status status_of(pdr_worker *worker)
{
    pdr_worker_status status;
    cr_assert_eq(pdr_worker_status_get(worker, &status, 1), 1);
    return status;
}

/* The table's rows, all columns added up, and how many there are. */
typedef struct added {
    int64_t rows, total, events;
} added;

static pdr_code add_row(void *context, const pdr_cell *cells, pdr_error *err)
{
    added *a = context;
    (void)err;
    a->rows++;
    a->total += cells[1].as.integer;
    a->events += cells[2].as.integer;
    return PDR_OK;
}

static added add_rows(uint32_t version)
{
    pdr_views *views;
    pdr_error err;
    added a = {0};
    pdr_version_spec spec = {
        .projection = "sums", .version = version, .tables = &made_sums, .table_count = 1};
    bank_must(pdr_sqlite_views_open(&views, dir.url + strlen("sqlite:"), &err), &err, "views");
    bank_must(views->ops->scan(views, &spec, 0, NULL, add_row, &a, &err), &err, "scan");
    views->ops->close(views);
    return a;
}

/* --- claims --- */

Test(worker, each_event_is_once_in_the_rows_after_drains_and_reopens)
{
    pdr_worker_options options = options_of(1);
    int64_t events = 0, total = 0;
    for (int round = 1; round <= 3; round++) {
        deposit(10, 4);
        events += 40;
        total += 10 * (1 + 2 + 3 + 4);
        pdr_worker *worker = open_worker(&options);
        catch_up(worker);
        pdr_worker_status status = status_of(worker);
        cr_expect_eq(status.events, 40, "%d: %d", round, (int)status.events);
        cr_expect_eq(status.lag_events, 0);
        cr_expect_eq(status.partitions, PARTITIONS);
        cr_expect_eq(status.parked, 0);
        cr_expect_eq(status.error.code, PDR_OK, "%s", status.error.message);
        pdr_error err;
        cr_expect_eq(pdr_worker_drain(worker, WAIT_MS, &err), PDR_OK);
        cr_expect_str_eq(status_of(worker).state, "idle");
        pdr_worker_close(worker);
        added a = add_rows(1);
        cr_expect_eq(a.rows, 10);
        cr_expect_eq(a.events, events);
        cr_expect_eq(a.total, total);
    }
}

Test(worker, events_that_come_while_it_runs_are_projected_too)
{
    pdr_worker_options options = options_of(1);
    deposit(1, 1);
    pdr_worker *worker = open_worker(&options);
    catch_up(worker);
    deposit(5, 3);
    catch_up(worker);
    pdr_worker_close(worker);
    cr_expect_eq(add_rows(1).events, 16);
}

Test(worker, two_with_lists_share_the_partitions)
{
    static const int32_t lists[2][2] = {{0, 2}, {1, 3}};
    deposit(20, 2);
    for (int i = 0; i < 2; i++) {
        pdr_worker_options options = options_of(1);
        options.partitions = lists[i];
        options.partition_count = 2;
        pdr_worker *worker = open_worker(&options);
        catch_up(worker);
        cr_expect_eq(status_of(worker).partitions, 2);
        pdr_worker_close(worker);
        if (i == 0) cr_expect_lt(add_rows(1).events, 40);
    }
    cr_expect_eq(add_rows(1).events, 40);
}

Test(worker, two_on_the_same_partitions_count_no_event_twice)
{
    pdr_worker_options options = options_of(1);
    deposit(10, 1);
    pdr_worker *one = open_worker(&options), *two = open_worker(&options);
    deposit(10, 20);
    catch_up(one);
    catch_up(two);
    pdr_worker_close(one);
    pdr_worker_close(two);
    cr_expect_eq(add_rows(1).events, 210);
}

Test(worker, a_declarative_file_and_a_projection_in_c_run_side_by_side)
{
    char path[128];
    const char *files[] = {path};
    pdr_worker_options options = options_of(1);
    snprintf(path, sizeof path, "%s/accounts.sql", dir.path);
    FILE *file = fopen(path, "w");
    cr_assert(file);
    fputs(
        "projection accounts version 1;\n"
        "table accounts (account text, deposits bigint not null default 0, primary key (account)) key entity "
        "(entity.key);\n"
        "on test.account.Deposited upsert accounts set deposits = deposits + 1;\n",
        file);
    fclose(file);
    options.files = files;
    options.file_count = 1;
    deposit(3, 3);
    pdr_worker *worker = open_worker(&options);
    catch_up(worker);
    pdr_worker_status status[2];
    cr_assert_eq(pdr_worker_status_get(worker, status, 2), 2);
    cr_expect_str_eq(status[0].projection, "accounts");
    cr_expect_eq(status[0].rows, 3);
    cr_expect_eq(status[1].events, 9);
    pdr_worker_close(worker);
}

static pdr_code take_away_fault(uint32_t version)
{
    pdr_views *views;
    pdr_error err;
    bank_must(pdr_sqlite_views_open(&views, dir.url + strlen("sqlite:"), &err), &err, "views");
    pdr_code code = views->ops->set_fault(views, "sums", version, NULL, WAIT_MS, &err);
    views->ops->close(views);
    return code;
}

Test(worker, a_stopped_one_says_why_and_goes_on_when_its_fault_is_taken_away)
{
    const pdr_setting settings[] = {{"project.parked.max", "0"}};
    pdr_worker_options options = options_of(1);
    options.settings = settings;
    options.setting_count = 1;
    pdr_error err;
    atomic_store(&refuses, true);
    deposit(3, 2);
    pdr_worker *worker = open_worker(&options);
    cr_assert_eq(pdr_worker_catch_up(worker, WAIT_MS, &err), PDR_FATAL);
    cr_expect(strstr(err.message, "sums v1 stopped"), "%s", err.message);
    cr_expect(strstr(err.message, "refused on purpose"), "%s", err.message);
    cr_expect_str_eq(status_of(worker).state, "stopped");
    atomic_store(&refuses, false);
    while (strcmp(status_of(worker).state, "stopped") == 0) {
        cr_assert_eq(take_away_fault(1), PDR_OK);
        usleep(50000);
    }
    catch_up(worker);
    pdr_worker_close(worker);
    cr_expect_eq(add_rows(1).events, 6);
}

Test(worker, a_changed_definition_under_the_same_version_is_refused_with_what_to_do)
{
    pdr_worker_options options = options_of(1);
    pdr_worker *worker;
    pdr_error err;
    deposit(1, 1);
    pdr_worker_close(open_worker(&options));
    made_columns[1].type = PDR_COLUMN_INTEGER;
    cr_assert_eq(pdr_worker_open(&worker, &options, &err), PDR_CONFLICT);
    cr_expect_null(worker);
    cr_expect(strstr(err.message, "project rebuild"), "%s", err.message);
    cr_expect(strstr(err.message, "sums v1"), "%s", err.message);
}

Test(worker, views_of_another_journal_are_refused)
{
    pdr_worker_options options = options_of(1);
    pdr_worker *worker;
    pdr_error err;
    deposit(1, 1);
    pdr_worker_close(open_worker(&options));
    bank_dir first = dir;
    bank_dir_make(&dir, PARTITIONS);
    deposit(1, 1);
    options = options_of(1);
    options.views = first.url;
    cr_expect_eq(pdr_worker_open(&worker, &options, &err), PDR_WRONG_JOURNAL, "%s", err.message);
    options.views = NULL;
    options.store = first.url;
    cr_expect_eq(pdr_worker_open(&worker, &options, &err), PDR_WRONG_JOURNAL, "%s", err.message);
    bank_dir_remove(&first);
}

/* --- bad options --- */

typedef struct bad {
    const char *what;
    void (*spoil)(pdr_worker_options *options);
    pdr_code code;
    const char *says;
} bad;

static const int32_t far_away[] = {PARTITIONS}, no_list[] = {0};
static const char *const no_files[] = {"/nowhere/x.sql"};
static const pdr_setting wrong_name[] = {{"project.batch.event", "1"}},
                         wrong_value[] = {{"project.attempts", "0"}},
                         of_a_journal[] = {{"snapshot.events", "1"}},
                         upside_down[] = {{"project.retry.min.ms", "20"}, {"project.retry.max.ms", "10"}},
                         wrong_address[] = {{"project.metrics.port", "1"},
                                            {"project.metrics.address", "here"}};
static const pdr_projection_type *const twice[] = {&sums_type, &sums_type}, *const none[] = {NULL};

#define SPOIL(name, statement)                                                                               \
    static void name(pdr_worker_options *o)                                                                  \
    {                                                                                                        \
        statement;                                                                                           \
    }
SPOIL(abi, o->abi_size = 3)
SPOIL(nothing, o->type_count = 0)
SPOIL(null_files, (o->files = NULL, o->file_count = 1))
SPOIL(no_app, o->app = NULL)
SPOIL(no_file, (o->files = no_files, o->file_count = 1))
SPOIL(two, (o->types = twice, o->type_count = 2))
SPOIL(null_type, o->types = none)
SPOIL(journal, o->journal = "http://x")
SPOIL(views, o->views = "mongodb://user:secret@x")
SPOIL(partition, (o->partitions = far_away, o->partition_count = 1))
SPOIL(null_partitions, o->partition_count = 1)
SPOIL(group, o->group = true)
SPOIL(group_and_list, (o->group = true, o->partitions = no_list, o->partition_count = 1))
SPOIL(setting, (o->settings = wrong_name, o->setting_count = 1))
SPOIL(value, (o->settings = wrong_value, o->setting_count = 1))
SPOIL(journals, (o->settings = of_a_journal, o->setting_count = 1))
SPOIL(waits, (o->settings = upside_down, o->setting_count = 2))
SPOIL(address, (o->settings = wrong_address, o->setting_count = 2))
SPOIL(null_settings, o->setting_count = 1)
SPOIL(name, o->name = "")

static const bad bads[] = {
    {"abi_size", abi, PDR_INVALID_ARGUMENT, "PDR_WORKER_OPTIONS_INIT"},
    {"no projection", nothing, PDR_INVALID_ARGUMENT, "no projection"},
    {"NULL files", null_files, PDR_INVALID_ARGUMENT, "NULL"},
    {"no application", no_app, PDR_INVALID_ARGUMENT, "application"},
    {"a file that isn't there", no_file, PDR_NOT_FOUND, "/nowhere/x.sql"},
    {"one twice", two, PDR_INVALID_ARGUMENT, "twice"},
    {"a NULL type", null_type, PDR_INVALID_ARGUMENT, ""},
    {"a journal's URL", journal, PDR_BAD_URL, "http"},
    {"a views' URL", views, PDR_BAD_URL, "mongodb"},
    {"a partition", partition, PDR_INVALID_ARGUMENT, "partition 4"},
    {"NULL partitions", null_partitions, PDR_INVALID_ARGUMENT, "partitions is NULL"},
    {"a group on SQLite", group, PDR_INVALID_ARGUMENT, "list of partitions"},
    {"a group and a list", group_and_list, PDR_INVALID_ARGUMENT, "exclude"},
    {"a setting's name", setting, PDR_BAD_SETTING, "project.batch.events"},
    {"a setting's value", value, PDR_BAD_SETTING, "project.attempts"},
    {"a journal's setting", journals, PDR_BAD_SETTING, "snapshot.events"},
    {"waits upside down", waits, PDR_BAD_SETTING, "retry"},
    {"an address", address, PDR_BAD_SETTING, "here"},
    {"NULL settings", null_settings, PDR_INVALID_ARGUMENT, "settings is NULL"},
    {"an empty name", name, PDR_INVALID_ARGUMENT, "name"},
};

Test(worker, bad_options_are_refused_and_say_what_is_wrong)
{
    deposit(1, 1);
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++) {
        pdr_worker_options options = options_of(1);
        pdr_worker *worker;
        pdr_error err = {0};
        bads[i].spoil(&options);
        pdr_code code = pdr_worker_open(&worker, &options, &err);
        cr_expect_eq(code, bads[i].code, "%s: %s: %s", bads[i].what, pdr_code_name(code), err.message);
        cr_expect(strstr(err.message, bads[i].says), "%s: %s", bads[i].what, err.message);
        cr_expect_null(strstr(err.message, "secret"), "%s", err.message);
        cr_expect_null(worker, "%s", bads[i].what);
    }
}

Test(worker, what_is_null_is_refused_or_fine)
{
    pdr_worker *worker;
    pdr_error err;
    pdr_worker_options options = options_of(1);
    cr_expect_eq(pdr_worker_open(NULL, &options, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_worker_open(&worker, NULL, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_worker_catch_up(NULL, 0, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_worker_drain(NULL, 0, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_worker_status_get(NULL, NULL, 0), 0);
    pdr_worker_close(NULL);
}
