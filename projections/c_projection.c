/* Projections in C: a handler behind the same interface as a file. */
#include <stdarg.h>
#include <stdio.h>
#include <xxhash.h>

#include "base/mem.h"
#include "projections/cell.h"
#include "projections/projection.h"

struct pdr_writer {
    pdr_rows *rows;
    pdr_code code;
    pdr_error err;
};

typedef struct c_projection {
    pdr_projection base;
    const pdr_projection_type *type;
} c_projection;

void pdr_write(pdr_writer *out, size_t table, const pdr_cell *key, size_t column, pdr_cell_mode mode,
               pdr_cell cell)
{
    if (out->code == PDR_OK)
        out->code = pdr_rows_write(out->rows, table, key, column, mode, &cell, &out->err);
}

void pdr_write_remove(pdr_writer *out, size_t table, const pdr_cell *key)
{
    if (out->code == PDR_OK) out->code = pdr_rows_remove(out->rows, table, key, &out->err);
}

void pdr_write_sql(pdr_writer *out, const char *sql, const pdr_cell *parameters, const pdr_column_type *types,
                   size_t count)
{
    if (out->code == PDR_OK)
        out->code = pdr_rows_statement(out->rows, sql, parameters, types, count, &out->err);
}

void pdr_write_fail(pdr_writer *out, const char *format, ...)
{
    char message[400];
    va_list args;
    if (out->code != PDR_OK) return;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    out->code = pdr_fail(&out->err, PDR_BAD_HANDLER, "%s", message);
}

static pdr_code end(const pdr_writer *writer, pdr_error *err)
{
    if (writer->code != PDR_OK && err) *err = writer->err;
    return writer->code;
}

static pdr_code project(pdr_projection *projection, const pdr_projected *event, pdr_rows *rows,
                        pdr_error *err)
{
    const pdr_projection_type *type = ((c_projection *)projection)->type;
    pdr_writer writer = {.rows = rows};
    type->handle(type->context, event, &writer);
    return end(&writer, err);
}

static pdr_code batch_end(pdr_projection *projection, pdr_rows *rows, pdr_error *err)
{
    const pdr_projection_type *type = ((c_projection *)projection)->type;
    pdr_writer writer = {.rows = rows};
    if (!type->batch_end) return PDR_OK;
    type->batch_end(type->context, &writer);
    return end(&writer, err);
}

static bool wants(const pdr_projection *projection, const pdr_type *type)
{
    (void)projection;
    (void)type;
    return true;
}

static void close_projection(pdr_projection *projection)
{
    pdr_free(projection);
}

static const pdr_projection_ops c_ops = {close_projection, project, batch_end, wants};

static bool is_name(const char *name)
{
    size_t size = name ? strlen(name) : 0;
    if (size == 0 || size > PDR_VIEW_MAX_NAME || (*name >= '0' && *name <= '9')) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

static pdr_code check_column(const pdr_table *table, size_t i, pdr_error *err)
{
    const pdr_column *column = &table->columns[i];
    if (!is_name(column->name) || (unsigned)column->type >= PDR_COLUMN_TYPES)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "table %s: column %zu has no good name or type",
                        table->name, i);
    if (column->type == PDR_COLUMN_NUMERIC && (column->precision < 1 || column->precision > 18 ||
                                               column->scale < 0 || column->scale > column->precision))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "table %s: column %s: a numeric has 1 to 18 digits",
                        table->name, column->name);
    for (size_t j = 0; j < i; j++)
        if (strcmp(table->columns[j].name, column->name) == 0)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "table %s has two columns %s", table->name,
                            column->name);
    return pdr_cell_check(column, &column->initial, err) == PDR_OK ? PDR_OK : PDR_INVALID_ARGUMENT;
}

static pdr_code check_table(const pdr_projection_type *type, size_t i, pdr_error *err)
{
    const pdr_table *table = &type->tables[i];
    pdr_code code = PDR_OK;
    if (!is_name(table->name))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "projection %s: table %zu has no good name", type->name,
                        i);
    if (!table->columns || table->key_count < 1 || table->key_count > PDR_VIEW_MAX_KEY ||
        table->column_count <= table->key_count || table->column_count > PDR_VIEW_MAX_COLUMNS ||
        (table->statement_count && !table->statements))
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "table %s: its columns, its key or its statements aren't right", table->name);
    for (size_t j = 0; j < i; j++)
        if (strcmp(type->tables[j].name, table->name) == 0)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "projection %s has two tables %s", type->name,
                            table->name);
    for (size_t j = 0; code == PDR_OK && j < table->column_count; j++)
        code = check_column(table, j, err);
    return code;
}

/* Tables and version: a handler's code can't be seen. */
static uint64_t fingerprint(const pdr_projection_type *type)
{
    uint64_t hash = type->version;
    for (size_t i = 0; i < type->table_count; i++) {
        const pdr_table *t = &type->tables[i];
        hash = XXH3_64bits_withSeed(t->name, strlen(t->name), hash + t->key_count + (t->shared ? 1000 : 0));
        for (size_t j = 0; j < t->column_count; j++) {
            const pdr_column *c = &t->columns[j];
            uint64_t seed = hash + (uint64_t)c->type * 1000003 +
                            (uint64_t)(c->precision * 100 + c->scale) * 31 + (c->not_null ? 7 : 0);
            hash = XXH3_64bits_withSeed(c->name, strlen(c->name), seed);
        }
    }
    return hash;
}

pdr_code pdr_projection_of(pdr_projection **out, const pdr_projection_type *type, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (!type || type->abi_size != sizeof *type)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "a projection was compiled with another version's headers");
    if (!is_name(type->name))
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "a projection's name is lower-case letters, digits and '_'");
    if (!type->handle || type->version < 1 || type->table_count > PDR_VIEW_MAX_TABLES ||
        (type->table_count && !type->tables))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "projection %s lacks a handler, a version or its tables",
                        type->name);
    for (size_t i = 0; code == PDR_OK && i < type->table_count; i++)
        code = check_table(type, i, err);
    if (code != PDR_OK) return code;
    c_projection *projection = pdr_calloc(1, sizeof *projection);
    if (!projection) return pdr_fail(err, PDR_NOMEM, "projection %s", type->name);
    projection->type = type;
    projection->base = (pdr_projection){.ops = &c_ops,
                                        .name = type->name,
                                        .version = type->version,
                                        .fingerprint = fingerprint(type),
                                        .tables = type->tables,
                                        .table_count = type->table_count};
    *out = &projection->base;
    return PDR_OK;
}
