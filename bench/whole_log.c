/* perdure replay of the loans' history, many times over, against a consumer that does nothing with it. */
#include "lines.h"

#include <sys/resource.h>

#include "bare.h"
#include "run_program.h"
#include "scaled.h"

enum { OUTPUT = 256 * 1024 };

/* Of processes that have ended. */
static double cpu_of_children(void)
{
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* From the start of the command to its end. */
static double our_arm(const bench_run *run)
{
    static char out[OUTPUT];
    char expected[64];
    const bench_scaled *s = bench_scaled_loans(run);
    char *words[] = {(char *)BENCH_PERDURE, (char *)"replay",
                     (char *)"--journal",   (char *)s->journal.log,
                     (char *)"--store",     (char *)s->journal.store,
                     (char *)"--app",       (char *)BENCH_LOANS_APP,
                     (char *)"--json",      NULL};
    bench_settle();
    double cpu = cpu_of_children(), start = bench_now();
    bench_run_program(words, false, out, sizeof out);
    double seconds = bench_now() - start;
    (void)snprintf(expected, sizeof expected, "\"finished\":true,\"events\":%llu,",
                   (unsigned long long)s->events);
    if (!strstr(out, expected)) bench_die("replay didn't fold what was written", NULL);
    fprintf(stderr, "  ours: %.2f us of CPU an event\n", (cpu_of_children() - cpu) * 1e6 / (double)s->events);
    return (double)s->events / seconds;
}

void bench_replay(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    *ours = our_arm(run);
    const bench_scaled *s = bench_scaled_loans(run);
    bench_settle();
    *bare = bare_kafka_consume_all(run->kafka, s->journal.topic, s->journal.partitions, s->events);
}

void bench_replay_rate(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    *ours = our_arm(run);
}
