/* Cold activation: a read of an entity that isn't in memory costs one look-up. */
#include "lines.h"

#include "bare_postgres.h"
#include "saved.h"

enum { SINGLE = 3000, BATCHED = 60000, BATCH = 1000 };

static double our_single(const bench_run *run, uint32_t first)
{
    bench_journal j = *bench_saved(run);
    double *us = calloc(SINGLE, sizeof *us);
    char key[32];
    pdr_error err;
    pdr_arena arena = PDR_ARENA_INIT(1 << 20);
    bench_journal_open(&j, NULL, 0);
    bench_settle();
    for (uint32_t i = 0; i < SINGLE; i++) {
        bench_counter state;
        uint64_t seq;
        snprintf(key, sizeof key, "acct/%u", first + i);
        pdr_arena_clear(&arena);
        double start = bench_now();
        bench_must(pdr_read_state(j.journal, key, true, 10000, &arena, &state, &seq, &err), &err, "read");
        us[i] = (bench_now() - start) * 1e6;
        if (seq < 3) bench_die("an entity came back wrong", NULL);
    }
    double p50 = bench_percentile(us, SINGLE, 0.5);
    free(us);
    pdr_arena_release(&arena);
    bench_journal_close(&j);
    return p50;
}

void bench_activation(const bench_run *run, int round, double *ours, double *bare)
{
    uint32_t first = (uint32_t)round * SINGLE * 2;
    double *us = calloc(SINGLE, sizeof *us);
    *ours = our_single(run, first);
    bench_settle();
    bare_postgres_select_one(run->postgres, bench_schema(bench_saved(run)), first + SINGLE, SINGLE, us);
    *bare = bench_percentile(us, SINGLE, 0.5);
    free(us);
}

typedef struct reads {
    uint64_t done;
} reads;

static void on_read(void *context, const pdr_reply *reply)
{
    reads *r = context;
    if (reply->code != PDR_OK || reply->seq < 3) bench_die("an entity came back wrong", reply->error);
    r->done++;
}

static double our_batched(const bench_run *run)
{
    bench_journal j = *bench_saved(run);
    pdr_error err;
    reads r = {0};
    char key[32];
    bench_journal_open(&j, NULL, 0);
    bench_settle();
    double start = bench_now();
    for (uint32_t i = 0; i < BATCHED; i++) {
        int size = snprintf(key, sizeof key, "acct/%u", i);
        bench_must(pdr_read(j.journal, (pdr_string){key, (size_t)size}, true, on_read, &r, &err), &err,
                   "read");
        if (i % 4000 == 3999) pdr_poll(j.journal, 0);
    }
    while (r.done < BATCHED)
        pdr_poll(j.journal, 100);
    double seconds = bench_now() - start;
    bench_journal_close(&j);
    return BATCHED / seconds;
}

void bench_activation_batched(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    *ours = our_batched(run);
    bench_settle();
    *bare = bare_postgres_select_batches(run->postgres, bench_schema(bench_saved(run)), 0, BATCHED, BATCH);
}
