#include "run_program.h"

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

/* Not by fork: it copies the page tables of a process that holds a benchmark's memory, which takes longer
 * than some commands do. */
static pid_t start(char *const words[], int out)
{
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (posix_spawn(&child, words[0], &actions, NULL, words, environ)) child = -1;
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

static void stay_on_one_core(pid_t child)
{
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(0, &core);
    if (sched_setaffinity(child, sizeof core, &core)) bench_die("no core of its own", NULL);
}

void bench_run_program(char *const words[], bool one_core, char *out, size_t room)
{
    int ends[2], status;
    size_t got = 0;
    if (pipe2(ends, O_CLOEXEC)) bench_die("no pipe", NULL);
    pid_t child = start(words, ends[1]);
    if (child > 0 && one_core) stay_on_one_core(child);
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && got + 1 < room; got += n > 0 ? (size_t)n : 0)
        n = read(ends[0], out + got, room - 1 - got);
    out[got] = '\0';
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || status) bench_die(words[0], NULL);
}
