#include "schemas/framing.h"

pdr_code pdr_frame_write(pdr_buf *out, uint64_t fingerprint)
{
    uint8_t frame[PDR_FRAME_SIZE] = {0xC3, 0x01};
    for (int i = 0; i < 8; i++)
        frame[2 + i] = (uint8_t)(fingerprint >> (8 * i));
    return pdr_buf_append(out, frame, sizeof frame);
}

pdr_code pdr_frame_read(uint64_t *fingerprint, pdr_bytes *datum, pdr_bytes value, pdr_error *err)
{
    if (value.size < PDR_FRAME_SIZE)
        return pdr_fail(err, PDR_BAD_DATA, "a framed datum has at least %d bytes, this has %zu",
                        (int)PDR_FRAME_SIZE, value.size);
    if (value.data[0] != 0xC3 || value.data[1] != 0x01)
        return pdr_fail(err, PDR_BAD_DATA,
                        "not in Avro's single-object framing: begins with %02X %02X, not C3 01",
                        value.data[0], value.data[1]);
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++)
        sum |= (uint64_t)value.data[2 + i] << (8 * i);
    *fingerprint = sum;
    *datum = pdr_bytes_of(value.data + PDR_FRAME_SIZE, value.size - PDR_FRAME_SIZE);
    return PDR_OK;
}
