#include "replay/where.h"

#include <jq.h>
#include <stdio.h>
#include <string.h>

#include "base/late.h"
#include "base/mem.h"

#define FUNCTIONS(X)                                                                                         \
    X(jq_compile)                                                                                            \
    X(jq_init)                                                                                               \
    X(jq_next)                                                                                               \
    X(jq_set_error_cb)                                                                                       \
    X(jq_start)                                                                                              \
    X(jq_teardown)                                                                                           \
    X(jv_copy)                                                                                               \
    X(jv_dump_string)                                                                                        \
    X(jv_free)                                                                                               \
    X(jv_get_kind)                                                                                           \
    X(jv_invalid_get_msg)                                                                                    \
    X(jv_invalid_has_msg)                                                                                    \
    X(jv_parse_sized)                                                                                        \
    X(jv_string_value)
PDR_LATE_LIBRARY(PDR_JQ_FILE, FUNCTIONS);

enum { MAX_PROGRAM = 64 * 1024, MAX_MESSAGE = 400 };

struct pdr_where {
    jq_state *jq;
    char message[MAX_MESSAGE]; /* the first that jq gave while it compiled */
};

/* A filter looks at one value and says yes or no. What jq has to end its program, to print, to read more
 * input or the environment isn't there, and a module can't be imported, since nothing may stand before that.
 */
static const char before[] =
    "def halt: error(\"halt isn't there\"); def halt_error: error(\"halt_error isn't there\");"
    " def halt_error(f): halt_error; def input: error(\"input isn't there\");"
    " def inputs: input; def env: error(\"env isn't there\"); def debug: .;"
    " def debug(f): .; def stderr: .; {} as $ENV |\n";

/* jq's "jq: error: WHAT at <top-level>, line N:" and then the program's text: only WHAT says something. */
static void keep_message(char *out, size_t room, const char *text)
{
    static const char prefix[] = "jq: error: ";
    if (strncmp(text, prefix, sizeof prefix - 1) == 0) text += sizeof prefix - 1;
    const char *end = strstr(text, " at <top-level>");
    size_t size = end ? (size_t)(end - text) : strcspn(text, "\n");
    snprintf(out, room, "%.*s", (int)(size < room ? size : room - 1), text);
}

static void said(void *context, jv message)
{
    pdr_where *w = context;
    if (!w->message[0] && late.jv_get_kind(message) == JV_KIND_STRING)
        keep_message(w->message, sizeof w->message, late.jv_string_value(message));
    late.jv_free(message);
}

/* jv.h's own, jv_is_valid, calls the library by its name: nobody calls it, but without optimization it stays
 * in the program and mustn't need what isn't linked. */
#pragma weak jv_get_kind
static bool is_valid(jv value)
{
    return late.jv_get_kind(value) != JV_KIND_INVALID;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static pdr_code compile(pdr_where *w, const char *program, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(MAX_PROGRAM + sizeof before);
    pdr_code code = pdr_buf_append(&text, before, sizeof before - 1);
    if (code == PDR_OK) code = pdr_buf_append(&text, program, strlen(program) + 1);
    bool compiled = code == PDR_OK && late.jq_compile(w->jq, (const char *)text.data);
    pdr_buf_release(&text);
    if (code == PDR_TOO_LARGE)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the filter has more than %d bytes", MAX_PROGRAM);
    if (code != PDR_OK) return pdr_fail(err, code, "a filter");
    if (compiled) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "the filter \"%.200s\" isn't jq: %s", program,
                    w->message[0] ? w->message : "it doesn't compile");
}

pdr_code pdr_where_open(pdr_where **out, const char *program, pdr_error *err)
{
    *out = NULL;
    if (is_blank(program)) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the filter is empty");
    pdr_code code = pdr_late_load(&library, err);
    if (code != PDR_OK) return code;
    pdr_where *w = pdr_calloc(1, sizeof *w);
    if (w) w->jq = late.jq_init();
    if (!w || !w->jq) {
        pdr_free(w);
        return pdr_fail(err, PDR_NOMEM, "a filter");
    }
    late.jq_set_error_cb(w->jq, said, w);
    code = compile(w, program, err);
    if (code != PDR_OK) {
        pdr_where_close(w);
        return code;
    }
    *out = w;
    return PDR_OK;
}

void pdr_where_close(pdr_where *where)
{
    if (!where) return;
    late.jq_teardown(&where->jq);
    pdr_free(where);
}

/* A failure's message, or nothing; takes `value`. */
static pdr_code read_failure(jv value, const char *what, pdr_error *err)
{
    jv message = late.jv_invalid_get_msg(value);
    if (late.jv_get_kind(message) != JV_KIND_STRING) message = late.jv_dump_string(message, 0);
    pdr_code code = pdr_fail(err, PDR_BAD_DATA, "%s: %.*s", what, MAX_MESSAGE, late.jv_string_value(message));
    late.jv_free(message);
    return code;
}

pdr_code pdr_where_holds(pdr_where *where, pdr_bytes json, bool *holds, pdr_error *err)
{
    *holds = false;
    if (json.size > INT32_MAX)
        return pdr_fail(err, PDR_BAD_DATA, "a value of %zu bytes is too long for jq", json.size);
    jv value = late.jv_parse_sized((const char *)json.data, (int)json.size);
    if (!is_valid(value)) return read_failure(value, "jq can't read the value", err);
    late.jq_start(where->jq, value, 0);
    jv result = late.jq_next(where->jq);
    if (!is_valid(result)) {
        if (late.jv_invalid_has_msg(late.jv_copy(result))) return read_failure(result, "jq", err);
        late.jv_free(result);
        return PDR_OK;
    }
    jv_kind kind = late.jv_get_kind(result);
    *holds = kind != JV_KIND_FALSE && kind != JV_KIND_NULL;
    late.jv_free(result);
    return PDR_OK;
}
