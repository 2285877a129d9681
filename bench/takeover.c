/* Takeover with 1,000,000 events since the checkpoint, from the claim to the first acknowledged command,
 * against bare consumption of them. */
#include "lines.h"

#include <sys/wait.h>

#include "bare.h"
#include "journals.h"

static const uint64_t COUNT = 1000000;
enum { ENTITIES = 100000, WINDOW = 50000 };

/* A partition whose owner appended them and never saved, made once. */
static bench_journal *tail(const bench_run *run)
{
    static bench_journal j;
    if (j.log[0]) return &j;
    /* checkpointing off, and a process that ends without a close: nothing is saved. */
    bench_journal_make(&j, run, false, 1);
    pid_t child = fork();
    if (child == 0) {
        pdr_setting settings[] = {
            {"kafka.linger.ms", "5"}, {"checkpointing", "false"}, {"scan.limit", "100000000"}};
        bench_journal_open(&j, settings, 3);
        bench_send(&j, COUNT, ENTITIES, WINDOW, 0);
        _exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status) bench_die("making the tail failed", NULL);
    return &j;
}

/* Seconds from the claim, which begins when the opened journal is first driven, to the first acknowledged
 * command. */
static double our_arm(const bench_run *run)
{
    bench_journal j = *tail(run);
    pdr_error err;
    pdr_answered answered;
    pdr_setting settings[] = {
        {"checkpointing", "false"}, {"scan.limit", "100000000"}, {"close.timeout.ms", "0"}};
    bench_add add = {.amount = 7, .note = pdr_string_of(BENCH_NOTE)};
    pdr_request_spec spec = {.entity = pdr_string_of("acct/1"), .type = &bench_add_type, .command = &add};
    pdr_options options = bench_journal_options(&j);
    options.settings = settings;
    options.setting_count = 3;
    bench_must(pdr_journal_open(&j.journal, &options, &err), &err, "open");
    bench_settle();
    double start = bench_now(), cpu = bench_cpu();
    bench_must(pdr_journal_wait(j.journal, 60000, &err), &err, "wait");
    bench_must(pdr_ask(j.journal, &spec, 30000, &answered, &err), &err, "ask");
    double seconds = bench_now() - start;
    fprintf(stderr, "  ours: %.2f us of CPU an event\n", (bench_cpu() - cpu) * 1e6 / (double)COUNT);
    bench_journal_close(&j);
    return seconds;
}

void bench_takeover_seconds(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    *ours = our_arm(run);
}

void bench_takeover(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    *ours = (double)COUNT / our_arm(run);
    bench_settle();
    *bare = bare_kafka_consume(run->kafka, tail(run)->topic, COUNT);
}
