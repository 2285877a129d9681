/* The lock file: the whole schemas of all versions that have been released, so that nobody changes one by
 * accident. The format: docs/formats/schemas-on-disk.md. */
#ifndef PDR_SCHEMAS_LOCK_H
#define PDR_SCHEMAS_LOCK_H

#include "schemas/files.h"

#define PDR_LOCK_NAME "schemas.lock" /* beside the schemas */
enum { PDR_LOCK_FORMAT = 1, PDR_LOCK_MAX_TEXT = 256 * 1024 * 1024 };

/* One released version. Texts belong to the lock. */
typedef struct pdr_lock_entry {
    const char *event;
    uint32_t version;
    uint64_t fingerprint;
    const pdr_schema *root;
} pdr_lock_entry;

typedef struct pdr_lock pdr_lock;

/* Read a lock file's text; `path` names it in messages. PDR_BAD_SCHEMA with the place (no lock file, an entry
 * that contradicts itself, out of order, two of one version), PDR_TOO_NEW (a later format), PDR_TOO_LARGE,
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_lock_open(pdr_lock **out, const char *path, pdr_string text, pdr_error *err);
void pdr_lock_close(pdr_lock *lock); /* NULL is fine */
size_t pdr_lock_count(const pdr_lock *lock);
const pdr_lock_entry *pdr_lock_at(const pdr_lock *lock, size_t index); /* by event, then version */
const pdr_lock_entry *pdr_lock_find(const pdr_lock *lock, const char *event, uint32_t version); /* or NULL */

/* Are all versions that the lock has still in `folder`, and as they were? Docs may change, and "retired", and
 * new versions may be there. PDR_BAD_SCHEMA naming the file and what differs; PDR_TOO_LARGE, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_lock_check(const pdr_lock *lock, const pdr_schema_files *files, const char *folder,
                                    pdr_error *err);
/* Append the lock file's text for all versions in `folder`: the same files give the same text. PDR_TOO_LARGE,
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_lock_write(const pdr_schema_files *files, const char *folder, pdr_buf *out,
                                    pdr_error *err);

#endif
