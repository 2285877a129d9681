/* Inside of schemas/diff*.c, nobody else. */
#ifndef PDR_SCHEMAS_DIFF_INSIDE_H
#define PDR_SCHEMAS_DIFF_INSIDE_H

#include "schemas/diff.h"

enum { DIFF_MAX_DEPTH = 4 * PDR_SCHEMA_MAX_DEPTH };

/* Two named types that were compared, or are being. */
typedef struct diff_pair {
    const pdr_schema *before, *after;
    struct diff_pair *next;
} diff_pair;

typedef struct differ {
    pdr_schema_diff *diff;
    diff_pair *pairs;
    unsigned depth;
    pdr_code code; /* the first failure */
    pdr_error *err;
} differ;

pdr_code diff_no_memory(differ *d);
const char *diff_text(differ *d, const char *format, ...) PDR_PRINTF(2, 3); /* in the arena; "" on failure */
const char *diff_keep(differ *d, const pdr_buf *text);
const char *diff_json(differ *d, const pdr_json *json); /* compact; NULL of NULL */
void diff_add(differ *d, pdr_change_kind kind, const char *path, const char *what, const char *before,
              const char *after);
/* A change if the two differ; NULL: absent. */
void diff_texts(differ *d, pdr_change_kind kind, const char *path, const char *what, const char *before,
                const char *after);
void diff_aliases(differ *d, const char *path, const char *const *before, size_t before_count,
                  const char *const *after, size_t after_count);
void diff_attributes(differ *d, const char *path, const pdr_json *before, const pdr_json *after,
                     const char *const *known);
const char *diff_type_text(differ *d, const pdr_schema *schema);
void diff_types(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after);

/* ---- diff_parts.c ---- */
void diff_fields(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after);
void diff_symbols(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after);
void diff_branches(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after);

#endif
