#include "cli/log_walk.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "cli/common.h"
#include "replay/scan.h"

typedef struct state {
    const pdr_log_walk *walk;
    int64_t began_us;
    pdr_error failure; /* why a partition can't be read; code PDR_OK: none */
    atomic_bool lost;
} state;

static pdr_code took_record(void *context, unsigned thread, int32_t partition, const pdr_log_record *record,
                            pdr_error *err)
{
    (void)thread;
    const state *s = context;
    return s->walk->record(s->walk->context, partition, record, err);
}

static void ended(void *context, unsigned thread, int32_t partition, int64_t end)
{
    (void)context;
    (void)thread;
    (void)partition;
    (void)end;
}

/* One that can't be read ends the walk. */
static void lost(void *context, unsigned thread, int32_t partition, const pdr_error *why)
{
    (void)thread;
    (void)partition;
    state *s = context;
    if (s->failure.code == PDR_OK) s->failure = *why;
    atomic_store(&s->lost, true);
}

static bool watch(void *context, const pdr_scan_progress *p)
{
    const state *s = context;
    double seconds = (double)(pdr_mono_us() - s->began_us) / 1e6;
    double rate = seconds > 0 ? (double)p->done / seconds : 0;
    double left = rate > 0 ? (double)(p->total - p->done) / rate : 0;
    pdr_cli_progress("%s: %" PRId64 " of %" PRId64
                     " records, %d of %d partitions done, %.0f records/s, %.0f s left",
                     s->walk->doing, p->done, p->total, (int)p->partitions_done, (int)p->partitions, rate,
                     left > 0 ? left : 0);
    return atomic_load(&s->lost);
}

static const pdr_scan_raw raw = {took_record, ended, lost};

pdr_code pdr_log_walk_run(const pdr_log_walk *walk, pdr_error *err)
{
    state s = {.walk = walk, .began_us = pdr_mono_us()};
    pdr_scan_spec spec = {.raw = &raw, .context = &s, .watch = watch, .timeout_ms = walk->timeout_ms};
    pdr_code code = pdr_scan_log(walk->log, walk->partitions, &spec, err);
    if (s.failure.code == PDR_OK) return code;
    if (err) *err = s.failure;
    return s.failure.code;
}
