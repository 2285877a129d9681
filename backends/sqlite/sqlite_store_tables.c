#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "backends/sqlite/sqlite_store_internal.h"

/* Heads and states are rowid tables on purpose: an update touches one page of rows and no index. Measured,
 * with 100,000 heads of 160 bytes of ids and states of 200: saved 5 to 10 times as fast as WITHOUT ROWID. */
static const char tables_sql[] =
    "CREATE TABLE store_meta (format INTEGER NOT NULL, journal_id BLOB NOT NULL, partitions INTEGER NOT "
    "NULL);"
    "CREATE TABLE store_partition (partition INTEGER PRIMARY KEY, store_id BLOB NOT NULL, "
    "term_offset INTEGER NOT NULL, term_incarnation INTEGER NOT NULL, saves INTEGER NOT NULL, "
    "checkpoint_offset INTEGER NOT NULL, checkpoint_term_offset INTEGER NOT NULL, "
    "checkpoint_term_incarnation INTEGER NOT NULL, checkpoint_number INTEGER NOT NULL, "
    "seen_offset INTEGER NOT NULL, seen_term_offset INTEGER NOT NULL, seen_term_incarnation INTEGER NOT "
    "NULL, "
    "seen_number INTEGER NOT NULL);"
    "CREATE TABLE store_head (key TEXT NOT NULL PRIMARY KEY, partition INTEGER NOT NULL, seq INTEGER NOT "
    "NULL, "
    "last_offset INTEGER NOT NULL, last_term_offset INTEGER NOT NULL, last_term_incarnation INTEGER NOT "
    "NULL, "
    "last_number INTEGER NOT NULL, ids BLOB, timer_us INTEGER);"
    "CREATE TABLE store_state (key TEXT NOT NULL, revision INTEGER NOT NULL, seq INTEGER NOT NULL, "
    "state BLOB NOT NULL, PRIMARY KEY (key, revision));"
    "CREATE TABLE store_schema (fingerprint INTEGER PRIMARY KEY, name TEXT NOT NULL, json TEXT NOT NULL);"
    "CREATE TABLE store_takeover (id INTEGER PRIMARY KEY, partition INTEGER NOT NULL, "
    "term_offset INTEGER NOT NULL, term_incarnation INTEGER NOT NULL, at_us INTEGER NOT NULL, address TEXT);";

/* The schema registry's ids. An older version neither knows nor minds this table. */
static const char later_tables_sql[] =
    "CREATE TABLE IF NOT EXISTS store_registry (fingerprint INTEGER PRIMARY KEY, id INTEGER NOT NULL);";

pdr_code pdr_sqlite_store_add_tables(sqlite3 *db, pdr_error *err)
{
    bool there = false;
    pdr_code code = pdr_sqlite_has(db, "store_registry", &there, err);
    return code != PDR_OK || there ? code : pdr_sqlite_exec(db, later_tables_sql, err);
}

/* --- meta --- */

static pdr_code read_meta_row(sqlite3 *db, sqlite3_stmt *statement, pdr_store_meta *out, pdr_error *err)
{
    int rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return pdr_sqlite_fail(err, db, rc, "reading store_meta");
    pdr_bytes id = rc == SQLITE_ROW ? pdr_sqlite_column(statement, 0) : pdr_bytes_of(NULL, 0);
    int64_t partitions = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 1) : 0;
    if (id.size != PDR_ID_SIZE || partitions < 1 || partitions > INT32_MAX)
        return pdr_fail(err, PDR_CORRUPT, "the store's table store_meta has impossible values");
    memcpy(out->journal_id, id.data, PDR_ID_SIZE);
    out->partitions = (int32_t)partitions;
    return PDR_OK;
}

pdr_code pdr_sqlite_store_read_meta(sqlite3 *db, pdr_store_meta *out, pdr_error *err)
{
    bool there = false;
    pdr_code code = pdr_sqlite_has(db, "store_meta", &there, err);
    if (code != PDR_OK) return code;
    if (!there) return pdr_fail(err, PDR_NOT_INITIALISED, "the file has no store");
    int64_t format = 0;
    code = pdr_sqlite_integer(db, "SELECT format FROM store_meta", &format, err);
    if (code != PDR_OK) return code;
    if (format > PDR_SQLITE_STORE_FORMAT)
        return pdr_fail(err, PDR_TOO_NEW, "the store has format %lld, this version knows up to %d",
                        (long long)format, PDR_SQLITE_STORE_FORMAT);
    sqlite3_stmt *statement;
    code = pdr_sqlite_prepare(db, &statement, "SELECT journal_id, partitions FROM store_meta", err);
    if (code != PDR_OK) return code;
    code = read_meta_row(db, statement, out, err);
    sqlite3_finalize(statement);
    return code;
}

static pdr_code compare_meta(const pdr_store_meta *there, const pdr_store_meta *wanted, pdr_error *err)
{
    if (memcmp(there->journal_id, wanted->journal_id, PDR_ID_SIZE) != 0)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the store belongs to another journal");
    if (there->partitions != wanted->partitions)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the store has %d partitions, the journal %d",
                        there->partitions, wanted->partitions);
    return PDR_OK;
}

/* --- init and reset: each one transaction --- */

static pdr_code run_bound(sqlite3 *db, sqlite3_stmt *statement, const char *doing, pdr_error *err)
{
    int rc = pdr_sqlite_run(statement);
    pdr_code code = rc == SQLITE_DONE ? PDR_OK : pdr_sqlite_fail(err, db, rc, doing);
    sqlite3_finalize(statement);
    return code;
}

static pdr_code write_meta(sqlite3 *db, const pdr_store_meta *meta, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = pdr_sqlite_prepare(db, &s, "INSERT INTO store_meta VALUES (?, ?, ?)", err);
    if (code != PDR_OK) return code;
    sqlite3_bind_int(s, 1, PDR_SQLITE_STORE_FORMAT);
    sqlite3_bind_blob(s, 2, meta->journal_id, PDR_ID_SIZE, SQLITE_STATIC);
    sqlite3_bind_int(s, 3, meta->partitions);
    return run_bound(db, s, "writing store_meta", err);
}

/* All partitions' rows at the start, under a store id drawn for them. */
static pdr_code write_rows(sqlite3 *db, int32_t partitions, pdr_error *err)
{
    uint8_t id[PDR_ID_SIZE];
    if (getrandom(id, sizeof id, 0) != (ssize_t)sizeof id)
        return pdr_fail_backend(err, PDR_IO, errno, "drawing a store id");
    sqlite3_stmt *s;
    pdr_code code = pdr_sqlite_prepare(
        db, &s,
        "WITH RECURSIVE p(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM p WHERE n + 1 < ?2) "
        "REPLACE INTO store_partition SELECT n, ?1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0 FROM p",
        err);
    if (code != PDR_OK) return code;
    sqlite3_bind_blob(s, 1, id, sizeof id, SQLITE_STATIC);
    sqlite3_bind_int(s, 2, partitions);
    return run_bound(db, s, "writing store_partition", err);
}

static pdr_code init_inside(sqlite3 *db, const pdr_store_meta *meta, pdr_error *err)
{
    pdr_store_meta there;
    pdr_error inner;
    pdr_code code = pdr_sqlite_store_read_meta(db, &there, &inner);
    if (code == PDR_OK) return compare_meta(&there, meta, err);
    if (code != PDR_NOT_INITIALISED) return pdr_fail_backend(err, code, inner.backend, "%s", inner.message);
    char mark[64];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d", PDR_SQLITE_APPLICATION_ID);
    code = pdr_sqlite_exec(db, mark, err);
    if (code == PDR_OK) code = pdr_sqlite_exec(db, tables_sql, err);
    if (code == PDR_OK) code = pdr_sqlite_exec(db, later_tables_sql, err);
    if (code == PDR_OK) code = write_meta(db, meta, err);
    return code == PDR_OK ? write_rows(db, meta->partitions, err) : code;
}

static pdr_code reset_inside(sqlite3 *db, const pdr_store_meta *meta, pdr_error *err)
{
    pdr_store_meta there;
    pdr_code code = pdr_sqlite_store_read_meta(db, &there, err);
    if (code == PDR_OK) code = compare_meta(&there, meta, err);
    if (code != PDR_OK) return code;
    code = pdr_sqlite_exec(db,
                           "DELETE FROM store_head; DELETE FROM store_state; DELETE FROM store_takeover;"
                           "DELETE FROM store_partition;",
                           err);
    return code == PDR_OK ? write_rows(db, meta->partitions, err) : code;
}

typedef pdr_code (*inside)(sqlite3 *db, const pdr_store_meta *meta, pdr_error *err);

static pdr_code in_transaction(sqlite_store *store, inside what, const pdr_store_meta *meta, int timeout_ms,
                               pdr_error *err)
{
    sqlite3_busy_timeout(store->db, timeout_ms);
    pdr_code code = pdr_sqlite_exec(store->db, "BEGIN IMMEDIATE", err);
    if (code == PDR_OK) {
        code = what(store->db, meta, err);
        if (code == PDR_OK) code = pdr_sqlite_exec(store->db, "COMMIT", err);
        if (code != PDR_OK && !sqlite3_get_autocommit(store->db)) {
            pdr_code undone = pdr_sqlite_exec(store->db, "ROLLBACK", NULL);
            (void)undone; /* the first failure is the one to tell */
        }
    }
    sqlite3_busy_timeout(store->db, 0);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", store->path);
}

pdr_code pdr_sqlite_store_init(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err)
{
    if (meta->partitions < 1) return pdr_fail(err, PDR_INVALID_ARGUMENT, "%d partitions", meta->partitions);
    return in_transaction((sqlite_store *)base, init_inside, meta, timeout_ms, err);
}

pdr_code pdr_sqlite_store_reset(pdr_store *base, const pdr_store_meta *meta, int timeout_ms, pdr_error *err)
{
    return in_transaction((sqlite_store *)base, reset_inside, meta, timeout_ms, err);
}

pdr_code pdr_sqlite_store_meta(pdr_store *base, pdr_store_meta *out, int timeout_ms, pdr_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    sqlite3_busy_timeout(store->db, timeout_ms);
    pdr_code code = pdr_sqlite_store_read_meta(store->db, out, err);
    sqlite3_busy_timeout(store->db, 0);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", store->path);
}
