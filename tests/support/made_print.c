#include "perdure/sys/wire.h"
#include "tests/support/made_text.h"
#include "tests/support/made_type.h"

#define LOAD(c_type, name)                                                                                   \
    c_type name;                                                                                             \
    memcpy(&name, value, sizeof name)

static pdr_code print(const pdr_layout *layout, const void *value, pdr_buf *out);

static pdr_code put(pdr_buf *out, const char *text)
{
    return pdr_buf_append(out, text, strlen(text));
}

static pdr_code print_string(pdr_buf *out, const char *mark, const void *value)
{
    LOAD(pdr_string, text);
    if (!text.data && text.size) return PDR_INVALID_ARGUMENT;
    if (!pdr_wire_utf8((const uint8_t *)text.data, text.size)) return PDR_INVALID_ARGUMENT;
    return made_text(out, mark, text.data, text.size);
}

static pdr_code print_leaf(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    switch (layout->kind) {
    case PDR_KIND_NULL: return put(out, "null");
    case PDR_KIND_BOOLEAN: {
        LOAD(uint8_t, truth);
        return truth > 1 ? PDR_INVALID_ARGUMENT : put(out, truth ? "true" : "false");
    }
    case PDR_KIND_INT: {
        LOAD(int32_t, number);
        return pdr_buf_printf(out, "%d", (int)number);
    }
    case PDR_KIND_LONG: {
        LOAD(int64_t, number);
        return pdr_buf_printf(out, "%lldL", (long long)number);
    }
    case PDR_KIND_FLOAT: {
        LOAD(float, number);
        return made_text_float(out, number);
    }
    case PDR_KIND_DOUBLE: {
        LOAD(double, number);
        return made_text_double(out, number);
    }
    case PDR_KIND_BYTES: {
        LOAD(pdr_bytes, bytes);
        if (!bytes.data && bytes.size) return PDR_INVALID_ARGUMENT;
        return made_text(out, "b:", bytes.data, bytes.size);
    }
    case PDR_KIND_STRING: return print_string(out, "s:", value);
    case PDR_KIND_FIXED: return made_text(out, "x:", value, layout->count);
    case PDR_KIND_ENUM: {
        LOAD(unsigned, index);
        if (index >= layout->count) return PDR_INVALID_ARGUMENT;
        return pdr_buf_printf(out, "e:%s", layout->symbols[index]);
    }
    default: return PDR_INVALID_ARGUMENT;
    }
}

static pdr_code print_member(const pdr_layout_member *member, const void *base, pdr_buf *out)
{
    const void *value = (const uint8_t *)base + member->offset;
    if (member->pointer) memcpy(&value, value, sizeof value);
    return value ? print(member->type, value, out) : PDR_INVALID_ARGUMENT;
}

static pdr_code print_record(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    pdr_code code = put(out, "(");
    for (size_t i = 0; code == PDR_OK && i < layout->count; i++) {
        code = pdr_buf_printf(out, "%s%s=", i ? "," : "", layout->members[i].name);
        if (code == PDR_OK) code = print_member(&layout->members[i], value, out);
    }
    return code == PDR_OK ? put(out, ")") : code;
}

static pdr_code print_list(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    bool map = layout->kind == PDR_KIND_MAP;
    LOAD(pdr_layout_list, list);
    if (!list.items && list.count) return PDR_INVALID_ARGUMENT;
    pdr_code code = put(out, map ? "{" : "[");
    for (size_t i = 0; code == PDR_OK && i < list.count; i++) {
        const uint8_t *item = (const uint8_t *)list.items + i * layout->stride;
        if (i) code = put(out, ",");
        if (code == PDR_OK && map) code = print_string(out, "", item);
        if (code == PDR_OK && map) code = put(out, "=");
        if (code == PDR_OK) code = print_member(&layout->members[0], item, out);
    }
    return code == PDR_OK ? put(out, map ? "}" : "]") : code;
}

static pdr_code print_union(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    unsigned tag = 0;
    if (layout->optional) {
        LOAD(uint8_t, present);
        if (present > 1) return PDR_INVALID_ARGUMENT;
        bool first_is_null = layout->members[0].type->kind == PDR_KIND_NULL;
        tag = first_is_null == (present == 1) ? 1 : 0;
    } else {
        memcpy(&tag, value, sizeof tag);
    }
    if (tag >= layout->count) return PDR_INVALID_ARGUMENT;
    const pdr_layout_member *branch = &layout->members[tag];
    pdr_code code = pdr_buf_printf(out, "<%u:", tag);
    if (code != PDR_OK) return code;
    code = branch->type->kind == PDR_KIND_NULL ? put(out, "null") : print_member(branch, value, out);
    return code == PDR_OK ? put(out, ">") : code;
}

static pdr_code print(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    switch (layout->kind) {
    case PDR_KIND_RECORD: return print_record(layout, value, out);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return print_list(layout, value, out);
    case PDR_KIND_UNION: return print_union(layout, value, out);
    default: return print_leaf(layout, value, out);
    }
}

pdr_code made_print(const pdr_layout *layout, const void *value, pdr_buf *out)
{
    return print(layout, value, out);
}
