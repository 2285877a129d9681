#include "journal/survey_table.h"

#include "base/mem.h"
#include "schemas/version.h"

enum { FIRST_SLOTS = 64 };

/* A fingerprint is a hash already; unframed values have fingerprint 0. */
static size_t place_of(uint64_t fingerprint, size_t kind, size_t mask)
{
    return (size_t)(fingerprint ^ fingerprint >> 32 ^ kind) & mask;
}

static void free_schema(survey_schema *schema)
{
    if (!schema) return;
    pdr_free(schema->json);
    pdr_free(schema->name);
    pdr_free(schema);
}

void survey_table_release(survey_table *table)
{
    for (size_t i = 0; table->slots && i <= table->mask; i++)
        pdr_free(table->slots[i].group);
    for (size_t i = 0; table->schemas && i <= table->schema_mask; i++)
        free_schema(table->schemas[i]);
    pdr_free(table->slots);
    pdr_free(table->schemas);
    *table = (survey_table){0};
}

/* --- schemas --- */

static survey_schema **schema_slot(survey_schema **schemas, size_t mask, uint64_t fingerprint)
{
    size_t i = place_of(fingerprint, 0, mask);
    while (schemas[i] && schemas[i]->fingerprint != fingerprint)
        i = (i + 1) & mask;
    return &schemas[i];
}

static const survey_schema *find_schema(const survey_table *table, uint64_t fingerprint)
{
    return table->schemas ? *schema_slot(table->schemas, table->schema_mask, fingerprint) : NULL;
}

static pdr_code make_room_for_schema(survey_table *table, pdr_error *err)
{
    size_t slots = table->schemas ? 2 * (table->schema_mask + 1) : FIRST_SLOTS;
    if (table->schemas && 2 * (table->schema_count + 1) <= table->schema_mask + 1) return PDR_OK;
    if (table->schema_count >= PDR_SURVEY_MAX_GROUPS)
        return pdr_fail(err, PDR_TOO_LARGE, "the log has more than %d schemas", PDR_SURVEY_MAX_GROUPS);
    survey_schema **schemas = pdr_calloc(slots, sizeof(survey_schema *));
    if (!schemas) return pdr_fail(err, PDR_NOMEM, "%zu schemas", slots);
    for (size_t i = 0; table->schemas && i <= table->schema_mask; i++)
        if (table->schemas[i])
            *schema_slot(schemas, slots - 1, table->schemas[i]->fingerprint) = table->schemas[i];
    pdr_free(table->schemas);
    table->schemas = schemas;
    table->schema_mask = slots - 1;
    return PDR_OK;
}

/* The name and version that the schema gives itself. What can't be read stays unnamed: that is a finding, no
 * failure. */
static pdr_code read_name(survey_schema *schema, pdr_error *err)
{
    pdr_schema_set *set;
    pdr_schema_version version = {0, false};
    pdr_code code = pdr_schema_read(&set, "SCHEMA record", pdr_string_of(schema->json), NULL);
    if (code != PDR_OK) return code == PDR_NOMEM ? pdr_fail(err, code, "a schema of the log") : PDR_OK;
    const pdr_schema *root = pdr_schema_set_root(set, 0);
    if (pdr_schema_version_of(&version, root, NULL) != PDR_OK) version = (pdr_schema_version){0, false};
    schema->name = pdr_strdup(root->name);
    schema->version = version.version;
    schema->readable_by_older = version.readable_by_older;
    pdr_schema_set_close(set);
    return schema->name ? PDR_OK : pdr_fail(err, PDR_NOMEM, "a schema's name");
}

static pdr_code make_schema(survey_schema **out, uint64_t fingerprint, pdr_bytes json, pdr_error *err)
{
    survey_schema *schema = pdr_calloc(1, sizeof *schema);
    char *copy = pdr_alloc(json.size + 1);
    if (!schema || !copy) {
        pdr_free(schema);
        pdr_free(copy);
        return pdr_fail(err, PDR_NOMEM, "a schema of %zu bytes", json.size);
    }
    if (json.size) memcpy(copy, json.data, json.size);
    copy[json.size] = '\0';
    *schema = (survey_schema){.fingerprint = fingerprint, .json = copy};
    pdr_code code = read_name(schema, err);
    if (code != PDR_OK) free_schema(schema);
    *out = code == PDR_OK ? schema : NULL;
    return code;
}

pdr_code survey_table_learn(survey_table *table, uint64_t fingerprint, pdr_bytes json, pdr_error *err)
{
    if (find_schema(table, fingerprint)) return PDR_OK;
    survey_schema *schema = NULL;
    pdr_code code = make_room_for_schema(table, err);
    if (code == PDR_OK) code = make_schema(&schema, fingerprint, json, err);
    if (code != PDR_OK) return code;
    *schema_slot(table->schemas, table->schema_mask, fingerprint) = schema;
    table->schema_count++;
    return PDR_OK;
}

/* --- groups --- */

static struct survey_slot *group_slot(struct survey_slot *slots, size_t mask, size_t kind, bool framed,
                                      uint64_t fingerprint)
{
    size_t i = place_of(fingerprint, kind, mask);
    for (; slots[i].group; i = (i + 1) & mask) {
        const pdr_survey_group *group = slots[i].group;
        if (group->fingerprint == fingerprint && slots[i].kind == kind && group->framed == framed) break;
    }
    return &slots[i];
}

pdr_survey_group *survey_table_find(const survey_table *table, size_t kind, bool framed, uint64_t fingerprint)
{
    return table->slots ? group_slot(table->slots, table->mask, kind, framed, fingerprint)->group : NULL;
}

static pdr_code make_room_for_group(survey_table *table, pdr_error *err)
{
    size_t slots = table->slots ? 2 * (table->mask + 1) : FIRST_SLOTS;
    if (table->slots && 2 * (table->count + 1) <= table->mask + 1) return PDR_OK;
    if (table->count >= PDR_SURVEY_MAX_GROUPS)
        return pdr_fail(err, PDR_TOO_LARGE, "events of more than %d schemas", PDR_SURVEY_MAX_GROUPS);
    struct survey_slot *fresh = pdr_calloc(slots, sizeof *fresh);
    if (!fresh) return pdr_fail(err, PDR_NOMEM, "%zu groups of events", slots);
    for (size_t i = 0; table->slots && i <= table->mask; i++) {
        const pdr_survey_group *group = table->slots[i].group;
        if (group)
            *group_slot(fresh, slots - 1, table->slots[i].kind, group->framed, group->fingerprint) =
                table->slots[i];
    }
    pdr_free(table->slots);
    table->slots = fresh;
    table->mask = slots - 1;
    return PDR_OK;
}

pdr_code survey_table_add(survey_table *table, size_t kind, bool framed, uint64_t fingerprint,
                          pdr_survey_group **out, pdr_error *err)
{
    pdr_code code = make_room_for_group(table, err);
    if (code != PDR_OK) return code;
    pdr_survey_group *group = pdr_calloc(1, sizeof *group);
    if (!group) return pdr_fail(err, PDR_NOMEM, "a group of events");
    const survey_schema *schema = framed ? find_schema(table, fingerprint) : NULL;
    group->framed = framed;
    group->fingerprint = fingerprint;
    if (schema) {
        group->json = schema->json;
        group->name = schema->name;
        group->version = schema->version;
        group->readable_by_older = schema->readable_by_older;
    }
    *group_slot(table->slots, table->mask, kind, framed, fingerprint) = (struct survey_slot){group, kind};
    table->count++;
    *out = group;
    return PDR_OK;
}
