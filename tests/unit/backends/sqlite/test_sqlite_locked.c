/* Another process holds the file's lock: nothing fails at once, nothing blocks, and people are told who it
 * is. */
#include "backends/sqlite/sqlite_log_internal.h"
#include "backends/sqlite/sqlite_store_internal.h"
#include "tests/unit/backends/sqlite/sqlite_rig.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(sqlite_locked, .init = rig_init, .fini = rig_release);

/* A child that holds the write lock until it is killed. Made before this process opens the file: SQLite's
 * connections don't survive a fork. */
static pid_t child;
static int child_go, child_says;

static void hold_lock(int go, int says)
{
    char byte;
    sqlite3 *db;
    if (read(go, &byte, 1) != 1 || sqlite3_open(rig_file, &db) != SQLITE_OK) _exit(1);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) _exit(2);
    if (write(says, "x", 1) != 1) _exit(3);
    for (;;)
        pause();
}

static void make_child(void)
{
    int go[2], says[2];
    cr_assert_eq(pipe(go), 0);
    cr_assert_eq(pipe(says), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        close(go[1]);
        hold_lock(go[0], says[1]);
    }
    close(go[0]);
    close(says[1]);
    child_go = go[1];
    child_says = says[0];
}

static void let_child_lock(void)
{
    char byte;
    cr_assert_eq(write(child_go, "x", 1), 1);
    cr_assert_eq(read(child_says, &byte, 1), 1);
}

static void kill_child(void)
{
    int status;
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
}

Test(sqlite_locked, appends_wait_for_the_lock_and_people_are_told_who_holds_it)
{
    make_child();
    rig_log_create(1);
    rig_log rig;
    rig_log_open(&rig);
    rig_log_append(&rig, 10);
    rig_log_wait(&rig, 1);
    let_child_lock();
    rig_log_append(&rig, 10);
    rig_log_append(&rig, 10);
    sqlite_log *log = (sqlite_log *)rig.log;
    const int64_t hour_us =
        INT64_C(3600000000); /* for a while, however slow the machine is, no second goes by */
    cr_assert_eq(rig.log->ops->poll(rig.log), 0);
    cr_assert_gt(log->wait.since_us, 0);
    log->wait.since_us += hour_us;
    for (int i = 0; i < 100; i++)
        cr_assert_eq(rig.log->ops->poll(rig.log), 0);
    cr_assert_eq(rig.reported, 1);
    cr_assert_eq(rig.told, 0);
    /* As if a second had gone by. */
    log->wait.since_us -= hour_us + 1500000;
    log->wait.retry_us = 0;
    cr_assert_eq(rig.log->ops->poll(rig.log), 0);
    cr_assert_eq(rig.told, 1);
    char holder[40];
    snprintf(holder, sizeof holder, "process %d ", (int)child);
    cr_assert_not_null(strstr(rig.message, rig_file), "%s", rig.message);
    cr_assert_not_null(strstr(rig.message, holder), "%s", rig.message);
    /* Reading needs no lock. */
    cr_assert_eq(rig_log_count(&rig), 1);
    kill_child();
    rig_log_wait(&rig, 3);
    cr_assert_eq(rig.failed, 0);
    cr_assert_eq(rig.last_offset, 2);
    cr_assert_eq(rig.told, 2);
    cr_assert_not_null(strstr(rig.message, "over"), "%s", rig.message);
    rig_log_close(&rig);
}

Test(sqlite_locked, a_renewed_writer_waits_for_nothing_any_more)
{
    make_child();
    rig_log_create(1);
    rig_log rig;
    rig_log_open(&rig);
    let_child_lock();
    rig_log_append(&rig, 10);
    rig.log->ops->poll(rig.log);
    cr_assert_eq(rig.log->ops->writer_renew(rig.writer, NULL), PDR_OK);
    kill_child();
    for (int i = 0; i < 100; i++)
        rig.log->ops->poll(rig.log);
    cr_assert_eq(rig.reported, 0);
    cr_assert_eq(rig_log_count(&rig), 0);
    rig_log_close(&rig);
}

typedef struct outcome {
    size_t times;
    pdr_error error;
} outcome;

static void on_done(void *context, uint64_t tag, const pdr_store_result *result)
{
    outcome *o = context;
    (void)tag;
    o->times++;
    if (result->error) o->error = *result->error;
}

static pdr_store *ready_store(void)
{
    pdr_store *store;
    pdr_store_meta meta = {.journal_id = {1}, .partitions = 2};
    cr_assert_eq(pdr_sqlite_store_open(&store, rig_file, NULL), PDR_OK);
    cr_assert_eq(store->ops->init(store, &meta, 60000, NULL), PDR_OK);
    return store;
}

static void submit_claim(pdr_store *store, outcome *o)
{
    pdr_claim claim = {.term = {7, 7}, .address = pdr_bytes_of("here", 4)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, on_done, o, 0, NULL), PDR_OK);
}

Test(sqlite_locked, a_claim_waits_for_the_lock)
{
    make_child();
    pdr_store *store = ready_store();
    outcome o = {0};
    let_child_lock();
    submit_claim(store, &o);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(store->ops->poll(store), 0);
    kill_child();
    while (!o.times)
        store->ops->poll(store);
    cr_assert_eq(o.error.code, PDR_OK);
    store->ops->close(store);
}

Test(sqlite_locked, after_some_seconds_what_waits_fails_as_locked)
{
    make_child();
    pdr_store *store = ready_store();
    outcome first = {0}, second = {0};
    let_child_lock();
    submit_claim(store, &first);
    submit_claim(store, &second);
    cr_assert_eq(store->ops->poll(store), 0);
    sqlite_store *inner = (sqlite_store *)store;
    inner->wait.since_us -= STORE_LOCKED_US;
    inner->wait.retry_us = 0;
    cr_assert_eq(store->ops->poll(store), 2);
    cr_assert_eq(first.error.code, PDR_LOCKED);
    cr_assert_eq(second.error.code, PDR_LOCKED);
    kill_child();
    outcome third = {0};
    submit_claim(store, &third);
    while (!third.times)
        store->ops->poll(store);
    cr_assert_eq(third.error.code, PDR_OK);
    store->ops->close(store);
}
