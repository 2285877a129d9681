#include "tests/support/made_text.h"

#include <inttypes.h>
#include <math.h>

pdr_code made_text(pdr_buf *out, const char *mark, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    pdr_code code = pdr_buf_append(out, mark, strlen(mark));
    for (size_t i = 0; code == PDR_OK && i < size; i++) {
        char text[3] = {'\\', digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        if (bytes[i] > 0x20 && bytes[i] < 0x7F && bytes[i] != '\\')
            code = pdr_buf_append(out, &bytes[i], 1);
        else
            code = pdr_buf_append(out, text, sizeof text);
    }
    return code;
}

pdr_code made_text_float(pdr_buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) return pdr_buf_printf(out, "f:nan");
    return pdr_buf_printf(out, "f:%08" PRIx32, bits);
}

pdr_code made_text_double(pdr_buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value)) return pdr_buf_printf(out, "d:nan");
    return pdr_buf_printf(out, "d:%016" PRIx64, bits);
}
