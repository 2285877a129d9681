#include "schemas/json.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>

#include "perdure/sys/wire.h"
#include "schemas/print.h"

typedef struct reader {
    const char *file;
    const char *p;
    const char *end;
    const char *line_start;
    uint32_t line;
    pdr_arena *arena;
    pdr_error *err;
} reader;

static uint32_t column_of(const reader *r, const char *p)
{
    return (uint32_t)(p - r->line_start) + 1;
}

static pdr_code bad(reader *r, const char *p, const char *why)
{
    return pdr_fail(r->err, PDR_BAD_SCHEMA, "%s:%u:%u: %s", r->file, r->line, column_of(r, p), why);
}

static pdr_code no_memory(reader *r)
{
    if (r->arena->max - r->arena->held < (size_t)(r->end - r->p) + 1024)
        return pdr_fail(r->err, PDR_TOO_LARGE, "%s: needs more than %zu bytes of memory", r->file,
                        r->arena->max);
    return pdr_fail(r->err, PDR_NOMEM, "%s: out of memory", r->file);
}

static void skip_space(reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '\n') {
            r->line++;
            r->line_start = r->p + 1;
        } else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
            return;
        }
    }
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* The four digits after \u, or -1. */
static int32_t hex4(const reader *r, const char *p)
{
    int32_t value = 0;
    if (r->end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_code_point(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xC0 | (c >> 6));
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xE0 | (c >> 12));
        } else {
            *to++ = (char)(0xF0 | (c >> 18));
            *to++ = (char)(0x80 | ((c >> 12) & 0x3F));
        }
        *to++ = (char)(0x80 | ((c >> 6) & 0x3F));
    }
    *to++ = (char)(0x80 | (c & 0x3F));
    return to;
}

/* r->p is behind "\u". */
static pdr_code read_unicode(reader *r, char **to)
{
    const char *start = r->p - 2;
    int32_t unit = hex4(r, r->p), low;
    if (unit < 0) return bad(r, start, "\\u needs four hexadecimal digits");
    r->p += 4;
    uint32_t c = (uint32_t)unit;
    if (c >= 0xDC00 && c <= 0xDFFF) return bad(r, start, "a low surrogate stands alone");
    if (c >= 0xD800 && c <= 0xDBFF) {
        if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
            return bad(r, start, "a high surrogate stands alone");
        low = hex4(r, r->p + 2);
        if (low < 0xDC00 || low > 0xDFFF) return bad(r, start, "a high surrogate stands alone");
        r->p += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
    }
    *to = put_code_point(*to, c);
    return PDR_OK;
}

static pdr_code read_escape(reader *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    if (r->p + 1 >= r->end) return bad(r, r->p, "the text ends inside a string");
    char c = r->p[1];
    r->p += 2;
    if (c == 'u') return read_unicode(r, to);
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) return bad(r, r->p - 2, "unknown escape in a string");
    *(*to)++ = into[found - from];
    return PDR_OK;
}

/* Where the string that begins at `p` (after its quote) ends, escapes skipped; NULL if it doesn't. */
static const char *string_end(const reader *r, const char *p)
{
    for (; p < r->end && *p != '"'; p++)
        if (*p == '\\' && ++p >= r->end) return NULL;
    return p < r->end ? p : NULL;
}

static pdr_code read_string(reader *r, pdr_string *out)
{
    const char *start = r->p++;
    const char *close = string_end(r, r->p);
    if (!close) return bad(r, start, "a string has no end");
    if (!pdr_wire_utf8((const uint8_t *)r->p, (size_t)(close - r->p)))
        return bad(r, start, "a string is not valid UTF-8");
    char *text = pdr_arena_alloc(r->arena, (size_t)(close - r->p) + 1), *to = text;
    if (!text) return no_memory(r);
    while (r->p < close) {
        if ((unsigned char)*r->p < 0x20) return bad(r, r->p, "a control character in a string");
        if (*r->p != '\\') {
            *to++ = *r->p++;
            continue;
        }
        pdr_code code = read_escape(r, &to);
        if (code != PDR_OK) return code;
    }
    r->p = close + 1;
    *to = '\0';
    out->data = text;
    out->size = (size_t)(to - text);
    return PDR_OK;
}

/* ---- numbers and words ---- */

static bool digits(reader *r)
{
    const char *start = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > start;
}

static bool number(reader *r)
{
    if (*r->p == '-') r->p++;
    const char *first = r->p;
    if (!digits(r) || (*first == '0' && r->p - first > 1)) return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!digits(r)) return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) r->p++;
        if (!digits(r)) return false;
    }
    return true;
}

static pdr_code read_number(reader *r, pdr_json *json)
{
    const char *start = r->p;
    if (!number(r)) return bad(r, start, "not a JSON number");
    pdr_string text = {start, (size_t)(r->p - start)};
    json->kind = PDR_JSON_NUMBER;
    json->text = pdr_arena_string(r->arena, text);
    return json->text.data ? PDR_OK : no_memory(r);
}

static bool word(reader *r, const char *text)
{
    size_t size = strlen(text);
    if ((size_t)(r->end - r->p) < size || memcmp(r->p, text, size) != 0) return false;
    r->p += size;
    return true;
}

static pdr_code read_word(reader *r, pdr_json *json)
{
    json->kind = PDR_JSON_BOOLEAN;
    if (word(r, "false")) return PDR_OK;
    json->truth = true;
    if (word(r, "true")) return PDR_OK;
    json->kind = PDR_JSON_NULL;
    if (word(r, "null")) return PDR_OK;
    return bad(r, r->p, "a JSON value must stand here");
}

/* ---- arrays and objects ---- */

static pdr_code read_value(reader *r, pdr_json *json, unsigned depth);

static pdr_code new_node(reader *r, pdr_json **out)
{
    *out = pdr_arena_calloc(r->arena, 1, sizeof **out);
    return *out ? PDR_OK : no_memory(r);
}

static pdr_code read_key(reader *r, const pdr_json *object, pdr_string *key)
{
    skip_space(r);
    if (r->p >= r->end || *r->p != '"') return bad(r, r->p, "a key in quotes must stand here");
    const char *start = r->p;
    pdr_code code = read_string(r, key);
    if (code != PDR_OK) return code;
    for (const pdr_json *other = object->first; other; other = other->next)
        if (pdr_string_equal(other->key, *key)) return bad(r, start, "this key stands twice in its object");
    if (object->count >= PDR_JSON_MAX_MEMBERS)
        return pdr_fail(r->err, PDR_TOO_LARGE, "%s:%u:%u: an object has more than %d members", r->file,
                        r->line, column_of(r, start), (int)PDR_JSON_MAX_MEMBERS);
    skip_space(r);
    if (r->p >= r->end || *r->p != ':') return bad(r, r->p, "a colon must stand here");
    r->p++;
    return PDR_OK;
}

/* After an item: true while there is another. */
static pdr_code read_separator(reader *r, char close, bool *more)
{
    skip_space(r);
    if (r->p < r->end && (*r->p == ',' || *r->p == close)) {
        *more = *r->p++ == ',';
        return PDR_OK;
    }
    return bad(r, r->p, close == ']' ? "a comma or ] must stand here" : "a comma or } must stand here");
}

static pdr_code read_list(reader *r, pdr_json *json, unsigned depth)
{
    bool object = *r->p == '{', more = true;
    char close = object ? '}' : ']';
    pdr_json **link = &json->first;
    json->kind = object ? PDR_JSON_OBJECT : PDR_JSON_ARRAY;
    if (depth >= PDR_JSON_MAX_DEPTH)
        return pdr_fail(r->err, PDR_TOO_LARGE, "%s:%u:%u: nested more than %d deep", r->file, r->line,
                        column_of(r, r->p), (int)PDR_JSON_MAX_DEPTH);
    r->p++;
    skip_space(r);
    if (r->p < r->end && *r->p == close) {
        r->p++;
        return PDR_OK;
    }
    while (more) {
        pdr_json *item;
        pdr_string key = {NULL, 0};
        pdr_code code = object ? read_key(r, json, &key) : PDR_OK;
        if (code == PDR_OK) code = new_node(r, &item);
        if (code != PDR_OK) return code;
        item->key = key;
        code = read_value(r, item, depth + 1);
        if (code == PDR_OK) code = read_separator(r, close, &more);
        if (code != PDR_OK) return code;
        *link = item;
        link = &item->next;
        json->count++;
    }
    return PDR_OK;
}

static pdr_code read_value(reader *r, pdr_json *json, unsigned depth)
{
    skip_space(r);
    json->line = r->line;
    json->column = column_of(r, r->p);
    if (r->p >= r->end) return bad(r, r->p, "the text ends where a JSON value must stand");
    switch (*r->p) {
    case '{':
    case '[': return read_list(r, json, depth);
    case '"': json->kind = PDR_JSON_STRING; return read_string(r, &json->text);
    case 't':
    case 'f':
    case 'n': return read_word(r, json);
    default: break;
    }
    if (*r->p == '-' || (*r->p >= '0' && *r->p <= '9')) return read_number(r, json);
    return bad(r, r->p, "a JSON value must stand here");
}

pdr_code pdr_json_parse(pdr_json **out, pdr_arena *arena, const char *file, pdr_string text, pdr_error *err)
{
    static const char nothing[] = "";
    const char *start = text.data ? text.data : nothing;
    reader r = {file, start, start + text.size, start, 1, arena, err};
    pdr_json *json;
    pdr_code code = new_node(&r, &json);
    if (code == PDR_OK) code = read_value(&r, json, 0);
    if (code != PDR_OK) return code;
    skip_space(&r);
    if (r.p < r.end) return bad(&r, r.p, "something stands after the JSON value");
    *out = json;
    return PDR_OK;
}

/* ---- looking at it ---- */

const pdr_json *pdr_json_get(const pdr_json *json, const char *key)
{
    pdr_string wanted = pdr_string_of(key);
    if (!json || json->kind != PDR_JSON_OBJECT) return NULL;
    for (const pdr_json *member = json->first; member; member = member->next)
        if (pdr_string_equal(member->key, wanted)) return member;
    return NULL;
}

bool pdr_json_is(const pdr_json *json, const char *text)
{
    return json && json->kind == PDR_JSON_STRING && pdr_string_equal(json->text, pdr_string_of(text));
}

bool pdr_json_integer(const pdr_json *json, int64_t *out)
{
    if (!json || json->kind != PDR_JSON_NUMBER || strpbrk(json->text.data, ".eE")) return false;
    errno = 0;
    long long value = strtoll(json->text.data, NULL, 10);
    *out = value;
    return errno == 0;
}

bool pdr_json_real(const pdr_json *json, double *out)
{
    if (!json || json->kind != PDR_JSON_NUMBER) return false;
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* the program's own may want a comma */
    if (plain == (locale_t)0) return false;
    *out = strtod_l(json->text.data, NULL, plain);
    freelocale(plain);
    return *out - *out == 0;
}

const char *pdr_json_kind_name(const pdr_json *json)
{
    static const char *const names[] = {"null", "a boolean", "a number", "a string", "an array", "an object"};
    return names[json->kind];
}

static pdr_code write_list(const pdr_json *json, pdr_buf *out)
{
    bool object = json->kind == PDR_JSON_OBJECT;
    pdr_code code = pdr_buf_append(out, object ? "{" : "[", 1);
    for (const pdr_json *item = json->first; code == PDR_OK && item; item = item->next) {
        if (item != json->first) code = pdr_buf_append(out, ",", 1);
        if (code == PDR_OK && object) code = pdr_print_text(out, item->key);
        if (code == PDR_OK && object) code = pdr_buf_append(out, ":", 1);
        if (code == PDR_OK) code = pdr_json_write(item, out);
    }
    return code == PDR_OK ? pdr_buf_append(out, object ? "}" : "]", 1) : code;
}

pdr_code pdr_json_write(const pdr_json *json, pdr_buf *out)
{
    switch (json->kind) {
    case PDR_JSON_NULL: return pdr_buf_append(out, "null", 4);
    case PDR_JSON_BOOLEAN: return pdr_buf_append(out, json->truth ? "true" : "false", json->truth ? 4 : 5);
    case PDR_JSON_NUMBER: return pdr_buf_append(out, json->text.data, json->text.size);
    case PDR_JSON_STRING: return pdr_print_text(out, json->text);
    default: return write_list(json, out);
    }
}
