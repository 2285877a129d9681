/* From a batch to statements: the positions' move, then each step, then dead letters and requests. Rows of
 * one table that change the same columns in the same ways go together. */
#include <stdlib.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/views_op.h"
#include "backends/postgres/views_values.h"
#include "base/mem.h"
#include "projections/cell.h"

enum { MAX_SQL = 1024 * 1024 };

typedef struct building {
    pdr_pgv_op *op;
    pdr_pgv_prepared_set *set;
    const pdr_pgv_names *names;
    const pdr_version_spec *spec;
    pdr_buf sql;
    Oid params[PDR_PGV_MAX_PARAMS];
    int param_count;
    size_t step;
    pdr_error *err;
} building;

static pdr_code no_memory(const building *b)
{
    return pdr_fail(b->err, PDR_NOMEM, "a batch of projection %s", b->spec->projection);
}

/* The statement whose text stands in b->sql. NULL: no memory. */
static pdr_pgv_statement *add(building *b, size_t step)
{
    if (pdr_buf_append(&b->sql, "", 1) != PDR_OK) return NULL;
    pdr_pgv_prepared *prepared =
        pdr_pgv_prepared_of(b->set, (const char *)b->sql.data, b->params, b->param_count);
    return pdr_pgv_op_add(b->op, prepared, step);
}

static void begin(building *b)
{
    pdr_buf_clear(&b->sql);
    b->param_count = 0;
}

/* --- Columns of structs as arrays --- */

typedef struct column_of {
    const uint8_t *first; /* the member of the first struct */
    size_t stride;
    pdr_column_type type;
    pdr_cell cell; /* what was asked for last */
} column_of;

static const pdr_cell *struct_cell(const void *context, size_t i)
{
    column_of *c = (column_of *)(uintptr_t)context;
    const uint8_t *at = c->first + i * c->stride;
    int32_t small;
    c->cell = (pdr_cell){0};
    if (c->type == PDR_COLUMN_BIGINT) {
        memcpy(&c->cell.as.integer, at, sizeof c->cell.as.integer);
    } else if (c->type == PDR_COLUMN_INTEGER) {
        memcpy(&small, at, sizeof small);
        c->cell.as.integer = small;
    } else if (c->type == PDR_COLUMN_BOOLEAN) {
        memcpy(&c->cell.as.boolean, at, sizeof c->cell.as.boolean);
    } else {
        memcpy(&c->cell.as.bytes, at, sizeof c->cell.as.bytes);
    }
    return &c->cell;
}

static bool put_struct_column(building *b, pdr_pgv_statement *s, int parameter, pdr_column_type type,
                              const void *first, size_t stride, size_t count)
{
    column_of column = {.first = first, .stride = stride, .type = type};
    pdr_pgv_array array = {.type = type, .cell = struct_cell, .context = &column, .count = count};
    pdr_bytes bytes = pdr_pgv_put_array(&array, &b->op->arena);
    if (bytes.data) pdr_pgv_set(s, parameter, bytes);
    return bytes.data;
}

static bool put_text(building *b, pdr_pgv_statement *s, int parameter, const char *text)
{
    pdr_bytes copy = pdr_arena_bytes(&b->op->arena, pdr_bytes_of(text, strlen(text)));
    if (copy.data) pdr_pgv_set(s, parameter, copy);
    return copy.data;
}

static bool put_version(building *b, pdr_pgv_statement *s, int parameter)
{
    uint8_t *bytes = pdr_arena_alloc(&b->op->arena, 4), *at = bytes;
    if (!bytes) return false;
    pdr_pg_put32(&at, (int32_t)b->spec->version);
    pdr_pgv_set(s, parameter, pdr_bytes_of(bytes, 4));
    return true;
}

/* --- Positions --- */

typedef struct flat_move {
    int64_t partition, from[4], to[4], events;
} flat_move;

static void flatten(int64_t out[4], pdr_position position)
{
    out[0] = position.offset;
    out[1] = position.term.offset;
    out[2] = (int64_t)position.term.incarnation;
    out[3] = (int64_t)position.number;
}

static const pdr_cell *time_cell(const void *context, size_t i)
{
    static const pdr_cell none = {.null = true};
    column_of *c = (column_of *)(uintptr_t)context;
    memcpy(&c->cell.as.integer, c->first + i * c->stride, sizeof c->cell.as.integer);
    return c->cell.as.integer == INT64_MIN ? &none : &c->cell;
}

static bool put_times(building *b, pdr_pgv_statement *s, int parameter, const pdr_view_batch *batch)
{
    column_of column = {.first = (const uint8_t *)&batch->moves[0].event_time_us,
                        .stride = sizeof *batch->moves};
    pdr_pgv_array array = {
        .type = PDR_COLUMN_BIGINT, .cell = time_cell, .context = &column, .count = batch->move_count};
    pdr_bytes bytes = pdr_pgv_put_array(&array, &b->op->arena);
    if (bytes.data) pdr_pgv_set(s, parameter, bytes);
    return bytes.data;
}

static pdr_code add_moves(building *b, const char *worker, const pdr_view_batch *batch)
{
    flat_move *flat = pdr_arena_alloc(&b->op->arena, batch->move_count * sizeof *flat);
    begin(b);
    pdr_code code = pdr_buf_printf(
        &b->sql, "SELECT %s.move_positions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        b->names->schema);
    if (code != PDR_OK || !flat) return no_memory(b);
    for (size_t i = 0; i < batch->move_count; i++) {
        flat[i].partition = batch->moves[i].partition;
        flat[i].events = (int64_t)batch->moves[i].events;
        flatten(flat[i].from, batch->moves[i].from);
        flatten(flat[i].to, batch->moves[i].to);
    }
    b->params[0] = PDR_PG_TEXT;
    b->params[1] = PDR_PG_INT4;
    b->params[2] = PDR_PG_TEXT;
    for (b->param_count = 3; b->param_count < 14; b->param_count++)
        b->params[b->param_count] = PDR_PG_INT8_ARRAY;
    pdr_pgv_statement *s = add(b, SIZE_MAX);
    bool good =
        s && put_text(b, s, 0, b->spec->projection) && put_version(b, s, 1) && put_text(b, s, 2, worker) &&
        put_struct_column(b, s, 3, PDR_COLUMN_BIGINT, &flat->partition, sizeof *flat, batch->move_count);
    for (int i = 0; good && i < 4; i++)
        good =
            put_struct_column(b, s, 4 + i, PDR_COLUMN_BIGINT, &flat->from[i], sizeof *flat,
                              batch->move_count) &&
            put_struct_column(b, s, 8 + i, PDR_COLUMN_BIGINT, &flat->to[i], sizeof *flat, batch->move_count);
    good = good && put_times(b, s, 12, batch) &&
           put_struct_column(b, s, 13, PDR_COLUMN_BIGINT, &flat->events, sizeof *flat, batch->move_count);
    return good ? PDR_OK : no_memory(b);
}

/* --- Rows --- */

typedef struct group {
    const pdr_table *table;
    const pdr_row_change *const *rows;
    size_t count;
    const uint8_t *modes; /* NULL: they are removed */
    bool update_first;    /* see must_update_first */
    size_t column;        /* that is asked for */
    pdr_cell cell;        /* what was asked for last */
    bool out_of_range;    /* something that was asked for */
} group;

static bool is_zero(const pdr_column *column)
{
    return column->type == PDR_COLUMN_DOUBLE ? column->initial.as.real == 0 : column->initial.as.integer == 0;
}

/* What a row takes part with in its group's statement. */
static const pdr_cell *row_cell(const void *context, size_t i)
{
    static const pdr_cell zero = {0}, none = {.null = true};
    const group *g = context;
    const pdr_row_change *row = g->rows[i];
    if (g->column < g->table->key_count) return &row->key[g->column];
    size_t at = g->column - g->table->key_count;
    if (row->modes[at] != PDR_CELL_KEEP) return &row->cells[at];
    return g->modes[at] == PDR_CELL_ADD ? &zero : &none; /* of a shared table */
}

/* What a new row gets: the initial value with the change. The update takes it apart again. */
static const pdr_cell *new_cell(const void *context, size_t i)
{
    group *g = (group *)(uintptr_t)context;
    const pdr_cell *change = row_cell(context, i);
    const pdr_column *column = &g->table->columns[g->column];
    if (g->column < g->table->key_count) return change;
    uint8_t mode = g->modes[g->column - g->table->key_count];
    if (mode == PDR_CELL_SET || column->initial.null || (mode == PDR_CELL_ADD && is_zero(column)))
        return change;
    g->cell = column->initial;
    if (pdr_cell_fold(column, (pdr_cell_mode)mode, change, &g->cell, NULL) != PDR_OK) g->out_of_range = true;
    return &g->cell;
}

static pdr_code set_clause(building *b, const pdr_column *column, pdr_cell_mode mode, bool first)
{
    const char *name = column->name, *comma = first ? "" : ", ";
    if (mode == PDR_CELL_SET) return pdr_buf_printf(&b->sql, "%s\"%s\" = excluded.\"%s\"", comma, name, name);
    if (mode != PDR_CELL_ADD)
        return pdr_buf_printf(&b->sql, "%s\"%s\" = %s(t.\"%s\", excluded.\"%s\")", comma, name,
                              mode == PDR_CELL_GREATEST ? "greatest" : "least", name, name);
    bool zero = is_zero(column);
    pdr_code code = pdr_buf_printf(&b->sql, "%s\"%s\" = t.\"%s\" + %sexcluded.\"%s\"", comma, name, name,
                                   zero ? "" : "(", name);
    if (code != PDR_OK || zero) return code;
    code = pdr_buf_printf(&b->sql, " - ");
    if (code == PDR_OK) code = pdr_pgv_sql_constant(&b->sql, column, &column->initial);
    return code == PDR_OK ? pdr_buf_printf(&b->sql, ")") : code;
}

static bool is_written(const group *g, size_t column)
{
    return column < g->table->key_count ||
           (g->modes && g->modes[column - g->table->key_count] != PDR_CELL_KEEP);
}

static bool changes_any(const group *g)
{
    for (size_t i = g->table->key_count; i < g->table->column_count; i++)
        if (is_written(g, i)) return true;
    return false;
}

/* "a", "b" */
static pdr_code name_list(building *b, const group *g, const char *before)
{
    pdr_code code = PDR_OK;
    const char *comma = "";
    for (size_t i = 0; code == PDR_OK && i < g->table->column_count; i++) {
        if (!is_written(g, i)) continue;
        code = pdr_buf_printf(&b->sql, "%s%s\"%s\"", comma, before, g->table->columns[i].name);
        comma = ", ";
    }
    return code;
}

static pdr_code unnest(building *b, const group *g)
{
    pdr_code code = pdr_buf_printf(&b->sql, "unnest(");
    for (size_t i = 0; code == PDR_OK && i < g->table->column_count; i++) {
        if (!is_written(g, i)) continue;
        b->params[b->param_count] = pdr_pgv_array_oid(g->table->columns[i].type);
        code = pdr_buf_printf(&b->sql, "%s$%d", b->param_count ? ", " : "", b->param_count + 1);
        b->param_count++;
    }
    return code == PDR_OK ? pdr_buf_printf(&b->sql, ")") : code;
}

static pdr_code key_list(building *b, const pdr_table *table)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < table->key_count; i++)
        code = pdr_buf_printf(&b->sql, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
    return code;
}

static pdr_code insert_into(building *b, const group *g, size_t table)
{
    pdr_code code = pdr_buf_printf(&b->sql, "INSERT INTO ");
    if (code == PDR_OK) code = pdr_pgv_sql_table(&b->sql, b->names, b->spec, table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS t (");
    if (code == PDR_OK) code = name_list(b, g, "");
    return code == PDR_OK ? pdr_buf_printf(&b->sql, ") SELECT ") : code;
}

static pdr_code upsert_sql(building *b, const group *g, size_t table)
{
    pdr_code code = insert_into(b, g, table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, "* FROM ");
    if (code == PDR_OK) code = unnest(b, g);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " ON CONFLICT (");
    if (code == PDR_OK) code = key_list(b, g->table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, ") DO %s", changes_any(g) ? "UPDATE SET " : "NOTHING");
    bool first = true;
    for (size_t i = g->table->key_count; code == PDR_OK && i < g->table->column_count; i++) {
        if (!is_written(g, i)) continue;
        code = set_clause(b, &g->table->columns[i], g->modes[i - g->table->key_count], first);
        first = false;
    }
    return code;
}

/* --- Rows that are there are updated, and the others made --- */

/* An insert is refused before PostgreSQL looks whether the row is there: for a kept column that must be given
 * in a new row, and for an initial value with the change where only the sum with the row's value is in range.
 * Not of a shared table: others may make the row meanwhile. */
static bool must_update_first(const group *g)
{
    if (g->table->shared || !g->modes) return false;
    for (size_t i = g->table->key_count; i < g->table->column_count; i++) {
        const pdr_column *column = &g->table->columns[i];
        uint8_t mode = g->modes[i - g->table->key_count];
        if (mode == PDR_CELL_KEEP && column->not_null && column->initial.null) return true;
        if (mode == PDR_CELL_ADD && !is_zero(column)) return true;
    }
    return false;
}

static pdr_code same_key(building *b, const pdr_table *table, const char *one, const char *other)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < table->key_count; i++)
        code = pdr_buf_printf(&b->sql, "%s%s.\"%s\" = %s.\"%s\"", i ? " AND " : "", one,
                              table->columns[i].name, other, table->columns[i].name);
    return code;
}

static pdr_code update_clauses(building *b, const group *g)
{
    pdr_code code = PDR_OK;
    const char *comma = "";
    for (size_t i = g->table->key_count; code == PDR_OK && i < g->table->column_count; i++) {
        const char *name = g->table->columns[i].name;
        uint8_t mode = g->modes[i - g->table->key_count];
        if (mode == PDR_CELL_KEEP) continue;
        if (mode == PDR_CELL_SET)
            code = pdr_buf_printf(&b->sql, "%s\"%s\" = u.\"%s\"", comma, name, name);
        else if (mode == PDR_CELL_ADD)
            code = pdr_buf_printf(&b->sql, "%s\"%s\" = t.\"%s\" + u.\"%s\"", comma, name, name, name);
        else
            code = pdr_buf_printf(&b->sql, "%s\"%s\" = %s(t.\"%s\", u.\"%s\")", comma, name,
                                  mode == PDR_CELL_GREATEST ? "greatest" : "least", name, name);
        comma = ", ";
    }
    return code;
}

static pdr_code new_values(building *b, const group *g)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < g->table->column_count; i++) {
        const pdr_column *column = &g->table->columns[i];
        if (!is_written(g, i)) continue;
        code = pdr_buf_printf(&b->sql, "%su.\"%s\"", i ? ", " : "", column->name);
        bool added = i >= g->table->key_count && g->modes[i - g->table->key_count] == PDR_CELL_ADD;
        if (code != PDR_OK || !added || is_zero(column)) continue;
        code = pdr_buf_printf(&b->sql, " + ");
        if (code == PDR_OK) code = pdr_pgv_sql_constant(&b->sql, column, &column->initial);
    }
    return code;
}

static pdr_code update_first_sql(building *b, const group *g, size_t table)
{
    pdr_code code = pdr_buf_printf(&b->sql, "WITH u (");
    if (code == PDR_OK) code = name_list(b, g, "");
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, ") AS MATERIALIZED (SELECT * FROM ");
    if (code == PDR_OK) code = unnest(b, g);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, ")");
    if (code == PDR_OK && changes_any(g)) {
        code = pdr_buf_printf(&b->sql, ", done AS (UPDATE ");
        if (code == PDR_OK) code = pdr_pgv_sql_table(&b->sql, b->names, b->spec, table);
        if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS t SET ");
        if (code == PDR_OK) code = update_clauses(b, g);
        if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " FROM u WHERE ");
        if (code == PDR_OK) code = same_key(b, g->table, "t", "u");
        if (code == PDR_OK) code = pdr_buf_printf(&b->sql, ")");
    }
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " ");
    if (code == PDR_OK) code = insert_into(b, g, table);
    if (code == PDR_OK) code = new_values(b, g);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " FROM u WHERE NOT EXISTS (SELECT FROM ");
    if (code == PDR_OK) code = pdr_pgv_sql_table(&b->sql, b->names, b->spec, table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS x WHERE ");
    if (code == PDR_OK) code = same_key(b, g->table, "x", "u");
    return code == PDR_OK ? pdr_buf_printf(&b->sql, ")") : code;
}

/* --- Groups --- */

static pdr_code delete_sql(building *b, const group *g, size_t table)
{
    pdr_code code = pdr_buf_printf(&b->sql, "DELETE FROM ");
    if (code == PDR_OK) code = pdr_pgv_sql_table(&b->sql, b->names, b->spec, table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS t USING ");
    if (code == PDR_OK) code = unnest(b, g);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS k (");
    if (code == PDR_OK) code = key_list(b, g->table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, ") WHERE ");
    return code == PDR_OK ? same_key(b, g->table, "t", "k") : code;
}

/* A value that its type's bytes can't hold never leaves here; PostgreSQL looks at the rest. */
static pdr_code check_cells(building *b, const group *g, const pdr_column *column)
{
    pdr_code code = PDR_OK;
    if (pdr_column_is_bytes(column->type)) return PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < g->count; i++)
        code = pdr_cell_check(column, row_cell(g, i), b->err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(b->err, code, "table %s", g->table->name);
}

static pdr_code put_column(building *b, group *g, pdr_pgv_statement *s, int parameter)
{
    const pdr_column *column = &g->table->columns[g->column];
    pdr_code code = check_cells(b, g, column);
    if (code != PDR_OK) return code;
    pdr_pgv_array array = {.type = column->type,
                           .scale = column->scale,
                           .cell = g->update_first || !g->modes ? row_cell : new_cell,
                           .context = g,
                           .count = g->count};
    pdr_bytes bytes = pdr_pgv_put_array(&array, &b->op->arena);
    if (g->out_of_range)
        return pdr_fail(b->err, PDR_BAD_DATA, "table %s: column %s: a sum is out of range for %s",
                        g->table->name, column->name, pdr_column_type_name(column->type));
    if (!bytes.data) return no_memory(b);
    pdr_pgv_set(s, parameter, bytes);
    return PDR_OK;
}

static pdr_code add_group(building *b, group *g, size_t table, size_t step)
{
    begin(b);
    g->update_first = must_update_first(g);
    pdr_code code = !g->modes         ? delete_sql(b, g, table)
                    : g->update_first ? update_first_sql(b, g, table)
                                      : upsert_sql(b, g, table);
    pdr_pgv_statement *s = code == PDR_OK ? add(b, step) : NULL;
    if (!s) return no_memory(b);
    int parameter = 0;
    for (g->column = 0; code == PDR_OK && g->column < g->table->column_count; g->column++)
        if (is_written(g, g->column)) code = put_column(b, g, s, parameter++);
    return code;
}

/* Of a shared table every row takes part in every column that any changes: one statement, keys in order. */
static bool merge_modes(const pdr_view_step *step, size_t width, uint8_t *modes)
{
    memset(modes, PDR_CELL_KEEP, width);
    for (size_t i = 0; i < step->row_count && !step->rows[i].remove; i++)
        for (size_t c = 0; c < width; c++) {
            uint8_t mode = step->rows[i].modes[c];
            if (mode == PDR_CELL_KEEP) continue;
            if (modes[c] != PDR_CELL_KEEP && modes[c] != mode) return false;
            modes[c] = mode;
        }
    return true;
}

static bool same_group(const pdr_row_change *a, const pdr_row_change *b, size_t width)
{
    if (a->remove || b->remove) return a->remove && b->remove;
    return memcmp(a->modes, b->modes, width) == 0;
}

static pdr_code add_groups(building *b, const pdr_view_step *step, size_t index)
{
    const pdr_table *table = &b->spec->tables[step->table];
    size_t width = table->column_count - table->key_count;
    bool *done = pdr_arena_calloc(&b->op->arena, step->row_count, sizeof *done);
    const pdr_row_change **rows = pdr_arena_alloc(&b->op->arena, step->row_count * sizeof *rows);
    pdr_code code = done && rows ? PDR_OK : no_memory(b);
    for (size_t from = 0; code == PDR_OK && from < step->row_count; from++) {
        if (done[from]) continue;
        code = pdr_row_change_check(table, &step->rows[from], b->err);
        if (code != PDR_OK) return code;
        group g = {.table = table, .rows = rows, .modes = step->rows[from].modes};
        for (size_t i = from; i < step->row_count; i++) {
            if (done[i] || !same_group(&step->rows[from], &step->rows[i], width)) continue;
            done[i] = true;
            rows[g.count++] = &step->rows[i];
        }
        code = add_group(b, &g, step->table, index);
    }
    return code;
}

static pdr_code add_rows(building *b, const pdr_view_step *step, size_t index)
{
    const pdr_table *table = &b->spec->tables[step->table];
    uint8_t modes[PDR_VIEW_MAX_COLUMNS];
    if (!table->shared || !merge_modes(step, table->column_count - table->key_count, modes))
        return add_groups(b, step, index);
    const pdr_row_change **rows = pdr_arena_alloc(&b->op->arena, step->row_count * sizeof *rows);
    if (!rows) return no_memory(b);
    for (size_t i = 0; i < step->row_count; i++) {
        pdr_code code = pdr_row_change_check(table, &step->rows[i], b->err);
        if (code != PDR_OK) return code;
        rows[i] = &step->rows[i];
    }
    group g = {.table = table, .rows = rows, .count = step->row_count, .modes = modes};
    return add_group(b, &g, step->table, index);
}

static pdr_code add_statement(building *b, const pdr_view_step *step, size_t index)
{
    begin(b);
    if (step->parameter_count > PDR_PGV_MAX_PARAMS)
        return pdr_fail(b->err, PDR_INVALID_ARGUMENT, "a statement has at most %d parameters",
                        PDR_PGV_MAX_PARAMS);
    pdr_code code = pdr_view_statement_check(step->statement, b->err);
    if (code == PDR_OK)
        code = pdr_pgv_sql_expand(&b->sql, step->statement, b->names, b->spec, SIZE_MAX, b->err);
    if (code != PDR_OK)
        return code == PDR_INVALID_ARGUMENT ? pdr_fail_context(b->err, PDR_BAD_VIEW, "a statement") : code;
    for (size_t i = 0; i < step->parameter_count; i++)
        b->params[b->param_count++] = pdr_pgv_oid(step->parameter_types[i]);
    pdr_pgv_statement *s = add(b, index);
    for (size_t i = 0; s && i < step->parameter_count; i++) {
        pdr_bytes bytes;
        if (!pdr_pgv_put(step->parameter_types[i], 0, &step->parameters[i], &b->op->arena, &bytes))
            return no_memory(b);
        if (bytes.data) bytes = pdr_arena_bytes(&b->op->arena, bytes);
        if (bytes.data || step->parameters[i].null) pdr_pgv_set(s, (int)i, bytes);
    }
    return s ? PDR_OK : no_memory(b);
}

/* --- Dead letters and requests --- */

typedef struct flat_letter {
    int64_t numbers[10]; /* partition, offset, before (4), seq, attempts, first, last */
    bool behind;
    pdr_bytes entity, reason;
} flat_letter;

static pdr_bytes reason_of(building *b, const char *reason)
{
    pdr_bytes bytes = pdr_bytes_of(reason, strlen(reason));
    if (pdr_view_is_text(bytes)) return bytes;
    pdr_string text = pdr_view_text(&b->op->arena, bytes);
    return pdr_bytes_of(text.data, text.data ? text.size : 0);
}

static flat_letter *flatten_letters(building *b, const pdr_dead_letter *letters, size_t count)
{
    flat_letter *flat = pdr_arena_alloc(&b->op->arena, count * sizeof *flat);
    for (size_t i = 0; flat && i < count; i++) {
        const pdr_dead_letter *l = &letters[i];
        flat[i] = (flat_letter){.numbers = {l->partition, l->offset, 0, 0, 0, 0, (int64_t)l->seq, l->attempts,
                                            l->first_us, l->last_us},
                                .behind = l->behind,
                                .entity = l->entity,
                                .reason = reason_of(b, l->reason ? l->reason : "")};
        flatten(&flat[i].numbers[2], l->before);
    }
    return flat;
}

static pdr_code add_parked(building *b, const pdr_view_batch *batch)
{
    flat_letter *flat = flatten_letters(b, batch->park, batch->park_count);
    size_t n = batch->park_count;
    begin(b);
    pdr_code code = pdr_buf_printf(
        &b->sql,
        "INSERT INTO %s.dead_letter (projection, version, partition, \"offset\", before_offset, "
        "before_term_offset,"
        " before_term_incarnation, before_number, seq, attempts, first_us, last_us, behind, entity, reason)"
        " SELECT $1, $2, u.* FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS u"
        " ON CONFLICT (projection, version, partition, \"offset\") DO UPDATE SET attempts = "
        "excluded.attempts,"
        " last_us = excluded.last_us, behind = excluded.behind, reason = excluded.reason",
        b->names->schema);
    if (code != PDR_OK || !flat) return no_memory(b);
    b->params[0] = PDR_PG_TEXT;
    b->params[1] = PDR_PG_INT4;
    for (b->param_count = 2; b->param_count < 12; b->param_count++)
        b->params[b->param_count] = PDR_PG_INT8_ARRAY;
    b->params[12] = pdr_pgv_array_oid(PDR_COLUMN_BOOLEAN);
    b->params[13] = b->params[14] = PDR_PG_TEXT_ARRAY;
    b->param_count = 15;
    pdr_pgv_statement *s = add(b, SIZE_MAX);
    bool good = s && put_text(b, s, 0, b->spec->projection) && put_version(b, s, 1);
    for (int i = 0; good && i < 10; i++)
        good = put_struct_column(b, s, 2 + i, PDR_COLUMN_BIGINT, &flat->numbers[i], sizeof *flat, n);
    good = good && put_struct_column(b, s, 12, PDR_COLUMN_BOOLEAN, &flat->behind, sizeof *flat, n) &&
           put_struct_column(b, s, 13, PDR_COLUMN_TEXT, &flat->entity, sizeof *flat, n) &&
           put_struct_column(b, s, 14, PDR_COLUMN_TEXT, &flat->reason, sizeof *flat, n);
    return good ? PDR_OK : no_memory(b);
}

static pdr_code add_unparked(building *b, const pdr_view_batch *batch)
{
    flat_letter *flat = flatten_letters(b, batch->unpark, batch->unpark_count);
    begin(b);
    pdr_code code =
        pdr_buf_printf(&b->sql,
                       "DELETE FROM %s.dead_letter d USING unnest($3, $4) AS u (p, o) WHERE d.projection ="
                       " $1 AND d.version = $2 AND d.partition = u.p AND d.\"offset\" = u.o",
                       b->names->schema);
    if (code != PDR_OK || !flat) return no_memory(b);
    b->params[0] = PDR_PG_TEXT;
    b->params[1] = PDR_PG_INT4;
    b->params[2] = b->params[3] = PDR_PG_INT8_ARRAY;
    b->param_count = 4;
    pdr_pgv_statement *s = add(b, SIZE_MAX);
    bool good = s && put_text(b, s, 0, b->spec->projection) && put_version(b, s, 1);
    for (int i = 0; good && i < 2; i++)
        good = put_struct_column(b, s, 2 + i, PDR_COLUMN_BIGINT, &flat->numbers[i], sizeof *flat,
                                 batch->unpark_count);
    return good ? PDR_OK : no_memory(b);
}

static pdr_code add_requests(building *b, const pdr_view_batch *batch)
{
    begin(b);
    pdr_code code =
        pdr_buf_printf(&b->sql, "DELETE FROM %s.projection_request WHERE id = ANY ($1)", b->names->schema);
    b->params[0] = PDR_PG_INT8_ARRAY;
    b->param_count = 1;
    pdr_pgv_statement *s = code == PDR_OK ? add(b, SIZE_MAX) : NULL;
    bool good = s && put_struct_column(b, s, 0, PDR_COLUMN_BIGINT, batch->requests_done,
                                       sizeof *batch->requests_done, batch->request_count);
    return good ? PDR_OK : no_memory(b);
}

/* --- The whole --- */

static pdr_code add_all(building *b, const char *worker, const pdr_view_batch *batch)
{
    pdr_code code = batch->move_count ? add_moves(b, worker, batch) : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < batch->step_count; i++) {
        b->step = i;
        code = batch->steps[i].statement ? add_statement(b, &batch->steps[i], i)
                                         : add_rows(b, &batch->steps[i], i);
    }
    if (code == PDR_OK && batch->unpark_count) code = add_unparked(b, batch);
    if (code == PDR_OK && batch->park_count) code = add_parked(b, batch);
    if (code == PDR_OK && batch->request_count) code = add_requests(b, batch);
    return code;
}

pdr_code pdr_pgv_batch(pdr_pgv_op *op, pdr_pgv_prepared_set *set, const pdr_pgv_names *names,
                       const pdr_version_spec *spec, const char *worker, const pdr_view_batch *batch,
                       pdr_error *err)
{
    building b = {
        .op = op, .set = set, .names = names, .spec = spec, .sql = PDR_BUF_INIT(MAX_SQL), .err = err};
    pdr_code code = add_all(&b, worker, batch);
    pdr_buf_release(&b.sql);
    op->bad_step = code == PDR_BAD_DATA ? b.step : SIZE_MAX;
    return code;
}

/* --- Fetch --- */

typedef struct key_column {
    const pdr_cell *const *keys;
    size_t column;
} key_column;

static const pdr_cell *key_cell(const void *context, size_t i)
{
    const key_column *k = context;
    return &k->keys[i][k->column];
}

static pdr_code fetch_sql(building *b, const group *g, size_t table)
{
    pdr_code code = pdr_buf_printf(&b->sql, "SELECT ");
    for (size_t i = 0; code == PDR_OK && i < g->table->column_count; i++)
        code = pdr_buf_printf(&b->sql, "%st.\"%s\"", i ? ", " : "", g->table->columns[i].name);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " FROM ");
    if (code == PDR_OK) code = unnest(b, g);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS k (");
    if (code == PDR_OK) code = key_list(b, g->table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, ") JOIN ");
    if (code == PDR_OK) code = pdr_pgv_sql_table(&b->sql, b->names, b->spec, table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS t USING (");
    if (code == PDR_OK) code = key_list(b, g->table);
    return code == PDR_OK ? pdr_buf_printf(&b->sql, ")") : code;
}

pdr_code pdr_pgv_fetch(pdr_pgv_op *op, pdr_pgv_prepared_set *set, const pdr_pgv_names *names,
                       const pdr_version_spec *spec, size_t table, const pdr_cell *const *keys, size_t count,
                       pdr_error *err)
{
    building b = {
        .op = op, .set = set, .names = names, .spec = spec, .sql = PDR_BUF_INIT(MAX_SQL), .err = err};
    group g = {.table = &spec->tables[table]};
    op->is_fetch = true;
    op->table = &spec->tables[table];
    pdr_code code = fetch_sql(&b, &g, table);
    pdr_pgv_statement *s = code == PDR_OK ? add(&b, SIZE_MAX) : NULL;
    code = s ? PDR_OK : no_memory(&b);
    for (size_t i = 0; code == PDR_OK && i < g.table->key_count; i++) {
        key_column column = {keys, i};
        pdr_pgv_array array = {.type = g.table->columns[i].type,
                               .scale = g.table->columns[i].scale,
                               .cell = key_cell,
                               .context = &column,
                               .count = count};
        pdr_bytes bytes = pdr_pgv_put_array(&array, &op->arena);
        if (!bytes.data)
            code = no_memory(&b);
        else
            pdr_pgv_set(s, (int)i, bytes);
    }
    pdr_buf_release(&b.sql);
    return code;
}
