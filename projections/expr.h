/* The closed language of declarative projections. An expression is parsed once, then bound for each event
 * type that a rule is for: names become offsets, types are checked, integers widen. Each rule of it stands in
 * docs/projections.md and is compared with PostgreSQL's own by a test.
 *
 * Values: boolean, bigint (every integer), numeric (an int64 unscaled, at most 18 digits), double precision,
 * text, bytea, date, timestamptz; NULL is of any type. */
#ifndef PDR_PROJECTIONS_EXPR_H
#define PDR_PROJECTIONS_EXPR_H

#include "perdure/projection.h"
#include "projections/cell.h"
#include "projections/lex.h"

enum { PDR_EXPR_MAX_DEPTH = 64, PDR_EXPR_MAX_ARGUMENTS = 64, PDR_EXPR_MAX_NODES = 2000 };

/* --- As it is written --- */

typedef enum pdr_ast_kind {
    PDR_AST_NULL,
    PDR_AST_TRUE,
    PDR_AST_FALSE,
    PDR_AST_NUMBER,    /* text */
    PDR_AST_TEXT,      /* text, unescaped */
    PDR_AST_DATE,      /* date 'YYYY-MM-DD' */
    PDR_AST_TIMESTAMP, /* timestamp 'YYYY-MM-DD HH:MM:SS[.ffffff]', UTC */
    PDR_AST_EVENT,     /* event.a.b: text is "a.b" */
    PDR_AST_COLUMN,    /* c, old.c: text is the column */
    PDR_AST_OTHER,     /* t.c: table and text */
    PDR_AST_ENTITY,
    PDR_AST_ENTITY_KEY,
    PDR_AST_SEQ,
    PDR_AST_TIME,
    PDR_AST_NEGATE,
    PDR_AST_ADD,
    PDR_AST_SUBTRACT,
    PDR_AST_MULTIPLY,
    PDR_AST_EQUAL,
    PDR_AST_UNEQUAL,
    PDR_AST_LESS,
    PDR_AST_LESS_OR_EQUAL,
    PDR_AST_GREATER,
    PDR_AST_GREATER_OR_EQUAL,
    PDR_AST_AND,
    PDR_AST_OR,
    PDR_AST_NOT,
    PDR_AST_IS_NULL,
    PDR_AST_IS_NOT_NULL,
    PDR_AST_COALESCE,
    PDR_AST_GREATEST,
    PDR_AST_LEAST,
    PDR_AST_CASE,    /* when, then, when, then, ..., else (always there; NULL if not written) */
    PDR_AST_DATE_OF, /* date(ts) */
    PDR_AST_SECONDS  /* seconds(a - b) */
} pdr_ast_kind;

typedef struct pdr_ast {
    pdr_ast_kind kind;
    pdr_token token; /* where it stands */
    pdr_string text;
    pdr_string table;
    size_t count;
    struct pdr_ast **arguments;
} pdr_ast;

/* The next expression of the file; memory from `arena`. NULL: the lexer has the error. */
const pdr_ast *pdr_expr_parse(pdr_lexer *lexer, pdr_arena *arena);
/* Does it read a column of this table? `own`: the table whose columns stand bare. NULL as `table`: of any. */
bool pdr_ast_reads(const pdr_ast *ast, const char *own, const char *table);
bool pdr_ast_is_column(const pdr_ast *ast, const char *column); /* the bare column, or old.column */

/* --- Bound --- */

/* How a value comes out. scale: of a numeric. */
typedef struct pdr_expr_type {
    bool null_only; /* the literal NULL: fits everything */
    pdr_column_type type;
    int scale;
} pdr_expr_type;

typedef struct pdr_expr pdr_expr;

typedef struct pdr_expr_scope {
    pdr_lexer *lexer; /* errors */
    pdr_arena *arena;
    const pdr_type *event; /* the event type that the rule is bound for */
    const pdr_table *tables;
    size_t table_count;
    size_t own; /* the table whose columns stand bare; SIZE_MAX: none */
} pdr_expr_scope;

/* NULL: the error is told. */
const pdr_expr *pdr_expr_bind(const pdr_ast *ast, const pdr_expr_scope *scope);
pdr_expr_type pdr_expr_type_of(const pdr_expr *expr);
/* The same, as a value for a column: widened, or refused because the types don't fit. Numerics are rounded to
 * the column's scale, half away from zero, when it is evaluated. */
const pdr_expr *pdr_expr_for_column(const pdr_expr *expr, const pdr_column *column, const pdr_token *at,
                                    const pdr_expr_scope *scope);

/* What an evaluation rests on. `row` gives the cells after the key of one table's row for this event, as it
 * was before it (for a row that isn't there: its initial cells), or a code. */
typedef struct pdr_expr_input {
    const pdr_projected *event;
    pdr_code (*row)(void *context, size_t table, const pdr_cell **cells, pdr_error *err);
    void *context;
    pdr_arena *arena; /* memory of the values; may be cleared after use */
} pdr_expr_input;

/* PDR_OK; PDR_BAD_DATA: out of range, a text that isn't one; or what `row` gave. */
PDR_CHECKED pdr_code pdr_expr_evaluate(const pdr_expr *expr, const pdr_expr_input *input, pdr_cell *out,
                                       pdr_error *err);

/* --- Inside the language --- */

/* A place in an event: steps through records and what is optional. */
typedef struct pdr_field_step {
    size_t offset;
    bool pointer;
    bool optional;       /* {present, value}: NULL unless present */
    size_t value_offset; /* of the value behind `optional` */
    bool value_pointer;
} pdr_field_step;

struct pdr_layout;
typedef struct pdr_field_path {
    const pdr_field_step *steps;
    size_t count;
    const struct pdr_layout *layout; /* of what is there */
} pdr_field_path;

/* `dotted` within the record `event`. false: the error is told, with the path that fails. */
bool pdr_field_find(pdr_field_path *out, pdr_expr_type *type, const pdr_ast *ast,
                    const pdr_expr_scope *scope);
PDR_CHECKED pdr_code pdr_field_read(const pdr_field_path *path, const void *event, pdr_cell *out,
                                    pdr_error *err);

typedef enum pdr_expr_op {
    PDR_EXPR_LITERAL,
    PDR_EXPR_FIELD,
    PDR_EXPR_CELL, /* table, column (after the key), or of the key */
    PDR_EXPR_ENTITY,
    PDR_EXPR_ENTITY_KEY,
    PDR_EXPR_SEQ,
    PDR_EXPR_TIME,
    PDR_EXPR_NEGATE,
    PDR_EXPR_ADD,
    PDR_EXPR_SUBTRACT,
    PDR_EXPR_MULTIPLY,
    PDR_EXPR_COMPARE, /* `compare` says how */
    PDR_EXPR_AND,
    PDR_EXPR_OR,
    PDR_EXPR_NOT,
    PDR_EXPR_IS_NULL,
    PDR_EXPR_COALESCE,
    PDR_EXPR_GREATEST,
    PDR_EXPR_LEAST,
    PDR_EXPR_CASE,
    PDR_EXPR_DATE_OF,
    PDR_EXPR_SECONDS,
    PDR_EXPR_RESCALE, /* numeric to another scale, integer to numeric */
    PDR_EXPR_TO_DOUBLE
} pdr_expr_op;

struct pdr_expr {
    pdr_expr_op op;
    pdr_expr_type type;
    pdr_ast_kind compare;
    pdr_cell literal;
    pdr_field_path field;
    size_t table, column;
    size_t count;
    const pdr_expr **arguments;
};

/* Unscaled numbers between scales; false: more than 18 digits. Rounds half away from zero. */
bool pdr_numeric_rescale(int64_t value, int from, int to, int64_t *out);
/* 'YYYY-MM-DD' and 'YYYY-MM-DD HH:MM:SS[.ffffff]' (UTC; also with 'T' and a final 'Z'). */
bool pdr_date_read(pdr_string text, int64_t *days);
bool pdr_timestamp_read(pdr_string text, int64_t *micros);

#endif
