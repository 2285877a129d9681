/* Switches of versions, and swap: another version becomes the one that readers' views show. Each operation is
 * one transaction. */
#include "backends/sqlite/sqlite_views_internal.h"

/* --- Switches --- */

/* `sql` sets ?3 and, when `text` isn't NULL, ?4. */
static pdr_code set(pdr_views *views, const char *sql, const char *projection, uint32_t version,
                    int64_t number, const char *text, int timeout_ms, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_enter(v, true, timeout_ms, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code == PDR_OK) {
        int rc = sqlite3_bind_int64(s, 3, number);
        if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 5, pdr_sqv_wall_us());
        if (rc == SQLITE_OK && text) rc = sqlite3_bind_text(s, 4, text, -1, SQLITE_STATIC);
        if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
        if (rc != SQLITE_DONE)
            code = pdr_sqlite_fail(err, v->db, rc, sql);
        else if (sqlite3_changes(v->db) != 1)
            code = pdr_fail(err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
    }
    return pdr_sqv_leave(v, code, err);
}

#define FOR_VERSION ", changed_us = ?5 WHERE projection = ?1 AND version = ?2"

pdr_code pdr_sqv_set_paused(pdr_views *views, const char *projection, uint32_t version, bool paused,
                            int timeout_ms, pdr_error *err)
{
    return set(views, "UPDATE projection_version SET paused = ?3" FOR_VERSION, projection, version, paused,
               NULL, timeout_ms, err);
}

pdr_code pdr_sqv_set_throttle(pdr_views *views, const char *projection, uint32_t version, uint32_t per_second,
                              int timeout_ms, pdr_error *err)
{
    if (per_second > INT32_MAX)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a throttle of %u a second", per_second);
    return set(views, "UPDATE projection_version SET throttle = ?3" FOR_VERSION, projection, version,
               per_second, NULL, timeout_ms, err);
}

pdr_code pdr_sqv_set_fault(pdr_views *views, const char *projection, uint32_t version, const char *fault,
                           int timeout_ms, pdr_error *err)
{
    pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
    pdr_string clean = pdr_view_text(&arena, pdr_bytes_of(fault ? fault : "", fault ? strlen(fault) : 0));
    pdr_code code = clean.data
                        ? set(views, "UPDATE projection_version SET fault = coalesce(?4, ?3)" FOR_VERSION,
                              projection, version, 0, clean.data, timeout_ms, err)
                        : pdr_fail(err, PDR_NOMEM, "a fault");
    pdr_arena_release(&arena);
    return code;
}

/* --- Swap --- */

static pdr_code check_positions(sqlite_views *v, const char *projection, uint32_t version, pdr_error *err)
{
    static const char sql[] =
        "SELECT n.partition, n.\"offset\", l.\"offset\" FROM projection_position n JOIN projection_position "
        "l "
        "ON l.projection = n.projection AND l.partition = n.partition JOIN projection_version p ON "
        "p.projection = l.projection AND p.version = l.version AND p.state = 1 WHERE n.projection = ?1 AND "
        "n.version = ?2 AND n.\"offset\" < l.\"offset\" ORDER BY 1 LIMIT 1";
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code != PDR_OK) return code;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        code = pdr_fail(
            err, PDR_CONFLICT,
            "version %u is behind the live one in partition %d: at offset %lld, not %lld; let it catch up",
            version, sqlite3_column_int(s, 0), (long long)sqlite3_column_int64(s, 1),
            (long long)sqlite3_column_int64(s, 2));
    else if (rc != SQLITE_DONE)
        code = pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_reset(s);
    return code;
}

/* What `sql` gives in two columns, a text and a number, refuses the swap. */
static pdr_code refused_by(sqlite_views *v, const char *sql, const char *projection, uint32_t version,
                           const char *words, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code != PDR_OK) return code;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        code = pdr_fail(err, PDR_CONFLICT,
                        "version %u %s (%lld, %s): see `perdure dlq list %s`, or give --force", version,
                        words, (long long)sqlite3_column_int64(s, 1), (const char *)sqlite3_column_text(s, 0),
                        projection);
    else if (rc != SQLITE_DONE)
        code = pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_reset(s);
    return code;
}

static pdr_code check_health(sqlite_views *v, const char *projection, uint32_t version, pdr_error *err)
{
    pdr_code code =
        refused_by(v,
                   "SELECT fault, 1 FROM projection_version WHERE projection = ?1 AND version = ?2 "
                   "AND fault <> ''",
                   projection, version, "is stopped", err);
    if (code != PDR_OK) return code;
    return refused_by(v,
                      "SELECT min(entity), count(*) FROM dead_letter WHERE projection = ?1 AND version = ?2 "
                      "HAVING count(*) > 0",
                      projection, version, "has parked events", err);
}

static pdr_code make_views(sqlite_views *v, const char *projection, uint32_t version, pdr_error *err)
{
    static const char sql[] =
        "SELECT view FROM projection_table WHERE projection = ?1 AND version = ?2 ORDER BY number";
    sqlite3_stmt *s;
    int rc;
    views_sql views = VIEWS_SQL_INIT;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code != PDR_OK) return code;
    while (views.code == PDR_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        pdr_bytes view = pdr_sqlite_column(s, 0);
        views.code = pdr_buf_append(&views.text, view.data, view.size);
        pdr_sqv_add(&views, ";\n");
    }
    if (views.code == PDR_OK && rc != SQLITE_DONE) code = pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_reset(s);
    if (code == PDR_OK) code = pdr_sqv_exec(v, &views, err);
    pdr_sqv_sql_release(&views);
    return code;
}

static pdr_code replace_live(sqlite_views *v, const char *projection, uint32_t version, pdr_error *err)
{
    int64_t now[1] = {pdr_sqv_wall_us()};
    pdr_code code = pdr_sqv_drop_listed(
        v,
        "SELECT t.name, t.version FROM projection_table t JOIN projection_version p USING "
        "(projection, version) WHERE projection = ?1 AND p.state = 1",
        projection, 0, true, err);
    if (code == PDR_OK)
        code = pdr_sqv_run_for(
            v,
            "UPDATE projection_version SET state = 2, changed_us = ?3 WHERE projection = ?1 AND "
            "state = 1 AND ?2 > 0",
            projection, version, now, 1, err);
    if (code == PDR_OK)
        code = pdr_sqv_run_for(
            v,
            "UPDATE projection_version SET state = 1, changed_us = ?3 WHERE projection = ?1 AND "
            "version = ?2",
            projection, version, now, 1, err);
    return code == PDR_OK ? make_views(v, projection, version, err) : code;
}

pdr_code pdr_sqv_swap(pdr_views *views, const char *projection, uint32_t version, bool force, int lock_ms,
                      pdr_error *err)
{
    sqlite_views *v = views_of(views);
    int64_t state;
    pdr_code code = pdr_sqv_enter(v, true, lock_ms, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_state_of(v, projection, version, &state, err);
    if (code == PDR_OK) code = check_positions(v, projection, version, err);
    if (code == PDR_OK && !force) code = check_health(v, projection, version, err);
    if (code == PDR_OK) code = replace_live(v, projection, version, err);
    return pdr_sqv_leave(v, code, err);
}
