/* What there is: versions, positions, dead letters, requests, rows; and whether the tables stand as declared.
 */
#include "backends/sqlite/sqlite_views_internal.h"
#include "base/mem.h"

enum { LIST_MS = 30000 };

typedef pdr_code (*take_row)(sqlite3_stmt *s, void *each, pdr_error *err);

/* Step through what was prepared. */
static pdr_code each_row(sqlite_views *v, sqlite3_stmt *s, take_row take, void *each, pdr_error *err)
{
    pdr_code code = PDR_OK;
    int rc = SQLITE_ROW;
    while (code == PDR_OK && (rc = sqlite3_step(s)) == SQLITE_ROW)
        code = take(s, each, err);
    if (code == PDR_OK && rc != SQLITE_DONE) code = pdr_sqlite_fail(err, v->db, rc, "a list");
    sqlite3_reset(s);
    return code;
}

static const char *text_of(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}

/* --- Versions --- */

typedef struct version_list {
    pdr_version_each each;
    void *context;
} version_list;

static pdr_code take_version(sqlite3_stmt *s, void *list, pdr_error *err)
{
    const version_list *l = list;
    pdr_version_row row = {.projection = text_of(s, 0),
                           .version = (uint32_t)sqlite3_column_int64(s, 1),
                           .state = (pdr_version_state)sqlite3_column_int(s, 2),
                           .paused = sqlite3_column_int(s, 3) != 0,
                           .fingerprint = (uint64_t)sqlite3_column_int64(s, 4),
                           .throttle = (uint32_t)sqlite3_column_int64(s, 5),
                           .fault = text_of(s, 6),
                           .declared = text_of(s, 9),
                           .created_us = sqlite3_column_int64(s, 7),
                           .changed_us = sqlite3_column_int64(s, 8)};
    if (sqlite3_column_bytes(s, 10) == sizeof row.journal_id)
        memcpy(row.journal_id, sqlite3_column_blob(s, 10), sizeof row.journal_id);
    return l->each(l->context, &row, err);
}

pdr_code pdr_sqv_versions(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                          pdr_error *err)
{
    sqlite_views *v = views_of(views);
    version_list list = {each, context};
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_enter(v, false, LIST_MS, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_prepare_for(
        v, &s,
        "SELECT projection, version, state, paused, fingerprint, throttle, fault, "
        "created_us, changed_us, declared, journal_id FROM projection_version WHERE ?1 IS NULL OR "
        "projection = ?1 ORDER BY projection, version",
        projection, 0, err);
    if (code == PDR_OK) code = each_row(v, s, take_version, &list, err);
    return pdr_sqv_leave(v, code, err);
}

/* --- Positions --- */

typedef struct position_list {
    pdr_position_each each;
    void *context;
} position_list;

static pdr_code take_position(sqlite3_stmt *s, void *list, pdr_error *err)
{
    const position_list *l = list;
    bool none = sqlite3_column_type(s, 5) == SQLITE_NULL;
    pdr_position_row row = {.partition = sqlite3_column_int(s, 0),
                            .position = pdr_sqv_column_position(s, 1),
                            .event_time_us = none ? INT64_MIN : sqlite3_column_int64(s, 5),
                            .events = (uint64_t)sqlite3_column_int64(s, 6),
                            .updated_us = sqlite3_column_int64(s, 7),
                            .worker = text_of(s, 8),
                            .parked = (uint64_t)sqlite3_column_int64(s, 9),
                            .generation = (uint64_t)sqlite3_column_int64(s, 10)};
    return l->each(l->context, &row, err);
}

static pdr_code list_positions(sqlite_views *v, const char *projection, uint32_t version,
                               pdr_position_each each, void *context, pdr_error *err)
{
    position_list list = {each, context};
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_prepare_for(
        v, &s,
        "SELECT p.partition, p.\"offset\", term_offset, term_incarnation, number, event_time_us, events, "
        "updated_us, worker, (SELECT count(*) FROM dead_letter d WHERE d.projection = p.projection AND "
        "d.version = p.version AND d.partition = p.partition), generation FROM projection_position p WHERE "
        "projection = "
        "?1 AND version = ?2 ORDER BY p.partition",
        projection, version, err);
    return code == PDR_OK ? each_row(v, s, take_position, &list, err) : code;
}

pdr_code pdr_sqv_positions(pdr_views *views, const char *projection, uint32_t version, pdr_position_each each,
                           void *context, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    pdr_code code = pdr_sqv_enter(v, false, LIST_MS, err);
    if (code != PDR_OK) return code;
    return pdr_sqv_leave(v, list_positions(v, projection, version, each, context, err), err);
}

/* --- Dead letters, requests --- */

typedef struct letter_list {
    pdr_dead_letter_each each;
    void *context;
} letter_list;

static pdr_code take_letter(sqlite3_stmt *s, void *list, pdr_error *err)
{
    const letter_list *l = list;
    pdr_dead_letter letter = {.partition = sqlite3_column_int(s, 0),
                              .offset = sqlite3_column_int64(s, 1),
                              .before = pdr_sqv_column_position(s, 2),
                              .entity = pdr_sqlite_column(s, 6),
                              .seq = (uint64_t)sqlite3_column_int64(s, 7),
                              .behind = sqlite3_column_int(s, 8) != 0,
                              .attempts = sqlite3_column_int(s, 9),
                              .first_us = sqlite3_column_int64(s, 10),
                              .last_us = sqlite3_column_int64(s, 11),
                              .reason = text_of(s, 12)};
    return l->each(l->context, &letter, err);
}

pdr_code pdr_sqv_dead_letters(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                              pdr_dead_letter_each each, void *context, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    letter_list list = {each, context};
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_enter(v, false, LIST_MS, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_prepare_for(
        v, &s,
        "SELECT partition, \"offset\", before_offset, before_term_offset, before_term_incarnation, "
        "before_number, entity, seq, behind, attempts, first_us, last_us, reason FROM dead_letter WHERE "
        "projection = ?1 AND version = ?2 AND (?3 < 0 OR partition = ?3) ORDER BY partition, \"offset\"",
        projection, version, err);
    if (code == PDR_OK && sqlite3_bind_int(s, 3, partition) != SQLITE_OK)
        code = pdr_fail(err, PDR_NOMEM, "a list");
    if (code == PDR_OK) code = each_row(v, s, take_letter, &list, err);
    return pdr_sqv_leave(v, code, err);
}

pdr_code pdr_sqv_request(pdr_views *views, const char *projection, uint32_t version,
                         const pdr_request_row *request, int timeout_ms, pdr_error *err)
{
    static const char sql[] =
        "INSERT INTO projection_request (projection, version, kind, partition, entity, asked_us) SELECT "
        "projection, version, ?3, ?4, ?5, ?6 FROM projection_version WHERE projection = ?1 AND version = ?2";
    sqlite_views *v = views_of(views);
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_enter(v, true, timeout_ms, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_prepare_for(v, &s, sql, projection, version, err);
    if (code == PDR_OK) {
        int rc = sqlite3_bind_int(s, 3, (int)request->kind);
        if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 4, request->partition);
        if (rc == SQLITE_OK) rc = pdr_sqlite_bind_text(s, 5, request->entity);
        if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 6, pdr_sqv_wall_us());
        if (rc == SQLITE_OK) rc = pdr_sqlite_run(s);
        if (rc != SQLITE_DONE)
            code = pdr_sqlite_fail(err, v->db, rc, sql);
        else if (sqlite3_changes(v->db) != 1)
            code = pdr_fail(err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
    }
    return pdr_sqv_leave(v, code, err);
}

typedef struct request_list {
    pdr_request_each each;
    void *context;
} request_list;

static pdr_code take_request(sqlite3_stmt *s, void *list, pdr_error *err)
{
    const request_list *l = list;
    pdr_request_row row = {.id = (uint64_t)sqlite3_column_int64(s, 0),
                           .kind = (pdr_request_kind)sqlite3_column_int(s, 1),
                           .partition = sqlite3_column_int(s, 2),
                           .entity = pdr_sqlite_column(s, 3)};
    return l->each(l->context, &row, err);
}

pdr_code pdr_sqv_requests(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                          pdr_request_each each, void *context, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    request_list list = {each, context};
    sqlite3_stmt *s;
    pdr_code code = pdr_sqv_enter(v, false, LIST_MS, err);
    if (code != PDR_OK) return code;
    code = pdr_sqv_prepare_for(v, &s,
                               "SELECT id, kind, partition, entity FROM projection_request WHERE projection "
                               "= ?1 AND version = ?2 AND (?3 < 0 OR partition = ?3) ORDER BY id",
                               projection, version, err);
    if (code == PDR_OK && sqlite3_bind_int(s, 3, partition) != SQLITE_OK)
        code = pdr_fail(err, PDR_NOMEM, "a list");
    if (code == PDR_OK) code = each_row(v, s, take_request, &list, err);
    return pdr_sqv_leave(v, code, err);
}

/* --- Rows --- */

typedef struct row_list {
    const pdr_table *table;
    pdr_cell *cells;
    pdr_view_row_each each;
    void *context;
} row_list;

static pdr_code take_cells(sqlite3_stmt *s, void *list, pdr_error *err)
{
    const row_list *l = list;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < l->table->column_count; i++)
        code = pdr_sqv_column(s, (int)i, &l->table->columns[i], &l->cells[i], err);
    return code == PDR_OK ? l->each(l->context, l->cells, err) : code;
}

static pdr_code scan_table(sqlite_views *v, const pdr_version_spec *spec, size_t table, row_list *list,
                           pdr_error *err)
{
    const pdr_table *t = &spec->tables[table];
    sqlite3_stmt *s;
    views_sql sql = VIEWS_SQL_INIT;
    pdr_sqv_add(&sql, "SELECT ");
    pdr_sqv_add_columns(&sql, t, 0, t->column_count, "");
    pdr_sqv_add(&sql, " FROM ");
    pdr_sqv_add_table(&sql, spec, table);
    pdr_sqv_add(&sql, " ORDER BY ");
    pdr_sqv_add_columns(&sql, t, 0, t->key_count, "");
    const char *text = pdr_sqv_text(&sql);
    int rc = text ? pdr_sqv_statement(v, text, &s) : SQLITE_NOMEM;
    pdr_code code = rc == SQLITE_OK ? PDR_OK : pdr_sqv_fail(v, rc, true, t->name, err);
    pdr_sqv_sql_release(&sql);
    return code == PDR_OK ? each_row(v, s, take_cells, list, err) : code;
}

pdr_code pdr_sqv_scan(pdr_views *views, const pdr_version_spec *spec, size_t table,
                      pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    if (table >= spec->table_count)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "projection %s has no table %zu", spec->projection, table);
    row_list list = {&spec->tables[table], NULL, each, context};
    pdr_code code = pdr_sqv_enter(v, false, LIST_MS, err);
    if (code != PDR_OK) return code;
    list.cells = pdr_calloc(list.table->column_count, sizeof *list.cells);
    if (!list.cells) code = pdr_fail(err, PDR_NOMEM, "a row of table %s", list.table->name);
    if (code == PDR_OK && positions)
        code = list_positions(v, spec->projection, spec->version, positions, context, err);
    if (code == PDR_OK) code = scan_table(v, spec, table, &list, err);
    pdr_free(list.cells);
    return pdr_sqv_leave(v, code, err);
}

/* --- Verify --- */

typedef struct column_check {
    const pdr_table *table;
    bool seen[PDR_VIEW_MAX_COLUMNS];
} column_check;

/* name, type, place in the primary key (0: none) */
static pdr_code check_column(sqlite3_stmt *s, void *context, pdr_error *err)
{
    column_check *check = context;
    const char *name = text_of(s, 0);
    size_t i = 0;
    while (i < check->table->column_count && strcmp(check->table->columns[i].name, name) != 0)
        i++;
    if (i == check->table->column_count) return PDR_OK; /* one more than declared is no harm */
    views_sql type = VIEWS_SQL_INIT;
    pdr_sqv_add_type(&type, &check->table->columns[i]);
    const char *wanted = pdr_sqv_text(&type);
    size_t place = (size_t)sqlite3_column_int64(s, 2);
    pdr_code code = PDR_OK;
    if (!wanted)
        code = pdr_fail(err, PDR_NOMEM, "a type");
    else if (sqlite3_stricmp(text_of(s, 1), wanted) != 0)
        code = pdr_fail(err, PDR_BAD_VIEW, "table %s: column %s isn't %s any more", check->table->name, name,
                        wanted);
    else if (place != (i < check->table->key_count ? i + 1 : 0))
        code = pdr_fail(err, PDR_BAD_VIEW, "table %s: column %s has another place in the key",
                        check->table->name, name);
    pdr_sqv_sql_release(&type);
    check->seen[i] = true;
    return code;
}

static pdr_code verify_table(sqlite_views *v, const pdr_version_spec *spec, size_t index, pdr_error *err)
{
    column_check check = {.table = &spec->tables[index]};
    sqlite3_stmt *s;
    views_sql sql = VIEWS_SQL_INIT;
    pdr_sqv_add(&sql, "SELECT name, type, pk FROM pragma_table_info('%s__v%u')", check.table->name,
                spec->version);
    const char *text = pdr_sqv_text(&sql);
    int rc = text ? pdr_sqv_statement(v, text, &s) : SQLITE_NOMEM;
    pdr_code code = rc == SQLITE_OK ? PDR_OK : pdr_sqv_fail(v, rc, true, check.table->name, err);
    pdr_sqv_sql_release(&sql);
    if (code == PDR_OK) code = each_row(v, s, check_column, &check, err);
    for (size_t i = 0; code == PDR_OK && i < check.table->column_count; i++)
        if (!check.seen[i])
            code = pdr_fail(err, PDR_BAD_VIEW, "table %s__v%u isn't there or has no column %s",
                            check.table->name, spec->version, check.table->columns[i].name);
    return code;
}

pdr_code pdr_sqv_verify(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    sqlite_views *v = views_of(views);
    pdr_code code = pdr_sqv_enter(v, false, timeout_ms, err);
    if (code != PDR_OK) return code;
    for (size_t i = 0; code == PDR_OK && i < spec->table_count; i++)
        code = verify_table(v, spec, i, err);
    return pdr_sqv_leave(v, code, err);
}
