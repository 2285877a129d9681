#include "projections/views.h"

#include <ctype.h>

#include "perdure/sys/wire.h"

pdr_code pdr_views_ops_validate(const pdr_views_ops *o, pdr_error *err)
{
    bool whole = o->name && o->close && o->init && o->create && o->drop && o->reset && o->swap &&
                 o->set_paused && o->set_throttle && o->set_fault && o->versions && o->positions &&
                 o->dead_letters && o->request && o->requests && o->scan && o->verify && o->fetch &&
                 o->commit && o->forget && o->poll && o->wait_on;
    if (whole) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "views backend %s lacks an operation",
                    o->name ? o->name : "(unnamed)");
}

/* --- Statements --- */

/* Behind blanks and comments; a comment that isn't closed leaves nothing. */
static const char *first_word(const char *sql)
{
    for (;;) {
        while (isspace((unsigned char)*sql))
            sql++;
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
        } else if (sql[0] == '/' && sql[1] == '*') {
            const char *end = strstr(sql + 2, "*/");
            if (!end) return "";
            sql = end + 2;
        } else {
            return sql;
        }
    }
}

pdr_code pdr_view_statement_check(const char *sql, pdr_error *err)
{
    static const char *const allowed[] = {"insert", "update", "delete", "merge", "select", "with"};
    const char *word = first_word(sql);
    size_t size = 0;
    while (isalpha((unsigned char)word[size]))
        size++;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        size_t at = 0;
        while (at < size && tolower((unsigned char)word[at]) == allowed[i][at])
            at++;
        if (at == size && allowed[i][at] == '\0') return PDR_OK;
    }
    return pdr_fail(
        err, PDR_BAD_VIEW,
        "a statement of a batch begins with insert, update, delete, merge, select or with, not '%.*s'",
        size < 40 ? (int)size : 40, word);
}

/* --- Text --- */

bool pdr_view_is_text(pdr_bytes bytes)
{
    return pdr_wire_utf8(bytes.data, bytes.size);
}

/* Bytes of the character that begins here; 0: none does. */
static size_t character(const uint8_t *at, size_t left)
{
    for (size_t size = 1; size <= 4 && size <= left; size++)
        if (*at && pdr_wire_utf8(at, size)) return size;
    return 0;
}

pdr_string pdr_view_text(pdr_arena *arena, pdr_bytes bytes)
{
    pdr_string copy = pdr_arena_string(arena, (pdr_string){(const char *)bytes.data, bytes.size});
    char *text = (char *)(uintptr_t)copy.data;
    for (size_t i = 0; text && i < bytes.size;) {
        size_t size = character(bytes.data + i, bytes.size - i);
        if (size == 0) text[i] = '?';
        i += size ? size : 1;
    }
    return copy;
}

/* --- Changes of rows --- */

static bool is_zero(const pdr_column *column)
{
    return column->type == PDR_COLUMN_DOUBLE ? column->initial.as.real == 0 : column->initial.as.integer == 0;
}

static bool takes(const pdr_table *table, const pdr_column *column, uint8_t mode)
{
    switch (mode) {
    case PDR_CELL_KEEP: return true;
    case PDR_CELL_SET: return !table->shared;
    case PDR_CELL_ADD: return !column->initial.null && (column->type != PDR_COLUMN_DOUBLE || is_zero(column));
    case PDR_CELL_GREATEST:
    case PDR_CELL_LEAST: return table->shared || column->initial.null;
    default: return false;
    }
}

pdr_code pdr_row_change_check(const pdr_table *table, const pdr_row_change *row, pdr_error *err)
{
    if (row->remove && table->shared)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "table %s is shared: its rows can't be removed",
                        table->name);
    for (size_t i = table->key_count; !row->remove && i < table->column_count; i++)
        if (!takes(table, &table->columns[i], row->modes[i - table->key_count]))
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "table %s: column %s takes no change of kind %u",
                            table->name, table->columns[i].name, row->modes[i - table->key_count]);
    return PDR_OK;
}
