#include "projections/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

static void end(pdr_lexer *l)
{
    l->failed = true;
    l->token.kind = PDR_TOKEN_END;
    l->at = l->end;
}

bool pdr_lexer_fail(pdr_lexer *l, const pdr_token *at, const char *format, ...)
{
    char message[400];
    va_list args;
    if (l->failed) return false;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    (void)pdr_fail(l->err, PDR_BAD_PROJECTION, "%s:%u:%u: %s", l->file, at->line, at->column, message);
    end(l);
    return false;
}

bool pdr_lexer_no_memory(pdr_lexer *l, const pdr_token *at)
{
    if (l->failed) return false;
    (void)pdr_fail(l->err, PDR_NOMEM, "%s:%u:%u: the projection takes more memory than there is", l->file,
                   at->line, at->column);
    end(l);
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(pdr_lexer *l)
{
    for (; l->at < l->end; l->at++) {
        if (*l->at == '\n') {
            l->line++;
            l->line_start = l->at + 1;
        } else if (*l->at == '-' && l->at + 1 < l->end && l->at[1] == '-') {
            while (l->at + 1 < l->end && l->at[1] != '\n')
                l->at++;
        } else if (*l->at != ' ' && *l->at != '\t' && *l->at != '\r') {
            return;
        }
    }
}

static void count_lines(pdr_lexer *l, const char *from, const char *to)
{
    for (; from < to; from++)
        if (*from == '\n') {
            l->line++;
            l->line_start = from + 1;
        }
}

/* Between two marks of `size` bytes; a text's quote is written twice inside. */
static void take_marked(pdr_lexer *l, const char *mark, size_t size, const char *what)
{
    const char *from = l->at + size, *to = from;
    bool doubled = size == 1;
    for (;; to++) {
        if ((size_t)(l->end - to) < size) {
            pdr_lexer_fail(l, &l->token, "%s has no end", what);
            return;
        }
        if (memcmp(to, mark, size) != 0) continue;
        if (!doubled || to + 1 >= l->end || to[1] != *mark) break;
        to++;
    }
    l->token.text = (pdr_string){from, (size_t)(to - from)};
    count_lines(l, from, to);
    l->at = to + size;
}

static void take_number(pdr_lexer *l)
{
    const char *from = l->at;
    while (l->at < l->end && is_digit(*l->at))
        l->at++;
    if (l->at + 1 < l->end && *l->at == '.' && is_digit(l->at[1]))
        for (l->at++; l->at < l->end && is_digit(*l->at); l->at++)
            ;
    l->token.text = (pdr_string){from, (size_t)(l->at - from)};
    if (l->at < l->end && is_letter(*l->at)) pdr_lexer_fail(l, &l->token, "a number is followed by a letter");
}

static void take_symbol(pdr_lexer *l)
{
    static const char two[][3] = {"<>", "<=", ">="};
    size_t size = 1;
    for (size_t i = 0; i < sizeof two / sizeof *two; i++)
        if (l->end - l->at >= 2 && memcmp(l->at, two[i], 2) == 0) size = 2;
    if (!strchr("(),;.=<>+-*:", *l->at) || !*l->at) {
        pdr_lexer_fail(l, &l->token, "there is no use for the character '%.*s' here",
                       (unsigned char)*l->at < 0x80 && *l->at ? 1 : 0, l->at);
        return;
    }
    l->token.text = (pdr_string){l->at, size};
    l->at += size;
}

void pdr_lexer_next(pdr_lexer *l)
{
    if (l->failed) return;
    skip_space(l);
    l->token = (pdr_token){PDR_TOKEN_END, {l->at, 0}, l->line, (unsigned)(l->at - l->line_start) + 1};
    if (l->at >= l->end) return;
    if (is_letter(*l->at)) {
        const char *from = l->at;
        while (l->at < l->end && (is_letter(*l->at) || is_digit(*l->at)))
            l->at++;
        l->token.kind = PDR_TOKEN_WORD;
        l->token.text = (pdr_string){from, (size_t)(l->at - from)};
    } else if (is_digit(*l->at)) {
        l->token.kind = PDR_TOKEN_NUMBER;
        take_number(l);
    } else if (*l->at == '\'') {
        l->token.kind = PDR_TOKEN_TEXT;
        take_marked(l, "'", 1, "a text");
    } else if (l->end - l->at >= 2 && memcmp(l->at, "$$", 2) == 0) {
        l->token.kind = PDR_TOKEN_BODY;
        take_marked(l, "$$", 2, "a statement");
    } else {
        l->token.kind = PDR_TOKEN_SYMBOL;
        take_symbol(l);
    }
}

void pdr_lexer_init(pdr_lexer *l, const char *file, pdr_string text, pdr_error *err)
{
    *l = (pdr_lexer){.file = file,
                     .at = text.data,
                     .end = text.data + text.size,
                     .line_start = text.data,
                     .line = 1,
                     .err = err};
    if (text.size > PDR_LEX_MAX_TEXT) {
        (void)pdr_fail(err, PDR_TOO_LARGE, "%s: a projection's file has at most %d bytes", file,
                       PDR_LEX_MAX_TEXT);
        l->failed = true;
        return;
    }
    pdr_lexer_next(l);
}

bool pdr_token_is(const pdr_token *token, const char *text)
{
    if (token->kind != PDR_TOKEN_WORD && token->kind != PDR_TOKEN_SYMBOL) return false;
    return strlen(text) == token->text.size && strncasecmp(text, token->text.data, token->text.size) == 0;
}

bool pdr_lexer_take(pdr_lexer *l, const char *text)
{
    if (l->failed || !pdr_token_is(&l->token, text)) return false;
    pdr_lexer_next(l);
    return !l->failed;
}

bool pdr_lexer_want(pdr_lexer *l, const char *text)
{
    if (pdr_lexer_take(l, text)) return true;
    if (l->token.kind == PDR_TOKEN_END)
        return pdr_lexer_fail(l, &l->token, "'%s' is expected, but the file ends", text);
    return pdr_lexer_fail(l, &l->token, "'%s' is expected, not '%.*s'", text,
                          (int)(l->token.text.size < 40 ? l->token.text.size : 40), l->token.text.data);
}
