#include <criterion/criterion.h>
#include <stdio.h>

#include "bank_journal.h"

static bank_dir dir;

static void make(void)
{
    bank_dir_make(&dir, 2);
}
static void destroy(void)
{
    bank_dir_remove(&dir);
}

TestSuite(readers, .init = make, .fini = destroy, .timeout = 600);

static void deposit_many(pdr_journal *journal, int entities, int each)
{
    for (int i = 0; i < entities * each; i++) {
        char entity[40];
        bank_deposit deposit = {i / entities + 1};
        snprintf(entity, sizeof entity, "account/%d", i % entities);
        cr_assert_eq(pdr_tell(journal, entity, &bank_deposit_type, &deposit, NULL), PDR_OK);
    }
    cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
}

static int read_all(pdr_reader *reader, pdr_position *last)
{
    const pdr_logged_event *event;
    pdr_error err;
    int count = 0;
    for (;;) {
        pdr_code code = pdr_reader_next(reader, &event, 120000, &err);
        cr_assert_eq(code, PDR_OK, "%s: %s", pdr_code_name(code), err.message);
        if (!event) return count;
        cr_assert_eq(event->type, &bank_deposited_type);
        cr_assert_eq(((const bank_deposited *)event->value)->amount, (int64_t)event->seq);
        cr_assert_eq(event->fingerprint, bank_deposited_type.fingerprint);
        cr_assert_gt(event->time_us, INT64_C(1700000000000000));
        cr_assert_gt(event->append_ms, INT64_C(1700000000000));
        cr_assert_eq(event->position.offset, event->offset);
        cr_assert_eq(event->count, 1);
        cr_assert(event->datum.size > 0);
        if (last) *last = event->position;
        count++;
    }
}

Test(readers, a_partition_is_read_to_its_end_as_it_is_at_each_call)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    pdr_reader *readers[2];
    pdr_position last[2];
    for (int p = 0; p < 2; p++) {
        cr_assert_eq(pdr_reader_open(&readers[p], journal, p, PDR_POSITION_START, NULL), PDR_OK);
        cr_assert_eq(read_all(readers[p], NULL), 0, "an owner's own records are not events");
    }
    for (int round = 1; round <= 3; round++) {
        deposit_many(journal, 20, 10 * round); /* amounts begin at 1 each round: entities of their own */
        int found = 0;
        for (int p = 0; p < 2; p++) {
            const pdr_logged_event *event;
            for (;;) {
                cr_assert_eq(pdr_reader_next(readers[p], &event, 120000, NULL), PDR_OK);
                if (!event) break;
                last[p] = event->position;
                found++;
            }
        }
        cr_assert_eq(found, 200 * round);
    }
    for (int p = 0; p < 2; p++) {
        pdr_reader_close(readers[p]);
        cr_assert_eq(pdr_reader_open(&readers[p], journal, p, last[p], NULL), PDR_OK);
        cr_assert_eq(read_all(readers[p], NULL), 0, "reading goes on after the position");
        pdr_reader_close(readers[p]);
    }
    pdr_journal_close(journal);
}

Test(readers, events_come_decoded_in_order_with_their_places)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    deposit_many(journal, 10, 30);
    int found = 0;
    for (int p = 0; p < 2; p++) {
        pdr_reader *reader;
        pdr_position last;
        cr_assert_eq(pdr_reader_open(&reader, journal, p, PDR_POSITION_START, NULL), PDR_OK);
        found += read_all(reader, &last);
        pdr_reader_close(reader);
    }
    cr_assert_eq(found, 300);
    pdr_journal_close(journal);
}

Test(readers, commits_of_several_events_come_whole_and_share_a_position)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    bank_name name = {pdr_string_of("Eve"), 7};
    pdr_request_spec spec = {.entity = pdr_string_of("account/n"),
                             .type = &bank_name_type,
                             .command = &name,
                             .id = pdr_bytes_of("the-id", 6),
                             .correlation = pdr_bytes_of("corr", 4),
                             .causation = pdr_bytes_of("cause", 5)};
    pdr_answered answer;
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, NULL), PDR_OK);
    pdr_reader *reader;
    const pdr_logged_event *event;
    cr_assert_eq(pdr_reader_open(&reader, journal, answer.partition, PDR_POSITION_START, NULL), PDR_OK);
    for (uint32_t i = 0; i < 7; i++) {
        cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
        cr_assert_not_null(event);
        cr_assert_eq(event->index, i);
        cr_assert_eq(event->count, 7);
        cr_assert_eq(event->seq, i + 1);
        cr_assert(pdr_position_equal(event->position, answer.position));
        cr_assert(pdr_string_equal(((const bank_named *)event->value)->owner, pdr_string_of("Eve")));
        cr_assert(pdr_bytes_equal(event->id, pdr_bytes_of("the-id", 6)));
        cr_assert(pdr_bytes_equal(event->correlation, pdr_bytes_of("corr", 4)));
        cr_assert(pdr_bytes_equal(event->causation, pdr_bytes_of("cause", 5)));
        cr_assert(pdr_string_equal(event->entity, pdr_string_of("account/n")));
    }
    cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
    cr_assert_null(event);
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

static int count_rest(pdr_reader *reader)
{
    const pdr_logged_event *event;
    int count = 0;
    do {
        cr_assert_eq(pdr_reader_next(reader, &event, 120000, NULL), PDR_OK);
        count += event != NULL;
    } while (event);
    return count;
}

Test(readers, a_long_partition_is_not_said_to_end_before_it_does)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    bank_name name = {pdr_string_of("a name of some length"), 1000};
    int32_t partition = pdr_journal_partition_of(journal, pdr_string_of("account/long"));
    pdr_reader *reader;
    cr_assert_eq(pdr_reader_open(&reader, journal, partition, PDR_POSITION_START, NULL), PDR_OK);
    cr_assert_eq(count_rest(reader), 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++)
            cr_assert_eq(pdr_tell(journal, "account/long", &bank_name_type, &name, NULL), PDR_OK);
        cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
        cr_assert_eq(count_rest(reader), 20000);
        cr_assert_eq(count_rest(reader), 0);
    }
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

static void check_history(pdr_journal *journal, const char *entity, uint64_t after, uint64_t to)
{
    pdr_reader *reader;
    const pdr_logged_event *event;
    pdr_error err;
    cr_assert_eq(pdr_history_reader_open(&reader, journal, pdr_string_of(entity), after, &err), PDR_OK);
    for (uint64_t seq = after + 1; seq <= to; seq++) {
        pdr_code code = pdr_reader_next(reader, &event, 120000, &err);
        cr_assert_eq(code, PDR_OK, "%s: %s", pdr_code_name(code), err.message);
        cr_assert_not_null(event, "seq %llu of %llu", (unsigned long long)seq, (unsigned long long)to);
        cr_assert_eq(event->seq, seq);
        cr_assert(pdr_string_equal(event->entity, pdr_string_of(entity)));
        cr_assert_eq(((const bank_deposited *)event->value)->amount, (int64_t)seq);
    }
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pdr_reader_next(reader, &event, 120000, &err), PDR_OK, "%s", err.message);
        cr_assert_null(event);
    }
    pdr_reader_close(reader);
}

Test(readers, a_history_is_whole_whether_or_not_its_end_is_saved)
{
    const pdr_setting lazy[] = {{"snapshot.age.ms", "3600000"}};
    pdr_options options = bank_options(&dir, 1), watcher = bank_options(&dir, 0);
    options.settings = lazy;
    options.setting_count = 1;
    watcher.own_nothing = true;
    pdr_journal *journal = bank_open(&options), *beside = bank_open(&watcher);
    check_history(beside, "account/3", 0, 0);
    int64_t amount = 0;
    for (int round = 0; round < 3; round++) {
        pdr_answered answer;
        for (int i = 0; i < 40; i++) {
            cr_assert_eq(bank_ask_deposit(journal, "account/3", ++amount, &answer), PDR_OK);
            cr_assert_eq(bank_ask_deposit(journal, "account/4", amount, &answer), PDR_OK);
        }
        check_history(beside, "account/3", 0, (uint64_t)amount); /* the newest 40 only in the log */
        cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
        check_history(beside, "account/3", 0, (uint64_t)amount); /* all saved */
    }
    for (uint64_t after = 1; after < 130; after += 13)
        check_history(beside, "account/3", after, 120);
    pdr_journal_close(journal);
    check_history(beside, "account/4", 0, 120);
    pdr_journal_close(beside);
}

Test(readers, a_history_whose_head_is_beyond_the_checkpoint_has_nothing_twice)
{
    const pdr_setting settings[] = {{"snapshot.age.ms", "3600000"}, {"snapshot.events", "5"}};
    pdr_options options = bank_options(&dir, 1);
    options.settings = settings;
    options.setting_count = 2;
    pdr_journal *journal = bank_open(&options);
    char holder[40], saved[40];
    int found = 0;
    for (int i = 0; found < 2; i++) {
        char *name = found ? saved : holder;
        snprintf(name, sizeof holder, "account/%d", i);
        found += pdr_journal_partition_of(journal, pdr_string_of(name)) == 1;
    }
    pdr_answered answer;
    pdr_stats stats;
    cr_assert_eq(bank_ask_deposit(journal, holder, 1, &answer), PDR_OK); /* unsaved: holds the checkpoint */
    int64_t amount = 0;
    do {
        cr_assert_eq(bank_ask_deposit(journal, saved, ++amount, &answer), PDR_OK);
        pdr_journal_stats(journal, &stats);
    } while (stats.saved_heads == 0 && amount < 2000);
    cr_assert_geq(stats.saved_heads, 1);
    cr_assert_geq(stats.longest_tail, (uint64_t)amount, "what was saved would still be scanned");
    check_history(journal, saved, 0, (uint64_t)amount);
    check_history(journal, saved, 2, (uint64_t)amount);
    check_history(journal, holder, 0, 1);
    pdr_journal_close(journal);
}

Test(readers, a_fold_gives_the_state_that_the_owner_has)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    deposit_many(journal, 3, 50);
    bank_name name = {pdr_string_of("Mallory"), 3};
    pdr_request_spec spec = {.entity = pdr_string_of("account/1"), .type = &bank_name_type, .command = &name};
    pdr_answered answer;
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, NULL), PDR_OK);
    pdr_fold *fold;
    pdr_reader *reader;
    const pdr_logged_event *event;
    cr_assert_eq(pdr_fold_open(&fold, &bank_account_entity, NULL), PDR_OK);
    cr_assert_eq(((const bank_account *)pdr_fold_state(fold))->balance, 0);
    cr_assert_eq(pdr_history_reader_open(&reader, journal, pdr_string_of("account/1"), 0, NULL), PDR_OK);
    while (pdr_reader_next(reader, &event, 120000, NULL) == PDR_OK && event)
        cr_assert_eq(pdr_fold_apply(fold, event, NULL), PDR_OK);
    const bank_account *account = pdr_fold_state(fold);
    cr_assert_eq(account->balance, bank_balance(journal, "account/1", NULL));
    cr_assert_eq(account->entries, 53);
    cr_assert(pdr_string_equal(account->owner, pdr_string_of("Mallory")));
    pdr_reader_close(reader);
    pdr_fold_close(fold);
    pdr_journal_close(journal);
}

Test(readers, a_fold_that_failed_gives_no_state_any_more)
{
    pdr_fold *fold;
    cr_assert_eq(pdr_fold_open(&fold, &bank_account_entity, NULL), PDR_OK);
    pdr_logged_event foreign = {.seq = 1, .fingerprint = 42, .datum = pdr_bytes_of("x", 1)};
    cr_assert_eq(pdr_fold_apply(fold, &foreign, NULL), PDR_UNKNOWN_SCHEMA);
    cr_assert_null(pdr_fold_state(fold));
    cr_assert_eq(pdr_fold_apply(fold, &foreign, NULL), PDR_CLOSED);
    pdr_fold_close(fold);
    pdr_fold_close(NULL);
    cr_assert_eq(pdr_fold_open(&fold, NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_fold_open(NULL, &bank_account_entity, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_fold_apply(NULL, &foreign, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_null(pdr_fold_state(NULL));
}

Test(readers, an_event_of_an_undeclared_type_is_given_undecoded)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    bank_undeclared nothing = {true};
    pdr_new_event event = {&bank_undeclared_type, &nothing, 0};
    pdr_request_spec spec = {.entity = pdr_string_of("ledger/1")};
    cr_assert_eq(pdr_journal_append(journal, &spec, &event, 1, NULL, NULL, NULL), PDR_OK);
    cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
    pdr_reader *reader;
    const pdr_logged_event *read;
    cr_assert_eq(pdr_history_reader_open(&reader, journal, spec.entity, 0, NULL), PDR_OK);
    cr_assert_eq(pdr_reader_next(reader, &read, 120000, NULL), PDR_OK);
    cr_assert_not_null(read);
    cr_assert_null(read->type);
    cr_assert_null(read->value);
    cr_assert_eq(read->fingerprint, bank_undeclared_type.fingerprint);
    cr_assert_eq(read->datum.size, 1);
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

Test(readers, misuse_is_refused)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    pdr_reader *reader;
    const pdr_logged_event *event;
    pdr_position odd = {-5, {-1, 0}, 0};
    cr_assert_eq(pdr_reader_open(&reader, journal, 2, PDR_POSITION_START, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_null(reader);
    cr_assert_eq(pdr_reader_open(&reader, journal, -1, PDR_POSITION_START, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_reader_open(&reader, journal, 0, odd, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_reader_open(NULL, journal, 0, PDR_POSITION_START, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_reader_open(&reader, NULL, 0, PDR_POSITION_START, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_history_reader_open(&reader, journal, pdr_string_of(""), 0, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_history_reader_open(&reader, journal, pdr_string_of(NULL), 0, NULL),
                 PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_reader_next(NULL, &event, 0, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_reader_open(&reader, journal, 0, PDR_POSITION_START, NULL), PDR_OK);
    cr_assert_eq(pdr_reader_next(reader, NULL, 0, NULL), PDR_INVALID_ARGUMENT);
    pdr_reader_close(reader);
    pdr_reader_close(NULL);
    pdr_journal_close(journal);
}
