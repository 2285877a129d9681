#include "tests/unit/backends/sqlite/sqlite_rig.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char rig_file[80];
static char folder[64];

void rig_init(void)
{
    strcpy(folder, "/tmp/perdure-sqlite-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(rig_file, sizeof rig_file, "%s/x.db", folder);
}

void rig_release(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (int i = 0; i < 4; i++) {
        char path[100];
        snprintf(path, sizeof path, "%s%s", rig_file, suffixes[i]);
        unlink(path);
    }
    rmdir(folder);
}

void rig_put_file(const void *bytes, size_t size)
{
    FILE *file = fopen(rig_file, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

void rig_sql(const char *sql)
{
    sqlite3 *db;
    cr_assert_eq(sqlite3_open(rig_file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

int64_t rig_integer(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    cr_assert_eq(sqlite3_open(rig_file, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

/* --- a log --- */

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    rig_log *rig = context;
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(reports[i].tag, rig->reported++);
        if (reports[i].code != PDR_OK) rig->failed++;
        rig->last_code = reports[i].code;
        rig->last_offset = reports[i].offset;
    }
}

static void on_broken(void *context, const pdr_error *error)
{
    (void)context;
    cr_assert_fail("broken: %s", error->message);
}

static void on_trace(void *context, pdr_level level, const char *message)
{
    rig_log *rig = context;
    cr_assert(level <= PDR_LEVEL_ERROR);
    rig->told++;
    snprintf(rig->message, sizeof rig->message, "%s", message);
}

void rig_log_create(int32_t partitions)
{
    pdr_error err = {0};
    cr_assert_eq(pdr_sqlite_log_create(rig_file, "rig", partitions, &err), PDR_OK, "%s", err.message);
}

void rig_log_open(rig_log *rig)
{
    static const pdr_log_writer_events events = {.reports = on_reports, .broken = on_broken};
    pdr_error err = {0};
    *rig = (rig_log){0};
    cr_assert_eq(pdr_sqlite_log_open(&rig->log, rig_file, &err), PDR_OK, "%s", err.message);
    pdr_sqlite_log_set_trace(rig->log, on_trace, rig);
    cr_assert_eq(rig->log->ops->writer_open(rig->log, 0, &events, rig, &rig->writer, &err), PDR_OK);
}

void rig_log_close(rig_log *rig)
{
    rig->log->ops->writer_close(rig->writer);
    rig->log->ops->close(rig->log);
}

void rig_log_append(rig_log *rig, size_t value_size)
{
    static const uint8_t value[1 << 20] = {1, 2, 3};
    char key[32];
    int size = snprintf(key, sizeof key, "loan/%zu", rig->appended);
    pdr_log_entry entry = {.key = pdr_bytes_of(key, (size_t)size), .value = {value, value_size}};
    cr_assert_eq(rig->log->ops->append(rig->writer, &entry, rig->appended, NULL), PDR_OK);
    rig->appended++;
}

static void turn(pdr_log *log)
{
    if (log->ops->poll(log)) return;
    struct pollfd fds[4];
    int64_t due;
    int count = log->ops->wait_on(log, fds, 4, &due);
    if (due > 100000) due = 100000;
    poll(fds, (nfds_t)count, (int)((due + 999) / 1000));
}

void rig_log_wait(rig_log *rig, size_t reported)
{
    while (rig->reported < reported)
        turn(rig->log);
}

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    rig_log *rig = context;
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(records[i].offset, (int64_t)rig->read++);
}

static void on_end(void *context, int64_t end)
{
    ((rig_log *)context)->end = end;
}

static void on_failed(void *context, const pdr_error *error)
{
    ((rig_log *)context)->failure = *error;
}

size_t rig_log_count(rig_log *rig)
{
    static const pdr_log_reader_events events = {.records = on_records, .end = on_end, .failed = on_failed};
    pdr_log_reader *reader;
    rig->read = 0;
    rig->end = -1;
    cr_assert_eq(rig->log->ops->reader_open(rig->log, 0, 0, &events, rig, &reader, NULL), PDR_OK);
    while (rig->end < 0 && rig->failure.code == PDR_OK)
        turn(rig->log);
    rig->log->ops->reader_close(reader);
    return rig->read;
}
