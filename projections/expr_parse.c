/* From tokens to a tree. Precedence as in SQL: or, and, not, comparison and IS, + -, *, unary -. */
#include "projections/expr.h"

typedef struct parser {
    pdr_lexer *lexer;
    pdr_arena *arena;
    unsigned depth, nodes;
} parser;

static pdr_ast *parse_or(parser *p);

static pdr_ast *make(parser *p, pdr_ast_kind kind, const pdr_token *token, size_t count)
{
    if (++p->nodes > PDR_EXPR_MAX_NODES) {
        (void)pdr_lexer_fail(p->lexer, token, "an expression has more than %d parts", PDR_EXPR_MAX_NODES);
        return NULL;
    }
    pdr_ast *ast = pdr_arena_calloc(p->arena, 1, sizeof *ast + count * sizeof(pdr_ast *));
    if (!ast) {
        (void)pdr_lexer_no_memory(p->lexer, token);
        return NULL;
    }
    ast->kind = kind;
    ast->token = *token;
    ast->text = token->text;
    ast->count = count;
    ast->arguments = (pdr_ast **)(ast + 1);
    return ast;
}

static pdr_ast *make_of(parser *p, pdr_ast_kind kind, const pdr_token *token, pdr_ast *a, pdr_ast *b)
{
    if (!a || p->lexer->failed) return NULL;
    pdr_ast *ast = make(p, kind, token, b ? 2 : 1);
    if (!ast) return NULL;
    ast->arguments[0] = a;
    if (b) ast->arguments[1] = b;
    return ast;
}

/* Two quotes in a text are one. */
static pdr_string unescape(parser *p, pdr_string text)
{
    char *out = pdr_arena_alloc(p->arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; out && i < text.size; i++) {
        out[size++] = text.data[i];
        if (text.data[i] == '\'') i++;
    }
    if (!out) (void)pdr_lexer_no_memory(p->lexer, &p->lexer->token);
    return (pdr_string){out, size};
}

static pdr_ast *text_literal(parser *p, pdr_ast_kind kind)
{
    pdr_token token = p->lexer->token;
    if (token.kind != PDR_TOKEN_TEXT) {
        (void)pdr_lexer_fail(p->lexer, &token, "a text in quotes is expected");
        return NULL;
    }
    pdr_ast *ast = make(p, kind, &token, 0);
    if (ast) ast->text = unescape(p, token.text);
    pdr_lexer_next(p->lexer);
    return ast;
}

/* function ( a, b, ... ) behind its name. */
static pdr_ast *call(parser *p, pdr_ast_kind kind, const pdr_token *name, size_t least, size_t most)
{
    pdr_ast *arguments[PDR_EXPR_MAX_ARGUMENTS];
    size_t count = 0;
    if (!pdr_lexer_want(p->lexer, "(")) return NULL;
    do {
        if (count == most) {
            (void)pdr_lexer_fail(p->lexer, &p->lexer->token, "'%.*s' takes at most %zu values",
                                 (int)name->text.size, name->text.data, most);
            return NULL;
        }
        arguments[count] = parse_or(p);
        if (!arguments[count++]) return NULL;
    } while (pdr_lexer_take(p->lexer, ","));
    if (!pdr_lexer_want(p->lexer, ")")) return NULL;
    if (count < least) {
        (void)pdr_lexer_fail(p->lexer, name, "'%.*s' takes at least %zu values", (int)name->text.size,
                             name->text.data, least);
        return NULL;
    }
    pdr_ast *ast = make(p, kind, name, count);
    if (ast) memcpy(ast->arguments, arguments, count * sizeof *arguments);
    return ast;
}

/* seconds(a - b): the difference of two timestamps is no value of its own. */
static pdr_ast *seconds(parser *p, const pdr_token *name)
{
    pdr_ast *inside = call(p, PDR_AST_SECONDS, name, 1, 1);
    if (!inside) return NULL;
    pdr_ast *difference = inside->arguments[0];
    if (difference->kind != PDR_AST_SUBTRACT) {
        (void)pdr_lexer_fail(p->lexer, &difference->token, "seconds takes a difference: seconds(a - b)");
        return NULL;
    }
    difference->kind = PDR_AST_SECONDS;
    difference->token = *name;
    return difference;
}

static pdr_ast *parse_case(parser *p, const pdr_token *token)
{
    pdr_ast *parts[PDR_EXPR_MAX_ARGUMENTS];
    size_t count = 0;
    while (pdr_lexer_take(p->lexer, "when")) {
        if (count + 3 > PDR_EXPR_MAX_ARGUMENTS) {
            (void)pdr_lexer_fail(p->lexer, &p->lexer->token, "a case has at most %d whens",
                                 (PDR_EXPR_MAX_ARGUMENTS - 1) / 2);
            return NULL;
        }
        parts[count] = parse_or(p);
        if (!parts[count++] || !pdr_lexer_want(p->lexer, "then")) return NULL;
        parts[count] = parse_or(p);
        if (!parts[count++]) return NULL;
    }
    if (count == 0) {
        (void)pdr_lexer_want(p->lexer, "when");
        return NULL;
    }
    parts[count] = pdr_lexer_take(p->lexer, "else") ? parse_or(p) : make(p, PDR_AST_NULL, token, 0);
    if (!parts[count++] || !pdr_lexer_want(p->lexer, "end")) return NULL;
    pdr_ast *ast = make(p, PDR_AST_CASE, token, count);
    if (ast) memcpy(ast->arguments, parts, count * sizeof *parts);
    return ast;
}

static bool take_name(parser *p, pdr_string *out)
{
    if (p->lexer->token.kind != PDR_TOKEN_WORD)
        return pdr_lexer_fail(p->lexer, &p->lexer->token, "a name is expected after the dot");
    *out = p->lexer->token.text;
    pdr_lexer_next(p->lexer);
    return !p->lexer->failed;
}

static pdr_ast *event_field(parser *p, const pdr_token *token)
{
    pdr_string name = {NULL, 0};
    if (!pdr_lexer_want(p->lexer, ".") || !take_name(p, &name)) return NULL;
    const char *from = name.data, *to = name.data + name.size;
    while (pdr_lexer_take(p->lexer, ".")) {
        if (!take_name(p, &name)) return NULL;
        if (name.data != to + 1) {
            (void)pdr_lexer_fail(p->lexer, token, "a field's path is written without spaces");
            return NULL;
        }
        to = name.data + name.size;
    }
    pdr_ast *ast = make(p, PDR_AST_EVENT, token, 0);
    if (ast) ast->text = (pdr_string){from, (size_t)(to - from)};
    return ast;
}

static pdr_ast *dotted(parser *p, const pdr_token *token)
{
    pdr_string name = {NULL, 0};
    if (pdr_token_is(&p->lexer->token, "(")) {
        (void)pdr_lexer_fail(p->lexer, token, "there is no function '%.*s'", (int)token->text.size,
                             token->text.data);
        return NULL;
    }
    if (!pdr_lexer_take(p->lexer, ".")) return make(p, PDR_AST_COLUMN, token, 0);
    if (!take_name(p, &name)) return NULL;
    pdr_ast *ast = make(p, pdr_token_is(token, "old") ? PDR_AST_COLUMN : PDR_AST_OTHER, token, 0);
    if (!ast) return NULL;
    ast->text = name;
    ast->table = token->text;
    return ast;
}

static pdr_ast *entity(parser *p, const pdr_token *token)
{
    if (!pdr_lexer_take(p->lexer, ".")) return make(p, PDR_AST_ENTITY, token, 0);
    return pdr_lexer_want(p->lexer, "key") ? make(p, PDR_AST_ENTITY_KEY, token, 0) : NULL;
}

static const struct {
    const char *word;
    pdr_ast_kind kind;
    size_t least, most; /* 0, 0: no call */
} words[] = {
    {"null", PDR_AST_NULL, 0, 0},
    {"true", PDR_AST_TRUE, 0, 0},
    {"false", PDR_AST_FALSE, 0, 0},
    {"seq", PDR_AST_SEQ, 0, 0},
    {"time", PDR_AST_TIME, 0, 0},
    {"coalesce", PDR_AST_COALESCE, 1, PDR_EXPR_MAX_ARGUMENTS},
    {"greatest", PDR_AST_GREATEST, 1, PDR_EXPR_MAX_ARGUMENTS},
    {"least", PDR_AST_LEAST, 1, PDR_EXPR_MAX_ARGUMENTS},
};

static pdr_ast *parse_word(parser *p)
{
    pdr_token token = p->lexer->token;
    pdr_lexer_next(p->lexer);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (pdr_token_is(&token, words[i].word))
            return words[i].most ? call(p, words[i].kind, &token, words[i].least, words[i].most)
                                 : make(p, words[i].kind, &token, 0);
    if (pdr_token_is(&token, "event")) return event_field(p, &token);
    if (pdr_token_is(&token, "entity")) return entity(p, &token);
    if (pdr_token_is(&token, "case")) return parse_case(p, &token);
    if (pdr_token_is(&token, "seconds")) return seconds(p, &token);
    if (pdr_token_is(&token, "timestamp") && p->lexer->token.kind == PDR_TOKEN_TEXT)
        return text_literal(p, PDR_AST_TIMESTAMP);
    if (pdr_token_is(&token, "date"))
        return p->lexer->token.kind == PDR_TOKEN_TEXT ? text_literal(p, PDR_AST_DATE)
                                                      : call(p, PDR_AST_DATE_OF, &token, 1, 1);
    return dotted(p, &token);
}

static pdr_ast *parse_atom(parser *p)
{
    pdr_token token = p->lexer->token;
    if (token.kind == PDR_TOKEN_TEXT) return text_literal(p, PDR_AST_TEXT);
    if (token.kind == PDR_TOKEN_WORD) return parse_word(p);
    if (token.kind == PDR_TOKEN_NUMBER) {
        pdr_lexer_next(p->lexer);
        return make(p, PDR_AST_NUMBER, &token, 0);
    }
    if (pdr_lexer_take(p->lexer, "(")) {
        pdr_ast *inside = parse_or(p);
        return inside && pdr_lexer_want(p->lexer, ")") ? inside : NULL;
    }
    (void)pdr_lexer_fail(p->lexer, &token, "an expression is expected");
    return NULL;
}

static pdr_ast *parse_unary(parser *p)
{
    pdr_token token = p->lexer->token;
    if (!pdr_lexer_take(p->lexer, "-")) return parse_atom(p);
    if (++p->depth > PDR_EXPR_MAX_DEPTH) {
        (void)pdr_lexer_fail(p->lexer, &token, "an expression is nested more than %d deep",
                             PDR_EXPR_MAX_DEPTH);
        return NULL;
    }
    pdr_ast *inside = parse_unary(p);
    p->depth--;
    return make_of(p, PDR_AST_NEGATE, &token, inside, NULL);
}

static pdr_ast *parse_product(parser *p)
{
    pdr_ast *left = parse_unary(p);
    while (left && pdr_token_is(&p->lexer->token, "*")) {
        pdr_token token = p->lexer->token;
        pdr_lexer_next(p->lexer);
        pdr_ast *right = parse_unary(p);
        left = right ? make_of(p, PDR_AST_MULTIPLY, &token, left, right) : NULL;
    }
    return left;
}

static pdr_ast *parse_sum(parser *p)
{
    pdr_ast *left = parse_product(p);
    while (left && (pdr_token_is(&p->lexer->token, "+") || pdr_token_is(&p->lexer->token, "-"))) {
        pdr_token token = p->lexer->token;
        pdr_lexer_next(p->lexer);
        pdr_ast *right = parse_product(p);
        pdr_ast_kind kind = *token.text.data == '+' ? PDR_AST_ADD : PDR_AST_SUBTRACT;
        left = right ? make_of(p, kind, &token, left, right) : NULL;
    }
    return left;
}

static pdr_ast *parse_is(parser *p, pdr_ast *left, const pdr_token *token)
{
    bool not = pdr_lexer_take(p->lexer, "not");
    if (!pdr_lexer_want(p->lexer, "null")) return NULL;
    return make_of(p, not ? PDR_AST_IS_NOT_NULL : PDR_AST_IS_NULL, token, left, NULL);
}

static pdr_ast *parse_comparison(parser *p)
{
    static const struct {
        const char *sign;
        pdr_ast_kind kind;
    } signs[] = {{"=", PDR_AST_EQUAL},          {"<>", PDR_AST_UNEQUAL},
                 {"<=", PDR_AST_LESS_OR_EQUAL}, {">=", PDR_AST_GREATER_OR_EQUAL},
                 {"<", PDR_AST_LESS},           {">", PDR_AST_GREATER}};
    pdr_ast *left = parse_sum(p);
    pdr_token token = p->lexer->token;
    if (left && pdr_lexer_take(p->lexer, "is")) return parse_is(p, left, &token);
    for (size_t i = 0; left && i < sizeof signs / sizeof *signs; i++) {
        if (!pdr_lexer_take(p->lexer, signs[i].sign)) continue;
        pdr_ast *right = parse_sum(p);
        return right ? make_of(p, signs[i].kind, &token, left, right) : NULL;
    }
    return left;
}

static pdr_ast *parse_not(parser *p)
{
    pdr_token token = p->lexer->token;
    if (!pdr_lexer_take(p->lexer, "not")) return parse_comparison(p);
    if (++p->depth > PDR_EXPR_MAX_DEPTH) {
        (void)pdr_lexer_fail(p->lexer, &token, "an expression is nested more than %d deep",
                             PDR_EXPR_MAX_DEPTH);
        return NULL;
    }
    pdr_ast *inside = parse_not(p);
    p->depth--;
    return make_of(p, PDR_AST_NOT, &token, inside, NULL);
}

static pdr_ast *parse_and(parser *p)
{
    pdr_ast *left = parse_not(p);
    pdr_token token = p->lexer->token;
    while (left && pdr_lexer_take(p->lexer, "and")) {
        pdr_ast *right = parse_not(p);
        left = right ? make_of(p, PDR_AST_AND, &token, left, right) : NULL;
        token = p->lexer->token;
    }
    return left;
}

static pdr_ast *parse_or(parser *p)
{
    if (++p->depth > PDR_EXPR_MAX_DEPTH) {
        (void)pdr_lexer_fail(p->lexer, &p->lexer->token, "an expression is nested more than %d deep",
                             PDR_EXPR_MAX_DEPTH);
        return NULL;
    }
    pdr_ast *left = parse_and(p);
    pdr_token token = p->lexer->token;
    while (left && pdr_lexer_take(p->lexer, "or")) {
        pdr_ast *right = parse_and(p);
        left = right ? make_of(p, PDR_AST_OR, &token, left, right) : NULL;
        token = p->lexer->token;
    }
    p->depth--;
    return left;
}

const pdr_ast *pdr_expr_parse(pdr_lexer *lexer, pdr_arena *arena)
{
    parser p = {.lexer = lexer, .arena = arena};
    const pdr_ast *ast = parse_or(&p);
    return lexer->failed ? NULL : ast;
}

static bool names(pdr_string text, const char *name)
{
    return name && strlen(name) == text.size && memcmp(name, text.data, text.size) == 0;
}

bool pdr_ast_reads(const pdr_ast *ast, const char *own, const char *table)
{
    if (ast->kind == PDR_AST_COLUMN && (!table || (own && strcmp(own, table) == 0))) return true;
    if (ast->kind == PDR_AST_OTHER && (!table || names(ast->table, table))) return true;
    for (size_t i = 0; i < ast->count; i++)
        if (pdr_ast_reads(ast->arguments[i], own, table)) return true;
    return false;
}

bool pdr_ast_is_column(const pdr_ast *ast, const char *column)
{
    return ast->kind == PDR_AST_COLUMN && names(ast->text, column);
}
