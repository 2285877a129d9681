#include "schemas/framing_id.h"

pdr_code pdr_frame_id_write(pdr_buf *out, int32_t id)
{
    uint32_t u = (uint32_t)id;
    uint8_t frame[PDR_FRAME_ID_SIZE] = {0, (uint8_t)(u >> 24), (uint8_t)(u >> 16), (uint8_t)(u >> 8),
                                        (uint8_t)u};
    return pdr_buf_append(out, frame, sizeof frame);
}

pdr_code pdr_frame_id_read(int32_t *id, pdr_bytes *datum, pdr_bytes value, pdr_error *err)
{
    const uint8_t *b = value.data;
    if (value.size < PDR_FRAME_ID_SIZE)
        return pdr_fail(err, PDR_BAD_DATA,
                        "a datum in Confluent's framing has at least %d bytes, this has %zu",
                        (int)PDR_FRAME_ID_SIZE, value.size);
    uint32_t u = (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4];
    if (b[0] != 0 || u == 0 || u > INT32_MAX)
        return pdr_fail(err, PDR_BAD_DATA, "not in Confluent's framing: begins with %02X and the id %u", b[0],
                        (unsigned)u);
    *id = (int32_t)u;
    *datum = pdr_bytes_of(b + PDR_FRAME_ID_SIZE, value.size - PDR_FRAME_ID_SIZE);
    return PDR_OK;
}
