/* Schema files as people name them: single files, and folders whose .avsc files are meant. */
#ifndef PDR_CLI_FOLDER_H
#define PDR_CLI_FOLDER_H

#include "schemas/files.h"

/* Add the file `path`, or all files *.avsc directly in the folder `path`, by name. PDR_NOT_FOUND (no such
 * file, or a folder without schemas), errors of pdr_schema_files_add, PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_add_schemas(pdr_schema_files *files, const char *path, pdr_error *err);
/* Open, add each path, finish. *out is yours. */
PDR_CHECKED pdr_code pdr_cli_read_schemas(pdr_schema_files **out, char *const *paths, int count,
                                          pdr_error *err);
/* Append a whole file. PDR_NOT_FOUND, PDR_TOO_LARGE (the buffer's ceiling), PDR_NOMEM, PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_read_file(const char *path, pdr_buf *out, pdr_error *err);
/* To a file beside it, then renamed, so that nobody ever reads half of it. PDR_FATAL. */
PDR_CHECKED pdr_code pdr_cli_write_file(const char *path, const pdr_buf *text, pdr_error *err);
bool pdr_cli_is_folder(const char *path);

#endif
