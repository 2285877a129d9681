#include "replay/changes.h"

#include <jansson.h>

#include "base/mem.h"

enum { MAX_TEXT = 256 * 1024 * 1024, MAX_DEPTH = 512 };

/* Texts as places in `text`, which moves while it grows. size SIZE_MAX: it isn't there. */
typedef struct range {
    size_t at, size;
} range;

typedef struct change {
    range path, from, to;
} change;

struct pdr_changes {
    change *items;
    size_t count, capacity;
    pdr_buf text;
    pdr_buf path; /* of the value that is looked at */
};

/* --- noting one --- */

static int dump(const char *data, size_t size, void *context)
{
    return pdr_buf_append(context, data, size) == PDR_OK ? 0 : -1;
}

static pdr_code add_value(pdr_changes *c, const json_t *value, range *out)
{
    *out = (range){c->text.size, SIZE_MAX};
    if (!value) return PDR_OK;
    if (json_dump_callback(value, dump, &c->text, JSON_COMPACT | JSON_ENCODE_ANY) != 0) return PDR_NOMEM;
    out->size = c->text.size - out->at;
    return PDR_OK;
}

static pdr_code note(pdr_changes *c, const json_t *from, const json_t *to)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 16;
        change *items = pdr_realloc(c->items, capacity * sizeof *items);
        if (!items) return PDR_NOMEM;
        c->items = items;
        c->capacity = capacity;
    }
    change *item = &c->items[c->count];
    item->path = (range){c->text.size, c->path.size ? c->path.size : 1};
    pdr_code code = c->path.size ? pdr_buf_append(&c->text, c->path.data, c->path.size)
                                 : pdr_buf_append(&c->text, ".", 1);
    if (code == PDR_OK) code = add_value(c, from, &item->from);
    if (code == PDR_OK) code = add_value(c, to, &item->to);
    if (code == PDR_OK) c->count++;
    return code;
}

/* --- where they are --- */

static bool is_word(const char *key)
{
    if (!*key || (*key >= '0' && *key <= '9')) return false;
    return key[strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

static pdr_code add_key(pdr_changes *c, const char *key)
{
    if (is_word(key)) return pdr_buf_printf(&c->path, ".%s", key);
    json_t *text = json_string(key);
    if (!text) return PDR_NOMEM;
    pdr_code code = pdr_buf_printf(&c->path, "%s[", c->path.size ? "" : ".");
    if (code == PDR_OK && json_dump_callback(text, dump, &c->path, JSON_ENCODE_ANY) != 0) code = PDR_NOMEM;
    json_decref(text);
    return code == PDR_OK ? pdr_buf_append(&c->path, "]", 1) : code;
}

static pdr_code add_index(pdr_changes *c, size_t i)
{
    return pdr_buf_printf(&c->path, "%s[%zu]", c->path.size ? "" : ".", i);
}

/* --- comparing --- */

static pdr_code compare(pdr_changes *c, const json_t *from, const json_t *to, unsigned depth);

static pdr_code compare_objects(pdr_changes *c, const json_t *from, const json_t *to, unsigned depth)
{
    const char *key;
    json_t *value;
    size_t before = c->path.size;
    pdr_code code = PDR_OK;
    json_object_foreach((json_t *)to, key, value)
    {
        code = add_key(c, key);
        if (code == PDR_OK) code = compare(c, json_object_get(from, key), value, depth);
        c->path.size = before;
        if (code != PDR_OK) return code;
    }
    json_object_foreach((json_t *)from, key, value)
    {
        if (json_object_get(to, key)) continue;
        code = add_key(c, key);
        if (code == PDR_OK) code = note(c, value, NULL);
        c->path.size = before;
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static pdr_code compare_arrays(pdr_changes *c, const json_t *from, const json_t *to, unsigned depth)
{
    size_t before = c->path.size, from_count = json_array_size(from), to_count = json_array_size(to);
    size_t most = from_count > to_count ? from_count : to_count;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < most; i++) {
        code = add_index(c, i);
        if (code == PDR_OK) code = compare(c, json_array_get(from, i), json_array_get(to, i), depth);
        c->path.size = before;
    }
    return code;
}

static pdr_code compare(pdr_changes *c, const json_t *from, const json_t *to, unsigned depth)
{
    if (depth > MAX_DEPTH) return PDR_TOO_LARGE;
    if (from && to && json_is_object(from) && json_is_object(to))
        return compare_objects(c, from, to, depth + 1);
    if (from && to && json_is_array(from) && json_is_array(to)) return compare_arrays(c, from, to, depth + 1);
    if (from && to && json_equal(from, to)) return PDR_OK;
    return note(c, from, to);
}

/* --- opening --- */

static json_t *parse(pdr_bytes text, pdr_error *err)
{
    json_error_t why;
    json_t *value = json_loadb((const char *)text.data, text.size,
                               JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &why);
    if (!value) (void)pdr_fail(err, PDR_BAD_DATA, "no JSON: %.200s at byte %d", why.text, why.position);
    return value;
}

pdr_code pdr_changes_open(pdr_changes **out, pdr_bytes from, pdr_bytes to, pdr_error *err)
{
    pdr_code code = PDR_BAD_DATA;
    *out = NULL;
    pdr_changes *c = pdr_calloc(1, sizeof *c);
    if (!c) return pdr_fail(err, PDR_NOMEM, "comparing two states");
    c->text = (pdr_buf)PDR_BUF_INIT(MAX_TEXT);
    c->path = (pdr_buf)PDR_BUF_INIT(MAX_TEXT);
    json_t *before = parse(from, err), *after = before ? parse(to, err) : NULL;
    if (after) {
        code = compare(c, before, after, 0);
        if (code != PDR_OK) code = pdr_fail(err, code, "comparing two states");
    }
    json_decref(before);
    json_decref(after);
    if (code == PDR_OK)
        *out = c;
    else
        pdr_changes_close(c);
    return code;
}

void pdr_changes_close(pdr_changes *c)
{
    if (!c) return;
    pdr_free(c->items);
    pdr_buf_release(&c->text);
    pdr_buf_release(&c->path);
    pdr_free(c);
}

size_t pdr_changes_count(const pdr_changes *c)
{
    return c->count;
}

static pdr_bytes at(const pdr_changes *c, range where)
{
    if (where.size == SIZE_MAX) return pdr_bytes_of(NULL, 0);
    return pdr_bytes_of(c->text.data + where.at, where.size);
}

pdr_change pdr_changes_at(const pdr_changes *c, size_t i)
{
    const change *item = &c->items[i];
    return (pdr_change){at(c, item->path), at(c, item->from), at(c, item->to)};
}
