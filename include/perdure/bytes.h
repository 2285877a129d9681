/* Byte ranges and growing buffers. */
#ifndef PERDURE_BYTES_H
#define PERDURE_BYTES_H

#include <string.h>

#include "perdure/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A borrowed range: not owned, not NUL-terminated. data NULL with size 0 is "absent"; data non-NULL with size
 * 0 is empty. */
typedef struct pdr_bytes {
    const uint8_t *data;
    size_t size;
} pdr_bytes;

/* A borrowed UTF-8 text with its length in bytes; not necessarily NUL-terminated. The form of Avro strings in
 * generated structs. */
typedef struct pdr_string {
    const char *data;
    size_t size;
} pdr_string;

static inline pdr_bytes pdr_bytes_of(const void *data, size_t size)
{
    pdr_bytes b = {(const uint8_t *)data, size};
    return b;
}

static inline pdr_string pdr_string_of(const char *text)
{
    pdr_string s = {text, text ? strlen(text) : 0};
    return s;
}

static inline bool pdr_bytes_equal(pdr_bytes a, pdr_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool pdr_string_equal(pdr_string a, pdr_string b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* A buffer that grows by doubling up to `max` bytes. Zero-initialised with PDR_BUF_INIT(max); release with
 * pdr_buf_release. Not thread safe. */
typedef struct pdr_buf {
    uint8_t *data;
    size_t size; /* bytes in use */
    size_t capacity;
    size_t max; /* ceiling: growing past it is PDR_TOO_LARGE */
} pdr_buf;

#define PDR_BUF_INIT(ceiling)                                                                                \
    {                                                                                                        \
        NULL, 0, 0, (ceiling)                                                                                \
    }

/* Make room for `more` bytes after `size`. PDR_NOMEM, PDR_TOO_LARGE; on failure the buffer is as before. */
PDR_API PDR_CHECKED pdr_code pdr_buf_grow(pdr_buf *buf, size_t more);
PDR_API PDR_CHECKED pdr_code pdr_buf_append(pdr_buf *buf, const void *data, size_t size);
/* printf into the buffer, without a NUL. */
PDR_API PDR_CHECKED pdr_code pdr_buf_printf(pdr_buf *buf, const char *format, ...) PDR_PRINTF(2, 3);
PDR_API void pdr_buf_release(pdr_buf *buf); /* frees the bytes; the buffer is empty and can be used again */

static inline void pdr_buf_clear(pdr_buf *buf)
{
    buf->size = 0;
}

PDR_CHECKED static inline pdr_code pdr_buf_reserve(pdr_buf *buf, size_t more)
{
    return more <= buf->capacity - buf->size ? PDR_OK : pdr_buf_grow(buf, more);
}

static inline pdr_bytes pdr_buf_bytes(const pdr_buf *buf)
{
    return pdr_bytes_of(buf->data, buf->size);
}

#ifdef __cplusplus
}
#endif
#endif
