/* perdure schema check on one core, over the loans' log as three versions of the example wrote it: every
 * event is decoded, two thirds of them are upcast where their version changed. */
#include "lines.h"

#include <sys/resource.h>

#include "journals.h"
#include "run_program.h"

enum { ROWS = 262200, OUTPUT = 256 * 1024 };

static void load(const bench_journal *j, const char *program, int rows, char *out)
{
    char number[16];
    snprintf(number, sizeof number, "%d", rows);
    char *words[] = {(char *)program,  (char *)"--journal",    (char *)j->log, (char *)"--store",
                     (char *)j->store, (char *)"--stop-after", number,         NULL};
    bench_run_program(words, false, out, OUTPUT);
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
    bench_run_program(words, true, out, sizeof out);
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
