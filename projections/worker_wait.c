/* Waiting until a worker has passed what was in the log. */
#include "base/clock.h"
#include "base/mem.h"
#include "projections/worker_core.h"

pdr_code pdr_worker_ends(const pdr_worker *worker, int64_t *ends, int timeout_ms, pdr_error *err)
{
    pdr_log *log;
    size_t count = (size_t)worker->partitions;
    int32_t *all = pdr_calloc(count, sizeof *all);
    if (!all) return pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    for (size_t i = 0; i < count; i++)
        all[i] = (int32_t)i;
    pdr_code code = pdr_backends_log_open(&worker->plan.backends, &log, err);
    if (code == PDR_OK) {
        code = pdr_log_ends_read(log, all, count, timeout_ms, ends, err);
        log->ops->close(log);
    }
    pdr_free(all);
    return code;
}

static bool has_passed(const pdr_runner *r, const int64_t *ends)
{
    if (!r->shown.assigned) return false;
    for (size_t i = 0; i < r->shown.partition_count; i++)
        if (r->shown.partitions[i].passed < ends[r->shown.partitions[i].partition]) return false;
    return true;
}

/* PDR_BUSY: not yet. */
static pdr_code look(const pdr_worker *worker, const int64_t *ends, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < worker->runner_count; i++) {
        const pdr_runner *r = &worker->runners[i];
        if (r->shown.numbers.state == PDR_PROJECTOR_STOPPED) {
            if (err) *err = r->shown.numbers.error;
            code = r->shown.numbers.error.code;
            return pdr_fail_context(err, code, "projection %s v%u stopped", r->projection->name,
                                    r->projection->version);
        }
        if (!has_passed(r, ends)) code = PDR_BUSY;
    }
    return code;
}

static pdr_code say_late(const pdr_worker *worker, int timeout_ms, pdr_error *err)
{
    for (size_t i = 0; i < worker->runner_count; i++) {
        const pdr_runner *r = &worker->runners[i];
        if (r->shown.lag_events == 0) continue;
        const char *why = r->shown.numbers.error.code == PDR_OK ? "" : r->shown.numbers.error.message;
        return pdr_fail(err, PDR_TIMEOUT, "projection %s v%u is behind after %d ms%s%s", r->projection->name,
                        r->projection->version, timeout_ms, *why ? "; its last failure: " : "", why);
    }
    return pdr_fail(err, PDR_TIMEOUT, "not caught up after %d ms", timeout_ms);
}

pdr_code pdr_worker_pass(pdr_worker *worker, const int64_t *ends, int timeout_ms, pdr_error *err)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    bool in_time = true;
    pdr_code code;
    pthread_mutex_lock(&worker->lock);
    while ((code = look(worker, ends, err)) == PDR_BUSY && in_time)
        in_time = pdr_cond_wait_until(&worker->changed, &worker->lock, until);
    if (code == PDR_BUSY) code = say_late(worker, timeout_ms, err);
    pthread_mutex_unlock(&worker->lock);
    return code;
}

pdr_code pdr_worker_catch_up(pdr_worker *worker, int timeout_ms, pdr_error *err)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    if (!worker) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the worker is NULL");
    int64_t *ends = pdr_calloc((size_t)worker->partitions, sizeof *ends);
    if (!ends) return pdr_fail(err, PDR_NOMEM, "%d partitions", (int)worker->partitions);
    int open_ms = (int)worker->plan.settings.open_timeout_ms;
    pdr_code code = pdr_worker_ends(worker, ends, timeout_ms < 0 ? open_ms : timeout_ms, err);
    int64_t left_us = until == INT64_MAX ? -1 : until - pdr_mono_us();
    int left_ms = timeout_ms < 0 ? -1 : left_us > 0 ? (int)(left_us / 1000) : 0;
    if (code == PDR_OK) code = pdr_worker_pass(worker, ends, left_ms, err);
    pdr_free(ends);
    return code;
}
