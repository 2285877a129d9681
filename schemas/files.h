/* Schemas as they lie on disk: which file is which version of which event, and what it refers to. The layout,
 * and what is refused: docs/formats/schemas-on-disk.md.
 *
 * `OfferMade.v2.avsc` is version 2 of the record OfferMade; every version from 1 on is there. Any other file
 * is unversioned: commands, and types that several files share. A version is read in a set of its own, with
 * the unversioned files that it refers to and no others, so that two versions never meet. Filled by one
 * thread; once finished never changed, and any thread may read. */
#ifndef PDR_SCHEMAS_FILES_H
#define PDR_SCHEMAS_FILES_H

#include "schemas/schema.h"

enum {
    PDR_SCHEMA_MAX_FILES = 4096,
    PDR_SCHEMA_MAX_VERSION = 9999,
    PDR_SCHEMA_MAX_PATH = 4096 /* bytes of a file's path */
};

/* One version of an event or state. All texts belong to the pdr_schema_files. */
typedef struct pdr_versioned {
    const char *path;   /* as it was given */
    const char *folder; /* the path up to its last slash; "." if it has none */
    const char *event;  /* "OfferMade" */
    uint32_t version;   /* from 1 */
    bool newest;        /* no higher version of this event is there */
    bool retired;       /* the newest version says that nothing writes this event any more */
    bool readable_by_older;
    uint64_t fingerprint;
    const pdr_schema *root; /* a record; its set holds this version and what it refers to */
} pdr_versioned;

typedef struct pdr_schema_files pdr_schema_files;

/* Nothing yet. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_schema_files_open(pdr_schema_files **out, pdr_error *err);
void pdr_schema_files_close(pdr_schema_files *files); /* NULL is fine */
/* One file: its path, which messages name, and its text; both are copied. PDR_BAD_SCHEMA (a file name that
 * looks like a version and is none), PDR_INVALID_ARGUMENT (given twice), PDR_TOO_LARGE, PDR_NOMEM; after a
 * failure it can only be closed. */
PDR_CHECKED pdr_code pdr_schema_files_add(pdr_schema_files *files, const char *path, pdr_string text,
                                          pdr_error *err);
/* No more files: reads all of them. PDR_BAD_SCHEMA by file: what pdr_schema_set_add and _finish refuse, a gap
 * in the versions, a name that isn't the file's, versions with equal fingerprints, a malformed "perdure". */
PDR_CHECKED pdr_code pdr_schema_files_finish(pdr_schema_files *files, pdr_error *err);

/* Of finished files. The unversioned ones, in the order in which they were added, are one set; NULL if there
 * are none. */
const pdr_schema_set *pdr_schema_files_shared(const pdr_schema_files *files);
/* The versioned ones: by folder, event and version. */
size_t pdr_schema_files_count(const pdr_schema_files *files);
const pdr_versioned *pdr_schema_files_at(const pdr_schema_files *files, size_t index);
/* Does the file's name say that it is a version, or try to? */
bool pdr_schema_is_versioned(const char *path);
/* Is `schema` (of the set of `version`) defined by that version's own file? */
bool pdr_versioned_defines(const pdr_versioned *version, const pdr_schema *schema);
/* Append the whole schema as pdr_schema_write does, with "perdure" at its root saying the version. */
PDR_CHECKED pdr_code pdr_versioned_write(const pdr_versioned *version, pdr_buf *out, pdr_error *err);

#endif
