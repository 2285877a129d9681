/* The tokens of a projection's file: SQL's, without its strangeness. Comments are "--" to the line's end. */
#ifndef PDR_PROJECTIONS_LEX_H
#define PDR_PROJECTIONS_LEX_H

#include "perdure/bytes.h"

enum { PDR_LEX_MAX_TEXT = 1024 * 1024 }; /* bytes of a file */

typedef enum pdr_token_kind {
    PDR_TOKEN_END,
    PDR_TOKEN_WORD,   /* letters, digits, '_'; not beginning with a digit. Keywords are words */
    PDR_TOKEN_NUMBER, /* 12, 12.50 */
    PDR_TOKEN_TEXT,   /* 'it''s': between the quotes, as written */
    PDR_TOKEN_BODY,   /* $$ ... $$: between the marks */
    PDR_TOKEN_SYMBOL, /* ( ) , ; . = <> < <= > >= + - * : */
} pdr_token_kind;

typedef struct pdr_token {
    pdr_token_kind kind;
    pdr_string text;
    unsigned line, column; /* from 1; columns count bytes */
} pdr_token;

typedef struct pdr_lexer {
    const char *file;
    const char *at, *end, *line_start;
    unsigned line;
    pdr_token token; /* the one that is next */
    pdr_error *err;
    bool failed; /* the error is told; every further token is END */
} pdr_lexer;

/* All borrowed. PDR_BAD_PROJECTION, PDR_TOO_LARGE, PDR_NOMEM go to `err` and `failed`. */
void pdr_lexer_init(pdr_lexer *lexer, const char *file, pdr_string text, pdr_error *err);
void pdr_lexer_next(pdr_lexer *lexer);
bool pdr_token_is(const pdr_token *token, const char *word_or_symbol); /* words in any case */
/* Take the token if it is this one. */
bool pdr_lexer_take(pdr_lexer *lexer, const char *word_or_symbol);
/* Or say what was expected. */
bool pdr_lexer_want(pdr_lexer *lexer, const char *word_or_symbol);
/* Say once that something is wrong, at a token. Gives false. */
bool pdr_lexer_fail(pdr_lexer *lexer, const pdr_token *at, const char *format, ...) PDR_PRINTF(3, 4);
bool pdr_lexer_no_memory(pdr_lexer *lexer, const pdr_token *at); /* PDR_NOMEM */

#endif
