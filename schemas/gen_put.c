/* Generated encoding: measure_ gives an upper bound, put_ writes. */
#include "schemas/gen_inside.h"

/* ---- measure ---- */

static void measure(gen *g, const pdr_schema *type, const char *value);

static void measure_record(gen *g, const pdr_schema *schema, const char *value, bool pointer)
{
    const gen_type *type = gen_type_of(g, schema);
    const char *depth = !type->recursive ? "" : g->record->recursive ? ", depth + 1" : ", 0";
    if (pointer)
        gen_line(g, "if (%s) size += measure_%s(%s%s);", value, type->c_name, value, depth);
    else
        gen_line(g, "size += measure_%s(&%s%s);", type->c_name, value, depth);
}

static void measure_list(gen *g, const pdr_schema *type, const char *value)
{
    bool map = type->kind == PDR_KIND_MAP;
    const char *items = map ? "entries" : "items";
    gen_extent item = gen_extent_of(g, type->items);
    unsigned i = g->unique++;
    if (item.fixed || map)
        gen_line(g, "size += pdr_wire_sizes(%s.count, %llu);", value,
                 (unsigned long long)(item.fixed + (map ? 5 : 0)));
    if (!map && !item.dynamic) return;
    gen_open(g, "for (size_t i%u = 0; %s.%s && i%u < %s.count && size <= PDR_WIRE_MAX_SIZE; i%u++) {", i,
             value, items, i, value, i);
    if (map) gen_line(g, "size += pdr_wire_size(%s.entries[i%u].key.size);", value, i);
    const char *item_value = gen_text(g, map ? "%s.entries[i%u].value" : "%s.items[i%u]", value, i);
    if (gen_is_direct(type))
        measure_record(g, type->items, item_value, false);
    else
        measure(g, type->items, item_value);
    gen_close(g, "}");
}

static void measure_union(gen *g, const pdr_schema *type, const char *value)
{
    if (gen_is_optional(type)) {
        gen_open(g, "if (%s.present) {", value);
        measure(g, gen_optional(type), gen_text(g, "%s.value", value));
        gen_close(g, "}");
        return;
    }
    gen_line(g, "switch ((unsigned)%s.tag) {", value);
    for (size_t i = 0; i < type->count; i++) {
        if (!gen_extent_of(g, type->branches[i]).dynamic) continue;
        gen_open(g, "case %zu: {", i);
        measure(g, type->branches[i], gen_text(g, "%s.as.%s", value, gen_branch(g, type->branches[i])));
        gen_line(g, "break;");
        gen_close(g, "}");
    }
    gen_line(g, "default: break;");
    gen_line(g, "}");
}

static void measure(gen *g, const pdr_schema *type, const char *value)
{
    if (!gen_extent_of(g, type).dynamic) return;
    switch (type->kind) {
    case PDR_KIND_BYTES:
    case PDR_KIND_STRING: gen_line(g, "size += pdr_wire_size(%s.size);", value); break;
    case PDR_KIND_RECORD: measure_record(g, type, value, gen_is_pointer(g, type)); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: measure_list(g, type, value); break;
    default: measure_union(g, type, value); break;
    }
}

void gen_measure_record(gen *g, const gen_type *type)
{
    g->record = type;
    gen_line(g, "static uint64_t measure_%s(const %s *v%s)", type->c_name, type->c_name,
             type->recursive ? ", unsigned depth" : "");
    gen_open(g, "{");
    gen_line(g, "uint64_t size = %llu;", (unsigned long long)type->bound);
    gen_line(g, "(void)v;");
    if (type->recursive) gen_line(g, "if (depth > PDR_WIRE_MAX_DEPTH) return 0;");
    for (size_t i = 0; i < type->schema->count; i++)
        measure(g, type->schema->fields[i].type, gen_text(g, "v->%s", type->members[i]));
    gen_line(g, "return size;");
    gen_close(g, "}");
    gen_line(g, "%s", "");
}

/* ---- put ---- */

static void put(gen *g, const pdr_schema *type, const char *value, const char *place);

static void put_index(gen *g, size_t index)
{
    if (index < 64)
        gen_line(g, "*p++ = %zu;", index * 2);
    else
        gen_line(g, "p = pdr_wire_put_int(p, %zu);", index);
}

static void put_record(gen *g, const pdr_schema *schema, const char *value, const char *place, bool pointer)
{
    const char *name = gen_type_of(g, schema)->c_name;
    if (pointer) gen_line(g, "if (!%s) return pdr_wire_refuse(out, PDR_WIRE_POINTER, %s);", value, place);
    gen_line(g, "PDR_WIRE_NEST(uint8_t, put_%s(out, p, %s%s));", name, pointer ? "" : "&", value);
}

static void put_list(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    bool map = type->kind == PDR_KIND_MAP;
    unsigned i = g->unique++;
    gen_open(g, "if (%s.count) {", value);
    gen_line(g, "if (!%s.%s) return pdr_wire_refuse(out, PDR_WIRE_POINTER, %s);", value,
             map ? "entries" : "items", place);
    if (!map && gen_least(g, type->items) == 0)
        gen_line(g,
                 "if (%s.count > PDR_WIRE_MAX_EMPTY_ITEMS) return pdr_wire_refuse(out, PDR_WIRE_BLOCK, %s);",
                 value, place);
    gen_line(g, "p = pdr_wire_put_long(p, (int64_t)%s.count);", value);
    gen_open(g, "for (size_t i%u = 0; i%u < %s.count; i%u++) {", i, i, value, i);
    if (map)
        gen_line(g, "PDR_WIRE_WRITE(pdr_wire_put_string(p, %s.entries[i%u].key), PDR_WIRE_STRING, %s);",
                 value, i, place);
    const char *item_value = gen_text(g, map ? "%s.entries[i%u].value" : "%s.items[i%u]", value, i);
    if (gen_is_direct(type))
        put_record(g, type->items, item_value, place, false);
    else
        put(g, type->items, item_value, place);
    gen_close(g, "}");
    gen_close(g, "}");
    gen_line(g, "*p++ = 0;");
}

static void put_optional(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    size_t null_index = gen_null_index(type);
    gen_open(g, "if (%s.present) {", value);
    put_index(g, 1 - null_index);
    put(g, gen_optional(type), gen_text(g, "%s.value", value), place);
    gen_close(g, "} else {");
    g->indent++;
    put_index(g, null_index);
    gen_close(g, "}");
}

static void put_union(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    gen_line(g, "switch ((unsigned)%s.tag) {", value);
    for (size_t i = 0; i < type->count; i++) {
        gen_open(g, "case %zu: {", i);
        put_index(g, i);
        put(g, type->branches[i], gen_text(g, "%s.as.%s", value, gen_branch(g, type->branches[i])), place);
        gen_line(g, "break;");
        gen_close(g, "}");
    }
    gen_line(g, "default: return pdr_wire_refuse(out, PDR_WIRE_UNION, %s);", place);
    gen_line(g, "}");
}

static void put_enum(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    gen_line(g, "if ((unsigned)%s >= %zu) return pdr_wire_refuse(out, PDR_WIRE_ENUM, %s);", value,
             type->count, place);
    if (type->count <= 64)
        gen_line(g, "*p++ = (uint8_t)((unsigned)%s << 1);", value);
    else
        gen_line(g, "p = pdr_wire_put_int(p, (int32_t)%s);", value);
}

static void put(gen *g, const pdr_schema *type, const char *value, const char *place)
{
    switch (type->kind) {
    case PDR_KIND_NULL: break;
    case PDR_KIND_BYTES:
        gen_line(g, "PDR_WIRE_WRITE(pdr_wire_put_bytes(p, %s), PDR_WIRE_BYTES, %s);", value, place);
        break;
    case PDR_KIND_STRING:
        gen_line(g, "PDR_WIRE_WRITE(pdr_wire_put_string(p, %s), PDR_WIRE_STRING, %s);", value, place);
        break;
    case PDR_KIND_FIXED:
        if (type->count) gen_line(g, "p = pdr_wire_put_raw(p, %s.data, %zu);", value, type->count);
        break;
    case PDR_KIND_ENUM: put_enum(g, type, value, place); break;
    case PDR_KIND_RECORD: put_record(g, type, value, place, gen_is_pointer(g, type)); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: put_list(g, type, value, place); break;
    case PDR_KIND_UNION:
        if (gen_is_optional(type))
            put_optional(g, type, value, place);
        else
            put_union(g, type, value, place);
        break;
    default: gen_line(g, "p = pdr_wire_put_%s(p, %s);", type->name, value); break;
    }
}

void gen_put_record(gen *g, const gen_type *type)
{
    g->record = type;
    gen_line(g, "static uint8_t *put_%s(pdr_wire_out *out, uint8_t *p, const void *value)", type->c_name);
    gen_open(g, "{");
    gen_line(g, "const %s *v = (const %s *)value;", type->c_name, type->c_name);
    gen_line(g, "(void)out;");
    gen_line(g, "(void)v;");
    if (type->recursive)
        gen_line(
            g, "if (++out->depth > PDR_WIRE_MAX_DEPTH) return pdr_wire_refuse(out, PDR_WIRE_DEPTH, \"%s\");",
            type->schema->name);
    for (size_t i = 0; i < type->schema->count; i++)
        put(g, type->schema->fields[i].type, gen_text(g, "v->%s", type->members[i]),
            gen_text(g, "\"%s.%s\"", type->schema->name, type->schema->fields[i].name));
    if (type->recursive) gen_line(g, "out->depth--;");
    gen_line(g, "return p;");
    gen_close(g, "}");
    gen_line(g, "%s", "");
}
