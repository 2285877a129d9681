/* One hot entity with 64 commands in flight, against one partition with 64 records in flight. */
#include "lines.h"

#include "bare.h"
#include "journals.h"

enum { WINDOW = 64 };
static const uint64_t COUNT = 500000;

static double our_arm(const bench_run *run)
{
    bench_journal j;
    bench_journal_make(&j, run, false, 1);
    bench_journal_open(&j, NULL, 0);
    bench_send(&j, 1000, 1, WINDOW, 0);
    bench_settle();
    double rate = bench_send(&j, COUNT, 1, WINDOW, 0);
    bench_journal_drop(&j, run);
    return rate;
}

static double bare_arm(const bench_run *run)
{
    char topic[100];
    static int made;
    snprintf(topic, sizeof topic, "bare-hot-%d-%d", (int)getpid(), ++made);
    bare_kafka_create(run->kafka, topic, 1);
    bench_settle();
    double rate = bare_kafka_append(run->kafka, topic, 1, COUNT, 1, WINDOW, "0");
    bare_kafka_delete(run->kafka, topic);
    return rate;
}

void bench_hot(const bench_run *run, int round, double *ours, double *bare)
{
    if (round % 2) *bare = bare_arm(run);
    *ours = our_arm(run);
    if (round % 2 == 0) *bare = bare_arm(run);
}
