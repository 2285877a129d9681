/* Bytes as hexadecimal digits. */
#ifndef PDR_BASE_HEX_H
#define PDR_BASE_HEX_H

#include "perdure/bytes.h"

/* Two small digits for each byte, and no NUL. */
static inline void pdr_hex_print(char *out, pdr_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = digits[bytes.data[i] >> 4];
        out[2 * i + 1] = digits[bytes.data[i] & 15];
    }
}

#endif
