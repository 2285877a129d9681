/* Which C types there are: those of the unversioned files once, and those that each version defines itself.
 */
#include <stdlib.h>

#include "schemas/gen_inside.h"

bool gen_is_root(const gen_type *type)
{
    return type->version && type->version->root == type->schema;
}

/* ---- sets ---- */

static int by_address(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const gen_set *)a)->set, right = (uintptr_t)((const gen_set *)b)->set;
    return (left > right) - (left < right);
}

static gen_set *find_set(const gen *g, const pdr_schema_set *set)
{
    gen_set wanted = {.set = set};
    return bsearch(&wanted, g->sets, g->set_count, sizeof *g->sets, by_address);
}

gen_type *gen_type_of(const gen *g, const pdr_schema *schema)
{
    return find_set(g, schema->set)->types[schema->number];
}

static void add_set(gen *g, const pdr_schema_set *set)
{
    gen_set *added = &g->sets[g->set_count];
    added->set = set;
    added->types = pdr_arena_calloc(&g->arena, pdr_schema_set_named_count(set) + 1, sizeof *added->types);
    if (added->types)
        g->set_count++;
    else
        gen_no_memory(g);
}

static void collect_sets(gen *g)
{
    const pdr_schema_set *shared = pdr_schema_files_shared(g->files);
    size_t versions = pdr_schema_files_count(g->files);
    g->sets = pdr_arena_calloc(&g->arena, versions + 1, sizeof *g->sets);
    if (!g->sets) {
        gen_no_memory(g);
        return;
    }
    if (shared) add_set(g, shared);
    for (size_t i = 0; i < versions && g->code == PDR_OK; i++)
        add_set(g, pdr_schema_files_at(g->files, i)->root->set);
    qsort(g->sets, g->set_count, sizeof *g->sets, by_address);
}

/* ---- types ---- */

static void add_type(gen *g, const pdr_schema *schema, const pdr_versioned *version)
{
    if (g->count == PDR_GEN_MAX_TYPES) {
        g->code = pdr_fail(g->err, PDR_TOO_LARGE, "more than %d named types; generate fewer files together",
                           (int)PDR_GEN_MAX_TYPES);
        return;
    }
    gen_type *type = &g->types[g->count];
    *type = (gen_type){.schema = schema, .version = version, .index = g->count, .id = -1};
    find_set(g, schema->set)->types[schema->number] = type;
    g->count++;
}

static void collect_shared(gen *g, const pdr_schema_set *shared)
{
    for (size_t i = 0; i < pdr_schema_set_named_count(shared) && g->code == PDR_OK; i++)
        add_type(g, pdr_schema_set_named(shared, i), NULL);
}

static void collect_version(gen *g, const pdr_versioned *version)
{
    const pdr_schema_set *set = version->root->set, *shared = pdr_schema_files_shared(g->files);
    for (size_t i = 0; i < pdr_schema_set_named_count(set) && g->code == PDR_OK; i++) {
        const pdr_schema *schema = pdr_schema_set_named(set, i);
        if (pdr_versioned_defines(version, schema))
            add_type(g, schema, version);
        else
            find_set(g, set)->types[i] = gen_type_of(g, pdr_schema_set_find(shared, schema->name));
    }
}

static void collect_types(gen *g)
{
    const pdr_schema_set *shared = pdr_schema_files_shared(g->files);
    g->types = pdr_arena_calloc(&g->arena, PDR_GEN_MAX_TYPES, sizeof *g->types);
    g->tops = pdr_arena_calloc(&g->arena, PDR_GEN_MAX_TYPES, sizeof *g->tops);
    if (!g->types || !g->tops) {
        gen_no_memory(g);
        return;
    }
    if (shared) collect_shared(g, shared);
    for (size_t i = 0; i < pdr_schema_files_count(g->files) && g->code == PDR_OK; i++)
        collect_version(g, pdr_schema_files_at(g->files, i));
}

/* ---- top-level records ---- */

static void add_top(gen *g, const pdr_schema *schema)
{
    if (!pdr_kind_is_named(schema->kind)) {
        gen_fail(g, schema,
                 "a \"%s\" has no name that C could use; the top level must be records, enums or fixed",
                 schema->name);
        return;
    }
    gen_type *type = gen_type_of(g, schema);
    if (schema->kind != PDR_KIND_RECORD || type->top) return;
    type->top = true;
    type->id = (int)g->top_count;
    g->tops[g->top_count++] = type;
}

static void add_shared_tops(gen *g, const pdr_schema_set *shared)
{
    for (size_t i = 0; i < pdr_schema_set_count(shared); i++) {
        const pdr_schema *root = pdr_schema_set_root(shared, i);
        if (root->kind != PDR_KIND_UNION) {
            add_top(g, root);
            continue;
        }
        for (size_t b = 0; b < root->count; b++)
            add_top(g, root->branches[b]);
    }
}

static void add_versions(gen *g, bool old)
{
    for (size_t i = 0; i < pdr_schema_files_count(g->files); i++) {
        const pdr_versioned *version = pdr_schema_files_at(g->files, i);
        if (old != (!version->newest || version->retired)) continue;
        gen_type_of(g, version->root)->old = old;
        add_top(g, version->root);
    }
}

void gen_collect(gen *g)
{
    const pdr_schema_set *shared = pdr_schema_files_shared(g->files);
    collect_sets(g);
    if (g->code == PDR_OK) collect_types(g);
    if (g->code == PDR_OK && shared) add_shared_tops(g, shared);
    if (g->code == PDR_OK) add_versions(g, false);
    g->today_count = g->top_count;
    if (g->code == PDR_OK) add_versions(g, true);
}
