/* Generated decoding. */
#include "schemas/gen_inside.h"

static void get(gen *g, const pdr_schema *type, const char *value, const char *place);

static void get_enum(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    unsigned n = g->unique++;
    gen_open(g, "{");
    gen_line(g, "unsigned index%u;", n);
    gen_line(g, "PDR_WIRE_READ(pdr_wire_get_index(end, p, %zu, &index%u), PDR_WIRE_ENUM, %s);", type->count,
             n, place);
    gen_line(g, "%s = (enum %s)index%u;", value, gen_type_of(g, type)->c_name, n);
    gen_close(g, "}");
}

static void get_record(gen *g, const pdr_schema *schema, const char *value, const char *place, bool pointer)
{
    const char *name = gen_type_of(g, schema)->c_name;
    if (!pointer) {
        gen_line(g, "PDR_WIRE_NEST(const uint8_t, get_%s(in, p, &%s));", name, value);
        return;
    }
    unsigned n = g->unique++;
    gen_open(g, "{");
    gen_line(g, "%s *made%u = (%s *)pdr_wire_make(in, sizeof *made%u);", name, n, name, n);
    gen_line(g, "if (!made%u) return pdr_wire_bad(in, p, PDR_WIRE_MEMORY, %s);", n, place);
    gen_line(g, "%s = made%u;", value, n);
    gen_line(g, "PDR_WIRE_NEST(const uint8_t, get_%s(in, p, made%u));", name, n);
    gen_close(g, "}");
}

static void get_block(gen *g, const pdr_schema *type, const char *value, const char *place, unsigned n)
{
    bool map = type->kind == PDR_KIND_MAP;
    const char *items = gen_text(g, "%s.%s", value, map ? "entries" : "items");
    uint64_t least = gen_least(g, type->items) + (map ? 1 : 0);
    gen_line(g, "PDR_WIRE_READ(pdr_wire_get_block(in, p, %llu, count%u, &block%u), PDR_WIRE_BLOCK, %s);",
             (unsigned long long)least, n, n, place);
    gen_line(g, "if (block%u.count == 0) break;", n);
    gen_line(g, "void *items%u = pdr_wire_room(in, %s, count%u, block%u.count, sizeof *%s, &room%u);", n,
             items, n, n, items, n);
    gen_line(g, "if (!items%u) return pdr_wire_bad(in, p, PDR_WIRE_MEMORY, %s);", n, place);
    gen_line(g, "%s = items%u;", items, n);
    gen_open(g, "for (size_t stop%u = count%u + block%u.count; count%u < stop%u; count%u++) {", n, n, n, n, n,
             n);
    if (map)
        gen_line(g, "PDR_WIRE_READ(pdr_wire_get_string(end, p, &%s[count%u].key), PDR_WIRE_STRING, %s);",
                 items, n, place);
    const char *item_value = gen_text(g, map ? "%s[count%u].value" : "%s[count%u]", items, n);
    if (gen_is_direct(type))
        get_record(g, type->items, item_value, place, false);
    else
        get(g, type->items, item_value, place);
    gen_close(g, "}");
    gen_line(g, "if (block%u.stop && p != block%u.stop) return pdr_wire_bad(in, p, PDR_WIRE_BLOCK_END, %s);",
             n, n, place);
}

static void get_list(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    unsigned n = g->unique++;
    gen_open(g, "{");
    gen_line(g, "size_t count%u = 0, room%u = 0;", n, n);
    gen_line(g, "pdr_wire_block block%u;", n);
    gen_line(g, "%s.%s = NULL;", value, type->kind == PDR_KIND_MAP ? "entries" : "items");
    gen_open(g, "for (;;) {");
    get_block(g, type, value, place, n);
    gen_close(g, "}");
    gen_line(g, "%s.count = count%u;", value, n);
    gen_close(g, "}");
}

static void get_union(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    bool optional = gen_is_optional(type);
    unsigned n = g->unique++;
    gen_open(g, "{");
    gen_line(g, "unsigned tag%u;", n);
    gen_line(g, "PDR_WIRE_READ(pdr_wire_get_index(end, p, %zu, &tag%u), PDR_WIRE_UNION, %s);", type->count, n,
             place);
    if (optional) {
        gen_open(g, "if (tag%u == %zu) {", n, gen_null_index(type));
        gen_line(g, "memset(&%s, 0, sizeof %s);", value, value);
        gen_close(g, "} else {");
        g->indent++;
        gen_line(g, "%s.present = true;", value);
        get(g, gen_optional(type), gen_text(g, "%s.value", value), place);
        gen_close(g, "}");
    } else {
        gen_line(g, "memset(&%s, 0, sizeof %s);", value, value);
        gen_line(g, "memcpy(&%s.tag, &tag%u, sizeof tag%u);", value, n, n);
        gen_line(g, "switch (tag%u) {", n);
        for (size_t i = 0; i < type->count; i++) {
            gen_open(g, "case %zu: {", i);
            if (type->branches[i]->kind != PDR_KIND_NULL)
                get(g, type->branches[i], gen_text(g, "%s.as.%s", value, gen_branch(g, type->branches[i])),
                    place);
            gen_line(g, "break;");
            gen_close(g, "}");
        }
        gen_line(g, "}");
    }
    gen_close(g, "}");
}

static void get(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    static const char *const whats[] = {
        [PDR_KIND_BOOLEAN] = "BOOLEAN", [PDR_KIND_INT] = "INT",       [PDR_KIND_LONG] = "LONG",
        [PDR_KIND_FLOAT] = "FLOAT",     [PDR_KIND_DOUBLE] = "DOUBLE", [PDR_KIND_BYTES] = "BYTES",
        [PDR_KIND_STRING] = "STRING",
    };
    switch (type->kind) {
    case PDR_KIND_NULL: gen_line(g, "%s.unused = 0;", value); break;
    case PDR_KIND_FIXED:
        gen_line(g, "PDR_WIRE_READ(pdr_wire_get_fixed(end, p, %s.data, %zu), PDR_WIRE_FIXED, %s);", value,
                 type->count, place);
        break;
    case PDR_KIND_ENUM: get_enum(g, type, value, place); break;
    case PDR_KIND_RECORD: get_record(g, type, value, place, gen_is_pointer(g, type)); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: get_list(g, type, value, place); break;
    case PDR_KIND_UNION: get_union(g, type, value, place); break;
    default:
        gen_line(g, "PDR_WIRE_READ(pdr_wire_get_%s(end, p, &%s), PDR_WIRE_%s, %s);", type->name, value,
                 whats[type->kind], place);
        break;
    }
}

void gen_get_record(gen *g, const gen_type *type)
{
    const pdr_schema *schema = type->schema;
    g->record = type;
    gen_line(g, "static const uint8_t *get_%s(pdr_wire_in *in, const uint8_t *p, void *value)", type->c_name);
    gen_open(g, "{");
    gen_line(g, "const uint8_t *const end = in->end;");
    gen_line(g, "%s *v = (%s *)value;", type->c_name, type->c_name);
    gen_line(g, "(void)end;");
    if (type->recursive)
        gen_line(g,
                 "if (++in->depth > PDR_WIRE_MAX_DEPTH) return pdr_wire_bad(in, p, PDR_WIRE_DEPTH, \"%s\");",
                 schema->name);
    if (schema->count == 0) gen_line(g, "v->unused = 0;");
    for (size_t i = 0; i < schema->count; i++)
        get(g, schema->fields[i].type, gen_text(g, "v->%s", type->members[i]),
            gen_text(g, "\"%s.%s\"", schema->name, schema->fields[i].name));
    if (type->recursive) gen_line(g, "in->depth--;");
    gen_line(g, "return p;");
    gen_close(g, "}");
    gen_line(g, "%s", "");
}
