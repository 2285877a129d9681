/* Numbers and ranges one after the other, for other processes and files of this machine. */
#ifndef PDR_REPLAY_PACKED_H
#define PDR_REPLAY_PACKED_H

#include "base/varint.h"
#include "perdure/bytes.h"

PDR_CHECKED static inline pdr_code pdr_packed_put(pdr_buf *out, uint64_t value)
{
    pdr_code code = pdr_buf_reserve(out, PDR_VARINT_MAX);
    if (code == PDR_OK) out->size = (size_t)(pdr_put_varint(out->data + out->size, value) - out->data);
    return code;
}

/* Signed numbers: the small ones of either sign are short. */
PDR_CHECKED static inline pdr_code pdr_packed_put_signed(pdr_buf *out, int64_t value)
{
    return pdr_packed_put(out, ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0));
}

/* A range; an absent one stays absent. */
PDR_CHECKED static inline pdr_code pdr_packed_put_bytes(pdr_buf *out, pdr_bytes bytes)
{
    pdr_code code = pdr_packed_put(out, bytes.data ? bytes.size + 1 : 0);
    return code == PDR_OK && bytes.size ? pdr_buf_append(out, bytes.data, bytes.size) : code;
}

static inline bool pdr_packed_get(pdr_bytes *in, uint64_t *value)
{
    const uint8_t *at = in->data;
    if (!pdr_get_varint(&at, in->data + in->size, value)) return false;
    *in = pdr_bytes_of(at, in->size - (size_t)(at - in->data));
    return true;
}

static inline bool pdr_packed_get_signed(pdr_bytes *in, int64_t *value)
{
    uint64_t raw;
    if (!pdr_packed_get(in, &raw)) return false;
    *value = (int64_t)((raw >> 1) ^ (raw & 1 ? UINT64_MAX : 0));
    return true;
}

static inline bool pdr_packed_get_bytes(pdr_bytes *in, pdr_bytes *bytes)
{
    uint64_t size;
    if (!pdr_packed_get(in, &size) || (size && size - 1 > in->size)) return false;
    *bytes = size ? pdr_bytes_of(in->data, (size_t)size - 1) : pdr_bytes_of(NULL, 0);
    if (size) *in = pdr_bytes_of(in->data + (size - 1), in->size - (size_t)(size - 1));
    return true;
}

#endif
