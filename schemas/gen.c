#include "schemas/gen_inside.h"

static void check_prefix(gen *g)
{
    const char *prefix = g->options->prefix;
    bool good = *prefix >= 'a' && *prefix <= 'z' && strlen(prefix) <= 100;
    for (const char *c = prefix; good && *c; c++)
        good = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_';
    if (!good)
        g->code =
            pdr_fail(g->err, PDR_INVALID_ARGUMENT,
                     "prefix \"%.120s\": lower case letters, digits and _, beginning with a letter", prefix);
}

static void collect_types(gen *g)
{
    g->count = pdr_schema_set_named_count(g->set);
    if (g->count > PDR_GEN_MAX_TYPES) {
        g->code = pdr_fail(g->err, PDR_TOO_LARGE, "%zu named types; %d can be generated together", g->count,
                           (int)PDR_GEN_MAX_TYPES);
        return;
    }
    g->types = pdr_arena_calloc(&g->arena, g->count + 1, sizeof *g->types);
    g->tops = pdr_arena_calloc(&g->arena, g->count + 1, sizeof *g->tops);
    if (!g->types || !g->tops) {
        gen_no_memory(g);
        return;
    }
    for (size_t i = 0; i < g->count; i++) {
        g->types[i].schema = pdr_schema_set_named(g->set, i);
        g->types[i].id = -1;
    }
}

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

static void collect_tops(gen *g)
{
    for (size_t i = 0; i < pdr_schema_set_count(g->set); i++) {
        const pdr_schema *root = pdr_schema_set_root(g->set, i);
        if (root->kind != PDR_KIND_UNION) {
            add_top(g, root);
            continue;
        }
        for (size_t b = 0; b < root->count; b++)
            add_top(g, root->branches[b]);
    }
}

pdr_code pdr_gen(const pdr_gen_options *options, const pdr_schema_set *set, pdr_buf *header, pdr_buf *source,
                 pdr_error *err)
{
    gen g = {.set = set, .options = options, .err = err, .arena = PDR_ARENA_INIT(PDR_SCHEMA_MAX_MEMORY)};
    if (pdr_schema_set_count(set) == 0) return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no schema");
    check_prefix(&g);
    if (g.code == PDR_OK) collect_types(&g);
    if (g.code == PDR_OK) collect_tops(&g);
    if (g.code == PDR_OK) gen_name_types(&g);
    if (g.code == PDR_OK) gen_shape(&g);
    g.out = header;
    if (g.code == PDR_OK) gen_header(&g);
    g.out = source;
    if (g.code == PDR_OK) gen_source(&g);
    pdr_arena_release(&g.arena);
    return g.code;
}
