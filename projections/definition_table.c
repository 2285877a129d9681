/* table NAME ( columns, primary key (...) ) key entity|shared (...) [index (...)] [run once $$...$$] ; */
#include <stdio.h>

#include "projections/definition.h"

enum { MAX_STATEMENTS = 32 };

typedef struct reading {
    pdr_definition *d;
    pdr_column *columns;
    size_t count;
    const char **statements;
    size_t statement_count;
} reading;

static bool take_int(pdr_definition *d, int least, int most, int *out)
{
    pdr_token token = d->lexer->token;
    int value = 0;
    bool good = token.kind == PDR_TOKEN_NUMBER && token.text.size <= 4;
    for (size_t i = 0; good && i < token.text.size; i++) {
        good = token.text.data[i] != '.';
        value = value * 10 + (token.text.data[i] - '0');
    }
    if (!good || value < least || value > most)
        return pdr_lexer_fail(d->lexer, &token, "a number from %d to %d is expected", least, most);
    *out = value;
    pdr_lexer_next(d->lexer);
    return !d->lexer->failed;
}

static bool read_numeric(pdr_definition *d, pdr_column *column)
{
    column->type = PDR_COLUMN_NUMERIC;
    if (!pdr_lexer_want(d->lexer, "(") || !take_int(d, 1, 18, &column->precision)) return false;
    if (pdr_lexer_take(d->lexer, ",") && !take_int(d, 0, column->precision, &column->scale)) return false;
    return pdr_lexer_want(d->lexer, ")");
}

static bool read_type(pdr_definition *d, pdr_column *column)
{
    static const struct {
        const char *word;
        pdr_column_type type;
    } types[] = {{"boolean", PDR_COLUMN_BOOLEAN},
                 {"integer", PDR_COLUMN_INTEGER},
                 {"bigint", PDR_COLUMN_BIGINT},
                 {"text", PDR_COLUMN_TEXT},
                 {"bytea", PDR_COLUMN_BYTEA},
                 {"date", PDR_COLUMN_DATE},
                 {"timestamptz", PDR_COLUMN_TIMESTAMPTZ}};
    pdr_lexer *l = d->lexer;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (pdr_lexer_take(l, types[i].word)) {
            column->type = types[i].type;
            return true;
        }
    if (pdr_lexer_take(l, "numeric")) return read_numeric(d, column);
    if (pdr_lexer_take(l, "double")) {
        column->type = PDR_COLUMN_DOUBLE;
        return pdr_lexer_want(l, "precision");
    }
    return pdr_lexer_fail(
        l, &l->token,
        "column %s: a type is expected: boolean, integer, bigint, numeric(p, s), double precision, "
        "text, bytea, date or timestamptz",
        column->name);
}

/* A constant: an expression in which nothing stands but literals. */
static bool read_default(pdr_definition *d, pdr_column *column)
{
    static const pdr_type none = {.name = "no event"};
    pdr_expr_scope scope = {.lexer = d->lexer, .arena = &d->arena, .event = &none, .own = SIZE_MAX};
    pdr_expr_input input = {.arena = &d->arena};
    pdr_token token = d->lexer->token;
    const pdr_ast *ast = pdr_expr_parse(d->lexer, &d->arena);
    if (!ast) return false;
    const pdr_ast *inner = ast->kind == PDR_AST_NEGATE ? ast->arguments[0] : ast;
    if (inner->kind > PDR_AST_TIMESTAMP) return pdr_lexer_fail(d->lexer, &token, "a default is a constant");
    const pdr_expr *expr = pdr_expr_bind(ast, &scope);
    if (expr) expr = pdr_expr_for_column(expr, column, &token, &scope);
    if (!expr) return false;
    pdr_error err;
    pdr_code code = pdr_expr_evaluate(expr, &input, &column->initial, &err);
    if (code == PDR_OK) code = pdr_cell_check(column, &column->initial, &err);
    if (code == PDR_OK) return true;
    return pdr_lexer_fail(d->lexer, &token, "%s", err.message);
}

static bool read_column(reading *r)
{
    pdr_definition *d = r->d;
    pdr_token token = d->lexer->token;
    if (r->count == PDR_VIEW_MAX_COLUMNS)
        return pdr_lexer_fail(d->lexer, &token, "a table has at most %d columns", PDR_VIEW_MAX_COLUMNS);
    pdr_column *column = &r->columns[r->count];
    *column = (pdr_column){.name = pdr_definition_name(d, "a column's name"), .initial = PDR_CELL_NULL};
    if (!column->name) return false;
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->columns[i].name, column->name) == 0)
            return pdr_lexer_fail(d->lexer, &token, "there are two columns %s", column->name);
    if (!read_type(d, column)) return false;
    r->count++;
    while (!d->lexer->failed) {
        if (pdr_lexer_take(d->lexer, "not")) {
            if (!pdr_lexer_want(d->lexer, "null")) return false;
            column->not_null = true;
        } else if (pdr_lexer_take(d->lexer, "default")) {
            if (!read_default(d, column)) return false;
        } else {
            return true;
        }
    }
    return false;
}

static bool find_column(reading *r, size_t *out)
{
    pdr_token token = r->d->lexer->token;
    for (size_t i = 0; i < r->count; i++)
        if (token.kind == PDR_TOKEN_WORD && pdr_token_is(&token, r->columns[i].name)) {
            *out = i;
            pdr_lexer_next(r->d->lexer);
            return !r->d->lexer->failed;
        }
    return pdr_lexer_fail(r->d->lexer, &token, "there is no column '%.*s'", (int)token.text.size,
                          token.text.data);
}

static bool read_primary_key(reading *r, pdr_table *table)
{
    pdr_lexer *l = r->d->lexer;
    if (!pdr_lexer_want(l, "key") || !pdr_lexer_want(l, "(")) return false;
    do {
        pdr_token token = l->token;
        size_t column;
        if (!find_column(r, &column)) return false;
        if (column != table->key_count || table->key_count == PDR_VIEW_MAX_KEY)
            return pdr_lexer_fail(l, &token,
                                  "the key's columns are the table's first ones, in their order, at most %d",
                                  PDR_VIEW_MAX_KEY);
        r->columns[column].not_null = true;
        table->key_count++;
    } while (pdr_lexer_take(l, ","));
    return pdr_lexer_want(l, ")");
}

static bool read_columns(reading *r, pdr_table *table)
{
    pdr_lexer *l = r->d->lexer;
    if (!pdr_lexer_want(l, "(")) return false;
    do {
        bool good = pdr_lexer_take(l, "primary") ? read_primary_key(r, table) : read_column(r);
        if (!good) return false;
    } while (pdr_lexer_take(l, ","));
    if (!pdr_lexer_want(l, ")")) return false;
    if (table->key_count == 0)
        return pdr_lexer_fail(l, &l->token, "table %s has no primary key", table->name);
    if (r->count == table->key_count)
        return pdr_lexer_fail(l, &l->token, "table %s has no column besides its key", table->name);
    return true;
}

static bool read_key(reading *r, pdr_table *table, pdr_written_table *written)
{
    pdr_lexer *l = r->d->lexer;
    if (!pdr_lexer_want(l, "key")) return false;
    table->shared = pdr_lexer_take(l, "shared");
    if (!table->shared && !pdr_lexer_want(l, "entity")) return false;
    written->key = pdr_definition_alloc(r->d, table->key_count, sizeof *written->key);
    if (!written->key || !pdr_lexer_want(l, "(")) return false;
    for (size_t i = 0; i < table->key_count; i++) {
        if (i > 0 && !pdr_lexer_want(l, ",")) return false;
        written->key[i] = pdr_expr_parse(l, &r->d->arena);
        if (!written->key[i]) return false;
        if (pdr_ast_reads(written->key[i], NULL, NULL))
            return pdr_lexer_fail(l, &written->key[i]->token, "a key is made from the event, not from rows");
    }
    return pdr_lexer_want(l, ")");
}

static bool add_statement(reading *r, const char *text, size_t size)
{
    if (r->statement_count == MAX_STATEMENTS)
        return pdr_lexer_fail(r->d->lexer, &r->d->lexer->token,
                              "a table has at most %d indexes and statements", MAX_STATEMENTS);
    char *copy = pdr_definition_alloc(r->d, size + 1, 1);
    if (!copy) return false;
    memcpy(copy, text, size);
    r->statements[r->statement_count++] = copy;
    return true;
}

static bool read_index(reading *r)
{
    char sql[PDR_VIEW_MAX_KEY * (PDR_VIEW_MAX_NAME + 4) + 100];
    pdr_lexer *l = r->d->lexer;
    size_t columns = 0;
    int size =
        snprintf(sql, sizeof sql, "create index \"{table}_%zu\" on \"{table}\" (", r->statement_count + 1);
    if (!pdr_lexer_want(l, "(")) return false;
    do {
        size_t column;
        if (columns == PDR_VIEW_MAX_KEY)
            return pdr_lexer_fail(l, &l->token, "an index has at most %d columns", PDR_VIEW_MAX_KEY);
        if (!find_column(r, &column)) return false;
        size += snprintf(sql + size, sizeof sql - (size_t)size, "%s\"%s\"", columns++ ? ", " : "",
                         r->columns[column].name);
    } while (pdr_lexer_take(l, ","));
    size += snprintf(sql + size, sizeof sql - (size_t)size, ")");
    return pdr_lexer_want(l, ")") && add_statement(r, sql, (size_t)size);
}

static bool read_once(reading *r)
{
    pdr_lexer *l = r->d->lexer;
    if (!pdr_lexer_want(l, "once")) return false;
    pdr_token token = l->token;
    if (token.kind != PDR_TOKEN_BODY)
        return pdr_lexer_fail(l, &token, "a statement between $$ and $$ is expected");
    pdr_lexer_next(l);
    return add_statement(r, token.text.data, token.text.size);
}

static bool read_rest(reading *r)
{
    pdr_lexer *l = r->d->lexer;
    while (!l->failed && !pdr_lexer_take(l, ";")) {
        if (pdr_lexer_take(l, "index")) {
            if (!read_index(r)) return false;
        } else if (pdr_lexer_take(l, "run")) {
            if (!read_once(r)) return false;
        } else {
            return pdr_lexer_want(l, ";");
        }
    }
    return !l->failed;
}

bool pdr_definition_table(pdr_definition *d)
{
    pdr_token token = d->lexer->token;
    if (d->base.table_count == PDR_VIEW_MAX_TABLES)
        return pdr_lexer_fail(d->lexer, &token, "a projection has at most %d tables", PDR_VIEW_MAX_TABLES);
    pdr_table *table = &d->tables[d->base.table_count];
    pdr_written_table *written = &d->written[d->base.table_count];
    reading r = {.d = d,
                 .columns = pdr_definition_alloc(d, PDR_VIEW_MAX_COLUMNS, sizeof(pdr_column)),
                 .statements = pdr_definition_alloc(d, MAX_STATEMENTS, sizeof(char *))};
    *written = (pdr_written_table){.token = token};
    *table = (pdr_table){.name = pdr_definition_name(d, "the table's name"), .columns = r.columns};
    if (!r.columns || !r.statements || !table->name) return false;
    static const char *const taken[] = {"event", "entity", "old"};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (strcmp(table->name, taken[i]) == 0)
            return pdr_lexer_fail(d->lexer, &token, "a table can't be called %s: the language uses the word",
                                  taken[i]);
    for (size_t i = 0; i < d->base.table_count; i++)
        if (strcmp(d->tables[i].name, table->name) == 0)
            return pdr_lexer_fail(d->lexer, &token, "there are two tables %s", table->name);
    if (!read_columns(&r, table) || !read_key(&r, table, written) || !read_rest(&r)) return false;
    table->column_count = r.count;
    table->statements = r.statements;
    table->statement_count = r.statement_count;
    d->base.table_count++;
    return true;
}
