/* An export in memory. */
#ifndef PDR_TESTS_EXPORT_BYTES_H
#define PDR_TESTS_EXPORT_BYTES_H

#include "replay/export_file.h"

/* The sink of a pdr_buf, which it appends to. */
pdr_byte_sink sink_of(pdr_buf *buf);

/* Bytes to read, some at a time. */
typedef struct bytes_left {
    pdr_bytes bytes;
    size_t at_once; /* at most; 0: all */
} bytes_left;
pdr_byte_source source_of(bytes_left *left);

/* Read all of an export; what it gives, commit by commit, is written to `again` with that codec, if that
 * isn't NULL. */
pdr_code export_read_all(pdr_bytes bytes, size_t at_once, pdr_buf *again, pdr_container_codec codec,
                         uint64_t *events, pdr_error *err);

#endif
