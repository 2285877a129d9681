/* JSON texts as a tree, with the place of every value: what schemas are read from. Source: RFC 8259, and
 * strict: no duplicate keys, no invalid UTF-8, no lone surrogates. */
#ifndef PDR_SCHEMAS_JSON_H
#define PDR_SCHEMAS_JSON_H

#include "perdure/arena.h"
#include "perdure/bytes.h"

typedef enum pdr_json_kind {
    PDR_JSON_NULL,
    PDR_JSON_BOOLEAN,
    PDR_JSON_NUMBER,
    PDR_JSON_STRING,
    PDR_JSON_ARRAY,
    PDR_JSON_OBJECT
} pdr_json_kind;

typedef struct pdr_json {
    pdr_json_kind kind;
    bool truth;      /* of a boolean */
    uint32_t line;   /* from 1 */
    uint32_t column; /* from 1, in bytes */
    pdr_string key;  /* of a member of an object */
    pdr_string text; /* of a string, its characters; of a number, its digits as written; NUL-terminated */
    size_t count;    /* items or members */
    struct pdr_json *first;
    struct pdr_json *next; /* the next item or member of the one that holds it */
} pdr_json;

enum { PDR_JSON_MAX_DEPTH = 256, PDR_JSON_MAX_MEMBERS = 2048 /* of one object */ };

/* Read the one value that `text` holds, into `arena`. PDR_BAD_SCHEMA with file:line:column, PDR_TOO_LARGE
 * (too deep, too many members, or over the arena's ceiling), PDR_NOMEM. Any thread. */
PDR_CHECKED pdr_code pdr_json_parse(pdr_json **out, pdr_arena *arena, const char *file, pdr_string text,
                                    pdr_error *err);
/* The member `key` of an object; NULL when there is none or `json` is no object. */
const pdr_json *pdr_json_get(const pdr_json *json, const char *key);
bool pdr_json_is(const pdr_json *json, const char *text); /* is it the string `text`? */
/* A number without fraction or exponent that fits; false if it isn't one. */
bool pdr_json_integer(const pdr_json *json, int64_t *out);
/* Any number that a double can hold without becoming infinite. */
bool pdr_json_real(const pdr_json *json, double *out);
const char *pdr_json_kind_name(const pdr_json *json); /* "an object", "a string"... */
/* Append as compact JSON. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_json_write(const pdr_json *json, pdr_buf *out);
/* Append over several lines, newline at the end: the outer `open_levels` with a line for each member, what
 * lies deeper on one line if it fits. Same errors. */
PDR_CHECKED pdr_code pdr_json_write_lines(const pdr_json *json, unsigned open_levels, pdr_buf *out);

#endif
