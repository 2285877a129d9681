/* Avro single-object encoding: C3 01, the schema's fingerprint in 8 bytes little-endian, then the datum.
 * Source: Apache Avro 1.11 specification, "Single-object encoding". */
#ifndef PDR_SCHEMAS_FRAMING_H
#define PDR_SCHEMAS_FRAMING_H

#include "perdure/bytes.h"

enum { PDR_FRAME_SIZE = 10 }; /* bytes before the datum */

/* Append the 10 bytes of a frame to `out`; the datum is appended after them. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_frame_write(pdr_buf *out, uint64_t fingerprint);
/* Split a framed value into its writer's fingerprint and the datum (borrowed from `value`). PDR_BAD_DATA: it
 * is too short or begins with other bytes. Any thread. */
PDR_CHECKED pdr_code pdr_frame_read(uint64_t *fingerprint, pdr_bytes *datum, pdr_bytes value, pdr_error *err);

#endif
