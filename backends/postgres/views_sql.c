/* Names and constants in SQL. Names were checked when the projection was read: letters, digits, '_'. */
#include "backends/postgres/views_op.h"
#include "backends/postgres/views_values.h"

pdr_code pdr_pgv_sql_table(pdr_buf *sql, const pdr_pgv_names *names, const pdr_version_spec *spec,
                           size_t table)
{
    return pdr_buf_printf(sql, "%s.\"%s__v%u\"", names->view_schema, spec->tables[table].name, spec->version);
}

static size_t find_table(const pdr_version_spec *spec, const char *name, size_t size, size_t own)
{
    if (size == 5 && memcmp(name, "table", 5) == 0) return own;
    for (size_t i = 0; i < spec->table_count; i++)
        if (strlen(spec->tables[i].name) == size && memcmp(spec->tables[i].name, name, size) == 0) return i;
    return SIZE_MAX;
}

static pdr_code put_name(pdr_buf *sql, const char *text, const char *open, const pdr_pgv_names *names,
                         const pdr_version_spec *spec, size_t table)
{
    bool quoted = open > text && open[-1] == '"';
    if (!quoted) return pdr_pgv_sql_table(sql, names, spec, table);
    return pdr_buf_printf(sql, "%s__v%u", spec->tables[table].name, spec->version);
}

/* "{table}" in quotes: the name alone, behind its schema unless it names an index. */
static pdr_code put_schema(pdr_buf *sql, const char *text, const char *open, const char *close,
                           const pdr_pgv_names *names)
{
    bool whole = open > text && open[-1] == '"' && close[1] == '"';
    if (!whole) return PDR_OK;
    sql->size--; /* the quote is there already */
    return pdr_buf_printf(sql, "%s.\"", names->view_schema);
}

pdr_code pdr_pgv_sql_expand(pdr_buf *sql, const char *text, const pdr_pgv_names *names,
                            const pdr_version_spec *spec, size_t own, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (const char *at = text; code == PDR_OK && *at;) {
        const char *open = strchr(at, '{'), *close = open ? strchr(open, '}') : NULL;
        if (!close) return pdr_buf_append(sql, at, strlen(at));
        size_t table = find_table(spec, open + 1, (size_t)(close - open - 1), own);
        if (table >= spec->table_count)
            return pdr_fail(err, PDR_BAD_VIEW, "projection %s has no table %.*s", spec->projection,
                            (int)(close - open + 1), open);
        code = pdr_buf_append(sql, at, (size_t)(open - at));
        if (code == PDR_OK) code = put_schema(sql, text, open, close, names);
        if (code == PDR_OK) code = put_name(sql, text, open, names, spec, table);
        at = close + 1;
    }
    return code;
}

static pdr_code put_quoted(pdr_buf *sql, pdr_bytes bytes)
{
    pdr_code code = pdr_buf_append(sql, "'", 1);
    for (size_t i = 0; code == PDR_OK && i < bytes.size; i++)
        code = bytes.data[i] == '\'' ? pdr_buf_append(sql, "''", 2) : pdr_buf_append(sql, &bytes.data[i], 1);
    return code == PDR_OK ? pdr_buf_append(sql, "'", 1) : code;
}

static pdr_code put_hex(pdr_buf *sql, pdr_bytes bytes)
{
    pdr_code code = pdr_buf_append(sql, "'\\x", 3);
    for (size_t i = 0; code == PDR_OK && i < bytes.size; i++)
        code = pdr_buf_printf(sql, "%02x", bytes.data[i]);
    return code == PDR_OK ? pdr_buf_append(sql, "'", 1) : code;
}

pdr_code pdr_pgv_sql_constant(pdr_buf *sql, const pdr_column *column, const pdr_cell *cell)
{
    pdr_code code = PDR_OK;
    if (cell->null) return pdr_buf_printf(sql, "NULL");
    switch (column->type) {
    case PDR_COLUMN_BOOLEAN: return pdr_buf_printf(sql, "%s", cell->as.boolean ? "true" : "false");
    case PDR_COLUMN_NUMERIC:
        code = pdr_buf_printf(sql, "%llde-%d", (long long)cell->as.integer, column->scale);
        break;
    case PDR_COLUMN_DOUBLE: code = pdr_buf_printf(sql, "'%.17g'", cell->as.real); break;
    case PDR_COLUMN_TEXT: code = put_quoted(sql, cell->as.bytes); break;
    case PDR_COLUMN_BYTEA: code = put_hex(sql, cell->as.bytes); break;
    case PDR_COLUMN_DATE:
        return pdr_buf_printf(sql, "(date '1970-01-01' + %lld)", (long long)cell->as.integer);
    case PDR_COLUMN_TIMESTAMPTZ:
        return pdr_buf_printf(sql, "(timestamptz '1970-01-01 00:00:00+00' + interval '%lld microseconds')",
                              (long long)cell->as.integer);
    default:
        return pdr_buf_printf(sql, "(%lld)::%s", (long long)cell->as.integer,
                              pdr_pgv_type_name(column->type));
    }
    return code == PDR_OK ? pdr_buf_printf(sql, "::%s", pdr_pgv_type_name(column->type)) : code;
}
