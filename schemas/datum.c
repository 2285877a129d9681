#include "schemas/datum.h"

#include "perdure/sys/layout.h"
#include "perdure/sys/wire.h"
#include "schemas/print.h"

/* Where the printing is. `p` NULL: the bytes aren't what they must be. */
typedef struct walk {
    const uint8_t *start, *end, *p;
    pdr_buf *out;
    unsigned depth;
    bool shown;
    const char *record, *field; /* for messages */
} walk;

static pdr_code print_value(walk *w, const pdr_schema *schema);

static pdr_code add(walk *w, const char *text)
{
    return pdr_buf_append(w->out, text, strlen(text));
}

/* Move on; what couldn't be read leaves the place where it was. */
static pdr_code moved(walk *w, const uint8_t *next)
{
    if (!next) return PDR_BAD_DATA;
    w->p = next;
    return PDR_OK;
}

static pdr_code put_bytes(walk *w, const pdr_schema *schema, pdr_bytes bytes)
{
    pdr_layout layout = {.kind = PDR_KIND_BYTES, .logical = schema->logical, .scale = schema->scale};
    return w->shown ? pdr_layout_show(&layout, &bytes, w->out) : pdr_layout_print(&layout, &bytes, w->out);
}

static pdr_code print_bytes(walk *w, const pdr_schema *schema)
{
    pdr_bytes bytes;
    pdr_code code = moved(w, pdr_wire_get_bytes(w->end, w->p, &bytes));
    return code == PDR_OK ? put_bytes(w, schema, bytes) : code;
}

static pdr_code print_fixed(walk *w, const pdr_schema *schema)
{
    size_t size = schema->count;
    pdr_bytes bytes = pdr_bytes_of(w->p, size);
    if ((size_t)(w->end - w->p) < size) return PDR_BAD_DATA;
    w->p += size;
    return put_bytes(w, schema, bytes);
}

static pdr_code print_text(walk *w)
{
    pdr_string text;
    pdr_code code = moved(w, pdr_wire_get_string(w->end, w->p, &text));
    return code == PDR_OK ? pdr_print_text(w->out, text) : code;
}

static pdr_code print_symbol(walk *w, const pdr_schema *schema)
{
    unsigned index;
    pdr_code code = moved(w, pdr_wire_get_index(w->end, w->p, (unsigned)schema->count, &index));
    return code == PDR_OK ? pdr_print_text(w->out, pdr_string_of(schema->symbols[index])) : code;
}

#define SCALAR(c_type, get, layout)                                                                          \
    {                                                                                                        \
        c_type value;                                                                                        \
        pdr_code code = moved(w, get(w->end, w->p, &value));                                                 \
        return code == PDR_OK ? pdr_layout_print(&layout, &value, w->out) : code;                            \
    }

static pdr_code print_scalar(walk *w, const pdr_schema *schema)
{
    switch (schema->kind) {
    case PDR_KIND_NULL: return add(w, "null");
    case PDR_KIND_BOOLEAN: SCALAR(bool, pdr_wire_get_boolean, pdr_layout_boolean)
    case PDR_KIND_INT: SCALAR(int32_t, pdr_wire_get_int, pdr_layout_int)
    case PDR_KIND_LONG: SCALAR(int64_t, pdr_wire_get_long, pdr_layout_long)
    case PDR_KIND_FLOAT: SCALAR(float, pdr_wire_get_float, pdr_layout_float)
    case PDR_KIND_DOUBLE: SCALAR(double, pdr_wire_get_double, pdr_layout_double)
    case PDR_KIND_BYTES: return print_bytes(w, schema);
    case PDR_KIND_STRING: return print_text(w);
    case PDR_KIND_FIXED: return print_fixed(w, schema);
    case PDR_KIND_ENUM: return print_symbol(w, schema);
    default: return PDR_BAD_DATA;
    }
}

static pdr_code print_record(walk *w, const pdr_schema *schema)
{
    pdr_code code = add(w, "{");
    for (size_t i = 0; code == PDR_OK && i < schema->count; i++) {
        w->record = schema->name;
        w->field = schema->fields[i].name;
        code = pdr_buf_printf(w->out, "%s\"%s\":", i ? "," : "", schema->fields[i].name);
        if (code == PDR_OK) code = print_value(w, schema->fields[i].type);
    }
    return code == PDR_OK ? add(w, "}") : code;
}

static pdr_code print_item(walk *w, const pdr_schema *schema, bool first)
{
    pdr_code code = first ? PDR_OK : add(w, ",");
    if (code == PDR_OK && schema->kind == PDR_KIND_MAP) {
        code = print_text(w);
        if (code == PDR_OK) code = add(w, ":");
    }
    return code == PDR_OK ? print_value(w, schema->items) : code;
}

/* A record that holds itself without end has no datum: what is said of it doesn't matter. */
static bool takes_bytes(const pdr_schema *schema, unsigned depth)
{
    if (schema->kind == PDR_KIND_NULL) return false;
    if (schema->kind == PDR_KIND_FIXED) return schema->count > 0;
    if (schema->kind != PDR_KIND_RECORD || depth > PDR_SCHEMA_MAX_DEPTH) return true;
    for (size_t i = 0; i < schema->count; i++)
        if (takes_bytes(schema->fields[i].type, depth + 1)) return true;
    return false;
}

/* The count of a block is held against the bytes that are left, or against a ceiling. */
static pdr_code print_list(walk *w, const pdr_schema *schema)
{
    bool map = schema->kind == PDR_KIND_MAP;
    pdr_wire_in in = {.start = w->start, .end = w->end};
    size_t least = map || takes_bytes(schema->items, 0) ? 1 : 0, have = 0;
    pdr_wire_block block = {.count = 1};
    pdr_code code = add(w, map ? "{" : "[");
    while (code == PDR_OK && block.count) {
        code = moved(w, pdr_wire_get_block(&in, w->p, least, have, &block));
        for (size_t i = 0; code == PDR_OK && i < block.count; i++)
            code = print_item(w, schema, have++ == 0);
    }
    return code == PDR_OK ? add(w, map ? "}" : "]") : code;
}

static pdr_code print_union(walk *w, const pdr_schema *schema)
{
    unsigned index;
    pdr_code code = moved(w, pdr_wire_get_index(w->end, w->p, (unsigned)schema->count, &index));
    return code == PDR_OK ? print_value(w, schema->branches[index]) : code;
}

static pdr_code print_value(walk *w, const pdr_schema *schema)
{
    enum { MAX_DEPTH = 8 * PDR_WIRE_MAX_DEPTH };
    pdr_code code;
    if (w->depth >= MAX_DEPTH) return PDR_BAD_DATA;
    w->depth++;
    switch (schema->kind) {
    case PDR_KIND_RECORD: code = print_record(w, schema); break;
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: code = print_list(w, schema); break;
    case PDR_KIND_UNION: code = print_union(w, schema); break;
    default: code = print_scalar(w, schema); break;
    }
    w->depth--;
    return code;
}

static pdr_code print_whole(const pdr_schema *schema, pdr_bytes datum, bool shown, pdr_buf *out,
                            pdr_error *err)
{
    size_t before = out->size;
    walk w = {.start = datum.data,
              .end = datum.data + datum.size,
              .p = datum.data,
              .out = out,
              .shown = shown,
              .record = schema->name};
    pdr_code code = print_value(&w, schema);
    if (code == PDR_OK && w.p == w.end) return PDR_OK;
    out->size = before;
    size_t at = (size_t)(w.p - w.start);
    if (code == PDR_OK)
        return pdr_fail(err, PDR_BAD_DATA, "%.200s: %zu bytes are left after byte %zu", schema->name,
                        datum.size - at, at);
    if (code != PDR_BAD_DATA) return pdr_fail(err, code, "printing %.200s", schema->name);
    return pdr_fail(err, PDR_BAD_DATA, "%.200s%s%.100s: byte %zu isn't what its schema says", w.record,
                    w.field ? "." : "", w.field ? w.field : "", at);
}

pdr_code pdr_datum_print(const pdr_schema *schema, pdr_bytes datum, pdr_buf *out, pdr_error *err)
{
    return print_whole(schema, datum, false, out, err);
}

pdr_code pdr_datum_show(const pdr_schema *schema, pdr_bytes datum, pdr_buf *out, pdr_error *err)
{
    return print_whole(schema, datum, true, out, err);
}
