/* Evaluation, as PostgreSQL does it: NULL in, NULL out; three-valued and, or, not; nothing wraps around. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "projections/expr.h"

static const int64_t powers[] = {1,
                                 10,
                                 100,
                                 1000,
                                 10000,
                                 100000,
                                 1000000,
                                 10000000,
                                 100000000,
                                 1000000000,
                                 10000000000,
                                 100000000000,
                                 1000000000000,
                                 10000000000000,
                                 100000000000000,
                                 1000000000000000,
                                 10000000000000000,
                                 100000000000000000,
                                 1000000000000000000};
#define NUMERIC_LIMIT INT64_C(1000000000000000000)

bool pdr_numeric_rescale(int64_t value, int from, int to, int64_t *out)
{
    if (to >= from) {
        if (to - from > 18 || __builtin_mul_overflow(value, powers[to - from], out))
            return value == 0 && (*out = 0, true);
    } else {
        if (from - to > 18) return *out = 0, true;
        int64_t power = powers[from - to], rest = value % power;
        *out = value / power;
        if (rest >= power - rest) (*out)++;
        if (-rest >= power + rest) (*out)--;
    }
    return *out > -NUMERIC_LIMIT && *out < NUMERIC_LIMIT;
}

static pdr_code out_of_range(const pdr_expr *expr, pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_DATA, "%s out of range", pdr_column_type_name(expr->type.type));
}

static pdr_code fits(const pdr_expr *expr, bool overflow, pdr_cell *out, pdr_error *err)
{
    bool numeric = expr->type.type == PDR_COLUMN_NUMERIC;
    if (overflow || (numeric && (out->as.integer <= -NUMERIC_LIMIT || out->as.integer >= NUMERIC_LIMIT)))
        return out_of_range(expr, err);
    return PDR_OK;
}

/* --- Arithmetic --- */

static pdr_code of_doubles(const pdr_expr *expr, double a, double b, pdr_cell *out, pdr_error *err)
{
    double result = expr->op == PDR_EXPR_ADD ? a + b : expr->op == PDR_EXPR_SUBTRACT ? a - b : a * b;
    if (isinf(result) && !isinf(a) && !isinf(b)) return out_of_range(expr, err);
    if (expr->op == PDR_EXPR_MULTIPLY && result == 0 && a != 0 && b != 0) return out_of_range(expr, err);
    out->as.real = result;
    return PDR_OK;
}

static pdr_code of_integers(const pdr_expr *expr, int64_t a, int64_t b, pdr_cell *out, pdr_error *err)
{
    bool overflow = expr->op == PDR_EXPR_ADD        ? __builtin_add_overflow(a, b, &out->as.integer)
                    : expr->op == PDR_EXPR_SUBTRACT ? __builtin_sub_overflow(a, b, &out->as.integer)
                                                    : __builtin_mul_overflow(a, b, &out->as.integer);
    return fits(expr, overflow, out, err);
}

static pdr_code arithmetic(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    pdr_cell a, b;
    pdr_code code = pdr_expr_evaluate(expr->arguments[0], input, &a, err);
    if (code == PDR_OK) code = pdr_expr_evaluate(expr->arguments[1], input, &b, err);
    if (code != PDR_OK) return code;
    *out = (pdr_cell){.null = a.null || b.null};
    if (out->null) return PDR_OK;
    return expr->type.type == PDR_COLUMN_DOUBLE ? of_doubles(expr, a.as.real, b.as.real, out, err)
                                                : of_integers(expr, a.as.integer, b.as.integer, out, err);
}

static pdr_code negate(const pdr_expr *expr, pdr_cell *out, pdr_error *err)
{
    if (out->null) return PDR_OK;
    if (expr->type.type == PDR_COLUMN_DOUBLE) {
        out->as.real = -out->as.real;
        return PDR_OK;
    }
    return fits(expr, __builtin_sub_overflow(INT64_C(0), out->as.integer, &out->as.integer), out, err);
}

/* --- Conversions --- */

/* By the decimal text, so that it is rounded once. */
static double numeric_to_double(int64_t value, int scale)
{
    char text[40];
    if (scale == 0) return (double)value;
    (void)snprintf(text, sizeof text, "%llde-%d", (long long)value, scale);
    return strtod(text, NULL);
}

static pdr_code convert(const pdr_expr *expr, pdr_cell *out, pdr_error *err)
{
    pdr_expr_type from = expr->arguments[0]->type;
    if (out->null) return PDR_OK;
    if (expr->op == PDR_EXPR_TO_DOUBLE)
        out->as.real = numeric_to_double(out->as.integer, from.scale);
    else if (!pdr_numeric_rescale(out->as.integer, from.scale, expr->type.scale, &out->as.integer))
        return out_of_range(expr, err);
    return PDR_OK;
}

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

/* Whole seconds, rounded half away from zero. */
static pdr_code seconds_between(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out,
                                pdr_error *err)
{
    pdr_cell a, b;
    pdr_code code = pdr_expr_evaluate(expr->arguments[0], input, &a, err);
    if (code == PDR_OK) code = pdr_expr_evaluate(expr->arguments[1], input, &b, err);
    if (code != PDR_OK) return code;
    *out = (pdr_cell){.null = a.null || b.null};
    if (out->null) return PDR_OK;
    int64_t micros;
    if (__builtin_sub_overflow(a.as.integer, b.as.integer, &micros)) return out_of_range(expr, err);
    int64_t rest = micros % 1000000;
    out->as.integer = micros / 1000000 + (rest >= 500000 ? 1 : rest <= -500000 ? -1 : 0);
    return PDR_OK;
}

/* --- Truth --- */

static bool holds(pdr_ast_kind compare, int order)
{
    switch (compare) {
    case PDR_AST_EQUAL: return order == 0;
    case PDR_AST_UNEQUAL: return order != 0;
    case PDR_AST_LESS: return order < 0;
    case PDR_AST_LESS_OR_EQUAL: return order <= 0;
    case PDR_AST_GREATER: return order > 0;
    default: return order >= 0;
    }
}

static pdr_column_type compared_type(const pdr_expr *expr)
{
    return expr->arguments[0]->type.null_only ? expr->arguments[1]->type.type : expr->arguments[0]->type.type;
}

static pdr_code comparison(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    pdr_cell a, b;
    pdr_code code = pdr_expr_evaluate(expr->arguments[0], input, &a, err);
    if (code == PDR_OK) code = pdr_expr_evaluate(expr->arguments[1], input, &b, err);
    if (code != PDR_OK) return code;
    *out = (pdr_cell){.null = a.null || b.null};
    if (!out->null) out->as.boolean = holds(expr->compare, pdr_cell_compare(compared_type(expr), &a, &b));
    return PDR_OK;
}

/* and: false wins over NULL; or: true does. What is decided by the first isn't looked at in the second. */
static pdr_code logic(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    bool winner = expr->op == PDR_EXPR_OR;
    pdr_cell a, b;
    pdr_code code = pdr_expr_evaluate(expr->arguments[0], input, &a, err);
    if (code != PDR_OK) return code;
    if (!a.null && a.as.boolean == winner) {
        *out = a;
        return PDR_OK;
    }
    code = pdr_expr_evaluate(expr->arguments[1], input, &b, err);
    if (code != PDR_OK) return code;
    *out = (!b.null && b.as.boolean == winner) || !a.null ? b : a;
    return PDR_OK;
}

/* --- Choices --- */

static pdr_code coalesce(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    pdr_code code = PDR_OK;
    *out = PDR_CELL_NULL;
    for (size_t i = 0; code == PDR_OK && out->null && i < expr->count; i++)
        code = pdr_expr_evaluate(expr->arguments[i], input, out, err);
    return code;
}

static pdr_code extreme(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    *out = PDR_CELL_NULL;
    for (size_t i = 0; i < expr->count; i++) {
        pdr_cell cell;
        pdr_code code = pdr_expr_evaluate(expr->arguments[i], input, &cell, err);
        if (code != PDR_OK) return code;
        if (cell.null) continue;
        int order = out->null ? 0 : pdr_cell_compare(expr->type.type, &cell, out);
        if (out->null || (expr->op == PDR_EXPR_GREATEST ? order > 0 : order < 0)) *out = cell;
    }
    return PDR_OK;
}

static pdr_code choose(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    size_t i = 0;
    for (; i + 1 < expr->count; i += 2) {
        pdr_cell condition;
        pdr_code code = pdr_expr_evaluate(expr->arguments[i], input, &condition, err);
        if (code != PDR_OK) return code;
        if (!condition.null && condition.as.boolean)
            return pdr_expr_evaluate(expr->arguments[i + 1], input, out, err);
    }
    return pdr_expr_evaluate(expr->arguments[i], input, out, err);
}

/* --- Leaves --- */

static pdr_code row_cell(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    const pdr_cell *cells;
    pdr_code code = input->row(input->context, expr->table, &cells, err);
    if (code == PDR_OK) *out = cells[expr->column];
    return code;
}

static pdr_cell entity_key(pdr_string entity)
{
    const char *slash = memchr(entity.data, '/', entity.size);
    const char *from = slash ? slash + 1 : entity.data + entity.size;
    return pdr_cell_bytes(pdr_bytes_of(from, (size_t)(entity.data + entity.size - from)));
}

static pdr_code of_first(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    pdr_code code = pdr_expr_evaluate(expr->arguments[0], input, out, err);
    if (code != PDR_OK) return code;
    switch (expr->op) {
    case PDR_EXPR_NEGATE: return negate(expr, out, err);
    case PDR_EXPR_NOT: out->as.boolean = !out->as.boolean; return PDR_OK;
    case PDR_EXPR_IS_NULL: *out = (pdr_cell){.as.boolean = out->null}; return PDR_OK;
    case PDR_EXPR_DATE_OF:
        out->as.integer = floor_divide(out->as.integer, INT64_C(86400000000));
        return PDR_OK;
    default: return convert(expr, out, err);
    }
}

pdr_code pdr_expr_evaluate(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out, pdr_error *err)
{
    const pdr_projected *event = input->event;
    switch (expr->op) {
    case PDR_EXPR_LITERAL: *out = expr->literal; return PDR_OK;
    case PDR_EXPR_FIELD: return pdr_field_read(&expr->field, event->event.value, out, err);
    case PDR_EXPR_CELL: return row_cell(expr, input, out, err);
    case PDR_EXPR_ENTITY:
        *out = pdr_cell_bytes(pdr_bytes_of(event->entity.data, event->entity.size));
        return PDR_OK;
    case PDR_EXPR_ENTITY_KEY: *out = entity_key(event->entity); return PDR_OK;
    case PDR_EXPR_SEQ: *out = pdr_cell_integer((int64_t)event->event.seq); return PDR_OK;
    case PDR_EXPR_TIME: *out = pdr_cell_integer(event->event.time_us); return PDR_OK;
    case PDR_EXPR_ADD:
    case PDR_EXPR_SUBTRACT:
    case PDR_EXPR_MULTIPLY: return arithmetic(expr, input, out, err);
    case PDR_EXPR_COMPARE: return comparison(expr, input, out, err);
    case PDR_EXPR_AND:
    case PDR_EXPR_OR: return logic(expr, input, out, err);
    case PDR_EXPR_COALESCE: return coalesce(expr, input, out, err);
    case PDR_EXPR_GREATEST:
    case PDR_EXPR_LEAST: return extreme(expr, input, out, err);
    case PDR_EXPR_CASE: return choose(expr, input, out, err);
    case PDR_EXPR_SECONDS: return seconds_between(expr, input, out, err);
    default: return of_first(expr, input, out, err);
    }
}
