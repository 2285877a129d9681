/* One ask in flight, on the caller's thread, against produce-and-wait-for-the-report. */
#include "lines.h"

#include "bare.h"
#include "journals.h"

enum { ASKS = 5000 };

static double our_arm(const bench_run *run)
{
    bench_journal j;
    pdr_error err;
    double *us = calloc(ASKS, sizeof *us);
    bench_add add = {.amount = 7, .note = pdr_string_of(BENCH_NOTE)};
    pdr_request_spec spec = {.entity = pdr_string_of("acct/0"), .type = &bench_add_type, .command = &add};
    pdr_answered answered;
    bench_journal_make(&j, run, false, 1);
    bench_journal_open(&j, NULL, 0);
    bench_settle();
    for (int i = 0; i < ASKS + 100; i++) {
        double start = bench_now();
        bench_must(pdr_ask(j.journal, &spec, 10000, &answered, &err), &err, "ask");
        if (i >= 100) us[i - 100] = (bench_now() - start) * 1e6;
    }
    double p50 = bench_percentile(us, ASKS, 0.5);
    free(us);
    bench_journal_drop(&j, run);
    return p50;
}

static double bare_arm(const bench_run *run)
{
    char topic[100];
    static int made;
    double *us = calloc(ASKS, sizeof *us);
    snprintf(topic, sizeof topic, "bare-ask-%d-%d", (int)getpid(), ++made);
    bare_kafka_create(run->kafka, topic, 1);
    bench_settle();
    bare_kafka_ask(run->kafka, topic, ASKS, us);
    bare_kafka_delete(run->kafka, topic);
    double p50 = bench_percentile(us, ASKS, 0.5);
    free(us);
    return p50;
}

void bench_ask(const bench_run *run, int round, double *ours, double *bare)
{
    if (round % 2) *bare = bare_arm(run);
    *ours = our_arm(run);
    if (round % 2 == 0) *bare = bare_arm(run);
}
