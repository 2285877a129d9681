/* Blocking looks at heads with their states, and states that are dropped. */
#include <stdio.h>

#include "backends/sqlite/sqlite_store_internal.h"

/* --- dump --- */

static pdr_code dump_rows(sqlite3 *db, sqlite3_stmt *s, pdr_store_dump_row row, void *context, pdr_error *err)
{
    for (;;) {
        int rc = sqlite3_step(s);
        if (rc == SQLITE_DONE) return PDR_OK;
        if (rc != SQLITE_ROW) return pdr_sqlite_fail(err, db, rc, "reading the heads");
        pdr_head head = pdr_sqlite_column_head(s, 1);
        pdr_code code = row(context, sqlite3_column_int(s, 0), &head, err);
        if (code != PDR_OK) return code;
    }
}

/* SQLite keeps text as its bytes and compares it so; revisions are unsigned. */
#define DUMPED(where)                                                                                        \
    "SELECT h.partition, " HEAD_COLUMNS " FROM store_head h LEFT JOIN store_state s ON s.key = h.key " where \
    "ORDER BY h.key, s.revision < 0, s.revision"

/* key NULL: of all. */
static pdr_code dump(sqlite_store *store, const pdr_bytes *key, int timeout_ms, pdr_store_dump_row row,
                     void *context, pdr_error *err)
{
    pdr_store_meta meta;
    sqlite3_stmt *s;
    pdr_code code = pdr_sqlite_store_meta(&store->base, &meta, timeout_ms, err);
    if (code == PDR_OK)
        code = pdr_sqlite_prepare(store->db, &s, key ? DUMPED("WHERE h.key = ?1 ") : DUMPED(""), err);
    if (code != PDR_OK) return code;
    sqlite3_busy_timeout(store->db, timeout_ms);
    int rc = key ? pdr_sqlite_bind_text(s, 1, *key) : SQLITE_OK;
    code = rc == SQLITE_OK ? dump_rows(store->db, s, row, context, err)
                           : pdr_sqlite_fail(err, store->db, rc, "reading the heads");
    sqlite3_busy_timeout(store->db, 0);
    sqlite3_finalize(s);
    return code;
}

pdr_code pdr_sqlite_store_dump(pdr_store *base, pdr_store_dump_row row, void *context, pdr_error *err)
{
    return dump((sqlite_store *)base, NULL, PDR_SQLITE_OPEN_WAIT_MS, row, context, err);
}

pdr_code pdr_sqlite_store_dump_one(pdr_store *base, pdr_bytes key, pdr_store_dump_row row, void *context,
                                   int timeout_ms, pdr_error *err)
{
    return dump((sqlite_store *)base, &key, timeout_ms, row, context, err);
}

/* --- dropping --- */

enum { FIRST_REVISION = 4, MAX_SQL = 1024 };

/* ?1 the key, ?2 the prefix, ?3 the limit; then the revisions. */
static void drop_sql(char *sql, const pdr_state_filter *which)
{
    int size =
        snprintf(sql, MAX_SQL,
                 "DELETE FROM store_state WHERE rowid IN (SELECT rowid FROM store_state WHERE "
                 "(?1 = '' OR key = ?1) AND (?2 = '' OR (key >= ?2 AND substr(key, 1, length(?2)) = ?2)) "
                 "AND revision %s IN (",
                 which->others ? "NOT" : "");
    for (size_t i = 0; i < which->revision_count; i++)
        size +=
            snprintf(sql + size, (size_t)(MAX_SQL - size), "%s?%d", i ? "," : "", FIRST_REVISION + (int)i);
    (void)snprintf(sql + size, (size_t)(MAX_SQL - size), ") LIMIT ?3)");
}

static pdr_code drop(sqlite_store *store, sqlite3_stmt *s, const pdr_state_filter *which, size_t limit,
                     pdr_error *err)
{
    int rc = pdr_sqlite_bind_text(s, 1, which->key.size ? which->key : pdr_bytes_of("", 0));
    if (rc == SQLITE_OK)
        rc = pdr_sqlite_bind_text(s, 2, which->prefix.size ? which->prefix : pdr_bytes_of("", 0));
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
    for (size_t i = 0; rc == SQLITE_OK && i < which->revision_count; i++)
        rc = sqlite3_bind_int64(s, FIRST_REVISION + (int)i, (int64_t)which->revisions[i]);
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    return rc == SQLITE_DONE ? PDR_OK : pdr_sqlite_fail(err, store->db, rc, "dropping states");
}

pdr_code pdr_sqlite_store_drop_states(pdr_store *base, const pdr_state_filter *which, size_t limit,
                                      uint64_t *dropped, int timeout_ms, pdr_error *err)
{
    sqlite_store *store = (sqlite_store *)base;
    char sql[MAX_SQL];
    pdr_store_meta meta;
    sqlite3_stmt *s;
    *dropped = 0;
    if (which->revision_count > PDR_STORE_MAX_REVISIONS || limit == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%zu revisions, at most %zu states", which->revision_count,
                        limit);
    drop_sql(sql, which);
    pdr_code code = pdr_sqlite_store_meta(base, &meta, timeout_ms, err);
    if (code == PDR_OK) code = pdr_sqlite_prepare(store->db, &s, sql, err);
    if (code != PDR_OK) return code;
    sqlite3_busy_timeout(store->db, timeout_ms);
    code = drop(store, s, which, limit, err);
    if (code == PDR_OK) *dropped = (uint64_t)sqlite3_changes64(store->db);
    sqlite3_busy_timeout(store->db, 0);
    sqlite3_finalize(s);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "%s", store->path);
}
