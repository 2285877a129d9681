#include "cli/csv_columns.h"

#include "base/mem.h"
#include "schemas/schema.h"

enum { MAX_COLUMNS = 4096, MAX_DEPTH = 4, MAX_NAME = 1024, MAX_TEXT = 64 * 1024 * 1024 };

struct pdr_csv_columns {
    char **names; /* "by.employee" */
    size_t count;
    pdr_arena arena;
    pdr_buf cell;
};

pdr_code pdr_csv_columns_open(pdr_csv_columns **out, pdr_error *err)
{
    pdr_csv_columns *c = pdr_calloc(1, sizeof *c);
    if (c) c->names = pdr_calloc(MAX_COLUMNS, sizeof(char *));
    if (!c || !c->names) {
        pdr_free(c);
        return pdr_fail(err, PDR_NOMEM, "the columns");
    }
    c->arena = (pdr_arena)PDR_ARENA_INIT(MAX_TEXT);
    c->cell = (pdr_buf)PDR_BUF_INIT(MAX_TEXT);
    *out = c;
    return PDR_OK;
}

void pdr_csv_columns_close(pdr_csv_columns *c)
{
    if (!c) return;
    for (size_t i = 0; i < c->count; i++)
        pdr_free(c->names[i]);
    pdr_free(c->names);
    pdr_arena_release(&c->arena);
    pdr_buf_release(&c->cell);
    pdr_free(c);
}

/* --- which there are --- */

static pdr_code add_column(pdr_csv_columns *c, const char *name, pdr_error *err)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->names[i], name) == 0) return PDR_OK;
    if (c->count == MAX_COLUMNS) return pdr_fail(err, PDR_TOO_LARGE, "more than %d columns", MAX_COLUMNS);
    c->names[c->count] = pdr_strdup(name);
    if (!c->names[c->count]) return pdr_fail(err, PDR_NOMEM, "the columns");
    c->count++;
    return PDR_OK;
}

/* The record that a field is, or may be beside null; NULL: something else. */
static const pdr_schema *record_of(const pdr_schema *schema)
{
    if (schema->kind == PDR_KIND_RECORD) return schema;
    if (schema->kind != PDR_KIND_UNION || schema->count != 2) return NULL;
    const pdr_schema *a = schema->branches[0], *b = schema->branches[1];
    if (a->kind == PDR_KIND_NULL && b->kind == PDR_KIND_RECORD) return b;
    return b->kind == PDR_KIND_NULL && a->kind == PDR_KIND_RECORD ? a : NULL;
}

static pdr_code add_fields(pdr_csv_columns *c, const pdr_schema *record, char *name, size_t size,
                           unsigned depth, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < record->count; i++) {
        const pdr_schema_field *field = &record->fields[i];
        size_t more = strlen(field->name);
        if (size + more + 2 > MAX_NAME)
            return pdr_fail(err, PDR_TOO_LARGE, "a column's name: %.100s", field->name);
        memcpy(name + size, field->name, more + 1);
        const pdr_schema *inner = depth < MAX_DEPTH ? record_of(field->type) : NULL;
        if (inner && inner->count) {
            name[size + more] = '.';
            code = add_fields(c, inner, name, size + more + 1, depth + 1, err);
        } else {
            code = add_column(c, name, err);
        }
    }
    return code;
}

pdr_code pdr_csv_columns_add(pdr_csv_columns *c, const pdr_type *type, pdr_error *err)
{
    char name[MAX_NAME];
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_read(&set, type->name, pdr_string_of(type->schema), err);
    if (code == PDR_OK) code = add_fields(c, pdr_schema_set_root(set, 0), name, 0, 0, err);
    pdr_schema_set_close(set);
    return code;
}

pdr_code pdr_csv_columns_names(const pdr_csv_columns *c, pdr_buf *out)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < c->count; i++)
        code = pdr_buf_printf(out, ",event.%s", c->names[i]);
    return code;
}

/* --- what is in them --- */

pdr_code pdr_csv_cell(pdr_bytes text, pdr_buf *out)
{
    bool quoted = false;
    for (size_t i = 0; !quoted && i < text.size; i++)
        quoted = text.data[i] == '"' || text.data[i] == ',' || text.data[i] == '\n' || text.data[i] == '\r';
    if (!quoted) return pdr_buf_append(out, text.data, text.size);
    pdr_code code = pdr_buf_append(out, "\"", 1);
    for (size_t i = 0; code == PDR_OK && i < text.size; i++) {
        if (text.data[i] == '"') code = pdr_buf_append(out, "\"", 1);
        if (code == PDR_OK) code = pdr_buf_append(out, text.data + i, 1);
    }
    return code == PDR_OK ? pdr_buf_append(out, "\"", 1) : code;
}

static const pdr_json *find(const pdr_json *json, const char *name)
{
    char part[MAX_NAME];
    while (json && *name) {
        size_t size = strcspn(name, ".");
        memcpy(part, name, size);
        part[size] = 0;
        json = pdr_json_get(json, part);
        name += size + (name[size] == '.');
    }
    return json;
}

static pdr_code put_cell(pdr_csv_columns *c, const pdr_json *json, pdr_buf *out)
{
    if (!json || json->kind == PDR_JSON_NULL) return PDR_OK;
    if (json->kind == PDR_JSON_STRING || json->kind == PDR_JSON_NUMBER)
        return pdr_csv_cell(pdr_bytes_of(json->text.data, json->text.size), out);
    pdr_buf_clear(&c->cell);
    pdr_code code = pdr_json_write(json, &c->cell);
    return code == PDR_OK ? pdr_csv_cell(pdr_buf_bytes(&c->cell), out) : code;
}

pdr_code pdr_csv_columns_cells(pdr_csv_columns *c, pdr_bytes text, pdr_buf *out, pdr_error *err)
{
    pdr_json *json = NULL;
    pdr_arena_clear(&c->arena);
    pdr_string string = {(const char *)text.data, text.size};
    pdr_code code = text.size ? pdr_json_parse(&json, &c->arena, "event", string, err) : PDR_OK;
    if (code != PDR_OK) return code;
    for (size_t i = 0; code == PDR_OK && i < c->count; i++) {
        code = pdr_buf_append(out, ",", 1);
        if (code == PDR_OK) code = put_cell(c, find(json, c->names[i]), out);
    }
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "a row");
}
