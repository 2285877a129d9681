/* Any text (UTF-8 without NUL, as a file is) as an expression over a row with every type: it is refused, or
 * it has a value of its type, the same each time, or an error. */
#include <stdio.h>
#include <stdlib.h>

#include "perdure/sys/layout.h"
#include "perdure/sys/wire.h"
#include "projections/cell.h"
#include "projections/expr.h"
#include "tests/support/made_expression.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth, const char *claim)
{
    if (truth) return;
    fprintf(stderr, "broken claim: %s\n", claim);
    abort();
}

static pdr_code row_of(void *context, size_t table, const pdr_cell **cells, pdr_error *err)
{
    (void)table;
    (void)err;
    *cells = (const pdr_cell *)context + 1;
    return PDR_OK;
}

static void evaluate(const pdr_expr *expr, uint64_t seed, pdr_arena *arena)
{
    pdr_cell row[MADE_COLUMNS], cell, again;
    choices c = choices_of_seed(seed);
    pdr_projected event = {.entity = pdr_string_of("v/1"), .event = {.seq = seed, .time_us = 1}};
    pdr_expr_input input = {.event = &event, .row = row_of, .context = row, .arena = arena};
    pdr_expr_type type = pdr_expr_type_of(expr);
    pdr_error err = {.message = ""};
    for (size_t i = 0; i < MADE_COLUMNS; i++)
        row[i] = made_cell(&made_table.columns[i], &c);
    pdr_code code = pdr_expr_evaluate(expr, &input, &cell, &err);
    must(code == pdr_expr_evaluate(expr, &input, &again, NULL), "the same each time");
    if (code != PDR_OK) {
        must(code == PDR_BAD_DATA && err.message[0], "an error says what it is");
        return;
    }
    must(pdr_cell_equal(type.type, &cell, &again), "the same value each time");
    must(!type.null_only || cell.null, "NULL is NULL");
    pdr_column column = {.name = "c", .type = type.type, .precision = 18, .scale = type.scale};
    bool moment = type.type == PDR_COLUMN_DATE || type.type == PDR_COLUMN_TIMESTAMPTZ;
    must(moment || pdr_cell_check(&column, &cell, NULL) == PDR_OK, "a value of its type");
}

static const pdr_layout no_fields = {.kind = PDR_KIND_RECORD, .name = "none"};
static const pdr_type none = {.name = "none", .layout = &no_fields};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!pdr_wire_utf8(data, size) || (size && memchr(data, 0, size))) return 0;
    pdr_arena arena = PDR_ARENA_INIT(1 << 24);
    pdr_error err = {.message = ""};
    pdr_lexer lexer;
    pdr_lexer_init(&lexer, "fuzz", (pdr_string){(const char *)data, size}, &err);
    pdr_expr_scope scope = {
        .lexer = &lexer, .arena = &arena, .event = &none, .tables = &made_table, .table_count = 1};
    const pdr_ast *ast = pdr_expr_parse(&lexer, &arena);
    const pdr_expr *expr = ast ? pdr_expr_bind(ast, &scope) : NULL;
    if (!expr) must(err.code && err.message[0], "a refusal says what it is");
    for (uint64_t seed = 1; expr && seed <= 4; seed++)
        evaluate(expr, seed, &arena);
    pdr_arena_release(&arena);
    return 0;
}
