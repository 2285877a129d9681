/* Which record holds which, where a pointer is needed, and how many bytes data may take. */
#include "schemas/gen_inside.h"

bool gen_is_optional(const pdr_schema *schema)
{
    return schema->kind == PDR_KIND_UNION && schema->count == 2 &&
           (schema->branches[0]->kind == PDR_KIND_NULL || schema->branches[1]->kind == PDR_KIND_NULL);
}

size_t gen_null_index(const pdr_schema *schema)
{
    return schema->branches[0]->kind == PDR_KIND_NULL ? 0 : 1;
}

const pdr_schema *gen_optional(const pdr_schema *schema)
{
    return schema->branches[1 - gen_null_index(schema)];
}

bool gen_is_pointer(const gen *g, const pdr_schema *schema)
{
    return schema->kind == PDR_KIND_RECORD &&
           g->holds[gen_type_of(g, schema)->index * g->count + g->record->index];
}

bool gen_is_direct(const pdr_schema *schema)
{
    return schema->kind == PDR_KIND_ARRAY && schema->items->kind == PDR_KIND_RECORD;
}

/* ---- edges between records ---- */

static void walk(gen *g, const pdr_schema *schema, bool by_value, bool *row);

static void visit(gen *g, const pdr_schema *record, bool by_value, bool *row)
{
    size_t index = gen_type_of(g, record)->index;
    if (row[index]) return;
    row[index] = true;
    for (size_t i = 0; i < record->count; i++)
        walk(g, record->fields[i].type, by_value, row);
}

static void walk(gen *g, const pdr_schema *schema, bool by_value, bool *row)
{
    switch (schema->kind) {
    case PDR_KIND_RECORD: visit(g, schema, by_value, row); break;
    case PDR_KIND_UNION:
        for (size_t i = 0; i < schema->count; i++)
            walk(g, schema->branches[i], by_value, row);
        break;
    case PDR_KIND_ARRAY:
        /* A pointer to an unfinished struct is fine in C; anything between them needs the whole struct. */
        if (by_value && gen_is_direct(schema)) break;
        walk(g, schema->items, by_value, row);
        break;
    case PDR_KIND_MAP: walk(g, schema->items, by_value, row); break;
    default: break;
    }
}

static void find_edges(gen *g)
{
    g->holds = pdr_arena_calloc(&g->arena, g->count * g->count + 1, 1);
    g->reaches = pdr_arena_calloc(&g->arena, g->count * g->count + 1, 1);
    if (!g->holds || !g->reaches) {
        gen_no_memory(g);
        return;
    }
    for (size_t i = 0; i < g->count; i++) {
        const pdr_schema *schema = g->types[i].schema;
        if (schema->kind != PDR_KIND_RECORD) continue;
        for (size_t f = 0; f < schema->count; f++) {
            walk(g, schema->fields[f].type, true, &g->holds[i * g->count]);
            walk(g, schema->fields[f].type, false, &g->reaches[i * g->count]);
        }
        g->types[i].recursive = g->reaches[i * g->count + i];
    }
}

/* ---- records without end ---- */

static bool is_finite(const gen *g, const pdr_schema *schema)
{
    if (schema->kind == PDR_KIND_RECORD) return gen_type_of(g, schema)->finite;
    if (schema->kind != PDR_KIND_UNION) return true;
    for (size_t i = 0; i < schema->count; i++)
        if (is_finite(g, schema->branches[i])) return true;
    return false;
}

static bool becomes_finite(const gen *g, const gen_type *type)
{
    if (type->finite) return false;
    for (size_t i = 0; type->schema->kind == PDR_KIND_RECORD && i < type->schema->count; i++)
        if (!is_finite(g, type->schema->fields[i].type)) return false;
    return true;
}

static void check_finite(gen *g)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < g->count; i++) {
            if (!becomes_finite(g, &g->types[i])) continue;
            g->types[i].finite = changed = true;
        }
    }
    for (size_t i = 0; i < g->count; i++)
        if (!g->types[i].finite)
            gen_fail(g, g->types[i].schema, "\"%s\" holds itself without end: no value of it is finite",
                     g->types[i].schema->name);
}

/* ---- order of the structs ---- */

static void place_record(gen *g, gen_type *type);

static void place_held(gen *g, const gen_type *holder, const pdr_schema *schema)
{
    switch (schema->kind) {
    case PDR_KIND_RECORD:
        if (!g->holds[gen_type_of(g, schema)->index * g->count + holder->index])
            place_record(g, gen_type_of(g, schema));
        break;
    case PDR_KIND_UNION:
        for (size_t i = 0; i < schema->count; i++)
            place_held(g, holder, schema->branches[i]);
        break;
    case PDR_KIND_ARRAY:
        if (!gen_is_direct(schema)) place_held(g, holder, schema->items);
        break;
    case PDR_KIND_MAP: place_held(g, holder, schema->items); break;
    default: break;
    }
}

static void place_record(gen *g, gen_type *type)
{
    if (type->placed) return;
    type->placed = true;
    for (size_t i = 0; i < type->schema->count; i++)
        place_held(g, type, type->schema->fields[i].type);
    g->order[g->order_count++] = type;
}

static void place_records(gen *g)
{
    g->order = pdr_arena_calloc(&g->arena, g->count + 1, sizeof *g->order);
    if (!g->order) {
        gen_no_memory(g);
        return;
    }
    for (size_t i = 0; i < g->count; i++)
        if (g->types[i].schema->kind == PDR_KIND_RECORD) place_record(g, &g->types[i]);
}

/* ---- sizes of data ---- */

/* Far above what can be encoded; sums stop there. */
static const uint64_t MAX_EXTENT = UINT64_C(1) << 40;

static uint64_t index_size(size_t count)
{
    return count <= 64 ? 1 : 2; /* at most 4096 symbols or branches: 2 bytes hold 8192 */
}

static gen_extent union_extent(gen *g, const pdr_schema *schema)
{
    gen_extent all = {0, false};
    for (size_t i = 0; i < schema->count; i++) {
        gen_extent branch = gen_extent_of(g, schema->branches[i]);
        if (branch.fixed > all.fixed) all.fixed = branch.fixed;
        all.dynamic |= branch.dynamic;
    }
    all.fixed += index_size(schema->count);
    return all;
}

gen_extent gen_extent_of(gen *g, const pdr_schema *schema)
{
    gen_extent none = {0, false};
    switch (schema->kind) {
    case PDR_KIND_BOOLEAN: return (gen_extent){1, false};
    case PDR_KIND_INT: return (gen_extent){5, false};
    case PDR_KIND_LONG: return (gen_extent){10, false};
    case PDR_KIND_FLOAT: return (gen_extent){4, false};
    case PDR_KIND_DOUBLE: return (gen_extent){8, false};
    case PDR_KIND_BYTES:
    case PDR_KIND_STRING: return (gen_extent){5, true};
    case PDR_KIND_ENUM: return (gen_extent){index_size(schema->count), false};
    case PDR_KIND_FIXED: return (gen_extent){schema->count, false};
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return (gen_extent){11, true};
    case PDR_KIND_UNION: return union_extent(g, schema);
    case PDR_KIND_RECORD: {
        const gen_type *type = gen_type_of(g, schema);
        return type->dynamic ? (gen_extent){0, true} : (gen_extent){type->bound, false};
    }
    default: return none;
    }
}

/* Held records come first, so their extents are known; a recursive one is measured by a call. */
static void find_extents(gen *g)
{
    for (size_t i = 0; i < g->count; i++)
        g->types[i].dynamic =
            true; /* until it is known: what is reached through an array comes in any order */
    for (size_t i = 0; i < g->order_count; i++) {
        gen_type *type = g->order[i];
        bool dynamic = type->recursive;
        type->bound = 0;
        for (size_t f = 0; f < type->schema->count; f++) {
            gen_extent field = gen_extent_of(g, type->schema->fields[f].type);
            type->bound += field.fixed;
            if (type->bound > MAX_EXTENT) type->bound = MAX_EXTENT;
            dynamic |= field.dynamic;
        }
        type->dynamic = dynamic;
    }
}

uint64_t gen_least(const gen *g, const pdr_schema *schema)
{
    uint64_t least = UINT64_MAX;
    switch (schema->kind) {
    case PDR_KIND_NULL: return 0;
    case PDR_KIND_FLOAT: return 4;
    case PDR_KIND_DOUBLE: return 8;
    case PDR_KIND_FIXED: return schema->count;
    case PDR_KIND_RECORD: return gen_type_of(g, schema)->least;
    case PDR_KIND_UNION:
        for (size_t i = 0; i < schema->count; i++) {
            uint64_t branch = gen_least(g, schema->branches[i]);
            if (branch < least) least = branch;
        }
        return 1 + least;
    default: return 1;
    }
}

/* From below, so that it is a lower bound after every round, for recursive records too. */
static void find_least(gen *g)
{
    enum { ROUNDS = 64 };
    bool changed = true;
    for (int round = 0; changed && round < ROUNDS; round++) {
        changed = false;
        for (size_t i = 0; i < g->order_count; i++) {
            const pdr_schema *record = g->order[i]->schema;
            uint64_t sum = 0;
            for (size_t f = 0; f < record->count; f++)
                sum += gen_least(g, record->fields[f].type);
            if (sum > MAX_EXTENT) sum = MAX_EXTENT;
            changed |= sum != g->order[i]->least;
            g->order[i]->least = sum;
        }
    }
}

void gen_shape(gen *g)
{
    find_edges(g);
    if (g->code == PDR_OK) check_finite(g);
    if (g->code == PDR_OK) place_records(g);
    if (g->code == PDR_OK) find_extents(g);
    if (g->code == PDR_OK) find_least(g);
}
