/* A pdr_type made at run time from a schema, as `perdure gen` would have made it: what is generated, compiled
 * and linked elsewhere is here only reckoned, so that a test can have any number of readers. */
#ifndef PDR_TESTS_MADE_TYPE_H
#define PDR_TESTS_MADE_TYPE_H

#include "perdure/sys/layout.h"
#include "perdure/type.h"
#include "schemas/schema.h"

enum { MADE_MAX_NAMED = 4096 };
#define MADE_FINGERPRINT UINT64_C(0x6d61646520747970) /* of no schema */

/* An array of records, whose stride is known when all records are laid out. */
typedef struct made_list {
    pdr_layout *layout;
    struct made_list *next;
} made_list;

typedef struct made_type {
    pdr_type type;
    pdr_schema_set *set;
    const pdr_schema *root;
    pdr_arena arena;
    pdr_layout **layouts; /* of records, by number */
    made_list *direct;
} made_type;

/* Make the type of the record that `json` describes. It has no encode and no decode, and another fingerprint
 * than its schema, so that a plan never takes the straight path. PDR_BAD_SCHEMA also when the root is no
 * record. Close it also after a failure. */
PDR_CHECKED pdr_code made_type_open(made_type *made, pdr_string json, pdr_error *err);
void made_type_close(made_type *made);
/* The layout of any part of it. */
const pdr_layout *made_layout(made_type *made, const pdr_schema *record, const pdr_schema *part);

/* Append `value` in the notation of made_text.h. PDR_INVALID_ARGUMENT for a value that no schema allows. */
PDR_CHECKED pdr_code made_print(const pdr_layout *layout, const void *value, pdr_buf *out);

#endif
