#include <stdio.h>
#include <time.h>

#include "backends/sqlite/sqlite_log_internal.h"
#include "base/mem.h"

/* --- the queue --- */

static pdr_code batch_reserve(batch *b)
{
    if (b->count < b->capacity) return PDR_OK;
    size_t capacity = b->capacity ? b->capacity * 2 : 64;
    queued *entries = pdr_realloc(b->entries, capacity * sizeof *entries);
    if (!entries) return PDR_NOMEM;
    b->entries = entries;
    /* The reports' room is taken now, so that nothing can fail once the records are in the log. */
    pdr_log_report *reports = pdr_realloc(b->reports, capacity * sizeof *reports);
    if (!reports) return PDR_NOMEM;
    b->reports = reports;
    b->capacity = capacity;
    return PDR_OK;
}

static void batch_release(batch *b)
{
    pdr_free(b->entries);
    pdr_free(b->reports);
    pdr_buf_release(&b->bytes);
    b->entries = NULL;
    b->reports = NULL;
    b->count = b->capacity = 0;
}

static void batch_clear(batch *b)
{
    size_t held = b->bytes.capacity + b->capacity * (sizeof *b->entries + sizeof *b->reports);
    if (held > QUEUE_KEPT) batch_release(b);
    b->count = 0;
    pdr_buf_clear(&b->bytes);
}

static void queue_clear(writer *w)
{
    w->log->queued_entries -= w->queue.count;
    w->log->queued_bytes -= w->queue.bytes.size;
    batch_clear(&w->queue);
}

static size_t total_size(const pdr_bytes parts[5])
{
    size_t total = 0;
    for (int i = 0; i < 5; i++)
        total += parts[i].size;
    return total;
}

static pdr_code check_sizes(const pdr_log_entry *entry, pdr_error *err)
{
    if (entry->key.size > PDR_LOG_MAX_KEY)
        return pdr_fail(err, PDR_TOO_LARGE, "key of %zu bytes; at most %d", entry->key.size, PDR_LOG_MAX_KEY);
    const size_t most = PDR_LOG_MAX_VALUE;
    if (entry->value.size > most)
        return pdr_fail(err, PDR_TOO_LARGE, "value of %zu bytes; at most %zu", entry->value.size, most);
    if (entry->header.size > most || entry->schema.size > most || entry->trace.size > most ||
        entry->header.size + entry->schema.size + entry->trace.size > most)
        return pdr_fail(err, PDR_TOO_LARGE, "headers of more than %zu bytes", most);
    return PDR_OK;
}

pdr_code pdr_sqlite_append(pdr_log_writer *base, const pdr_log_entry *entry, uint64_t tag, pdr_error *err)
{
    writer *w = (writer *)base;
    sqlite_log *log = w->log;
    const pdr_bytes parts[5] = {entry->key, entry->value, entry->header, entry->schema, entry->trace};
    pdr_code code = check_sizes(entry, err);
    if (code != PDR_OK) return code;
    size_t total = total_size(parts);
    if (log->queued_entries >= QUEUE_ENTRIES || log->queued_bytes + total > QUEUE_BYTES)
        return pdr_fail(err, PDR_QUEUE_FULL, "%zu records wait to be written", log->queued_entries);
    code = batch_reserve(&w->queue);
    /* One more, so that even nothing but absent parts has a place. */
    if (code == PDR_OK) code = pdr_buf_reserve(&w->queue.bytes, total + 1);
    if (code != PDR_OK) return pdr_fail(err, code, "queueing a record of %zu bytes", total);
    queued *q = &w->queue.entries[w->queue.count++];
    q->tag = tag;
    uint8_t *to = w->queue.bytes.data + w->queue.bytes.size;
    for (int i = 0; i < 5; i++) {
        q->sizes[i] = parts[i].data ? (uint32_t)parts[i].size : ABSENT;
        if (parts[i].size) memcpy(to, parts[i].data, parts[i].size);
        to += parts[i].size;
    }
    w->queue.bytes.size += total;
    log->queued_entries++;
    log->queued_bytes += total;
    return PDR_OK;
}

/* --- life cycle --- */

static void free_writer(writer *w)
{
    sqlite3_finalize(w->insert);
    sqlite3_finalize(w->insert_rows);
    sqlite3_finalize(w->last);
    batch_release(&w->queue);
    batch_release(&w->done);
    pdr_free(w);
}

static pdr_code prepare_insert(writer *w, sqlite3_stmt **out, int rows, pdr_error *err)
{
    pdr_buf sql = PDR_BUF_INIT(1024);
    pdr_code code = pdr_buf_printf(&sql, "INSERT INTO record_%d VALUES ", w->partition);
    for (int i = 0; i < rows && code == PDR_OK; i++)
        code = pdr_buf_printf(&sql, "%s(?, ?, ?, ?, ?, ?, ?)", i ? ", " : "");
    if (code == PDR_OK) code = pdr_buf_append(&sql, "", 1);
    code = code == PDR_OK ? pdr_sqlite_prepare(w->log->db, out, (const char *)sql.data, err)
                          : pdr_fail(err, code, "opening a writer");
    pdr_buf_release(&sql);
    return code;
}

static pdr_code prepare(writer *w, pdr_error *err)
{
    char sql[100];
    snprintf(sql, sizeof sql, "SELECT max(offset) FROM record_%d", w->partition);
    pdr_code code = pdr_sqlite_prepare(w->log->db, &w->last, sql, err);
    if (code == PDR_OK) code = prepare_insert(w, &w->insert, 1, err);
    return code == PDR_OK ? prepare_insert(w, &w->insert_rows, INSERT_ROWS, err) : code;
}

pdr_code pdr_sqlite_writer_open(pdr_log *base, int32_t partition, const pdr_log_writer_events *events,
                                void *context, pdr_log_writer **out, pdr_error *err)
{
    sqlite_log *log = (sqlite_log *)base;
    *out = NULL;
    if (partition < 0 || partition >= log->info.partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d of %d", partition, log->info.partitions);
    writer *w = pdr_calloc(1, sizeof *w);
    if (!w) return pdr_fail(err, PDR_NOMEM, "opening a writer");
    *w = (writer){
        .base.ops = log->base.ops, .log = log, .partition = partition, .events = events, .context = context};
    w->queue.bytes.max = w->done.bytes.max = QUEUE_BYTES + 1;
    pdr_code code = prepare(w, err);
    if (code != PDR_OK) {
        free_writer(w);
        return code;
    }
    w->next = log->writers;
    log->writers = w;
    *out = &w->base;
    return PDR_OK;
}

void pdr_sqlite_sweep_writers(sqlite_log *log)
{
    for (writer **link = &log->writers; *link;) {
        writer *w = *link;
        if (!w->closed) {
            link = &w->next;
            continue;
        }
        *link = w->next;
        free_writer(w);
    }
}

void pdr_sqlite_writer_close(pdr_log_writer *base)
{
    writer *w = (writer *)base;
    if (!w) return;
    sqlite_log *log = w->log;
    queue_clear(w);
    w->closed = true;
    if (!log->polling) pdr_sqlite_sweep_writers(log);
}

pdr_code pdr_sqlite_writer_renew(pdr_log_writer *base, pdr_error *err)
{
    (void)err;
    writer *w = (writer *)base;
    queue_clear(w);
    w->done.count = 0; /* its memory may be in use by the callback that calls this */
    return PDR_OK;
}

/* --- the transaction --- */

enum { ROW_COLUMNS = 7 };

/* The row's parameters from `index` on; *at moves over its parts. */
static int bind_row(sqlite3_stmt *insert, int index, int64_t offset, int64_t time_ms, const queued *q,
                    const uint8_t **at)
{
    int rc = sqlite3_bind_int64(insert, index, offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(insert, index + 1, time_ms);
    for (int i = 0; i < 5 && rc == SQLITE_OK; i++) {
        bool text = i == 0 || i >= 3;
        pdr_bytes part = pdr_bytes_of(NULL, 0);
        if (q->sizes[i] != ABSENT) part = pdr_bytes_of(*at, q->sizes[i]);
        rc = text ? pdr_sqlite_bind_text(insert, index + 2 + i, part)
                  : pdr_sqlite_bind_blob(insert, index + 2 + i, part);
        *at += part.size;
    }
    return rc;
}

static int next_offset(writer *w, int64_t *out)
{
    int rc = sqlite3_step(w->last);
    if (rc == SQLITE_ROW) {
        bool none = sqlite3_column_type(w->last, 0) == SQLITE_NULL;
        *out = none ? 0 : sqlite3_column_int64(w->last, 0) + 1;
    }
    int reset = sqlite3_reset(w->last);
    return rc == SQLITE_ROW ? SQLITE_OK : reset;
}

static int insert_queue(writer *w, int64_t time_ms)
{
    batch *b = &w->queue;
    int64_t offset = 0;
    int rc = next_offset(w, &offset);
    const uint8_t *at = b->bytes.data;
    for (size_t i = 0; i < b->count && rc == SQLITE_OK;) {
        bool many = b->count - i >= INSERT_ROWS;
        sqlite3_stmt *insert = many ? w->insert_rows : w->insert;
        for (int row = 0; row < (many ? INSERT_ROWS : 1) && rc == SQLITE_OK; row++, i++, offset++) {
            const queued *q = &b->entries[i];
            b->reports[i] = (pdr_log_report){.tag = q->tag, .code = PDR_OK, .offset = offset};
            rc = bind_row(insert, 1 + row * ROW_COLUMNS, offset, time_ms, q, &at);
        }
        if (rc == SQLITE_OK) rc = pdr_sqlite_run(insert);
        if (rc == SQLITE_DONE) rc = SQLITE_OK;
    }
    return rc;
}

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One IMMEDIATE transaction over all queues. Any failure leaves nothing of it in the file. */
static int write_all(sqlite_log *log)
{
    int rc = pdr_sqlite_run(log->begin);
    if (rc != SQLITE_DONE) return rc;
    int64_t now = wall_ms();
    rc = SQLITE_OK;
    for (writer *w = log->writers; w && rc == SQLITE_OK; w = w->next) {
        if (w->queue.count) rc = insert_queue(w, now);
    }
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(log->commit);
    if (rc == SQLITE_DONE) return SQLITE_OK;
    if ((rc & 0xff) != SQLITE_BUSY)
        pdr_sqlite_say(&log->wait, PDR_LEVEL_ERROR, "%s: a group of %zu appends failed: %s", log->path,
                       log->queued_entries, sqlite3_errmsg(log->db));
    /* SQLite may have rolled back by itself; then this does nothing. */
    if (!sqlite3_get_autocommit(log->db)) pdr_sqlite_run(log->rollback);
    return rc;
}

static void fail_reports(batch *b, int rc)
{
    for (size_t i = 0; i < b->count; i++) {
        b->reports[i] = (pdr_log_report){
            .tag = b->entries[i].tag, .code = pdr_sqlite_code(rc), .backend = rc, .offset = -1};
    }
}

/* The queue's records have their outcome: their reports are due, and the queue is free again. */
static void settle(writer *w, int rc)
{
    if (rc != SQLITE_OK) fail_reports(&w->queue, rc);
    w->log->queued_entries -= w->queue.count;
    w->log->queued_bytes -= w->queue.bytes.size;
    batch told = w->done;
    w->done = w->queue;
    w->queue = told;
    if (rc == SQLITE_OK) pdr_sqlite_wake_readers(w->log, w->partition);
}

void pdr_sqlite_write_queues(sqlite_log *log)
{
    if (!log->queued_entries) return;
    if (pdr_sqlite_wait_on(&log->wait)) return;
    pdr_sqlite_lock(&log->member);
    int rc = write_all(log);
    pdr_sqlite_unlock(&log->member);
    if ((rc & 0xff) == SQLITE_BUSY) {
        pdr_sqlite_wait_more(&log->wait);
        return;
    }
    pdr_sqlite_wait_over(&log->wait);
    if (rc == SQLITE_OK) pdr_sqlite_ring(&log->member);
    for (writer *w = log->writers; w; w = w->next) {
        if (w->queue.count) settle(w, rc);
    }
}

size_t pdr_sqlite_tell_reports(sqlite_log *log)
{
    size_t callbacks = 0;
    for (writer *w = log->writers; w; w = w->next) {
        size_t count = w->done.count;
        if (w->closed || count == 0) continue;
        w->done.count = 0;
        w->events->reports(w->context, w->done.reports, count);
        callbacks++;
        batch_clear(&w->done);
    }
    return callbacks;
}
