/* Names, namespaces, aliases, and which type a name means. */
#include "schemas/parse.h"

#include <stdio.h>

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool parse_is_name(pdr_string name)
{
    if (name.size == 0 || !is_letter(name.data[0])) return false;
    for (size_t i = 1; i < name.size; i++)
        if (!is_letter(name.data[i]) && !(name.data[i] >= '0' && name.data[i] <= '9')) return false;
    return true;
}

/* Simple names with dots between them. */
static bool is_dotted(pdr_string name)
{
    for (size_t i = 0, start = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '.') continue;
        pdr_string part = {name.data + start, i - start};
        if (!parse_is_name(part)) return false;
        start = i + 1;
    }
    return true;
}

static pdr_code check_name(parser *p, const pdr_json *json, const place *at)
{
    if (json->kind != PDR_JSON_STRING)
        return parse_bad(p, json, at, "a name must be a string, not %s", pdr_json_kind_name(json));
    if (json->text.size > PDR_SCHEMA_MAX_NAME / 2)
        return parse_bad(p, json, at, "a name may have %d bytes", (int)PDR_SCHEMA_MAX_NAME / 2);
    if (!is_dotted(json->text))
        return parse_bad(p, json, at, "bad name \"%s\": letters, digits and _ only, no digit first",
                         json->text.data);
    return PDR_OK;
}

static pdr_code join(parser *p, const char *space, const char *name, const char **out)
{
    char full[PDR_SCHEMA_MAX_NAME + 2];
    (void)snprintf(full, sizeof full, "%s%s%s", space, *space ? "." : "", name);
    pdr_string kept = pdr_arena_string(&p->set->arena, pdr_string_of(full));
    *out = kept.data;
    return kept.data ? PDR_OK : parse_no_memory(p);
}

/* The full name that `name` (checked) means in `space`. */
static pdr_code full_name(parser *p, const pdr_json *json, const place *at, const char *space,
                          const char **out)
{
    const char *name = json->text.data;
    if (strchr(name, '.')) return join(p, "", name, out);
    if (strlen(space) + 1 + strlen(name) > PDR_SCHEMA_MAX_NAME)
        return parse_bad(p, json, at, "a full name may have %d bytes", (int)PDR_SCHEMA_MAX_NAME);
    return join(p, space, name, out);
}

/* ---- the table of names ---- */

static named **bucket_of(pdr_schema_set *set, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return &set->buckets[hash % BUCKETS];
}

static named *find(pdr_schema_set *set, const char *full)
{
    named *n = *bucket_of(set, full);
    while (n && strcmp(n->schema->name, full) != 0)
        n = n->next_in_bucket;
    return n;
}

static pdr_code set_names(parser *p, pdr_schema *schema, const char *full)
{
    const char *dot = strrchr(full, '.');
    pdr_string space = {full, dot ? (size_t)(dot - full) : 0};
    pdr_string kept = pdr_arena_string(&p->set->arena, space);
    schema->name = full;
    schema->short_name = dot ? dot + 1 : full;
    schema->space = kept.data;
    return kept.data ? PDR_OK : parse_no_memory(p);
}

static pdr_code add(parser *p, const pdr_json *json, const place *at, const char *full, named **out)
{
    pdr_schema_set *set = p->set;
    named **bucket = bucket_of(set, full);
    named *n = pdr_arena_calloc(&set->arena, 1, sizeof *n);
    if (!n) return parse_no_memory(p);
    pdr_code code = parse_new(p, PDR_KIND_COUNT, json, at, &n->schema);
    if (code == PDR_OK) code = set_names(p, n->schema, full);
    if (code != PDR_OK) return code;
    n->schema->number = set->named_count++;
    n->next_in_bucket = *bucket;
    *bucket = n;
    *set->last_named = n;
    set->last_named = &n->next;
    *out = n;
    return PDR_OK;
}

/* ---- use ---- */

pdr_code parse_reference(parser *p, const pdr_json *json, const place *at, const char *space,
                         const pdr_schema **out)
{
    const char *full;
    named *n;
    pdr_code code = check_name(p, json, at);
    if (code == PDR_OK) code = full_name(p, json, at, space, &full);
    if (code != PDR_OK) return code;
    n = find(p->set, full);
    if (!n && !strchr(json->text.data, '.')) {
        /* As Avro's Java library: a name unknown in its namespace may be one without a namespace. */
        n = find(p->set, json->text.data);
    }
    if (!n) {
        code = add(p, json, at, full, &n);
        if (code != PDR_OK) return code;
        n->used_file = p->file;
        n->used_place = n->schema->place;
        n->used_line = json->line;
        n->used_column = json->column;
    }
    *out = n->schema;
    return PDR_OK;
}

/* ---- definition ---- */

static pdr_code defined_name(parser *p, const pdr_json *json, const place *at, const char *space,
                             const char **out)
{
    const pdr_json *name = pdr_json_get(json, "name"), *given = pdr_json_get(json, "namespace");
    place at_name = {at, "name", 0}, at_space = {at, "namespace", 0};
    if (!name) return parse_bad(p, json, at, "a named type without \"name\"");
    pdr_code code = check_name(p, name, &at_name);
    if (code != PDR_OK) return code;
    if (given) {
        bool none = pdr_json_is(given, "") || given->kind == PDR_JSON_NULL;
        code = none ? PDR_OK : check_name(p, given, &at_space);
        if (code != PDR_OK) return code;
        space = none ? "" : given->text.data;
    }
    return full_name(p, name, &at_name, space, out);
}

static pdr_code check_new(parser *p, const pdr_json *json, const place *at, const named *n)
{
    pdr_kind kind;
    if (parse_is_type_name(n->schema->short_name, &kind))
        return parse_bad(p, json, at, "\"%s\" is Avro's own name", n->schema->short_name);
    if (n->defined)
        return parse_bad(p, json, at, "\"%s\" is defined twice; first at %s:%u:%u", n->schema->name,
                         n->schema->file, n->schema->json->line, n->schema->json->column);
    if (n->used_file == p->file)
        return parse_bad(p, json, at, "\"%s\" was used at %u:%u, before its definition", n->schema->name,
                         n->used_line, n->used_column);
    return PDR_OK;
}

pdr_code parse_define(parser *p, const pdr_json *json, const place *at, const char *space, pdr_kind kind,
                      pdr_schema **out)
{
    const char *full;
    pdr_code code = defined_name(p, json, at, space, &full);
    if (code != PDR_OK) return code;
    named *n = find(p->set, full);
    if (!n) code = add(p, json, at, full, &n);
    if (code == PDR_OK) code = check_new(p, json, at, n);
    if (code != PDR_OK) return code;
    pdr_schema *schema = n->schema;
    n->defined = true;
    schema->kind = kind;
    schema->json = json;
    schema->file = p->file;
    code = parse_place(p, at, &schema->place);
    if (code == PDR_OK) code = parse_text(p, json, at, "doc", &schema->doc);
    if (code == PDR_OK)
        code = parse_aliases(p, json, at, schema->space, &schema->aliases, &schema->alias_count);
    *out = schema;
    return code;
}

pdr_code parse_aliases(parser *p, const pdr_json *json, const place *at, const char *space,
                       const char *const **out, size_t *count)
{
    const pdr_json *aliases = pdr_json_get(json, "aliases");
    place here = {at, "aliases", 0}, inner = {&here, NULL, 0};
    if (!aliases) return PDR_OK;
    if (aliases->kind != PDR_JSON_ARRAY)
        return parse_bad(p, aliases, &here, "must be an array of names, not %s", pdr_json_kind_name(aliases));
    const char **names = pdr_arena_calloc(&p->set->arena, aliases->count, sizeof *names);
    if (!names) return parse_no_memory(p);
    for (const pdr_json *item = aliases->first; item; item = item->next, inner.index++) {
        pdr_code code = check_name(p, item, &inner);
        if (code != PDR_OK) return code;
        if (!space && strchr(item->text.data, '.'))
            return parse_bad(p, item, &inner, "a field's alias is a simple name");
        code = full_name(p, item, &inner, space ? space : "", &names[inner.index]);
        if (code != PDR_OK) return code;
    }
    *out = names;
    *count = aliases->count;
    return PDR_OK;
}
