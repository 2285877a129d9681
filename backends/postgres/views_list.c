/* What there is: versions, positions, dead letters, requests, rows; and whether the tables stand as declared.
 */
#include <stdio.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/connect.h"
#include "backends/postgres/views_admin.h"
#include "backends/postgres/views_values.h"
#include "base/mem.h"

enum { LIST_MS = 30000, SCAN_PAGE = 2000 };
#define MICROS(column) "(extract(epoch from " column ") * 1000000)::bigint"

static int64_t number(const PGresult *rows, int row, int column)
{
    return pdr_pg_get64(PQgetvalue(rows, row, column));
}

/* --- Versions --- */

static void take_version(const PGresult *rows, int i, pdr_version_row *out)
{
    *out = (pdr_version_row){.projection = PQgetvalue(rows, i, 0),
                             .version = (uint32_t)number(rows, i, 1),
                             .state = (pdr_version_state)number(rows, i, 2),
                             .paused = *PQgetvalue(rows, i, 3) != 0,
                             .fingerprint = (uint64_t)number(rows, i, 4),
                             .throttle = (uint32_t)number(rows, i, 5),
                             .fault = PQgetvalue(rows, i, 6),
                             .created_us = number(rows, i, 7),
                             .changed_us = number(rows, i, 8),
                             .declared = PQgetvalue(rows, i, 9)};
    if (PQgetlength(rows, i, 10) == sizeof out->journal_id)
        memcpy(out->journal_id, PQgetvalue(rows, i, 10), sizeof out->journal_id);
}

pdr_code pdr_pgv_versions(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                          pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, LIST_MS, err) != PDR_OK) return pdr_pgv_end(&w);
    pdr_pgv_add(&w,
                "SELECT projection, version::bigint, state::bigint, paused, fingerprint, throttle::bigint, "
                "fault, " MICROS("created") ", " MICROS(
                    "changed") ", declared, journal_id FROM %s.projection_version",
                w.v->names.schema);
    if (projection) {
        pdr_pgv_add(&w, " WHERE projection = ");
        pdr_pgv_add_text(&w, projection, strlen(projection));
    }
    pdr_pgv_add(&w, " ORDER BY projection COLLATE \"C\", version");
    PGresult *rows = pdr_pgv_query(&w);
    for (int i = 0; w.code == PDR_OK && i < PQntuples(rows); i++) {
        pdr_version_row row;
        take_version(rows, i, &row);
        w.code = each(context, &row, err);
    }
    PQclear(rows);
    return pdr_pgv_end(&w);
}

/* --- Positions --- */

static pdr_position position_at(const PGresult *rows, int i, int column)
{
    return (pdr_position){number(rows, i, column),
                          {number(rows, i, column + 1), (uint64_t)number(rows, i, column + 2)},
                          (uint64_t)number(rows, i, column + 3)};
}

static void list_positions(pdr_pgv_work *w, const char *projection, uint32_t version, pdr_position_each each,
                           void *context)
{
    const char *schema = w->v->names.schema;
    pdr_pgv_add(w,
                "SELECT p.partition::bigint, p.\"offset\", term_offset, term_incarnation, number, "
                "event_time_us, events,"
                " " MICROS("updated") ", worker, (SELECT count(*) FROM %s.dead_letter d WHERE d.projection ="
                                      " p.projection AND d.version = p.version AND d.partition = p.partition)"
                                      ", generation FROM %s.projection_position p WHERE ",
                schema, schema);
    pdr_pgv_add_version(w, projection, version);
    pdr_pgv_add(w, " ORDER BY 1");
    PGresult *rows = pdr_pgv_query(w);
    for (int i = 0; w->code == PDR_OK && i < PQntuples(rows); i++) {
        pdr_position_row row = {.partition = (int32_t)number(rows, i, 0),
                                .position = position_at(rows, i, 1),
                                .event_time_us = PQgetisnull(rows, i, 5) ? INT64_MIN : number(rows, i, 5),
                                .events = (uint64_t)number(rows, i, 6),
                                .updated_us = number(rows, i, 7),
                                .worker = PQgetvalue(rows, i, 8),
                                .parked = (uint64_t)number(rows, i, 9),
                                .generation = (uint64_t)number(rows, i, 10)};
        w->code = each(context, &row, w->err);
    }
    PQclear(rows);
}

pdr_code pdr_pgv_positions(pdr_views *views, const char *projection, uint32_t version, pdr_position_each each,
                           void *context, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, LIST_MS, err) == PDR_OK)
        list_positions(&w, projection, version, each, context);
    return pdr_pgv_end(&w);
}

/* --- Dead letters, requests --- */

pdr_code pdr_pgv_dead_letters(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                              pdr_dead_letter_each each, void *context, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, LIST_MS, err) != PDR_OK) return pdr_pgv_end(&w);
    pdr_pgv_add(
        &w,
        "SELECT partition::bigint, \"offset\", before_offset, before_term_offset, before_term_incarnation,"
        " before_number, entity, seq, behind, attempts::bigint, first_us, last_us, reason FROM %s.dead_letter"
        " WHERE ",
        w.v->names.schema);
    pdr_pgv_add_version(&w, projection, version);
    if (partition >= 0) pdr_pgv_add(&w, " AND partition = %d", (int)partition);
    pdr_pgv_add(&w, " ORDER BY 1, 2");
    PGresult *rows = pdr_pgv_query(&w);
    for (int i = 0; w.code == PDR_OK && i < PQntuples(rows); i++) {
        pdr_dead_letter letter = {.partition = (int32_t)number(rows, i, 0),
                                  .offset = number(rows, i, 1),
                                  .before = position_at(rows, i, 2),
                                  .entity =
                                      pdr_bytes_of(PQgetvalue(rows, i, 6), (size_t)PQgetlength(rows, i, 6)),
                                  .seq = (uint64_t)number(rows, i, 7),
                                  .behind = *PQgetvalue(rows, i, 8) != 0,
                                  .attempts = (int32_t)number(rows, i, 9),
                                  .first_us = number(rows, i, 10),
                                  .last_us = number(rows, i, 11),
                                  .reason = PQgetvalue(rows, i, 12)};
        w.code = each(context, &letter, err);
    }
    PQclear(rows);
    return pdr_pgv_end(&w);
}

pdr_code pdr_pgv_request(pdr_views *views, const char *projection, uint32_t version,
                         const pdr_request_row *request, int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) != PDR_OK) return pdr_pgv_end(&w);
    (void)pdr_pgv_find_state(&w, projection, version);
    pdr_pgv_add(&w,
                "INSERT INTO %s.projection_request (projection, version, kind, partition, entity) VALUES (",
                w.v->names.schema);
    pdr_pgv_add_text(&w, projection, strlen(projection));
    pdr_pgv_add(&w, ", %u, %d, %d, ", version, (int)request->kind, (int)request->partition);
    pdr_pgv_add_text(&w, (const char *)request->entity.data, request->entity.size);
    pdr_pgv_add(&w, ")");
    pdr_pgv_run(&w);
    return pdr_pgv_end(&w);
}

pdr_code pdr_pgv_requests(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                          pdr_request_each each, void *context, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, LIST_MS, err) != PDR_OK) return pdr_pgv_end(&w);
    pdr_pgv_add(&w, "SELECT id, kind::bigint, partition::bigint, entity FROM %s.projection_request WHERE ",
                w.v->names.schema);
    pdr_pgv_add_version(&w, projection, version);
    if (partition >= 0) pdr_pgv_add(&w, " AND partition = %d", (int)partition);
    pdr_pgv_add(&w, " ORDER BY 1");
    PGresult *rows = pdr_pgv_query(&w);
    for (int i = 0; w.code == PDR_OK && i < PQntuples(rows); i++) {
        pdr_request_row row = {.id = (uint64_t)number(rows, i, 0),
                               .kind = (pdr_request_kind)number(rows, i, 1),
                               .partition = (int32_t)number(rows, i, 2),
                               .entity =
                                   pdr_bytes_of(PQgetvalue(rows, i, 3), (size_t)PQgetlength(rows, i, 3))};
        w.code = each(context, &row, err);
    }
    PQclear(rows);
    return pdr_pgv_end(&w);
}

/* --- Rows --- */

static void declare_cursor(pdr_pgv_work *w, const pdr_version_spec *spec, size_t table)
{
    const pdr_table *t = &spec->tables[table];
    pdr_pgv_add(w, "DECLARE rows NO SCROLL CURSOR FOR SELECT ");
    for (size_t i = 0; i < t->column_count; i++)
        pdr_pgv_add(w, "%s\"%s\"", i ? ", " : "", t->columns[i].name);
    pdr_pgv_add(w, " FROM ");
    if (w->code == PDR_OK) w->code = pdr_pgv_sql_table(&w->sql, &w->v->names, spec, table);
    pdr_pgv_add(w, " ORDER BY ");
    for (size_t i = 0; i < t->key_count; i++)
        pdr_pgv_add(w, "%s\"%s\"", i ? ", " : "", t->columns[i].name);
    pdr_pgv_run(w);
}

static int give_page(pdr_pgv_work *w, const pdr_table *t, pdr_cell *cells, pdr_view_row_each each,
                     void *context)
{
    pdr_pgv_add(w, "FETCH %d FROM rows", SCAN_PAGE);
    PGresult *rows = pdr_pgv_query(w);
    int count = rows ? PQntuples(rows) : 0;
    for (int i = 0; w->code == PDR_OK && i < count; i++) {
        for (size_t c = 0; w->code == PDR_OK && c < t->column_count; c++)
            w->code = pdr_pgv_get(rows, i, (int)c, &t->columns[c], &cells[c], w->err);
        if (w->code == PDR_OK) w->code = each(context, cells, w->err);
    }
    PQclear(rows);
    return w->code == PDR_OK ? count : 0;
}

/* Who takes the rows may take as long as it likes; only the server is waited for. */
static void renew_deadline(pdr_pgv_work *w)
{
    w->session.deadline_us = pdr_pg_now_us() + (int64_t)LIST_MS * 1000;
}

pdr_code pdr_pgv_scan(pdr_views *views, const pdr_version_spec *spec, size_t table,
                      pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, LIST_MS, err) != PDR_OK) return pdr_pgv_end(&w);
    const pdr_table *t = &spec->tables[table];
    (void)pdr_pgv_find_state(&w, spec->projection, spec->version);
    pdr_cell *cells = pdr_calloc(t->column_count, sizeof *cells);
    if (!cells && w.code == PDR_OK) w.code = pdr_fail(err, PDR_NOMEM, "a row of table %s", t->name);
    pdr_pgv_add(&w, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL statement_timeout = 0;"
                    " SET LOCAL cursor_tuple_fraction = 1");
    pdr_pgv_run(&w);
    if (positions && w.code == PDR_OK)
        list_positions(&w, spec->projection, spec->version, positions, context);
    renew_deadline(&w);
    declare_cursor(&w, spec, table);
    while (w.code == PDR_OK && give_page(&w, t, cells, each, context) > 0)
        renew_deadline(&w);
    pdr_free(cells);
    return pdr_pgv_end(&w);
}

/* --- Verify --- */

/* numeric(p, s) as pg_attribute has it. */
static int64_t typmod_of(const pdr_column *column)
{
    return column->type == PDR_COLUMN_NUMERIC ? ((int64_t)column->precision << 16 | column->scale) + 4 : -1;
}

static void compare_column(pdr_pgv_work *w, const pdr_table *t, size_t i, const PGresult *rows,
                           const char *versioned)
{
    const pdr_column *column = &t->columns[i];
    int at = 0;
    while (at < PQntuples(rows) && strcmp(PQgetvalue(rows, at, 0), column->name) != 0)
        at++;
    if (at == PQntuples(rows)) {
        w->code = pdr_fail(w->err, PDR_BAD_VIEW, "table %s has no column %s", versioned, column->name);
        return;
    }
    int64_t key = i < t->key_count ? (int64_t)i + 1 : 0;
    if ((Oid)number(rows, at, 1) != pdr_pgv_oid(column->type) || number(rows, at, 2) != typmod_of(column))
        w->code = pdr_fail(w->err, PDR_BAD_VIEW, "table %s: column %s isn't %s any more", versioned,
                           column->name, pdr_pgv_type_name(column->type));
    else if (number(rows, at, 3) != key)
        w->code = pdr_fail(w->err, PDR_BAD_VIEW, "table %s: column %s has another place in the key",
                           versioned, column->name);
    else if ((number(rows, at, 4) != 0) != (column->not_null || key > 0))
        w->code = pdr_fail(w->err, PDR_BAD_VIEW, "table %s: column %s is %s", versioned, column->name,
                           column->not_null ? "not NOT NULL any more" : "NOT NULL now");
}

static void compare_table(pdr_pgv_work *w, const pdr_version_spec *spec, size_t table)
{
    const pdr_table *t = &spec->tables[table];
    char versioned[PDR_VIEW_MAX_NAME + 16];
    (void)snprintf(versioned, sizeof versioned, "%.*s__v%u", PDR_VIEW_MAX_NAME, t->name, spec->version);
    pdr_pgv_add(
        w, "SELECT attname::text, atttypid::bigint, atttypmod::bigint, coalesce(array_position("
           "string_to_array(i.indkey::text, ' '), a.attnum::text), 0)::bigint, attnotnull::integer::bigint"
           " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid ="
           " c.relnamespace LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
           " WHERE attnum > 0 AND NOT attisdropped AND c.relkind IN ('r', 'p')");
    pdr_pgv_add(w, " AND relname = '%s' AND nspname = ", versioned);
    pdr_pgv_add_text(w, w->v->view_schema_name, strlen(w->v->view_schema_name));
    PGresult *rows = pdr_pgv_query(w);
    if (rows && PQntuples(rows) == 0)
        w->code = pdr_fail(w->err, PDR_BAD_VIEW, "table %s isn't there", versioned);
    for (size_t i = 0; w->code == PDR_OK && i < t->column_count; i++)
        compare_column(w, t, i, rows, versioned);
    PQclear(rows);
}

pdr_code pdr_pgv_verify(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err)
{
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, timeout_ms, err) != PDR_OK) return pdr_pgv_end(&w);
    for (size_t i = 0; w.code == PDR_OK && i < spec->table_count; i++)
        compare_table(&w, spec, i);
    return pdr_pgv_end(&w);
}
