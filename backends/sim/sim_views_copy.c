/* Views: what an operation is given is copied into the world. */
#include "backends/sim/sim_internal.h"

#include "projections/cell.h"

const char *sim_copy_text(pdr_sim_world *world, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    char *copy = sim_alloc(world, size + 1);
    if (size) memcpy(copy, text, size);
    return copy;
}

static void *copy_array(pdr_sim_world *world, const void *from, size_t count, size_t size)
{
    void *copy = sim_alloc(world, (count + 1) * size);
    if (count) memcpy(copy, from, count * size);
    return copy;
}

pdr_cell *sim_copy_cells(pdr_sim_world *world, const pdr_column *columns, const pdr_cell *cells, size_t count)
{
    pdr_cell *copy = copy_array(world, cells, count, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        if (!copy[i].null && pdr_column_is_bytes(columns[i].type))
            copy[i].as.bytes = sim_copy_bytes(world, copy[i].as.bytes);
    return copy;
}

static const pdr_column *copy_columns(pdr_sim_world *world, const pdr_table *table)
{
    pdr_column *columns = copy_array(world, table->columns, table->column_count, sizeof *columns);
    for (size_t i = 0; i < table->column_count; i++) {
        columns[i].name = sim_copy_text(world, columns[i].name);
        columns[i].initial = *sim_copy_cells(world, &columns[i], &columns[i].initial, 1);
    }
    return columns;
}

pdr_version_spec sim_copy_spec(pdr_sim_world *world, const pdr_version_spec *spec)
{
    pdr_version_spec copy = *spec;
    pdr_table *tables = copy_array(world, spec->tables, spec->table_count, sizeof *tables);
    for (size_t i = 0; i < spec->table_count; i++) {
        tables[i].name = sim_copy_text(world, tables[i].name);
        tables[i].columns = copy_columns(world, &tables[i]);
        tables[i].statement_count = 0;
    }
    copy.projection = sim_copy_text(world, spec->projection);
    copy.tables = tables;
    return copy;
}

static void copy_change(pdr_sim_world *world, const pdr_table *table, pdr_row_change *row)
{
    size_t width = table->column_count - table->key_count;
    row->key = sim_copy_cells(world, table->columns, row->key, table->key_count);
    if (row->remove) return;
    const pdr_cell *given = row->cells;
    pdr_cell *cells = sim_alloc(world, (width + 1) * sizeof *cells);
    row->modes = copy_array(world, row->modes, width, 1);
    for (size_t i = 0; i < width; i++)
        if (row->modes[i] != PDR_CELL_KEEP)
            cells[i] = *sim_copy_cells(world, &table->columns[table->key_count + i], &given[i], 1);
    row->cells = cells;
}

static const pdr_dead_letter *copy_letters(pdr_sim_world *world, const pdr_dead_letter *letters, size_t count)
{
    pdr_dead_letter *copy = copy_array(world, letters, count, sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
        const char *reason = copy[i].reason ? copy[i].reason : "";
        copy[i].entity = sim_copy_bytes(world, copy[i].entity);
        copy[i].reason =
            sim_copy_text(world, pdr_view_text(&arena, pdr_bytes_of(reason, strlen(reason))).data);
        pdr_arena_release(&arena);
    }
    return copy;
}

pdr_view_batch sim_copy_batch(pdr_sim_world *world, const pdr_version_spec *spec, const pdr_view_batch *batch)
{
    pdr_view_batch copy = *batch;
    pdr_view_step *steps = copy_array(world, batch->steps, batch->step_count, sizeof *steps);
    for (size_t i = 0; i < batch->step_count; i++) {
        pdr_row_change *rows = copy_array(world, steps[i].rows, steps[i].row_count, sizeof *rows);
        for (size_t r = 0; r < steps[i].row_count; r++)
            copy_change(world, &spec->tables[steps[i].table], &rows[r]);
        steps[i].rows = rows;
    }
    copy.steps = steps;
    copy.moves = copy_array(world, batch->moves, batch->move_count, sizeof *batch->moves);
    copy.park = copy_letters(world, batch->park, batch->park_count);
    copy.unpark = copy_letters(world, batch->unpark, batch->unpark_count);
    copy.requests_done =
        copy_array(world, batch->requests_done, batch->request_count, sizeof *batch->requests_done);
    return copy;
}
