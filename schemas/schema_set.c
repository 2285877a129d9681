#include "schemas/schema.h"

#include "base/mem.h"
#include "schemas/parse.h"

static const char *const kind_names[PDR_KIND_COUNT] = {"null",   "boolean", "int",    "long",   "float",
                                                       "double", "bytes",   "string", "record", "enum",
                                                       "array",  "map",     "union",  "fixed"};
static const char *const logical_names[PDR_LOGICAL_COUNT] = {
    "",
    "decimal",
    "uuid",
    "date",
    "time-millis",
    "time-micros",
    "timestamp-millis",
    "timestamp-micros",
    "local-timestamp-millis",
    "local-timestamp-micros",
    "duration",
};

const char *pdr_kind_name(pdr_kind kind)
{
    return (unsigned)kind < PDR_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *pdr_logical_name(pdr_logical logical)
{
    return (unsigned)logical < PDR_LOGICAL_COUNT ? logical_names[logical] : "unknown";
}

pdr_code pdr_schema_set_open(pdr_schema_set **out, pdr_error *err)
{
    pdr_schema_set *set = pdr_calloc(1, sizeof *set);
    if (!set) return pdr_fail(err, PDR_NOMEM, "out of memory for a schema set");
    set->arena.max = PDR_SCHEMA_MAX_MEMORY;
    set->last_named = &set->first_named;
    set->last_text = &set->first_text;
    set->last_default = &set->first_default;
    *out = set;
    return PDR_OK;
}

void pdr_schema_set_close(pdr_schema_set *set)
{
    if (!set) return;
    pdr_arena_release(&set->arena);
    pdr_free(set);
}

static pdr_code add_text(parser *p, source_text **out)
{
    source_text *added = pdr_arena_calloc(&p->set->arena, 1, sizeof *added);
    pdr_string file = pdr_arena_string(&p->set->arena, pdr_string_of(p->file));
    if (!added || !file.data) return parse_no_memory(p);
    added->file = p->file = file.data;
    *out = added;
    return PDR_OK;
}

pdr_code pdr_schema_set_add(pdr_schema_set *set, const char *file, pdr_string json, pdr_error *err)
{
    parser p = {set, file, err};
    pdr_json *tree = NULL;
    source_text *added = NULL;
    if (json.size > PDR_SCHEMA_MAX_TEXT)
        return pdr_fail(err, PDR_TOO_LARGE, "%s: %zu bytes; a schema may have %d", file, json.size,
                        (int)PDR_SCHEMA_MAX_TEXT);
    pdr_code code = add_text(&p, &added);
    if (code == PDR_OK) code = pdr_json_parse(&tree, &set->arena, p.file, json, err);
    if (code == PDR_OK) code = parse_schema(&p, tree, NULL, "", &added->root);
    if (code != PDR_OK) return code;
    *set->last_text = added;
    set->last_text = &added->next;
    set->text_count++;
    return PDR_OK;
}

static pdr_code number_named(parser *p)
{
    pdr_schema_set *set = p->set;
    size_t number = 0;
    set->by_number = pdr_arena_calloc(&set->arena, set->named_count + 1, sizeof *set->by_number);
    if (!set->by_number) return parse_no_memory(p);
    for (const named *n = set->first_named; n; n = n->next) {
        if (!n->defined)
            return pdr_fail(p->err, PDR_BAD_SCHEMA, "%s:%u:%u: %s: unknown type \"%s\"", n->used_file,
                            n->used_line, n->used_column, n->used_place, n->schema->name);
        set->by_number[n->schema->number] = n->schema;
        number++;
    }
    PDR_INVARIANT("schema-set-counts-its-names", number == set->named_count);
    return PDR_OK;
}

pdr_code pdr_schema_set_finish(pdr_schema_set *set, pdr_error *err)
{
    parser p = {set, "schemas", err};
    pdr_code code = number_named(&p);
    return code == PDR_OK ? parse_check_defaults(&p) : code;
}

pdr_code pdr_schema_read(pdr_schema_set **out, const char *file, pdr_string json, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_set_open(&set, err);
    if (code != PDR_OK) return code;
    code = pdr_schema_set_add(set, file, json, err);
    if (code == PDR_OK) code = pdr_schema_set_finish(set, err);
    if (code == PDR_OK)
        *out = set;
    else
        pdr_schema_set_close(set);
    return code;
}

const char *pdr_schema_set_missing(const pdr_schema_set *set)
{
    for (const named *n = set->first_named; n; n = n->next)
        if (!n->defined) return n->schema->name;
    return NULL;
}

/* ---- what a set holds ---- */

size_t pdr_schema_set_count(const pdr_schema_set *set)
{
    return set->text_count;
}

static const source_text *text_at(const pdr_schema_set *set, size_t index)
{
    const source_text *t = set->first_text;
    for (; t && index > 0; index--)
        t = t->next;
    return t;
}

const pdr_schema *pdr_schema_set_root(const pdr_schema_set *set, size_t index)
{
    const source_text *t = text_at(set, index);
    return t ? t->root : NULL;
}

const char *pdr_schema_set_file(const pdr_schema_set *set, size_t index)
{
    const source_text *t = text_at(set, index);
    return t ? t->file : NULL;
}

size_t pdr_schema_set_named_count(const pdr_schema_set *set)
{
    return set->named_count;
}

const pdr_schema *pdr_schema_set_named(const pdr_schema_set *set, size_t number)
{
    return number < set->named_count ? set->by_number[number] : NULL;
}

const pdr_schema *pdr_schema_set_find(const pdr_schema_set *set, const char *full_name)
{
    for (size_t i = 0; i < set->named_count; i++)
        if (strcmp(set->by_number[i]->name, full_name) == 0) return set->by_number[i];
    return NULL;
}
