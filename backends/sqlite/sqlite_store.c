#include "backends/sqlite/sqlite_store_internal.h"
#include "base/mem.h"

static const pdr_store_ops store_ops;

/* --- life cycle --- */

static void free_ops(op_queue *queue)
{
    for (op *o; (o = pdr_op_queue_take(queue));)
        pdr_op_free(o);
}

static void close_store(pdr_store *base)
{
    sqlite_store *store = (sqlite_store *)base;
    if (!store) return;
    free_ops(&store->queue);
    free_ops(&store->finished);
    pdr_sqlite_leave(&store->member);
    pdr_sqlite_store_unprepare(store);
    pdr_sqlite_close(store->db);
    pdr_free(store->path);
    pdr_free(store);
}

static pdr_code open_file(sqlite_store *store, const char *path, pdr_error *err)
{
    pdr_code code = pdr_sqlite_open(&store->db, path, true, err);
    if (code != PDR_OK) return code;
    /* Saves touch pages all over the file: a larger cache holds them, and a longer WAL writes each back less
     * often. */
    code = pdr_sqlite_exec(store->db, "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4000", err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "%s", path);
    /* From here on nothing waits inside SQLite but the blocking operations. */
    int rc = sqlite3_busy_timeout(store->db, 0);
    if (rc != SQLITE_OK) return pdr_sqlite_fail(err, store->db, rc, "settings");
    return pdr_sqlite_join(&store->member, path, err);
}

pdr_code pdr_sqlite_store_open(pdr_store **out, const char *path, pdr_error *err)
{
    *out = NULL;
    if (!path) return pdr_fail(err, PDR_BAD_URL, "sqlite: no file is named");
    sqlite_store *store = pdr_calloc(1, sizeof *store);
    if (!store) return pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
    store->base.ops = &store_ops;
    store->queue.last = &store->queue.first;
    store->finished.last = &store->finished.first;
    store->path = pdr_strdup(path);
    store->wait.path = store->path;
    pdr_code code =
        store->path ? open_file(store, path, err) : pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
    if (code != PDR_OK) {
        close_store(&store->base);
        return code;
    }
    *out = &store->base;
    return PDR_OK;
}

void pdr_sqlite_store_set_trace(pdr_store *base, pdr_sqlite_trace trace, void *context)
{
    sqlite_store *store = (sqlite_store *)base;
    store->wait.trace = trace;
    store->wait.trace_context = context;
}

/* --- carrying out --- */

static void fail_op(sqlite_store *store, op *o, int rc)
{
    pdr_code code = pdr_sqlite_fail(&o->error, store->db, rc, store->path);
    (void)code;
}

/* Give up the open transaction, if SQLite hasn't by itself. */
static void roll_back(sqlite_store *store)
{
    if (!sqlite3_get_autocommit(store->db)) pdr_sqlite_run(store->rollback);
}

static int commit(sqlite_store *store)
{
    int rc = pdr_sqlite_run(store->commit);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* One operation that only reads, in a snapshot of its own. */
static int read_one(sqlite_store *store, op *o)
{
    int rc = pdr_sqlite_run(store->begin_read);
    if (rc != SQLITE_DONE) return rc;
    rc = pdr_sqlite_run_read(store, o);
    if (rc == SQLITE_OK) rc = commit(store);
    if (rc != SQLITE_OK) {
        fail_op(store, o, rc);
        roll_back(store);
    }
    return rc;
}

/* A commit whose sync failed may still be found in the file after a crash. */
static void fail_commit(sqlite_store *store, op *first, size_t count, int rc)
{
    bool unknown = (rc & 0xff) == SQLITE_IOERR;
    for (op *o = first; count; o = o->next, count--) {
        fail_op(store, o, rc);
        if (unknown && o->kind == OP_SAVE) o->error.code = PDR_UNKNOWN_OUTCOME;
    }
}

/* `count` operations that write, in one transaction. *settled: every operation has its outcome. */
static int write_group(sqlite_store *store, op *first, size_t count, bool *settled)
{
    *settled = false;
    int rc = pdr_sqlite_run(store->begin);
    if (rc != SQLITE_DONE) return rc;
    rc = SQLITE_OK;
    op *o = first;
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++, o = o->next)
        rc = o->done ? pdr_sqlite_run_write(store, o) : SQLITE_OK;
    if (rc == SQLITE_OK) {
        rc = commit(store);
        if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_FULL) {
            fail_commit(store, first, count, rc);
            *settled = true;
        }
    }
    if (rc == SQLITE_OK) *settled = true;
    if (rc != SQLITE_OK) {
        /* The words must be taken before the roll-back replaces them. */
        if (count == 1 && !*settled) fail_op(store, first, rc);
        roll_back(store);
    }
    return rc;
}

/* A group that fails is tried again one by one, so that one operation's failure isn't the others'. */
static int write_some(sqlite_store *store, size_t *count)
{
    bool settled;
    pdr_sqlite_lock(&store->member);
    int rc = write_group(store, store->queue.first, *count, &settled);
    bool busy = (rc & 0xff) == SQLITE_BUSY;
    if (!settled && !busy && *count > 1) {
        *count = 1;
        rc = write_group(store, store->queue.first, 1, &settled);
    }
    pdr_sqlite_unlock(&store->member);
    return rc;
}

static bool writes(const op *o)
{
    return o->kind == OP_CLAIM || o->kind == OP_SAVE || o->kind == OP_PUT_STATES;
}

/* Carry out the first operations of the queue, `most` at most; gives how many, 0 when the file is locked. */
static size_t carry_out(sqlite_store *store, size_t most)
{
    op *first = store->queue.first;
    size_t count = 1;
    pdr_error err = {0};
    pdr_code code = pdr_sqlite_store_prepare(store, &err);
    int rc = SQLITE_OK;
    if (code == PDR_LOCKED) {
        rc = SQLITE_BUSY;
    } else if (code != PDR_OK) {
        first->error = err;
    } else if (writes(first)) {
        if (most > STORE_GROUP) most = STORE_GROUP;
        for (const op *o = first->next; o && writes(o) && count < most; o = o->next)
            count++;
        rc = write_some(store, &count);
    } else if (first->done) {
        rc = read_one(store, first);
    }
    if ((rc & 0xff) == SQLITE_BUSY) return 0;
    pdr_sqlite_wait_over(&store->wait);
    return count;
}

/* Tell the completions that are due. */
static size_t tell(sqlite_store *store)
{
    size_t callbacks = 0;
    for (op *o; (o = pdr_op_queue_take(&store->finished)); pdr_op_free(o)) {
        if (!o->done) continue;
        bool failed = o->error.code != PDR_OK;
        const pdr_store_result result = {
            .code = o->error.code,
            .error = failed ? &o->error : NULL,
            .row = o->row,
            .heads = o->heads,
            .head_count = failed ? 0 : o->head_count,
            .schemas = o->schemas,
            .schema_count = failed ? 0 : o->schema_count,
        };
        o->done(o->context, o->tag, &result);
        callbacks++;
    }
    return callbacks;
}

static void finish(sqlite_store *store, size_t count)
{
    for (; count; count--)
        pdr_op_queue_put(&store->finished, pdr_op_queue_take(&store->queue));
}

/* Locked for too long: everything that waits is told so. */
static void give_up(sqlite_store *store)
{
    pdr_sqlite_wait_over(&store->wait);
    for (op *o = store->queue.first; o; o = o->next) {
        pdr_code code = pdr_fail(&o->error, PDR_LOCKED, "%s: another process has held the lock for %d s",
                                 store->path, STORE_LOCKED_US / 1000000);
        (void)code;
    }
    finish(store, store->queue.count);
}

static size_t poll_store(pdr_store *base)
{
    sqlite_store *store = (sqlite_store *)base;
    size_t callbacks = 0;
    if (pdr_sqlite_wait_on(&store->wait)) return 0;
    /* What the completions submit waits for the next poll. */
    for (size_t left = store->queue.count; left > 0;) {
        size_t count = carry_out(store, left);
        if (count == 0) {
            if (pdr_sqlite_wait_more(&store->wait) < STORE_LOCKED_US) break;
            give_up(store);
            count = left;
        } else {
            finish(store, count);
        }
        left -= count;
        callbacks += tell(store);
    }
    return callbacks;
}

static int wait_on(pdr_store *base, struct pollfd *fds, int max, int64_t *due_us)
{
    (void)fds;
    (void)max;
    const sqlite_store *store = (const sqlite_store *)base;
    *due_us = INT64_MAX;
    if (!store->queue.count) return 0;
    int64_t due = store->wait.since_us ? store->wait.retry_us - pdr_sqlite_now_us() : 0;
    *due_us = due > 0 ? due : 0;
    return 0;
}

static const pdr_store_ops store_ops = {
    .name = "sqlite",
    .close = close_store,
    .init = pdr_sqlite_store_init,
    .meta = pdr_sqlite_store_meta,
    .reset = pdr_sqlite_store_reset,
    .dump = pdr_sqlite_store_dump,
    .dump_one = pdr_sqlite_store_dump_one,
    .drop_states = pdr_sqlite_store_drop_states,
    .load = pdr_sqlite_load,
    .claim = pdr_sqlite_claim,
    .lookup = pdr_sqlite_lookup,
    .save = pdr_sqlite_save,
    .schemas = pdr_sqlite_schemas,
    .heads = pdr_sqlite_heads,
    .put_states = pdr_sqlite_put_states,
    .forget = pdr_sqlite_forget,
    .poll = poll_store,
    .wait_on = wait_on,
};
