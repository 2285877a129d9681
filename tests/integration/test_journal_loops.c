#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sqlite3.h>
#include <stdio.h>

#include "actors/shell.h"
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

TestSuite(loops, .init = make, .fini = destroy, .timeout = 600);

typedef struct chain {
    pdr_journal *journal;
    int left; /* commands still to send */
    atomic_int done;
    pthread_t thread;
    pdr_code blocking;
    size_t nested_poll;
} chain;

static void next(void *context, const pdr_reply *reply)
{
    chain *c = context;
    cr_assert_eq(reply->code, PDR_OK);
    c->thread = pthread_self();
    if (c->left-- > 0) {
        bank_deposit deposit = {1};
        pdr_request_spec spec = bank_deposit_spec("account/chain", &deposit);
        cr_assert_eq(pdr_send(c->journal, &spec, next, c, NULL), PDR_OK);
    }
    c->done++;
}

static void start(chain *c, pdr_journal *journal, int count)
{
    bank_deposit deposit = {1};
    pdr_request_spec spec = bank_deposit_spec("account/chain", &deposit);
    c->journal = journal;
    c->left = count - 1;
    cr_assert_eq(pdr_send(journal, &spec, next, c, NULL), PDR_OK);
}

Test(loops, completions_run_in_pdr_poll_on_the_calling_thread_and_may_send)
{
    for (unsigned workers = 0; workers <= 2; workers++) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal = bank_open(&options);
        chain c = {0};
        size_t ran = 0;
        start(&c, journal, 20);
        cr_assert_eq(c.done, 0, "never inside the submitting call");
        while (c.done < 20)
            ran += pdr_poll(journal, 100);
        cr_assert_eq(c.done, 20);
        cr_assert_eq(ran, 20, "%zu", ran);
        cr_assert(pthread_equal(c.thread, pthread_self()));
        pdr_journal_close(journal);
    }
}

Test(loops, completions_run_on_the_worker_if_that_was_asked)
{
    pdr_options options = bank_options(&dir, 2);
    options.complete_on_worker = true;
    pdr_journal *journal = bank_open(&options);
    chain c = {0};
    start(&c, journal, 20);
    while (c.done < 20)
        cr_assert_eq(pdr_poll(journal, 5), 0);
    cr_assert_eq(c.done, 20);
    cr_assert_not(pthread_equal(c.thread, pthread_self()));
    pdr_journal_close(journal);
}

/* An event loop: poll(2) on the fd with the time limit that was told, then pdr_poll without waiting. */
Test(loops, an_event_loop_needs_only_the_fd_and_its_time_limit)
{
    for (unsigned workers = 0; workers <= 2; workers += 2) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal;
        cr_assert_eq(pdr_journal_open(&journal, &options, NULL), PDR_OK);
        chain c = {0};
        start(&c, journal, 20);
        while (c.done < 20) {
            int timeout;
            struct pollfd fd = {pdr_poll_fd(journal, &timeout), POLLIN, 0};
            cr_assert_geq(fd.fd, 0);
            cr_assert_geq(poll(&fd, 1, timeout), 0);
            pdr_poll(journal, 0);
        }
        cr_assert_eq(c.done, 20);
        pdr_journal_close(journal);
    }
}

Test(loops, the_fd_is_readable_for_what_was_sent_before_it_was_asked_for)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal = bank_open(&options);
    chain c = {0};
    int timeout;
    struct pollfd fd = {pdr_poll_fd(journal, &timeout), POLLIN, 0};
    start(&c, journal, 1);
    cr_assert_eq(poll(&fd, 1, 0), 1, "sent while the loop may sleep");
    cr_assert_eq(pdr_poll_fd(journal, &timeout), fd.fd, "the same as before");
    cr_assert_eq(timeout, 0);
    cr_assert_eq(poll(&fd, 1, 0), 1, "sent before");
    while (c.done < 1)
        pdr_poll(journal, 100);
    pdr_journal_close(journal);
}

static void *send_from_afar(void *context)
{
    chain *c = context;
    start(c, c->journal, 1);
    return NULL;
}

Test(loops, a_send_from_another_thread_wakes_the_loop)
{
    for (unsigned workers = 0; workers <= 1; workers++) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal = bank_open(&options);
        chain c = {.journal = journal};
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, send_from_afar, &c), 0);
        while (!c.done)
            pdr_poll(journal, -1);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        pdr_journal_close(journal);
    }
}

static void block(void *context, const pdr_reply *reply)
{
    chain *c = context;
    (void)reply;
    pdr_answered answer;
    pdr_stats stats;
    c->blocking = bank_ask_deposit(c->journal, "account/chain", 1, &answer);
    cr_assert_eq(pdr_journal_wait(c->journal, 10, NULL), PDR_WRONG_THREAD);
    cr_assert_eq(pdr_journal_drain(c->journal, 10, NULL), PDR_WRONG_THREAD);
    c->nested_poll = pdr_poll(c->journal, 1000);
    pdr_journal_stats(c->journal, &stats);
    pdr_journal_close(c->journal);
    c->done++;
}

Test(loops, a_blocking_call_in_a_completion_is_refused)
{
    for (int kind = 0; kind < 3; kind++) {
        pdr_options options = bank_options(&dir, kind ? 1 : 0);
        options.complete_on_worker = kind == 2;
        pdr_journal *journal = bank_open(&options);
        chain c = {.journal = journal, .nested_poll = 99};
        bank_deposit deposit = {1};
        pdr_request_spec spec = bank_deposit_spec("account/block", &deposit);
        cr_assert_eq(pdr_send(journal, &spec, block, &c, NULL), PDR_OK);
        while (c.done < 1)
            pdr_poll(journal, 5);
        cr_assert_eq(c.blocking, PDR_WRONG_THREAD);
        cr_assert_eq(c.nested_poll, 0);
        cr_assert_eq(bank_balance(journal, "account/block", NULL), kind + 1, "still open and in use");
        pdr_journal_close(journal);
    }
}

Test(loops, polling_gives_up_when_its_time_is_over)
{
    for (unsigned workers = 0; workers <= 1; workers++) {
        pdr_options options = bank_options(&dir, workers);
        pdr_journal *journal = bank_open(&options);
        cr_assert_eq(pdr_poll(journal, 0), 0);
        cr_assert_eq(pdr_poll(journal, 20), 0);
        pdr_journal_close(journal);
    }
}

Test(loops, an_ask_that_times_out_can_be_asked_again_with_its_id)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal;
    cr_assert_eq(pdr_journal_open(&journal, &options, NULL), PDR_OK);
    bank_deposit deposit = {3};
    pdr_request_spec spec = bank_deposit_spec("account/late", &deposit);
    pdr_answered answer, again;
    pdr_error err;
    cr_assert_eq(pdr_ask(journal, &spec, 0, &answer, &err), PDR_TIMEOUT, "nothing serves yet");
    cr_assert_eq(answer.code, PDR_TIMEOUT);
    cr_assert_eq(answer.id_size, 16);
    spec.id = pdr_bytes_of(answer.id, answer.id_size);
    cr_assert_eq(pdr_ask(journal, &spec, 120000, &again, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(again.seq, 1);
    cr_assert_eq(bank_balance(journal, "account/late", NULL), 3, "once");
    pdr_journal_close(journal);
}

Test(loops, waiting_names_what_is_missing)
{
    pdr_options options = bank_options(&dir, 0);
    pdr_journal *journal;
    cr_assert_eq(pdr_journal_open(&journal, &options, NULL), PDR_OK);
    pdr_error err;
    cr_assert_eq(pdr_journal_wait(journal, 0, &err), PDR_TIMEOUT);
    cr_assert(strstr(err.message, "partition "), "%s", err.message);
    cr_assert_eq(pdr_journal_wait(journal, 120000, &err), PDR_OK);
    pdr_journal_close(journal);
}

/* --- closing while other threads wait --- */

typedef struct blocked {
    pdr_journal *journal;
    pdr_code code;
    int kind;
    pthread_t thread;
} blocked;

static void *wait_in_a_call(void *context)
{
    blocked *b = context;
    pdr_answered answer;
    if (b->kind == 0)
        b->code = bank_ask_deposit(b->journal, "account/blocked", 1, &answer);
    else if (b->kind == 1)
        b->code = pdr_journal_drain(b->journal, 60000, NULL);
    else
        b->code = pdr_poll(b->journal, -1) == 0 ? PDR_CLOSED : PDR_OK;
    return NULL;
}

/* The file's write lock is held by somebody else, so nothing is acknowledged and everything waits. */
Test(loops, calls_that_wait_in_other_threads_end_when_the_journal_is_closed)
{
    if (bank_on_servers()) return; /* there is no such lock there */
    const pdr_setting settings[] = {{"close.timeout.ms", "50"}};
    for (unsigned workers = 0; workers <= 1; workers++) {
        pdr_options options = bank_options(&dir, workers);
        options.settings = settings;
        options.setting_count = 1;
        pdr_journal *journal = bank_open(&options);
        sqlite3 *other;
        cr_assert_eq(sqlite3_open(dir.url + strlen("sqlite:"), &other), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        blocked calls[3];
        for (int kind = 0; kind < 3; kind++) {
            calls[kind] = (blocked){journal, PDR_OK, kind, 0};
            cr_assert_eq(pthread_create(&calls[kind].thread, NULL, wait_in_a_call, &calls[kind]), 0);
            pdr_stats stats = {0};
            while (stats.open_commands == 0) /* the ask is under way before the others begin */
                pdr_journal_stats(journal, &stats);
        }
        while (atomic_load(&journal->blocked) < 3) /* none may begin on a journal that is closed */
            poll(NULL, 0, 1);
        pdr_journal_close(journal);
        for (int kind = 0; kind < 3; kind++)
            cr_assert_eq(pthread_join(calls[kind].thread, NULL), 0);
        cr_assert(calls[0].code == PDR_UNKNOWN_OUTCOME || calls[0].code == PDR_CANCELLED, "%s",
                  pdr_code_name(calls[0].code));
        cr_assert_eq(calls[1].code, PDR_CLOSED);
        cr_assert_eq(calls[2].code, PDR_CLOSED);
        cr_assert_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        cr_assert_eq(sqlite3_close(other), SQLITE_OK);
    }
}
