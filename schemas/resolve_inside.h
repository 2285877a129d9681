/* What the files of the resolution share. */
#ifndef PDR_SCHEMAS_RESOLVE_INSIDE_H
#define PDR_SCHEMAS_RESOLVE_INSIDE_H

#include "schemas/resolve.h"

/* A path inside the reader's schema, from the end. */
typedef struct path {
    const struct path *up;
    const char *before; /* "/fields/" */
    size_t index;
    const char *after; /* NULL: no index either */
} path;

typedef struct resolver {
    pdr_resolution *all;
    const pdr_problem **last_problem;
    pdr_match **by_writer; /* pairs of named types, by the writer's number */
    bool aliases;
    uint64_t work;
    pdr_error *err;
} resolver;

PDR_CHECKED pdr_code resolve_no_memory(resolver *r);
PDR_CHECKED pdr_code resolve_work(resolver *r, size_t comparisons); /* count them; PDR_TOO_LARGE */
/* Note that `match` can't be read, always or only in part. */
PDR_CHECKED pdr_code resolve_problem(resolver *r, pdr_match *match, const path *at, bool never,
                                     const char *format, ...) PDR_PRINTF(5, 6);
/* "record a.B", "int (date)" */
typedef struct described {
    char text[PDR_SCHEMA_MAX_NAME + 64];
} described;
described resolve_describe(const pdr_schema *schema);

/* The rules. Do the two kinds, names and sizes match, promotions apart? */
bool resolve_same(const resolver *r, const pdr_schema *writer, const pdr_schema *reader);
bool resolve_promotes(pdr_kind writer, pdr_kind reader);
int32_t resolve_branch(const resolver *r, const pdr_schema *writer, const pdr_schema *reader); /* -1: none */
PDR_CHECKED pdr_code resolve_mismatch(resolver *r, pdr_match *match, const path *at);
PDR_CHECKED pdr_code resolve_logical(resolver *r, pdr_match *match, const path *at);
PDR_CHECKED pdr_code resolve_symbols(resolver *r, pdr_match *match, const path *at);
PDR_CHECKED pdr_code resolve_fields(resolver *r, pdr_match *match, const path *at); /* targets of a record */

#endif
