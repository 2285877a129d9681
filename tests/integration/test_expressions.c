/* The language of declarative projections against PostgreSQL's own evaluation: expressions made at random
 * over rows made at random. Each gives the same value on both sides, or an error on both; ours alone only
 * where a numeric has more than 18 digits. PERDURE_TEST_SIZE=full: more of them; PERDURE_TEST_SEED. */
#include <criterion/criterion.h>
#include <libpq-fe.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "projections/expr.h"
#include "projections/rows.h"
#include "tests/contract/contract.h"
#include "tests/support/made_expression.h"

enum {
    ROWS = 24,
    EXPRESSIONS = 250,
    FULL_EXPRESSIONS = 10000,
    FOLDS = 400,
    TEXT = 600,
    SQL_TEXT = 2 * MADE_TEXT
};

static PGconn *pg;
static choices chosen;
static pdr_cell rows[ROWS][MADE_COLUMNS];

/* Its length; it must fit. */
static size_t print_text(char *out, size_t size, const char *format, ...) PDR_PRINTF(3, 4);
static size_t print_text(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(out, size, format, args);
    va_end(args);
    cr_assert(length >= 0 && (size_t)length < size);
    return (size_t)length;
}

const char *pdr_contract_skip(void)
{
    const char *url = getenv("PERDURE_TEST_POSTGRES");
    return url && *url ? NULL : "PERDURE_TEST_POSTGRES isn't set";
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static PGresult *query(const char *sql, const char *parameter)
{
    PGresult *result = PQexecParams(pg, sql, parameter ? 1 : 0, NULL, &parameter, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    cr_assert(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK, "%s\n%s", PQerrorMessage(pg),
              parameter ? parameter : sql);
    return result;
}

static void run(const char *sql)
{
    PQclear(query(sql, NULL));
}

static void make_table(void)
{
    char sql[4000];
    size_t used = print_text(sql, sizeof sql, "create temp table v (one boolean");
    for (size_t i = 0; i < MADE_COLUMNS; i++) {
        const pdr_column *column = &made_table.columns[i];
        char type[40];
        used += print_text(sql + used, sizeof sql - used, ", %s %s%s", column->name,
                           made_sql_type(column, type, sizeof type),
                           column->type == PDR_COLUMN_TEXT ? " collate \"C\"" : "");
    }
    print_text(sql + used, sizeof sql - used, ")");
    run(sql);
}

static void make_row(size_t row)
{
    char sql[8000], cell[400];
    size_t used = print_text(sql, sizeof sql, "insert into v values (true, '%03zu'", row);
    for (size_t i = 1; i < MADE_COLUMNS; i++) {
        rows[row][i] = made_cell(&made_table.columns[i], &chosen);
        made_cell_sql(cell, sizeof cell, &made_table.columns[i], &rows[row][i]);
        used += print_text(sql + used, sizeof sql - used, ", %s", cell);
    }
    print_text(sql + used, sizeof sql - used, ")");
    run(sql);
}

static void open_server(void)
{
    pg = PQconnectdb(getenv("PERDURE_TEST_POSTGRES"));
    cr_assert_eq(PQstatus(pg), CONNECTION_OK, "%s", PQerrorMessage(pg));
    chosen = choices_of_seed(setting("PERDURE_TEST_SEED", 5));
    run("set timezone = 'America/New_York'"); /* nothing rests on the session's zone */
    run("create function pg_temp.attempt(e text, row_id text) returns text language plpgsql as $$"
        " declare r text; begin execute 'select ' || e || ' from v where v.id = $1' into r using row_id;"
        " return coalesce('=' || r, 'null');"
        " exception when data_exception then return '!' || sqlstate; end $$");
    make_table();
    for (size_t i = 0; i < ROWS; i++)
        make_row(i);
}

static void close_server(void)
{
    PQfinish(pg);
}

TestSuite(expressions, .init = open_server, .fini = close_server);

/* --- Values as text --- */

/* SQL for a text that says the value exactly. */
static void exact_sql(char *out, size_t size, pdr_column_type type, const char *value)
{
    const char *form = type == PDR_COLUMN_DOUBLE        ? "encode(float8send((%s)::double precision), 'hex')"
                       : type == PDR_COLUMN_TEXT        ? "encode(convert_to(%s, 'UTF8'), 'hex')"
                       : type == PDR_COLUMN_BYTEA       ? "encode(%s, 'hex')"
                       : type == PDR_COLUMN_DATE        ? "((%s) - date '1970-01-01')::text"
                       : type == PDR_COLUMN_TIMESTAMPTZ ? "encode(timestamptz_send(%s), 'hex')"
                                                        : "(%s)::text";
    const char *slot = strstr(form, "%s");
    print_text(out, size, "%.*s%s%s", (int)(slot - form), form, value, slot + 2);
}

static void trim_zeros(char *text)
{
    if (!strchr(text, '.')) return;
    size_t size = strlen(text);
    while (text[size - 1] == '0')
        text[--size] = 0;
    if (text[size - 1] == '.') text[size - 1] = 0;
}

static void print_numeric(char *out, size_t size, int64_t value, int scale)
{
    char digits[40];
    print_text(digits, sizeof digits, "%0*llu", scale + 1,
               (unsigned long long)(value < 0 ? -(uint64_t)value : (uint64_t)value));
    size_t whole = strlen(digits) - (size_t)scale;
    print_text(out, size, "=%s%.*s.%s", value < 0 ? "-" : "", (int)whole, digits, digits + whole);
    trim_zeros(out);
}

static void print_hex(char *out, size_t size, pdr_bytes bytes)
{
    size_t used = print_text(out, size, "=");
    for (size_t i = 0; i < bytes.size; i++)
        used += print_text(out + used, size - used, "%02x", bytes.data[i]);
}

static void print_cell(char *out, size_t size, pdr_column_type type, int scale, const pdr_cell *cell)
{
    uint64_t bits;
    if (cell->null) {
        print_text(out, size, "null");
        return;
    }
    switch (type) {
    case PDR_COLUMN_BOOLEAN: print_text(out, size, cell->as.boolean ? "=true" : "=false"); break;
    case PDR_COLUMN_NUMERIC: print_numeric(out, size, cell->as.integer, scale); break;
    case PDR_COLUMN_DOUBLE:
        memcpy(&bits, &cell->as.real, sizeof bits);
        print_text(out, size, isnan(cell->as.real) ? "=nan" : "=%016llx", (unsigned long long)bits);
        break;
    case PDR_COLUMN_TEXT:
    case PDR_COLUMN_BYTEA: print_hex(out, size, cell->as.bytes); break;
    case PDR_COLUMN_TIMESTAMPTZ: /* counted from 2000 there */
        print_text(out, size, "=%016llx",
                   (unsigned long long)((uint64_t)cell->as.integer - UINT64_C(946684800000000)));
        break;
    default: print_text(out, size, "=%lld", (long long)cell->as.integer);
    }
}

/* What the server said, in the same form. */
static void tidy(char *out, size_t size, pdr_column_type type, const char *said)
{
    print_text(out, size, "%s", said);
    if (*said != '=') return;
    if (type == PDR_COLUMN_NUMERIC) trim_zeros(out);
    uint64_t bits = type == PDR_COLUMN_DOUBLE ? strtoull(said + 1, NULL, 16) : 0;
    if ((bits & ~(UINT64_C(1) << 63)) > UINT64_C(0x7ff0000000000000)) print_text(out, size, "=nan");
}

/* --- One expression on all rows --- */

typedef struct tally {
    unsigned expressions, refused, values, nulls, errors, ceilings;
} tally;

static pdr_code row_of(void *context, size_t table, const pdr_cell **cells, pdr_error *err)
{
    (void)err;
    cr_assert_eq(table, 0u);
    *cells = (const pdr_cell *)context + 1;
    return PDR_OK;
}

static const pdr_column *column_for(pdr_expr_type type)
{
    for (;;) {
        const pdr_column *column = &made_table.columns[1 + choose(&chosen, MADE_COLUMNS - 1)];
        bool integer = type.type == PDR_COLUMN_BIGINT || type.type == PDR_COLUMN_NUMERIC;
        bool number = integer || type.type == PDR_COLUMN_DOUBLE;
        if (column->type == type.type || (number && column->type == PDR_COLUMN_DOUBLE) ||
            (integer && column->type == PDR_COLUMN_NUMERIC) ||
            (type.type == PDR_COLUMN_BIGINT && column->type == PDR_COLUMN_INTEGER))
            return column;
    }
}

/* NULL: the language refuses it, which is right for what may have more than 18 digits after the point. */
static const pdr_expr *bind(const char *text, pdr_arena *arena, const pdr_column **column)
{
    pdr_error err = {.message = ""};
    pdr_lexer lexer;
    pdr_lexer_init(&lexer, "made", pdr_string_of(text), &err);
    pdr_token token = lexer.token;
    pdr_expr_scope scope = {.lexer = &lexer, .arena = arena, .tables = &made_table, .table_count = 1};
    const pdr_ast *ast = pdr_expr_parse(&lexer, arena);
    const pdr_expr *expr = ast ? pdr_expr_bind(ast, &scope) : NULL;
    if (!expr)
        cr_assert(strstr(err.message, "more than 18 digits"), "%s\n%s", err.message, text);
    else if (choose(&chosen, 3) == 0 && !pdr_expr_type_of(expr).null_only) {
        *column = column_for(pdr_expr_type_of(expr));
        expr = pdr_expr_for_column(expr, *column, &token, &scope);
        cr_assert(expr, "%s\n%s", err.message, text);
    }
    return expr;
}

static void compare(const made_expression *made, const char *sql, size_t row, const char *ours,
                    const char *theirs, const pdr_error *err, tally *t)
{
    if (*ours == '!' && *theirs != '!' && strcmp(err->message, "numeric out of range") == 0) {
        t->ceilings++;
        return;
    }
    t->errors += *ours == '!';
    t->nulls += *ours == 'n';
    t->values += *ours == '=';
    bool same = *ours == '!' ? *theirs == '!' : strcmp(ours, theirs) == 0;
    cr_expect(same, "row %zu: ours %s %s, PostgreSQL's %s\n%s\n%s", row, ours,
              *ours == '!' ? err->message : "", theirs, made->ours, sql);
}

static void compare_rows(const made_expression *made, tally *t)
{
    char inner[SQL_TEXT], cast[MADE_TEXT + 100], type[40], ours[TEXT], theirs[TEXT];
    pdr_arena arena = PDR_ARENA_INIT(1 << 24);
    const pdr_column *column = NULL;
    const pdr_expr *expr = bind(made->ours, &arena, &column);
    t->expressions++;
    if (!expr) t->refused++;
    pdr_expr_type out = expr ? pdr_expr_type_of(expr) : (pdr_expr_type){.type = PDR_COLUMN_BIGINT};
    if (column)
        print_text(cast, sizeof cast, "(%s)::%s", made->sql, made_sql_type(column, type, sizeof type));
    else
        print_text(cast, sizeof cast, "%s", made->sql);
    exact_sql(inner, sizeof inner, out.type, cast);
    PGresult *result = expr ? query("select pg_temp.attempt($1, v.id) from v order by v.id", inner) : NULL;
    for (size_t row = 0; expr && row < ROWS; row++) {
        pdr_projected event = {0};
        pdr_expr_input input = {.event = &event, .row = row_of, .context = rows[row], .arena = &arena};
        pdr_cell cell;
        pdr_error err = {.message = ""};
        pdr_code code = pdr_expr_evaluate(expr, &input, &cell, &err);
        if (code == PDR_OK && column) code = pdr_cell_check(column, &cell, &err);
        cr_assert(code == PDR_OK || code == PDR_BAD_DATA);
        if (code == PDR_OK)
            print_cell(ours, sizeof ours, out.type, out.scale, &cell);
        else
            print_text(ours, sizeof ours, "!");
        tidy(theirs, sizeof theirs, out.type, PQgetvalue(result, (int)row, 0));
        compare(made, inner, row, ours, theirs, &err, t);
    }
    PQclear(result);
    pdr_arena_release(&arena);
}

Test(expressions, values_and_errors_are_those_of_postgresql, .timeout = 3000)
{
    static made_expression made;
    tally t = {0};
    const char *size = getenv("PERDURE_TEST_SIZE");
    uint64_t count = size && strcmp(size, "full") == 0 ? FULL_EXPRESSIONS : EXPRESSIONS;
    while (t.expressions < count) {
        made_expression_make(&made, &chosen);
        if (!made.too_long) compare_rows(&made, &t);
    }
    fprintf(stderr,
            "%u expressions (%u refused for their digits) on %d rows: %u values, %u NULLs, %u errors on both "
            "sides, %u numerics beyond 18 digits\n",
            t.expressions, t.refused, ROWS, t.values, t.nulls, t.errors, t.ceilings);
    cr_expect_gt(t.values, 10 * t.expressions);
    cr_expect_gt(t.errors, t.expressions / 4);
    cr_expect_lt(t.ceilings, 3 * t.expressions);
}

/* --- Folds --- */

enum { STEPS = 6 };

/* Changes of one column, folded in memory, laid over a row's value. */
static pdr_code folded(const pdr_table *table, const pdr_cell *value, const pdr_cell_mode *modes,
                       const pdr_cell *cells, size_t count, pdr_cell *out, pdr_error *err)
{
    const pdr_view_step *steps;
    size_t step_count;
    pdr_rows *folding;
    pdr_cell key = pdr_cell_bytes(pdr_bytes_of("k", 1));
    *out = *value;
    cr_assert_eq(pdr_rows_open(&folding, table, 1, 1 << 20, NULL), PDR_OK);
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        cr_assert_eq(pdr_rows_begin(folding, (uint32_t)i, NULL), PDR_OK);
        code = pdr_rows_write(folding, 0, &key, 1, modes[i], &cells[i], err);
    }
    if (code == PDR_OK) {
        cr_assert_eq(pdr_rows_take(folding, &steps, &step_count, NULL), PDR_OK);
        cr_assert_eq(step_count, 1u);
        code = pdr_cell_fold(&table->columns[1], (pdr_cell_mode)steps[0].rows[0].modes[0],
                             &steps[0].rows[0].cells[0], out, err);
    }
    /* bytes of the cell lie in the rows: they are printed before, by whoever needs them */
    static uint8_t kept[100];
    if (code == PDR_OK && !out->null && pdr_column_is_bytes(table->columns[1].type)) {
        memcpy(kept, out->as.bytes.data, out->as.bytes.size);
        out->as.bytes.data = kept;
    }
    pdr_rows_close(folding);
    return code;
}

/* The same as one UPDATE after the other: each result is cast to the column's type. */
static void sequential_sql(char *out, size_t size, const pdr_column *column, const pdr_cell *value,
                           const pdr_cell_mode *modes, const pdr_cell *cells, size_t count)
{
    static char inner[SQL_TEXT];
    char type[40], cell[300];
    (void)made_sql_type(column, type, sizeof type);
    made_cell_sql(out, size, column, value);
    for (size_t i = 0; i < count; i++) {
        const char *collate = column->type == PDR_COLUMN_TEXT ? " collate \"C\"" : "";
        made_cell_sql(cell, sizeof cell, column, &cells[i]);
        print_text(inner, sizeof inner, "%s", out);
        if (modes[i] == PDR_CELL_SET)
            print_text(out, size, "%s", cell);
        else if (modes[i] == PDR_CELL_ADD)
            print_text(out, size, "(%s + %s)::%s", inner, cell, type);
        else
            print_text(out, size, "%s((%s)%s, %s)::%s", modes[i] == PDR_CELL_GREATEST ? "greatest" : "least",
                       inner, collate, cell, type);
    }
}

static void compare_fold(unsigned *out_of_range, unsigned *values)
{
    static char sql[SQL_TEXT], exact[SQL_TEXT + 200];
    const pdr_column *column = &made_table.columns[1 + choose(&chosen, MADE_COLUMNS - 1)];
    const pdr_column columns[2] = {made_table.columns[0], *column};
    const pdr_table table = {.name = "folded", .columns = columns, .column_count = 2, .key_count = 1};
    pdr_cell_mode modes[STEPS];
    pdr_cell cells[STEPS], value = made_cell(column, &chosen), out;
    pdr_error err = {.message = ""};
    char ours[TEXT], theirs[TEXT];
    bool adds = pdr_column_adds(column->type) && column->type != PDR_COLUMN_DOUBLE && choose(&chosen, 2);
    pdr_cell_mode mode = adds ? PDR_CELL_ADD : choose(&chosen, 2) ? PDR_CELL_GREATEST : PDR_CELL_LEAST;
    size_t count = 1 + choose(&chosen, STEPS);
    for (size_t i = 0; i < count; i++) {
        modes[i] = choose(&chosen, 6) == 0 ? PDR_CELL_SET : mode;
        cells[i] = made_cell(column, &chosen);
    }
    pdr_code code = folded(&table, &value, modes, cells, count, &out, &err);
    sequential_sql(sql, sizeof sql, column, &value, modes, cells, count);
    exact_sql(exact, sizeof exact, column->type, sql);
    PGresult *result = query("select pg_temp.attempt($1, '000')", exact);
    tidy(theirs, sizeof theirs, column->type, PQgetvalue(result, 0, 0));
    PQclear(result);
    /* A sum that leaves the range on its way may come back: folded, only the way's end counts. */
    *out_of_range += code != PDR_OK || *theirs == '!';
    if (code != PDR_OK || *theirs == '!') return;
    print_cell(ours, sizeof ours, column->type, column->scale, &out);
    cr_expect_str_eq(ours, theirs, "ours %s, PostgreSQL's %s: %s", ours, theirs, sql);
    ++*values;
}

Test(expressions, folded_changes_are_updates_one_after_the_other, .timeout = 600)
{
    unsigned out_of_range = 0, values = 0;
    for (int i = 0; i < FOLDS; i++)
        compare_fold(&out_of_range, &values);
    cr_expect_gt(values, FOLDS / 2u);
    cr_expect_gt(out_of_range, 0u);
}
