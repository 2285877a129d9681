#include "projections/row_table.h"

#include <xxhash.h>

#include "base/mem.h"

enum { FIRST_SLOTS = 64, MAX_SORT_KEY = 64 * 1024 };

pdr_code pdr_row_table_init(pdr_row_table *table, const pdr_table *spec, pdr_error *err)
{
    *table = (pdr_row_table){.spec = spec, .mask = FIRST_SLOTS - 1, .sort = PDR_BUF_INIT(MAX_SORT_KEY)};
    table->slots = pdr_calloc(FIRST_SLOTS, sizeof *table->slots);
    table->scratch = pdr_calloc(spec->column_count, sizeof *table->scratch);
    if (table->slots && table->scratch) return PDR_OK;
    pdr_row_table_release(table);
    return pdr_fail(err, PDR_NOMEM, "rows of table %s", spec->name);
}

static void free_row(pdr_row *row)
{
    pdr_free(row->base);
    pdr_free(row);
}

void pdr_row_table_release(pdr_row_table *table)
{
    for (size_t i = 0; table->slots && i <= table->mask; i++)
        for (pdr_row *row = table->slots[i], *next; row; row = next) {
            next = row->next;
            free_row(row);
        }
    pdr_free(table->slots);
    pdr_free(table->scratch);
    pdr_free(table->wanted);
    pdr_free(table->wanted_keys);
    pdr_buf_release(&table->sort);
    *table = (pdr_row_table){0};
}

static void grow(pdr_row_table *table)
{
    size_t slots = 2 * (table->mask + 1);
    pdr_row **bigger = pdr_calloc(slots, sizeof *bigger);
    if (!bigger) return; /* longer chains, nothing worse */
    for (size_t i = 0; i <= table->mask; i++)
        for (pdr_row *row = table->slots[i], *next; row; row = next) {
            next = row->next;
            pdr_row **slot = &bigger[row->hash & (slots - 1)];
            row->next = *slot;
            *slot = row;
        }
    pdr_free(table->slots);
    table->slots = bigger;
    table->mask = slots - 1;
}

static pdr_code sort_key(pdr_row_table *table, const pdr_cell *key, pdr_error *err)
{
    pdr_buf_clear(&table->sort);
    for (size_t i = 0; i < table->spec->key_count; i++) {
        const pdr_column *column = &table->spec->columns[i];
        if (key[i].null)
            return pdr_fail(err, PDR_BAD_DATA, "table %s: key column %s is NULL", table->spec->name,
                            column->name);
        pdr_code code = pdr_cell_check(column, &key[i], err);
        if (code != PDR_OK) return pdr_fail_context(err, code, "table %s", table->spec->name);
        code = pdr_cell_key(column->type, &key[i], &table->sort);
        if (code == PDR_TOO_LARGE)
            return pdr_fail(err, PDR_BAD_DATA, "table %s: a key of over %d bytes", table->spec->name,
                            MAX_SORT_KEY);
        if (code != PDR_OK) return pdr_fail(err, code, "table %s: a key", table->spec->name);
    }
    return PDR_OK;
}

static size_t key_bytes(const pdr_table *spec, const pdr_cell *key)
{
    size_t size = 0;
    for (size_t i = 0; i < spec->key_count; i++)
        if (pdr_column_is_bytes(spec->columns[i].type)) size += key[i].as.bytes.size;
    return size;
}

/* A row, its key's cells, its sort key and its key's bytes in one block. */
static pdr_row *make_row(const pdr_row_table *table, const pdr_cell *key, uint64_t hash)
{
    const pdr_table *spec = table->spec;
    size_t cells = spec->key_count * sizeof(pdr_cell);
    pdr_row *row = pdr_calloc(1, sizeof *row + cells + table->sort.size + key_bytes(spec, key));
    if (!row) return NULL;
    row->hash = hash;
    row->key = (pdr_cell *)(row + 1);
    row->sort = (uint8_t *)row->key + cells;
    row->sort_size = table->sort.size;
    memcpy(row->sort, table->sort.data, table->sort.size);
    uint8_t *to = row->sort + row->sort_size;
    for (size_t i = 0; i < spec->key_count; i++) {
        row->key[i] = key[i];
        if (!pdr_column_is_bytes(spec->columns[i].type)) continue;
        if (key[i].as.bytes.size) memcpy(to, key[i].as.bytes.data, key[i].as.bytes.size);
        row->key[i].as.bytes.data = to;
        to += key[i].as.bytes.size;
    }
    return row;
}

bool pdr_row_has_key(const pdr_row_table *table, const pdr_row *row, const pdr_cell *key)
{
    for (size_t i = 0; i < table->spec->key_count; i++) {
        const pdr_cell *is = &row->key[i];
        bool same = !key[i].null && is->as.integer == key[i].as.integer;
        if (pdr_column_is_bytes(table->spec->columns[i].type))
            same = !key[i].null && pdr_bytes_equal(is->as.bytes, key[i].as.bytes);
        else if (table->spec->columns[i].type == PDR_COLUMN_BOOLEAN)
            same = !key[i].null && is->as.boolean == key[i].as.boolean;
        if (!same) return false;
    }
    return true;
}

pdr_code pdr_row_of(pdr_row_table *table, const pdr_cell *key, pdr_row **out, pdr_error *err)
{
    pdr_code code = sort_key(table, key, err);
    if (code != PDR_OK) return code;
    uint64_t hash = XXH3_64bits(table->sort.data, table->sort.size);
    for (pdr_row *row = table->slots[hash & table->mask]; row; row = row->next)
        if (row->hash == hash && row->sort_size == table->sort.size &&
            memcmp(row->sort, table->sort.data, row->sort_size) == 0) {
            *out = row;
            return PDR_OK;
        }
    if (table->count > table->mask) grow(table);
    pdr_row *row = make_row(table, key, hash);
    if (!row) return pdr_fail(err, PDR_NOMEM, "a row of table %s", table->spec->name);
    row->next = table->slots[hash & table->mask];
    table->slots[hash & table->mask] = row;
    table->count++;
    *out = row;
    return PDR_OK;
}

void pdr_row_forget(pdr_row_table *table, pdr_row *row)
{
    pdr_free(row->base);
    table->base_bytes -= row->base_size;
    row->base = NULL;
    row->base_size = 0;
    row->known = PDR_ROW_UNKNOWN;
}

static size_t cells_bytes(const pdr_row_table *table, const pdr_cell *cells)
{
    size_t width = pdr_row_width(table), size = width * sizeof *cells;
    for (size_t i = 0; i < width; i++)
        if (pdr_column_is_bytes(pdr_row_columns(table)[i].type) && !cells[i].null)
            size += cells[i].as.bytes.size;
    return size;
}

static pdr_cell *pack_cells(const pdr_row_table *table, const pdr_cell *cells, size_t size)
{
    size_t width = pdr_row_width(table);
    pdr_cell *packed = pdr_alloc(size ? size : 1);
    if (!packed) return NULL;
    uint8_t *to = (uint8_t *)(packed + width);
    for (size_t i = 0; i < width; i++) {
        packed[i] = cells[i];
        if (!pdr_column_is_bytes(pdr_row_columns(table)[i].type) || cells[i].null) continue;
        if (cells[i].as.bytes.size) memcpy(to, cells[i].as.bytes.data, cells[i].as.bytes.size);
        packed[i].as.bytes.data = to;
        to += cells[i].as.bytes.size;
    }
    return packed;
}

pdr_code pdr_row_learn(pdr_row_table *table, pdr_row *row, const pdr_cell *cells, pdr_error *err)
{
    size_t size = cells ? cells_bytes(table, cells) : 0;
    pdr_cell *base = cells ? pack_cells(table, cells, size) : NULL;
    pdr_row_forget(table, row); /* `cells` may point into what it knew: forgotten only now */
    if (cells && !base) return pdr_fail(err, PDR_NOMEM, "a row of table %s", table->spec->name);
    row->base = base;
    row->base_size = size + sizeof *row;
    table->base_bytes += row->base_size;
    row->known = cells ? PDR_ROW_PRESENT : PDR_ROW_ABSENT;
    return PDR_OK;
}

pdr_code pdr_row_want(pdr_row_table *table, pdr_row *row, pdr_error *err)
{
    if (row->wanted) return PDR_OK;
    if (table->wanted_count == table->wanted_room) {
        size_t room = table->wanted_room ? 2 * table->wanted_room : 16;
        pdr_row **wanted = pdr_realloc(table->wanted, room * sizeof(pdr_row *));
        if (wanted) table->wanted = wanted;
        const pdr_cell **keys = wanted ? pdr_realloc(table->wanted_keys, room * sizeof(pdr_cell *)) : NULL;
        if (!keys) return pdr_fail(err, PDR_NOMEM, "rows wanted of table %s", table->spec->name);
        table->wanted_keys = keys;
        table->wanted_room = room;
    }
    table->wanted[table->wanted_count] = row;
    table->wanted_keys[table->wanted_count++] = row->key;
    row->wanted = true;
    return PDR_OK;
}

static bool is_idle(const pdr_row *row)
{
    return !row->folding && !row->taken && !row->wanted && !row->listed;
}

static void take_out(pdr_row_table *table, pdr_row **at)
{
    pdr_row *row = *at;
    *at = row->next;
    table->base_bytes -= row->base_size;
    table->count--;
    free_row(row);
}

void pdr_row_drop_unused(pdr_row_table *table, pdr_row *row)
{
    if (row->known != PDR_ROW_UNKNOWN || !is_idle(row)) return;
    pdr_row **at = &table->slots[row->hash & table->mask];
    while (*at != row)
        at = &(*at)->next;
    take_out(table, at);
}

void pdr_row_table_trim(pdr_row_table *table, size_t max_bytes)
{
    for (size_t left = table->mask + 1; left > 0 && table->base_bytes > max_bytes; left--) {
        pdr_row **at = &table->slots[table->hand++ & table->mask];
        while (*at)
            if (is_idle(*at))
                take_out(table, at);
            else
                at = &(*at)->next;
    }
}

void pdr_row_table_forget(pdr_row_table *table)
{
    for (size_t i = 0; i <= table->mask; i++)
        for (pdr_row **at = &table->slots[i]; *at;) {
            pdr_row_forget(table, *at);
            if (is_idle(*at))
                take_out(table, at);
            else
                at = &(*at)->next;
        }
}
