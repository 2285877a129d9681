/* `perdure gen`: C structs and straight encode and decode for the records of schema files. What the output
 * looks like: docs/formats/avro.md, "Generated code". */
#ifndef PDR_SCHEMAS_GEN_H
#define PDR_SCHEMAS_GEN_H

#include "schemas/files.h"

enum { PDR_GEN_MAX_TYPES = 2048 /* named types, those of old versions included */ };

typedef struct pdr_gen_options {
    const char *prefix;  /* before every C name; lower case letters, digits and _ */
    const char *header;  /* how the source includes the header: "loans.gen.h" */
    const char *sources; /* for the first line's comment: "a.avsc, b.avsc"; NULL: leave it out */
} pdr_gen_options;

/* Append the header and the source for all named types of `files` (finished) to the two buffers. Top-level
 * records, which get a number, are the roots of unversioned files, the branches of such a root that is a
 * union, and every version. The newest version of an event has the plain C names; older ones, and those of a
 * retired event, have a suffix: docs/formats/schemas-on-disk.md, "C names". PDR_BAD_SCHEMA: a schema that C
 * can't have (two types with one C name, a record that holds itself without end, a root that isn't a named
 * type), with its place; PDR_INVALID_ARGUMENT: bad prefix; PDR_TOO_LARGE, PDR_NOMEM. On failure the buffers
 * may hold parts. */
PDR_CHECKED pdr_code pdr_gen(const pdr_gen_options *options, const pdr_schema_files *files, pdr_buf *header,
                             pdr_buf *source, pdr_error *err);

#endif
