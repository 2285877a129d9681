#include "run_program.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

void bench_run_program(char *const words[], bool one_core, char *out, size_t room)
{
    int ends[2], status;
    size_t got = 0;
    if (pipe(ends)) bench_die("no pipe", NULL);
    pid_t child = fork();
    if (child == 0) {
        cpu_set_t core;
        CPU_ZERO(&core);
        CPU_SET(0, &core);
        if (one_core && sched_setaffinity(0, sizeof core, &core)) _exit(1);
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(words[0], words);
        _exit(1);
    }
    close(ends[1]);
    for (ssize_t n = 1; n > 0 && got + 1 < room; got += n > 0 ? (size_t)n : 0)
        n = read(ends[0], out + got, room - 1 - got);
    out[got] = '\0';
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || status) bench_die(words[0], NULL);
}
