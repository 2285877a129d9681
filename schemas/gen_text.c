#include "schemas/gen_inside.h"

#include <stdarg.h>
#include <stdio.h>

void gen_fail(gen *g, const pdr_schema *at, const char *format, ...)
{
    char message[300];
    va_list args;
    if (g->code != PDR_OK) return;
    va_start(args, format);
    if (vsnprintf(message, sizeof message, format, args) < 0) message[0] = '\0';
    va_end(args);
    g->code = pdr_fail(g->err, PDR_BAD_SCHEMA, "%s:%u:%u: %s: %s", at->file, at->json->line, at->json->column,
                       at->place, message);
}

void gen_no_memory(gen *g)
{
    if (g->code == PDR_OK) g->code = pdr_fail(g->err, PDR_NOMEM, "out of memory while code is generated");
}

static void out_of_room(gen *g, pdr_code code)
{
    if (g->code == PDR_OK) g->code = pdr_fail(g->err, code, "generated code: %s", pdr_code_text(code));
}

static void append(gen *g, const char *text, size_t size)
{
    if (g->code != PDR_OK) return;
    pdr_code code = pdr_buf_append(g->out, text, size);
    if (code != PDR_OK) out_of_room(g, code);
}

PDR_PRINTF(2, 0) static const char *text_of(gen *g, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = size < 0 ? NULL : pdr_arena_alloc(&g->arena, (size_t)size + 1);
    if (!text) {
        gen_no_memory(g);
        return "";
    }
    (void)vsnprintf(text, (size_t)size + 1, format, args);
    return text;
}

const char *gen_text(gen *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = text_of(g, format, args);
    va_end(args);
    return text;
}

static void put_line(gen *g, const char *text)
{
    if (*text)
        for (int i = 0; i < g->indent; i++)
            append(g, "    ", 4);
    append(g, text, strlen(text));
    append(g, "\n", 1);
}

void gen_line(gen *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line(g, text_of(g, format, args));
    va_end(args);
}

void gen_open(gen *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put_line(g, text_of(g, format, args));
    va_end(args);
    g->indent++;
}

void gen_close(gen *g, const char *text)
{
    g->indent--;
    put_line(g, text);
}

/* Three octal digits can't run into what follows, and a ? alone can't make a trigraph. */
static size_t escape(unsigned char c, char out[5])
{
    if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '?') {
        out[0] = (char)c;
        return 1;
    }
    bool named = c == '"' || c == '\\' || c == '?';
    return (size_t)(named ? snprintf(out, 5, "\\%c", c) : snprintf(out, 5, "\\%03o", c));
}

const char *gen_quote(gen *g, pdr_string text)
{
    char *out = pdr_arena_alloc(&g->arena, text.size * 4 + 3), *to = out;
    if (!out) {
        gen_no_memory(g);
        return "\"\"";
    }
    *to++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        char escaped[5];
        size_t size = escape((unsigned char)text.data[i], escaped);
        memcpy(to, escaped, size);
        to += size;
    }
    *to++ = '"';
    *to = '\0';
    return out;
}

void gen_literal(gen *g, pdr_string text, const char *after)
{
    enum { WIDTH = 90 };
    for (size_t start = 0; start < text.size; start += WIDTH) {
        size_t size = text.size - start < WIDTH ? text.size - start : WIDTH;
        pdr_string piece = {text.data + start, size};
        gen_line(g, "%s%s", gen_quote(g, piece), start + size == text.size ? after : "");
    }
}

const char *gen_comment(gen *g, const char *text)
{
    char *out = pdr_arena_alloc(&g->arena, strlen(text) * 2 + 1), *to = out;
    if (!out) {
        gen_no_memory(g);
        return "";
    }
    for (; *text; text++) {
        bool space = (unsigned char)*text <= 0x20;
        if (space && (to == out || to[-1] == ' ')) continue;
        bool opens = *text == '*' && to > out && to[-1] == '/',
             closes = *text == '/' && to > out && to[-1] == '*';
        if (opens || closes) *to++ = ' ';
        *to++ = space ? ' ' : *text;
    }
    while (to > out && to[-1] == ' ')
        to--;
    *to = '\0';
    return out;
}
