/* Records with their fields, enums, fixed. */
#include "schemas/parse.h"

/* ---- fields ---- */

static pdr_code field_name(parser *p, const pdr_json *json, const place *at, const pdr_schema *record,
                           pdr_schema_field *field)
{
    const pdr_json *name = pdr_json_get(json, "name");
    place here = {at, "name", 0};
    if (!name) return parse_bad(p, json, at, "a field without \"name\"");
    if (name->kind != PDR_JSON_STRING)
        return parse_bad(p, name, &here, "a name must be a string, not %s", pdr_json_kind_name(name));
    if (!parse_is_name(name->text) || name->text.size > PDR_SCHEMA_MAX_NAME / 2)
        return parse_bad(p, name, &here, "bad name \"%.200s\": letters, digits and _ only, no digit first",
                         name->text.data);
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->fields[i].name, name->text.data) == 0)
            return parse_bad(p, name, &here, "the record has a field \"%s\" already", name->text.data);
    field->name = name->text.data;
    return PDR_OK;
}

static pdr_code field_order(parser *p, const pdr_json *json, const place *at, pdr_schema_field *field)
{
    const pdr_json *order = pdr_json_get(json, "order");
    place here = {at, "order", 0};
    if (!order || pdr_json_is(order, "ascending")) return PDR_OK;
    field->order = pdr_json_is(order, "descending") ? PDR_ORDER_DESCENDING : PDR_ORDER_IGNORE;
    if (field->order == PDR_ORDER_DESCENDING || pdr_json_is(order, "ignore")) return PDR_OK;
    return parse_bad(p, order, &here, "must be \"ascending\", \"descending\" or \"ignore\"");
}

/* Checked when the set is finished: the type may be known only then. */
static pdr_code remember_default(parser *p, pdr_schema_field *field)
{
    pending_default *pending = pdr_arena_calloc(&p->set->arena, 1, sizeof *pending);
    if (!pending) return parse_no_memory(p);
    pending->field = field;
    pending->file = p->file;
    *p->set->last_default = pending;
    p->set->last_default = &pending->next;
    return PDR_OK;
}

static pdr_code parse_field(parser *p, const pdr_json *json, const place *at, pdr_schema *record,
                            pdr_schema_field *field)
{
    const pdr_json *type = pdr_json_get(json, "type");
    place at_type = {at, "type", 0};
    if (json->kind != PDR_JSON_OBJECT)
        return parse_bad(p, json, at, "a field must be an object, not %s", pdr_json_kind_name(json));
    pdr_code code = field_name(p, json, at, record, field);
    if (code != PDR_OK) return code;
    if (!type) return parse_bad(p, json, at, "the field \"%s\" has no \"type\"", field->name);
    field->json = json;
    code = parse_place(p, at, &field->place);
    if (code == PDR_OK) code = parse_text(p, json, at, "doc", &field->doc);
    if (code == PDR_OK) code = field_order(p, json, at, field);
    if (code == PDR_OK) code = parse_aliases(p, json, at, NULL, &field->aliases, &field->alias_count);
    if (code == PDR_OK) code = parse_schema(p, type, &at_type, record->space, &field->type);
    field->default_value = pdr_json_get(json, "default");
    return code == PDR_OK && field->default_value ? remember_default(p, field) : code;
}

/* An array attribute that must be there. */
static pdr_code required_array(parser *p, const pdr_json *json, const place *at, const char *key, size_t most,
                               const pdr_json **out)
{
    const pdr_json *array = pdr_json_get(json, key);
    place here = {at, key, 0};
    *out = array;
    if (!array) return parse_bad(p, json, at, "no \"%s\"", key);
    if (array->kind != PDR_JSON_ARRAY)
        return parse_bad(p, array, &here, "must be an array, not %s", pdr_json_kind_name(array));
    if (array->count > most)
        return parse_bad(p, array, &here, "may have %zu items, has %zu", most, array->count);
    return PDR_OK;
}

pdr_code parse_record(parser *p, const pdr_json *json, const place *at, const char *space,
                      const pdr_schema **out)
{
    pdr_schema *schema;
    const pdr_json *fields;
    place here = {at, "fields", 0}, inner = {&here, NULL, 0};
    pdr_code code = required_array(p, json, at, "fields", PDR_SCHEMA_MAX_FIELDS, &fields);
    if (code == PDR_OK) code = parse_define(p, json, at, space, PDR_KIND_RECORD, &schema);
    if (code != PDR_OK) return code;
    schema->fields = pdr_arena_calloc(&p->set->arena, fields->count, sizeof *schema->fields);
    if (!schema->fields) return parse_no_memory(p);
    for (const pdr_json *item = fields->first; item; item = item->next, inner.index++) {
        code = parse_field(p, item, &inner, schema, &schema->fields[schema->count]);
        if (code != PDR_OK) return code;
        schema->count++;
    }
    *out = schema;
    return parse_logical(p, at, schema);
}

/* ---- enums ---- */

static int symbol_index(const pdr_schema *schema, const char *symbol)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->symbols[i], symbol) == 0) return (int)i;
    return -1;
}

static pdr_code parse_symbols(parser *p, const pdr_json *symbols, const place *at, pdr_schema *schema)
{
    place inner = {at, NULL, 0};
    const char **names = pdr_arena_calloc(&p->set->arena, symbols->count, sizeof *names);
    if (!names) return parse_no_memory(p);
    schema->symbols = names;
    for (const pdr_json *item = symbols->first; item; item = item->next, inner.index++) {
        if (item->kind != PDR_JSON_STRING || !parse_is_name(item->text))
            return parse_bad(p, item, &inner,
                             "a symbol must be a name: letters, digits and _, no digit first");
        if (symbol_index(schema, item->text.data) >= 0)
            return parse_bad(p, item, &inner, "the enum has the symbol \"%s\" already", item->text.data);
        names[schema->count++] = item->text.data;
    }
    return PDR_OK;
}

pdr_code parse_enum(parser *p, const pdr_json *json, const place *at, const char *space,
                    const pdr_schema **out)
{
    pdr_schema *schema;
    const pdr_json *symbols;
    const char *symbol;
    place here = {at, "symbols", 0}, at_default = {at, "default", 0};
    pdr_code code = required_array(p, json, at, "symbols", PDR_SCHEMA_MAX_FIELDS, &symbols);
    if (code == PDR_OK && symbols->count == 0) code = parse_bad(p, symbols, &here, "an enum needs a symbol");
    if (code == PDR_OK) code = parse_define(p, json, at, space, PDR_KIND_ENUM, &schema);
    if (code == PDR_OK) code = parse_symbols(p, symbols, &here, schema);
    if (code == PDR_OK) code = parse_text(p, json, at, "default", &symbol);
    if (code != PDR_OK) return code;
    if (symbol) schema->default_symbol = symbol_index(schema, symbol);
    if (symbol && schema->default_symbol < 0)
        return parse_bad(p, pdr_json_get(json, "default"), &at_default, "\"%s\" is no symbol of the enum",
                         symbol);
    *out = schema;
    return parse_logical(p, at, schema);
}

/* ---- fixed ---- */

pdr_code parse_fixed(parser *p, const pdr_json *json, const place *at, const char *space,
                     const pdr_schema **out)
{
    pdr_schema *schema;
    const pdr_json *size = pdr_json_get(json, "size");
    place here = {at, "size", 0};
    int64_t bytes = 0;
    if (!size) return parse_bad(p, json, at, "no \"size\"");
    if (!pdr_json_integer(size, &bytes) || bytes < 0 || bytes > PDR_SCHEMA_MAX_FIXED)
        return parse_bad(p, size, &here, "must be a whole number from 0 to %d", (int)PDR_SCHEMA_MAX_FIXED);
    pdr_code code = parse_define(p, json, at, space, PDR_KIND_FIXED, &schema);
    if (code != PDR_OK) return code;
    schema->count = (size_t)bytes;
    *out = schema;
    return parse_logical(p, at, schema);
}
