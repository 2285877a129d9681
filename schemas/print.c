#include "perdure/sys/layout.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "perdure/sys/wire.h"
#include "schemas/print.h"

#define PLAIN(kind_, c_type)                                                                                 \
    {                                                                                                        \
        .kind = kind_, .size = sizeof(c_type)                                                                \
    }
const pdr_layout pdr_layout_null = PLAIN(PDR_KIND_NULL, pdr_null);
const pdr_layout pdr_layout_boolean = PLAIN(PDR_KIND_BOOLEAN, bool);
const pdr_layout pdr_layout_int = PLAIN(PDR_KIND_INT, int32_t);
const pdr_layout pdr_layout_long = PLAIN(PDR_KIND_LONG, int64_t);
const pdr_layout pdr_layout_float = PLAIN(PDR_KIND_FLOAT, float);
const pdr_layout pdr_layout_double = PLAIN(PDR_KIND_DOUBLE, double);
const pdr_layout pdr_layout_bytes = PLAIN(PDR_KIND_BYTES, pdr_bytes);
const pdr_layout pdr_layout_string = PLAIN(PDR_KIND_STRING, pdr_string);

static pdr_code add(pdr_buf *out, const char *text)
{
    return pdr_buf_append(out, text, strlen(text));
}

/* ---- text ---- */

static pdr_code print_escaped(pdr_buf *out, unsigned char c)
{
    switch (c) {
    case '"': return add(out, "\\\"");
    case '\\': return add(out, "\\\\");
    case '\n': return add(out, "\\n");
    case '\r': return add(out, "\\r");
    case '\t': return add(out, "\\t");
    default: return pdr_buf_printf(out, "\\u%04x", c);
    }
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
}

pdr_code pdr_print_text(pdr_buf *out, pdr_string text)
{
    if (!text.data && text.size) return PDR_INVALID_ARGUMENT;
    if (!pdr_wire_utf8((const uint8_t *)text.data, text.size)) return PDR_INVALID_ARGUMENT;
    pdr_code code = add(out, "\"");
    for (size_t i = 0, plain; code == PDR_OK && i < text.size; i += plain ? plain : 1) {
        for (plain = 0; i + plain < text.size && is_plain((unsigned char)text.data[i + plain]);)
            plain++;
        code = plain ? pdr_buf_append(out, text.data + i, plain)
                     : print_escaped(out, (unsigned char)text.data[i]);
    }
    return code == PDR_OK ? add(out, "\"") : code;
}

static pdr_code print_bytes(pdr_buf *out, const uint8_t *data, size_t size)
{
    if (!data && size) return PDR_INVALID_ARGUMENT;
    pdr_code code = add(out, "\"");
    for (size_t i = 0; code == PDR_OK && i < size; i++) {
        char c = (char)data[i];
        code = data[i] < 0x7F && is_plain(data[i]) ? pdr_buf_append(out, &c, 1) : print_escaped(out, data[i]);
    }
    return code == PDR_OK ? add(out, "\"") : code;
}

/* ---- numbers ---- */

/* A program's locale may write the decimal point as something else, of one byte or several. */
static void restore_point(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        bool usual = strchr("0123456789+-e", *from) != NULL;
        if (!usual && to > text && to[-1] == '.') continue;
        *to++ = usual ? *from : '.';
    }
    *to = '\0';
}

/* The shortest digits that read back as the same number. */
static pdr_code print_real(pdr_buf *out, double value, bool single)
{
    char text[40];
    if (isnan(value)) return add(out, "\"NaN\"");
    if (isinf(value)) return add(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    int most = single ? 9 : 17;
    for (int digits = single ? 6 : 15; digits <= most; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        if (single ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value) break;
    }
    restore_point(text);
    return add(out, text);
}

/* ---- decimals ---- */

enum { MAX_DECIMAL = 64 }; /* bytes */

static bool is_zero(const uint8_t *number, size_t size)
{
    while (size && !number[size - 1])
        size--;
    return size == 0;
}

/* Big-endian, by 10; the remainder. */
static unsigned divide_by_ten(uint8_t *number, size_t size)
{
    unsigned rest = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned part = rest * 256 + number[i];
        number[i] = (uint8_t)(part / 10);
        rest = part % 10;
    }
    return rest;
}

static void negate(uint8_t *number, size_t size)
{
    unsigned carry = 1;
    for (size_t i = size; i-- > 0;) {
        carry += (uint8_t)~number[i];
        number[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* An unscaled number in two's complement, big-endian, as a number with its places. */
static pdr_code print_decimal(pdr_buf *out, const uint8_t *data, size_t size, size_t scale)
{
    uint8_t number[MAX_DECIMAL];
    char text[3 * MAX_DECIMAL + MAX_DECIMAL * 3];
    size_t at = sizeof text, digits = 0;
    memcpy(number, data, size);
    bool below = number[0] & 0x80;
    if (below) negate(number, size);
    for (; digits <= scale || !is_zero(number, size); digits++) {
        if (digits == scale && scale) text[--at] = '.';
        text[--at] = (char)('0' + divide_by_ten(number, size));
    }
    if (below) text[--at] = '-';
    return pdr_buf_append(out, text + at, sizeof text - at);
}

static pdr_code put_bytes(const pdr_layout *layout, const uint8_t *data, size_t size, pdr_buf *out,
                          bool shown)
{
    bool decimal = shown && layout->logical == PDR_LOGICAL_DECIMAL && data && size && size <= MAX_DECIMAL &&
                   layout->scale <= 3 * MAX_DECIMAL;
    return decimal ? print_decimal(out, data, size, (size_t)layout->scale) : print_bytes(out, data, size);
}

#define LOAD(c_type, name)                                                                                   \
    c_type name;                                                                                             \
    memcpy(&name, value, sizeof name)

static pdr_code print_scalar(const pdr_layout *layout, const void *value, pdr_buf *out, bool shown)
{
    switch (layout->kind) {
    case PDR_KIND_NULL: return add(out, "null");
    case PDR_KIND_BOOLEAN: {
        LOAD(unsigned char, truth);
        return add(out, truth ? "true" : "false");
    }
    case PDR_KIND_INT: {
        LOAD(int32_t, number);
        return pdr_buf_printf(out, "%" PRId32, number);
    }
    case PDR_KIND_LONG: {
        LOAD(int64_t, number);
        return pdr_buf_printf(out, "%" PRId64, number);
    }
    case PDR_KIND_FLOAT: {
        LOAD(float, number);
        return print_real(out, (double)number, true);
    }
    case PDR_KIND_DOUBLE: {
        LOAD(double, number);
        return print_real(out, number, false);
    }
    case PDR_KIND_BYTES: {
        LOAD(pdr_bytes, bytes);
        return put_bytes(layout, bytes.data, bytes.size, out, shown);
    }
    case PDR_KIND_STRING: {
        LOAD(pdr_string, text);
        return pdr_print_text(out, text);
    }
    case PDR_KIND_FIXED: return put_bytes(layout, value, layout->count, out, shown);
    case PDR_KIND_ENUM: {
        LOAD(unsigned, index);
        if (index >= layout->count) return PDR_INVALID_ARGUMENT;
        return pdr_print_text(out, pdr_string_of(layout->symbols[index]));
    }
    default: return PDR_INVALID_ARGUMENT;
    }
}

/* ---- what holds other values ---- */

typedef struct way {
    unsigned depth;
    bool shown; /* as pdr_layout_show has it */
} way;

static pdr_code print_value(const pdr_layout *layout, const void *value, pdr_buf *out, way at);

static pdr_code print_member(const pdr_layout_member *member, const void *base, pdr_buf *out, way at)
{
    const void *value = (const uint8_t *)base + member->offset;
    if (member->pointer) memcpy(&value, value, sizeof value);
    return value ? print_value(member->type, value, out, at) : PDR_INVALID_ARGUMENT;
}

static pdr_code print_record(const pdr_layout *layout, const void *value, pdr_buf *out, way at)
{
    pdr_code code = add(out, "{");
    for (size_t i = 0; code == PDR_OK && i < layout->count; i++) {
        code = pdr_buf_printf(out, "%s\"%s\":", i ? "," : "", layout->members[i].name);
        if (code == PDR_OK) code = print_member(&layout->members[i], value, out, at);
    }
    return code == PDR_OK ? add(out, "}") : code;
}

static pdr_code print_array(const pdr_layout *layout, const void *value, pdr_buf *out, way at)
{
    LOAD(pdr_layout_list, list);
    if (!list.items && list.count) return PDR_INVALID_ARGUMENT;
    pdr_code code = add(out, "[");
    for (size_t i = 0; code == PDR_OK && i < list.count; i++) {
        if (i) code = add(out, ",");
        const uint8_t *item = (const uint8_t *)list.items + i * layout->stride;
        if (code == PDR_OK) code = print_member(&layout->members[0], item, out, at);
    }
    return code == PDR_OK ? add(out, "]") : code;
}

static pdr_code print_entry(const pdr_layout *layout, const void *entry, pdr_buf *out, way at)
{
    pdr_string key;
    memcpy(&key, entry, sizeof key);
    pdr_code code = pdr_print_text(out, key);
    if (code == PDR_OK) code = add(out, ":");
    return code == PDR_OK ? print_member(&layout->members[0], entry, out, at) : code;
}

static pdr_code print_map(const pdr_layout *layout, const void *value, pdr_buf *out, way at)
{
    LOAD(pdr_layout_list, list);
    if (!list.items && list.count) return PDR_INVALID_ARGUMENT;
    pdr_code code = add(out, "{");
    for (size_t i = 0; code == PDR_OK && i < list.count; i++) {
        if (i) code = add(out, ",");
        if (code == PDR_OK)
            code = print_entry(layout, (const uint8_t *)list.items + i * layout->stride, out, at);
    }
    return code == PDR_OK ? add(out, "}") : code;
}

static const pdr_layout_member *optional_member(const pdr_layout *layout, const void *value)
{
    LOAD(unsigned char, present);
    const pdr_layout_member *first = &layout->members[0];
    bool first_is_null = first->type->kind == PDR_KIND_NULL;
    return first_is_null == (present != 0) ? first + 1 : first;
}

static pdr_code print_union(const pdr_layout *layout, const void *value, pdr_buf *out, way at)
{
    const pdr_layout_member *branch;
    if (layout->optional) {
        branch = optional_member(layout, value);
    } else {
        LOAD(unsigned, tag);
        if (tag >= layout->count) return PDR_INVALID_ARGUMENT;
        branch = &layout->members[tag];
    }
    if (branch->type->kind == PDR_KIND_NULL) return add(out, "null");
    return print_member(branch, value, out, at);
}

/* Only a value that holds itself goes on for ever; schemas nest less deeply than this. */
enum { MAX_DEPTH = 8 * PDR_WIRE_MAX_DEPTH };

static pdr_code print_value(const pdr_layout *layout, const void *value, pdr_buf *out, way at)
{
    if (at.depth >= MAX_DEPTH) return PDR_INVALID_ARGUMENT;
    way deeper = {at.depth + 1, at.shown};
    switch (layout->kind) {
    case PDR_KIND_RECORD: return print_record(layout, value, out, deeper);
    case PDR_KIND_ARRAY: return print_array(layout, value, out, deeper);
    case PDR_KIND_MAP: return print_map(layout, value, out, deeper);
    case PDR_KIND_UNION: return print_union(layout, value, out, deeper);
    default: return print_scalar(layout, value, out, at.shown);
    }
}

static pdr_code print_whole(const pdr_layout *layout, const void *value, pdr_buf *out, bool shown)
{
    size_t before = out->size;
    pdr_code code = print_value(layout, value, out, (way){0, shown});
    if (code != PDR_OK) out->size = before;
    return code;
}

pdr_code pdr_layout_print(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    return print_whole(layout, value, out, false);
}

pdr_code pdr_layout_show(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    return print_whole(layout, value, out, true);
}
