/* The walk over two schemas side by side. */
#include "schemas/resolve.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/resolve_inside.h"

enum { MAX_MEMORY = 256 * 1024 * 1024 };

/* ---- problems ---- */

pdr_code resolve_no_memory(resolver *r)
{
    pdr_arena *arena = &r->all->arena;
    if (arena->max - arena->held < 1024 * 1024)
        return pdr_fail(r->err, PDR_TOO_LARGE, "resolving two schemas takes more than %d bytes", MAX_MEMORY);
    return pdr_fail(r->err, PDR_NOMEM, "out of memory for resolving two schemas");
}

pdr_code resolve_work(resolver *r, size_t comparisons)
{
    r->work += comparisons;
    if (r->work <= PDR_RESOLVE_MAX_WORK) return PDR_OK;
    return pdr_fail(r->err, PDR_TOO_LARGE, "resolving two schemas takes more than %d comparisons of names",
                    (int)PDR_RESOLVE_MAX_WORK);
}

static size_t write_path(const path *at, char *out, size_t room)
{
    if (!at) return 0;
    size_t size = write_path(at->up, out, room);
    int more = at->after ? snprintf(out + size, room - size, "%s%zu%s", at->before, at->index, at->after)
                         : snprintf(out + size, room - size, "%s", at->before);
    return more > 0 && (size_t)more < room - size ? size + (size_t)more : size;
}

pdr_code resolve_problem(resolver *r, pdr_match *match, const path *at, bool never, const char *format, ...)
{
    char text[4096] = "";
    size_t size = write_path(at, text, sizeof text / 2);
    if (text[0] != '/' || size == 0) { /* the root itself, or a branch of it */
        memmove(text + 1, text, size++);
        text[0] = '/';
    }
    text[size++] = ':';
    text[size++] = ' ';
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + size, sizeof text - size, format, args);
    va_end(args);
    pdr_problem *problem = pdr_arena_calloc(&r->all->arena, 1, sizeof *problem);
    pdr_string kept = pdr_arena_string(&r->all->arena, pdr_string_of(text));
    if (!problem || !kept.data) return resolve_no_memory(r);
    problem->match = match;
    problem->text = kept.data;
    *r->last_problem = problem;
    r->last_problem = (const pdr_problem **)&problem->next;
    if (!match->problem || (never && !match->never)) match->problem = kept.data;
    match->never |= never;
    return PDR_OK;
}

/* ---- pairs ---- */

static pdr_code resolve(resolver *r, const pdr_schema *writer, const pdr_schema *reader, const path *at,
                        unsigned depth, pdr_match **out);

static pdr_match *find(const resolver *r, const pdr_schema *writer, const pdr_schema *reader)
{
    if (!pdr_kind_is_named(writer->kind)) return NULL;
    pdr_match *match = r->by_writer[writer->number];
    while (match && match->reader != reader)
        match = match->next_writer;
    return match;
}

static pdr_code add(resolver *r, const pdr_schema *writer, const pdr_schema *reader, pdr_match **out)
{
    pdr_resolution *all = r->all;
    if (all->count >= PDR_RESOLVE_MAX_PAIRS)
        return pdr_fail(r->err, PDR_TOO_LARGE, "two schemas that have more than %d pairs of types",
                        (int)PDR_RESOLVE_MAX_PAIRS);
    pdr_match *match = pdr_arena_calloc(&all->arena, 1, sizeof *match);
    if (!match) return resolve_no_memory(r);
    match->writer = writer;
    match->reader = reader;
    match->index = all->count++;
    match->next = all->last;
    all->last = match;
    if (pdr_kind_is_named(writer->kind)) {
        match->next_writer = r->by_writer[writer->number];
        r->by_writer[writer->number] = match;
    }
    *out = match;
    return PDR_OK;
}

static pdr_code add_parts(resolver *r, pdr_match *match, size_t count)
{
    match->parts = pdr_arena_calloc(&r->all->arena, count, sizeof(pdr_match *));
    match->targets = pdr_arena_calloc(&r->all->arena, count, sizeof *match->targets);
    match->count = count;
    return match->parts && match->targets ? PDR_OK : resolve_no_memory(r);
}

static pdr_code resolve_writer_union(resolver *r, pdr_match *match, const path *at, unsigned depth)
{
    const pdr_schema *writer = match->writer;
    pdr_code code = add_parts(r, match, writer->count);
    for (size_t i = 0; code == PDR_OK && i < writer->count; i++) {
        path here = {at, " (branch ", i, " of the writer's union)"};
        code = resolve(r, writer->branches[i], match->reader, &here, depth, &match->parts[i]);
    }
    return code;
}

static pdr_code resolve_reader_union(resolver *r, pdr_match *match, const path *at, unsigned depth)
{
    int32_t branch = resolve_branch(r, match->writer, match->reader);
    pdr_code code = resolve_work(r, match->reader->count);
    if (code != PDR_OK) return code;
    if (branch < 0)
        return resolve_problem(r, match, at, true, "written as %s; no branch of the reader's union takes it",
                               resolve_describe(match->writer).text);
    code = add_parts(r, match, 1);
    if (code != PDR_OK) return code;
    path here = {at, "/", (size_t)branch, ""};
    match->targets[0] = branch;
    return resolve(r, match->writer, match->reader->branches[branch], &here, depth, &match->parts[0]);
}

static pdr_code resolve_items(resolver *r, pdr_match *match, const path *at, unsigned depth)
{
    path here = {at, match->reader->kind == PDR_KIND_MAP ? "/values" : "/items", 0, NULL};
    pdr_code code = add_parts(r, match, 1);
    if (code != PDR_OK) return code;
    return resolve(r, match->writer->items, match->reader->items, &here, depth, &match->parts[0]);
}

static pdr_code resolve_record(resolver *r, pdr_match *match, const path *at, unsigned depth)
{
    const pdr_schema *writer = match->writer;
    pdr_code code = add_parts(r, match, writer->count);
    if (code == PDR_OK) code = resolve_fields(r, match, at);
    for (size_t i = 0; code == PDR_OK && i < writer->count; i++) {
        if (match->targets[i] < 0) continue;
        path here = {at, "/fields/", (size_t)match->targets[i], "/type"};
        code = resolve(r, writer->fields[i].type, match->reader->fields[match->targets[i]].type, &here, depth,
                       &match->parts[i]);
    }
    return code;
}

static pdr_code resolve_enum(resolver *r, pdr_match *match, const path *at)
{
    pdr_code code = add_parts(r, match, match->writer->count);
    return code == PDR_OK ? resolve_symbols(r, match, at) : code;
}

static pdr_code resolve_kinds(resolver *r, pdr_match *match, const path *at, unsigned depth)
{
    const pdr_schema *writer = match->writer, *reader = match->reader;
    if (writer->kind == PDR_KIND_UNION) return resolve_writer_union(r, match, at, depth);
    if (reader->kind == PDR_KIND_UNION) return resolve_reader_union(r, match, at, depth);
    if (!resolve_same(r, writer, reader) && !resolve_promotes(writer->kind, reader->kind))
        return resolve_mismatch(r, match, at);
    pdr_code code = resolve_logical(r, match, at);
    if (code != PDR_OK) return code;
    switch (writer->kind) {
    case PDR_KIND_RECORD: return resolve_record(r, match, at, depth);
    case PDR_KIND_ENUM: return resolve_enum(r, match, at);
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return resolve_items(r, match, at, depth);
    default: return PDR_OK;
    }
}

static pdr_code resolve(resolver *r, const pdr_schema *writer, const pdr_schema *reader, const path *at,
                        unsigned depth, pdr_match **out)
{
    *out = find(r, writer, reader);
    if (*out) return PDR_OK;
    if (depth > PDR_RESOLVE_MAX_DEPTH)
        return pdr_fail(r->err, PDR_TOO_LARGE, "two schemas whose types are nested more than %d deep",
                        (int)PDR_RESOLVE_MAX_DEPTH);
    pdr_code code = add(r, writer, reader, out);
    return code == PDR_OK ? resolve_kinds(r, *out, at, depth + 1) : code;
}

/* ---- what can never be read ---- */

/* The part for which nothing of `match` can be read; NULL: some of it can. */
static const pdr_match *failing_part(const pdr_match *match)
{
    const pdr_match *first = NULL;
    bool all = match->count > 0;
    if (match->writer->kind == PDR_KIND_ENUM && match->reader->kind != PDR_KIND_UNION) return NULL;
    for (size_t i = 0; i < match->count; i++) {
        bool never = match->parts[i] && match->parts[i]->never;
        if (never && !first) first = match->parts[i];
        all &= never;
    }
    return match->writer->kind == PDR_KIND_UNION && !all ? NULL : first;
}

/* From the pairs reached last to the root, until nothing changes: a recursive pair counts as readable unless
 * something that it needs isn't. */
static void spread(pdr_resolution *all)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (pdr_match *match = all->last; match; match = match->next) {
            if (!match->never) match->because = failing_part(match);
            if (match->never || !match->because) continue;
            match->never = changed = true;
        }
    }
}

/* What a match failed by had failed before it, so this comes to an end. */
const char *pdr_match_why(const pdr_match *match)
{
    while (!match->problem && match->because)
        match = match->because;
    return match->problem ? match->problem : "/: no reason";
}

/* ---- the whole ---- */

static pdr_code same_canonical(bool *same, const pdr_schema *a, const pdr_schema *b, pdr_error *err)
{
    uint64_t x = 0, y = 0;
    pdr_code code = pdr_schema_fingerprint(&x, a, err);
    if (code == PDR_OK) code = pdr_schema_fingerprint(&y, b, err);
    *same = x == y;
    return code;
}

static pdr_code fill(pdr_resolution *all, const pdr_schema *writer, const pdr_schema *reader, pdr_error *err)
{
    resolver r = {all, &all->problems, NULL, true, 0, err};
    pdr_match *root = NULL;
    bool same = false;
    pdr_code code = same_canonical(&same, writer, reader, err);
    if (code != PDR_OK) return code;
    r.aliases = !same;
    r.by_writer =
        pdr_arena_calloc(&all->arena, pdr_schema_set_named_count(writer->set) + 1, sizeof(pdr_match *));
    if (!r.by_writer) return resolve_no_memory(&r);
    code = resolve(&r, writer, reader, NULL, 0, &root);
    all->root = root;
    if (code == PDR_OK) spread(all);
    return code;
}

pdr_code pdr_resolution_open(pdr_resolution **out, const pdr_schema *writer, const pdr_schema *reader,
                             pdr_error *err)
{
    pdr_resolution *all = pdr_calloc(1, sizeof *all);
    if (!all) return pdr_fail(err, PDR_NOMEM, "out of memory for resolving two schemas");
    all->arena.max = MAX_MEMORY;
    pdr_code code = fill(all, writer, reader, err);
    if (code == PDR_OK)
        *out = all;
    else
        pdr_resolution_close(all);
    return code;
}

void pdr_resolution_close(pdr_resolution *resolution)
{
    if (!resolution) return;
    pdr_arena_release(&resolution->arena);
    pdr_free(resolution);
}

static pdr_code report(const pdr_resolution *all, pdr_buf *problems, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (const pdr_problem *p = all->problems; code == PDR_OK && p; p = p->next)
        code = pdr_buf_printf(problems, "%s\n", p->text);
    return code == PDR_OK ? code : pdr_fail(err, code, "listing what doesn't resolve");
}

pdr_code pdr_schema_can_read(pdr_readable *out, const pdr_schema *writer, const pdr_schema *reader,
                             pdr_buf *problems, pdr_error *err)
{
    pdr_resolution *all = NULL;
    pdr_code code = pdr_resolution_open(&all, writer, reader, err);
    if (code != PDR_OK) return code;
    *out = PDR_READABLE_ALL;
    if (all->problems) *out = all->root->never ? PDR_READABLE_NEVER : PDR_READABLE_SOME;
    if (problems) code = report(all, problems, err);
    pdr_resolution_close(all);
    return code;
}
