/* From a JSON tree to schemas: errors, unions, arrays, maps, primitives. */
#include "schemas/parse.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- places and errors ---- */

static size_t write_place(const place *at, char *out, size_t room)
{
    size_t used = at && at->parent ? write_place(at->parent, out, room) : 0;
    if (!at || used >= room) return used;
    int more = at->key ? snprintf(out + used, room - used, "/%s", at->key)
                       : snprintf(out + used, room - used, "/%zu", at->index);
    return used + (more > 0 ? (size_t)more : 0);
}

pdr_code parse_bad(parser *p, const pdr_json *json, const place *at, const char *format, ...)
{
    char path[160] = "/", message[280];
    va_list args;
    va_start(args, format);
    if (vsnprintf(message, sizeof message, format, args) < 0) message[0] = '\0';
    va_end(args);
    (void)write_place(at, path, sizeof path);
    return pdr_fail(p->err, PDR_BAD_SCHEMA, "%s:%u:%u: %s: %s", p->file, json->line, json->column, path,
                    message);
}

pdr_code parse_no_memory(parser *p)
{
    const pdr_arena *arena = &p->set->arena;
    if (arena->max - arena->held < PDR_SCHEMA_MAX_FIELDS * sizeof(pdr_schema_field))
        return pdr_fail(p->err, PDR_TOO_LARGE, "%s: the schemas need more than %zu bytes of memory", p->file,
                        arena->max);
    return pdr_fail(p->err, PDR_NOMEM, "%s: out of memory", p->file);
}

pdr_code parse_place(parser *p, const place *at, const char **out)
{
    char path[512] = "/";
    (void)write_place(at, path, sizeof path);
    pdr_string kept = pdr_arena_string(&p->set->arena, pdr_string_of(path));
    *out = kept.data;
    return kept.data ? PDR_OK : parse_no_memory(p);
}

pdr_code parse_text(parser *p, const pdr_json *json, const place *at, const char *key, const char **out)
{
    const pdr_json *member = pdr_json_get(json, key);
    place here = {at, key, 0};
    *out = NULL;
    if (!member) return PDR_OK;
    if (member->kind != PDR_JSON_STRING)
        return parse_bad(p, member, &here, "must be a string, not %s", pdr_json_kind_name(member));
    *out = member->text.data;
    return PDR_OK;
}

/* ---- types without a name ---- */

bool parse_is_type_name(const char *name, pdr_kind *kind)
{
    for (int k = 0; k < PDR_KIND_COUNT; k++) {
        if (strcmp(name, pdr_kind_name((pdr_kind)k)) != 0) continue;
        *kind = (pdr_kind)k;
        return true;
    }
    *kind = PDR_KIND_RECORD; /* "error" is a record's other name, in protocols */
    return strcmp(name, "error") == 0;
}

pdr_code parse_new(parser *p, pdr_kind kind, const pdr_json *json, const place *at, pdr_schema **out)
{
    pdr_schema *schema = pdr_arena_calloc(&p->set->arena, 1, sizeof *schema);
    if (!schema) return parse_no_memory(p);
    schema->kind = kind;
    schema->name = schema->short_name = pdr_kind_name(kind);
    schema->space = "";
    schema->default_symbol = -1;
    schema->json = json;
    schema->file = p->file;
    schema->set = p->set;
    *out = schema;
    return parse_place(p, at, &schema->place);
}

static bool same_branch(const pdr_schema *a, const pdr_schema *b)
{
    bool unnamed = a->kind < PDR_KIND_COUNT && !pdr_kind_is_named(a->kind);
    return a == b || (unnamed && a->kind == b->kind);
}

static pdr_code parse_branch(parser *p, const pdr_json *item, const place *at, const char *space,
                             pdr_schema *schema)
{
    const pdr_schema *branch;
    pdr_code code = parse_schema(p, item, at, space, &branch);
    if (code != PDR_OK) return code;
    if (branch->kind == PDR_KIND_UNION) return parse_bad(p, item, at, "a union may not hold a union");
    for (size_t i = 0; i < schema->count; i++)
        if (same_branch(branch, schema->branches[i]))
            return parse_bad(p, item, at, "the union has \"%s\" twice", branch->name);
    schema->branches[schema->count++] = branch;
    return PDR_OK;
}

static pdr_code parse_union(parser *p, const pdr_json *json, const place *at, const char *space,
                            const pdr_schema **out)
{
    pdr_schema *schema;
    if (json->count == 0) return parse_bad(p, json, at, "a union needs a branch");
    if (json->count > PDR_SCHEMA_MAX_BRANCHES)
        return parse_bad(p, json, at, "a union may have %d branches", (int)PDR_SCHEMA_MAX_BRANCHES);
    pdr_code code = parse_new(p, PDR_KIND_UNION, json, at, &schema);
    if (code != PDR_OK) return code;
    schema->branches = pdr_arena_calloc(&p->set->arena, json->count, sizeof *schema->branches);
    if (!schema->branches) return parse_no_memory(p);
    place here = {at, NULL, 0};
    for (const pdr_json *item = json->first; item; item = item->next, here.index++) {
        code = parse_branch(p, item, &here, space, schema);
        if (code != PDR_OK) return code;
    }
    *out = schema;
    return PDR_OK;
}

static pdr_code parse_holder(parser *p, const pdr_json *json, const place *at, const char *space,
                             pdr_kind kind, const pdr_schema **out)
{
    pdr_schema *schema;
    const char *key = kind == PDR_KIND_ARRAY ? "items" : "values";
    const pdr_json *items = pdr_json_get(json, key);
    if (!items)
        return parse_bad(p, json, at, "%s without \"%s\"", kind == PDR_KIND_ARRAY ? "an array" : "a map",
                         key);
    pdr_code code = parse_new(p, kind, json, at, &schema);
    if (code != PDR_OK) return code;
    place here = {at, key, 0};
    code = parse_schema(p, items, &here, space, &schema->items);
    *out = schema;
    return code == PDR_OK ? parse_logical(p, at, schema) : code;
}

static pdr_code parse_primitive(parser *p, const pdr_json *json, const place *at, pdr_kind kind,
                                const pdr_schema **out)
{
    pdr_schema *schema;
    pdr_code code = parse_new(p, kind, json, at, &schema);
    if (code != PDR_OK) return code;
    *out = schema;
    return json->kind == PDR_JSON_OBJECT ? parse_logical(p, at, schema) : PDR_OK;
}

/* ---- any schema ---- */

static pdr_code parse_object(parser *p, const pdr_json *json, const place *at, const char *space,
                             const pdr_schema **out)
{
    const pdr_json *type = pdr_json_get(json, "type");
    place here = {at, "type", 0};
    pdr_kind kind;
    if (!type) return parse_bad(p, json, at, "no \"type\"");
    if (type->kind != PDR_JSON_STRING)
        return parse_bad(
            p, type, &here,
            "a type's name must stand here, not %s; write the inner schema in the place of the outer",
            pdr_json_kind_name(type));
    if (!parse_is_type_name(type->text.data, &kind)) return parse_reference(p, type, &here, space, out);
    switch (kind) {
    case PDR_KIND_RECORD: return parse_record(p, json, at, space, out);
    case PDR_KIND_ENUM: return parse_enum(p, json, at, space, out);
    case PDR_KIND_FIXED: return parse_fixed(p, json, at, space, out);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return parse_holder(p, json, at, space, kind, out);
    case PDR_KIND_UNION: return parse_bad(p, type, &here, "a union is written as an array of its branches");
    default: return parse_primitive(p, json, at, kind, out);
    }
}

pdr_code parse_schema(parser *p, const pdr_json *json, const place *at, const char *space,
                      const pdr_schema **out)
{
    pdr_kind kind;
    switch (json->kind) {
    case PDR_JSON_ARRAY: return parse_union(p, json, at, space, out);
    case PDR_JSON_OBJECT: return parse_object(p, json, at, space, out);
    case PDR_JSON_STRING: break;
    default: return parse_bad(p, json, at, "a schema must stand here, not %s", pdr_json_kind_name(json));
    }
    if (!parse_is_type_name(json->text.data, &kind)) return parse_reference(p, json, at, space, out);
    if (kind < PDR_KIND_RECORD) return parse_primitive(p, json, at, kind, out);
    return parse_bad(p, json, at, "\"%s\" must be written as an object with its attributes", json->text.data);
}
