/* Types: what fits what, where integers widen, and which columns and fields there are. */
#include "projections/expr.h"

#define FAIL(scope, ast, ...) (pdr_lexer_fail((scope)->lexer, &(ast)->token, __VA_ARGS__) ? NULL : NULL)

static pdr_expr *make(const pdr_expr_scope *scope, const pdr_ast *ast, pdr_expr_op op, pdr_expr_type type,
                      size_t count)
{
    pdr_expr *expr = pdr_arena_calloc(scope->arena, 1, sizeof *expr + count * sizeof(pdr_expr *));
    if (!expr) {
        (void)pdr_lexer_no_memory(scope->lexer, &ast->token);
        return NULL;
    }
    expr->op = op;
    expr->type = type;
    expr->count = count;
    expr->arguments = (const pdr_expr **)(expr + 1);
    return expr;
}

pdr_expr_type pdr_expr_type_of(const pdr_expr *expr)
{
    return expr->type;
}

static pdr_expr_type type_of(pdr_column_type type)
{
    return (pdr_expr_type){.type = type};
}

static const char *name_of(pdr_expr_type type)
{
    return type.null_only ? "NULL" : pdr_column_type_name(type.type);
}

static bool is_number(pdr_expr_type type)
{
    return type.type == PDR_COLUMN_BIGINT || type.type == PDR_COLUMN_NUMERIC ||
           type.type == PDR_COLUMN_DOUBLE;
}

/* The type in which values of both can be put: bigint < numeric < double precision; else equal types. */
static bool common_type(pdr_expr_type a, pdr_expr_type b, pdr_expr_type *out)
{
    if (a.null_only || b.null_only) {
        *out = a.null_only ? b : a;
        return true;
    }
    *out = a;
    if (a.type == b.type) {
        if (b.scale > a.scale) out->scale = b.scale;
        return true;
    }
    if (!is_number(a) || !is_number(b)) return false;
    if (a.type == PDR_COLUMN_DOUBLE || b.type == PDR_COLUMN_DOUBLE)
        *out = type_of(PDR_COLUMN_DOUBLE);
    else
        *out = a.type == PDR_COLUMN_NUMERIC ? a : b;
    return true;
}

static const pdr_expr *convert(const pdr_expr *expr, pdr_expr_type to, const pdr_ast *ast,
                               const pdr_expr_scope *scope)
{
    pdr_expr_type from = expr->type;
    if (from.null_only || (from.type == to.type && from.scale == to.scale)) return expr;
    pdr_expr *converted =
        make(scope, ast, to.type == PDR_COLUMN_DOUBLE ? PDR_EXPR_TO_DOUBLE : PDR_EXPR_RESCALE, to, 1);
    if (converted) converted->arguments[0] = expr;
    return converted;
}

/* --- Leaves --- */

static const pdr_expr *number(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    int64_t value = 0;
    int scale = 0, digits = 0;
    bool fraction = false;
    for (size_t i = 0; i < ast->text.size; i++) {
        char c = ast->text.data[i];
        if (c == '.') {
            fraction = true;
            continue;
        }
        if (value > 0 || c != '0') digits++;
        if (digits > 18) return FAIL(scope, ast, "a number has at most 18 digits");
        value = value * 10 + (c - '0');
        scale += fraction ? 1 : 0;
    }
    if (scale > 18) return FAIL(scope, ast, "a number has at most 18 digits");
    pdr_expr_type type =
        fraction ? (pdr_expr_type){.type = PDR_COLUMN_NUMERIC, .scale = scale} : type_of(PDR_COLUMN_BIGINT);
    pdr_expr *expr = make(scope, ast, PDR_EXPR_LITERAL, type, 0);
    if (expr) expr->literal = pdr_cell_integer(value);
    return expr;
}

static const pdr_expr *literal(const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_type type,
                               pdr_cell cell)
{
    pdr_expr *expr = make(scope, ast, PDR_EXPR_LITERAL, type, 0);
    if (expr) expr->literal = cell;
    return expr;
}

static const pdr_expr *time_literal(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    int64_t value;
    if (ast->kind == PDR_AST_DATE)
        return pdr_date_read(ast->text, &value)
                   ? literal(ast, scope, type_of(PDR_COLUMN_DATE), pdr_cell_integer(value))
                   : FAIL(scope, ast, "'%.*s' is no date: 'YYYY-MM-DD' is", (int)ast->text.size,
                          ast->text.data);
    return pdr_timestamp_read(ast->text, &value)
               ? literal(ast, scope, type_of(PDR_COLUMN_TIMESTAMPTZ), pdr_cell_integer(value))
               : FAIL(scope, ast, "'%.*s' is no timestamp: 'YYYY-MM-DD HH:MM:SS.ffffff' is, in UTC",
                      (int)ast->text.size, ast->text.data);
}

static const pdr_expr *column_of(const pdr_ast *ast, const pdr_expr_scope *scope, size_t table)
{
    const pdr_table *t = &scope->tables[table];
    for (size_t i = 0; i < t->column_count; i++) {
        const pdr_column *column = &t->columns[i];
        if (strlen(column->name) != ast->text.size ||
            memcmp(column->name, ast->text.data, ast->text.size) != 0)
            continue;
        if (i < t->key_count)
            return FAIL(scope, ast,
                        "'%s' belongs to the key of %s: use the expression that the key is made of",
                        column->name, t->name);
        pdr_expr_type type = {.type = column->type == PDR_COLUMN_INTEGER ? PDR_COLUMN_BIGINT : column->type,
                              .scale = column->type == PDR_COLUMN_NUMERIC ? column->scale : 0};
        pdr_expr *expr = make(scope, ast, PDR_EXPR_CELL, type, 0);
        if (!expr) return NULL;
        expr->table = table;
        expr->column = i - t->key_count;
        return expr;
    }
    return FAIL(scope, ast, "table %s has no column '%.*s'", t->name, (int)ast->text.size, ast->text.data);
}

static const pdr_expr *other_column(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    for (size_t i = 0; i < scope->table_count; i++) {
        const pdr_table *t = &scope->tables[i];
        if (strlen(t->name) != ast->table.size || memcmp(t->name, ast->table.data, ast->table.size) != 0)
            continue;
        if (t->shared)
            return FAIL(scope, ast,
                        "%s is shared between partitions: what its rows hold when an event comes depends on "
                        "other entities",
                        t->name);
        return column_of(ast, scope, i);
    }
    return FAIL(scope, ast, "there is no table '%.*s' (an event's fields are event.NAME)",
                (int)ast->table.size, ast->table.data);
}

static const pdr_expr *own_column(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    if (scope->own == SIZE_MAX)
        return FAIL(scope, ast, "there is no '%.*s' here (an event's fields are event.NAME)",
                    (int)ast->text.size, ast->text.data);
    return column_of(ast, scope, scope->own);
}

static const pdr_expr *field(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    pdr_field_path path;
    pdr_expr_type type;
    if (!pdr_field_find(&path, &type, ast, scope)) return NULL;
    pdr_expr *expr = make(scope, ast, PDR_EXPR_FIELD, type, 0);
    if (expr) expr->field = path;
    return expr;
}

static const pdr_expr *bind_leaf(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    switch (ast->kind) {
    case PDR_AST_NULL: return literal(ast, scope, (pdr_expr_type){.null_only = true}, PDR_CELL_NULL);
    case PDR_AST_TRUE:
    case PDR_AST_FALSE:
        return literal(ast, scope, type_of(PDR_COLUMN_BOOLEAN),
                       (pdr_cell){.as.boolean = ast->kind == PDR_AST_TRUE});
    case PDR_AST_NUMBER: return number(ast, scope);
    case PDR_AST_TEXT:
        return literal(ast, scope, type_of(PDR_COLUMN_TEXT),
                       pdr_cell_bytes(pdr_bytes_of(ast->text.data, ast->text.size)));
    case PDR_AST_DATE:
    case PDR_AST_TIMESTAMP: return time_literal(ast, scope);
    case PDR_AST_EVENT: return field(ast, scope);
    case PDR_AST_COLUMN: return own_column(ast, scope);
    case PDR_AST_OTHER: return other_column(ast, scope);
    case PDR_AST_ENTITY: return make(scope, ast, PDR_EXPR_ENTITY, type_of(PDR_COLUMN_TEXT), 0);
    case PDR_AST_ENTITY_KEY: return make(scope, ast, PDR_EXPR_ENTITY_KEY, type_of(PDR_COLUMN_TEXT), 0);
    case PDR_AST_SEQ: return make(scope, ast, PDR_EXPR_SEQ, type_of(PDR_COLUMN_BIGINT), 0);
    default: return make(scope, ast, PDR_EXPR_TIME, type_of(PDR_COLUMN_TIMESTAMPTZ), 0);
    }
}

/* --- Operators --- */

static pdr_expr *bind_arguments(const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_op op,
                                pdr_expr_type type)
{
    pdr_expr *expr = make(scope, ast, op, type, ast->count);
    for (size_t i = 0; expr && i < ast->count; i++) {
        expr->arguments[i] = pdr_expr_bind(ast->arguments[i], scope);
        if (!expr->arguments[i]) return NULL;
    }
    return expr;
}

/* Arguments `from`, from + step, ... get one type. */
static bool unify(pdr_expr *expr, const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_type *out)
{
    pdr_expr_type type = {.null_only = true};
    for (size_t i = 0; i < expr->count; i++)
        if (!common_type(type, expr->arguments[i]->type, &type))
            return pdr_lexer_fail(scope->lexer, &ast->arguments[i]->token, "%s and %s don't go together",
                                  name_of(type), name_of(expr->arguments[i]->type));
    for (size_t i = 0; i < expr->count; i++) {
        expr->arguments[i] = convert(expr->arguments[i], type, ast, scope);
        if (!expr->arguments[i]) return false;
    }
    *out = type;
    return true;
}

static bool want_type(const pdr_expr *expr, pdr_column_type type, const pdr_ast *at,
                      const pdr_expr_scope *scope)
{
    if (expr->type.null_only || expr->type.type == type) return true;
    return pdr_lexer_fail(scope->lexer, &at->token, "%s is expected here, not %s", pdr_column_type_name(type),
                          name_of(expr->type));
}

static const pdr_expr *logic(const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_op op)
{
    pdr_expr *expr = bind_arguments(ast, scope, op, type_of(PDR_COLUMN_BOOLEAN));
    for (size_t i = 0; expr && i < expr->count; i++)
        if (!want_type(expr->arguments[i], PDR_COLUMN_BOOLEAN, ast->arguments[i], scope)) return NULL;
    return expr;
}

static const pdr_expr *null_test(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    pdr_expr *test = bind_arguments(ast, scope, PDR_EXPR_IS_NULL, type_of(PDR_COLUMN_BOOLEAN));
    if (!test || ast->kind == PDR_AST_IS_NULL) return test;
    pdr_expr *negated = make(scope, ast, PDR_EXPR_NOT, type_of(PDR_COLUMN_BOOLEAN), 1);
    if (negated) negated->arguments[0] = test;
    return negated;
}

static const pdr_expr *comparison(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    pdr_expr_type common;
    pdr_expr *expr = bind_arguments(ast, scope, PDR_EXPR_COMPARE, type_of(PDR_COLUMN_BOOLEAN));
    if (!expr || !unify(expr, ast, scope, &common)) return NULL;
    expr->compare = ast->kind;
    return expr;
}

/* Sums at the greater scale, products at the sum of both. */
static const pdr_expr *arithmetic(const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_op op)
{
    pdr_expr *expr = bind_arguments(ast, scope, op, type_of(PDR_COLUMN_BIGINT));
    if (!expr) return NULL;
    for (size_t i = 0; i < expr->count; i++) {
        pdr_expr_type type = expr->arguments[i]->type;
        if (!type.null_only && !is_number(type))
            return FAIL(scope, ast->arguments[i], "a number is expected here, not %s%s", name_of(type),
                        type.type == PDR_COLUMN_TIMESTAMPTZ ? " (seconds(a - b) gives the time between)"
                                                            : "");
    }
    pdr_expr_type common = {.null_only = true};
    if (op == PDR_EXPR_MULTIPLY) {
        pdr_expr_type a = expr->arguments[0]->type, b = expr->arguments[1]->type;
        (void)common_type(a, b, &common);
        if (common.type == PDR_COLUMN_DOUBLE && !common.null_only) {
            if (!unify(expr, ast, scope, &common)) return NULL;
        } else {
            common.scale = a.scale + b.scale;
            if (common.scale > 18)
                return FAIL(scope, ast, "the product would have more than 18 digits after the point");
        }
    } else if (!unify(expr, ast, scope, &common)) {
        return NULL;
    }
    expr->type = common;
    return expr;
}

static const pdr_expr *choice(const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_op op)
{
    pdr_expr_type common;
    pdr_expr *expr = bind_arguments(ast, scope, op, type_of(PDR_COLUMN_BIGINT));
    if (!expr || !unify(expr, ast, scope, &common)) return NULL;
    expr->type = common;
    return expr;
}

static const pdr_expr *bind_case(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    pdr_expr *expr = bind_arguments(ast, scope, PDR_EXPR_CASE, type_of(PDR_COLUMN_BIGINT));
    if (!expr) return NULL;
    pdr_expr_type common = {.null_only = true};
    for (size_t i = 0; i < expr->count; i++) {
        bool condition = i % 2 == 0 && i + 1 < expr->count;
        if (condition) {
            if (!want_type(expr->arguments[i], PDR_COLUMN_BOOLEAN, ast->arguments[i], scope)) return NULL;
        } else if (!common_type(common, expr->arguments[i]->type, &common)) {
            return FAIL(scope, ast->arguments[i], "%s and %s don't go together", name_of(common),
                        name_of(expr->arguments[i]->type));
        }
    }
    for (size_t i = 0; i < expr->count; i++) {
        bool condition = i % 2 == 0 && i + 1 < expr->count;
        if (!condition) expr->arguments[i] = convert(expr->arguments[i], common, ast, scope);
        if (!expr->arguments[i]) return NULL;
    }
    expr->type = common;
    return expr;
}

static const pdr_expr *of_times(const pdr_ast *ast, const pdr_expr_scope *scope, pdr_expr_op op,
                                pdr_column_type result)
{
    pdr_expr *expr = bind_arguments(ast, scope, op, type_of(result));
    for (size_t i = 0; expr && i < expr->count; i++)
        if (!want_type(expr->arguments[i], PDR_COLUMN_TIMESTAMPTZ, ast->arguments[i], scope)) return NULL;
    return expr;
}

const pdr_expr *pdr_expr_bind(const pdr_ast *ast, const pdr_expr_scope *scope)
{
    switch (ast->kind) {
    case PDR_AST_NEGATE: return arithmetic(ast, scope, PDR_EXPR_NEGATE);
    case PDR_AST_ADD: return arithmetic(ast, scope, PDR_EXPR_ADD);
    case PDR_AST_SUBTRACT: return arithmetic(ast, scope, PDR_EXPR_SUBTRACT);
    case PDR_AST_MULTIPLY: return arithmetic(ast, scope, PDR_EXPR_MULTIPLY);
    case PDR_AST_EQUAL:
    case PDR_AST_UNEQUAL:
    case PDR_AST_LESS:
    case PDR_AST_LESS_OR_EQUAL:
    case PDR_AST_GREATER:
    case PDR_AST_GREATER_OR_EQUAL: return comparison(ast, scope);
    case PDR_AST_AND: return logic(ast, scope, PDR_EXPR_AND);
    case PDR_AST_OR: return logic(ast, scope, PDR_EXPR_OR);
    case PDR_AST_NOT: return logic(ast, scope, PDR_EXPR_NOT);
    case PDR_AST_IS_NULL:
    case PDR_AST_IS_NOT_NULL: return null_test(ast, scope);
    case PDR_AST_COALESCE: return choice(ast, scope, PDR_EXPR_COALESCE);
    case PDR_AST_GREATEST: return choice(ast, scope, PDR_EXPR_GREATEST);
    case PDR_AST_LEAST: return choice(ast, scope, PDR_EXPR_LEAST);
    case PDR_AST_CASE: return bind_case(ast, scope);
    case PDR_AST_DATE_OF: return of_times(ast, scope, PDR_EXPR_DATE_OF, PDR_COLUMN_DATE);
    case PDR_AST_SECONDS: return of_times(ast, scope, PDR_EXPR_SECONDS, PDR_COLUMN_BIGINT);
    default: return bind_leaf(ast, scope);
    }
}

const pdr_expr *pdr_expr_for_column(const pdr_expr *expr, const pdr_column *column, const pdr_token *at,
                                    const pdr_expr_scope *scope)
{
    pdr_expr_type from = expr->type;
    pdr_ast place = {.token = *at};
    if (from.null_only) return expr;
    if (column->type == PDR_COLUMN_NUMERIC &&
        (from.type == PDR_COLUMN_NUMERIC || from.type == PDR_COLUMN_BIGINT))
        return convert(expr, (pdr_expr_type){.type = PDR_COLUMN_NUMERIC, .scale = column->scale}, &place,
                       scope);
    if (column->type == PDR_COLUMN_DOUBLE && is_number(from))
        return convert(expr, type_of(PDR_COLUMN_DOUBLE), &place, scope);
    bool same =
        from.type == column->type || (from.type == PDR_COLUMN_BIGINT && column->type == PDR_COLUMN_INTEGER);
    if (same) return expr;
    return FAIL(scope, &place, "column %s is %s, and the value is %s", column->name,
                pdr_column_type_name(column->type), name_of(from));
}
