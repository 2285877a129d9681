/* Generated defaults: one constant struct per record, which _init copies. */
#include "schemas/gen_inside.h"

#include <inttypes.h>

/* A C initialiser for `json` as a value of `type`; json NULL: what a member without a default begins with.
 * NULL: all bits zero. `value` is an expression of the C value, never evaluated. Writes the static data that
 * the initialiser points to. */
static const char *initialiser(gen *g, const pdr_schema *type, const pdr_json *json, const char *value);

static const char *whole(gen *g, const pdr_schema *type, const pdr_json *json)
{
    int64_t number = 0;
    if (!pdr_json_integer(json, &number) || number == 0) return NULL;
    if (type->kind == PDR_KIND_INT)
        return number == INT32_MIN ? "INT32_MIN" : gen_text(g, "INT32_C(%" PRId64 ")", number);
    return number == INT64_MIN ? "INT64_MIN" : gen_text(g, "INT64_C(%" PRId64 ")", number);
}

static const char *real(gen *g, const pdr_schema *type, const pdr_json *json)
{
    double number = 0;
    if (!pdr_json_real(json, &number)) return NULL;
    if (type->kind == PDR_KIND_FLOAT) return gen_text(g, "(float)%a", number);
    return gen_text(g, "%a", number);
}

/* Avro's text form of bytes: one code point a byte. */
static pdr_string bytes_of(gen *g, pdr_string text)
{
    pdr_string out = {NULL, 0};
    char *to = pdr_arena_alloc(&g->arena, text.size + 1);
    if (!to) {
        gen_no_memory(g);
        return out;
    }
    out.data = to;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0xC0 && i + 1 < text.size)
            c = (unsigned char)(((c & 0x03u) << 6) | ((unsigned char)text.data[++i] & 0x3Fu));
        to[out.size++] = (char)c;
    }
    return out;
}

static const char *fixed(gen *g, const pdr_json *json)
{
    pdr_string bytes = bytes_of(g, json->text);
    const char *list = "";
    for (size_t i = 0; i < bytes.size; i++)
        list = gen_text(g, "%s%s%u", list, i ? ", " : "", (unsigned)(unsigned char)bytes.data[i]);
    return bytes.size ? gen_text(g, "{{%s}}", list) : NULL;
}

static const char *text(gen *g, const pdr_schema *type, const pdr_json *json)
{
    bool is_bytes = type->kind == PDR_KIND_BYTES;
    pdr_string data = is_bytes ? bytes_of(g, json->text) : json->text;
    return gen_text(g, "{%s%s, %zu}", is_bytes ? "(const uint8_t *)" : "", gen_quote(g, data), data.size);
}

static const char *symbol(const gen *g, const pdr_schema *type, const pdr_json *json)
{
    const gen_type *named = gen_type_of(g, type);
    for (size_t i = 0; i < type->count; i++)
        if (pdr_json_is(json, type->symbols[i])) return i ? named->members[i] : NULL;
    return NULL;
}

/* As `one`, or written out where all bits are zero. */
static const char *or_zero(const gen *g, const pdr_schema *type, const char *one)
{
    bool scalar = type->kind < PDR_KIND_BYTES && type->kind != PDR_KIND_NULL;
    if (one) return one;
    if (type->kind == PDR_KIND_ENUM) return gen_type_of(g, type)->members[0];
    return scalar ? "0" : "{0}";
}

static const char *record(gen *g, const pdr_schema *type, const pdr_json *json, bool pointer);

static const char *list(gen *g, const pdr_schema *type, const pdr_json *json, const char *value)
{
    bool map = type->kind == PDR_KIND_MAP;
    if (json->count == 0) return NULL;
    const char *item_value = gen_text(g, "%s.%s[0]", value, map ? "entries" : "items"), *all = "";
    const char *inner = map ? gen_text(g, "%s.value", item_value) : item_value;
    for (const pdr_json *item = json->first; item; item = item->next) {
        const char *one = gen_is_direct(type) ? record(g, type->items, item, false)
                                              : initialiser(g, type->items, item, inner);
        one = or_zero(g, type->items, one);
        if (map) one = gen_text(g, "{{%s, %zu}, %s}", gen_quote(g, item->key), item->key.size, one);
        all = gen_text(g, "%s%s%s", all, *all ? ", " : "", one);
    }
    unsigned n = g->unique++;
    gen_line(g, "static const __typeof__(%s) default_%u[] = {%s};", item_value, n, all);
    return gen_text(g, "{%zu, (void *)default_%u}", json->count, n);
}

static const char *fields(gen *g, const pdr_schema *type, const pdr_json *json)
{
    const gen_type *named = gen_type_of(g, type);
    const char *all = "";
    for (size_t i = 0; i < type->count; i++) {
        const pdr_schema_field *field = &type->fields[i];
        const pdr_json *own = json ? pdr_json_get(json, field->name) : NULL;
        const char *inner = gen_text(g, "((%s *)0)->%s", named->c_name, named->members[i]);
        const char *one = initialiser(g, field->type, own ? own : field->default_value, inner);
        if (one) all = gen_text(g, "%s%s.%s = %s", all, *all ? ", " : "", named->members[i], one);
    }
    return *all ? gen_text(g, "{%s}", all) : NULL;
}

static const char *record(gen *g, const pdr_schema *type, const pdr_json *json, bool pointer)
{
    if (pointer && !json) return NULL; /* NULL: a recursive record begins nowhere */
    const gen_type *outer = g->record;
    g->record = gen_type_of(g, type);
    const char *name = g->record->c_name;
    const char *one = fields(g, type, json);
    g->record = outer;
    if (!pointer) return one;
    unsigned n = g->unique++;
    gen_line(g, "static const %s default_%u = %s;", name, n, one ? one : "{0}");
    return gen_text(g, "(void *)&default_%u", n);
}

static const char *branch(gen *g, const pdr_schema *type, const pdr_json *json, const char *value)
{
    const pdr_schema *first = type->branches[0];
    if (first->kind == PDR_KIND_NULL) return NULL;
    const char *path = gen_is_optional(type) ? "value" : gen_text(g, "as.%s", gen_branch(g, first));
    const char *one = initialiser(g, first, json, gen_text(g, "%s.%s", value, path));
    if (gen_is_optional(type)) {
        if (!json) return NULL;
        return one ? gen_text(g, "{.present = true, .value = %s}", one) : "{.present = true}";
    }
    return one ? gen_text(g, "{.%s = %s}", path, one) : NULL;
}

static const char *initialiser(gen *g, const pdr_schema *type, const pdr_json *json, const char *value)
{
    if (type->kind == PDR_KIND_RECORD) return record(g, type, json, gen_is_pointer(g, type));
    if (type->kind == PDR_KIND_UNION) return branch(g, type, json, value);
    if (!json) return NULL;
    switch (type->kind) {
    case PDR_KIND_BOOLEAN: return json->truth ? "true" : NULL;
    case PDR_KIND_INT:
    case PDR_KIND_LONG: return whole(g, type, json);
    case PDR_KIND_FLOAT:
    case PDR_KIND_DOUBLE: return real(g, type, json);
    case PDR_KIND_BYTES:
    case PDR_KIND_STRING: return text(g, type, json);
    case PDR_KIND_ENUM: return symbol(g, type, json);
    case PDR_KIND_FIXED: return fixed(g, json);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return list(g, type, json, value);
    default: return NULL;
    }
}

void gen_default_record(gen *g, const gen_type *type)
{
    g->record = type;
    const char *one = fields(g, type->schema, NULL);
    if (one) gen_line(g, "static const %s default_of_%s = %s;", type->c_name, type->c_name, one);
    gen_line(g, "void %s_init(%s *value)", type->c_name, type->c_name);
    gen_open(g, "{");
    if (one)
        gen_line(g, "*value = default_of_%s;", type->c_name);
    else
        gen_line(g, "memset(value, 0, sizeof *value);");
    gen_close(g, "}");
    gen_line(g, "%s", "");
}
