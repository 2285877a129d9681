#include "schemas/diff_inside.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/version.h"

/* ---- changes ---- */

pdr_code diff_no_memory(differ *d)
{
    return d->code = pdr_fail(d->err, PDR_NOMEM, "out of memory while schemas are compared");
}

const char *diff_text(differ *d, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    char *text = size < 0 ? NULL : pdr_arena_alloc(&d->diff->arena, (size_t)size + 1);
    if (text) (void)vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    va_end(args);
    if (!text) (void)diff_no_memory(d);
    return text ? text : "";
}

const char *diff_keep(differ *d, const pdr_buf *text)
{
    pdr_string kept = pdr_arena_string(&d->diff->arena, (pdr_string){(const char *)text->data, text->size});
    if (!kept.data) (void)diff_no_memory(d);
    return kept.data ? kept.data : "";
}

const char *diff_json(differ *d, const pdr_json *json)
{
    pdr_buf text = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    const char *kept = NULL;
    if (!json) return NULL;
    if (pdr_json_write(json, &text) == PDR_OK)
        kept = diff_keep(d, &text);
    else
        (void)diff_no_memory(d);
    pdr_buf_release(&text);
    return kept;
}

void diff_add(differ *d, pdr_change_kind kind, const char *path, const char *what, const char *before,
              const char *after)
{
    pdr_change *change = pdr_arena_alloc(&d->diff->arena, sizeof *change);
    if (!change) {
        (void)diff_no_memory(d);
        return;
    }
    *change = (pdr_change){kind, *path ? path : "/", what, before, after, NULL};
    *d->diff->last = change;
    d->diff->last = &change->next;
    d->diff->count++;
    d->diff->docs += kind == PDR_CHANGE_DOC;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

void diff_texts(differ *d, pdr_change_kind kind, const char *path, const char *what, const char *before,
                const char *after)
{
    if (!same_text(before, after)) diff_add(d, kind, path, what, before, after);
}

/* ---- attributes ---- */

static const char *joined(differ *d, const char *const *names, size_t count)
{
    const char *text = count ? diff_text(d, "%s", names[0]) : NULL;
    for (size_t i = 1; i < count; i++)
        text = diff_text(d, "%s, %s", text, names[i]);
    return text;
}

void diff_aliases(differ *d, const char *path, const char *const *before, size_t before_count,
                  const char *const *after, size_t after_count)
{
    diff_texts(d, PDR_CHANGE_ALIASES, path, NULL, joined(d, before, before_count),
               joined(d, after, after_count));
}

static bool is_one_of(pdr_string key, const char *const *names)
{
    for (; *names; names++)
        if (pdr_string_equal(key, pdr_string_of(*names))) return true;
    return false;
}

void diff_attributes(differ *d, const char *path, const pdr_json *before, const pdr_json *after,
                     const char *const *known)
{
    for (const pdr_json *m = before->kind == PDR_JSON_OBJECT ? before->first : NULL; m; m = m->next)
        if (!is_one_of(m->key, known))
            diff_texts(d, PDR_CHANGE_ATTRIBUTE, path, diff_text(d, "%s", m->key.data), diff_json(d, m),
                       diff_json(d, pdr_json_get(after, m->key.data)));
    for (const pdr_json *m = after->kind == PDR_JSON_OBJECT ? after->first : NULL; m; m = m->next)
        if (!is_one_of(m->key, known) && !pdr_json_get(before, m->key.data))
            diff_add(d, PDR_CHANGE_ATTRIBUTE, path, diff_text(d, "%s", m->key.data), NULL, diff_json(d, m));
}

/* "decimal(10,2)", also one that is ignored. */
static const char *logical_text(differ *d, const pdr_schema *schema)
{
    const pdr_json *precision = pdr_json_get(schema->json, "precision"),
                   *scale = pdr_json_get(schema->json, "scale");
    if (!schema->logical_text) return NULL;
    if (!precision && !scale) return diff_text(d, "%s", schema->logical_text);
    return diff_text(d, "%s(%s,%s)", schema->logical_text, precision ? diff_json(d, precision) : "",
                     scale ? diff_json(d, scale) : "0");
}

/* ---- types ---- */

static const char *type_text(differ *d, const pdr_schema *schema)
{
    const char *text = "";
    if (schema->kind == PDR_KIND_ARRAY || schema->kind == PDR_KIND_MAP)
        return diff_text(d, "%s of %s", schema->name, type_text(d, schema->items));
    if (schema->kind == PDR_KIND_FIXED)
        return diff_text(d, "fixed %s of %zu bytes", schema->name, schema->count);
    if (pdr_kind_is_named(schema->kind))
        return diff_text(d, "%s %s", pdr_kind_name(schema->kind), schema->name);
    if (schema->kind != PDR_KIND_UNION) {
        const char *logical = logical_text(d, schema);
        return logical ? diff_text(d, "%s %s", schema->name, logical) : schema->name;
    }
    for (size_t i = 0; i < schema->count; i++)
        text = diff_text(d, "%s%s%s", text, i ? " | " : "", type_text(d, schema->branches[i]));
    return text;
}

const char *diff_type_text(differ *d, const pdr_schema *schema)
{
    return diff_text(d, "%s", type_text(d, schema));
}

static bool seen(differ *d, const pdr_schema *before, const pdr_schema *after)
{
    for (const diff_pair *p = d->pairs; p; p = p->next)
        if (p->before == before && p->after == after) return true;
    diff_pair *added = pdr_arena_alloc(&d->diff->arena, sizeof *added);
    if (!added) {
        (void)diff_no_memory(d);
        return true;
    }
    *added = (diff_pair){before, after, d->pairs};
    d->pairs = added;
    return false;
}

static void compare_named(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after)
{
    diff_texts(d, PDR_CHANGE_NAME, path, NULL, diff_text(d, "%s", before->name),
               diff_text(d, "%s", after->name));
    if (seen(d, before, after)) return;
    diff_aliases(d, path, before->aliases, before->alias_count, after->aliases, after->alias_count);
    diff_texts(d, PDR_CHANGE_DOC, path, NULL, before->doc ? diff_text(d, "%s", before->doc) : NULL,
               after->doc ? diff_text(d, "%s", after->doc) : NULL);
    if (before->kind == PDR_KIND_RECORD) diff_fields(d, path, before, after);
    if (before->kind == PDR_KIND_ENUM) diff_symbols(d, path, before, after);
    if (before->kind == PDR_KIND_FIXED && before->count != after->count)
        diff_add(d, PDR_CHANGE_TYPE, path, NULL, diff_type_text(d, before), diff_type_text(d, after));
}

void diff_types(differ *d, const char *path, const pdr_schema *before, const pdr_schema *after)
{
    static const char *const known[] = {
        "type", "name",        "namespace", "doc",   "aliases", "fields", "symbols", "default",
        "size", "logicalType", "precision", "scale", "items",   "values", "perdure", NULL};
    static const char *const nested[] = {"type",      "name",    "namespace", "doc",    "aliases",
                                         "fields",    "symbols", "default",   "size",   "logicalType",
                                         "precision", "scale",   "items",     "values", NULL};
    if (d->code != PDR_OK) return;
    if (++d->depth > DIFF_MAX_DEPTH) {
        d->code = pdr_fail(d->err, PDR_TOO_LARGE, "the schemas nest more than %d deep", (int)DIFF_MAX_DEPTH);
        return;
    }
    if (before->kind != after->kind) {
        diff_add(d, PDR_CHANGE_TYPE, path, NULL, diff_type_text(d, before), diff_type_text(d, after));
    } else {
        diff_texts(d, PDR_CHANGE_LOGICAL_TYPE, path, NULL, logical_text(d, before), logical_text(d, after));
        diff_attributes(d, path, before->json, after->json, d->depth == 1 ? known : nested);
        if (pdr_kind_is_named(before->kind)) compare_named(d, path, before, after);
        if (before->kind == PDR_KIND_UNION) diff_branches(d, path, before, after);
        if (before->kind == PDR_KIND_ARRAY)
            diff_types(d, diff_text(d, "%s/[]", path), before->items, after->items);
        if (before->kind == PDR_KIND_MAP)
            diff_types(d, diff_text(d, "%s/{}", path), before->items, after->items);
    }
    d->depth--;
}

/* ---- all ---- */

static void compare_readable(differ *d, const pdr_schema *before, const pdr_schema *after)
{
    pdr_schema_version older, newer;
    if (d->code == PDR_OK) d->code = pdr_schema_version_of(&older, before, d->err);
    if (d->code == PDR_OK) d->code = pdr_schema_version_of(&newer, after, d->err);
    if (d->code == PDR_OK && older.readable_by_older != newer.readable_by_older)
        diff_add(d, PDR_CHANGE_READABLE_BY_OLDER, "", NULL, older.readable_by_older ? "true" : "false",
                 newer.readable_by_older ? "true" : "false");
}

pdr_code pdr_schema_diff_open(pdr_schema_diff **out, const pdr_schema *before, const pdr_schema *after,
                              pdr_error *err)
{
    pdr_schema_diff *diff = pdr_calloc(1, sizeof *diff);
    differ d = {.diff = diff, .err = err};
    if (!diff) return diff_no_memory(&d);
    diff->arena.max = PDR_SCHEMA_MAX_MEMORY;
    diff->last = &diff->first;
    diff_types(&d, "", before, after);
    compare_readable(&d, before, after);
    if (d.code == PDR_OK)
        *out = diff;
    else
        pdr_schema_diff_close(diff);
    return d.code;
}

void pdr_schema_diff_close(pdr_schema_diff *diff)
{
    if (!diff) return;
    pdr_arena_release(&diff->arena);
    pdr_free(diff);
}
