/* Connection, queue and poll. */
#include "backends/sqlite/sqlite_views_internal.h"
#include "base/mem.h"

/* --- The queue --- */

void pdr_sqv_op_free(views_op *op)
{
    if (!op) return;
    pdr_arena_release(&op->arena);
    pdr_free(op);
}

static void put_last(views_op ***last, views_op *op)
{
    op->next = NULL;
    **last = op;
    *last = &op->next;
}

static views_op *take_first(views_op **first, views_op ***last)
{
    views_op *op = *first;
    if (!op) return NULL;
    *first = op->next;
    if (!*first) *last = first;
    return op;
}

static pdr_code submit(sqlite_views *v, views_op *op, void *context, uint64_t tag, pdr_error *err)
{
    if (!op) return pdr_fail(err, PDR_NOMEM, "queueing an operation on views");
    if (v->waiting >= VIEWS_QUEUE_OPS || op->arena.held > VIEWS_QUEUE_BYTES - v->waiting_bytes) {
        pdr_sqv_op_free(op);
        return pdr_fail(err, PDR_QUEUE_FULL, "%zu operations on views wait", v->waiting);
    }
    op->context = context;
    op->tag = tag;
    op->size = op->arena.held;
    v->waiting++;
    v->waiting_bytes += op->size;
    put_last(&v->last, op);
    return PDR_OK;
}

static pdr_code check_steps(const pdr_version_spec *spec, const pdr_view_batch *batch, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < batch->step_count; i++) {
        const pdr_view_step *step = &batch->steps[i];
        if (step->statement) {
            code = pdr_sqv_check_statement(spec, step->statement, err);
            continue;
        }
        if (step->table >= spec->table_count)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no table %zu", step->table);
        for (size_t r = 0; code == PDR_OK && r < step->row_count; r++)
            code = pdr_row_change_check(&spec->tables[step->table], &step->rows[r], err);
    }
    return code;
}

static pdr_code views_commit(pdr_views *base, const pdr_version_spec *spec, const char *worker,
                             const pdr_view_batch *batch, pdr_view_done done, void *context, uint64_t tag,
                             pdr_error *err)
{
    pdr_code code = check_steps(spec, batch, err);
    if (code != PDR_OK) return code;
    views_op *op = pdr_sqv_copy_batch(spec, worker, batch);
    if (op) op->done = done;
    return submit(views_of(base), op, context, tag, err);
}

static pdr_code views_fetch(pdr_views *base, const pdr_version_spec *spec, size_t table,
                            const pdr_cell *const *keys, size_t count, pdr_view_fetched done, void *context,
                            uint64_t tag, pdr_error *err)
{
    if (table >= spec->table_count)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "projection %s has no table %zu", spec->projection, table);
    views_op *op = pdr_sqv_copy_keys(spec, table, keys, count);
    if (op) op->fetched = done;
    return submit(views_of(base), op, context, tag, err);
}

/* What waits isn't carried out any more. */
static void views_forget(pdr_views *base, void *context)
{
    sqlite_views *v = views_of(base);
    views_op **link = &v->first;
    for (views_op *op; (op = *link);) {
        if (op->context != context) {
            link = &op->next;
            continue;
        }
        *link = op->next;
        v->waiting--;
        v->waiting_bytes -= op->size;
        pdr_sqv_op_free(op);
    }
    v->last = link;
    for (views_op *op = v->ended; op; op = op->next)
        if (op->context == context) op->forgotten = true;
}

/* --- Carrying out, telling --- */

static void end_first(sqlite_views *v)
{
    views_op *op = take_first(&v->first, &v->last);
    v->waiting--;
    v->waiting_bytes -= op->size;
    put_last(&v->last_ended, op);
}

void pdr_sqv_settle(sqlite_views *v)
{
    while (v->first) {
        if (!pdr_sqv_carry_out(v, v->first)) return;
        pdr_sqlite_wait_over(&v->wait);
        end_first(v);
    }
}

static void tell_one(views_op *op)
{
    bool failed = op->error.code != PDR_OK;
    if (op->forgotten) return;
    if (op->is_fetch) {
        const pdr_view_rows rows = {.code = op->error.code,
                                    .error = failed ? &op->error : NULL,
                                    .rows = failed ? NULL : op->rows,
                                    .count = failed ? 0 : op->row_count};
        op->fetched(op->context, op->tag, &rows);
        return;
    }
    const pdr_view_result result = {.code = op->error.code,
                                    .error = failed ? &op->error : NULL,
                                    .step = op->step,
                                    .partition = op->partition,
                                    .position = op->position};
    op->done(op->context, op->tag, &result);
}

static size_t tell(sqlite_views *v)
{
    size_t callbacks = 0;
    for (views_op *op; (op = take_first(&v->ended, &v->last_ended)); pdr_sqv_op_free(op)) {
        callbacks += !op->forgotten;
        tell_one(op);
    }
    return callbacks;
}

/* Locked for too long: everything that waits is told so. */
static void give_up(sqlite_views *v)
{
    pdr_sqlite_wait_over(&v->wait);
    while (v->first) {
        pdr_code code =
            pdr_fail(&v->first->error, PDR_LOCKED, "%s: another process has held the lock for %d s", v->path,
                     VIEWS_LOCKED_US / 1000000);
        (void)code;
        end_first(v);
    }
}

static size_t views_poll(pdr_views *base)
{
    sqlite_views *v = views_of(base);
    size_t callbacks = tell(v);
    if (pdr_sqlite_wait_on(&v->wait)) return callbacks;
    /* What the completions submit waits for the next poll. */
    for (size_t left = v->waiting; left > 0 && v->first; left--) {
        if (pdr_sqv_carry_out(v, v->first)) {
            pdr_sqlite_wait_over(&v->wait);
            end_first(v);
        } else if (pdr_sqlite_wait_more(&v->wait) < VIEWS_LOCKED_US) {
            break;
        } else {
            give_up(v);
        }
        callbacks += tell(v);
    }
    return callbacks;
}

static int views_wait_on(pdr_views *base, struct pollfd *fds, int max, int64_t *due_us)
{
    (void)fds;
    (void)max;
    const sqlite_views *v = views_of(base);
    *due_us = v->ended ? 0 : INT64_MAX;
    if (!v->first) return 0;
    int64_t due = v->wait.since_us ? v->wait.retry_us - pdr_sqlite_now_us() : 0;
    if (due < *due_us) *due_us = due > 0 ? due : 0;
    return 0;
}

/* --- Open and close --- */

static void views_close(pdr_views *base)
{
    sqlite_views *v = views_of(base);
    if (!v) return;
    for (views_op *op; (op = take_first(&v->first, &v->last));)
        pdr_sqv_op_free(op);
    for (views_op *op; (op = take_first(&v->ended, &v->last_ended));)
        pdr_sqv_op_free(op);
    pdr_sqlite_leave(&v->member);
    pdr_sqv_forget_statements(v);
    pdr_sqlite_close(v->db);
    pdr_free(v->path);
    pdr_free(v);
}

static const pdr_views_ops views_ops = {
    .name = "sqlite",
    .close = views_close,
    .init = pdr_sqv_init,
    .create = pdr_sqv_create,
    .drop = pdr_sqv_drop,
    .reset = pdr_sqv_reset,
    .swap = pdr_sqv_swap,
    .set_paused = pdr_sqv_set_paused,
    .set_throttle = pdr_sqv_set_throttle,
    .set_fault = pdr_sqv_set_fault,
    .versions = pdr_sqv_versions,
    .positions = pdr_sqv_positions,
    .dead_letters = pdr_sqv_dead_letters,
    .request = pdr_sqv_request,
    .requests = pdr_sqv_requests,
    .scan = pdr_sqv_scan,
    .verify = pdr_sqv_verify,
    .fetch = views_fetch,
    .commit = views_commit,
    .forget = views_forget,
    .poll = views_poll,
    .wait_on = views_wait_on,
};

static pdr_code open_file(sqlite_views *v, const char *path, pdr_error *err)
{
    pdr_code code = pdr_sqlite_open(&v->db, path, true, err);
    if (code != PDR_OK) return code;
    code = pdr_sqlite_exec(v->db, "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000", err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "%s", path);
    /* From here on nothing waits inside SQLite but the blocking operations. */
    int rc = sqlite3_busy_timeout(v->db, 0);
    if (rc != SQLITE_OK) return pdr_sqlite_fail(err, v->db, rc, "settings");
    return pdr_sqlite_join(&v->member, path, err);
}

pdr_code pdr_sqlite_views_open(pdr_views **out, const char *path, pdr_error *err)
{
    *out = NULL;
    if (!path) return pdr_fail(err, PDR_BAD_URL, "sqlite: no file is named");
    sqlite_views *v = pdr_calloc(1, sizeof *v);
    if (!v) return pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
    v->base.ops = &views_ops;
    v->last = &v->first;
    v->last_ended = &v->ended;
    v->path = pdr_strdup(path);
    v->wait.path = v->path;
    pdr_code code = v->path ? open_file(v, path, err) : pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
    if (code != PDR_OK) {
        views_close(&v->base);
        return code;
    }
    *out = &v->base;
    return PDR_OK;
}

void pdr_sqlite_views_set_trace(pdr_views *base, pdr_sqlite_trace trace, void *context)
{
    sqlite_views *v = views_of(base);
    v->wait.trace = trace;
    v->wait.trace_context = context;
}
