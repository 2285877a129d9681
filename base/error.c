#include "perdure/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct code_row {
    const char *name;
    pdr_class class_;
    bool retry;
    const char *text;
    const char *advice;
} code_row;

static const code_row code_rows[PDR_CODE_COUNT] = {
#define PDR_CODE_ROW(name, class_, retry, text, advice)                                                      \
    {#name, PDR_CLASS_##class_, (retry) != 0, text, advice},
    PDR_CODE_MAP(PDR_CODE_ROW)
#undef PDR_CODE_ROW
};

static const code_row *row_of(pdr_code code)
{
    unsigned index = (unsigned)code;
    return &code_rows[index < PDR_CODE_COUNT ? index : (unsigned)PDR_FATAL];
}

pdr_class pdr_code_class(pdr_code code)
{
    return row_of(code)->class_;
}
bool pdr_code_retry(pdr_code code)
{
    return row_of(code)->retry;
}
const char *pdr_code_name(pdr_code code)
{
    return row_of(code)->name;
}
const char *pdr_code_text(pdr_code code)
{
    return row_of(code)->text;
}
const char *pdr_code_advice(pdr_code code)
{
    return row_of(code)->advice;
}

const char *pdr_class_name(pdr_class class_)
{
    static const char *const names[] = {"ok",      "misuse",  "not-found", "conflict", "transient",
                                        "deposed", "corrupt", "fatal",     "cancelled"};
    unsigned index = (unsigned)class_;
    return index < sizeof names / sizeof names[0] ? names[index] : "fatal";
}

static void fill(pdr_error *err, pdr_code code, int32_t backend, const char *format, va_list args)
{
    err->code = code;
    err->backend = backend;
    if (vsnprintf(err->message, sizeof err->message, format, args) < 0) err->message[0] = '\0';
}

pdr_code pdr_fail(pdr_error *err, pdr_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, code, 0, format, args);
        va_end(args);
    }
    return code;
}

pdr_code pdr_fail_backend(pdr_error *err, pdr_code code, int32_t backend, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, code, backend, format, args);
        va_end(args);
    }
    return code;
}

pdr_code pdr_fail_context(pdr_error *err, pdr_code code, const char *format, ...)
{
    if (err) {
        pdr_error inner = *err;
        char prefix[200];
        va_list args;
        va_start(args, format);
        if (vsnprintf(prefix, sizeof prefix, format, args) < 0) prefix[0] = '\0';
        va_end(args);
        if (inner.code != code) inner.message[0] = '\0';
        pdr_code ignored = pdr_fail_backend(err, code, inner.backend, "%s: %.290s", prefix,
                                            inner.message[0] ? inner.message : pdr_code_text(code));
        (void)ignored;
    }
    return code;
}
