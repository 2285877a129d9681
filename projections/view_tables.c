/* Tables as text: what a version's row keeps of its declaration, so that tools know the tables of a version
 * whose definition they don't have. */
#include "base/mem.h"
#include "projections/cell.h"
#include "projections/views.h"
#include "schemas/json.h"

/* --- to text --- */

static pdr_code put_column(pdr_buf *out, const pdr_column *column)
{
    pdr_code code = pdr_buf_printf(out, "{\"name\":\"%s\",\"type\":\"%s\"", column->name,
                                   pdr_column_type_name(column->type));
    if (code == PDR_OK && column->type == PDR_COLUMN_NUMERIC)
        code = pdr_buf_printf(out, ",\"precision\":%d,\"scale\":%d", column->precision, column->scale);
    if (code == PDR_OK && column->not_null) code = pdr_buf_printf(out, ",\"not_null\":true");
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

static pdr_code put_table(pdr_buf *out, const pdr_table *table)
{
    pdr_code code = pdr_buf_printf(out, "{\"name\":\"%s\",\"key\":%zu,\"shared\":%s,\"columns\":[",
                                   table->name, table->key_count, table->shared ? "true" : "false");
    for (size_t i = 0; code == PDR_OK && i < table->column_count; i++) {
        if (i) code = pdr_buf_printf(out, ",");
        if (code == PDR_OK) code = put_column(out, &table->columns[i]);
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]}") : code;
}

pdr_code pdr_view_tables_print(pdr_buf *out, const pdr_table *tables, size_t count, pdr_error *err)
{
    pdr_code code = pdr_buf_printf(out, "[");
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        if (i) code = pdr_buf_printf(out, ",");
        if (code == PDR_OK) code = put_table(out, &tables[i]);
    }
    if (code == PDR_OK) code = pdr_buf_printf(out, "]");
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "the declaration of %zu tables", count);
}

/* --- from text --- */

typedef struct reading {
    pdr_arena *arena;
    bool good;
} reading;

static const char *get_name(reading *r, const pdr_json *of)
{
    const pdr_json *name = pdr_json_get(of, "name");
    bool fits = name && name->kind == PDR_JSON_STRING && name->text.size > 0 &&
                name->text.size <= PDR_VIEW_MAX_NAME && strlen(name->text.data) == name->text.size;
    if (!fits) r->good = false;
    return fits ? name->text.data : "";
}

static int64_t get_number(reading *r, const pdr_json *of, const char *key, int64_t min, int64_t max)
{
    int64_t number = min;
    const pdr_json *value = pdr_json_get(of, key);
    if (!value || !pdr_json_integer(value, &number) || number < min || number > max) r->good = false;
    return number;
}

static bool get_truth(const pdr_json *of, const char *key)
{
    const pdr_json *value = pdr_json_get(of, key);
    return value && value->kind == PDR_JSON_BOOLEAN && value->truth;
}

static pdr_column_type get_type(reading *r, const pdr_json *of)
{
    const pdr_json *type = pdr_json_get(of, "type");
    for (int i = 0; type && i < PDR_COLUMN_TYPES; i++)
        if (pdr_json_is(type, pdr_column_type_name((pdr_column_type)i))) return (pdr_column_type)i;
    r->good = false;
    return PDR_COLUMN_BOOLEAN;
}

static void read_column(reading *r, const pdr_json *json, pdr_column *out)
{
    *out = (pdr_column){.name = get_name(r, json),
                        .type = get_type(r, json),
                        .not_null = get_truth(json, "not_null"),
                        .initial = PDR_CELL_NULL};
    if (out->type != PDR_COLUMN_NUMERIC) return;
    out->precision = (int)get_number(r, json, "precision", 1, 18);
    out->scale = (int)get_number(r, json, "scale", 0, 18);
}

static pdr_code read_table(reading *r, const pdr_json *json, pdr_table *out)
{
    const pdr_json *list = pdr_json_get(json, "columns");
    size_t count = list && list->kind == PDR_JSON_ARRAY ? list->count : 0;
    *out = (pdr_table){.name = get_name(r, json),
                       .column_count = count,
                       .key_count = (size_t)get_number(r, json, "key", 1, PDR_VIEW_MAX_KEY),
                       .shared = get_truth(json, "shared")};
    if (count > PDR_VIEW_MAX_COLUMNS || out->key_count > count) r->good = false;
    if (!r->good) return PDR_OK;
    pdr_column *columns = pdr_arena_calloc(r->arena, count + 1, sizeof *columns);
    if (!columns) return PDR_NOMEM;
    const pdr_json *column = list ? list->first : NULL;
    for (size_t i = 0; i < count; i++, column = column->next)
        read_column(r, column, &columns[i]);
    out->columns = columns;
    return PDR_OK;
}

pdr_code pdr_view_tables_parse(const pdr_table **out, size_t *count, pdr_arena *arena, const char *text,
                               pdr_error *err)
{
    pdr_json *json;
    reading r = {.arena = arena, .good = true};
    pdr_code code = pdr_json_parse(&json, arena, "the declared tables", pdr_string_of(text), err);
    if (code == PDR_NOMEM) return code;
    r.good = code == PDR_OK && json->kind == PDR_JSON_ARRAY && json->count <= PDR_VIEW_MAX_TABLES;
    if (!r.good) return pdr_fail(err, PDR_CORRUPT, "the declaration of a version's tables can't be read");
    pdr_table *tables = pdr_arena_calloc(arena, json->count + 1, sizeof *tables);
    code = tables ? PDR_OK : PDR_NOMEM;
    const pdr_json *table = json->first;
    for (size_t i = 0; code == PDR_OK && i < json->count; i++, table = table->next)
        code = read_table(&r, table, &tables[i]);
    if (code != PDR_OK) return pdr_fail(err, code, "the declaration of a version's tables");
    if (!r.good) return pdr_fail(err, PDR_CORRUPT, "the declaration of a version's tables can't be read");
    *out = tables;
    *count = json->count;
    return PDR_OK;
}
