#include "perdure/worker.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/log_id.h"
#include "journal/schema_load.h"
#include "projections/metrics.h"
#include "projections/projection_file.h"
#include "projections/worker_core.h"

/* --- open --- */

static int timeout_of(const pdr_worker *worker)
{
    return (int)worker->plan.settings.open_timeout_ms;
}

static pdr_code take_projection(pdr_worker *worker, pdr_projection *projection, pdr_error *err)
{
    for (size_t i = 0; i < worker->runner_count; i++) {
        const pdr_projection *other = worker->runners[i].projection;
        if (strcmp(other->name, projection->name) != 0 || other->version != projection->version) continue;
        pdr_code code = pdr_fail(err, PDR_INVALID_ARGUMENT, "projection %s version %u is given twice",
                                 projection->name, projection->version);
        pdr_projection_close(projection);
        return code;
    }
    worker->runners[worker->runner_count++].projection = projection;
    return PDR_OK;
}

static pdr_code read_projections(pdr_worker *worker, const pdr_worker_options *options, pdr_error *err)
{
    pdr_code code = PDR_OK;
    pdr_projection *projection;
    worker->runners = pdr_calloc(options->file_count + options->type_count, sizeof *worker->runners);
    if (!worker->runners) return pdr_fail(err, PDR_NOMEM, "projections");
    for (size_t i = 0; code == PDR_OK && i < options->file_count; i++) {
        code = pdr_projection_read_file(&projection, options->files[i], options->app, err);
        if (code == PDR_OK) code = take_projection(worker, projection, err);
    }
    for (size_t i = 0; code == PDR_OK && i < options->type_count; i++) {
        code = pdr_projection_of(&projection, options->types[i], err);
        if (code == PDR_OK) code = take_projection(worker, projection, err);
    }
    return code;
}

static pdr_code check_partitions(const pdr_worker *worker, pdr_error *err)
{
    for (size_t i = 0; i < worker->plan.partition_count; i++)
        if (worker->plan.partitions[i] < 0 || worker->plan.partitions[i] >= worker->partitions)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d: the journal has 0 to %d",
                            (int)worker->plan.partitions[i], (int)worker->partitions - 1);
    return PDR_OK;
}

/* The FENCEs of the log name the journal, and so does its store. */
static pdr_code read_identity(pdr_worker *worker, pdr_log *log, const pdr_store_meta *meta, pdr_error *err)
{
    bool found;
    uint8_t id[PDR_ID_SIZE];
    pdr_code code = pdr_log_find_id(log, 0, worker->partitions, timeout_of(worker), &found, id, err);
    if (code == PDR_OUT_OF_RANGE && meta) code = PDR_OK; /* its beginning is gone */
    if (code != PDR_OK) return code;
    if (found && meta && memcmp(id, meta->journal_id, sizeof id) != 0)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the log and the store belong to two different journals");
    if (!found && !meta)
        return pdr_fail(
            err, PDR_NOT_INITIALISED,
            "the journal has had no owner yet and no store is given, so nothing tells which it is");
    memcpy(worker->journal_id, found ? id : meta->journal_id, sizeof worker->journal_id);
    return PDR_OK;
}

static pdr_code read_store(pdr_worker *worker, pdr_log *log, pdr_store *store, pdr_error *err)
{
    pdr_store_meta meta;
    pdr_code code = store->ops->meta(store, &meta, timeout_of(worker), err);
    if (code == PDR_OK && meta.partitions != worker->partitions)
        code = pdr_fail(err, PDR_WRONG_JOURNAL, "the log has %d partitions, the store's journal %d",
                        (int)worker->partitions, (int)meta.partitions);
    if (code == PDR_OK) code = read_identity(worker, log, &meta, err);
    return code == PDR_OK ? pdr_schema_book_load(worker->book, store, timeout_of(worker), err) : code;
}

static pdr_code look_at_journal(pdr_worker *worker, pdr_log *log, pdr_error *err)
{
    pdr_log_info info;
    pdr_store *store;
    const pdr_backends *backends = &worker->plan.backends;
    pdr_code code = log->ops->info(log, &info, timeout_of(worker), err);
    if (code != PDR_OK) return code;
    worker->partitions = info.partitions;
    code = check_partitions(worker, err);
    if (code != PDR_OK) return code;
    if (!backends->has_store) return read_identity(worker, log, NULL, err);
    code = pdr_backends_store_open(backends, &store, err);
    if (code != PDR_OK) return code;
    code = read_store(worker, log, store, err);
    store->ops->close(store);
    return code;
}

static pdr_code open_all(pdr_worker *worker, const pdr_worker_options *options, pdr_error *err)
{
    pdr_log *log;
    pdr_code code = pdr_worker_plan_init(&worker->plan, options, err);
    if (code == PDR_OK) code = read_projections(worker, options, err);
    if (code == PDR_OK) code = pdr_backends_log_open(&worker->plan.backends, &log, err);
    if (code != PDR_OK) return code;
    code = look_at_journal(worker, log, err);
    log->ops->close(log);
    for (size_t i = 0; code == PDR_OK && i < worker->runner_count; i++)
        code = pdr_runner_open(&worker->runners[i], worker, err);
    for (size_t i = 0; code == PDR_OK && i < worker->runner_count; i++)
        code = pdr_runner_start(&worker->runners[i], err);
    if (code == PDR_OK && worker->plan.settings.metrics_port)
        code = pdr_metrics_open(&worker->metrics, worker, err);
    return code;
}

/* What can't fail, or fails as a whole. */
static pdr_code make_worker(pdr_worker **out, pdr_error *err)
{
    pdr_worker *worker = pdr_calloc(1, sizeof *worker);
    if (!worker) return pdr_fail(err, PDR_NOMEM, "a worker");
    pdr_code code = pdr_schema_book_open(&worker->book, err);
    if (code == PDR_OK) {
        code = pdr_cond_open(&worker->changed, err);
        if (code != PDR_OK) pdr_schema_book_close(worker->book);
    }
    if (code != PDR_OK) {
        pdr_free(worker);
        return code;
    }
    int failed = pthread_mutex_init(&worker->lock, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
    *out = worker;
    return PDR_OK;
}

static void release(pdr_worker *worker)
{
    pdr_metrics_close(worker->metrics);
    for (size_t i = 0; i < worker->runner_count; i++)
        pdr_runner_end(&worker->runners[i]);
    for (size_t i = 0; i < worker->runner_count; i++)
        pdr_runner_close(&worker->runners[i]);
    pdr_free(worker->runners);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    pdr_schema_book_close(worker->book);
    pdr_worker_plan_release(&worker->plan);
    pdr_free(worker);
}

pdr_code pdr_worker_open(pdr_worker **out, const pdr_worker_options *options, pdr_error *err)
{
    if (!out) return pdr_fail(err, PDR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    pdr_worker *worker = NULL;
    pdr_code code = make_worker(&worker, err);
    if (code != PDR_OK) return code;
    code = open_all(worker, options, err);
    if (code == PDR_OK)
        *out = worker;
    else
        release(worker);
    return code;
}

/* --- drain and close --- */

static bool is_still(const pdr_worker *worker)
{
    for (size_t i = 0; i < worker->runner_count; i++)
        if (!pdr_runner_is_still(&worker->runners[i])) return false;
    return true;
}

pdr_code pdr_worker_drain(pdr_worker *worker, int timeout_ms, pdr_error *err)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    if (!worker) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the worker is NULL");
    for (size_t i = 0; i < worker->runner_count; i++)
        pdr_runner_drain(&worker->runners[i]);
    pthread_mutex_lock(&worker->lock);
    bool still = is_still(worker);
    while (!still && pdr_cond_wait_until(&worker->changed, &worker->lock, until))
        still = is_still(worker);
    pthread_mutex_unlock(&worker->lock);
    if (still) return PDR_OK;
    return pdr_fail(err, PDR_TIMEOUT, "what was folded could not be committed within %d ms", timeout_ms);
}

void pdr_worker_close(pdr_worker *worker)
{
    if (!worker) return;
    pdr_error ignored; /* what isn't committed is projected again another time */
    if (pdr_worker_drain(worker, (int)worker->plan.settings.close_timeout_ms, &ignored) != PDR_OK &&
        worker->plan.line)
        worker->plan.line(worker->plan.line_context, PDR_LEVEL_WARN, ignored.message);
    release(worker);
}

/* --- status --- */

static const char *const state_names[] = {
    [PDR_PROJECTOR_IDLE] = "idle",         [PDR_PROJECTOR_LOADING] = "loading",
    [PDR_PROJECTOR_RUNNING] = "running",   [PDR_PROJECTOR_WAITING] = "waiting",
    [PDR_PROJECTOR_DRAINING] = "draining", [PDR_PROJECTOR_STOPPED] = "stopped",
};

static pdr_worker_status status_of(const pdr_runner *r)
{
    const pdr_shown *shown = &r->shown;
    return (pdr_worker_status){.projection = r->projection->name,
                               .version = r->projection->version,
                               .state = state_names[shown->numbers.state],
                               .events = shown->numbers.events,
                               .batches = shown->numbers.batches,
                               .rows = shown->numbers.rows,
                               .lag_events = shown->lag_events,
                               .lag_us = shown->lag_us,
                               .lag_trend = shown->lag_trend,
                               .parked = shown->parked,
                               .partitions = shown->partition_count,
                               .error = shown->numbers.error};
}

size_t pdr_worker_status_get(pdr_worker *worker, pdr_worker_status *out, size_t max)
{
    if (!worker) return 0;
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; i < worker->runner_count && i < max; i++)
        out[i] = status_of(&worker->runners[i]);
    pthread_mutex_unlock(&worker->lock);
    return worker->runner_count;
}
