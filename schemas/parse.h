/* Inside of the schema reader: shared by the parse_*.c files and schema_set.c, nobody else. */
#ifndef PDR_SCHEMAS_PARSE_H
#define PDR_SCHEMAS_PARSE_H

#include "perdure/arena.h"
#include "schemas/schema.h"

/* Where the reader is: a path inside the text, from the value at hand up to the root. */
typedef struct place {
    const struct place *parent; /* NULL: the root */
    const char *key;            /* NULL: an index */
    size_t index;
} place;

/* A named type that was defined, or only used so far. */
typedef struct named {
    pdr_schema *schema; /* kind PDR_KIND_COUNT until it is defined */
    bool defined;
    const char *used_file; /* where it was first used before it was defined; NULL: it wasn't */
    const char *used_place;
    uint32_t used_line, used_column;
    struct named *next_in_bucket;
    struct named *next;
} named;

typedef struct source_text {
    const char *file;
    const pdr_schema *root;
    struct source_text *next;
} source_text;

typedef struct pending_default {
    pdr_schema_field *field;
    const char *file;
    struct pending_default *next;
} pending_default;

enum { BUCKETS = 4096 };

struct pdr_schema_set {
    pdr_arena arena;
    named *buckets[BUCKETS];
    named *first_named, **last_named;
    const pdr_schema **by_number; /* made when the set is finished */
    size_t named_count;
    source_text *first_text, **last_text;
    size_t text_count;
    pending_default *first_default, **last_default;
};

typedef struct parser {
    pdr_schema_set *set;
    const char *file;
    pdr_error *err;
} parser;

/* Fail with file:line:column of `json` and the path `at`. */
pdr_code parse_bad(parser *p, const pdr_json *json, const place *at, const char *format, ...)
    PDR_PRINTF(4, 5);
pdr_code parse_no_memory(parser *p);
PDR_CHECKED pdr_code parse_place(parser *p, const place *at, const char **out); /* as text, in the set */

/* Any schema, in the namespace `space`. */
PDR_CHECKED pdr_code parse_schema(parser *p, const pdr_json *json, const place *at, const char *space,
                                  const pdr_schema **out);
/* Records, enums and fixed; `json` is their object. */
PDR_CHECKED pdr_code parse_record(parser *p, const pdr_json *json, const place *at, const char *space,
                                  const pdr_schema **out);
PDR_CHECKED pdr_code parse_enum(parser *p, const pdr_json *json, const place *at, const char *space,
                                const pdr_schema **out);
PDR_CHECKED pdr_code parse_fixed(parser *p, const pdr_json *json, const place *at, const char *space,
                                 const pdr_schema **out);
PDR_CHECKED pdr_code parse_new(parser *p, pdr_kind kind, const pdr_json *json, const place *at,
                               pdr_schema **out);
/* The logical type of `schema`, if its object has one; an invalid one is only noted. */
PDR_CHECKED pdr_code parse_logical(parser *p, const place *at, pdr_schema *schema);

/* An optional attribute that must be a string; *out NULL when it is absent. */
PDR_CHECKED pdr_code parse_text(parser *p, const pdr_json *json, const place *at, const char *key,
                                const char **out);
/* Begin the definition of the named type that `json` describes: finds its names, refuses a second definition.
 */
PDR_CHECKED pdr_code parse_define(parser *p, const pdr_json *json, const place *at, const char *space,
                                  pdr_kind kind, pdr_schema **out);
/* The named type that `name` means in `space`, defined already or not. */
PDR_CHECKED pdr_code parse_reference(parser *p, const pdr_json *json, const place *at, const char *space,
                                     const pdr_schema **out);
/* "aliases"; `space` NULL: of a field, whose aliases are simple names. */
PDR_CHECKED pdr_code parse_aliases(parser *p, const pdr_json *json, const place *at, const char *space,
                                   const char *const **out, size_t *count);
bool parse_is_name(pdr_string name);                       /* a simple name by Avro's rules */
bool parse_is_type_name(const char *name, pdr_kind *kind); /* of a primitive or complex type */

/* All defaults of the set against their types. */
PDR_CHECKED pdr_code parse_check_defaults(parser *p);

#endif
