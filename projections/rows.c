/* Changes fold into the batch that is being made. A row's value for readers is what is known of it, then the
 * batch under way, then the batch that is being made. */
#include "projections/rows.h"

#include "base/mem.h"
#include "projections/rows_inside.h"

pdr_code pdr_rows_open(pdr_rows **out, const pdr_table *tables, size_t table_count, size_t max_bytes,
                       pdr_error *err)
{
    pdr_rows *rows = pdr_calloc(1, sizeof *rows + table_count * sizeof(pdr_row_table));
    if (!rows) return pdr_fail(err, PDR_NOMEM, "rows of %zu tables", table_count);
    rows->max_bytes = max_bytes;
    for (size_t i = 0; i < 2; i++)
        rows->batches[i].arena = (pdr_arena)PDR_ARENA_INIT(max_bytes);
    rows->folding = &rows->batches[0];
    for (; rows->table_count < table_count; rows->table_count++) {
        pdr_code code = pdr_row_table_init(&rows->tables[rows->table_count], &tables[rows->table_count], err);
        if (code != PDR_OK) {
            pdr_rows_close(rows);
            return code;
        }
    }
    *out = rows;
    return PDR_OK;
}

void pdr_rows_close(pdr_rows *rows)
{
    if (!rows) return;
    for (size_t i = 0; i < rows->table_count; i++)
        pdr_row_table_release(&rows->tables[i]);
    for (size_t i = 0; i < 2; i++)
        pdr_rows_batch_release(&rows->batches[i]);
    pdr_free(rows->undo);
    pdr_free(rows->statements);
    pdr_free(rows);
}

size_t pdr_rows_bytes(const pdr_rows *rows)
{
    return rows->folding->arena.used;
}

size_t pdr_rows_changed(const pdr_rows *rows)
{
    return rows->folding->changed_count;
}

static pdr_code out_of_memory(pdr_rows *rows, size_t table, pdr_error *err)
{
    if (rows->folding->arena.held >= rows->max_bytes / 2)
        return pdr_fail(err, PDR_TOO_LARGE, "one batch's rows take more than %zu bytes", rows->max_bytes);
    return pdr_fail(err, PDR_NOMEM, "a change of table %s", rows->tables[table].spec->name);
}

/* --- Undo --- */

/* Keep what the row's change was before this event; once per row and event. */
static pdr_code remember(pdr_rows *rows, size_t table, pdr_row *row, pdr_error *err)
{
    pdr_change *change = row->folding;
    if (change && change->serial == rows->serial) return PDR_OK;
    if (rows->undo_count == rows->undo_room) {
        size_t room = rows->undo_room ? 2 * rows->undo_room : 16;
        pdr_undo *undo = pdr_realloc(rows->undo, room * sizeof *undo);
        if (!undo) return pdr_fail(err, PDR_NOMEM, "undo of one event");
        rows->undo = undo;
        rows->undo_room = room;
    }
    pdr_change *copy = NULL;
    if (change) {
        size_t width = pdr_row_width(&rows->tables[table]);
        copy = pdr_rows_new_change(rows, table);
        if (!copy) return out_of_memory(rows, table, err);
        memcpy(copy->cells, change->cells, width * sizeof *copy->cells);
        memcpy(copy->modes, change->modes, width);
        copy->remove = change->remove;
        copy->event = change->event;
        copy->serial = change->serial;
        change->serial = rows->serial;
    }
    rows->undo[rows->undo_count++] = (pdr_undo){row, copy};
    return PDR_OK;
}

void pdr_rows_undo(pdr_rows *rows)
{
    while (rows->undo_count > 0) {
        pdr_undo *undo = &rows->undo[--rows->undo_count];
        undo->row->folding = undo->change;
    }
    rows->statement_count = 0;
}

pdr_code pdr_rows_begin(pdr_rows *rows, uint32_t event, pdr_error *err)
{
    rows->undo_count = 0;
    pdr_code code = rows->statement_count ? pdr_rows_seal(rows, err) : PDR_OK;
    rows->event = event;
    rows->serial++;
    rows->newest = NULL;
    return code;
}

/* --- Changes --- */

static pdr_code start_change(pdr_rows *rows, size_t table, pdr_row *row, pdr_error *err)
{
    pdr_code code = remember(rows, table, row, err);
    if (code != PDR_OK) return code;
    if (row->folding) {
        if (row->folding->event != rows->event) row->folding->event = UINT32_MAX;
        return PDR_OK;
    }
    if (!row->listed) code = pdr_rows_list(rows, table, row, err);
    if (code != PDR_OK) return code;
    pdr_change *change = pdr_rows_new_change(rows, table);
    if (!change) return out_of_memory(rows, table, err);
    change->event = rows->event;
    change->serial = rows->serial;
    row->folding = change;
    return PDR_OK;
}

/* A row that was removed and is written again begins anew: every column is set. */
static void revive(const pdr_row_table *t, pdr_change *change)
{
    change->remove = false;
    for (size_t i = 0; i < pdr_row_width(t); i++) {
        change->cells[i] = pdr_row_columns(t)[i].initial;
        change->modes[i] = PDR_CELL_SET;
    }
}

static bool is_delta(pdr_cell_mode mode)
{
    return mode == PDR_CELL_ADD || mode == PDR_CELL_GREATEST || mode == PDR_CELL_LEAST;
}

static pdr_code check_write(const pdr_row_table *t, const pdr_column *column, pdr_cell_mode mode,
                            const pdr_cell *cell, pdr_error *err)
{
    if (mode == PDR_CELL_KEEP || (mode == PDR_CELL_ADD && !pdr_column_adds(column->type)))
        return pdr_fail(err, PDR_BAD_HANDLER, "table %s: column %s of type %s takes no such change",
                        t->spec->name, column->name, pdr_column_type_name(column->type));
    if (t->spec->shared && !is_delta(mode))
        return pdr_fail(err, PDR_BAD_HANDLER, "table %s is shared: column %s takes only deltas",
                        t->spec->name, column->name);
    if (t->spec->shared && mode == PDR_CELL_ADD &&
        (column->initial.null || (column->type == PDR_COLUMN_DOUBLE && column->initial.as.real != 0)))
        return pdr_fail(
            err, PDR_BAD_HANDLER,
            "table %s is shared: column %s must begin at 0 to be added to: declare it not null default 0",
            t->spec->name, column->name);
    if (cell->null && column->not_null && (mode == PDR_CELL_SET || mode == PDR_CELL_ADD))
        return pdr_fail(err, PDR_BAD_DATA, "table %s: column %s is NOT NULL", t->spec->name, column->name);
    pdr_code code = pdr_cell_check(column, cell, err);
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "table %s", t->spec->name);
}

/* Deltas that no statement can apply to a row unseen: one whose result differs between a row that is made and
 * a row that is there, and sums of double precision, which depend on their order. */
static bool needs_row(const pdr_row_table *t, const pdr_column *column, pdr_cell_mode mode)
{
    if (t->spec->shared || !is_delta(mode)) return false;
    if (mode == PDR_CELL_ADD) return column->initial.null || column->type == PDR_COLUMN_DOUBLE;
    return !column->initial.null;
}

/* What is there must be known: for such a delta, and for two kinds of delta on one column. */
static pdr_code set_from_known(pdr_rows *rows, size_t table, pdr_row *row, size_t i, pdr_error *err)
{
    pdr_row_table *t = &rows->tables[table];
    const pdr_cell *cells;
    if (t->spec->shared)
        return pdr_fail(err, PDR_BAD_HANDLER, "table %s is shared: column %s takes only one kind of delta",
                        t->spec->name, pdr_row_columns(t)[i].name);
    pdr_code code = pdr_rows_read(rows, table, row->key, &cells, err);
    if (code != PDR_OK) return code;
    code = pdr_cell_copy(pdr_row_columns(t)[i].type, cells ? &cells[i] : &pdr_row_columns(t)[i].initial,
                         &rows->folding->arena, &row->folding->cells[i]);
    if (code != PDR_OK) return out_of_memory(rows, table, err);
    row->folding->modes[i] = PDR_CELL_SET;
    return PDR_OK;
}

/* Had an earlier event of this batch changed the row? */
static bool was_changed(const pdr_rows *rows, const pdr_row *row)
{
    for (size_t i = rows->undo_count; i > 0; i--)
        if (rows->undo[i - 1].row == row) return rows->undo[i - 1].change;
    return false;
}

/* The sum of deltas alone is out of range; with the row's value it may not be. */
static pdr_code add_to_known(pdr_rows *rows, size_t table, pdr_row *row, size_t i, const pdr_cell *cell,
                             pdr_error *err)
{
    pdr_row_table *t = &rows->tables[table];
    const pdr_column *column = &pdr_row_columns(t)[i];
    if (t->spec->shared)
        return was_changed(rows, row)
                   ? pdr_fail(err, PDR_STALE, "table %s: what column %s adds up to must be committed first",
                              t->spec->name, column->name)
                   : PDR_BAD_DATA;
    pdr_code code = set_from_known(rows, table, row, i, err);
    return code == PDR_OK ? pdr_cell_fold(column, PDR_CELL_ADD, cell, &row->folding->cells[i], err) : code;
}

static pdr_code fold_cell(pdr_rows *rows, size_t table, pdr_row *row, size_t i, pdr_cell_mode mode,
                          const pdr_cell *cell, pdr_error *err)
{
    pdr_row_table *t = &rows->tables[table];
    pdr_change *change = row->folding;
    const pdr_column *column = &pdr_row_columns(t)[i];
    pdr_cell own;
    bool two_kinds = is_delta(change->modes[i]) && is_delta(mode) && change->modes[i] != mode;
    if (two_kinds || (change->modes[i] == PDR_CELL_KEEP && needs_row(t, column, mode))) {
        pdr_code known = set_from_known(rows, table, row, i, err);
        if (known != PDR_OK) return known;
    }
    if (pdr_cell_copy(column->type, cell, &rows->folding->arena, &own) != PDR_OK)
        return out_of_memory(rows, table, err);
    if (change->modes[i] == PDR_CELL_KEEP || mode == PDR_CELL_SET) {
        change->cells[i] = own;
        change->modes[i] = (uint8_t)mode;
        return PDR_OK;
    }
    bool adds = mode == PDR_CELL_ADD && change->modes[i] == PDR_CELL_ADD;
    pdr_code code = pdr_cell_fold(column, mode, &own, &change->cells[i], err);
    if (code == PDR_BAD_DATA && adds) code = add_to_known(rows, table, row, i, &own, err);
    if (code == PDR_BUSY || code == PDR_STALE) return code;
    return code == PDR_OK ? PDR_OK : pdr_fail_context(err, code, "table %s", t->spec->name);
}

/* An event writes to one row column by column. */
static pdr_code row_to_write(pdr_rows *rows, size_t table, const pdr_cell *key, pdr_row **out, pdr_error *err)
{
    *out = rows->newest;
    if (rows->newest && rows->newest_table == table &&
        pdr_row_has_key(&rows->tables[table], rows->newest, key))
        return PDR_OK;
    pdr_code code = pdr_row_of(&rows->tables[table], key, out, err);
    rows->newest = code == PDR_OK ? *out : NULL;
    rows->newest_table = table;
    return code;
}

pdr_code pdr_rows_write(pdr_rows *rows, size_t table, const pdr_cell *key, size_t column, pdr_cell_mode mode,
                        const pdr_cell *cell, pdr_error *err)
{
    if (table >= rows->table_count || column < rows->tables[table].spec->key_count ||
        column >= rows->tables[table].spec->column_count)
        return pdr_fail(err, PDR_BAD_HANDLER, "there is no column %zu in table %zu that can be written",
                        column, table);
    pdr_row_table *t = &rows->tables[table];
    pdr_row *row;
    pdr_code code = check_write(t, &t->spec->columns[column], mode, cell, err);
    if (code == PDR_OK) code = row_to_write(rows, table, key, &row, err);
    if (code == PDR_OK) code = start_change(rows, table, row, err);
    if (code != PDR_OK) return code;
    if (row->folding->remove) revive(t, row->folding);
    return fold_cell(rows, table, row, column - t->spec->key_count, mode, cell, err);
}

pdr_code pdr_rows_remove(pdr_rows *rows, size_t table, const pdr_cell *key, pdr_error *err)
{
    if (table >= rows->table_count) return pdr_fail(err, PDR_BAD_HANDLER, "there is no table %zu", table);
    pdr_row_table *t = &rows->tables[table];
    pdr_row *row;
    if (t->spec->shared)
        return pdr_fail(err, PDR_BAD_HANDLER, "table %s is shared: its rows can't be removed", t->spec->name);
    pdr_code code = pdr_row_of(t, key, &row, err);
    if (code == PDR_OK) code = start_change(rows, table, row, err);
    if (code != PDR_OK) return code;
    row->folding->remove = true;
    memset(row->folding->modes, PDR_CELL_KEEP, pdr_row_width(t));
    return PDR_OK;
}

pdr_code pdr_rows_statement(pdr_rows *rows, const char *sql, const pdr_cell *parameters,
                            const pdr_column_type *types, size_t count, pdr_error *err)
{
    if (rows->statement_count == rows->statement_room) {
        size_t room = rows->statement_room ? 2 * rows->statement_room : 4;
        pdr_view_step *statements = pdr_realloc(rows->statements, room * sizeof *statements);
        if (!statements) return pdr_fail(err, PDR_NOMEM, "a statement");
        rows->statements = statements;
        rows->statement_room = room;
    }
    pdr_arena *arena = &rows->folding->arena;
    pdr_cell *cells = pdr_arena_calloc(arena, count + 1, sizeof *cells);
    pdr_column_type *copy = pdr_arena_calloc(arena, count + 1, sizeof *copy);
    if (!cells || !copy) return pdr_fail(err, PDR_NOMEM, "parameters of a statement");
    for (size_t i = 0; i < count; i++) {
        copy[i] = types[i];
        if (pdr_cell_copy(types[i], &parameters[i], arena, &cells[i]) != PDR_OK)
            return pdr_fail(err, PDR_NOMEM, "parameters of a statement");
    }
    rows->statements[rows->statement_count++] = (pdr_view_step){.statement = sql,
                                                                .parameters = cells,
                                                                .parameter_types = copy,
                                                                .parameter_count = count,
                                                                .event = rows->event};
    return PDR_OK;
}

/* --- Reading --- */

/* Lay a change over *present and `cells`. False: it can't be told without knowing more. */
static pdr_code overlay(const pdr_row_table *t, const pdr_change *change, pdr_known *known, pdr_cell *cells,
                        pdr_error *err)
{
    if (change->remove) {
        *known = PDR_ROW_ABSENT;
        return PDR_OK;
    }
    bool whole = true;
    for (size_t i = 0; i < pdr_row_width(t); i++)
        whole = whole && change->modes[i] == PDR_CELL_SET;
    if (*known == PDR_ROW_UNKNOWN && !whole) return PDR_OK;
    for (size_t i = 0; i < pdr_row_width(t); i++) {
        if (*known != PDR_ROW_PRESENT) cells[i] = pdr_row_columns(t)[i].initial;
        if (change->modes[i] == PDR_CELL_KEEP) continue;
        pdr_code code =
            pdr_cell_fold(&pdr_row_columns(t)[i], change->modes[i], &change->cells[i], &cells[i], err);
        if (code != PDR_OK) return code;
    }
    *known = PDR_ROW_PRESENT;
    return PDR_OK;
}

pdr_code pdr_rows_effective(pdr_row_table *t, const pdr_row *row, bool folding_too, pdr_known *known,
                            pdr_cell *cells, pdr_error *err)
{
    *known = row->known;
    if (row->known == PDR_ROW_PRESENT) memcpy(cells, row->base, pdr_row_width(t) * sizeof *cells);
    pdr_code code = row->taken ? overlay(t, row->taken, known, cells, err) : PDR_OK;
    if (code == PDR_OK && folding_too && row->folding) code = overlay(t, row->folding, known, cells, err);
    return code;
}

pdr_code pdr_rows_read(pdr_rows *rows, size_t table, const pdr_cell *key, const pdr_cell **cells,
                       pdr_error *err)
{
    pdr_row_table *t = &rows->tables[table];
    pdr_row *row;
    pdr_known known;
    if (rows->folding->stated || (rows->taken && rows->taken->stated))
        return pdr_fail(err, PDR_STALE,
                        "table %s: a statement that isn't committed yet may have changed the row",
                        t->spec->name);
    pdr_code code = pdr_row_of(t, key, &row, err);
    if (code == PDR_OK) code = pdr_rows_effective(t, row, true, &known, t->scratch, err);
    if (code != PDR_OK) return code;
    if (known == PDR_ROW_UNKNOWN) {
        code = pdr_row_want(t, row, err);
        return code == PDR_OK ? pdr_fail(err, PDR_BUSY, "table %s: a row must be fetched", t->spec->name)
                              : code;
    }
    *cells = known == PDR_ROW_PRESENT ? t->scratch : NULL;
    return PDR_OK;
}

size_t pdr_rows_wanted(const pdr_rows *rows, size_t table, const pdr_cell *const **keys)
{
    *keys = rows->tables[table].wanted_keys;
    return rows->tables[table].wanted_count;
}

pdr_code pdr_rows_fetched(pdr_rows *rows, size_t table, const pdr_cell *const *cells, size_t count,
                          pdr_error *err)
{
    pdr_row_table *t = &rows->tables[table];
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < t->wanted_count; i++)
        code = pdr_row_learn(t, t->wanted[i], NULL, err);
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        pdr_row *row;
        code = pdr_row_of(t, cells[i], &row, err);
        if (code == PDR_OK) code = pdr_row_learn(t, row, cells[i] + t->spec->key_count, err);
    }
    for (size_t i = 0; i < t->wanted_count; i++) {
        t->wanted[i]->wanted = false;
        if (code != PDR_OK) pdr_row_forget(t, t->wanted[i]);
    }
    t->wanted_count = 0;
    return code;
}
