#include "cli/json.h"

static pdr_code put_char(pdr_buf *out, uint8_t c)
{
    if (c == '"' || c == '\\') return pdr_buf_printf(out, "\\%c", c);
    if (c < 0x20 || c == 0x7f) return pdr_buf_printf(out, "\\u%04x", c);
    return pdr_buf_append(out, &c, 1);
}

pdr_code pdr_json_text(pdr_buf *out, pdr_bytes text)
{
    pdr_code code = pdr_buf_append(out, "\"", 1);
    for (size_t i = 0; code == PDR_OK && i < text.size; i++)
        code = put_char(out, text.data[i]);
    return code == PDR_OK ? pdr_buf_append(out, "\"", 1) : code;
}

pdr_code pdr_json_hex(pdr_buf *out, pdr_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    pdr_code code = pdr_buf_reserve(out, 2 * bytes.size + 2);
    if (code == PDR_OK) code = pdr_buf_append(out, "\"", 1);
    for (size_t i = 0; code == PDR_OK && i < bytes.size; i++) {
        char pair[2] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]};
        code = pdr_buf_append(out, pair, 2);
    }
    return code == PDR_OK ? pdr_buf_append(out, "\"", 1) : code;
}

pdr_code pdr_json_bytes(pdr_buf *out, pdr_bytes bytes)
{
    bool printable = true;
    for (size_t i = 0; i < bytes.size; i++)
        printable = printable && bytes.data[i] >= 0x20 && bytes.data[i] < 0x7f;
    if (printable) return pdr_json_text(out, bytes);
    pdr_code code = pdr_buf_printf(out, "{\"hex\":");
    if (code == PDR_OK) code = pdr_json_hex(out, bytes);
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}
