/* perdure schema check on one core, over the loans' log as three versions of the example wrote it: every
 * event is decoded, two thirds of them are upcast where their version changed. */
#include "lines.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "journals.h"

enum { ROWS = 262200, OUTPUT = 256 * 1024 };

/* Run a program, on one core if that is asked for; its standard output. */
static void run_program(char *const words[], bool one_core, char *out, size_t room)
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

static void load(const bench_journal *j, const char *program, int rows, char *out)
{
    char number[16];
    snprintf(number, sizeof number, "%d", rows);
    char *words[] = {(char *)program,  (char *)"--journal",    (char *)j->log, (char *)"--store",
                     (char *)j->store, (char *)"--stop-after", number,         NULL};
    run_program(words, false, out, OUTPUT);
}

/* A third of the rows by each version; made once. */
static const bench_journal *history(const bench_run *run, bool sqlite, char *out)
{
    static bench_journal made[2];
    bench_journal *j = &made[sqlite];
    if (j->log[0]) return j;
    bench_journal_make(j, run, sqlite, 8);
    load(j, BENCH_LOANS_LOAD_V1, ROWS / 3, out);
    load(j, BENCH_LOANS_LOAD_V2, ROWS / 3 * 2, out);
    load(j, BENCH_LOANS_LOAD, ROWS, out);
    return j;
}

static double number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (!at) bench_die("the report lacks a number", NULL);
    return strtod(at + strlen(key), NULL);
}

/* Of processes that have ended. */
static double cpu_of_children(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Events for each second that the process kept one core busy, its start, its client and its look at the
 * snapshots included: a log as short as this is read before the clock has much to say. */
static void measure(const bench_run *run, bool sqlite, double *ours)
{
    static char out[OUTPUT];
    const bench_journal *j = history(run, sqlite, out);
    char *words[] = {(char *)BENCH_PERDURE,   (char *)"schema", (char *)"check",
                     (char *)"--journal",     (char *)j->log,   (char *)"--app",
                     (char *)BENCH_LOANS_APP, (char *)"--json", NULL};
    double before = cpu_of_children();
    run_program(words, true, out, sizeof out);
    if (number_after(out, "\"events\":") != ROWS || !strstr(out, "\"readable\":true"))
        bench_die("schema check didn't read what was written", NULL);
    *ours = ROWS / (cpu_of_children() - before);
    bench_note(run, "%.0f events/s by the clock", ROWS / number_after(out, "\"seconds\":"));
}

void bench_schema_check(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    measure(run, true, ours);
}

void bench_schema_check_kafka(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    measure(run, false, ours);
}
