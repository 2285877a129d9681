#include "backends/sqlite/sqlite_db.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"

pdr_code pdr_sqlite_code(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW: return PDR_OK;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return PDR_LOCKED;
    case SQLITE_NOMEM: return PDR_NOMEM;
    case SQLITE_FULL: return PDR_NO_SPACE;
    case SQLITE_TOOBIG: return PDR_TOO_LARGE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return PDR_CORRUPT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL: return PDR_IO;
    case SQLITE_CONSTRAINT: return PDR_CORRUPT;
    default: return PDR_FATAL;
    }
}

pdr_code pdr_sqlite_fail(pdr_error *err, sqlite3 *db, int rc, const char *doing)
{
    const char *words = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    return pdr_fail_backend(err, pdr_sqlite_code(rc), rc, "%s: %s", doing, words);
}

int pdr_sqlite_run(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    return rc == SQLITE_ROW ? (reset == SQLITE_OK ? SQLITE_DONE : reset) : rc;
}

pdr_code pdr_sqlite_exec(sqlite3 *db, const char *sql, pdr_error *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? PDR_OK : pdr_sqlite_fail(err, db, rc, sql);
}

pdr_code pdr_sqlite_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql, pdr_error *err)
{
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? PDR_OK : pdr_sqlite_fail(err, db, rc, sql);
}

pdr_code pdr_sqlite_integer(sqlite3 *db, const char *sql, int64_t *out, pdr_error *err)
{
    sqlite3_stmt *statement;
    pdr_code code = pdr_sqlite_prepare(db, &statement, sql, err);
    if (code != PDR_OK) return code;
    int rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        *out = sqlite3_column_int64(statement, 0);
    } else if (rc == SQLITE_DONE) {
        code = pdr_fail(err, PDR_CORRUPT, "no row: %s", sql);
    } else {
        code = pdr_sqlite_fail(err, db, rc, sql);
    }
    sqlite3_finalize(statement);
    return code;
}

pdr_code pdr_sqlite_has(sqlite3 *db, const char *name, bool *out, pdr_error *err)
{
    sqlite3_stmt *statement;
    pdr_code code = pdr_sqlite_prepare(db, &statement, "SELECT 1 FROM sqlite_schema WHERE name = ?", err);
    if (code != PDR_OK) return code;
    int rc = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_step(statement);
    *out = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) code = pdr_sqlite_fail(err, db, rc, "reading the schema");
    sqlite3_finalize(statement);
    return code;
}

/* Nothing of a file is changed before it is known to be ours, or empty and ours to fill. */
static pdr_code check_owner(sqlite3 *db, bool create, pdr_error *err)
{
    int64_t id = 0, tables = 0;
    /* In this order, since another process may make our tables, id included, between the two. */
    pdr_code code = pdr_sqlite_integer(db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code == PDR_OK) code = pdr_sqlite_integer(db, "PRAGMA application_id", &id, err);
    if (code != PDR_OK || id == PDR_SQLITE_APPLICATION_ID) return code;
    if (id != 0 || tables > 0)
        return pdr_fail(err, PDR_EXISTS, "a database of another program (application_id %lld, %lld tables)",
                        (long long)id, (long long)tables);
    return create ? PDR_OK : pdr_fail(err, PDR_NOT_INITIALISED, "the file is empty");
}

/* The journal's safety rests on WAL with a sync at every commit; the limit gives a WAL's space back that one
 * huge group took. */
static pdr_code configure(sqlite3 *db, bool create, pdr_error *err)
{
    int rc = sqlite3_extended_result_codes(db, 1);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(db, PDR_SQLITE_OPEN_WAIT_MS);
    if (rc != SQLITE_OK) return pdr_sqlite_fail(err, db, rc, "settings");
    pdr_code code = check_owner(db, create, err);
    if (code != PDR_OK) return code;
    return pdr_sqlite_exec(db,
                           "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                           "PRAGMA cache_size = -16384; PRAGMA journal_size_limit = 67108864;",
                           err);
}

static pdr_code check_file(const char *path, bool create, pdr_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        if (S_ISREG(st.st_mode)) return PDR_OK;
        return pdr_fail(err, PDR_BAD_URL, "not a regular file");
    }
    if (errno != ENOENT) return pdr_fail_backend(err, PDR_IO, errno, "%s", strerror(errno));
    return create ? PDR_OK : pdr_fail(err, PDR_NOT_INITIALISED, "no such file");
}

static pdr_code open_configured(sqlite3 **out, const char *path, bool create, pdr_error *err)
{
    pdr_code code = check_file(path, create, err);
    if (code != PDR_OK) return code;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    int rc = sqlite3_open_v2(path, out, flags, NULL);
    code = rc == SQLITE_OK ? configure(*out, create, err) : pdr_sqlite_fail(err, *out, rc, "opening");
    if (code != PDR_OK) {
        pdr_sqlite_close(*out);
        *out = NULL;
    }
    return code;
}

pdr_code pdr_sqlite_open(sqlite3 **out, const char *path, bool create, pdr_error *err)
{
    *out = NULL;
    if (!path || !*path) return pdr_fail(err, PDR_BAD_URL, "sqlite: no file is named");
    pdr_code code = open_configured(out, path, create, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", path);
}

void pdr_sqlite_close(sqlite3 *db)
{
    /* close_v2 can't fail: a statement that were still open would only delay the release. */
    sqlite3_close_v2(db);
}

int pdr_sqlite_bind_text(sqlite3_stmt *statement, int index, pdr_bytes bytes)
{
    return sqlite3_bind_text64(statement, index, (const char *)bytes.data, bytes.size, SQLITE_STATIC,
                               SQLITE_UTF8);
}

int pdr_sqlite_bind_blob(sqlite3_stmt *statement, int index, pdr_bytes bytes)
{
    return sqlite3_bind_blob64(statement, index, bytes.data, bytes.size, SQLITE_STATIC);
}

pdr_bytes pdr_sqlite_column(sqlite3_stmt *statement, int column)
{
    static const uint8_t empty[1];
    if (sqlite3_column_type(statement, column) == SQLITE_NULL) return pdr_bytes_of(NULL, 0);
    const void *data = sqlite3_column_blob(statement, column);
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    return size ? pdr_bytes_of(data, size) : pdr_bytes_of(empty, 0);
}
