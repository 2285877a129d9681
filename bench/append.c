/* Append with replies: decide, encode, append, acknowledge; 100,000 entities, 8 partitions, about 100-byte
 * events, thousands in flight. */
#include "lines.h"

#include "bare.h"
#include "journals.h"

enum { ENTITIES = 100000, PARTITIONS = 8, WINDOW = 10000 };
static const uint64_t PAUSED_COUNT = 3000000, CHECKPOINTED_COUNT = 8000000;

static double bare_arm(const bench_run *run, uint64_t count)
{
    char topic[100];
    static int made;
    snprintf(topic, sizeof topic, "bare-%d-%d", (int)getpid(), ++made);
    bare_kafka_create(run->kafka, topic, PARTITIONS);
    bench_settle();
    double rate = bare_kafka_append(run->kafka, topic, PARTITIONS, count, ENTITIES, WINDOW, BENCH_LINGER_MS);
    bare_kafka_delete(run->kafka, topic);
    return rate;
}

static double our_arm(const bench_run *run, uint64_t count, const char *checkpointing, uint64_t *longest_tail)
{
    bench_journal j;
    pdr_stats stats;
    pdr_setting settings[] = {{"kafka.linger.ms", BENCH_LINGER_MS}, {"checkpointing", checkpointing}};
    bench_journal_make(&j, run, false, PARTITIONS);
    bench_journal_open(&j, settings, 2);
    bench_send(&j, ENTITIES, ENTITIES, WINDOW, 0); /* all are resident: activation has lines of its own */
    bench_settle();
    double rate = bench_send(&j, count, ENTITIES, WINDOW, 0);
    pdr_journal_stats(j.journal, &stats);
    *longest_tail = stats.longest_tail;
    bench_journal_drop(&j, run);
    return rate;
}

static void pair(const bench_run *run, int round, uint64_t count, const char *checkpointing, double *ours,
                 double *bare)
{
    uint64_t tail;
    if (round == 0) count = 500000;
    if (round % 2) *bare = bare_arm(run, count);
    *ours = our_arm(run, count, checkpointing, &tail);
    if (round % 2 == 0) *bare = bare_arm(run, count);
    if (round == run->pairs) bench_note(run, "the longest tail left: %llu records", (unsigned long long)tail);
}

void bench_append(const bench_run *run, int round, double *ours, double *bare)
{
    pair(run, round, CHECKPOINTED_COUNT, "true", ours, bare);
}

void bench_append_paused(const bench_run *run, int round, double *ours, double *bare)
{
    pair(run, round, PAUSED_COUNT, "false", ours, bare);
}
