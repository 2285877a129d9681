/* From folded rows to a batch's steps, and what is known once it is committed. */
#include <stdlib.h>

#include "base/mem.h"
#include "projections/rows_inside.h"

enum { ROOM_AT_FIRST = 64 };

void pdr_rows_batch_release(pdr_rows_batch *batch)
{
    pdr_arena_release(&batch->arena);
    pdr_free(batch->changed);
    pdr_free(batch->steps);
    batch->changed = NULL;
    batch->steps = NULL;
    batch->changed_count = batch->changed_room = batch->step_count = batch->step_room = 0;
}

pdr_change *pdr_rows_new_change(pdr_rows *rows, size_t table)
{
    size_t width = pdr_row_width(&rows->tables[table]);
    pdr_change *change =
        pdr_arena_alloc(&rows->folding->arena, sizeof *change + width * (sizeof(pdr_cell) + 1));
    if (!change) return NULL;
    *change = (pdr_change){.cells = (pdr_cell *)(change + 1)};
    change->modes = (uint8_t *)(change->cells + width);
    memset(change->cells, 0, width * (sizeof(pdr_cell) + 1));
    return change;
}

pdr_code pdr_rows_list(pdr_rows *rows, size_t table, pdr_row *row, pdr_error *err)
{
    pdr_rows_batch *batch = rows->folding;
    if (batch->changed_count == batch->changed_room) {
        size_t room = batch->changed_room ? 2 * batch->changed_room : ROOM_AT_FIRST;
        pdr_changed *changed = pdr_realloc(batch->changed, room * sizeof *changed);
        if (!changed) return pdr_fail(err, PDR_NOMEM, "the rows of a batch");
        batch->changed = changed;
        batch->changed_room = room;
    }
    batch->changed[batch->changed_count++] = (pdr_changed){table, row};
    row->listed = true;
    return PDR_OK;
}

static pdr_code add_step(pdr_rows_batch *batch, pdr_view_step step, pdr_error *err)
{
    if (batch->step_count == batch->step_room) {
        size_t room = batch->step_room ? 2 * batch->step_room : 8;
        pdr_view_step *steps = pdr_realloc(batch->steps, room * sizeof *steps);
        if (!steps) return pdr_fail(err, PDR_NOMEM, "the steps of a batch");
        batch->steps = steps;
        batch->step_room = room;
    }
    batch->steps[batch->step_count++] = step;
    return PDR_OK;
}

/* By table, then by key: workers that share rows lock them in one order. */
static int compare_changed(const void *left, const void *right)
{
    const pdr_changed *a = left, *b = right;
    if (a->table != b->table) return a->table < b->table ? -1 : 1;
    size_t least = a->row->sort_size < b->row->sort_size ? a->row->sort_size : b->row->sort_size;
    int order = memcmp(a->row->sort, b->row->sort, least);
    return order ? order : (a->row->sort_size > b->row->sort_size) - (a->row->sort_size < b->row->sort_size);
}

/* Rows whose change was undone are listed without one. */
static size_t drop_undone(pdr_rows_batch *batch)
{
    size_t count = 0;
    for (size_t i = 0; i < batch->changed_count; i++)
        if (batch->changed[i].row->folding)
            batch->changed[count++] = batch->changed[i];
        else
            batch->changed[i].row->listed = false;
    return batch->changed_count = count;
}

/* A row that is sealed may go before the batch does: its key moves into the batch. */
static const pdr_cell *key_of(pdr_rows_batch *batch, const pdr_table *spec, const pdr_row *row, bool sealed)
{
    if (!sealed) return row->key;
    pdr_cell *key = pdr_arena_alloc(&batch->arena, spec->key_count * sizeof *key);
    for (size_t i = 0; key && i < spec->key_count; i++)
        if (pdr_cell_copy(spec->columns[i].type, &row->key[i], &batch->arena, &key[i]) != PDR_OK) return NULL;
    return key;
}

static pdr_code rows_step(pdr_rows *rows, const pdr_changed *changed, size_t count, bool sealed,
                          pdr_error *err)
{
    pdr_rows_batch *batch = rows->folding;
    pdr_row_change *list = pdr_arena_alloc(&batch->arena, count * sizeof *list);
    if (!list) return pdr_fail(err, PDR_NOMEM, "the rows of a batch");
    uint32_t event = changed[0].row->folding->event;
    for (size_t i = 0; i < count; i++) {
        const pdr_change *change = changed[i].row->folding;
        const pdr_cell *key = key_of(batch, rows->tables[changed[i].table].spec, changed[i].row, sealed);
        if (!key) return pdr_fail(err, PDR_NOMEM, "the rows of a batch");
        list[i] = (pdr_row_change){.key = key, .remove = change->remove};
        if (!change->remove) {
            list[i].cells = change->cells;
            list[i].modes = change->modes;
        }
        if (change->event != event) event = UINT32_MAX;
    }
    pdr_view_step step = {.table = changed[0].table, .rows = list, .row_count = count, .event = event};
    return add_step(batch, step, err);
}

static pdr_code steps_of_rows(pdr_rows *rows, bool sealed, pdr_error *err)
{
    pdr_rows_batch *batch = rows->folding;
    size_t count = drop_undone(batch), from = 0;
    pdr_code code = PDR_OK;
    if (count) qsort(batch->changed, count, sizeof *batch->changed, compare_changed);
    while (code == PDR_OK && from < count) {
        size_t to = from + 1;
        while (to < count && batch->changed[to].table == batch->changed[from].table)
            to++;
        code = rows_step(rows, batch->changed + from, to - from, sealed, err);
        from = to;
    }
    return code;
}

pdr_code pdr_rows_seal(pdr_rows *rows, pdr_error *err)
{
    pdr_rows_batch *batch = rows->folding;
    pdr_code code = steps_of_rows(rows, true, err);
    for (size_t i = 0; code == PDR_OK && i < rows->statement_count; i++)
        code = add_step(batch, rows->statements[i], err);
    if (code != PDR_OK) return code;
    for (size_t i = 0; i < batch->changed_count; i++) {
        batch->changed[i].row->folding = NULL;
        batch->changed[i].row->listed = false;
    }
    batch->changed_count = 0;
    batch->stated = true;
    rows->statement_count = 0;
    return PDR_OK;
}

pdr_code pdr_rows_take(pdr_rows *rows, const pdr_view_step **steps, size_t *count, pdr_error *err)
{
    PDR_INVARIANT("one-batch-under-way", !rows->taken);
    pdr_rows_batch *batch = rows->folding;
    pdr_code code = rows->statement_count ? pdr_rows_seal(rows, err) : steps_of_rows(rows, false, err);
    if (code != PDR_OK) return code;
    for (size_t i = 0; i < batch->changed_count; i++) {
        pdr_row *row = batch->changed[i].row;
        row->taken = row->folding;
        row->folding = NULL;
        row->listed = false;
    }
    rows->undo_count = 0;
    rows->taken = batch;
    rows->folding = batch == &rows->batches[0] ? &rows->batches[1] : &rows->batches[0];
    *steps = batch->steps;
    *count = batch->step_count;
    return PDR_OK;
}

static void clear_batch(pdr_rows_batch *batch)
{
    pdr_arena_clear(&batch->arena);
    batch->changed_count = batch->step_count = 0;
    batch->stated = false;
}

/* What was known and was changed is known as changed; what wasn't known and can't be told stays so. */
static void learn_taken(pdr_row_table *t, pdr_row *row)
{
    pdr_known known;
    bool used = row->known != PDR_ROW_UNKNOWN;
    pdr_code code = used ? pdr_rows_effective(t, row, false, &known, t->scratch, NULL) : PDR_OK;
    row->taken = NULL;
    if (!used) return;
    if (code == PDR_OK) code = pdr_row_learn(t, row, known == PDR_ROW_PRESENT ? t->scratch : NULL, NULL);
    if (code != PDR_OK) pdr_row_forget(t, row);
}

void pdr_rows_settle(pdr_rows *rows)
{
    pdr_rows_batch *batch = rows->taken;
    rows->newest = NULL;
    if (!batch) return;
    for (size_t i = 0; i < batch->changed_count; i++) {
        pdr_row_table *t = &rows->tables[batch->changed[i].table];
        learn_taken(t, batch->changed[i].row);
        pdr_row_drop_unused(t, batch->changed[i].row);
    }
    for (size_t i = 0; i < rows->table_count; i++)
        if (batch->stated)
            pdr_row_table_forget(&rows->tables[i]);
        else
            pdr_row_table_trim(&rows->tables[i], rows->max_bytes);
    rows->taken = NULL;
    clear_batch(batch);
}

void pdr_rows_discard(pdr_rows *rows)
{
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; i < rows->batches[b].changed_count; i++) {
            pdr_row *row = rows->batches[b].changed[i].row;
            row->taken = row->folding = NULL;
            row->listed = false;
        }
        clear_batch(&rows->batches[b]);
    }
    rows->taken = NULL;
    rows->newest = NULL;
    rows->undo_count = rows->statement_count = 0;
    for (size_t i = 0; i < rows->table_count; i++) {
        pdr_row_table *t = &rows->tables[i];
        for (size_t j = 0; j < t->wanted_count; j++)
            t->wanted[j]->wanted = false;
        t->wanted_count = 0;
        pdr_row_table_forget(t);
    }
}
