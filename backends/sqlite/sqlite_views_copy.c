/* Operations own what they were given. */
#include "backends/sqlite/sqlite_views_internal.h"
#include "base/mem.h"
#include "projections/cell.h"

static views_op *new_op(const pdr_version_spec *spec)
{
    views_op *op = pdr_calloc(1, sizeof *op);
    if (!op) return NULL;
    op->arena = (pdr_arena)PDR_ARENA_INIT(VIEWS_QUEUE_BYTES);
    op->spec = *spec;
    op->spec.projection = pdr_arena_string(&op->arena, pdr_string_of(spec->projection)).data;
    op->step = SIZE_MAX;
    op->partition = -1;
    op->position = PDR_POSITION_START;
    return op;
}

static void *copy_array(views_op *op, const void *from, size_t count, size_t size)
{
    void *copy = pdr_arena_calloc(&op->arena, count + 1, size);
    if (copy && count) memcpy(copy, from, count * size);
    return copy;
}

static const pdr_cell *copy_cells(views_op *op, const pdr_cell *cells, const pdr_column *columns,
                                  size_t count)
{
    pdr_cell *copy = pdr_arena_calloc(&op->arena, count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++)
        if (pdr_cell_copy(columns[i].type, &cells[i], &op->arena, &copy[i]) != PDR_OK) return NULL;
    return copy;
}

static bool copy_change(views_op *op, const pdr_table *table, pdr_row_change *row)
{
    size_t width = table->column_count - table->key_count;
    row->key = copy_cells(op, row->key, table->columns, table->key_count);
    if (!row->key || row->remove) return row->key != NULL;
    pdr_cell *cells = pdr_arena_calloc(&op->arena, width + 1, sizeof *cells);
    uint8_t *modes = copy_array(op, row->modes, width, 1);
    for (size_t i = 0; cells && modes && i < width; i++) {
        if (modes[i] == PDR_CELL_KEEP) continue;
        if (pdr_cell_copy(table->columns[table->key_count + i].type, &row->cells[i], &op->arena, &cells[i]) !=
            PDR_OK)
            return false;
    }
    row->cells = cells;
    row->modes = modes;
    return cells && modes;
}

static bool copy_rows(views_op *op, pdr_view_step *step)
{
    pdr_row_change *rows = copy_array(op, step->rows, step->row_count, sizeof *rows);
    if (!rows) return false;
    for (size_t i = 0; i < step->row_count; i++)
        if (!copy_change(op, &op->spec.tables[step->table], &rows[i])) return false;
    step->rows = rows;
    return true;
}

static bool copy_statement(views_op *op, pdr_view_step *step)
{
    size_t count = step->parameter_count;
    pdr_column_type *types = copy_array(op, step->parameter_types, count, sizeof *types);
    pdr_cell *cells = pdr_arena_calloc(&op->arena, count + 1, sizeof *cells);
    step->statement = pdr_arena_string(&op->arena, pdr_string_of(step->statement)).data;
    if (!types || !cells || !step->statement) return false;
    for (size_t i = 0; i < count; i++)
        if (pdr_cell_copy(types[i], &step->parameters[i], &op->arena, &cells[i]) != PDR_OK) return false;
    step->parameter_types = types;
    step->parameters = cells;
    return true;
}

static bool copy_steps(views_op *op)
{
    pdr_view_step *steps = copy_array(op, op->batch.steps, op->batch.step_count, sizeof *steps);
    if (!steps) return false;
    for (size_t i = 0; i < op->batch.step_count; i++)
        if (!(steps[i].statement ? copy_statement(op, &steps[i]) : copy_rows(op, &steps[i]))) return false;
    op->batch.steps = steps;
    return true;
}

static const pdr_dead_letter *copy_letters(views_op *op, const pdr_dead_letter *letters, size_t count)
{
    pdr_dead_letter *copy = copy_array(op, letters, count, sizeof *copy);
    for (size_t i = 0; copy && i < count; i++) {
        copy[i].entity = pdr_arena_bytes(&op->arena, letters[i].entity);
        const char *reason = letters[i].reason ? letters[i].reason : "";
        copy[i].reason = pdr_view_text(&op->arena, pdr_bytes_of(reason, strlen(reason))).data;
        if (!copy[i].entity.data || !copy[i].reason) return NULL;
    }
    return copy;
}

static bool copy_batch(views_op *op, const char *worker)
{
    pdr_view_batch *b = &op->batch;
    op->worker = pdr_arena_string(&op->arena, pdr_string_of(worker ? worker : "")).data;
    b->moves = copy_array(op, b->moves, b->move_count, sizeof *b->moves);
    b->requests_done = copy_array(op, b->requests_done, b->request_count, sizeof *b->requests_done);
    b->park = copy_letters(op, b->park, b->park_count);
    b->unpark = copy_letters(op, b->unpark, b->unpark_count);
    return op->spec.projection && op->worker && b->moves && b->requests_done && b->park && b->unpark &&
           copy_steps(op);
}

views_op *pdr_sqv_copy_batch(const pdr_version_spec *spec, const char *worker, const pdr_view_batch *batch)
{
    views_op *op = new_op(spec);
    if (!op) return NULL;
    op->batch = *batch;
    if (copy_batch(op, worker)) return op;
    pdr_sqv_op_free(op);
    return NULL;
}

static bool copy_keys(views_op *op, const pdr_cell *const *keys)
{
    const pdr_table *table = &op->spec.tables[op->table];
    const pdr_cell **copy = pdr_arena_calloc(&op->arena, op->key_count + 1, sizeof *copy);
    for (size_t i = 0; copy && i < op->key_count; i++)
        if (!(copy[i] = copy_cells(op, keys[i], table->columns, table->key_count))) return false;
    op->keys = copy;
    return copy && op->spec.projection;
}

views_op *pdr_sqv_copy_keys(const pdr_version_spec *spec, size_t table, const pdr_cell *const *keys,
                            size_t count)
{
    views_op *op = new_op(spec);
    if (!op) return NULL;
    op->is_fetch = true;
    op->table = table;
    op->key_count = count;
    if (copy_keys(op, keys)) return op;
    pdr_sqv_op_free(op);
    return NULL;
}
