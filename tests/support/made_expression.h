/* Expressions of declarative projections made at random, each written twice: in the language, and in SQL for
 * PostgreSQL to evaluate. They read one row of `made_table`, whose columns have every type. */
#ifndef PDR_TESTS_MADE_EXPRESSION_H
#define PDR_TESTS_MADE_EXPRESSION_H

#include "perdure/view.h"
#include "tests/support/choices.h"

enum { MADE_TEXT = 8000, MADE_COLUMNS = 17 };

/* The key (id text) and then two columns or more of each type. In SQL they are those of table v, which has
 * one more: `one`, always true, so that nothing of an expression is constant there. */
extern const pdr_table made_table;

typedef struct made_expression {
    pdr_column_type type;
    char ours[MADE_TEXT], sql[MADE_TEXT];
    bool too_long; /* for the buffers: not to be used */
} made_expression;

void made_expression_make(made_expression *out, choices *c);
/* A cell for a column of that type: NULL, an ordinary one, or an extreme. Bytes are static. */
pdr_cell made_cell(const pdr_column *column, choices *c);
/* The SQL of a cell: '12.50'::numeric(12,2). */
void made_cell_sql(char *out, size_t size, const pdr_column *column, const pdr_cell *cell);
const char *made_sql_type(const pdr_column *column, char *out, size_t size); /* "numeric(12,2)" */

#endif
