/* What a schema says about its own version: the root attribute "perdure", which `perdure gen` writes into the
 * JSON of every type whose versions are kept: {"version": 3, "readableByOlder": true}. So a log says by
 * itself which version each of its schemas is. */
#ifndef PDR_SCHEMAS_VERSION_H
#define PDR_SCHEMAS_VERSION_H

#include "schemas/schema.h"

typedef struct pdr_schema_version {
    uint32_t version;       /* 1, 2, 3, ...; 0: the schema doesn't say */
    bool readable_by_older; /* false where it doesn't say */
} pdr_schema_version;

/* Members of the attribute that aren't known are passed over: a newer program may have written them.
 * PDR_BAD_SCHEMA with the place: the attribute is no object, a version is no number from 1 to 2^32 - 1,
 * readableByOlder neither true nor false. Any thread. */
PDR_CHECKED pdr_code pdr_schema_version_of(pdr_schema_version *out, const pdr_schema *root, pdr_error *err);

#endif
