/* What differs between two schemas, attribute by attribute, also where canonical form and fingerprint see
 * nothing: defaults, logical types, aliases, order, docs, attributes that Avro doesn't know. It judges
 * nothing: whether one can read the other's data is resolve.h's question. */
#ifndef PDR_SCHEMAS_DIFF_H
#define PDR_SCHEMAS_DIFF_H

#include "perdure/arena.h"
#include "schemas/schema.h"

typedef enum pdr_change_kind {
    PDR_CHANGE_FIELD_ADDED,
    PDR_CHANGE_FIELD_REMOVED,
    PDR_CHANGE_FIELD_RENAMED, /* the newer field has the older's name as an alias */
    PDR_CHANGE_FIELDS_MOVED,
    PDR_CHANGE_TYPE, /* another type, or another number of bytes of a fixed */
    PDR_CHANGE_NAME, /* of a named type */
    PDR_CHANGE_LOGICAL_TYPE,
    PDR_CHANGE_DEFAULT,
    PDR_CHANGE_ORDER,
    PDR_CHANGE_ALIASES,
    PDR_CHANGE_SYMBOL_ADDED,
    PDR_CHANGE_SYMBOL_REMOVED,
    PDR_CHANGE_SYMBOLS_MOVED,
    PDR_CHANGE_BRANCH_ADDED,
    PDR_CHANGE_BRANCH_REMOVED,
    PDR_CHANGE_BRANCHES_MOVED,
    PDR_CHANGE_READABLE_BY_OLDER, /* in the root's attribute "perdure"; its version isn't compared */
    PDR_CHANGE_ATTRIBUTE,         /* one that Avro doesn't know */
    PDR_CHANGE_DOC,
    PDR_CHANGE_COUNT
} pdr_change_kind;

typedef struct pdr_change {
    pdr_change_kind kind;
    const char *path; /* by names: "/", "/amount", "/terms/[]/rate", "/tags/{}", "/party/bank.Person" */
    const char *what; /* which symbol, branch or attribute; else NULL */
    const char *before, *after; /* as text; NULL: wasn't there, or isn't any more */
    struct pdr_change *next;
} pdr_change;

typedef struct pdr_schema_diff {
    pdr_arena arena;
    pdr_change *first, **last;
    size_t count;
    size_t docs; /* how many of them are PDR_CHANGE_DOC */
} pdr_schema_diff;

/* All that differs. Both belong to finished sets, which needn't outlive it. PDR_TOO_LARGE, PDR_NOMEM. Any
 * thread. */
PDR_CHECKED pdr_code pdr_schema_diff_open(pdr_schema_diff **out, const pdr_schema *before,
                                          const pdr_schema *after, pdr_error *err);
void pdr_schema_diff_close(pdr_schema_diff *diff); /* NULL is fine */

const char *pdr_change_name(pdr_change_kind kind); /* "field-added" */
/* Append as one line for people, without newline: "/amount: type int is now long". PDR_NOMEM, PDR_TOO_LARGE.
 */
PDR_CHECKED pdr_code pdr_change_write(const pdr_change *change, pdr_buf *out);

#endif
