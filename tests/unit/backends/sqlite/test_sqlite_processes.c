/* Several processes on one file, and a process that is killed. */
#include "tests/unit/backends/sqlite/sqlite_rig.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(sqlite_processes, .init = rig_init, .fini = rig_release);

/* --- a process that appends: no Criterion in it --- */

typedef struct child_state {
    size_t reported;
    int64_t last_offset;
    int pipe; /* tells how much was reported; -1: nobody */
} child_state;

static void child_reports(void *context, const pdr_log_report *reports, size_t count)
{
    child_state *state = context;
    for (size_t i = 0; i < count; i++) {
        if (reports[i].code != PDR_OK || reports[i].offset <= state->last_offset) _exit(10);
        state->last_offset = reports[i].offset;
    }
    state->reported += count;
    if (state->pipe >= 0 && write(state->pipe, &state->last_offset, sizeof state->last_offset) < 0) _exit(11);
}

static void child_broken(void *context, const pdr_error *error)
{
    (void)context;
    (void)error;
    _exit(12);
}

static void child_turn(pdr_log *log)
{
    struct pollfd fds[4];
    int64_t due;
    if (log->ops->poll(log)) return;
    int count = log->ops->wait_on(log, fds, 4, &due);
    if (due > 50000) due = 50000;
    poll(fds, (nfds_t)count, (int)((due + 999) / 1000));
}

/* Append `count` records in groups of `group`; never returns. */
static void child_append(size_t count, size_t group, int pipe)
{
    static const pdr_log_writer_events events = {.reports = child_reports, .broken = child_broken};
    child_state state = {.last_offset = -1, .pipe = pipe};
    pdr_log *log;
    pdr_log_writer *writer;
    if (pdr_sqlite_log_open(&log, rig_file, NULL) != PDR_OK) _exit(1);
    if (log->ops->writer_open(log, 0, &events, &state, &writer, NULL) != PDR_OK) _exit(2);
    int64_t me = getpid();
    for (size_t sent = 0; sent < count;) {
        for (size_t i = 0; i < group; i++, sent++) {
            char value[24];
            int size = snprintf(value, sizeof value, "%012zu", sent);
            pdr_log_entry entry = {.key = pdr_bytes_of(&me, sizeof me),
                                   .value = pdr_bytes_of(value, (size_t)size)};
            if (log->ops->append(writer, &entry, sent, NULL) != PDR_OK) _exit(3);
        }
        while (state.reported < sent)
            child_turn(log);
    }
    log->ops->writer_close(writer);
    log->ops->close(log);
    _exit(0);
}

static pid_t start(size_t count, size_t group, int pipe)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) child_append(count, group, pipe);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return status;
}

Test(sqlite_processes, appends_of_three_processes_never_share_an_offset_and_keep_their_orders)
{
    enum { EACH = 600 };
    rig_log_create(1);
    pid_t pids[3];
    for (int i = 0; i < 3; i++)
        pids[i] = start(EACH, i == 0 ? 1 : 60, -1);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(wait_for(pids[i]), 0);
    rig_log rig;
    rig_log_open(&rig);
    cr_assert_eq(rig_log_count(&rig), 3 * EACH);
    rig_log_close(&rig);
    /* Of each process every record once, in its order. */
    cr_assert_eq(rig_integer("SELECT count(*) FROM (SELECT DISTINCT key, value FROM record_0)"), 3 * EACH);
    cr_assert_eq(
        rig_integer("SELECT count(*) FROM (SELECT value, lag(value) OVER (PARTITION BY key ORDER BY offset) "
                    "AS before FROM record_0) WHERE value <= before"),
        0);
}

/* The newest offset that the child said was reported, read until the pipe's end. */
static int64_t last_told(int pipe)
{
    int64_t offset = -1, last = -1;
    while (read(pipe, &offset, sizeof offset) == (ssize_t)sizeof offset)
        last = offset;
    return last;
}

Test(sqlite_processes, everything_reported_before_a_kill_is_there_and_the_next_process_goes_on)
{
    rig_log_create(1);
    int64_t known = -1;
    for (int round = 0; round < 10; round++) {
        int pipes[2];
        cr_assert_eq(pipe(pipes), 0);
        pid_t pid = start(100000000, 50, pipes[1]);
        close(pipes[1]);
        int64_t offset;
        for (int i = 0; i < 3 + round; i++)
            cr_assert_eq(read(pipes[0], &offset, sizeof offset), (ssize_t)sizeof offset);
        cr_assert_eq(kill(pid, SIGKILL), 0);
        int status = wait_for(pid);
        cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the child ended by itself: %d",
                  status);
        int64_t last = last_told(pipes[0]);
        close(pipes[0]);
        if (last < offset) last = offset;
        cr_assert_gt(last, known);
        known = last;
        rig_log rig;
        rig_log_open(&rig);
        size_t count = rig_log_count(&rig);
        cr_assert_geq((int64_t)count, known + 1);
        /* A killed group is there whole or not at all. */
        cr_assert_eq(count % 50, 0);
        rig_log_close(&rig);
        known = (int64_t)count - 1;
    }
    cr_assert_eq(rig_integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
}

Test(sqlite_processes, a_reader_follows_another_process)
{
    rig_log_create(1);
    int pipes[2];
    cr_assert_eq(pipe(pipes), 0);
    pid_t pid = start(100000000, 10, pipes[1]);
    close(pipes[1]);
    rig_log rig;
    rig_log_open(&rig);
    size_t count = 0;
    for (int i = 0; i < 20; i++) {
        int64_t offset;
        cr_assert_eq(read(pipes[0], &offset, sizeof offset), (ssize_t)sizeof offset);
        count = rig_log_count(&rig);
        cr_assert_gt((int64_t)count, offset);
    }
    cr_assert_eq(kill(pid, SIGKILL), 0);
    wait_for(pid);
    close(pipes[0]);
    rig_log_close(&rig);
}
