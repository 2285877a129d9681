/* Rows as statements: those of one table that change the same columns in the same ways go together. And rows
 * that are asked for. */
#include "backends/postgres/views_batch.h"
#include "backends/postgres/views_values.h"
#include "projections/cell.h"

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

static pdr_code set_clause(pdr_pgv_building *b, const pdr_column *column, pdr_cell_mode mode, bool first)
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
static pdr_code name_list(pdr_pgv_building *b, const group *g, const char *before)
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

static pdr_code unnest(pdr_pgv_building *b, const group *g)
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

static pdr_code key_list(pdr_pgv_building *b, const pdr_table *table)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < table->key_count; i++)
        code = pdr_buf_printf(&b->sql, "%s\"%s\"", i ? ", " : "", table->columns[i].name);
    return code;
}

static pdr_code insert_into(pdr_pgv_building *b, const group *g, size_t table)
{
    pdr_code code = pdr_buf_printf(&b->sql, "INSERT INTO ");
    if (code == PDR_OK) code = pdr_pgv_sql_table(&b->sql, b->names, b->spec, table);
    if (code == PDR_OK) code = pdr_buf_printf(&b->sql, " AS t (");
    if (code == PDR_OK) code = name_list(b, g, "");
    return code == PDR_OK ? pdr_buf_printf(&b->sql, ") SELECT ") : code;
}

static pdr_code upsert_sql(pdr_pgv_building *b, const group *g, size_t table)
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

static pdr_code same_key(pdr_pgv_building *b, const pdr_table *table, const char *one, const char *other)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < table->key_count; i++)
        code = pdr_buf_printf(&b->sql, "%s%s.\"%s\" = %s.\"%s\"", i ? " AND " : "", one,
                              table->columns[i].name, other, table->columns[i].name);
    return code;
}

static pdr_code update_clauses(pdr_pgv_building *b, const group *g)
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

static pdr_code new_values(pdr_pgv_building *b, const group *g)
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

static pdr_code update_first_sql(pdr_pgv_building *b, const group *g, size_t table)
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

static pdr_code delete_sql(pdr_pgv_building *b, const group *g, size_t table)
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
static pdr_code check_cells(pdr_pgv_building *b, const group *g, const pdr_column *column)
{
    pdr_code code = PDR_OK;
    if (pdr_column_is_bytes(column->type)) return PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < g->count; i++)
        code = pdr_cell_check(column, row_cell(g, i), b->err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(b->err, code, "table %s", g->table->name);
}

static pdr_code put_column(pdr_pgv_building *b, group *g, pdr_pgv_statement *s, int parameter)
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
    if (!bytes.data) return pdr_pgv_no_memory(b);
    pdr_pgv_set(s, parameter, bytes);
    return PDR_OK;
}

static pdr_code add_group(pdr_pgv_building *b, group *g, size_t table, size_t step)
{
    pdr_pgv_begin_statement(b);
    g->update_first = must_update_first(g);
    pdr_code code = !g->modes         ? delete_sql(b, g, table)
                    : g->update_first ? update_first_sql(b, g, table)
                                      : upsert_sql(b, g, table);
    pdr_pgv_statement *s = code == PDR_OK ? pdr_pgv_add_statement(b, step) : NULL;
    if (!s) return pdr_pgv_no_memory(b);
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

static pdr_code add_groups(pdr_pgv_building *b, const pdr_view_step *step, size_t index)
{
    const pdr_table *table = &b->spec->tables[step->table];
    size_t width = table->column_count - table->key_count;
    bool *done = pdr_arena_calloc(&b->op->arena, step->row_count, sizeof *done);
    const pdr_row_change **rows = pdr_arena_alloc(&b->op->arena, step->row_count * sizeof *rows);
    pdr_code code = done && rows ? PDR_OK : pdr_pgv_no_memory(b);
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

pdr_code pdr_pgv_add_rows(pdr_pgv_building *b, const pdr_view_step *step, size_t index)
{
    const pdr_table *table = &b->spec->tables[step->table];
    uint8_t modes[PDR_VIEW_MAX_COLUMNS];
    if (!table->shared || !merge_modes(step, table->column_count - table->key_count, modes))
        return add_groups(b, step, index);
    const pdr_row_change **rows = pdr_arena_alloc(&b->op->arena, step->row_count * sizeof *rows);
    if (!rows) return pdr_pgv_no_memory(b);
    for (size_t i = 0; i < step->row_count; i++) {
        pdr_code code = pdr_row_change_check(table, &step->rows[i], b->err);
        if (code != PDR_OK) return code;
        rows[i] = &step->rows[i];
    }
    group g = {.table = table, .rows = rows, .count = step->row_count, .modes = modes};
    return add_group(b, &g, step->table, index);
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

static pdr_code fetch_sql(pdr_pgv_building *b, const group *g, size_t table)
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
    pdr_pgv_building b = {
        .op = op, .set = set, .names = names, .spec = spec, .sql = PDR_BUF_INIT(PDR_PGV_MAX_SQL), .err = err};
    group g = {.table = &spec->tables[table]};
    op->is_fetch = true;
    op->table = &spec->tables[table];
    pdr_code code = fetch_sql(&b, &g, table);
    pdr_pgv_statement *s = code == PDR_OK ? pdr_pgv_add_statement(&b, SIZE_MAX) : NULL;
    code = s ? PDR_OK : pdr_pgv_no_memory(&b);
    for (size_t i = 0; code == PDR_OK && i < g.table->key_count; i++) {
        key_column column = {keys, i};
        pdr_pgv_array array = {.type = g.table->columns[i].type,
                               .scale = g.table->columns[i].scale,
                               .cell = key_cell,
                               .context = &column,
                               .count = count};
        pdr_bytes bytes = pdr_pgv_put_array(&array, &op->arena);
        if (!bytes.data)
            code = pdr_pgv_no_memory(&b);
        else
            pdr_pgv_set(s, (int)i, bytes);
    }
    pdr_buf_release(&b.sql);
    return code;
}
