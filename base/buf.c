#include "perdure/bytes.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

pdr_code pdr_buf_grow(pdr_buf *buf, size_t more)
{
    if (more > buf->max || buf->size > buf->max - more) return PDR_TOO_LARGE;
    size_t need = buf->size + more;
    if (need <= buf->capacity) return PDR_OK;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < need)
        capacity = capacity > buf->max / 2 ? buf->max : capacity * 2;
    uint8_t *data = pdr_realloc(buf->data, capacity);
    if (!data) return PDR_NOMEM;
    buf->data = data;
    buf->capacity = capacity;
    return PDR_OK;
}

pdr_code pdr_buf_append(pdr_buf *buf, const void *data, size_t size)
{
    pdr_code code = pdr_buf_reserve(buf, size);
    if (code != PDR_OK) return code;
    if (size) memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    return PDR_OK;
}

pdr_code pdr_buf_printf(pdr_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (wanted < 0) return PDR_INVALID_ARGUMENT;
    pdr_code code = pdr_buf_reserve(buf, (size_t)wanted + 1);
    if (code != PDR_OK) return code;
    va_start(args, format);
    int written = vsnprintf((char *)buf->data + buf->size, (size_t)wanted + 1, format, args);
    va_end(args);
    if (written != wanted) return PDR_INVALID_ARGUMENT;
    buf->size += (size_t)wanted;
    return PDR_OK;
}

void pdr_buf_release(pdr_buf *buf)
{
    pdr_free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
}
