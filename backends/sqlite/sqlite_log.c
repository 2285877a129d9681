#include <poll.h>

#include "backends/sqlite/sqlite_log_internal.h"
#include "base/mem.h"

void pdr_sqlite_log_set_trace(pdr_log *base, pdr_sqlite_trace trace, void *context)
{
    sqlite_log *log = (sqlite_log *)base;
    log->wait.trace = trace;
    log->wait.trace_context = context;
}

static void close_log(pdr_log *base)
{
    sqlite_log *log = (sqlite_log *)base;
    if (!log) return;
    pdr_sqlite_leave(&log->member);
    sqlite3_finalize(log->begin);
    sqlite3_finalize(log->commit);
    sqlite3_finalize(log->rollback);
    sqlite3_finalize(log->version);
    pdr_sqlite_close(log->db);
    pdr_arena_release(&log->arena);
    pdr_free(log->records);
    pdr_free(log->path);
    pdr_free(log);
}

static pdr_code prepare_all(sqlite_log *log, pdr_error *err)
{
    pdr_code code = pdr_sqlite_prepare(log->db, &log->begin, "BEGIN IMMEDIATE", err);
    if (code == PDR_OK) code = pdr_sqlite_prepare(log->db, &log->commit, "COMMIT", err);
    if (code == PDR_OK) code = pdr_sqlite_prepare(log->db, &log->rollback, "ROLLBACK", err);
    if (code == PDR_OK) code = pdr_sqlite_prepare(log->db, &log->version, "PRAGMA data_version", err);
    return code;
}

static pdr_code open_file(sqlite_log *log, const char *path, pdr_error *err)
{
    pdr_code code = pdr_sqlite_open(&log->db, path, false, err);
    if (code != PDR_OK) return code;
    code = pdr_sqlite_log_read_info(log->db, &log->info, err);
    if (code == PDR_OK) code = prepare_all(log, err);
    /* From here on nothing waits inside SQLite: what finds the file locked tries again at a later poll. */
    if (code == PDR_OK && sqlite3_busy_timeout(log->db, 0) != SQLITE_OK)
        code = pdr_sqlite_fail(err, log->db, SQLITE_ERROR, "settings");
    if (code != PDR_OK) return pdr_fail_context(err, code, "%s", path);
    return pdr_sqlite_join(&log->member, path, err);
}

pdr_code pdr_sqlite_log_open(pdr_log **out, const char *path, pdr_error *err)
{
    *out = NULL;
    if (!path) return pdr_fail(err, PDR_BAD_URL, "sqlite: no file is named");
    sqlite_log *log = pdr_calloc(1, sizeof *log);
    if (!log) return pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
    log->base.ops = &pdr_sqlite_log_ops;
    log->arena = (pdr_arena)PDR_ARENA_INIT((size_t)4 * PDR_LOG_MAX_VALUE);
    log->path = pdr_strdup(path);
    log->wait.path = log->path;
    log->records = pdr_calloc(BATCH_RECORDS, sizeof *log->records);
    pdr_code code = log->path && log->records ? open_file(log, path, err)
                                              : pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
    if (code != PDR_OK) {
        close_log(&log->base);
        return code;
    }
    *out = &log->base;
    return PDR_OK;
}

static pdr_code info(pdr_log *base, pdr_log_info *out, int timeout_ms, pdr_error *err)
{
    sqlite_log *log = (sqlite_log *)base;
    sqlite3_busy_timeout(log->db, timeout_ms);
    pdr_code code = pdr_sqlite_log_read_info(log->db, out, err);
    sqlite3_busy_timeout(log->db, 0);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", log->path);
}

/* journal_mode lies in the file and can be changed by others; synchronous is ours. */
static pdr_code check(pdr_log *base, int timeout_ms, pdr_error *err)
{
    sqlite_log *log = (sqlite_log *)base;
    sqlite3_busy_timeout(log->db, timeout_ms);
    int64_t wal = 0, synchronous = 0;
    pdr_code code =
        pdr_sqlite_integer(log->db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &wal, err);
    if (code == PDR_OK) code = pdr_sqlite_integer(log->db, "PRAGMA synchronous", &synchronous, err);
    sqlite3_busy_timeout(log->db, 0);
    if (code != PDR_OK) return pdr_fail_context(err, code, "%s", log->path);
    if (!wal) return pdr_fail(err, PDR_UNSAFE_SETTING, "%s: journal_mode isn't wal", log->path);
    if (synchronous < 2)
        return pdr_fail(err, PDR_UNSAFE_SETTING, "%s: synchronous is %lld, wanted 2 (FULL)", log->path,
                        (long long)synchronous);
    return PDR_OK;
}

static bool following(const sqlite_log *log)
{
    for (const reader *r = log->readers; r; r = r->next) {
        if (!r->closed && !r->failed && !r->paused && r->caught_up) return true;
    }
    return false;
}

/* Did another connection commit? A ring says so at once for those of this process; for others the file is
 * asked now and then. */
static void look_for_others(sqlite_log *log)
{
    if (!following(log)) return;
    bool rung = pdr_sqlite_was_rung(&log->member);
    int64_t now = pdr_sqlite_now_us();
    if (!rung && now < log->next_look_us) return;
    log->next_look_us = now + FOLLOW_US;
    int64_t version = log->seen_version;
    if (sqlite3_step(log->version) == SQLITE_ROW) version = sqlite3_column_int64(log->version, 0);
    sqlite3_reset(log->version);
    if (version == log->seen_version) return;
    log->seen_version = version;
    pdr_sqlite_wake_readers(log, -1);
}

static size_t poll_log(pdr_log *base)
{
    sqlite_log *log = (sqlite_log *)base;
    log->polling = true;
    pdr_sqlite_write_queues(log);
    size_t callbacks = pdr_sqlite_tell_reports(log);
    look_for_others(log);
    callbacks += pdr_sqlite_read_on(log);
    atomic_store(&log->member.listening, following(log));
    log->polling = false;
    pdr_sqlite_sweep_writers(log);
    pdr_sqlite_sweep_readers(log);
    return callbacks;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int wait_on(pdr_log *base, struct pollfd *fds, int max, int64_t *due_us)
{
    sqlite_log *log = (sqlite_log *)base;
    int64_t now = pdr_sqlite_now_us();
    int64_t due = INT64_MAX;
    if (log->queued_entries) due = log->wait.since_us ? log->wait.retry_us - now : 0;
    bool follow = following(log);
    for (const reader *r = log->readers; r; r = r->next) {
        if (pdr_sqlite_reader_has_work(r))
            due = least(due, log->read_after_us ? log->read_after_us - now : 0);
    }
    if (follow) due = least(due, log->next_look_us - now);
    *due_us = due < 0 ? 0 : due;
    if (!follow || max < 1) return 0;
    fds[0] = (struct pollfd){.fd = log->member.bell, .events = POLLIN};
    return 1;
}

const pdr_log_ops pdr_sqlite_log_ops = {
    .name = "sqlite",
    .close = close_log,
    .info = info,
    .check = check,
    .writer_open = pdr_sqlite_writer_open,
    .writer_close = pdr_sqlite_writer_close,
    .append = pdr_sqlite_append,
    .writer_renew = pdr_sqlite_writer_renew,
    .reader_open = pdr_sqlite_reader_open,
    .reader_close = pdr_sqlite_reader_close,
    .reader_pause = pdr_sqlite_reader_pause,
    .poll = poll_log,
    .wait_on = wait_on,
};
