#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

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

TestSuite(journal, .init = make, .fini = destroy, .timeout = 600);

static pdr_code ask(pdr_journal *journal, const char *entity, const pdr_type *type, const void *command,
                    const char *id, pdr_answered *answer)
{
    pdr_request_spec spec = {.entity = pdr_string_of(entity), .type = type, .command = command};
    if (id) spec.id = pdr_bytes_of(id, strlen(id));
    return pdr_ask(journal, &spec, 120000, answer, NULL);
}

Test(journal, an_ask_is_answered_and_its_state_can_be_read_with_any_number_of_workers)
{
    for (unsigned workers = 0; workers <= 3; workers++) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal = bank_open(&options);
        pdr_answered answer;
        cr_assert_eq(bank_ask_deposit(journal, "account/1", 10, &answer), PDR_OK);
        cr_assert_eq(answer.seq, workers + 1);
        cr_assert_eq(answer.events, 1);
        cr_assert_eq(answer.partition, pdr_journal_partition_of(journal, pdr_string_of("account/1")));
        cr_assert_geq(answer.position.offset, 0);
        char wanted[40];
        snprintf(wanted, sizeof wanted, "balance %u", 10 * (workers + 1));
        cr_assert_str_eq((char *)answer.answer, wanted);
        cr_assert_eq(answer.id_size, 16);
        uint64_t seq;
        cr_assert_eq(bank_balance(journal, "account/1", &seq), 10 * (workers + 1));
        cr_assert_eq(seq, workers + 1);
        pdr_journal_close(journal);
    }
}

Test(journal, a_refusal_says_why_and_changes_nothing)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    pdr_answered answer;
    bank_withdraw withdraw = {5};
    cr_assert_eq(ask(journal, "account/2", &bank_withdraw_type, &withdraw, NULL, &answer), PDR_REFUSED);
    cr_assert_str_eq((char *)answer.answer, "insufficient funds");
    cr_assert_eq(answer.seq, 0);
    cr_assert_eq(answer.events, 0);
    uint64_t seq;
    cr_assert_eq(bank_balance(journal, "account/2", &seq), 0);
    cr_assert_eq(seq, 0);
    pdr_journal_close(journal);
}

Test(journal, a_known_id_gets_the_first_answer_also_after_reopening)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    pdr_answered answer;
    bank_deposit deposit = {7};
    cr_assert_eq(ask(journal, "account/3", &bank_deposit_type, &deposit, "id-1", &answer), PDR_OK);
    cr_assert_not(answer.repeated);
    cr_assert_eq(bank_ask_deposit(journal, "account/3", 1, &answer), PDR_OK);
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(ask(journal, "account/3", &bank_deposit_type, &deposit, "id-1", &answer), PDR_OK);
        cr_assert(answer.repeated);
        cr_assert_eq(answer.seq, 1);
        cr_assert_str_eq((char *)answer.answer, "balance 7");
        bank_deposit other = {8};
        cr_assert_eq(ask(journal, "account/3", &bank_deposit_type, &other, "id-1", &answer), PDR_ID_REUSED);
        pdr_journal_close(journal);
        journal = bank_open(&options);
    }
    uint64_t seq;
    cr_assert_eq(bank_balance(journal, "account/3", &seq), 8);
    pdr_journal_close(journal);
}

Test(journal, an_expected_seq_that_is_not_met_is_a_conflict)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    bank_deposit deposit = {1};
    pdr_request_spec spec = bank_deposit_spec("account/4", &deposit);
    spec.has_expected_seq = true;
    pdr_answered answer;
    pdr_error err;
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, &err), PDR_OK);
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, &err), PDR_CONFLICT);
    cr_assert_eq(answer.seq, 1);
    cr_assert(err.message[0]);
    spec.expected_seq = 1;
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, &err), PDR_OK);
    cr_assert_eq(answer.seq, 2);
    pdr_journal_close(journal);
}

Test(journal, a_command_may_make_several_events_or_none)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    pdr_answered answer;
    bank_name name = {pdr_string_of("Ada"), 5}, none = {pdr_string_of("nobody"), 0};
    cr_assert_eq(ask(journal, "account/5", &bank_name_type, &name, NULL, &answer), PDR_OK);
    cr_assert_eq(answer.events, 5);
    cr_assert_eq(answer.seq, 5);
    cr_assert_eq(ask(journal, "account/5", &bank_name_type, &none, NULL, &answer), PDR_OK);
    cr_assert_eq(answer.events, 0);
    cr_assert_eq(answer.seq, 5);
    pdr_arena arena = PDR_ARENA_INIT(65536);
    bank_account account;
    uint64_t seq;
    cr_assert_eq(pdr_read_state(journal, "account/5", true, 120000, &arena, &account, &seq, NULL), PDR_OK);
    pdr_journal_close(journal);
    cr_assert(pdr_string_equal(account.owner, pdr_string_of("Ada")), "the state outlives the journal");
    pdr_arena_release(&arena);
}

typedef struct seen {
    int count;
    pdr_code code;
    uint64_t seq;
    pdr_journal *journal;
    pdr_code nested;
} seen;

static void see(void *context, const pdr_reply *reply)
{
    seen *s = context;
    s->count++;
    s->code = reply->code;
    s->seq = reply->seq;
}

static void poll_until(pdr_journal *journal, const int *count, int wanted)
{
    while (*count < wanted)
        pdr_poll(journal, 50);
}

Test(journal, events_can_be_appended_without_an_actor)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    bank_deposited deposited = {30, 30};
    bank_named named = {pdr_string_of("Bob")};
    bank_undeclared nothing = {true};
    pdr_new_event events[] = {{&bank_deposited_type, &deposited, 0}, {&bank_named_type, &named, 12345}};
    pdr_new_event undeclared = {&bank_undeclared_type, &nothing, 0};
    pdr_request_spec spec = {.entity = pdr_string_of("account/6"), .has_expected_seq = true};
    seen s = {0};
    cr_assert_eq(pdr_journal_append(journal, &spec, events, 2, see, &s, NULL), PDR_OK);
    cr_assert_eq(s.count, 0);
    poll_until(journal, &s.count, 1);
    cr_assert_eq(s.code, PDR_OK);
    cr_assert_eq(s.seq, 2);
    cr_assert_eq(bank_balance(journal, "account/6", NULL), 30);
    cr_assert_eq(pdr_journal_append(journal, &spec, events, 2, see, &s, NULL), PDR_OK);
    poll_until(journal, &s.count, 2);
    cr_assert_eq(s.code, PDR_CONFLICT);
    spec = (pdr_request_spec){.entity = pdr_string_of("ledger/1")};
    cr_assert_eq(pdr_journal_append(journal, &spec, &undeclared, 1, see, &s, NULL), PDR_OK);
    poll_until(journal, &s.count, 3);
    cr_assert_eq(s.code, PDR_OK, "an entity that no type is declared for");
    cr_assert_eq(s.seq, 1);
    pdr_journal_close(journal);
}

Test(journal, misuse_is_refused_by_name_before_anything_is_sent)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    bank_deposit deposit = {1};
    pdr_error err;
    char long_id[600];
    memset(long_id, 'x', sizeof long_id);
    pdr_request_spec good = bank_deposit_spec("account/7", &deposit);
    seen s = {0};
    struct {
        pdr_request_spec spec;
        pdr_code code;
    } bad[] = {
        {{.entity = {NULL, 0}, .type = &bank_deposit_type, .command = &deposit}, PDR_UNKNOWN_TYPE},
        {{.entity = {"account/x", 0}, .type = &bank_deposit_type, .command = &deposit}, PDR_UNKNOWN_TYPE},
        {{.entity = {"account/\0x", 10}, .type = &bank_deposit_type, .command = &deposit},
         PDR_INVALID_ARGUMENT},
        {{.entity = {"account/\xff", 9}, .type = &bank_deposit_type, .command = &deposit},
         PDR_INVALID_ARGUMENT},
        {{.entity = {"acc/1", 5}, .type = &bank_deposit_type, .command = &deposit}, PDR_UNKNOWN_TYPE},
        {{.entity = {"accounts/1", 10}, .type = &bank_deposit_type, .command = &deposit}, PDR_UNKNOWN_TYPE},
        {{.entity = {"account/1", 9}, .type = &bank_undeclared_type, .command = &deposit}, PDR_UNKNOWN_TYPE},
        {{.entity = {"account/1", 9}, .type = &bank_deposit_type, .command = NULL}, PDR_INVALID_ARGUMENT},
        {{.entity = {"account/1", 9}, .type = NULL, .command = &deposit}, PDR_INVALID_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(pdr_send(journal, &bad[i].spec, see, &s, &err), bad[i].code, "%zu: %s", i, err.message);
        cr_assert(err.message[0]);
    }
    memcpy(long_id, "account/", 8);
    good.entity = (pdr_string){long_id, PDR_MAX_ENTITY_ID + 1};
    cr_assert_eq(pdr_send(journal, &good, see, &s, NULL), PDR_TOO_LARGE);
    good = bank_deposit_spec("account/7", &deposit);
    good.id = pdr_bytes_of(long_id, PDR_MAX_COMMAND_ID + 1);
    cr_assert_eq(pdr_send(journal, &good, see, &s, NULL), PDR_TOO_LARGE);
    good = bank_deposit_spec("account/7", &deposit);
    good.has_expected_seq = true;
    good.expected_seq = UINT64_MAX;
    cr_assert_eq(pdr_send(journal, &good, see, &s, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_send(NULL, &good, see, &s, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_send(journal, NULL, see, &s, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_ask(journal, NULL, 1, NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_ask(NULL, &good, 1, NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_tell(journal, NULL, &bank_deposit_type, &deposit, NULL), PDR_UNKNOWN_TYPE);
    cr_assert_eq(pdr_read(journal, pdr_string_of("account/7"), false, NULL, NULL, NULL),
                 PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_read_state(journal, NULL, false, 1, NULL, NULL, NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_append(journal, &good, NULL, 1, see, &s, NULL), PDR_INVALID_ARGUMENT);
    pdr_new_event empty = {NULL, NULL, 0};
    cr_assert_eq(pdr_journal_append(journal, &good, &empty, 0, see, &s, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_append(journal, &good, &empty, 1, see, &s, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_send_batch(journal, NULL, 3, see, NULL, NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_partition_of(NULL, pdr_string_of("x")), -1);
    cr_assert_eq(pdr_poll(NULL, 0), 0);
    cr_assert_eq(pdr_poll(journal, 0), 0);
    cr_assert_eq(s.count, 0);
    pdr_journal_close(journal);
    pdr_journal_close(NULL);
}

Test(journal, a_batch_is_taken_up_to_the_first_bad_one)
{
    pdr_options options = bank_options(&dir, 2);
    pdr_journal *journal = bank_open(&options);
    bank_deposit deposit = {1};
    pdr_request_spec specs[10];
    seen s[10] = {{0}};
    void *contexts[10];
    for (int i = 0; i < 10; i++) {
        specs[i] = bank_deposit_spec(i % 2 ? "account/8" : "account/9", &deposit);
        contexts[i] = &s[i];
    }
    specs[7].entity = pdr_string_of("nothing/1");
    size_t taken;
    cr_assert_eq(pdr_send_batch(journal, specs, 10, see, contexts, &taken, NULL), PDR_UNKNOWN_TYPE);
    cr_assert_eq(taken, 7);
    for (int i = 0; i < 7; i++)
        poll_until(journal, &s[i].count, 1);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(s[i].count, i < 7);
    pdr_journal_close(journal);
}

static void fail_tell(void *context, pdr_string entity, const pdr_error *error)
{
    seen *s = context;
    s->count += pdr_string_equal(entity, pdr_string_of("account/10"));
    s->code = error->code;
}

Test(journal, failed_tells_reach_the_handler_and_the_counter)
{
    for (unsigned workers = 0; workers <= 1; workers++) {
        seen s = {0};
        pdr_options options = bank_options(&dir, workers);
        options.failed_tell = fail_tell;
        options.context = &s;
        pdr_journal *journal = bank_open(&options);
        bank_deposit good = {1}, bad = {-1};
        cr_assert_eq(pdr_tell(journal, "account/10", &bank_deposit_type, &bad, NULL), PDR_OK);
        cr_assert_eq(pdr_tell(journal, "account/10", &bank_deposit_type, &good, NULL), PDR_OK);
        cr_assert_eq(pdr_journal_drain(journal, 120000, NULL), PDR_OK);
        pdr_stats stats;
        pdr_journal_stats(journal, &stats);
        cr_assert_eq(stats.failed_tells, 1);
        cr_assert_eq(stats.commands, 2);
        cr_assert_eq(s.count, 1);
        cr_assert_eq(s.code, PDR_REFUSED);
        pdr_journal_close(journal);
    }
}

Test(journal, more_commands_than_the_setting_allows_are_busy_until_some_are_answered)
{
    pdr_setting settings[] = {{"commands.max", "4"}};
    for (unsigned workers = 0; workers <= 1; workers++) {
        pdr_options options = bank_options(&dir, workers);
        options.settings = settings;
        options.setting_count = 1;
        pdr_journal *journal = bank_open(&options);
        bank_deposit deposit = {1};
        pdr_request_spec spec = bank_deposit_spec("account/11", &deposit);
        seen s = {0};
        for (int i = 0; i < 4; i++)
            cr_assert_eq(pdr_send(journal, &spec, see, &s, NULL), PDR_OK);
        cr_assert_eq(pdr_send(journal, &spec, see, &s, NULL), PDR_BUSY, "replies that nobody fetched count");
        poll_until(journal, &s.count, 4);
        cr_assert_eq(pdr_send(journal, &spec, see, &s, NULL), PDR_OK);
        poll_until(journal, &s.count, 5);
        cr_assert_eq(s.count, 5);
        cr_assert_eq(s.code, PDR_OK);
        pdr_stats stats;
        pdr_journal_stats(journal, &stats);
        cr_assert_eq(stats.busy, 1);
        pdr_journal_close(journal);
    }
}

Test(journal, a_drained_journal_has_everything_saved)
{
    for (unsigned workers = 0; workers <= 2; workers += 2) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal = bank_open(&options);
        bank_deposit deposit = {1};
        for (int i = 0; i < 500; i++) {
            char entity[40];
            snprintf(entity, sizeof entity, "account/d%d", i % 50);
            cr_assert_eq(pdr_tell(journal, entity, &bank_deposit_type, &deposit, NULL), PDR_OK);
        }
        pdr_error err;
        cr_assert_eq(pdr_journal_drain(journal, 120000, &err), PDR_OK, "%s", err.message);
        pdr_stats stats;
        pdr_journal_stats(journal, &stats);
        cr_assert_eq(stats.events, 500);
        cr_assert_eq(stats.open_commands, 0);
        cr_assert_eq(stats.dirty, 0);
        cr_assert_eq(stats.longest_tail, 0);
        cr_assert_eq(stats.failed_tells, 0);
        cr_assert_geq(stats.saved_heads, 50);
        pdr_journal_close(journal);
    }
}

Test(journal, closing_answers_everything_once)
{
    for (unsigned workers = 0; workers <= 2; workers++)
        for (int on_worker = 0; on_worker < 2; on_worker++) {
            pdr_options options = bank_options(&dir, workers);
            options.complete_on_worker = on_worker;
            pdr_journal *journal = bank_open(&options);
            enum { N = 300 };
            static seen s[N];
            memset(s, 0, sizeof s);
            bank_deposit deposit = {1};
            pdr_request_spec spec = bank_deposit_spec("account/12", &deposit);
            for (int i = 0; i < N; i++)
                cr_assert_eq(pdr_send(journal, &spec, see, &s[i], NULL), PDR_OK);
            pdr_journal_close(journal);
            for (int i = 0; i < N; i++) {
                cr_assert_eq(s[i].count, 1);
                cr_assert_eq(s[i].code, PDR_OK, "there was time enough");
            }
        }
}

Test(journal, closing_without_time_still_answers_everything)
{
    pdr_setting settings[] = {{"close.timeout.ms", "0"}};
    for (unsigned workers = 0; workers <= 2; workers++) {
        pdr_options options = bank_options(&dir, workers);
        options.settings = settings;
        options.setting_count = 1;
        pdr_journal *journal = bank_open(&options);
        enum { N = 300 };
        static seen s[N];
        memset(s, 0, sizeof s);
        bank_deposit deposit = {1};
        pdr_request_spec spec = bank_deposit_spec("account/13", &deposit);
        for (int i = 0; i < N; i++)
            cr_assert_eq(pdr_send(journal, &spec, see, &s[i], NULL), PDR_OK);
        pdr_journal_close(journal);
        for (int i = 0; i < N; i++) {
            cr_assert_eq(s[i].count, 1);
            bool definite =
                s[i].code == PDR_OK || s[i].code == PDR_UNKNOWN_OUTCOME || s[i].code == PDR_CANCELLED;
            cr_assert(definite, "%s", pdr_code_name(s[i].code));
        }
    }
}

/* --- several processes --- */

static pdr_options split(int half, int32_t *partitions)
{
    pdr_options options = bank_options(&dir, 1);
    partitions[0] = 2 * half;
    partitions[1] = 2 * half + 1;
    options.partitions = partitions;
    options.partition_count = 2;
    return options;
}

static int deposit_in_half(int half)
{
    int32_t partitions[2];
    pdr_options options = split(half, partitions);
    pdr_journal *journal = bank_open(&options);
    int taken = 0;
    for (int i = 0; i < 100; i++) {
        char entity[40];
        snprintf(entity, sizeof entity, "account/p%d", i);
        pdr_answered answer;
        pdr_code code = bank_ask_deposit(journal, entity, 1, &answer);
        int32_t partition = pdr_journal_partition_of(journal, pdr_string_of(entity));
        bool here = partition / 2 == half;
        if (code != (here ? PDR_OK : PDR_NOT_OWNER)) return -1;
        taken += here;
    }
    pdr_journal_close(journal);
    return taken;
}

Test(journal, two_processes_share_the_partitions)
{
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        int taken = deposit_in_half(1);
        ssize_t written = write(pipes[1], &taken, sizeof taken);
        _exit(written == (ssize_t)sizeof taken ? 0 : 1);
    }
    int mine = deposit_in_half(0), others = -1, status;
    cr_assert_eq(read(pipes[0], &others, sizeof others), (ssize_t)sizeof others);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    cr_assert_geq(mine, 1);
    cr_assert_eq(mine + others, 100);
    pdr_options options = bank_options(&dir, 2);
    pdr_journal *journal = bank_open(&options);
    for (int i = 0; i < 100; i++) {
        char entity[40];
        snprintf(entity, sizeof entity, "account/p%d", i);
        cr_assert_eq(bank_balance(journal, entity, NULL), 1);
    }
    pdr_journal_close(journal);
}

Test(journal, a_partition_of_another_process_is_refused_with_its_address)
{
    int32_t partitions[2];
    pdr_options others = bank_options(&dir, 1), mine = split(0, partitions), none = bank_options(&dir, 0);
    none.own_nothing = true;
    pdr_journal *nothing = bank_open(&none);
    char address[300], small[4];
    pdr_error err;
    cr_assert_eq(pdr_journal_owner_of(nothing, 3, 120000, address, sizeof address, &err), PDR_NOT_FOUND);
    pdr_journal_close(nothing);
    int32_t rest[2] = {2, 3};
    others.partitions = rest;
    others.partition_count = 2;
    others.address = "other.example:4711";
    pdr_journal *theirs = bank_open(&others), *journal = bank_open(&mine);
    int refused = 0;
    for (int i = 0; i < 20; i++) {
        char entity[40];
        snprintf(entity, sizeof entity, "account/%d", i);
        if (pdr_journal_partition_of(journal, pdr_string_of(entity)) < 2) continue;
        refused++;
        bank_deposit deposit = {1};
        pdr_request_spec spec = bank_deposit_spec(entity, &deposit);
        pdr_answered answer;
        cr_assert_eq(pdr_ask(journal, &spec, 120000, &answer, &err), PDR_NOT_OWNER);
        cr_assert(strstr(err.message, "other.example:4711"), "%s", err.message);
        cr_assert_eq(pdr_send(journal, &spec, see, NULL, &err), PDR_NOT_OWNER);
    }
    cr_assert_gt(refused, 0);
    cr_assert_eq(pdr_journal_owner_of(journal, 3, 120000, address, sizeof address, &err), PDR_OK);
    cr_assert_str_eq(address, "other.example:4711");
    cr_assert_eq(pdr_journal_owner_of(journal, 3, 120000, small, sizeof small, &err), PDR_OK);
    cr_assert_str_eq(small, "oth");
    cr_assert_eq(pdr_journal_owner_of(journal, 4, 120000, address, sizeof address, &err),
                 PDR_INVALID_ARGUMENT);
    cr_assert_eq(pdr_journal_owner_of(journal, 0, 120000, NULL, 0, &err), PDR_INVALID_ARGUMENT);
    pdr_journal_close(journal);
    pdr_journal_close(theirs);
}

Test(journal, a_child_may_not_use_its_parents_journal)
{
    pdr_options options = bank_options(&dir, 1);
    pdr_journal *journal = bank_open(&options);
    pdr_reader *reader;
    cr_assert_eq(pdr_reader_open(&reader, journal, 0, PDR_POSITION_START, NULL), PDR_OK);
    pid_t child = fork();
    if (child == 0) {
        pdr_answered answer;
        const pdr_logged_event *event;
        pdr_reader *other;
        bool refused = bank_ask_deposit(journal, "account/14", 1, &answer) == PDR_CLOSED &&
                       pdr_journal_wait(journal, 0, NULL) == PDR_CLOSED && pdr_poll(journal, 0) == 0 &&
                       pdr_poll_fd(journal, NULL) == -1 &&
                       pdr_reader_next(reader, &event, 0, NULL) == PDR_CLOSED &&
                       pdr_reader_open(&other, journal, 0, PDR_POSITION_START, NULL) == PDR_CLOSED;
        pdr_reader_close(reader);
        pdr_journal_close(journal);
        _exit(refused ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    pdr_answered answer;
    cr_assert_eq(bank_ask_deposit(journal, "account/14", 1, &answer), PDR_OK);
    pdr_reader_close(reader);
    pdr_journal_close(journal);
}

Test(journal, two_owners_of_everything_lose_and_double_nothing)
{
    pdr_setting settings[] = {{"backoff.min.ms", "1"}, {"backoff.max.ms", "20"}};
    pdr_options options = bank_options(&dir, 1);
    options.settings = settings;
    options.setting_count = 2;
    pdr_journal *journals[2] = {bank_open(&options), NULL};
    int64_t sum = 0;
    for (int i = 0; i < 60; i++) {
        if (i == 20) journals[1] = bank_open(&options);
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        bank_deposit deposit = {i + 1};
        pdr_answered answer;
        pdr_code code = PDR_BUSY;
        for (int tries = 0; code != PDR_OK && tries < 100000; tries++) {
            if (tries) usleep(2000);
            code = ask(journals[i >= 20 ? (i + tries) % 2 : 0], "account/15", &bank_deposit_type, &deposit,
                       id, &answer);
        }
        cr_assert_eq(code, PDR_OK, "%s", pdr_code_name(code));
        cr_assert_eq(answer.seq, (uint64_t)i + 1);
        sum += i + 1;
    }
    pdr_journal_close(journals[0]);
    pdr_journal_close(journals[1]);
    pdr_journal *third = bank_open(&options);
    cr_assert_eq(bank_balance(third, "account/15", NULL), sum);
    pdr_journal_close(third);
}
