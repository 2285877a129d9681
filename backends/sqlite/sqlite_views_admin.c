/* Making, emptying and dropping versions. Each operation is one transaction. */
#include <stdio.h>

#include "backends/sqlite/sqlite_views_internal.h"

enum { MAX_DECLARED = 4 * 1024 * 1024 };

static const char tables_sql[] =
    "CREATE TABLE projection_meta (format INTEGER NOT NULL);"
    "CREATE TABLE projection_version (projection TEXT NOT NULL, version INTEGER NOT NULL, state INTEGER NOT "
    "NULL, paused INTEGER NOT NULL, fingerprint INTEGER NOT NULL, throttle INTEGER NOT NULL, fault TEXT NOT "
    "NULL, journal_id BLOB NOT NULL, partitions INTEGER NOT NULL, declared TEXT NOT NULL, created_us INTEGER "
    "NOT NULL, changed_us "
    "INTEGER NOT NULL, PRIMARY KEY (projection, version));"
    "CREATE UNIQUE INDEX one_live_version ON projection_version (projection) WHERE state = 1;"
    "CREATE TABLE projection_table (projection TEXT NOT NULL, version INTEGER NOT NULL, number INTEGER NOT "
    "NULL, name TEXT NOT NULL, view TEXT NOT NULL, PRIMARY KEY (projection, version, number));"
    "CREATE TABLE projection_position (projection TEXT NOT NULL, version INTEGER NOT NULL, partition INTEGER "
    "NOT NULL, \"offset\" INTEGER NOT NULL, term_offset INTEGER NOT NULL, term_incarnation INTEGER NOT NULL, "
    "number INTEGER NOT NULL, event_time_us INTEGER, events INTEGER NOT NULL, updated_us INTEGER NOT NULL, "
    "worker TEXT NOT NULL, generation INTEGER NOT NULL, PRIMARY KEY (projection, version, partition));"
    "CREATE TABLE dead_letter (projection TEXT NOT NULL, version INTEGER NOT NULL, partition INTEGER NOT "
    "NULL, \"offset\" INTEGER NOT NULL, before_offset INTEGER NOT NULL, before_term_offset INTEGER NOT NULL, "
    "before_term_incarnation INTEGER NOT NULL, before_number INTEGER NOT NULL, entity TEXT NOT NULL, seq "
    "INTEGER NOT NULL, behind INTEGER NOT NULL, attempts INTEGER NOT NULL, first_us INTEGER NOT NULL, "
    "last_us INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (projection, version, partition, "
    "\"offset\"));"
    "CREATE INDEX dead_letter_entity ON dead_letter (projection, version, entity);"
    "CREATE TABLE projection_request (id INTEGER PRIMARY KEY AUTOINCREMENT, projection TEXT NOT NULL, "
    "version INTEGER NOT NULL, kind INTEGER NOT NULL, partition INTEGER NOT NULL, entity TEXT NOT NULL, "
    "asked_us INTEGER NOT NULL);";

/* --- Transactions --- */

static pdr_code check_format(sqlite_views *v, pdr_error *err)
{
    bool there = false;
    int64_t format = 0;
    pdr_code code = pdr_sqlite_has(v->db, "projection_meta", &there, err);
    if (code != PDR_OK) return code;
    if (!there) return pdr_fail(err, PDR_NOT_INITIALISED, "the file has no views");
    code = pdr_sqlite_integer(v->db, "SELECT format FROM projection_meta", &format, err);
    if (code == PDR_OK && format < PDR_SQLITE_VIEWS_FORMAT)
        return pdr_fail(err, PDR_NOT_INITIALISED, "the views have format %lld, this version writes %d",
                        (long long)format, PDR_SQLITE_VIEWS_FORMAT);
    if (code != PDR_OK || format == PDR_SQLITE_VIEWS_FORMAT) return code;
    return pdr_fail(err, PDR_TOO_NEW, "the views have format %lld, this version knows up to %d",
                    (long long)format, PDR_SQLITE_VIEWS_FORMAT);
}

static pdr_code begin(sqlite_views *v, bool write, int timeout_ms, pdr_error *err)
{
    sqlite3_busy_timeout(v->db, timeout_ms > 0 ? timeout_ms : 1);
    pdr_sqv_settle(v);
    return pdr_sqlite_exec(v->db, write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

pdr_code pdr_sqv_leave(sqlite_views *v, pdr_code code, pdr_error *err)
{
    if (code == PDR_OK) code = pdr_sqlite_exec(v->db, "COMMIT", err);
    if (code != PDR_OK && !sqlite3_get_autocommit(v->db)) {
        pdr_code undone = pdr_sqlite_exec(v->db, "ROLLBACK", NULL);
        (void)undone; /* the first failure is the one to tell */
    }
    sqlite3_busy_timeout(v->db, 0);
    if (code == PDR_OK) return PDR_OK;
    /* A statement of ours or of a projection that the file refuses: its tables aren't what they should be. */
    return pdr_fail_context(err, code == PDR_FATAL ? PDR_BAD_VIEW : code, "%s", v->path);
}

pdr_code pdr_sqv_enter(sqlite_views *v, bool write, int timeout_ms, pdr_error *err)
{
    pdr_code code = begin(v, write, timeout_ms, err);
    if (code == PDR_OK) code = check_format(v, err);
    return code == PDR_OK ? PDR_OK : pdr_sqv_leave(v, code, err);
}

pdr_code pdr_sqv_prepare_for(sqlite_views *v, sqlite3_stmt **out, const char *sql, const char *projection,
                             uint32_t version, pdr_error *err)
{
    int rc = pdr_sqv_statement(v, sql, out);
    if (rc != SQLITE_OK) return pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_clear_bindings(*out);
    rc = projection ? sqlite3_bind_text(*out, 1, projection, -1, SQLITE_STATIC) : SQLITE_OK;
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(*out) > 1) rc = sqlite3_bind_int64(*out, 2, version);
    return rc == SQLITE_OK ? PDR_OK : pdr_sqlite_fail(err, v->db, rc, sql);
}

/* Run a statement for one version; further integers are bound from ?3 on. */
pdr_code pdr_sqv_run_for(sqlite_views *v, const char *sql, const char *projection, uint32_t version,
                         const int64_t *numbers, int count, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    int rc = SQLITE_OK;
    for (int i = 0; code == PDR_OK && rc == SQLITE_OK && i < count; i++)
        rc = sqlite3_bind_int64(s, 3 + i, numbers[i]);
    if (code == PDR_OK && rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    if (code != PDR_OK || rc == SQLITE_DONE) return code;
    return pdr_sqlite_fail(err, v->db, rc, sql);
}

/* The first column of the first row. PDR_NOT_FOUND: none. */
static pdr_code one_number(sqlite_views *v, const char *sql, const char *projection, uint32_t version,
                           int64_t *out, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code != PDR_OK) return code;
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    else if (rc == SQLITE_DONE)
        code = pdr_fail(err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
    else
        code = pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_reset(s);
    return code;
}

pdr_code pdr_sqv_exec(sqlite_views *v, views_sql *sql, pdr_error *err)
{
    const char *text = pdr_sqv_text(sql);
    pdr_code code = text ? pdr_sqlite_exec(v->db, text, err) : pdr_fail(err, PDR_NOMEM, "a statement");
    pdr_buf_clear(&sql->text);
    return code;
}

/* --- Init --- */

static pdr_code make_tables(sqlite_views *v, pdr_error *err)
{
    char mark[120];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d; ", PDR_SQLITE_APPLICATION_ID);
    pdr_code code = pdr_sqlite_exec(v->db, mark, err);
    if (code == PDR_OK) code = pdr_sqlite_exec(v->db, tables_sql, err);
    snprintf(mark, sizeof mark, "INSERT INTO projection_meta VALUES (%d)", PDR_SQLITE_VIEWS_FORMAT);
    return code == PDR_OK ? pdr_sqlite_exec(v->db, mark, err) : code;
}

/* Format 1 had no generations. */
static pdr_code renew_tables(sqlite_views *v, pdr_error *err)
{
    return pdr_sqlite_exec(v->db,
                           "ALTER TABLE projection_position ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;"
                           "UPDATE projection_position SET generation = random();"
                           "UPDATE projection_meta SET format = 2",
                           err);
}

pdr_code pdr_sqv_init(pdr_views *views, int timeout_ms, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    bool there = false;
    pdr_code code = begin(v, true, timeout_ms, err);
    if (code == PDR_OK) {
        pdr_error inner = {0};
        code = check_format(v, &inner);
        if (code == PDR_NOT_INITIALISED) {
            code = pdr_sqlite_has(v->db, "projection_meta", &there, err);
            if (code == PDR_OK) code = there ? renew_tables(v, err) : make_tables(v, err);
        } else if (code != PDR_OK) {
            code = pdr_fail_backend(err, code, inner.backend, "%s", inner.message);
        }
    }
    return pdr_sqv_leave(v, code, err);
}

/* --- Create --- */

typedef struct standing {
    bool same_version, same_fingerprint, other_journal, live;
} standing;

static pdr_code look(sqlite_views *v, const pdr_version_spec *spec, standing *out, pdr_error *err)
{
    static const char sql[] =
        "SELECT version, fingerprint, journal_id, state FROM projection_version WHERE projection = ?1";
    sqlite3_stmt *s;
    int rc;
    *out = (standing){0};
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, spec->projection, 0, err);
    if (code != PDR_OK) return code;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        pdr_bytes id = pdr_sqlite_column(s, 2), mine = pdr_bytes_of(spec->journal_id, 16);
        if (!pdr_bytes_equal(id, mine)) out->other_journal = true;
        if (sqlite3_column_int(s, 3) == PDR_VERSION_LIVE) out->live = true;
        if (sqlite3_column_int64(s, 0) != spec->version) continue;
        out->same_version = true;
        out->same_fingerprint = (uint64_t)sqlite3_column_int64(s, 1) == spec->fingerprint;
    }
    if (rc != SQLITE_DONE) code = pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_reset(s);
    return code;
}

static pdr_code refuse_others(const pdr_version_spec *spec, standing s, pdr_error *err)
{
    if (s.other_journal)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "projection %s in this file is of another journal",
                        spec->projection);
    if (!s.same_version || s.same_fingerprint) return PDR_OK;
    return pdr_fail(
        err, PDR_CONFLICT,
        "projection %s has version %u already, made from another definition: give the changed one "
        "a higher version and run `perdure project rebuild %s`",
        spec->projection, spec->version, spec->projection);
}

static pdr_code refuse(const pdr_version_spec *spec, standing s, pdr_error *err)
{
    pdr_code code = refuse_others(spec, s, err);
    if (code != PDR_OK || !s.same_version) return code;
    return pdr_fail(err, PDR_EXISTS, "projection %s has version %u already", spec->projection, spec->version);
}

/* Two projections can't show a view of one name. */
static pdr_code names_are_free(sqlite_views *v, const pdr_version_spec *spec, pdr_error *err)
{
    static const char sql[] =
        "SELECT projection FROM projection_table WHERE projection <> ?1 AND name = ?3 AND ?2 > 0 LIMIT 1";
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < spec->table_count; i++) {
        sqlite3_stmt *s;
        code = pdr_sqv_prepare_for(v, &s, sql, spec->projection, spec->version, err);
        if (code != PDR_OK) return code;
        int rc = sqlite3_bind_text(s, 3, spec->tables[i].name, -1, SQLITE_STATIC);
        if (rc == SQLITE_OK) rc = sqlite3_step(s);
        if (rc == SQLITE_ROW)
            code = pdr_fail(err, PDR_CONFLICT, "projection %s has a table %s already",
                            (const char *)sqlite3_column_text(s, 0), spec->tables[i].name);
        else if (rc != SQLITE_DONE)
            code = pdr_sqlite_fail(err, v->db, rc, sql);
        sqlite3_reset(s);
    }
    return code;
}

static pdr_code add_version(sqlite_views *v, const pdr_version_spec *spec, bool live, pdr_error *err)
{
    static const char sql[] =
        "INSERT INTO projection_version VALUES (?1, ?2, ?3, 0, ?4, 0, '', ?7, ?5, ?8, ?6, ?6)";
    sqlite3_stmt *s;
    pdr_buf declared = PDR_BUF_INIT(MAX_DECLARED);
    pdr_code code = pdr_view_tables_print(&declared, spec->tables, spec->table_count, err);
    if (code == PDR_OK) code = pdr_sqv_prepare_for(v, &s, sql, spec->projection, spec->version, err);
    if (code != PDR_OK) {
        pdr_buf_release(&declared);
        return code;
    }
    int rc = sqlite3_bind_int(s, 3, live ? PDR_VERSION_LIVE : PDR_VERSION_BUILDING);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 4, (int64_t)spec->fingerprint);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 5, spec->partitions);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 6, pdr_sqv_wall_us());
    if (rc == SQLITE_OK) rc = sqlite3_bind_blob(s, 7, spec->journal_id, 16, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_text(s, 8, pdr_buf_bytes(&declared));
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    pdr_buf_release(&declared);
    return rc == SQLITE_DONE ? PDR_OK : pdr_sqlite_fail(err, v->db, rc, sql);
}

static pdr_code add_positions(sqlite_views *v, const pdr_version_spec *spec, pdr_error *err)
{
    int64_t numbers[2] = {spec->partitions, pdr_sqv_wall_us()};
    return pdr_sqv_run_for(
        v,
        "WITH RECURSIVE p(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM p WHERE n + 1 < ?3) "
        "INSERT INTO projection_position SELECT ?1, ?2, n, -1, -1, 0, 0, NULL, 0, ?4, '', random() FROM p",
        spec->projection, spec->version, numbers, 2, err);
}

static pdr_code note_table(sqlite_views *v, const pdr_version_spec *spec, size_t index, const char *view,
                           pdr_error *err)
{
    static const char sql[] = "INSERT INTO projection_table VALUES (?1, ?2, ?3, ?4, ?5)";
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, spec->projection, spec->version, err);
    if (code != PDR_OK) return code;
    int rc = sqlite3_bind_int64(s, 3, (int64_t)index);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(s, 4, spec->tables[index].name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(s, 5, view, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
    return rc == SQLITE_DONE ? PDR_OK : pdr_sqlite_fail(err, v->db, rc, sql);
}

static pdr_code make_table(sqlite_views *v, const pdr_version_spec *spec, size_t index, bool live,
                           pdr_error *err)
{
    const pdr_table *table = &spec->tables[index];
    views_sql sql = VIEWS_SQL_INIT;
    pdr_sqv_add_create(&sql, spec, index);
    pdr_code code = pdr_sqv_exec(v, &sql, err);
    for (size_t i = 0; code == PDR_OK && i < table->statement_count; i++) {
        code = pdr_sqv_expand(&sql, table->statements[i], spec, index, err);
        if (code == PDR_OK) code = pdr_sqv_exec(v, &sql, err);
    }
    pdr_sqv_add_view(&sql, spec, index);
    const char *view = pdr_sqv_text(&sql);
    if (code == PDR_OK) code = view ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a view");
    if (code == PDR_OK) code = note_table(v, spec, index, view, err);
    if (code == PDR_OK && live) code = pdr_sqlite_exec(v->db, view, err);
    pdr_sqv_sql_release(&sql);
    return code;
}

pdr_code pdr_sqv_create(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    standing s;
    pdr_code code = pdr_sqv_enter(v, true, timeout_ms, err);
    if (code != PDR_OK) return code;
    code = look(v, spec, &s, err);
    if (code == PDR_OK) code = refuse(spec, s, err);
    if (code == PDR_OK) code = names_are_free(v, spec, err);
    if (code == PDR_OK) code = add_version(v, spec, !s.live, err);
    for (size_t i = 0; code == PDR_OK && i < spec->table_count; i++)
        code = make_table(v, spec, i, !s.live, err);
    if (code == PDR_OK) code = add_positions(v, spec, err);
    return pdr_sqv_leave(v, code, err);
}

/* --- Drop, reset --- */

pdr_code pdr_sqv_state_of(sqlite_views *v, const char *projection, uint32_t version, int64_t *out,
                          pdr_error *err)
{
    return one_number(v, "SELECT state FROM projection_version WHERE projection = ?1 AND version = ?2",
                      projection, version, out, err);
}

/* DROP statements for what `sql` lists: name, version; executed when the list was read. */
pdr_code pdr_sqv_drop_listed(sqlite_views *v, const char *sql, const char *projection, uint32_t version,
                             bool views, pdr_error *err)
{
    sqlite3_stmt *s;
    int rc;
    views_sql drops = VIEWS_SQL_INIT;
    pdr_code code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code != PDR_OK) return code;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(s, 0);
        long long of = sqlite3_column_int64(s, 1);
        if (views)
            pdr_sqv_add(&drops, "DROP VIEW IF EXISTS \"%s\";", name);
        else
            pdr_sqv_add(&drops, "DROP TABLE IF EXISTS \"%s__v%lld\";", name, of);
    }
    if (rc != SQLITE_DONE) code = pdr_sqlite_fail(err, v->db, rc, sql);
    sqlite3_reset(s);
    if (code == PDR_OK) code = pdr_sqv_exec(v, &drops, err);
    pdr_sqv_sql_release(&drops);
    return code;
}

/* ?2 is the version, or every one when ?3 is 1. */
static pdr_code delete_rows(sqlite_views *v, const char *projection, uint32_t version, bool all,
                            pdr_error *err)
{
    static const char *const tables[] = {"projection_version", "projection_table", "projection_position",
                                         "dead_letter", "projection_request"};
    int64_t numbers[1] = {all};
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < sizeof tables / sizeof *tables; i++) {
        char sql[160];
        snprintf(sql, sizeof sql, "DELETE FROM %s WHERE projection = ?1 AND (version = ?2 OR ?3 = 1)",
                 tables[i]);
        code = pdr_sqv_run_for(v, sql, projection, version, numbers, 1, err);
    }
    return code;
}

static pdr_code may_drop(sqlite_views *v, const char *projection, uint32_t version, bool live_too,
                         pdr_error *err)
{
    int64_t found = 0;
    if (!live_too) {
        pdr_code code = pdr_sqv_state_of(v, projection, version, &found, err);
        if (code != PDR_OK || found != PDR_VERSION_LIVE) return code;
        return pdr_fail(err, PDR_CONFLICT,
                        "version %u of projection %s is the live one; swap first, or delete all of it",
                        version, projection);
    }
    pdr_code code = one_number(v, "SELECT count(*) FROM projection_version WHERE projection = ?1", projection,
                               0, &found, err);
    if (code != PDR_OK || found > 0) return code;
    return pdr_fail(err, PDR_NOT_FOUND, "there is no projection %s", projection);
}

pdr_code pdr_sqv_drop(pdr_views *views, const char *projection, uint32_t version, bool live_too,
                      int timeout_ms, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    pdr_code code = pdr_sqv_enter(v, true, timeout_ms, err);
    if (code != PDR_OK) return code;
    code = may_drop(v, projection, version, live_too, err);
    if (code == PDR_OK && live_too)
        code = pdr_sqv_drop_listed(
            v,
            "SELECT t.name, t.version FROM projection_table t JOIN projection_version p USING "
            "(projection, version) WHERE projection = ?1 AND p.state = 1",
            projection, 0, true, err);
    if (code == PDR_OK && live_too)
        code = pdr_sqv_drop_listed(v, "SELECT name, version FROM projection_table WHERE projection = ?1",
                                   projection, 0, false, err);
    if (code == PDR_OK && !live_too)
        code = pdr_sqv_drop_listed(
            v, "SELECT name, version FROM projection_table WHERE projection = ?1 AND version = ?2",
            projection, version, false, err);
    if (code == PDR_OK) code = delete_rows(v, projection, version, live_too, err);
    return pdr_sqv_leave(v, code, err);
}

static pdr_code empty_tables(sqlite_views *v, const pdr_version_spec *spec, pdr_error *err)
{
    pdr_code code = PDR_OK;
    views_sql sql = VIEWS_SQL_INIT;
    for (size_t i = 0; code == PDR_OK && i < spec->table_count; i++) {
        pdr_sqv_add(&sql, "DELETE FROM ");
        pdr_sqv_add_table(&sql, spec, i);
        code = pdr_sqv_exec(v, &sql, err);
    }
    pdr_sqv_sql_release(&sql);
    return code;
}

pdr_code pdr_sqv_reset(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    static const char *const steps[] = {
        "DELETE FROM projection_position WHERE projection = ?1 AND version = ?2",
        "DELETE FROM dead_letter WHERE projection = ?1 AND version = ?2",
        "DELETE FROM projection_request WHERE projection = ?1 AND version = ?2"};
    sqlite_views *v = views_of(views);
    int64_t state, now[1] = {pdr_sqv_wall_us()};
    standing s;
    pdr_code code = pdr_sqv_enter(v, true, timeout_ms, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_state_of(v, spec->projection, spec->version, &state, err);
    if (code == PDR_OK) code = look(v, spec, &s, err);
    if (code == PDR_OK) code = refuse_others(spec, s, err);
    if (code == PDR_OK)
        code = pdr_sqv_run_for(
            v,
            "UPDATE projection_version SET fault = '', changed_us = ?3 WHERE projection = ?1 AND "
            "version = ?2",
            spec->projection, spec->version, now, 1, err);
    for (size_t i = 0; code == PDR_OK && i < sizeof steps / sizeof *steps; i++)
        code = pdr_sqv_run_for(v, steps[i], spec->projection, spec->version, NULL, 0, err);
    if (code == PDR_OK) code = empty_tables(v, spec, err);
    if (code == PDR_OK) code = add_positions(v, spec, err);
    return pdr_sqv_leave(v, code, err);
}
