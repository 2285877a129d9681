#include <stdio.h>

#include "backends/sqlite/sqlite_log_internal.h"
#include "base/mem.h"

/* --- life cycle --- */

static void free_reader(reader *r)
{
    sqlite3_finalize(r->select);
    sqlite3_finalize(r->range);
    pdr_free(r);
}

static pdr_code prepare(reader *r, pdr_error *err)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT offset, time_ms, key, value, header, schema, trace FROM record_%d WHERE offset >= ? "
             "ORDER BY offset",
             r->partition);
    pdr_code code = pdr_sqlite_prepare(r->log->db, &r->select, sql, err);
    snprintf(sql, sizeof sql,
             "SELECT (SELECT min(offset) FROM record_%d), (SELECT max(offset) FROM record_%d)", r->partition,
             r->partition);
    return code == PDR_OK ? pdr_sqlite_prepare(r->log->db, &r->range, sql, err) : code;
}

/* The first offset that the log holds and the one after the last; 0 and 0 in an empty partition. */
static pdr_code read_range(reader *r, int64_t *first, int64_t *end, pdr_error *err)
{
    int rc = sqlite3_step(r->range);
    bool some = rc == SQLITE_ROW && sqlite3_column_type(r->range, 1) != SQLITE_NULL;
    *first = some ? sqlite3_column_int64(r->range, 0) : 0;
    *end = some ? sqlite3_column_int64(r->range, 1) + 1 : 0;
    pdr_code code =
        rc == SQLITE_ROW ? PDR_OK : pdr_sqlite_fail(err, r->log->db, rc, "reading the log's range");
    sqlite3_reset(r->range);
    return code;
}

/* Places counted from the end are fixed at once: what is appended from now on comes later. */
static pdr_code find_start(reader *r, int64_t from, pdr_error *err)
{
    r->at = from;
    if (from >= 0) return PDR_OK;
    int64_t first, end;
    pdr_code code = read_range(r, &first, &end, err);
    if (code != PDR_OK) return code;
    int64_t back = -1 - from;
    r->at = back < end - first ? end - back : first;
    return PDR_OK;
}

pdr_code pdr_sqlite_reader_open(pdr_log *base, int32_t partition, int64_t from,
                                const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                                pdr_error *err)
{
    sqlite_log *log = (sqlite_log *)base;
    *out = NULL;
    if (partition < 0 || partition >= log->info.partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d of %d", partition, log->info.partitions);
    reader *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "opening a reader");
    *r = (reader){.base.ops = log->base.ops,
                  .log = log,
                  .partition = partition,
                  .events = events,
                  .context = context,
                  .batch = FIRST_BATCH_RECORDS};
    pdr_code code = prepare(r, err);
    if (code == PDR_OK) code = find_start(r, from, err);
    if (code != PDR_OK) {
        free_reader(r);
        return code;
    }
    r->next = log->readers;
    log->readers = r;
    *out = &r->base;
    return PDR_OK;
}

void pdr_sqlite_sweep_readers(sqlite_log *log)
{
    for (reader **link = &log->readers; *link;) {
        reader *r = *link;
        if (!r->closed) {
            link = &r->next;
            continue;
        }
        *link = r->next;
        free_reader(r);
    }
}

void pdr_sqlite_reader_close(pdr_log_reader *base)
{
    reader *r = (reader *)base;
    if (!r) return;
    r->closed = true;
    if (!r->log->polling) pdr_sqlite_sweep_readers(r->log);
}

void pdr_sqlite_reader_pause(pdr_log_reader *base, bool paused)
{
    ((reader *)base)->paused = paused;
}

void pdr_sqlite_wake_readers(sqlite_log *log, int32_t partition)
{
    for (reader *r = log->readers; r; r = r->next) {
        if (partition < 0 || r->partition == partition) r->caught_up = false;
    }
}

bool pdr_sqlite_reader_has_work(const reader *r)
{
    return !r->closed && !r->failed && !r->paused && !r->caught_up;
}

/* --- reading --- */

static size_t fail_reader(reader *r, const pdr_error *err)
{
    r->failed = true;
    r->events->failed(r->context, err);
    return 1;
}

static pdr_code out_of_range(const reader *r, int64_t first, int64_t end, pdr_error *err)
{
    return pdr_fail(err, PDR_OUT_OF_RANGE, "%s: partition %d holds offsets %lld to %lld, wanted from %lld",
                    r->log->path, r->partition, (long long)first, (long long)end - 1, (long long)r->at);
}

static pdr_code check_start(reader *r, pdr_error *err)
{
    int64_t first, end;
    pdr_code code = read_range(r, &first, &end, err);
    if (code != PDR_OK) return code;
    if (r->at < first || r->at > end) return out_of_range(r, first, end, err);
    r->checked = true;
    return PDR_OK;
}

/* Copy the row that the statement stands on; PDR_NOMEM. */
static pdr_code take_row(sqlite_log *log, sqlite3_stmt *select, pdr_log_record *record)
{
    pdr_bytes *parts[5] = {&record->entry.key, &record->entry.value, &record->entry.header,
                           &record->entry.schema, &record->entry.trace};
    size_t total = 0;
    for (int i = 0; i < 5; i++) {
        *parts[i] = pdr_sqlite_column(select, 2 + i);
        total += parts[i]->size;
    }
    uint8_t *to = pdr_arena_alloc(&log->arena, total);
    if (!to) return PDR_NOMEM;
    for (int i = 0; i < 5; i++) {
        if (!parts[i]->size) continue; /* absent, or empty with data that stays valid */
        memcpy(to, parts[i]->data, parts[i]->size);
        parts[i]->data = to;
        to += parts[i]->size;
    }
    record->offset = sqlite3_column_int64(select, 0);
    record->append_ms = sqlite3_column_int64(select, 1);
    return PDR_OK;
}

/* Our offsets have no gaps: a missing one was deleted behind our back. */
static pdr_code missing_record(reader *r, int64_t found, pdr_error *err)
{
    int64_t first, end;
    pdr_code code = read_range(r, &first, &end, err);
    if (code != PDR_OK) return code;
    if (r->at < first) return out_of_range(r, first, end, err);
    return pdr_fail(err, PDR_CORRUPT, "%s: partition %d lacks its records %lld to %lld", r->log->path,
                    r->partition, (long long)r->at, (long long)found - 1);
}

/* Step on to the next row: SQLITE_ROW when it is taken, *gap when it isn't the one wanted. */
static int next_row(reader *r, int64_t wanted, pdr_log_record *out, int64_t *gap, pdr_code *code)
{
    int rc = sqlite3_step(r->select);
    if (rc != SQLITE_ROW) return rc;
    int64_t offset = sqlite3_column_int64(r->select, 0);
    if (offset == wanted) {
        *code = take_row(r->log, r->select, out);
    } else {
        *gap = offset;
    }
    return rc;
}

/* The next records into log->records; *more unless the end was reached. */
static pdr_code read_batch(reader *r, size_t *count, bool *more, pdr_error *err)
{
    sqlite_log *log = r->log;
    pdr_code code = PDR_OK;
    int64_t gap = -1;
    int rc = sqlite3_bind_int64(r->select, 1, r->at) == SQLITE_OK ? SQLITE_ROW : SQLITE_NOMEM;
    size_t taken = 0;
    while (rc == SQLITE_ROW && taken < r->batch && log->arena.used < BATCH_BYTES) {
        rc = next_row(r, r->at + (int64_t)taken, &log->records[taken], &gap, &code);
        if (rc != SQLITE_ROW || gap >= 0 || code != PDR_OK) break;
        taken++;
    }
    *count = taken;
    *more = rc == SQLITE_ROW;
    r->batch = 4 * r->batch < BATCH_RECORDS ? 4 * r->batch : BATCH_RECORDS;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) code = pdr_sqlite_fail(err, log->db, rc, "reading the log");
    sqlite3_reset(r->select);
    if (code == PDR_NOMEM && rc == SQLITE_ROW)
        return pdr_fail(err, PDR_NOMEM, "no memory for the records of one batch");
    /* What lies before a gap is delivered first. */
    return code == PDR_OK && gap >= 0 && taken == 0 ? missing_record(r, gap, err) : code;
}

static size_t tell_records(reader *r, size_t count)
{
    if (count == 0) return 0;
    r->at = r->log->records[count - 1].offset + 1;
    r->events->records(r->context, r->log->records, count);
    return 1;
}

/* One batch for one reader. */
static size_t serve(reader *r)
{
    pdr_error err;
    size_t count = 0;
    bool more = false;
    pdr_code code = r->checked ? PDR_OK : check_start(r, &err);
    if (code == PDR_OK) code = read_batch(r, &count, &more, &err);
    if (code == PDR_LOCKED) {
        /* Others hold readers up only for moments: when they recover or remove the WAL. */
        r->log->read_after_us = pdr_sqlite_now_us() + READ_RETRY_US;
        return 0;
    }
    if (code != PDR_OK) return fail_reader(r, &err);
    if (!more) r->caught_up = true;
    size_t callbacks = tell_records(r, count);
    if (more || r->closed || r->paused) {
        /* Paused by its own callback: `end` comes when it goes on. */
        if (!more) r->caught_up = false;
        return callbacks;
    }
    r->events->end(r->context, r->at);
    return callbacks + 1;
}

size_t pdr_sqlite_read_on(sqlite_log *log)
{
    if (log->read_after_us && pdr_sqlite_now_us() < log->read_after_us) return 0;
    log->read_after_us = 0;
    size_t callbacks = 0;
    for (reader *r = log->readers; r; r = r->next) {
        if (!pdr_sqlite_reader_has_work(r)) continue;
        callbacks += serve(r);
        pdr_arena_clear(&log->arena);
    }
    return callbacks;
}
