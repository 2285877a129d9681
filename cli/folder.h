/* Schema files as people name them: single files, and folders whose .avsc files are meant. */
#ifndef PDR_CLI_FOLDER_H
#define PDR_CLI_FOLDER_H

#include "schemas/files.h"
#include "schemas/lock.h"

/* Add the file `path`, or all files *.avsc directly in the folder `path`, by name. PDR_NOT_FOUND (no such
 * file, or a folder without schemas), errors of pdr_schema_files_add, PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_add_schemas(pdr_schema_files *files, const char *path, pdr_error *err);
/* Open, add each path, finish. *out is yours. */
PDR_CHECKED pdr_code pdr_cli_read_schemas(pdr_schema_files **out, char *const *paths, int count,
                                          pdr_error *err);
/* One schema by itself, as any file may be compared with any other: names that it doesn't define are looked
 * for in the unversioned files of its folder. Close *set. */
PDR_CHECKED pdr_code pdr_cli_read_alone(pdr_schema_set **set, const pdr_schema **root, const char *path,
                                        pdr_error *err);
/* Append a whole file. PDR_NOT_FOUND, PDR_TOO_LARGE (the buffer's ceiling), PDR_NOMEM, PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_read_file(const char *path, pdr_buf *out, pdr_error *err);
/* To a file beside it, then renamed, so that nobody ever reads half of it. PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_write_file(const char *path, const pdr_buf *text, pdr_error *err);
bool pdr_cli_is_folder(const char *path);
/* The lock file of a folder; *out is yours, NULL if there is none. Errors of pdr_lock_open, PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_open_lock(pdr_lock **out, const char *folder, pdr_error *err);
/* Check the files against the lock of each folder that has one: those of the versions, and those in `paths`.
 */
PDR_CHECKED pdr_code pdr_cli_check_locks(const pdr_schema_files *files, char *const *paths, int count,
                                         pdr_error *err);

/* A folder of versions and what its lock says. */
typedef struct pdr_cli_folder {
    char path[PDR_SCHEMA_MAX_PATH]; /* without a slash at the end */
    pdr_schema_files *files;
    pdr_lock *lock; /* NULL: there is none */
} pdr_cli_folder;

/* PDR_NOT_FOUND (no such folder), PDR_INVALID_ARGUMENT (no version in it), other errors of reading. Release
 * it in any case, zero it first. The files aren't checked against the lock. */
PDR_CHECKED pdr_code pdr_cli_folder_open(pdr_cli_folder *out, const char *path, pdr_error *err);
void pdr_cli_folder_release(pdr_cli_folder *folder);

#endif
