/* Schemas as text: Parsing Canonical Form, and the whole schema. */
#include "base/mem.h"
#include "schemas/fingerprint.h"
#include "schemas/print.h"
#include "schemas/schema.h"

typedef struct writer {
    pdr_buf *out;
    bool canonical;
    bool *written; /* by number: named types whose definition stands in `out` already */
    unsigned depth;
    const char *key, *value; /* an attribute of the root's in place of what is written there; NULL: none */
    pdr_code code;           /* the first failure; nothing is written after it */
} writer;

static void put(writer *w, const char *text)
{
    if (w->code == PDR_OK) w->code = pdr_buf_append(w->out, text, strlen(text));
}

static void put_text(writer *w, const char *text)
{
    if (w->code == PDR_OK) w->code = pdr_print_text(w->out, pdr_string_of(text));
}

static void put_member(writer *w, const char *key, const char *text)
{
    put(w, ",");
    put_text(w, key);
    put(w, ":");
    put_text(w, text);
}

static void put_schema(writer *w, const pdr_schema *schema);

/* ---- attributes that the canonical form leaves out ---- */

static bool is_one_of(pdr_string key, const char *const *names)
{
    for (; *names; names++)
        if (pdr_string_equal(key, pdr_string_of(*names))) return true;
    return false;
}

/* Everything else as it was written: doc, aliases, order, defaults, logical types, foreign attributes. */
static void put_others(writer *w, const pdr_json *json, const char *const *own)
{
    if (w->canonical || json->kind != PDR_JSON_OBJECT) return;
    for (const pdr_json *member = json->first; member; member = member->next) {
        if (is_one_of(member->key, own)) continue;
        put(w, ",");
        if (w->code == PDR_OK) w->code = pdr_print_text(w->out, member->key);
        put(w, ":");
        if (w->code == PDR_OK) w->code = pdr_json_write(member, w->out);
    }
}

/* ---- types ---- */

static void put_fields(writer *w, const pdr_schema *schema)
{
    static const char *const own[] = {"name", "type", NULL};
    put(w, ",\"fields\":[");
    for (size_t i = 0; i < schema->count; i++) {
        const pdr_schema_field *field = &schema->fields[i];
        put(w, i ? ",{\"name\":" : "{\"name\":");
        put_text(w, field->name);
        put(w, ",\"type\":");
        put_schema(w, field->type);
        put_others(w, field->json, own);
        put(w, "}");
    }
    put(w, "]");
}

static void put_symbols(writer *w, const pdr_schema *schema)
{
    put(w, ",\"symbols\":[");
    for (size_t i = 0; i < schema->count; i++) {
        if (i) put(w, ",");
        put_text(w, schema->symbols[i]);
    }
    put(w, "]");
}

static void put_size(writer *w, const pdr_schema *schema)
{
    if (w->code == PDR_OK) w->code = pdr_buf_printf(w->out, ",\"size\":%zu", schema->count);
}

/* The whole form has the namespace apart, so that a type without one can stand inside one that has one. */
static void put_names(writer *w, const pdr_schema *schema)
{
    put(w, "{\"name\":");
    put_text(w, w->canonical ? schema->name : schema->short_name);
    if (!w->canonical) put_member(w, "namespace", schema->space);
    put_member(w, "type", pdr_kind_name(schema->kind));
}

static void put_extra(writer *w)
{
    if (!w->key) return;
    put(w, ",");
    put_text(w, w->key);
    put(w, ":");
    put(w, w->value);
}

static void put_named(writer *w, const pdr_schema *schema)
{
    bool root = w->depth == 1;
    const char *const own[] = {"name", "namespace",          "type", "fields", "symbols",
                               "size", root ? w->key : NULL, NULL};
    if (w->written[schema->number]) {
        put_text(w, schema->name);
        return;
    }
    w->written[schema->number] = true;
    put_names(w, schema);
    if (schema->kind == PDR_KIND_RECORD) put_fields(w, schema);
    if (schema->kind == PDR_KIND_ENUM) put_symbols(w, schema);
    if (schema->kind == PDR_KIND_FIXED) put_size(w, schema);
    put_others(w, schema->json, own);
    if (root) put_extra(w);
    put(w, "}");
}

static void put_holder(writer *w, const pdr_schema *schema)
{
    static const char *const own[] = {"type", "items", "values", NULL};
    put(w,
        schema->kind == PDR_KIND_ARRAY ? "{\"type\":\"array\",\"items\":" : "{\"type\":\"map\",\"values\":");
    put_schema(w, schema->items);
    put_others(w, schema->json, own);
    put(w, "}");
}

static void put_union(writer *w, const pdr_schema *schema)
{
    put(w, "[");
    for (size_t i = 0; i < schema->count; i++) {
        if (i) put(w, ",");
        put_schema(w, schema->branches[i]);
    }
    put(w, "]");
}

static void put_primitive(writer *w, const pdr_schema *schema)
{
    static const char *const own[] = {"type", NULL};
    if (w->canonical || schema->json->kind != PDR_JSON_OBJECT || schema->json->count < 2) {
        put_text(w, schema->name);
        return;
    }
    put(w, "{\"type\":");
    put_text(w, schema->name);
    put_others(w, schema->json, own);
    put(w, "}");
}

/* Depth: named types of other texts are written in place, so the text at hand does not bound it. */
enum { MAX_DEPTH = 4 * PDR_SCHEMA_MAX_DEPTH };

static void put_schema(writer *w, const pdr_schema *schema)
{
    if (w->code != PDR_OK) return;
    if (++w->depth > MAX_DEPTH) {
        w->code = PDR_TOO_LARGE;
        return;
    }
    if (pdr_kind_is_named(schema->kind))
        put_named(w, schema);
    else if (schema->kind == PDR_KIND_UNION)
        put_union(w, schema);
    else if (schema->kind == PDR_KIND_ARRAY || schema->kind == PDR_KIND_MAP)
        put_holder(w, schema);
    else
        put_primitive(w, schema);
    w->depth--;
}

static pdr_code write_schema(writer *w, const pdr_schema *schema, pdr_error *err)
{
    size_t before = w->out->size;
    w->written = pdr_calloc(pdr_schema_set_named_count(schema->set) + 1, sizeof *w->written);
    if (!w->written) w->code = PDR_NOMEM;
    put_schema(w, schema);
    pdr_free(w->written);
    if (w->code == PDR_OK) return PDR_OK;
    w->out->size = before;
    return pdr_fail(err, w->code, "%s: %s while the schema is written as text", schema->name,
                    pdr_code_text(w->code));
}

pdr_code pdr_schema_canonical(const pdr_schema *schema, pdr_buf *out, pdr_error *err)
{
    writer w = {.out = out, .canonical = true};
    return write_schema(&w, schema, err);
}

pdr_code pdr_schema_write(const pdr_schema *schema, pdr_buf *out, pdr_error *err)
{
    writer w = {.out = out};
    return write_schema(&w, schema, err);
}

pdr_code pdr_schema_write_with(const pdr_schema *schema, const char *key, const char *value, pdr_buf *out,
                               pdr_error *err)
{
    writer w = {.out = out, .key = key, .value = value};
    return write_schema(&w, schema, err);
}

pdr_code pdr_schema_fingerprint(uint64_t *out, const pdr_schema *schema, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    pdr_code code = pdr_schema_canonical(schema, &text, err);
    if (code == PDR_OK) *out = pdr_fingerprint(pdr_buf_bytes(&text));
    pdr_buf_release(&text);
    return code;
}
