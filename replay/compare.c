#include "replay/compare.h"

#include "base/mem.h"
#include "replay/changes.h"
#include "schemas/print.h"

enum { MAX_JSON = 64 * 1024 * 1024 };

struct pdr_comparison {
    const pdr_type *from, *to;
    const pdr_string *ignored;
    size_t ignored_count;
    pdr_changes *one_sided; /* members that only one schema has; NULL: one schema */
    pdr_arena arena;
    pdr_buf from_json, to_json;
    pdr_changes *changes; /* of the last comparison; NULL: the same */
};

/* --- which changes count --- */

static bool lies_at(pdr_bytes path, const void *at, size_t size)
{
    if (path.size < size || memcmp(path.data, at, size) != 0) return false;
    return path.size == size || path.data[size] == '.' || path.data[size] == '[';
}

static bool is_ignored(const pdr_comparison *c, pdr_bytes path)
{
    for (size_t i = 0; i < c->ignored_count; i++)
        if (lies_at(path, c->ignored[i].data, c->ignored[i].size)) return true;
    for (size_t i = 0; c->one_sided && i < pdr_changes_count(c->one_sided); i++) {
        pdr_change change = pdr_changes_at(c->one_sided, i);
        if ((!change.from.data || !change.to.data) && lies_at(path, change.path.data, change.path.size))
            return true;
    }
    return false;
}

static bool counts(const pdr_comparison *c)
{
    for (size_t i = 0; i < pdr_changes_count(c->changes); i++)
        if (!is_ignored(c, pdr_changes_at(c->changes, i).path)) return true;
    return false;
}

/* --- states as JSON --- */

static pdr_code print(pdr_comparison *c, const pdr_type *type, pdr_bytes packed, pdr_buf *out, pdr_error *err)
{
    void *value = pdr_arena_alloc(&c->arena, type->size);
    if (!value) return pdr_fail(err, PDR_NOMEM, "a state %s", type->name);
    pdr_buf_clear(out);
    pdr_code code = type->decode(packed, &c->arena, value, err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "state %s", type->name);
    code = type->print(value, out);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "a state %s as JSON", type->name);
}

static pdr_code print_first(pdr_comparison *c, const pdr_type *type, pdr_buf *out, pdr_error *err)
{
    void *value = pdr_arena_alloc(&c->arena, type->size);
    if (!value) return pdr_fail(err, PDR_NOMEM, "a state %s", type->name);
    type->init(value);
    pdr_code code = type->print(value, out);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "a state %s as JSON", type->name);
}

/* Records print all their members: what only one of the first states has, only one schema has. */
static pdr_code find_one_sided(pdr_comparison *c, pdr_error *err)
{
    pdr_code code = print_first(c, c->from, &c->from_json, err);
    if (code == PDR_OK) code = print_first(c, c->to, &c->to_json, err);
    if (code != PDR_OK) return code;
    return pdr_changes_open(&c->one_sided, pdr_buf_bytes(&c->from_json), pdr_buf_bytes(&c->to_json), err);
}

pdr_code pdr_comparison_open(pdr_comparison **out, const pdr_type *from, const pdr_type *to,
                             const pdr_string *ignored, size_t ignored_count, pdr_error *err)
{
    pdr_comparison *c = pdr_calloc(1, sizeof *c);
    if (!c) return pdr_fail(err, PDR_NOMEM, "comparing states");
    c->from = from;
    c->to = to;
    c->ignored = ignored;
    c->ignored_count = ignored_count;
    c->arena = (pdr_arena)PDR_ARENA_INIT(PDR_MAX_STATE * (size_t)8);
    c->from_json = c->to_json = (pdr_buf)PDR_BUF_INIT(MAX_JSON);
    pdr_code code = from->fingerprint == to->fingerprint ? PDR_OK : find_one_sided(c, err);
    if (code == PDR_OK)
        *out = c;
    else
        pdr_comparison_close(c);
    return code;
}

void pdr_comparison_close(pdr_comparison *c)
{
    if (!c) return;
    pdr_changes_close(c->changes);
    pdr_changes_close(c->one_sided);
    pdr_buf_release(&c->from_json);
    pdr_buf_release(&c->to_json);
    pdr_arena_release(&c->arena);
    pdr_free(c);
}

pdr_code pdr_comparison_run(pdr_comparison *c, pdr_bytes from, pdr_bytes to, bool *same, pdr_error *err)
{
    pdr_changes_close(c->changes);
    c->changes = NULL;
    *same = true;
    if (c->from->fingerprint == c->to->fingerprint && pdr_bytes_equal(from, to)) return PDR_OK;
    pdr_arena_clear(&c->arena);
    pdr_code code = print(c, c->from, from, &c->from_json, err);
    if (code == PDR_OK) code = print(c, c->to, to, &c->to_json, err);
    if (code != PDR_OK) return code;
    pdr_bytes a = pdr_buf_bytes(&c->from_json), b = pdr_buf_bytes(&c->to_json);
    if (pdr_bytes_equal(a, b)) return PDR_OK;
    code = pdr_changes_open(&c->changes, a, b, err);
    if (code == PDR_OK) *same = !counts(c);
    return code;
}

/* --- telling --- */

static pdr_code put_change(pdr_buf *out, const pdr_change *change, bool first)
{
    pdr_code code = pdr_buf_printf(out, "%s{\"path\":", first ? "" : ",");
    if (code == PDR_OK)
        code = pdr_print_text(out, (pdr_string){(const char *)change->path.data, change->path.size});
    if (code == PDR_OK && change->from.data)
        code = pdr_buf_printf(out, ",\"from\":%.*s", (int)change->from.size, (const char *)change->from.data);
    if (code == PDR_OK && change->to.data)
        code = pdr_buf_printf(out, ",\"to\":%.*s", (int)change->to.size, (const char *)change->to.data);
    return code == PDR_OK ? pdr_buf_append(out, "}", 1) : code;
}

pdr_code pdr_comparison_tell(const pdr_comparison *c, size_t max, pdr_buf *out, pdr_error *err)
{
    size_t told = 0, count = c->changes ? pdr_changes_count(c->changes) : 0;
    pdr_code code = pdr_buf_append(out, "[", 1);
    for (size_t i = 0; code == PDR_OK && i < count && told < max; i++) {
        pdr_change change = pdr_changes_at(c->changes, i);
        if (is_ignored(c, change.path)) continue;
        code = put_change(out, &change, told++ == 0);
    }
    if (code == PDR_OK) code = pdr_buf_append(out, "]", 1);
    return code == PDR_OK ? PDR_OK : pdr_fail(err, code, "telling what differs");
}
