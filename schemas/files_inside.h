/* Inside of schemas/files*.c, nobody else. */
#ifndef PDR_SCHEMAS_FILES_INSIDE_H
#define PDR_SCHEMAS_FILES_INSIDE_H

#include "perdure/arena.h"
#include "schemas/files.h"

typedef struct schema_file {
    pdr_versioned version; /* .version 0: unversioned, of which only path and folder are set */
    pdr_string text;
    pdr_schema_set *set; /* of a version */
    bool pulled;         /* while a version's set is being made: an unversioned file that it refers to */
    struct schema_file *next;
} schema_file;

struct pdr_schema_files {
    pdr_arena arena;
    schema_file *first, **last; /* in the order of adding */
    size_t count;
    pdr_schema_set *shared;
    schema_file **versions; /* sorted */
    size_t version_count;
};

const char *files_base_of(const char *path);
/* The set of a version, its root, attributes and fingerprint; what is wrong with that file alone. */
PDR_CHECKED pdr_code files_read_version(pdr_schema_files *files, schema_file *f, pdr_error *err);
/* Is the attribute "perdure" only at `root` (NULL: nowhere)? */
PDR_CHECKED pdr_code files_check_attributes(const pdr_schema_set *set, const pdr_schema *root,
                                            pdr_error *err);

#endif
