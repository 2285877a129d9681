/* The true views: one transaction on a version's rows, positions, dead letters and requests. */
#include "backends/sim/sim_internal.h"

#include "projections/cell.h"

int64_t sim_views_now(const pdr_sim_world *world)
{
    return 1700000000000000 + world->now_us;
}

sim_version *sim_version_find(pdr_sim_world *world, const char *projection, uint32_t version)
{
    for (sim_version *v = world->views.versions; v; v = v->next)
        if (v->row.version == version && strcmp(v->row.projection, projection) == 0) return v;
    return NULL;
}

/* --- Rows --- */

static int compare_keys(const pdr_table *spec, const pdr_cell *a, const pdr_cell *b)
{
    int order = 0;
    for (size_t i = 0; order == 0 && i < spec->key_count; i++)
        order = pdr_cell_compare(spec->columns[i].type, &a[i], &b[i]);
    return order;
}

const pdr_cell *sim_view_find(const pdr_table *spec, const sim_view_table *table, const pdr_cell *key,
                              size_t *at)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_keys(spec, table->rows[middle], key);
        if (order == 0) {
            *at = middle;
            return table->rows[middle];
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return NULL;
}

static pdr_code check_row(const pdr_table *spec, const pdr_cell *cells, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < spec->column_count; i++) {
        const pdr_column *column = &spec->columns[i];
        if (cells[i].null && (column->not_null || i < spec->key_count))
            code = pdr_fail(err, PDR_BAD_DATA, "table %s: column %s is NULL", spec->name, column->name);
        else
            code = pdr_cell_check(column, &cells[i], err);
    }
    return code;
}

static pdr_code fold_row(const pdr_table *spec, const pdr_row_change *row, pdr_cell *cells, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = spec->key_count; code == PDR_OK && i < spec->column_count; i++) {
        size_t c = i - spec->key_count;
        if (row->modes[c] == PDR_CELL_KEEP) continue;
        code = pdr_cell_check(&spec->columns[i], &row->cells[c], err);
        if (code == PDR_OK)
            code = pdr_cell_fold(&spec->columns[i], (pdr_cell_mode)row->modes[c], &row->cells[c], &cells[i],
                                 err);
    }
    return code == PDR_OK ? check_row(spec, cells, err) : code;
}

static void put_at(pdr_sim_world *world, sim_view_table *table, size_t at, const pdr_cell *cells)
{
    table->rows =
        sim_grow(world, (void *)(uintptr_t)table->rows, table->count, &table->capacity, sizeof *table->rows);
    memmove(&table->rows[at + 1], &table->rows[at], (table->count - at) * sizeof *table->rows);
    table->rows[at] = cells;
    table->count++;
}

static pdr_code change_row(pdr_sim_world *world, const pdr_table *spec, sim_view_table *table,
                           const pdr_row_change *row, pdr_error *err)
{
    size_t at;
    const pdr_sim_hooks *hooks = &world->options.hooks;
    for (size_t i = 0; i < spec->key_count; i++)
        if (row->key[i].null) return pdr_fail(err, PDR_BAD_DATA, "table %s: a key with a NULL", spec->name);
    const pdr_cell *old = sim_view_find(spec, table, row->key, &at);
    if (row->remove) {
        if (!old) return PDR_OK;
        table->count--;
        memmove(&table->rows[at], &table->rows[at + 1], (table->count - at) * sizeof *table->rows);
        return PDR_OK;
    }
    if (hooks->view_poison && hooks->view_poison(hooks->context, spec, row))
        return pdr_fail(err, PDR_BAD_DATA, "table %s: the simulated database refuses the row", spec->name);
    pdr_cell *cells = sim_alloc(world, spec->column_count * sizeof *cells);
    for (size_t i = 0; i < spec->column_count; i++)
        cells[i] = old ? old[i] : i < spec->key_count ? row->key[i] : spec->columns[i].initial;
    pdr_code code = fold_row(spec, row, cells, err);
    if (code != PDR_OK) return code;
    if (old)
        table->rows[at] = cells;
    else
        put_at(world, table, at, cells);
    return PDR_OK;
}

/* Arrays of rows that the transaction may change: the old ones are there until it ends. */
static sim_view_table *copy_tables(pdr_sim_world *world, const sim_version *v)
{
    sim_view_table *tables = sim_alloc(world, (v->spec.table_count + 1) * sizeof *tables);
    for (size_t i = 0; i < v->spec.table_count; i++) {
        tables[i] = v->tables[i];
        tables[i].rows = sim_alloc(world, (tables[i].capacity + 1) * sizeof *tables[i].rows);
        if (tables[i].count)
            memcpy(tables[i].rows, v->tables[i].rows, tables[i].count * sizeof *tables[i].rows);
    }
    return tables;
}

static pdr_code change_rows(pdr_sim_world *world, sim_version *v, sim_view_table *tables,
                            const pdr_view_batch *batch, sim_view_outcome *outcome, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < batch->step_count; i++) {
        const pdr_view_step *step = &batch->steps[i];
        for (size_t r = 0; code == PDR_OK && r < step->row_count; r++)
            code = change_row(world, &v->spec.tables[step->table], &tables[step->table], &step->rows[r], err);
        if (code != PDR_OK) outcome->step = i;
    }
    return code;
}

/* --- Positions --- */

static pdr_code compare(const pdr_sim_world *world, const sim_version *v, const pdr_version_spec *spec,
                        const pdr_position_move *move, sim_view_outcome *outcome, pdr_error *err)
{
    outcome->partition = move->partition;
    if (!v || move->partition < 0 || move->partition >= v->spec.partitions)
        return pdr_fail(err, PDR_STALE,
                        "version %u of projection %s has no position for partition %d (any more)",
                        spec->version, spec->projection, (int)move->partition);
    const pdr_position_row *row = &v->positions[move->partition];
    outcome->position = row->position;
    if (world->options.views_compare_nothing) return PDR_OK;
    if (row->generation != move->generation && !world->options.views_compare_no_generation)
        return pdr_fail(err, PDR_STALE, "version %u of projection %s was emptied or made anew meanwhile",
                        spec->version, spec->projection);
    if (pdr_position_equal(row->position, move->from)) return PDR_OK;
    return pdr_fail(err, PDR_STALE, "the position of partition %d was moved to offset %lld by worker %s",
                    (int)move->partition, (long long)row->position.offset, row->worker);
}

static void move_position(pdr_sim_world *world, sim_version *v, const char *worker,
                          const pdr_position_move *move)
{
    pdr_position_row *row = &v->positions[move->partition];
    row->position = move->to;
    if (move->event_time_us != INT64_MIN) row->event_time_us = move->event_time_us;
    row->events += move->events;
    row->updated_us = sim_views_now(world);
    row->worker = worker;
}

/* --- Dead letters, requests --- */

static size_t letter_place(const sim_version *v, const pdr_dead_letter *letter, bool *there)
{
    size_t at = 0;
    while (at < v->letter_count &&
           (v->letters[at].partition < letter->partition ||
            (v->letters[at].partition == letter->partition && v->letters[at].offset < letter->offset)))
        at++;
    *there = at < v->letter_count && v->letters[at].partition == letter->partition &&
             v->letters[at].offset == letter->offset;
    return at;
}

static void unpark(sim_version *v, const pdr_dead_letter *letter)
{
    bool there;
    size_t at = letter_place(v, letter, &there);
    if (!there) return;
    v->letter_count--;
    memmove(&v->letters[at], &v->letters[at + 1], (v->letter_count - at) * sizeof *v->letters);
}

static void park(pdr_sim_world *world, sim_version *v, const pdr_dead_letter *letter)
{
    bool there;
    size_t at = letter_place(v, letter, &there);
    if (there) {
        v->letters[at].behind = letter->behind;
        v->letters[at].attempts = letter->attempts;
        v->letters[at].last_us = letter->last_us;
        v->letters[at].reason = letter->reason;
        return;
    }
    v->letters = sim_grow(world, v->letters, v->letter_count, &v->letter_capacity, sizeof *v->letters);
    memmove(&v->letters[at + 1], &v->letters[at], (v->letter_count - at) * sizeof *v->letters);
    v->letters[at] = *letter;
    v->letter_count++;
}

static void end_request(sim_version *v, uint64_t id)
{
    for (size_t i = 0; i < v->request_count; i++) {
        if (v->requests[i].id != id) continue;
        v->request_count--;
        memmove(&v->requests[i], &v->requests[i + 1], (v->request_count - i) * sizeof *v->requests);
        return;
    }
}

/* A letter that isn't parked any more: another worker has carried this out. */
static pdr_code letters_are_there(const sim_version *v, const pdr_view_batch *batch,
                                  sim_view_outcome *outcome, pdr_error *err)
{
    for (size_t i = 0; i < batch->unpark_count; i++) {
        bool there = false;
        if (v) (void)letter_place(v, &batch->unpark[i], &there);
        if (there) continue;
        outcome->partition = batch->unpark[i].partition;
        return pdr_fail(err, PDR_STALE, "partition %d: the event at offset %lld isn't parked any more",
                        (int)batch->unpark[i].partition, (long long)batch->unpark[i].offset);
    }
    return PDR_OK;
}

pdr_code sim_views_apply(pdr_sim_world *world, const pdr_version_spec *spec, const char *worker,
                         const pdr_view_batch *batch, sim_view_outcome *outcome, pdr_error *err)
{
    sim_version *v = sim_version_find(world, spec->projection, spec->version);
    const pdr_sim_hooks *hooks = &world->options.hooks;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < batch->move_count; i++)
        code = compare(world, v, spec, &batch->moves[i], outcome, err);
    if (code == PDR_OK) code = letters_are_there(v, batch, outcome, err);
    if (code != PDR_OK || !v) return code;
    sim_view_table *tables = copy_tables(world, v);
    code = change_rows(world, v, tables, batch, outcome, err);
    if (code != PDR_OK) return code;
    v->tables = tables;
    for (size_t i = 0; i < batch->move_count; i++)
        move_position(world, v, worker, &batch->moves[i]);
    for (size_t i = 0; i < batch->unpark_count; i++)
        unpark(v, &batch->unpark[i]);
    for (size_t i = 0; i < batch->park_count; i++)
        park(world, v, &batch->park[i]);
    if (hooks->viewed) hooks->viewed(hooks->context, spec, batch);
    for (size_t i = 0; i < batch->request_count; i++)
        end_request(v, batch->requests_done[i]);
    return PDR_OK;
}
