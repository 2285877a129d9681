/* Avro single-object encoding: C3 01, the schema's fingerprint in 8 bytes little-endian, then the datum.
 * Source: Apache Avro 1.11 specification, "Single-object encoding". */
#ifndef PDR_SCHEMAS_FRAMING_H
#define PDR_SCHEMAS_FRAMING_H

#include "base/varint.h"
#include "perdure/bytes.h"

enum { PDR_FRAME_SIZE = 10 }; /* bytes before the datum */

/* Says why `value` isn't framed; PDR_BAD_DATA. */
PDR_CHECKED pdr_code pdr_frame_refuse(pdr_bytes value, pdr_error *err);

/* Append the 10 bytes of a frame to `out`; the datum is appended after them. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED static inline pdr_code pdr_frame_write(pdr_buf *out, uint64_t fingerprint)
{
    pdr_code code = pdr_buf_reserve(out, PDR_FRAME_SIZE);
    if (code != PDR_OK) return code;
    uint8_t *p = out->data + out->size;
    p[0] = 0xC3;
    p[1] = 0x01;
    pdr_put_u64(p + 2, fingerprint);
    out->size += PDR_FRAME_SIZE;
    return PDR_OK;
}

/* Split a framed value into its writer's fingerprint and the datum (borrowed from `value`). PDR_BAD_DATA: it
 * is too short or begins with other bytes. Any thread. */
PDR_CHECKED static inline pdr_code pdr_frame_read(uint64_t *fingerprint, pdr_bytes *datum, pdr_bytes value,
                                                  pdr_error *err)
{
    *fingerprint = 0;
    *datum = pdr_bytes_of(NULL, 0);
    if (value.size < PDR_FRAME_SIZE || value.data[0] != 0xC3 || value.data[1] != 0x01)
        return pdr_frame_refuse(value, err);
    *fingerprint = pdr_load_u64(value.data + 2);
    *datum = pdr_bytes_of(value.data + PDR_FRAME_SIZE, value.size - PDR_FRAME_SIZE);
    return PDR_OK;
}

#endif
