#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "bank_journal.h"

static bank_dir dir;

static void make(void)
{
    bank_dir_make(&dir, 4);
}
static void destroy(void)
{
    bank_dir_remove(&dir);
}

TestSuite(opening, .init = make, .fini = destroy, .timeout = 600);

static pdr_code open_with(pdr_options *options, pdr_error *err)
{
    pdr_journal *journal = (pdr_journal *)&dir;
    pdr_code code = pdr_journal_open(&journal, options, err);
    cr_assert((journal == NULL) == (code != PDR_OK), "out is NULL if and only if it failed");
    pdr_journal_close(journal);
    return code;
}

Test(opening, the_init_macro_and_the_init_function_agree)
{
    pdr_options by_macro = PDR_OPTIONS_INIT, by_function;
    memset(&by_function, 0xff, sizeof by_function);
    pdr_options_init(&by_function);
    cr_assert_eq(by_macro.abi_size, sizeof by_macro);
    cr_assert_eq(by_function.abi_size, by_macro.abi_size);
    cr_assert_null(by_function.journal);
    cr_assert_null(by_function.store);
    cr_assert_null(by_function.app);
    cr_assert_eq(by_function.workers, by_macro.workers);
    cr_assert_not(by_function.complete_on_worker);
    cr_assert_null(by_function.partitions);
    cr_assert_eq(by_function.partition_count, 0);
    cr_assert_not(by_function.own_nothing);
    cr_assert_null(by_function.address);
    cr_assert_null(by_function.settings);
    cr_assert_eq(by_function.setting_count, 0);
    cr_assert_null((void *)by_function.failed_tell);
    cr_assert_null((void *)by_function.log_line);
    cr_assert_null(by_function.context);
}

Test(opening, sizes_of_other_versions_are_judged)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_error err;
    options.abi_size = 0;
    cr_assert_eq(open_with(&options, &err), PDR_INVALID_ARGUMENT);
    options.abi_size = sizeof options - 8;
    cr_assert_eq(open_with(&options, &err), PDR_INVALID_ARGUMENT);
    struct {
        pdr_options options;
        uint64_t newer;
    } grown = {bank_options(&dir, 0), 0};
    grown.options.abi_size = sizeof grown;
    cr_assert_eq(open_with(&grown.options, &err), PDR_OK, "a newer caller that uses nothing newer");
    grown.newer = 1;
    cr_assert_eq(open_with(&grown.options, &err), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_open(NULL, &grown.options, &err), PDR_INVALID_ARGUMENT);
    pdr_journal *journal;
    cr_assert_eq(pdr_journal_open(&journal, NULL, &err), PDR_INVALID_ARGUMENT);
    cr_assert_null(journal);
}

Test(opening, bad_options_are_refused_with_the_reason)
{
    const int32_t twice[] = {1, 1}, outside[] = {4}, negative[] = {-1};
    char long_address[300];
    memset(long_address, 'a', sizeof long_address - 1);
    long_address[sizeof long_address - 1] = '\0';
    struct {
        const char *word;
        pdr_code code;
        pdr_options options;
    } bad[14];
    for (int i = 0; i < 14; i++)
        bad[i].options = bank_options(&dir, 0);
#define BAD(index, given_code, given_word, change)                                                           \
    bad[index].code = given_code;                                                                            \
    bad[index].word = given_word;                                                                            \
    bad[index].options.change
    BAD(0, PDR_BAD_URL, "nonsense", journal = "nonsense:x");
    BAD(1, PDR_BAD_URL, "store", store = "kafka://h/x");
    BAD(2, PDR_INVALID_ARGUMENT, "workers", workers = 100000);
    BAD(3, PDR_INVALID_ARGUMENT, "twice", partitions = twice);
    bad[3].options.partition_count = 2;
    BAD(4, PDR_INVALID_ARGUMENT, "partition 4", partitions = outside);
    bad[4].options.partition_count = 1;
    BAD(5, PDR_INVALID_ARGUMENT, "partition -1", partitions = negative);
    bad[5].options.partition_count = 1;
    BAD(6, PDR_INVALID_ARGUMENT, "partition_count", partition_count = 1);
    BAD(7, PDR_INVALID_ARGUMENT, "own_nothing", own_nothing = true);
    bad[7].options.partitions = twice;
    BAD(8, PDR_INVALID_ARGUMENT, "address", address = "");
    BAD(9, PDR_INVALID_ARGUMENT, "address", address = long_address);
    BAD(10, PDR_INVALID_ARGUMENT, "setting_count", setting_count = 1);
    BAD(11, PDR_NOT_INITIALISED, "", journal = "sqlite:/nonexistent/folder/x.db");
    bad[11].options.store = dir.url;
    BAD(12, PDR_BAD_URL, "", journal = "sqlite:");
    BAD(13, PDR_INVALID_ARGUMENT, "partition_count", partition_count = 1);
    bad[13].options.own_nothing = true;
    for (int i = 0; i < 14; i++) {
        pdr_error err = {PDR_OK, 0, ""};
        cr_assert_eq(open_with(&bad[i].options, &err), bad[i].code, "%d: %s: %s", i, pdr_code_name(err.code),
                     err.message);
        cr_assert(strstr(err.message, bad[i].word), "%d: %s", i, err.message);
    }
}

Test(opening, bad_settings_are_refused_by_name)
{
    const pdr_setting bad[] = {
        {"snapshot.event", "1"}, {"snapshot.events", "0"}, {"snapshot.events", "many"}, {NULL, "1"},
        {"scan.limit", NULL},    {"kafka.", "1"},          {"checkpointing", "maybe"},  {"", ""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_options options = bank_options(&dir, 0);
        options.settings = &bad[i];
        options.setting_count = 1;
        cr_assert_eq(open_with(&options, NULL), PDR_BAD_SETTING, "%zu", i);
    }
    const pdr_setting crossed[] = {{"backoff.min.ms", "100"}, {"backoff.max.ms", "50"}};
    pdr_options options = bank_options(&dir, 0);
    options.settings = crossed;
    options.setting_count = 2;
    cr_assert_eq(open_with(&options, NULL), PDR_BAD_SETTING);
    const pdr_setting passed[] = {{"kafka.linger.ms", "5"}};
    options.settings = passed;
    options.setting_count = 1;
    cr_assert_eq(open_with(&options, NULL), PDR_OK, "other logs don't look at Kafka's");
}

Test(opening, the_environment_names_journal_and_store)
{
    pdr_options options = bank_options(&dir, 0);
    options.journal = options.store = NULL;
    unsetenv("PERDURE_JOURNAL");
    unsetenv("PERDURE_STORE");
    cr_assert_eq(open_with(&options, NULL), PDR_BAD_URL);
    setenv("PERDURE_JOURNAL", dir.url, 1);
    cr_assert_eq(open_with(&options, NULL), PDR_OK, "a SQLite journal is its own store");
    setenv("PERDURE_STORE", "nonsense", 1);
    cr_assert_eq(open_with(&options, NULL), PDR_BAD_URL);
    options.store = dir.url;
    cr_assert_eq(open_with(&options, NULL), PDR_OK, "options win");
}

Test(opening, init_is_idempotent_and_keeps_the_number_of_partitions)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_error err;
    cr_assert_eq(pdr_journal_init(&options, 4, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_journal_init(&options, 5, &err), PDR_EXISTS, "%s", err.message);
    cr_assert_eq(pdr_journal_init(&options, 0, &err), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_init(&options, 1000000, &err), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_init(NULL, 4, &err), PDR_INVALID_ARGUMENT);
}

Test(opening, a_lost_store_is_made_anew_for_the_same_journal)
{
    pdr_options options = bank_options(&dir, 0);
    char url[120];
    snprintf(url, sizeof url, "sqlite:%s/store.db", dir.path);
    pdr_journal *journal = bank_open(&options);
    pdr_answered answer;
    cr_assert_eq(bank_ask_deposit(journal, "account/1", 5, &answer), PDR_OK);
    pdr_journal_close(journal);
    options.store = url;
    pdr_error err;
    cr_assert_eq(open_with(&options, &err), PDR_NOT_INITIALISED, "%s", err.message);
    cr_assert_eq(pdr_journal_init(&options, 4, &err), PDR_OK, "%s", err.message);
    journal = bank_open(&options);
    cr_assert_eq(bank_balance(journal, "account/1", NULL), 5, "from the log alone");
    pdr_journal_close(journal);
}

Test(opening, a_store_of_another_journal_is_refused)
{
    bank_dir other;
    bank_dir_make(&other, 4);
    for (int i = 0; i < 2; i++) {
        pdr_options options = bank_options(i ? &other : &dir, 0);
        pdr_journal_close(bank_open(&options));
    }
    pdr_options options = bank_options(&dir, 0);
    options.store = other.url;
    pdr_error err;
    cr_assert_eq(pdr_journal_init(&options, 4, &err), PDR_WRONG_JOURNAL, "%s", err.message);
    cr_assert_eq(open_with(&options, &err), PDR_WRONG_JOURNAL, "%s", err.message);
    bank_dir_remove(&other);
}

Test(opening, a_store_for_another_number_of_partitions_is_refused)
{
    bank_dir other;
    bank_dir_make(&other, 3);
    pdr_options options = bank_options(&dir, 0);
    options.store = other.url;
    pdr_error err;
    cr_assert_eq(open_with(&options, &err), PDR_UNSAFE_SETTING, "%s", err.message);
    cr_assert(strstr(err.message, "perdure copy"), "%s", err.message);
    bank_dir_remove(&other);
}

Test(opening, a_journal_that_owns_nothing_refuses_commands_and_serves_readers)
{
    pdr_options options = bank_options(&dir, 2);
    options.own_nothing = true;
    pdr_journal *journal = bank_open(&options);
    pdr_answered answer;
    cr_assert_eq(pdr_journal_partitions(journal), 4);
    cr_assert_eq(bank_ask_deposit(journal, "account/1", 1, &answer), PDR_NOT_OWNER);
    cr_assert_eq(answer.code, PDR_NOT_OWNER);
    cr_assert_eq(pdr_journal_drain(journal, 1000, NULL), PDR_OK);
    cr_assert_eq(pdr_poll(journal, 1), 0);
    int timeout;
    cr_assert_geq(pdr_poll_fd(journal, &timeout), 0);
    pdr_stats stats;
    pdr_journal_stats(journal, &stats);
    cr_assert_eq(stats.commands, 0);
    pdr_journal_close(journal);
    options.workers = 0;
    journal = bank_open(&options);
    cr_assert_eq(pdr_poll(journal, 1), 0);
    pdr_journal_close(journal);
}

Test(opening, a_journal_without_application_opens_and_appends)
{
    pdr_options options = bank_options(&dir, 1);
    options.app = NULL;
    pdr_journal *journal = bank_open(&options);
    pdr_answered answer;
    cr_assert_eq(bank_ask_deposit(journal, "account/1", 1, &answer), PDR_UNKNOWN_TYPE);
    pdr_journal_close(journal);
}

Test(opening, an_application_that_breaks_the_rules_is_refused)
{
    pdr_entity_type nameless = bank_account_entity, slashed = bank_account_entity, old = bank_account_entity,
                    without_apply = bank_account_entity, doubled = bank_account_entity;
    nameless.name = "";
    slashed.name = "a/b";
    old.abi_size = 8;
    without_apply.apply = NULL;
    const pdr_type *const events[] = {&bank_named_type, &bank_named_type};
    doubled.events = events;
    doubled.event_count = 2;
    const pdr_entity_type *const bad[] = {&nameless, &slashed, &old, &without_apply, &doubled, NULL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_app app = {sizeof app, PDR_ABI_VERSION, "bad", &bad[i], 1};
        pdr_options options = bank_options(&dir, 0);
        options.app = &app;
        cr_assert_eq(open_with(&options, NULL), PDR_INVALID_ARGUMENT, "%zu", i);
    }
    const pdr_entity_type *const same[] = {&bank_account_entity, &bank_account_entity};
    pdr_app apps[] = {{sizeof(pdr_app), PDR_ABI_VERSION, "twice", same, 2},
                      {sizeof(pdr_app), PDR_ABI_VERSION + 1, "newer", same, 1},
                      {4, PDR_ABI_VERSION, "small", same, 1},
                      {sizeof(pdr_app), PDR_ABI_VERSION, NULL, same, 1},
                      {sizeof(pdr_app), PDR_ABI_VERSION, "null", NULL, 1}};
    for (size_t i = 0; i < sizeof apps / sizeof apps[0]; i++)
        cr_assert_eq(pdr_app_validate(&apps[i], NULL), PDR_INVALID_ARGUMENT, "%zu", i);
    cr_assert_eq(pdr_app_validate(NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_app_validate(&bank_app, NULL), PDR_OK);
}
