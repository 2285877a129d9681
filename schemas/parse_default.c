/* A field's default must be a value of its type. */
#include "schemas/parse.h"

#include "base/mem.h"

enum { UNCHECKED, CHECKING, CHECKED };

static pdr_code check(parser *p, const pdr_schema *type, const pdr_json *json, const place *at,
                      unsigned depth);

/* How many bytes Avro's JSON form of bytes has: code points up to 255. False for a larger one. */
static bool count_bytes(pdr_string text, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c > 0xC3) return false;
        if ((c & 0xC0) != 0x80) ++*count;
    }
    return true;
}

static pdr_code wrong(parser *p, const pdr_schema *type, const pdr_json *json, const place *at)
{
    return parse_bad(p, json, at, "%s is no value of \"%s\"", pdr_json_kind_name(json), type->name);
}

static pdr_code check_bytes(parser *p, const pdr_schema *type, const pdr_json *json, const place *at)
{
    size_t count;
    if (json->kind != PDR_JSON_STRING) return wrong(p, type, json, at);
    if (!count_bytes(json->text, &count))
        return parse_bad(p, json, at, "bytes as text may only have U+0000 to U+00FF");
    if (type->kind == PDR_KIND_FIXED && count != type->count)
        return parse_bad(p, json, at, "\"%s\" has %zu bytes, this has %zu", type->name, type->count, count);
    return PDR_OK;
}

static pdr_code check_number(parser *p, const pdr_schema *type, const pdr_json *json, const place *at)
{
    int64_t whole;
    double real;
    if (json->kind != PDR_JSON_NUMBER) return wrong(p, type, json, at);
    if (type->kind == PDR_KIND_FLOAT || type->kind == PDR_KIND_DOUBLE) {
        bool fits = pdr_json_real(json, &real);
        if (fits && type->kind == PDR_KIND_FLOAT) fits = real <= 3.4028235e38 && real >= -3.4028235e38;
        return fits ? PDR_OK : parse_bad(p, json, at, "%.60s is too large", json->text.data);
    }
    if (!pdr_json_integer(json, &whole))
        return parse_bad(p, json, at, "%.60s is no whole number of 64 bits", json->text.data);
    if (type->kind == PDR_KIND_INT && (whole < INT32_MIN || whole > INT32_MAX))
        return parse_bad(p, json, at, "%.60s is no whole number of 32 bits", json->text.data);
    return PDR_OK;
}

static pdr_code check_symbol(parser *p, const pdr_schema *type, const pdr_json *json, const place *at)
{
    for (size_t i = 0; i < type->count; i++)
        if (pdr_json_is(json, type->symbols[i])) return PDR_OK;
    if (json->kind != PDR_JSON_STRING) return wrong(p, type, json, at);
    return parse_bad(p, json, at, "\"%.100s\" is no symbol of \"%s\"", json->text.data, type->name);
}

static pdr_code check_items(parser *p, const pdr_schema *type, const pdr_json *json, const place *at,
                            unsigned depth)
{
    bool map = type->kind == PDR_KIND_MAP;
    place here = {at, NULL, 0};
    if (json->kind != (map ? PDR_JSON_OBJECT : PDR_JSON_ARRAY)) return wrong(p, type, json, at);
    for (const pdr_json *item = json->first; item; item = item->next, here.index++) {
        here.key = map ? item->key.data : NULL;
        pdr_code code = check(p, type->items, item, &here, depth);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

/* A field's own default, once; a default that needs itself has no end. */
static pdr_code check_field_default(parser *p, pdr_schema_field *field, const pdr_json *user, const place *at,
                                    unsigned depth)
{
    if (field->default_state == CHECKED) return PDR_OK;
    if (field->default_state == CHECKING)
        return parse_bad(p, user, at, "the default of \"%s\" holds itself without end", field->name);
    field->default_state = CHECKING;
    pdr_code code = check(p, field->type, field->default_value, at, depth);
    field->default_state = CHECKED;
    return code;
}

/* The field that `key` names, sought from `start` on and around: members mostly stand in the fields' order.
 */
static size_t find_field(const pdr_schema *type, pdr_string key, size_t start)
{
    for (size_t n = 0; n < type->count; n++) {
        size_t i = start + n < type->count ? start + n : start + n - type->count;
        if (strcmp(type->fields[i].name, key.data) == 0) return i;
    }
    return type->count;
}

/* found[i]: the member for field i, or NULL. */
static pdr_code find_members(parser *p, const pdr_schema *type, const pdr_json *json, const place *at,
                             const pdr_json **found)
{
    size_t next = 0;
    for (const pdr_json *member = json->first; member; member = member->next) {
        size_t i = find_field(type, member->key, next);
        if (i == type->count || strlen(member->key.data) != member->key.size)
            return parse_bad(p, member, at, "\"%s\" has no field \"%.100s\"", type->name, member->key.data);
        found[i] = member;
        next = i + 1 < type->count ? i + 1 : 0;
    }
    return PDR_OK;
}

static pdr_code check_field(parser *p, const pdr_schema *type, size_t i, const pdr_json *member,
                            const pdr_json *json, const place *at, unsigned depth)
{
    pdr_schema_field *field = &type->fields[i];
    place here = {at, field->name, 0};
    if (member) return check(p, field->type, member, &here, depth);
    if (field->default_value) return check_field_default(p, field, json, &here, depth);
    return parse_bad(p, json, at, "the field \"%s\" of \"%s\" is missing", field->name, type->name);
}

static pdr_code check_record(parser *p, const pdr_schema *type, const pdr_json *json, const place *at,
                             unsigned depth)
{
    if (json->kind != PDR_JSON_OBJECT) return wrong(p, type, json, at);
    const pdr_json **found = pdr_calloc(type->count, sizeof *found);
    if (!found) return parse_no_memory(p);
    pdr_code code = find_members(p, type, json, at, found);
    for (size_t i = 0; code == PDR_OK && i < type->count; i++)
        code = check_field(p, type, i, found[i], json, at, depth);
    pdr_free(found);
    return code;
}

static pdr_code check(parser *p, const pdr_schema *type, const pdr_json *json, const place *at,
                      unsigned depth)
{
    if (depth > PDR_SCHEMA_MAX_DEPTH) return parse_bad(p, json, at, "a default is nested too deeply");
    switch (type->kind) {
    case PDR_KIND_NULL: return json->kind == PDR_JSON_NULL ? PDR_OK : wrong(p, type, json, at);
    case PDR_KIND_BOOLEAN: return json->kind == PDR_JSON_BOOLEAN ? PDR_OK : wrong(p, type, json, at);
    case PDR_KIND_STRING: return json->kind == PDR_JSON_STRING ? PDR_OK : wrong(p, type, json, at);
    case PDR_KIND_BYTES:
    case PDR_KIND_FIXED: return check_bytes(p, type, json, at);
    case PDR_KIND_ENUM: return check_symbol(p, type, json, at);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return check_items(p, type, json, at, depth + 1);
    case PDR_KIND_RECORD: return check_record(p, type, json, at, depth + 1);
    case PDR_KIND_UNION: return check(p, type->branches[0], json, at, depth + 1);
    default: return check_number(p, type, json, at);
    }
}

pdr_code parse_check_defaults(parser *p)
{
    for (const pending_default *pending = p->set->first_default; pending; pending = pending->next) {
        const char *path = pending->field->place;
        place field = {NULL, path + 1, 0}, here = {&field, "default", 0};
        p->file = pending->file;
        pdr_code code = check_field_default(p, pending->field, pending->field->json, &here, 0);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}
