/* Unsigned LEB128 varints and fixed little-endian integers, bounded on both sides. */
#ifndef PDR_BASE_VARINT_H
#define PDR_BASE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { PDR_VARINT_MAX = 10 }; /* bytes */

/* Writes at p, which has PDR_VARINT_MAX bytes of room; gives the byte after. */
static inline uint8_t *pdr_put_varint(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

/* Reads from [*p, end) and moves *p; false when cut short, over 64 bits, or longer than needed (one value has
 * one form). */
static inline bool pdr_get_varint(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
    const uint8_t *at = *p;
    if (at < end && *at < 0x80) {
        *value = *at;
        *p = at + 1;
        return true;
    }
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        uint8_t byte = *at++;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte & 0x80) continue;
        *value = result;
        *p = at;
        return byte != 0 && (shift < 63 || byte == 1);
    }
    return false;
}

/* A compiler turns these into one move where the machine is little-endian. */
static inline uint8_t *pdr_put_u64(uint8_t *p, uint64_t value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(p, &value, sizeof value);
#else
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(value >> (8 * i));
#endif
    return p + 8;
}

static inline uint64_t pdr_load_u64(const uint8_t *p)
{
    uint64_t value = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&value, p, sizeof value);
#else
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)p[i] << (8 * i);
#endif
    return value;
}

static inline bool pdr_get_u64(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
    if (end - *p < 8) return false;
    *value = pdr_load_u64(*p);
    *p += 8;
    return true;
}

#endif
