/* Text of statements. Names were checked when the projection was read: letters, digits, '_'. */
#include <stdarg.h>
#include <stdio.h>
#include <xxhash.h>

#include "backends/sqlite/sqlite_views_internal.h"
#include "base/mem.h"
#include "projections/cell.h"

void pdr_sqv_add(views_sql *sql, const char *format, ...)
{
    char text[1024];
    va_list args;
    if (sql->code != PDR_OK) return;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    PDR_INVARIANT("sql-part-fits", size >= 0 && (size_t)size < sizeof text);
    sql->code = pdr_buf_append(&sql->text, text, (size_t)size);
}

void pdr_sqv_sql_release(views_sql *sql)
{
    pdr_buf_release(&sql->text);
}

const char *pdr_sqv_text(views_sql *sql)
{
    if (sql->code == PDR_OK) sql->code = pdr_buf_append(&sql->text, "", 1);
    return sql->code == PDR_OK ? (const char *)sql->text.data : NULL;
}

void pdr_sqv_add_table(views_sql *sql, const pdr_version_spec *spec, size_t table)
{
    pdr_sqv_add(sql, "\"%s__v%u\"", spec->tables[table].name, spec->version);
}

void pdr_sqv_add_columns(views_sql *sql, const pdr_table *table, size_t from, size_t to, const char *before)
{
    for (size_t i = from; i < to; i++)
        pdr_sqv_add(sql, "%s%s\"%s\"", i > from ? ", " : "", before, table->columns[i].name);
}

void pdr_sqv_add_type(views_sql *sql, const pdr_column *column)
{
    if (column->type == PDR_COLUMN_NUMERIC)
        pdr_sqv_add(sql, "numeric(%d,%d)", column->precision, column->scale);
    else
        pdr_sqv_add(sql, "%s",
                    column->type == PDR_COLUMN_BYTEA ? "blob" : pdr_column_type_name(column->type));
}

/* --- Making tables --- */

static void add_bytes(views_sql *sql, const pdr_cell *cell, bool text)
{
    pdr_bytes bytes = cell->as.bytes;
    pdr_sqv_add(sql, text ? "'" : "x'");
    for (size_t i = 0; i < bytes.size; i++) {
        if (!text)
            pdr_sqv_add(sql, "%02x", bytes.data[i]);
        else
            pdr_sqv_add(sql, bytes.data[i] == '\'' ? "''" : "%c", bytes.data[i]);
    }
    pdr_sqv_add(sql, "'");
}

static void add_constant(views_sql *sql, const pdr_column *column)
{
    const pdr_cell *cell = &column->initial;
    switch (column->type) {
    case PDR_COLUMN_BOOLEAN: pdr_sqv_add(sql, "%d", cell->as.boolean); break;
    case PDR_COLUMN_DOUBLE: pdr_sqv_add(sql, "(%.17g)", cell->as.real); break;
    case PDR_COLUMN_TEXT: add_bytes(sql, cell, true); break;
    case PDR_COLUMN_BYTEA: add_bytes(sql, cell, false); break;
    default: pdr_sqv_add(sql, "(%lld)", (long long)cell->as.integer);
    }
}

void pdr_sqv_add_create(views_sql *sql, const pdr_version_spec *spec, size_t index)
{
    const pdr_table *table = &spec->tables[index];
    pdr_sqv_add(sql, "CREATE TABLE ");
    pdr_sqv_add_table(sql, spec, index);
    pdr_sqv_add(sql, " (");
    for (size_t i = 0; i < table->column_count; i++) {
        const pdr_column *column = &table->columns[i];
        pdr_sqv_add(sql, "%s\"%s\" ", i ? ", " : "", column->name);
        pdr_sqv_add_type(sql, column);
        if (column->not_null || i < table->key_count) pdr_sqv_add(sql, " NOT NULL");
        if (column->initial.null || i < table->key_count) continue;
        pdr_sqv_add(sql, " DEFAULT ");
        add_constant(sql, column);
    }
    pdr_sqv_add(sql, ", PRIMARY KEY (");
    pdr_sqv_add_columns(sql, table, 0, table->key_count, "");
    pdr_sqv_add(sql, "))");
}

/* What is kept as an integer is shown as people write it. */
static void add_shown(views_sql *sql, const pdr_column *column)
{
    const char *c = column->name;
    long long unit = 1;
    for (int i = 0; i < column->scale; i++)
        unit *= 10;
    if (column->type == PDR_COLUMN_NUMERIC && column->scale > 0)
        pdr_sqv_add(sql,
                    "CASE WHEN \"%s\" < 0 THEN '-' ELSE '' END || (abs(\"%s\") / %lld) || '.' || "
                    "printf('%%0%dd', abs(\"%s\") %% %lld) AS \"%s\"",
                    c, c, unit, column->scale, c, unit, c);
    else if (column->type == PDR_COLUMN_DATE)
        pdr_sqv_add(sql, "coalesce(date(\"%s\" * 86400, 'unixepoch'), \"%s\") AS \"%s\"", c, c, c);
    else if (column->type == PDR_COLUMN_TIMESTAMPTZ)
        pdr_sqv_add(sql,
                    "coalesce(strftime('%%Y-%%m-%%d %%H:%%M:%%S', (\"%s\" - ((\"%s\" %% 1000000) + 1000000) "
                    "%% 1000000) / 1000000, 'unixepoch') || printf('.%%06d+00', ((\"%s\" %% 1000000) + "
                    "1000000) %% 1000000), \"%s\") AS \"%s\"",
                    c, c, c, c, c);
    else
        pdr_sqv_add(sql, "\"%s\"", c);
}

void pdr_sqv_add_view(views_sql *sql, const pdr_version_spec *spec, size_t index)
{
    const pdr_table *table = &spec->tables[index];
    pdr_sqv_add(sql, "CREATE VIEW \"%s\" AS SELECT ", table->name);
    for (size_t i = 0; i < table->column_count; i++) {
        if (i) pdr_sqv_add(sql, ", ");
        add_shown(sql, &table->columns[i]);
    }
    pdr_sqv_add(sql, " FROM ");
    pdr_sqv_add_table(sql, spec, index);
}

/* --- "{name}" --- */

static size_t find_table(const pdr_version_spec *spec, const char *name, size_t size, size_t own)
{
    if (size == 5 && memcmp(name, "table", 5) == 0 && own != SIZE_MAX) return own;
    for (size_t i = 0; i < spec->table_count; i++)
        if (strlen(spec->tables[i].name) == size && memcmp(spec->tables[i].name, name, size) == 0) return i;
    return SIZE_MAX;
}

pdr_code pdr_sqv_expand(views_sql *sql, const char *text, const pdr_version_spec *spec, size_t own,
                        pdr_error *err)
{
    const char *at = text;
    for (const char *open; sql->code == PDR_OK && (open = strchr(at, '{')) && strchr(open, '}');) {
        const char *close = strchr(open, '}');
        size_t table = find_table(spec, open + 1, (size_t)(close - open - 1), own);
        if (table == SIZE_MAX)
            return pdr_fail(err, PDR_BAD_VIEW, "projection %s has no table %.*s", spec->projection,
                            (int)(close - open + 1), open);
        sql->code = pdr_buf_append(&sql->text, at, (size_t)(open - at));
        if (open > text && open[-1] == '"')
            pdr_sqv_add(sql, "%s__v%u", spec->tables[table].name, spec->version);
        else
            pdr_sqv_add_table(sql, spec, table);
        at = close + 1;
    }
    if (sql->code == PDR_OK) sql->code = pdr_buf_append(&sql->text, at, strlen(at));
    return sql->code == PDR_OK ? PDR_OK : pdr_fail(err, sql->code, "a statement");
}

pdr_code pdr_sqv_check_statement(const pdr_version_spec *spec, const char *text, pdr_error *err)
{
    views_sql sql = VIEWS_SQL_INIT;
    pdr_code code = pdr_view_statement_check(text, err);
    if (code == PDR_OK) code = pdr_sqv_expand(&sql, text, spec, SIZE_MAX, err);
    pdr_sqv_sql_release(&sql);
    return code;
}

/* --- Kept statements --- */

void pdr_sqv_forget_statements(sqlite_views *v)
{
    for (size_t i = 0; i < VIEWS_SLOTS; i++) {
        for (views_statement *s = v->statements[i], *next; s; s = next) {
            next = s->next;
            sqlite3_finalize(s->statement);
            pdr_free(s);
        }
        v->statements[i] = NULL;
    }
    v->statement_count = 0;
}

int pdr_sqv_statement(sqlite_views *v, const char *sql, sqlite3_stmt **out)
{
    size_t size = strlen(sql);
    uint64_t hash = XXH3_64bits(sql, size);
    views_statement **slot = &v->statements[hash % VIEWS_SLOTS];
    for (views_statement *s = *slot; s; s = s->next) {
        if (s->hash != hash || strcmp(s->sql, sql) != 0) continue;
        *out = s->statement;
        return SQLITE_OK;
    }
    views_statement *s = pdr_calloc(1, sizeof *s + size + 1);
    if (!s) return SQLITE_NOMEM;
    const char *rest = "";
    int rc = sqlite3_prepare_v3(v->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->statement, &rest);
    bool one = rest[strspn(rest, "; \t\r\n")] == 0;
    if (rc != SQLITE_OK || !s->statement || !one) {
        sqlite3_finalize(s->statement);
        pdr_free(s);
        return rc == SQLITE_OK ? SQLITE_ERROR : rc;
    }
    s->hash = hash;
    memcpy(s->sql, sql, size);
    s->next = *slot;
    *slot = s;
    v->statement_count++;
    *out = s->statement;
    return SQLITE_OK;
}

pdr_code pdr_sqv_fail(sqlite_views *v, int rc, bool preparing, const char *doing, pdr_error *err)
{
    pdr_code code = pdr_sqlite_code(rc);
    int kind = rc & 0xff;
    if (kind == SQLITE_CONSTRAINT || kind == SQLITE_MISMATCH || kind == SQLITE_TOOBIG) code = PDR_BAD_DATA;
    if (kind == SQLITE_ERROR) code = preparing ? PDR_BAD_VIEW : PDR_BAD_DATA;
    if (code == PDR_FATAL) code = PDR_BAD_VIEW;
    return pdr_fail_backend(err, code, rc, "%s: %s", doing, sqlite3_errmsg(v->db));
}
