/* A declarative file: its first line, then tables and rules; then all is bound. */
#include "projections/definition.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/mem.h"
#include "perdure/sys/wire.h"

enum { MAX_MEMORY = 64 * 1024 * 1024, MAX_EVENT_MEMORY = 64 * 1024 * 1024 };

void *pdr_definition_alloc(pdr_definition *d, size_t count, size_t size)
{
    void *memory = pdr_arena_calloc(&d->arena, count ? count : 1, size);
    if (!memory) (void)pdr_lexer_no_memory(d->lexer, &d->lexer->token);
    return memory;
}

static bool is_plain(pdr_string name)
{
    if (name.size == 0 || name.size > PDR_VIEW_MAX_NAME || (name.data[0] >= '0' && name.data[0] <= '9'))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

char *pdr_definition_name(pdr_definition *d, const char *what)
{
    pdr_token token = d->lexer->token;
    if (token.kind != PDR_TOKEN_WORD || !is_plain(token.text)) {
        (void)pdr_lexer_fail(d->lexer, &token,
                             "%s is expected: lower-case letters, digits and '_', at most %d of them", what,
                             PDR_VIEW_MAX_NAME);
        return NULL;
    }
    char *name = pdr_definition_alloc(d, token.text.size + 1, 1);
    if (name) memcpy(name, token.text.data, token.text.size);
    pdr_lexer_next(d->lexer);
    return name;
}

bool pdr_definition_find_table(pdr_definition *d, size_t *out)
{
    pdr_token token = d->lexer->token;
    for (size_t i = 0; i < d->base.table_count; i++) {
        if (token.kind != PDR_TOKEN_WORD || !pdr_token_is(&token, d->tables[i].name)) continue;
        *out = i;
        pdr_lexer_next(d->lexer);
        return !d->lexer->failed;
    }
    return pdr_lexer_fail(d->lexer, &token,
                          "there is no table '%.*s' in this file (tables come before rules)",
                          (int)token.text.size, token.text.data);
}

static bool read_version(pdr_definition *d)
{
    pdr_token token = d->lexer->token;
    unsigned long value = 0;
    for (size_t i = 0; token.kind == PDR_TOKEN_NUMBER && i < token.text.size && value <= 1000000; i++)
        value = token.text.data[i] == '.' ? 1000001 : value * 10 + (unsigned long)(token.text.data[i] - '0');
    if (value < 1 || value > 1000000)
        return pdr_lexer_fail(d->lexer, &token, "a version from 1 to 1000000 is expected");
    d->base.version = (uint32_t)value;
    pdr_lexer_next(d->lexer);
    return !d->lexer->failed;
}

static bool read_head(pdr_definition *d)
{
    if (!pdr_lexer_want(d->lexer, "projection")) return false;
    d->base.name = pdr_definition_name(d, "the projection's name");
    return d->base.name && pdr_lexer_want(d->lexer, "version") && read_version(d) &&
           pdr_lexer_want(d->lexer, ";");
}

static bool read_body(pdr_definition *d)
{
    pdr_lexer *l = d->lexer;
    while (!l->failed && l->token.kind != PDR_TOKEN_END) {
        if (pdr_lexer_take(l, "table")) {
            if (!pdr_definition_table(d)) return false;
        } else if (pdr_lexer_take(l, "on")) {
            if (!pdr_definition_rule(d)) return false;
        } else if (pdr_lexer_take(l, "to")) {
            if (!pdr_definition_topic(d)) return false;
        } else {
            return pdr_lexer_fail(l, &l->token, "'table', 'to' or 'on' is expected, not '%.*s'",
                                  (int)(l->token.text.size < 40 ? l->token.text.size : 40),
                                  l->token.text.data);
        }
    }
    if (l->failed) return false;
    return pdr_definition_check_target(d);
}

/* Of the tokens: what is only laid out otherwise is the same. */
static uint64_t fingerprint(const char *file, pdr_string text)
{
    pdr_lexer lexer;
    uint64_t hash = 0;
    for (pdr_lexer_init(&lexer, file, text, NULL); lexer.token.kind != PDR_TOKEN_END; pdr_lexer_next(&lexer))
        hash = XXH3_64bits_withSeed(lexer.token.text.data, lexer.token.text.size, hash + lexer.token.kind);
    return hash;
}

static pdr_definition *make(const pdr_app *app)
{
    pdr_definition *d = pdr_calloc(1, sizeof *d);
    if (!d) return NULL;
    d->base.ops = &pdr_declarative_ops;
    d->base.tables = d->tables;
    d->app = app;
    d->last_rule = &d->rules;
    d->arena = (pdr_arena)PDR_ARENA_INIT(MAX_MEMORY);
    d->scratch = (pdr_arena)PDR_ARENA_INIT(MAX_EVENT_MEMORY);
    return d;
}

/* Names and texts of the file are used as long as the projection lives. */
static bool keep_text(pdr_definition *d, pdr_string *text)
{
    pdr_bytes copy = pdr_arena_bytes(&d->arena, pdr_bytes_of(text->data, text->size));
    *text = (pdr_string){(const char *)copy.data, text->size};
    return copy.data;
}

pdr_code pdr_projection_read(pdr_projection **out, const char *file, pdr_string text, const pdr_app *app,
                             pdr_error *err)
{
    pdr_lexer lexer;
    pdr_error said = {.code = PDR_NOMEM};
    if (text.size > PDR_LEX_MAX_TEXT)
        return pdr_fail(err, PDR_TOO_LARGE, "%s: a projection's file has at most %d bytes", file,
                        PDR_LEX_MAX_TEXT);
    if (!pdr_wire_utf8((const uint8_t *)text.data, text.size))
        return pdr_fail(err, PDR_BAD_PROJECTION, "%s: the file isn't UTF-8", file);
    if (text.size && memchr(text.data, 0, text.size)) /* a statement would end there */
        return pdr_fail(err, PDR_BAD_PROJECTION, "%s: the file has a NUL character", file);
    pdr_definition *d = make(app);
    if (!d || !keep_text(d, &text)) {
        if (d) d->base.ops->close(&d->base);
        return pdr_fail(err, PDR_NOMEM, "%s: a projection", file);
    }
    d->lexer = &lexer;
    pdr_lexer_init(&lexer, file, text, &said);
    if (!read_head(d) || !read_body(d) || !pdr_definition_bind(d)) {
        if (err) *err = said;
        d->base.ops->close(&d->base);
        return said.code;
    }
    d->lexer = NULL;
    d->base.fingerprint = fingerprint(file, text);
    *out = &d->base;
    return PDR_OK;
}
