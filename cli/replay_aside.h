/* The file that long work is put aside in: a header, what it was work on, then parts. Of this machine and
 * this version of the program only. */
#ifndef PDR_CLI_REPLAY_ASIDE_H
#define PDR_CLI_REPLAY_ASIDE_H

#include "perdure/bytes.h"

typedef struct pdr_aside_part {
    uint32_t kind;
    int32_t partition;
    pdr_bytes bytes;
} pdr_aside_part;

/* --- reading --- */
typedef struct pdr_aside {
    uint8_t *mapped; /* NULL: there is no such file */
    size_t size;
    pdr_bytes identity;
    pdr_aside_part *parts;
    size_t count;
} pdr_aside;

/* No file of that name is fine. Zero *out first; close it in any case. PDR_CONFLICT: another file, or of
 * something else (saying what differs); PDR_BAD_DATA: damaged; PDR_IO, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_aside_open(pdr_aside *out, const char *file, pdr_bytes identity, pdr_error *err);
void pdr_aside_close(pdr_aside *aside);

/* --- writing: into a file beside it that takes its place at the end --- */
typedef struct pdr_aside_writer {
    const char *file;
    int fd;
    char path[4200];
} pdr_aside_writer;

/* PDR_IO, PDR_NO_SPACE for each. */
PDR_CHECKED pdr_code pdr_aside_begin(pdr_aside_writer *writer, const char *file, pdr_bytes identity,
                                     pdr_error *err);
PDR_CHECKED pdr_code pdr_aside_put(pdr_aside_writer *writer, const pdr_aside_part *part, pdr_error *err);
PDR_CHECKED pdr_code pdr_aside_finish(pdr_aside_writer *writer, pdr_error *err);
void pdr_aside_drop(pdr_aside_writer *writer); /* what was written goes; fine after finish */

#endif
