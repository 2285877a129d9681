/* Fields of events: from a dotted path to offsets in the generated struct, and from what is there to a cell.
 */
#include "perdure/sys/layout.h"
#include "projections/expr.h"

/* --- Finding --- */

static const pdr_layout_member *member_of(const pdr_layout *record, pdr_string name)
{
    for (size_t i = 0; i < record->count; i++)
        if (strlen(record->members[i].name) == name.size &&
            memcmp(record->members[i].name, name.data, name.size) == 0)
            return &record->members[i];
    return NULL;
}

/* The branch of an optional union that isn't null. */
static const pdr_layout_member *present_branch(const pdr_layout *layout)
{
    for (size_t i = 0; i < layout->count; i++)
        if (layout->members[i].type->kind != PDR_KIND_NULL) return &layout->members[i];
    return NULL;
}

static bool set_type(pdr_expr_type *type, const pdr_layout *layout)
{
    *type = (pdr_expr_type){.type = PDR_COLUMN_BIGINT};
    switch (layout->logical) {
    case PDR_LOGICAL_DECIMAL:
        *type = (pdr_expr_type){.type = PDR_COLUMN_NUMERIC, .scale = layout->scale};
        return layout->scale <= 18;
    case PDR_LOGICAL_DATE: type->type = PDR_COLUMN_DATE; return true;
    case PDR_LOGICAL_TIMESTAMP_MILLIS:
    case PDR_LOGICAL_TIMESTAMP_MICROS: type->type = PDR_COLUMN_TIMESTAMPTZ; return true;
    case PDR_LOGICAL_NONE:
    case PDR_LOGICAL_UUID: break;
    default: return false;
    }
    switch (layout->kind) {
    case PDR_KIND_BOOLEAN: type->type = PDR_COLUMN_BOOLEAN; return true;
    case PDR_KIND_INT:
    case PDR_KIND_LONG: return true;
    case PDR_KIND_FLOAT:
    case PDR_KIND_DOUBLE: type->type = PDR_COLUMN_DOUBLE; return true;
    case PDR_KIND_STRING:
    case PDR_KIND_ENUM: type->type = PDR_COLUMN_TEXT; return true;
    case PDR_KIND_BYTES:
    case PDR_KIND_FIXED: type->type = PDR_COLUMN_BYTEA; return true;
    default: return false;
    }
}

static size_t parts_of(pdr_string dotted)
{
    size_t parts = 1;
    for (size_t i = 0; i < dotted.size; i++)
        parts += dotted.data[i] == '.';
    return parts;
}

static bool step_into(pdr_field_step *step, const pdr_layout **layout, pdr_string name, const pdr_ast *ast,
                      const pdr_expr_scope *scope)
{
    const pdr_layout_member *member = (*layout)->kind == PDR_KIND_RECORD ? member_of(*layout, name) : NULL;
    if (!member)
        return pdr_lexer_fail(scope->lexer, &ast->token, "%s has no field '%.*s'",
                              (*layout)->kind == PDR_KIND_RECORD ? (*layout)->name : "what is there",
                              (int)(name.data + name.size - ast->text.data), ast->text.data);
    *step = (pdr_field_step){.offset = member->offset, .pointer = member->pointer};
    *layout = member->type;
    if ((*layout)->kind != PDR_KIND_UNION) return true;
    const pdr_layout_member *branch = (*layout)->optional ? present_branch(*layout) : NULL;
    if (!branch)
        return pdr_lexer_fail(
            scope->lexer, &ast->token,
            "field '%.*s' of %s is a union of several types: only [null, T] can be used here",
            (int)ast->text.size, ast->text.data, scope->event->name);
    step->optional = true;
    step->value_offset = branch->offset;
    step->value_pointer = branch->pointer;
    *layout = branch->type;
    return true;
}

bool pdr_field_find(pdr_field_path *out, pdr_expr_type *type, const pdr_ast *ast, const pdr_expr_scope *scope)
{
    size_t count = parts_of(ast->text);
    pdr_field_step *steps = pdr_arena_calloc(scope->arena, count, sizeof *steps);
    const pdr_layout *layout = scope->event->layout;
    const char *from = ast->text.data, *end = from + ast->text.size;
    if (!steps) return pdr_lexer_no_memory(scope->lexer, &ast->token);
    for (size_t i = 0; i < count; i++) {
        const char *dot = memchr(from, '.', (size_t)(end - from));
        pdr_string name = {from, (size_t)((dot ? dot : end) - from)};
        if (!step_into(&steps[i], &layout, name, ast, scope)) return false;
        from = dot ? dot + 1 : end;
    }
    if (!set_type(type, layout))
        return pdr_lexer_fail(scope->lexer, &ast->token,
                              "field '%.*s' of %s has a type that no column can take", (int)ast->text.size,
                              ast->text.data, scope->event->name);
    *out = (pdr_field_path){steps, count, layout};
    return true;
}

/* --- Reading --- */

static const uint8_t *follow(const uint8_t *at, bool pointer)
{
    const uint8_t *there;
    if (!pointer) return at;
    memcpy(&there, at, sizeof there);
    return there;
}

static const uint8_t *find_value(const pdr_field_path *path, const void *event)
{
    const uint8_t *at = event;
    for (size_t i = 0; at && i < path->count; i++) {
        const pdr_field_step *step = &path->steps[i];
        at = follow(at + step->offset, step->pointer);
        if (!at || !step->optional) continue;
        bool present;
        memcpy(&present, at, sizeof present);
        at = present ? follow(at + step->value_offset, step->value_pointer) : NULL;
    }
    return at;
}

/* Two's complement, big-endian; more than eight bytes only if the front ones say nothing. */
static pdr_code read_decimal(pdr_bytes bytes, pdr_cell *out, pdr_error *err)
{
    size_t from = 0;
    uint8_t sign = bytes.size && bytes.data[0] & 0x80 ? 0xff : 0;
    while (bytes.size - from > 8 && bytes.data[from] == sign)
        from++;
    uint64_t bits = sign ? UINT64_MAX : 0;
    for (size_t i = from; i < bytes.size; i++)
        bits = bits << 8 | bytes.data[i];
    int64_t value = (int64_t)bits;
    bool fits = bytes.size - from <= 8 && (value < 0) == (sign != 0) &&
                value > -INT64_C(1000000000000000000) && value < INT64_C(1000000000000000000);
    if (!fits) return pdr_fail(err, PDR_BAD_DATA, "a decimal has more than 18 digits");
    out->as.integer = value;
    return PDR_OK;
}

static int64_t read_integer(const pdr_layout *layout, const uint8_t *at)
{
    int32_t small;
    int64_t value;
    if (layout->kind == PDR_KIND_INT) {
        memcpy(&small, at, sizeof small);
        return small;
    }
    memcpy(&value, at, sizeof value);
    return value;
}

static double read_real(const pdr_layout *layout, const uint8_t *at)
{
    float small;
    double value;
    if (layout->kind == PDR_KIND_FLOAT) {
        memcpy(&small, at, sizeof small);
        return (double)small;
    }
    memcpy(&value, at, sizeof value);
    return value;
}

static pdr_code read_enum(const pdr_layout *layout, const uint8_t *at, pdr_cell *out, pdr_error *err)
{
    unsigned index;
    memcpy(&index, at, sizeof index);
    if (index >= layout->count)
        return pdr_fail(err, PDR_BAD_DATA, "%s has no symbol %u", layout->name, index);
    const char *symbol = layout->symbols[index];
    out->as.bytes = pdr_bytes_of(symbol, strlen(symbol));
    return PDR_OK;
}

static pdr_code read_bytes(const pdr_layout *layout, const uint8_t *at, pdr_cell *out, pdr_error *err)
{
    pdr_bytes bytes = {at, layout->count};
    if (layout->kind == PDR_KIND_BYTES) memcpy(&bytes, at, sizeof bytes);
    if (layout->logical == PDR_LOGICAL_DECIMAL) return read_decimal(bytes, out, err);
    out->as.bytes = bytes;
    return PDR_OK;
}

pdr_code pdr_field_read(const pdr_field_path *path, const void *event, pdr_cell *out, pdr_error *err)
{
    const pdr_layout *layout = path->layout;
    const uint8_t *at = find_value(path, event);
    pdr_string text;
    *out = (pdr_cell){.null = !at};
    if (!at) return PDR_OK;
    switch (layout->kind) {
    case PDR_KIND_BOOLEAN: memcpy(&out->as.boolean, at, sizeof out->as.boolean); return PDR_OK;
    case PDR_KIND_FLOAT:
    case PDR_KIND_DOUBLE: out->as.real = read_real(layout, at); return PDR_OK;
    case PDR_KIND_STRING:
        memcpy(&text, at, sizeof text);
        out->as.bytes = pdr_bytes_of(text.data, text.size);
        return PDR_OK;
    case PDR_KIND_ENUM: return read_enum(layout, at, out, err);
    case PDR_KIND_BYTES:
    case PDR_KIND_FIXED: return read_bytes(layout, at, out, err);
    default: break;
    }
    out->as.integer = read_integer(layout, at);
    if (layout->logical != PDR_LOGICAL_TIMESTAMP_MILLIS) return PDR_OK;
    if (__builtin_mul_overflow(out->as.integer, INT64_C(1000), &out->as.integer))
        return pdr_fail(err, PDR_BAD_DATA, "a timestamp is out of range");
    return PDR_OK;
}
