/* Avro schemas: reading them from JSON, and what is then known of them. Source: Apache Avro 1.11
 * specification; docs/formats/avro.md says where we are stricter.
 *
 * Schemas live in a set: the named types of all texts that were added to it know each other. A set is filled
 * by one thread; once finished it is never changed again, may be read by any, and is freed as a whole. */
#ifndef PDR_SCHEMAS_SCHEMA_H
#define PDR_SCHEMAS_SCHEMA_H

#include "perdure/bytes.h"
#include "perdure/sys/layout.h" /* pdr_kind, pdr_logical */
#include "schemas/json.h"

enum {
    PDR_SCHEMA_MAX_TEXT = 4 * 1024 * 1024,     /* bytes of one text */
    PDR_SCHEMA_MAX_MEMORY = 256 * 1024 * 1024, /* bytes of a set */
    PDR_SCHEMA_MAX_FIELDS = 4096,              /* fields of a record, symbols of an enum */
    PDR_SCHEMA_MAX_BRANCHES = 1024,            /* of a union */
    PDR_SCHEMA_MAX_FIXED = 16 * 1024 * 1024,   /* bytes of a fixed */
    PDR_SCHEMA_MAX_NAME = 512,                 /* bytes of a full name */
    PDR_SCHEMA_MAX_DEPTH = 256,                /* named types written one inside the other */
};

typedef struct pdr_schema pdr_schema;
typedef struct pdr_schema_set pdr_schema_set;

typedef enum pdr_order { PDR_ORDER_ASCENDING, PDR_ORDER_DESCENDING, PDR_ORDER_IGNORE } pdr_order;

/* All texts are NUL-terminated and belong to the set. */
typedef struct pdr_schema_field {
    const char *name;
    const char *doc; /* NULL: none */
    const pdr_schema *type;
    const pdr_json *default_value; /* NULL: none. Valid for `type`; for a union, for its first branch */
    pdr_order order;
    const char *const *aliases;
    size_t alias_count;
    const pdr_json *json; /* as it was written */
    const char *place;    /* "/fields/3" */
    int default_state;    /* while the set is being finished: how far the check of the default is */
} pdr_schema_field;

struct pdr_schema {
    pdr_kind kind;
    pdr_logical logical;
    int precision; /* of a decimal */
    int scale;
    const char *logical_text;   /* the attribute as written, also one that was ignored; NULL: none */
    const char *logical_fault;  /* why a known logical type was ignored; NULL: it wasn't */
    const char *name;           /* record, enum, fixed: full name; else the kind's */
    const char *short_name;     /* the part after the last dot */
    const char *space;          /* namespace, "" for none */
    const char *doc;            /* NULL: none */
    const char *const *aliases; /* full names */
    size_t alias_count;
    size_t count; /* fields, symbols, branches, or bytes of a fixed */
    pdr_schema_field *fields;
    const char *const *symbols;
    int default_symbol;          /* of an enum; -1: none */
    const pdr_schema **branches; /* of a union */
    const pdr_schema *items;     /* of an array's items or a map's values */
    size_t number;               /* named types: place in the set, from 0, in order of definition */
    const pdr_json *json;        /* as it was written */
    const char *file;            /* where */
    const char *place;           /* "/fields/3/type" */
    const pdr_schema_set *set;
};

/* An empty set. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_schema_set_open(pdr_schema_set **out, pdr_error *err);
/* Frees the set and all its schemas. NULL is fine. */
void pdr_schema_set_close(pdr_schema_set *set);

/* Read one text into the set; `file` names it in messages, both are copied. A name may be used that a text
 * added later defines. PDR_BAD_SCHEMA with file:line:column and a path such as /fields/3/type, PDR_TOO_LARGE,
 * PDR_NOMEM; after a failure the set can only be closed. */
PDR_CHECKED pdr_code pdr_schema_set_add(pdr_schema_set *set, const char *file, pdr_string json,
                                        pdr_error *err);
/* No more texts: every name must be known now, and every default fit its type. Same errors as add. */
PDR_CHECKED pdr_code pdr_schema_set_finish(pdr_schema_set *set, pdr_error *err);

/* The full name of a type that is used and that no text has defined so far; NULL: there is none. */
const char *pdr_schema_set_missing(const pdr_schema_set *set);

/* What a finished set holds, borrowed from it. */
size_t pdr_schema_set_count(const pdr_schema_set *set); /* texts */
const pdr_schema *pdr_schema_set_root(const pdr_schema_set *set, size_t index);
const char *pdr_schema_set_file(const pdr_schema_set *set, size_t index);
size_t pdr_schema_set_named_count(const pdr_schema_set *set);
const pdr_schema *pdr_schema_set_named(const pdr_schema_set *set, size_t number);
const pdr_schema *pdr_schema_set_find(const pdr_schema_set *set, const char *full_name); /* NULL: none */

/* One text alone: a set that holds only it. */
PDR_CHECKED pdr_code pdr_schema_read(pdr_schema_set **out, const char *file, pdr_string json, pdr_error *err);

/* Append the Parsing Canonical Form. PDR_NOMEM, PDR_TOO_LARGE; on failure `out` is as before. */
PDR_CHECKED pdr_code pdr_schema_canonical(const pdr_schema *schema, pdr_buf *out, pdr_error *err);
/* CRC-64-AVRO of the Parsing Canonical Form. Same errors. */
PDR_CHECKED pdr_code pdr_schema_fingerprint(uint64_t *out, const pdr_schema *schema, pdr_error *err);
/* Append the whole schema as compact JSON that needs no other text: named types stand where they are first
 * used; doc, defaults, aliases, order, logical types and foreign attributes are kept. Same errors. */
PDR_CHECKED pdr_code pdr_schema_write(const pdr_schema *schema, pdr_buf *out, pdr_error *err);
/* The same for a named type, with the attribute `key` at its root set to the JSON text `value`. */
PDR_CHECKED pdr_code pdr_schema_write_with(const pdr_schema *schema, const char *key, const char *value,
                                           pdr_buf *out, pdr_error *err);

static inline bool pdr_kind_is_named(pdr_kind kind)
{
    return kind == PDR_KIND_RECORD || kind == PDR_KIND_ENUM || kind == PDR_KIND_FIXED;
}
const char *pdr_kind_name(pdr_kind kind);          /* "record" */
const char *pdr_logical_name(pdr_logical logical); /* "timestamp-micros"; "" for none */

#endif
