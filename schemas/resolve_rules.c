/* Which types match, and how their parts go together. */
#include <stdio.h>

#include "schemas/resolve_inside.h"

described resolve_describe(const pdr_schema *schema)
{
    described out;
    const char *kind = pdr_kind_name(schema->kind);
    if (schema->logical == PDR_LOGICAL_DECIMAL)
        (void)snprintf(out.text, sizeof out.text, "%s (decimal of precision %d, scale %d)", kind,
                       schema->precision, schema->scale);
    else if (schema->logical != PDR_LOGICAL_NONE)
        (void)snprintf(out.text, sizeof out.text, "%s (%s)", kind, pdr_logical_name(schema->logical));
    else if (pdr_kind_is_named(schema->kind))
        (void)snprintf(out.text, sizeof out.text, "%s \"%s\"", kind, schema->name);
    else
        (void)snprintf(out.text, sizeof out.text, "%s", kind);
    return out;
}

/* ---- names ---- */

typedef enum closeness { OTHER, UNQUALIFIED, ALIAS, EXACT } closeness;

static closeness compare_names(const resolver *r, const pdr_schema *writer, const pdr_schema *reader)
{
    if (!pdr_kind_is_named(writer->kind) || strcmp(writer->name, reader->name) == 0) return EXACT;
    for (size_t i = 0; r->aliases && i < reader->alias_count; i++)
        if (strcmp(writer->name, reader->aliases[i]) == 0) return ALIAS;
    return strcmp(writer->short_name, reader->short_name) == 0 ? UNQUALIFIED : OTHER;
}

/* OTHER: they don't match. */
static closeness compare(const resolver *r, const pdr_schema *writer, const pdr_schema *reader)
{
    if (writer->kind != reader->kind) return OTHER;
    if (writer->kind == PDR_KIND_FIXED && writer->count != reader->count) return OTHER;
    return compare_names(r, writer, reader);
}

bool resolve_same(const resolver *r, const pdr_schema *writer, const pdr_schema *reader)
{
    return compare(r, writer, reader) != OTHER;
}

bool resolve_promotes(pdr_kind writer, pdr_kind reader)
{
    switch (writer) {
    case PDR_KIND_INT:
        return reader == PDR_KIND_LONG || reader == PDR_KIND_FLOAT || reader == PDR_KIND_DOUBLE;
    case PDR_KIND_LONG: return reader == PDR_KIND_FLOAT || reader == PDR_KIND_DOUBLE;
    case PDR_KIND_FLOAT: return reader == PDR_KIND_DOUBLE;
    case PDR_KIND_STRING: return reader == PDR_KIND_BYTES;
    case PDR_KIND_BYTES: return reader == PDR_KIND_STRING;
    default: return false;
    }
}

/* The closest name wins, then the first branch; promotion only where nothing is of the writer's own type, so
 * that a long in [double, long] stays what it was. */
int32_t resolve_branch(const resolver *r, const pdr_schema *writer, const pdr_schema *reader)
{
    int32_t best = -1;
    closeness closest = OTHER;
    for (size_t i = 0; i < reader->count; i++) {
        closeness close = compare(r, writer, reader->branches[i]);
        if (close <= closest) continue;
        closest = close;
        best = (int32_t)i;
    }
    for (size_t i = 0; best < 0 && i < reader->count; i++)
        if (resolve_promotes(writer->kind, reader->branches[i]->kind)) best = (int32_t)i;
    return best;
}

pdr_code resolve_mismatch(resolver *r, pdr_match *match, const path *at)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    described from = resolve_describe(writer), to = resolve_describe(reader);
    if (writer->kind != reader->kind)
        return resolve_problem(r, match, at, true, "written as %s, read as %s", from.text, to.text);
    if (compare_names(r, writer, reader) == OTHER)
        return resolve_problem(r, match, at, true,
                               "written as %s \"%s\", read as \"%s\", which has no such alias",
                               pdr_kind_name(writer->kind), writer->name, reader->name);
    return resolve_problem(r, match, at, true, "written as a fixed of %zu bytes, read as one of %zu",
                           writer->count, reader->count);
}

/* ---- logical types ---- */

static bool same_logical(const pdr_schema *writer, const pdr_schema *reader)
{
    if (writer->kind != reader->kind || writer->logical != reader->logical) return false;
    return writer->logical != PDR_LOGICAL_DECIMAL ||
           (writer->precision == reader->precision && writer->scale == reader->scale);
}

pdr_code resolve_logical(resolver *r, pdr_match *match, const path *at)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    if (reader->logical == PDR_LOGICAL_NONE || same_logical(writer, reader)) return PDR_OK;
    if (writer->logical == PDR_LOGICAL_NONE && writer->kind == reader->kind) return PDR_OK;
    return resolve_problem(r, match, at, true,
                           "written as %s, read as %s, another meaning of the bytes: use an upcaster",
                           resolve_describe(writer).text, resolve_describe(reader).text);
}

/* ---- enums ---- */

static int32_t find_symbol(const pdr_schema *reader, const char *symbol, size_t start)
{
    for (size_t n = 0; n < reader->count; n++) {
        size_t i = (start + n) % reader->count;
        if (strcmp(reader->symbols[i], symbol) == 0) return (int32_t)i;
    }
    return -1;
}

pdr_code resolve_symbols(resolver *r, pdr_match *match, const path *at)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    size_t lost = 0, first = 0, next = 0;
    for (size_t i = 0; i < writer->count; i++) {
        int32_t found = find_symbol(reader, writer->symbols[i], next);
        pdr_code code = resolve_work(r, found == (int32_t)next ? 1 : reader->count);
        if (code != PDR_OK) return code;
        if (found >= 0) next = (size_t)found + 1;
        match->targets[i] = found >= 0 ? found : reader->default_symbol;
        if (match->targets[i] < 0 && lost++ == 0) first = i;
    }
    if (lost == 0) return PDR_OK;
    char more[40] = "";
    if (lost > 1) (void)snprintf(more, sizeof more, " and %zu more", lost - 1);
    return resolve_problem(r, match, at, lost == writer->count,
                           "the reader's enum \"%s\" has no symbol \"%s\"%s, and no default", reader->name,
                           writer->symbols[first], more);
}

/* ---- records ---- */

/* The field of the reader's for which `name` is an alias: *out, or -1. */
static pdr_code find_alias(resolver *r, pdr_match *match, const path *at, const char *name, int32_t *out)
{
    const pdr_schema *reader = match->reader;
    pdr_code code = PDR_OK;
    *out = -1;
    for (size_t i = 0; r->aliases && code == PDR_OK && i < reader->count; i++) {
        const pdr_schema_field *field = &reader->fields[i];
        for (size_t a = 0; a < field->alias_count; a++) {
            if (strcmp(field->aliases[a], name) != 0) continue;
            if (*out >= 0 && *out != (int32_t)i)
                return resolve_problem(r, match, at, true,
                                       "\"%s\" is an alias of both \"%s\" and \"%s\" in \"%s\"", name,
                                       reader->fields[*out].name, field->name, reader->name);
            *out = (int32_t)i;
        }
        if (field->alias_count) code = resolve_work(r, field->alias_count);
    }
    return code;
}

/* Sought from `start` on and around: both schemas mostly have the same order. */
static pdr_code find_name(resolver *r, const pdr_schema *reader, const char *name, size_t start, int32_t *out)
{
    size_t n = 0, i = 0;
    for (; n < reader->count; n++) {
        i = (start + n) % reader->count;
        if (strcmp(reader->fields[i].name, name) == 0) break;
    }
    *out = n < reader->count ? (int32_t)i : -1;
    return resolve_work(r, n + 1);
}

static pdr_code check_rest(resolver *r, pdr_match *match, const path *at, const bool *taken)
{
    const pdr_schema *reader = match->reader;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < reader->count; i++) {
        path here = {at, "/fields/", i, ""};
        if (!taken[i] && !reader->fields[i].default_value)
            code =
                resolve_problem(r, match, &here, true, "\"%s\" of \"%s\" wasn't written, and has no default",
                                reader->fields[i].name, reader->name);
    }
    return code;
}

/* Aliases rename the writer's fields, as the specification has it; then names decide. */
pdr_code resolve_fields(resolver *r, pdr_match *match, const path *at)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    bool *taken = pdr_arena_calloc(&r->all->arena, reader->count, sizeof *taken);
    size_t next = 0;
    if (!taken) return resolve_no_memory(r);
    for (size_t i = 0; i < writer->count; i++) {
        int32_t *target = &match->targets[i];
        pdr_code code = find_alias(r, match, at, writer->fields[i].name, target);
        if (code == PDR_OK && *target < 0) code = find_name(r, reader, writer->fields[i].name, next, target);
        if (code == PDR_OK && *target >= 0 && taken[*target])
            code = resolve_problem(r, match, at, true,
                                   "two of the writer's fields are \"%s\" by name or alias; one is \"%s\"",
                                   reader->fields[*target].name, writer->fields[i].name);
        if (code != PDR_OK) return code;
        if (*target < 0) continue;
        taken[*target] = true;
        next = (size_t)*target + 1;
    }
    return check_rest(r, match, at, taken);
}
