/* One row read, changed in memory by the rules of projections/cell.h, and written. */
#include <math.h>
#include <stdio.h>

#include "backends/sqlite/sqlite_views_internal.h"
#include "base/mem.h"
#include "projections/cell.h"

/* --- Values --- */

/* SQLite takes a NaN for NULL. As a text it comes after all numbers, where PostgreSQL has it. */
static const char not_a_number[] = "NaN";

int pdr_sqv_bind(sqlite3_stmt *s, int index, pdr_column_type type, const pdr_cell *cell)
{
    static const char empty[1];
    if (cell->null) return sqlite3_bind_null(s, index);
    pdr_bytes bytes = pdr_column_is_bytes(type) ? cell->as.bytes : pdr_bytes_of(NULL, 0);
    if (!bytes.data) bytes.data = (const uint8_t *)empty;
    switch (type) {
    case PDR_COLUMN_BOOLEAN: return sqlite3_bind_int(s, index, cell->as.boolean);
    case PDR_COLUMN_DOUBLE:
        if (isnan(cell->as.real)) return sqlite3_bind_text(s, index, not_a_number, -1, SQLITE_STATIC);
        return sqlite3_bind_double(s, index, cell->as.real);
    case PDR_COLUMN_TEXT: return pdr_sqlite_bind_text(s, index, bytes);
    case PDR_COLUMN_BYTEA: return pdr_sqlite_bind_blob(s, index, bytes);
    default: return sqlite3_bind_int64(s, index, cell->as.integer);
    }
}

pdr_code pdr_sqv_column(sqlite3_stmt *s, int index, const pdr_column *column, pdr_cell *out, pdr_error *err)
{
    int kind = sqlite3_column_type(s, index);
    int wanted = column->type == PDR_COLUMN_DOUBLE  ? SQLITE_FLOAT
                 : column->type == PDR_COLUMN_TEXT  ? SQLITE_TEXT
                 : column->type == PDR_COLUMN_BYTEA ? SQLITE_BLOB
                                                    : SQLITE_INTEGER;
    *out = (pdr_cell){.null = kind == SQLITE_NULL};
    if (out->null) return PDR_OK;
    if (wanted == SQLITE_FLOAT && kind == SQLITE_TEXT &&
        strcmp((const char *)sqlite3_column_text(s, index), not_a_number) == 0) {
        out->as.real = NAN;
        return PDR_OK;
    }
    if (kind != wanted)
        return pdr_fail(err, PDR_BAD_VIEW, "column %s holds a value that isn't %s", column->name,
                        pdr_column_type_name(column->type));
    if (kind == SQLITE_FLOAT)
        out->as.real = sqlite3_column_double(s, index);
    else if (kind != SQLITE_INTEGER)
        out->as.bytes = pdr_sqlite_column(s, index);
    else if (column->type == PDR_COLUMN_BOOLEAN)
        out->as.boolean = sqlite3_column_int(s, index) != 0;
    else
        out->as.integer = sqlite3_column_int64(s, index);
    return PDR_OK;
}

static pdr_code key_is_whole(const pdr_table *table, const pdr_cell *key, pdr_error *err)
{
    for (size_t i = 0; i < table->key_count; i++) {
        pdr_code code = key[i].null ? pdr_fail(err, PDR_BAD_DATA, "table %s: column %s of the key is NULL",
                                               table->name, table->columns[i].name)
                                    : pdr_cell_check(&table->columns[i], &key[i], err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

/* --- Statements of one table --- */

typedef struct row_writer {
    sqlite_views *v;
    views_op *op;
    const pdr_table *table;
    size_t index;
    sqlite3_stmt *read, *write, *remove;
    pdr_cell *cells; /* room for the columns after the key */
} row_writer;

typedef enum row_sql { READ_ROW, WRITE_ROW, REMOVE_ROW } row_sql;

static void add_key_condition(views_sql *sql, const pdr_table *table)
{
    pdr_sqv_add(sql, " WHERE ");
    for (size_t i = 0; i < table->key_count; i++)
        pdr_sqv_add(sql, "%s\"%s\" = ?%zu", i ? " AND " : "", table->columns[i].name, i + 1);
}

static void add_upsert(views_sql *sql, const pdr_version_spec *spec, size_t index)
{
    const pdr_table *t = &spec->tables[index];
    pdr_sqv_add(sql, "INSERT INTO ");
    pdr_sqv_add_table(sql, spec, index);
    pdr_sqv_add(sql, " (");
    pdr_sqv_add_columns(sql, t, 0, t->column_count, "");
    pdr_sqv_add(sql, ") VALUES (");
    for (size_t i = 0; i < t->column_count; i++)
        pdr_sqv_add(sql, "%s?%zu", i ? ", " : "", i + 1);
    pdr_sqv_add(sql, ") ON CONFLICT (");
    pdr_sqv_add_columns(sql, t, 0, t->key_count, "");
    pdr_sqv_add(sql, ") DO UPDATE SET ");
    for (size_t i = t->key_count; i < t->column_count; i++)
        pdr_sqv_add(sql, "%s\"%s\" = excluded.\"%s\"", i > t->key_count ? ", " : "", t->columns[i].name,
                    t->columns[i].name);
}

static pdr_code table_statement(sqlite_views *v, const pdr_version_spec *spec, size_t index, row_sql which,
                                sqlite3_stmt **out, pdr_error *err)
{
    const pdr_table *t = &spec->tables[index];
    views_sql sql = VIEWS_SQL_INIT;
    if (*out) return PDR_OK;
    if (which == WRITE_ROW) {
        add_upsert(&sql, spec, index);
    } else {
        pdr_sqv_add(&sql, which == READ_ROW ? "SELECT " : "DELETE");
        if (which == READ_ROW) pdr_sqv_add_columns(&sql, t, 0, t->column_count, "");
        pdr_sqv_add(&sql, " FROM ");
        pdr_sqv_add_table(&sql, spec, index);
        add_key_condition(&sql, t);
    }
    const char *text = pdr_sqv_text(&sql);
    int rc = text ? pdr_sqv_statement(v, text, out) : SQLITE_NOMEM;
    pdr_sqv_sql_release(&sql);
    return rc == SQLITE_OK ? PDR_OK : pdr_sqv_fail(v, rc, true, t->name, err);
}

static int bind_cells(sqlite3_stmt *s, int from, const pdr_column *columns, const pdr_cell *cells,
                      size_t count)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
        rc = pdr_sqv_bind(s, from + (int)i, columns[i].type, &cells[i]);
    return rc;
}

/* --- Reading, folding, writing --- */

/* The row's cells after the key into w->cells; as in a new row if it isn't there. Its bytes are those of the
 * statement, which must be reset when they aren't needed any more. */
static pdr_code read_row(row_writer *w, const pdr_cell *key, pdr_error *err)
{
    const pdr_table *t = w->table;
    pdr_code code = table_statement(w->v, &w->op->spec, w->index, READ_ROW, &w->read, err);
    if (code != PDR_OK) return code;
    int rc = bind_cells(w->read, 1, t->columns, key, t->key_count);
    if (rc == SQLITE_OK) rc = sqlite3_step(w->read);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return pdr_sqv_fail(w->v, rc, true, t->name, err);
    for (size_t i = t->key_count; code == PDR_OK && i < t->column_count; i++) {
        pdr_cell *cell = &w->cells[i - t->key_count];
        if (rc == SQLITE_ROW)
            code = pdr_sqv_column(w->read, (int)i, &t->columns[i], cell, err);
        else
            *cell = t->columns[i].initial;
    }
    return code;
}

static bool sets_all(const pdr_table *t, const pdr_row_change *row)
{
    for (size_t i = 0; i < t->column_count - t->key_count; i++)
        if (row->modes[i] != PDR_CELL_SET) return false;
    return true;
}

static pdr_code fold(row_writer *w, const pdr_row_change *row, pdr_error *err)
{
    const pdr_table *t = w->table;
    pdr_code code = sets_all(t, row) ? PDR_OK : read_row(w, row->key, err);
    for (size_t i = 0; code == PDR_OK && i < t->column_count - t->key_count; i++) {
        const pdr_column *column = &t->columns[t->key_count + i];
        if (row->modes[i] == PDR_CELL_KEEP) continue;
        code = pdr_cell_check(column, &row->cells[i], err);
        if (code == PDR_OK)
            code = pdr_cell_fold(column, (pdr_cell_mode)row->modes[i], &row->cells[i], &w->cells[i], err);
    }
    return code;
}

static pdr_code write_row(row_writer *w, const pdr_row_change *row, pdr_error *err)
{
    const pdr_table *t = w->table;
    pdr_code code = fold(w, row, err);
    if (code == PDR_OK) code = table_statement(w->v, &w->op->spec, w->index, WRITE_ROW, &w->write, err);
    if (code == PDR_OK) {
        int rc = bind_cells(w->write, 1, t->columns, row->key, t->key_count);
        if (rc == SQLITE_OK)
            rc = bind_cells(w->write, 1 + (int)t->key_count, t->columns + t->key_count, w->cells,
                            t->column_count - t->key_count);
        if (rc == SQLITE_OK) rc = sqlite3_step(w->write);
        if (rc != SQLITE_DONE) code = pdr_sqv_fail(w->v, rc, true, t->name, err);
        sqlite3_reset(w->write);
    }
    if (w->read) sqlite3_reset(w->read);
    return code;
}

static pdr_code remove_row(row_writer *w, const pdr_row_change *row, pdr_error *err)
{
    pdr_code code = table_statement(w->v, &w->op->spec, w->index, REMOVE_ROW, &w->remove, err);
    if (code != PDR_OK) return code;
    int rc = bind_cells(w->remove, 1, w->table->columns, row->key, w->table->key_count);
    if (rc == SQLITE_OK) rc = sqlite3_step(w->remove);
    if (rc != SQLITE_DONE) code = pdr_sqv_fail(w->v, rc, true, w->table->name, err);
    sqlite3_reset(w->remove);
    return code;
}

pdr_code pdr_sqv_write_rows(sqlite_views *v, views_op *op, const pdr_view_step *step, pdr_error *err)
{
    const pdr_table *table = &op->spec.tables[step->table];
    row_writer w = {.v = v, .op = op, .table = table, .index = step->table};
    w.cells = pdr_arena_calloc(&op->arena, table->column_count, sizeof *w.cells);
    if (!w.cells) return pdr_fail(err, PDR_NOMEM, "a row of table %s", table->name);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < step->row_count; i++) {
        const pdr_row_change *row = &step->rows[i];
        code = key_is_whole(table, row->key, err);
        if (code == PDR_OK) code = row->remove ? remove_row(&w, row, err) : write_row(&w, row, err);
    }
    return code;
}

/* --- Statements of users --- */

/* "$1" is a name to SQLite; a statement that doesn't use one has none of it. */
static int bind_parameters(sqlite3_stmt *s, const pdr_view_step *step)
{
    int rc = SQLITE_OK;
    sqlite3_clear_bindings(s);
    for (size_t i = 0; rc == SQLITE_OK && i < step->parameter_count; i++) {
        char name[24];
        snprintf(name, sizeof name, "$%zu", i + 1);
        int index = sqlite3_bind_parameter_index(s, name);
        name[0] = '?';
        if (index == 0) index = sqlite3_bind_parameter_index(s, name);
        if (index > 0) rc = pdr_sqv_bind(s, index, step->parameter_types[i], &step->parameters[i]);
    }
    return rc;
}

/* Does the text still stand for a statement? If not, the tables aren't what they were. */
static bool compiles(sqlite_views *v, const char *sql)
{
    sqlite3_stmt *again = NULL;
    bool good = sqlite3_prepare_v2(v->db, sql, -1, &again, NULL) == SQLITE_OK;
    sqlite3_finalize(again);
    return good;
}

pdr_code pdr_sqv_run_statement(sqlite_views *v, views_op *op, const pdr_view_step *step, pdr_error *err)
{
    sqlite3_stmt *s;
    views_sql sql = VIEWS_SQL_INIT;
    pdr_code code = pdr_sqv_expand(&sql, step->statement, &op->spec, SIZE_MAX, err);
    const char *text = code == PDR_OK ? pdr_sqv_text(&sql) : NULL;
    if (code == PDR_OK && !text) code = pdr_fail(err, PDR_NOMEM, "a statement");
    if (code == PDR_OK) {
        int rc = pdr_sqv_statement(v, text, &s);
        if (rc != SQLITE_OK) {
            code = pdr_sqv_fail(v, rc, true, step->statement, err);
        } else {
            rc = bind_parameters(s, step);
            while (rc == SQLITE_OK || rc == SQLITE_ROW)
                rc = sqlite3_step(s);
            if (rc != SQLITE_DONE) code = pdr_sqv_fail(v, rc, false, step->statement, err);
            sqlite3_reset(s);
            if (rc == SQLITE_ERROR && !compiles(v, text))
                code = pdr_fail_context(err, PDR_BAD_VIEW, "a statement");
        }
    }
    pdr_sqv_sql_release(&sql);
    return code;
}

/* --- Fetch --- */

static pdr_code keep_row(views_op *op, sqlite3_stmt *s, const pdr_table *t, pdr_error *err)
{
    pdr_cell *cells = pdr_arena_calloc(&op->arena, t->column_count, sizeof *cells);
    pdr_code code = cells ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a row of table %s", t->name);
    for (size_t i = 0; code == PDR_OK && i < t->column_count; i++) {
        pdr_cell cell;
        code = pdr_sqv_column(s, (int)i, &t->columns[i], &cell, err);
        if (code == PDR_OK && pdr_cell_copy(t->columns[i].type, &cell, &op->arena, &cells[i]) != PDR_OK)
            code = pdr_fail(err, PDR_NOMEM, "a row of table %s", t->name);
    }
    if (code == PDR_OK) op->rows[op->row_count++] = cells;
    return code;
}

pdr_code pdr_sqv_fetch_rows(sqlite_views *v, views_op *op, pdr_error *err)
{
    const pdr_table *t = &op->spec.tables[op->table];
    sqlite3_stmt *s = NULL;
    pdr_code code = table_statement(v, &op->spec, op->table, READ_ROW, &s, err);
    if (code != PDR_OK) return code;
    op->row_count = 0;
    op->rows = pdr_arena_calloc(&op->arena, op->key_count + 1, sizeof *op->rows);
    if (!op->rows) return pdr_fail(err, PDR_NOMEM, "rows of table %s", t->name);
    for (size_t i = 0; code == PDR_OK && i < op->key_count; i++) {
        int rc = bind_cells(s, 1, t->columns, op->keys[i], t->key_count);
        if (rc == SQLITE_OK) rc = sqlite3_step(s);
        if (rc == SQLITE_ROW)
            code = keep_row(op, s, t, err);
        else if (rc != SQLITE_DONE)
            code = pdr_sqv_fail(v, rc, true, t->name, err);
        sqlite3_reset(s);
    }
    return code;
}
