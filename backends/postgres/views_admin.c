/* Making and dropping versions, their switches. Each operation is one transaction on the connection for
 * blocking operations. */
#include <stdarg.h>
#include <stdio.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/migrate.h"
#include "backends/postgres/views_admin.h"
#include "backends/postgres/views_values.h"
#include "base/mem.h"

enum { MAX_SQL = 4 * 1024 * 1024, MIN_SERVER_VERSION = 150000 };

/* The connection of the operation before, if it still serves. */
static pdr_code open_session(pdr_pgv_work *w, int timeout_ms, pdr_error *err)
{
    pdr_error gone;
    PGconn *idle = w->v->idle;
    w->v->idle = NULL;
    if (idle && pdr_pg_session_resume(&w->session, idle, timeout_ms, &gone) == PDR_OK) return PDR_OK;
    return pdr_pg_session_open(&w->session, w->v->url, timeout_ms, err);
}

pdr_code pdr_pgv_begin(pdr_pgv_work *w, pdr_views *views, int timeout_ms, pdr_error *err)
{
    pdr_pg_views *v = (pdr_pg_views *)views;
    *w = (pdr_pgv_work){.v = v, .sql = PDR_BUF_INIT(MAX_SQL), .err = err};
    if (!pdr_pgv_settle(v, timeout_ms))
        return w->code = pdr_fail(err, PDR_UNAVAILABLE, "what was submitted before didn't end within %d ms",
                                  timeout_ms);
    w->code = open_session(w, timeout_ms, err);
    if (w->code == PDR_OK && PQserverVersion(w->session.pg) < MIN_SERVER_VERSION)
        w->code = pdr_fail(err, PDR_UNSUPPORTED, "PostgreSQL is of version %d; projections need 15 or newer",
                           PQserverVersion(w->session.pg) / 10000);
    return w->code;
}

pdr_code pdr_pgv_end(pdr_pgv_work *w)
{
    if (w->code == PDR_OK && !w->v->idle) w->v->idle = pdr_pg_session_leave(&w->session);
    pdr_pg_session_close(&w->session);
    pdr_buf_release(&w->sql);
    return w->code;
}

void pdr_pgv_add(pdr_pgv_work *w, const char *format, ...)
{
    char text[1024];
    va_list args;
    if (w->code != PDR_OK) return;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    PDR_INVARIANT("sql-part-fits", size >= 0 && (size_t)size < sizeof text);
    w->code = pdr_buf_append(&w->sql, text, (size_t)size);
    if (w->code != PDR_OK) w->code = pdr_fail(w->err, w->code, "a statement");
}

void pdr_pgv_add_text(pdr_pgv_work *w, const char *text, size_t size)
{
    if (w->code != PDR_OK) return;
    char *literal = PQescapeLiteral(w->session.pg, text, size);
    w->code = literal ? pdr_buf_append(&w->sql, literal, strlen(literal))
                      : pdr_fail(w->err, PDR_INVALID_ARGUMENT, "a text that PostgreSQL can't take");
    PQfreemem(literal);
}

void pdr_pgv_add_version(pdr_pgv_work *w, const char *projection, uint32_t version)
{
    pdr_pgv_add(w, "projection = ");
    pdr_pgv_add_text(w, projection, strlen(projection));
    pdr_pgv_add(w, " AND version = %u", version);
}

/* As the projections' world names it: what a session says is the store's. */
static void rename_code(pdr_pgv_work *w)
{
    pdr_error *err = w->err;
    if (w->code == PDR_NOT_INITIALISED && w->found) {
        w->code = PDR_BAD_VIEW;
        if (err) pdr_pgv_without_advice(err);
    }
    if (w->code == PDR_INVALID_ARGUMENT || w->code == PDR_IO) w->code = PDR_BAD_VIEW;
    if (err && err->code != w->code) err->code = w->code;
}

void pdr_pgv_run(pdr_pgv_work *w)
{
    if (w->code == PDR_OK) w->code = pdr_buf_append(&w->sql, "", 1);
    if (w->code == PDR_OK) {
        w->code = pdr_pg_session_run(&w->session, (const char *)w->sql.data, w->err);
        if (w->code != PDR_OK) rename_code(w);
    }
    pdr_buf_clear(&w->sql);
}

PGresult *pdr_pgv_query(pdr_pgv_work *w)
{
    PGresult *result = NULL;
    if (w->code == PDR_OK) w->code = pdr_buf_append(&w->sql, "", 1);
    if (w->code == PDR_OK) {
        w->code = pdr_pg_session_query(&w->session, &result, (const char *)w->sql.data, NULL, 0, w->err);
        if (w->code != PDR_OK) rename_code(w);
        w->found = w->found || w->code == PDR_OK;
    }
    pdr_buf_clear(&w->sql);
    return result;
}

pdr_code pdr_pgv_init(pdr_views *views, int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) == PDR_OK)
        w.code = pdr_pg_migrate(&w.session, w.v->names.schema, err);
    pdr_pg_session_close(&w.session); /* migrating takes a lock for the session's life */
    return pdr_pgv_end(&w);
}

/* --- Create --- */

static void add_column(pdr_pgv_work *w, const pdr_column *column)
{
    pdr_pgv_add(w, "\"%s\" %s", column->name, pdr_pgv_type_name(column->type));
    if (column->type == PDR_COLUMN_NUMERIC) pdr_pgv_add(w, "(%d, %d)", column->precision, column->scale);
    if (column->type == PDR_COLUMN_TEXT) pdr_pgv_add(w, " COLLATE \"C\"");
    if (column->not_null) pdr_pgv_add(w, " NOT NULL");
    if (column->initial.null || w->code != PDR_OK) return;
    pdr_pgv_add(w, " DEFAULT ");
    if (w->code == PDR_OK) w->code = pdr_pgv_sql_constant(&w->sql, column, &column->initial);
}

static void add_table(pdr_pgv_work *w, const pdr_version_spec *spec, size_t index)
{
    const pdr_table *table = &spec->tables[index];
    pdr_pgv_add(w, "CREATE TABLE ");
    if (w->code == PDR_OK) w->code = pdr_pgv_sql_table(&w->sql, &w->v->names, spec, index);
    pdr_pgv_add(w, " (");
    for (size_t i = 0; i < table->column_count; i++) {
        if (i) pdr_pgv_add(w, ", ");
        add_column(w, &table->columns[i]);
    }
    pdr_pgv_add(w, ", PRIMARY KEY (");
    for (size_t i = 0; i < table->key_count; i++)
        pdr_pgv_add(w, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
    pdr_pgv_add(w, ")) WITH (fillfactor = 70);\n");
    for (size_t i = 0; w->code == PDR_OK && i < table->statement_count; i++) {
        w->code = pdr_pgv_sql_expand(&w->sql, table->statements[i], &w->v->names, spec, index, w->err);
        pdr_pgv_add(w, ";\n");
    }
}

static void add_declared(pdr_pgv_work *w, const pdr_version_spec *spec)
{
    pdr_buf text = PDR_BUF_INIT(MAX_SQL);
    if (w->code == PDR_OK) w->code = pdr_view_tables_print(&text, spec->tables, spec->table_count, w->err);
    pdr_pgv_add_text(w, (const char *)text.data, text.size);
    pdr_buf_release(&text);
}

static void add_row(pdr_pgv_work *w, const pdr_version_spec *spec, bool live)
{
    pdr_pgv_add(
        w,
        "INSERT INTO %s.projection_version (projection, version, state, fingerprint, journal_id, partitions,"
        " tables, declared) VALUES (",
        w->v->names.schema);
    pdr_pgv_add_text(w, spec->projection, strlen(spec->projection));
    pdr_pgv_add(w, ", %u, %d, %lld, '", spec->version, live ? PDR_VERSION_LIVE : PDR_VERSION_BUILDING,
                (long long)spec->fingerprint);
    for (size_t i = 0; i < 16; i++)
        pdr_pgv_add(w, "%02x", spec->journal_id[i]);
    pdr_pgv_add(w, "', %d, '{", (int)spec->partitions);
    for (size_t i = 0; i < spec->table_count; i++)
        pdr_pgv_add(w, "%s%s", i ? "," : "", spec->tables[i].name);
    pdr_pgv_add(w, "}', ");
    add_declared(w, spec);
    pdr_pgv_add(w, ");\n");
}

static void add_positions(pdr_pgv_work *w, const pdr_version_spec *spec)
{
    pdr_pgv_add(w, "INSERT INTO %s.projection_position (projection, version, partition) SELECT ",
                w->v->names.schema);
    pdr_pgv_add_text(w, spec->projection, strlen(spec->projection));
    pdr_pgv_add(w, ", %u, p FROM generate_series(0, %d) AS p;\n", spec->version, (int)spec->partitions - 1);
}

typedef struct standing {
    bool same_version, same_fingerprint, other_journal, live;
} standing;

void pdr_pgv_begin_change(pdr_pgv_work *w)
{
    pdr_pgv_add(w, "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('perdure projections', 0))");
    pdr_pgv_run(w);
}

void pdr_pgv_lock_positions(pdr_pgv_work *w, const char *projection)
{
    pdr_pgv_add(w, "SELECT 1 FROM %s.projection_position WHERE projection = ", w->v->names.schema);
    pdr_pgv_add_text(w, projection, strlen(projection));
    pdr_pgv_add(w, " ORDER BY partition, version FOR UPDATE");
    PQclear(pdr_pgv_query(w));
}

/* What is there of the projection. */
static standing look(pdr_pgv_work *w, const pdr_version_spec *spec)
{
    standing s = {0};
    pdr_pgv_add(w,
                "SELECT version, fingerprint, journal_id, state::integer FROM %s.projection_version WHERE "
                "projection = ",
                w->v->names.schema);
    pdr_pgv_add_text(w, spec->projection, strlen(spec->projection));
    PGresult *rows = pdr_pgv_query(w);
    for (int i = 0; rows && i < PQntuples(rows); i++) {
        if (memcmp(PQgetvalue(rows, i, 2), spec->journal_id, 16) != 0) s.other_journal = true;
        if (pdr_pg_get32(PQgetvalue(rows, i, 3)) == PDR_VERSION_LIVE) s.live = true;
        if ((uint32_t)pdr_pg_get32(PQgetvalue(rows, i, 0)) != spec->version) continue;
        s.same_version = true;
        s.same_fingerprint = (uint64_t)pdr_pg_get64(PQgetvalue(rows, i, 1)) == spec->fingerprint;
    }
    PQclear(rows);
    return s;
}

static pdr_code wrong_journal(pdr_pgv_work *w, const pdr_version_spec *spec)
{
    return pdr_fail(w->err, PDR_WRONG_JOURNAL, "projection %s in this database is of another journal",
                    spec->projection);
}

static void refuse(pdr_pgv_work *w, const pdr_version_spec *spec, standing s)
{
    if (w->code != PDR_OK) return;
    if (s.other_journal)
        w->code = wrong_journal(w, spec);
    else if (s.same_version && s.same_fingerprint)
        w->code = pdr_fail(w->err, PDR_EXISTS, "projection %s has version %u already", spec->projection,
                           spec->version);
    else if (s.same_version)
        w->code = pdr_fail(
            w->err, PDR_CONFLICT,
            "projection %s has version %u already, made from another definition: give the changed one "
            "a higher version and run `perdure project rebuild %s`",
            spec->projection, spec->version, spec->projection);
}

/* A view's name belongs to one projection. */
static void refuse_names(pdr_pgv_work *w, const pdr_version_spec *spec)
{
    pdr_pgv_add(w, "SELECT v.projection, t FROM %s.projection_version v, unnest(v.tables) AS t WHERE t IN (",
                w->v->names.schema);
    for (size_t i = 0; i < spec->table_count; i++)
        pdr_pgv_add(w, "%s'%s'", i ? ", " : "", spec->tables[i].name);
    pdr_pgv_add(w, "%s) AND v.projection <> ", spec->table_count ? "" : "NULL");
    pdr_pgv_add_text(w, spec->projection, strlen(spec->projection));
    pdr_pgv_add(w, " LIMIT 1");
    PGresult *rows = pdr_pgv_query(w);
    if (rows && PQntuples(rows) > 0)
        w->code =
            pdr_fail(w->err, PDR_CONFLICT, "projection %s has a table %s already; names of views are shared",
                     PQgetvalue(rows, 0, 0), PQgetvalue(rows, 0, 1));
    PQclear(rows);
}

static void add_view(pdr_pgv_work *w, const pdr_version_spec *spec, size_t table)
{
    const char *schema = w->v->names.view_schema, *name = spec->tables[table].name;
    pdr_pgv_add(w, "CREATE VIEW %s.\"%s\" AS SELECT * FROM %s.\"%s__v%u\";\n", schema, name, schema, name,
                spec->version);
}

pdr_code pdr_pgv_create(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) != PDR_OK) return pdr_pgv_end(&w);
    pdr_pgv_begin_change(&w);
    standing s = look(&w, spec);
    refuse(&w, spec, s);
    refuse_names(&w, spec);
    add_row(&w, spec, !s.live);
    for (size_t i = 0; i < spec->table_count; i++) {
        add_table(&w, spec, i);
        if (!s.live) add_view(&w, spec, i);
    }
    add_positions(&w, spec);
    pdr_pgv_add(&w, "COMMIT");
    pdr_pgv_run(&w);
    return pdr_pgv_end(&w);
}

/* --- Drop, reset --- */

int pdr_pgv_find_state(pdr_pgv_work *w, const char *projection, uint32_t version)
{
    pdr_pgv_add(w, "SELECT state::integer FROM %s.projection_version WHERE ", w->v->names.schema);
    pdr_pgv_add_version(w, projection, version);
    PGresult *rows = pdr_pgv_query(w);
    int state = rows && PQntuples(rows) == 1 ? pdr_pg_get32(PQgetvalue(rows, 0, 0)) : -1;
    PQclear(rows);
    if (w->code == PDR_OK && state < 0)
        w->code = pdr_fail(w->err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
    return state;
}

/* Tables of the versions that `condition` names, and, of the whole projection, the views. */
static void add_drops(pdr_pgv_work *w, PGresult *rows, bool views)
{
    for (int i = 0; rows && i < PQntuples(rows); i++) {
        const char *table = PQgetvalue(rows, i, 0);
        uint32_t version = (uint32_t)pdr_pg_get32(PQgetvalue(rows, i, 1));
        const char *schema = w->v->names.view_schema;
        if (views) pdr_pgv_add(w, "DROP VIEW IF EXISTS %s.\"%.*s\";\n", schema, PDR_VIEW_MAX_NAME, table);
        pdr_pgv_add(w, "DROP TABLE IF EXISTS %s.\"%.*s__v%u\";\n", schema, PDR_VIEW_MAX_NAME, table, version);
    }
}

pdr_code pdr_pgv_drop(pdr_views *views, const char *projection, uint32_t version, bool live_too,
                      int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) != PDR_OK) return pdr_pgv_end(&w);
    pdr_pgv_begin_change(&w);
    pdr_pgv_lock_positions(&w, projection);
    if (!live_too && pdr_pgv_find_state(&w, projection, version) == PDR_VERSION_LIVE)
        w.code = pdr_fail(err, PDR_CONFLICT,
                          "version %u of projection %s is the live one; swap first, or delete all of it",
                          version, projection);
    pdr_pgv_add(&w, "SELECT unnest(tables), version FROM %s.projection_version WHERE projection = ",
                w.v->names.schema);
    pdr_pgv_add_text(&w, projection, strlen(projection));
    if (!live_too) pdr_pgv_add(&w, " AND version = %u", version);
    PGresult *rows = pdr_pgv_query(&w);
    pdr_pgv_add(&w, "DELETE FROM %s.projection_version WHERE projection = ", w.v->names.schema);
    pdr_pgv_add_text(&w, projection, strlen(projection));
    if (!live_too) pdr_pgv_add(&w, " AND version = %u", version);
    pdr_pgv_add(&w, ";\n");
    add_drops(&w, rows, live_too);
    pdr_pgv_add(&w, "COMMIT");
    if (w.code == PDR_OK && live_too && PQntuples(rows) == 0)
        w.code = pdr_fail(err, PDR_NOT_FOUND, "there is no projection %s", projection);
    PQclear(rows);
    pdr_pgv_run(&w);
    return pdr_pgv_end(&w);
}

static void check_same(pdr_pgv_work *w, const pdr_version_spec *spec)
{
    standing s = look(w, spec);
    if (w->code != PDR_OK) return;
    if (!s.same_version)
        w->code = pdr_fail(w->err, PDR_NOT_FOUND, "projection %s has no version %u", spec->projection,
                           spec->version);
    else if (s.other_journal)
        w->code = wrong_journal(w, spec);
    else if (!s.same_fingerprint)
        w->code =
            pdr_fail(w->err, PDR_CONFLICT, "version %u of projection %s was made from another definition",
                     spec->version, spec->projection);
}

pdr_code pdr_pgv_reset(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) != PDR_OK) return pdr_pgv_end(&w);
    pdr_pgv_begin_change(&w);
    pdr_pgv_lock_positions(&w, spec->projection);
    check_same(&w, spec);
    pdr_pgv_add(&w, "UPDATE %s.projection_version SET fault = '', changed = clock_timestamp() WHERE ",
                w.v->names.schema);
    pdr_pgv_add_version(&w, spec->projection, spec->version);
    pdr_pgv_add(&w, ";\nDELETE FROM %s.projection_position WHERE ", w.v->names.schema);
    pdr_pgv_add_version(&w, spec->projection, spec->version);
    pdr_pgv_add(&w, ";\nDELETE FROM %s.dead_letter WHERE ", w.v->names.schema);
    pdr_pgv_add_version(&w, spec->projection, spec->version);
    pdr_pgv_add(&w, ";\nDELETE FROM %s.projection_request WHERE ", w.v->names.schema);
    pdr_pgv_add_version(&w, spec->projection, spec->version);
    pdr_pgv_add(&w, ";\n");
    for (size_t i = 0; i < spec->table_count; i++) {
        pdr_pgv_add(&w, "DELETE FROM ");
        if (w.code == PDR_OK) w.code = pdr_pgv_sql_table(&w.sql, &w.v->names, spec, i);
        pdr_pgv_add(&w, ";\n");
    }
    add_positions(&w, spec);
    pdr_pgv_add(&w, "COMMIT");
    pdr_pgv_run(&w);
    return pdr_pgv_end(&w);
}

/* --- Switches --- */

static void set(pdr_pgv_work *w, const char *projection, uint32_t version)
{
    pdr_pgv_add(w, ", changed = clock_timestamp() WHERE ");
    pdr_pgv_add_version(w, projection, version);
    pdr_pgv_add(w, " RETURNING 1");
    PGresult *rows = pdr_pgv_query(w);
    if (w->code == PDR_OK && PQntuples(rows) != 1)
        w->code = pdr_fail(w->err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
    PQclear(rows);
}

pdr_code pdr_pgv_set_paused(pdr_views *views, const char *projection, uint32_t version, bool paused,
                            int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) == PDR_OK) {
        pdr_pgv_add(&w, "UPDATE %s.projection_version SET paused = %s", w.v->names.schema,
                    paused ? "true" : "false");
        set(&w, projection, version);
    }
    return pdr_pgv_end(&w);
}

pdr_code pdr_pgv_set_throttle(pdr_views *views, const char *projection, uint32_t version, uint32_t per_second,
                              int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (per_second > INT32_MAX)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a throttle of %u a second", per_second);
    if (pdr_pgv_begin(&w, views, timeout_ms, err) == PDR_OK) {
        pdr_pgv_add(&w, "UPDATE %s.projection_version SET throttle = %u", w.v->names.schema, per_second);
        set(&w, projection, version);
    }
    return pdr_pgv_end(&w);
}

/* What isn't UTF-8 becomes '?'. */
static void add_loose_text(pdr_pgv_work *w, const char *text)
{
    pdr_arena arena = PDR_ARENA_INIT(MAX_SQL);
    pdr_string copy = pdr_view_text(&arena, pdr_bytes_of(text, strlen(text)));
    if (copy.data)
        pdr_pgv_add_text(w, copy.data, copy.size);
    else if (w->code == PDR_OK)
        w->code = pdr_fail(w->err, PDR_NOMEM, "a fault's text");
    pdr_arena_release(&arena);
}

pdr_code pdr_pgv_set_fault(pdr_views *views, const char *projection, uint32_t version, const char *fault,
                           int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) == PDR_OK) {
        pdr_pgv_add(&w, "UPDATE %s.projection_version SET fault = ", w.v->names.schema);
        add_loose_text(&w, fault ? fault : "");
        set(&w, projection, version);
    }
    return pdr_pgv_end(&w);
}
