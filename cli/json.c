#include "cli/json.h"

#include "base/hex.h"

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
    pdr_code code = pdr_buf_reserve(out, 2 * bytes.size + 2);
    if (code != PDR_OK) return code;
    out->data[out->size++] = '"';
    pdr_hex_print((char *)out->data + out->size, bytes);
    out->size += 2 * bytes.size;
    out->data[out->size++] = '"';
    return PDR_OK;
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

/* --- a tree on many lines --- */

enum { WIDTH = 100, INDENT = 2 };

static pdr_code put_line(pdr_buf *out, int depth)
{
    return pdr_buf_printf(out, "\n%*s", depth * INDENT, "");
}

static pdr_code put_pretty(pdr_buf *out, const pdr_json *json, int depth, size_t before);

static pdr_code put_items(pdr_buf *out, const pdr_json *json, int depth)
{
    bool object = json->kind == PDR_JSON_OBJECT;
    pdr_code code = pdr_buf_append(out, object ? "{" : "[", 1);
    for (const pdr_json *item = json->first; code == PDR_OK && item; item = item->next) {
        size_t began;
        if (item != json->first) code = pdr_buf_append(out, ",", 1);
        if (code == PDR_OK) code = put_line(out, depth + 1);
        began = out->size;
        if (code == PDR_OK && object) code = pdr_json_text(out, pdr_bytes_of(item->key.data, item->key.size));
        if (code == PDR_OK && object) code = pdr_buf_append(out, ": ", 2);
        if (code == PDR_OK) code = put_pretty(out, item, depth + 1, out->size - began);
    }
    if (code == PDR_OK) code = put_line(out, depth);
    return code == PDR_OK ? pdr_buf_append(out, object ? "}" : "]", 1) : code;
}

/* `before`: bytes of this line, indentation left out, that are there already. */
static pdr_code put_pretty(pdr_buf *out, const pdr_json *json, int depth, size_t before)
{
    size_t began = out->size;
    pdr_code code = pdr_json_write(json, out);
    if (code != PDR_OK || !json->first) return code;
    if (out->size - began + before + (size_t)depth * INDENT <= WIDTH) return PDR_OK;
    out->size = began;
    return put_items(out, json, depth);
}

pdr_code pdr_json_pretty(pdr_buf *out, const pdr_json *json)
{
    pdr_code code = put_pretty(out, json, 0, 0);
    return code == PDR_OK ? pdr_buf_append(out, "\n", 1) : code;
}
