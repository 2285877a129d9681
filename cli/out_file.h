/* A file that a command makes: under its name only when it is whole. "-" is standard output. */
#ifndef PDR_CLI_OUT_FILE_H
#define PDR_CLI_OUT_FILE_H

#include <stdio.h>

#include "perdure/bytes.h"

typedef struct pdr_out_file {
    FILE *file;       /* NULL: not open */
    char *name;       /* that it will have; NULL: standard output */
    char *temporary;  /* that it has until then */
    uint64_t written; /* bytes */
} pdr_out_file;

/* PDR_EXISTS: there is one, and `force` is false. PDR_NOT_FOUND: its folder isn't there. PDR_IO,
 * PDR_NO_SPACE, PDR_NOMEM. Drop it in any case. */
PDR_CHECKED pdr_code pdr_out_file_open(pdr_out_file *out, const char *name, bool force, pdr_error *err);
/* Fits a pdr_byte_sink. PDR_IO, PDR_NO_SPACE; PDR_CANCELLED: nobody reads standard output any more. */
PDR_CHECKED pdr_code pdr_out_file_write(void *out_file, pdr_bytes bytes, pdr_error *err);
/* All that was written is on disk, under the file's name. */
PDR_CHECKED pdr_code pdr_out_file_keep(pdr_out_file *out, pdr_error *err);
/* What wasn't kept is removed. Twice is fine. */
void pdr_out_file_drop(pdr_out_file *out);

#endif
