#include <stdio.h>

#include "backends/sqlite/sqlite_log_internal.h"

/* More terms than this SQLite refuses in one SELECT, so larger journals have no view over all partitions. */
enum { VIEW_PARTITIONS = 500, TABLES_SQL_BYTES = 4 * 1024 * 1024 };

static pdr_code read_row(sqlite3 *db, sqlite3_stmt *statement, pdr_log_info *out, pdr_error *err)
{
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_DONE) return pdr_fail(err, PDR_CORRUPT, "the log's table log_meta is empty");
    if (rc != SQLITE_ROW) return pdr_sqlite_fail(err, db, rc, "reading log_meta");
    int64_t partitions = sqlite3_column_int64(statement, 0);
    pdr_bytes name = pdr_sqlite_column(statement, 1);
    if (partitions < 1 || partitions > PDR_LOG_MAX_PARTITIONS || !name.data || name.size >= sizeof out->name)
        return pdr_fail(err, PDR_CORRUPT, "log_meta has impossible values (%lld partitions)",
                        (long long)partitions);
    memset(out, 0, sizeof *out);
    out->partitions = (int32_t)partitions;
    memcpy(out->name, name.data, name.size);
    return PDR_OK;
}

pdr_code pdr_sqlite_log_read_info(sqlite3 *db, pdr_log_info *out, pdr_error *err)
{
    bool there = false;
    pdr_code code = pdr_sqlite_has(db, "log_meta", &there, err);
    if (code != PDR_OK) return code;
    if (!there) return pdr_fail(err, PDR_NOT_INITIALISED, "the file has no log");
    int64_t format = 0;
    code = pdr_sqlite_integer(db, "SELECT format FROM log_meta", &format, err);
    if (code != PDR_OK) return code;
    if (format > PDR_SQLITE_LOG_FORMAT)
        return pdr_fail(err, PDR_TOO_NEW, "the log has format %lld, this version reads up to %d",
                        (long long)format, PDR_SQLITE_LOG_FORMAT);
    sqlite3_stmt *statement;
    code = pdr_sqlite_prepare(db, &statement, "SELECT partitions, journal FROM log_meta", err);
    if (code != PDR_OK) return code;
    code = read_row(db, statement, out, err);
    sqlite3_finalize(statement);
    return code;
}

/* The journal's name was checked to need no quoting. */
static pdr_code print_tables(pdr_buf *sql, const char *journal, int32_t partitions)
{
    pdr_code code = pdr_buf_printf(sql,
                                   "PRAGMA application_id = %d;"
                                   "CREATE TABLE log_meta (format INTEGER NOT NULL, journal TEXT NOT NULL, "
                                   "partitions INTEGER NOT NULL);"
                                   "INSERT INTO log_meta VALUES (%d, '%s', %d);",
                                   PDR_SQLITE_APPLICATION_ID, PDR_SQLITE_LOG_FORMAT, journal, partitions);
    for (int32_t p = 0; code == PDR_OK && p < partitions; p++) {
        code = pdr_buf_printf(sql,
                              "CREATE TABLE record_%d (offset INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, "
                              "key TEXT, value BLOB, header BLOB, schema TEXT, trace TEXT);",
                              p);
    }
    for (int32_t p = 0; code == PDR_OK && p < partitions && partitions <= VIEW_PARTITIONS; p++) {
        code = pdr_buf_printf(sql, "%s SELECT %d AS partition, * FROM record_%d",
                              p ? " UNION ALL" : "CREATE VIEW record AS", p, p);
    }
    return code == PDR_OK ? pdr_buf_append(sql, ";", 2) : code;
}

static pdr_code make_tables(sqlite3 *db, const char *journal, int32_t partitions, pdr_error *err)
{
    pdr_buf sql = PDR_BUF_INIT(TABLES_SQL_BYTES);
    pdr_code code = print_tables(&sql, journal, partitions);
    if (code != PDR_OK) {
        code = pdr_fail(err, code, "making the log's tables");
    } else {
        int rc = sqlite3_exec(db, (const char *)sql.data, NULL, NULL, NULL);
        if (rc != SQLITE_OK) code = pdr_sqlite_fail(err, db, rc, "making the log's tables");
    }
    pdr_buf_release(&sql);
    return code;
}

static pdr_code make_or_compare(sqlite3 *db, const char *journal, int32_t partitions, pdr_error *err)
{
    pdr_error inner;
    pdr_log_info info;
    pdr_code code = pdr_sqlite_log_read_info(db, &info, &inner);
    if (code == PDR_NOT_INITIALISED) return make_tables(db, journal, partitions, err);
    if (code != PDR_OK) return pdr_fail_backend(err, code, inner.backend, "%s", inner.message);
    if (info.partitions == partitions && strcmp(info.name, journal) == 0) return PDR_OK;
    return pdr_fail(err, PDR_EXISTS, "holds journal %s with %d partitions, not %s with %d", info.name,
                    info.partitions, journal, partitions);
}

static pdr_code check_name(const char *journal, int32_t partitions, pdr_error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = journal ? strlen(journal) : 0;
    if (size == 0 || size >= sizeof((pdr_log_info *)0)->name || strspn(journal, letters) != size)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "a journal's name is 1 to 249 letters, digits, '.', '_' or '-'");
    if (partitions < 1 || partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%d partitions; 1 to %d are possible", partitions,
                        PDR_LOG_MAX_PARTITIONS);
    return PDR_OK;
}

pdr_code pdr_sqlite_log_create(const char *path, const char *journal, int32_t partitions, pdr_error *err)
{
    pdr_code code = check_name(journal, partitions, err);
    if (code != PDR_OK) return code;
    sqlite3 *db;
    code = pdr_sqlite_open(&db, path, true, err);
    if (code != PDR_OK) return code;
    code = pdr_sqlite_exec(db, "BEGIN IMMEDIATE", err);
    if (code == PDR_OK) {
        code = make_or_compare(db, journal, partitions, err);
        pdr_code ended =
            pdr_sqlite_exec(db, code == PDR_OK ? "COMMIT" : "ROLLBACK", code == PDR_OK ? err : NULL);
        if (code == PDR_OK) code = ended;
    }
    pdr_sqlite_close(db);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", path);
}
