/* Confluent's framing of values: 00, the schema registry's id in 4 bytes big-endian, then the datum. Source:
 * Confluent's documentation of the serializers, "Wire format". */
#ifndef PDR_SCHEMAS_FRAMING_ID_H
#define PDR_SCHEMAS_FRAMING_ID_H

#include "perdure/bytes.h"

enum { PDR_FRAME_ID_SIZE = 5 }; /* bytes before the datum */

/* Append the 5 bytes of a frame to `out`; the datum is appended after them. `id` isn't negative. PDR_NOMEM,
 * PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_frame_id_write(pdr_buf *out, int32_t id);
/* Is it this framing, and not single-object encoding? Says nothing about what follows the first byte. */
static inline bool pdr_frame_has_id(pdr_bytes value)
{
    return value.size > 0 && value.data[0] == 0;
}
/* Split a value that pdr_frame_has_id into its id and the datum (borrowed). PDR_BAD_DATA: too short, or an id
 * that no registry gives. Any thread. */
PDR_CHECKED pdr_code pdr_frame_id_read(int32_t *id, pdr_bytes *datum, pdr_bytes value, pdr_error *err);

#endif
