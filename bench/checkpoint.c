/* Saving 100,000 dirty entities, against unnest upserts of the same rows. */
#include "lines.h"

#include "bare_postgres.h"
#include "saved.h"

enum { BATCH = 2000 };

static double our_arm(const bench_run *run)
{
    bench_journal j = *bench_saved(run);
    pdr_error err;
    pdr_setting settings[] = {{"checkpointing", "false"}};
    bench_journal_open(&j, settings, 1);
    bench_send(&j, BENCH_SAVED_ENTITIES, BENCH_SAVED_ENTITIES, 20000, 0);
    bench_settle();
    double start = bench_now();
    bench_must(pdr_journal_drain(j.journal, 120000, &err), &err, "drain");
    double seconds = bench_now() - start;
    bench_journal_close(&j);
    return BENCH_SAVED_ENTITIES / seconds;
}

void bench_checkpoint(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    *ours = our_arm(run);
    *bare = bare_postgres_upsert(run->postgres, bench_schema(bench_saved(run)), BENCH_SAVED_ENTITIES, BATCH);
}
