/* Generated layout tables: how each struct lies in memory. */
#include "schemas/gen_inside.h"

/* `value` is an expression of the C value, never evaluated: "((loans_x *)0)->field". */
static const char *layout(gen *g, const pdr_schema *type, const char *value);

static const char *logical(gen *g, const pdr_schema *type)
{
    if (type->logical == PDR_LOGICAL_NONE) return "";
    return gen_text(g, ", .logical = (pdr_logical)%d, .precision = %d, .scale = %d", (int)type->logical,
                    type->precision, type->scale);
}

static const char *define(gen *g, const pdr_schema *type, const char *value, const char *more)
{
    unsigned n = g->unique++;
    gen_line(g, "static const pdr_layout layout_%u = {.kind = (pdr_kind)%d%s, .size = sizeof(%s)%s};", n,
             (int)type->kind, logical(g, type), value, more);
    return gen_text(g, "&layout_%u", n);
}

static const char *member(gen *g, const pdr_schema *type, const char *name, const char *inner,
                          const char *offset)
{
    return gen_text(g, "{\"%s\", %s, %s, %s}", name, layout(g, type, inner), offset,
                    gen_is_pointer(g, type) ? "true" : "false");
}

static unsigned members(gen *g, const char *const *lines, size_t count)
{
    unsigned n = g->unique++;
    gen_open(g, "static const pdr_layout_member members_%u[] = {", n);
    for (size_t i = 0; i < count; i++)
        gen_line(g, "%s,", lines[i]);
    gen_close(g, "};");
    return n;
}

static const char *list_layout(gen *g, const pdr_schema *type, const char *value)
{
    bool map = type->kind == PDR_KIND_MAP;
    const char *item = gen_text(g, "%s.%s[0]", value, map ? "entries" : "items");
    const char *inner = map ? gen_text(g, "%s.value", item) : item;
    const char *offset = map ? gen_text(g, "offsetof(__typeof__(%s), value)", item) : "0";
    const char *line;
    if (gen_is_direct(type))
        line = gen_text(g, "{\"items\", &layout_%s, 0, false}", gen_type_of(g, type->items)->c_name);
    else
        line = member(g, type->items, map ? "values" : "items", inner, offset);
    unsigned n = members(g, &line, 1);
    return define(g, type, value,
                  gen_text(g, ", .stride = sizeof(%s), .count = 1, .members = members_%u", item, n));
}

static const char *union_layout(gen *g, const pdr_schema *type, const char *value)
{
    bool optional = gen_is_optional(type);
    const char **lines = pdr_arena_calloc(&g->arena, type->count, sizeof *lines);
    if (!lines) {
        gen_no_memory(g);
        return "NULL";
    }
    for (size_t i = 0; i < type->count; i++) {
        const pdr_schema *branch = type->branches[i];
        const char *path = optional ? "value" : gen_text(g, "as.%s", gen_branch(g, branch));
        lines[i] = branch->kind == PDR_KIND_NULL
                       ? "{\"null\", &pdr_layout_null, 0, false}"
                       : member(g, branch, branch->name, gen_text(g, "%s.%s", value, path),
                                gen_text(g, "offsetof(__typeof__(%s), %s)", value, path));
    }
    unsigned n = members(g, lines, type->count);
    return define(g, type, value,
                  gen_text(g, ", .optional = %s, .count = %zu, .members = members_%u",
                           optional ? "true" : "false", type->count, n));
}

static const char *enum_layout(gen *g, const pdr_schema *type, const char *value)
{
    unsigned n = g->unique++;
    gen_open(g, "static const char *const symbols_%u[] = {", n);
    for (size_t i = 0; i < type->count; i++)
        gen_line(g, "\"%s\",", type->symbols[i]);
    gen_close(g, "};");
    return define(
        g, type, value,
        gen_text(g, ", .name = \"%s\", .count = %zu, .symbols = symbols_%u", type->name, type->count, n));
}

static const char *layout(gen *g, const pdr_schema *type, const char *value)
{
    switch (type->kind) {
    case PDR_KIND_RECORD: return gen_text(g, "&layout_%s", gen_type_of(g, type)->c_name);
    case PDR_KIND_ENUM: return enum_layout(g, type, value);
    case PDR_KIND_FIXED:
        return define(g, type, value, gen_text(g, ", .name = \"%s\", .count = %zu", type->name, type->count));
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return list_layout(g, type, value);
    case PDR_KIND_UNION: return union_layout(g, type, value);
    default: break;
    }
    if (type->logical == PDR_LOGICAL_NONE) return gen_text(g, "&pdr_layout_%s", type->name);
    return define(g, type, value, "");
}

void gen_layout_record(gen *g, const gen_type *type)
{
    const pdr_schema *schema = type->schema;
    const char **lines = pdr_arena_calloc(&g->arena, schema->count, sizeof *lines);
    g->record = type;
    if (!lines) {
        gen_no_memory(g);
        return;
    }
    for (size_t i = 0; i < schema->count; i++)
        lines[i] = member(g, schema->fields[i].type, schema->fields[i].name,
                          gen_text(g, "((%s *)0)->%s", type->c_name, type->members[i]),
                          gen_text(g, "offsetof(%s, %s)", type->c_name, type->members[i]));
    const char *text = "NULL";
    if (schema->count) text = gen_text(g, "members_%u", members(g, lines, schema->count));
    gen_line(g, "static const pdr_layout layout_%s = {", type->c_name);
    gen_line(g,
             "    .kind = PDR_KIND_RECORD, .name = \"%s\", .size = sizeof(%s), .count = %zu, .members = %s};",
             schema->name, type->c_name, schema->count, text);
    gen_line(g, "%s", "");
}
