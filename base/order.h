/* The order of ranges of bytes, such as ids: byte by byte, and what another begins with before it. */
#ifndef PDR_BASE_ORDER_H
#define PDR_BASE_ORDER_H

#include "perdure/bytes.h"

/* Below 0, 0 or above 0. */
static inline int pdr_bytes_order(pdr_bytes a, pdr_bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool pdr_bytes_begin_with(pdr_bytes bytes, pdr_bytes prefix)
{
    return bytes.size >= prefix.size && (!prefix.size || memcmp(bytes.data, prefix.data, prefix.size) == 0);
}

#endif
