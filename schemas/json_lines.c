/* JSON over several lines, for people and for their tools that compare lines. */
#include "schemas/json.h"
#include "schemas/print.h"

enum { LINE = 120 };

static pdr_code add(pdr_buf *out, const char *text)
{
    return pdr_buf_append(out, text, strlen(text));
}

static bool is_list(const pdr_json *json)
{
    return json->kind == PDR_JSON_OBJECT || json->kind == PDR_JSON_ARRAY;
}

static pdr_code put_key(const pdr_json *json, const pdr_json *item, pdr_buf *out)
{
    if (json->kind != PDR_JSON_OBJECT) return PDR_OK;
    pdr_code code = pdr_print_text(out, item->key);
    return code == PDR_OK ? add(out, ": ") : code;
}

static pdr_code put_inline(const pdr_json *json, pdr_buf *out)
{
    bool object = json->kind == PDR_JSON_OBJECT;
    if (!is_list(json)) return pdr_json_write(json, out);
    pdr_code code = add(out, object ? "{" : "[");
    for (const pdr_json *item = json->first; item && code == PDR_OK; item = item->next) {
        if (item != json->first) code = add(out, ", ");
        if (code == PDR_OK) code = put_key(json, item, out);
        if (code == PDR_OK) code = put_inline(item, out);
    }
    return code == PDR_OK ? add(out, object ? "}" : "]") : code;
}

/* On the line at hand, if there is room; else *fits is false and `out` as before. */
static pdr_code try_inline(const pdr_json *json, size_t used, pdr_buf *out, bool *fits)
{
    pdr_buf line = PDR_BUF_INIT(LINE);
    pdr_code code = put_inline(json, &line);
    *fits = code == PDR_OK && used + line.size <= LINE;
    if (code == PDR_TOO_LARGE) code = PDR_OK;
    if (*fits) code = pdr_buf_append(out, line.data, line.size);
    pdr_buf_release(&line);
    return code;
}

static pdr_code new_line(pdr_buf *out, unsigned level)
{
    pdr_code code = add(out, "\n");
    for (unsigned i = 0; i < level && code == PDR_OK; i++)
        code = add(out, "  ");
    return code;
}

static pdr_code put(const pdr_json *json, unsigned level, unsigned open_levels, size_t used, pdr_buf *out)
{
    bool object = json->kind == PDR_JSON_OBJECT, fits = false;
    if (!is_list(json) || !json->first) return put_inline(json, out);
    pdr_code code = level < open_levels ? PDR_OK : try_inline(json, used, out, &fits);
    if (code != PDR_OK || fits) return code;
    code = add(out, object ? "{" : "[");
    for (const pdr_json *item = json->first; item && code == PDR_OK; item = item->next) {
        if (item != json->first) code = add(out, ",");
        if (code == PDR_OK) code = new_line(out, level + 1);
        if (code == PDR_OK) code = put_key(json, item, out);
        used = 2 * (level + 1) + (object ? item->key.size + 4 : 0) + 1;
        if (code == PDR_OK) code = put(item, level + 1, open_levels, used, out);
    }
    if (code == PDR_OK) code = new_line(out, level);
    return code == PDR_OK ? add(out, object ? "}" : "]") : code;
}

pdr_code pdr_json_write_lines(const pdr_json *json, unsigned open_levels, pdr_buf *out)
{
    pdr_code code = put(json, 0, open_levels, 0, out);
    return code == PDR_OK ? add(out, "\n") : code;
}
