#include "schemas/files_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static pdr_code no_memory(pdr_error *err)
{
    return pdr_fail(err, PDR_NOMEM, "out of memory for schema files");
}

pdr_code pdr_schema_files_open(pdr_schema_files **out, pdr_error *err)
{
    pdr_schema_files *files = pdr_calloc(1, sizeof *files);
    if (!files) return no_memory(err);
    files->arena.max = PDR_SCHEMA_MAX_MEMORY;
    files->last = &files->first;
    *out = files;
    return PDR_OK;
}

void pdr_schema_files_close(pdr_schema_files *files)
{
    if (!files) return;
    for (schema_file *f = files->first; f; f = f->next)
        pdr_schema_set_close(f->set);
    pdr_schema_set_close(files->shared);
    pdr_arena_release(&files->arena);
    pdr_free(files);
}

/* ---- what a path says ---- */

const char *files_base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Does "v2", "V2", "v-1" or "v" stand there: was a version meant? */
static bool is_meant_as_version(const char *text)
{
    if (*text != 'v' && *text != 'V') return false;
    return text[1] == '.' || text[1] == '-' || text[1] == '+' || (text[1] >= '0' && text[1] <= '9');
}

/* The number of "v2.avsc"; 0 if it is none. */
static uint32_t number_of(const char *text)
{
    uint32_t number = 0;
    if (*text++ != 'v' || *text == '0') return 0;
    for (; *text >= '0' && *text <= '9' && number <= PDR_SCHEMA_MAX_VERSION; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    return strcmp(text, ".avsc") == 0 && number <= PDR_SCHEMA_MAX_VERSION ? number : 0;
}

/* Where the version stands in "OfferMade.v2.avsc"; NULL: the file is unversioned. */
static const char *version_in(const char *base)
{
    size_t size = strlen(base);
    if (size < 6 || strcmp(base + size - 5, ".avsc") != 0) return NULL;
    const char *dot = base + size - 6;
    while (dot > base && *dot != '.')
        dot--;
    return dot > base && is_meant_as_version(dot + 1) ? dot + 1 : NULL;
}

bool pdr_schema_is_versioned(const char *path)
{
    return version_in(files_base_of(path)) != NULL;
}

static pdr_code copy(pdr_schema_files *files, pdr_string text, const char **out, pdr_error *err)
{
    pdr_string kept = pdr_arena_string(&files->arena, text);
    *out = kept.data;
    return kept.data ? PDR_OK : no_memory(err);
}

static pdr_code name_version(pdr_schema_files *files, pdr_versioned *v, pdr_error *err)
{
    const char *base = files_base_of(v->path), *number = version_in(base);
    if (!number) return PDR_OK;
    v->version = number_of(number);
    if (v->version == 0)
        return pdr_fail(err, PDR_BAD_SCHEMA,
                        "%s: a version is .v1.avsc, .v2.avsc and so on to %d, without leading zeros", v->path,
                        (int)PDR_SCHEMA_MAX_VERSION);
    return copy(files, (pdr_string){base, (size_t)(number - 1 - base)}, &v->event, err);
}

static pdr_code name_file(pdr_schema_files *files, schema_file *f, const char *path, pdr_error *err)
{
    const char *slash = strrchr(path, '/');
    pdr_string folder = pdr_string_of(".");
    if (slash) folder = (pdr_string){path, slash == path ? 1 : (size_t)(slash - path)};
    pdr_code code = copy(files, pdr_string_of(path), &f->version.path, err);
    if (code == PDR_OK) code = copy(files, folder, &f->version.folder, err);
    return code == PDR_OK ? name_version(files, &f->version, err) : code;
}

pdr_code pdr_schema_files_add(pdr_schema_files *files, const char *path, pdr_string text, pdr_error *err)
{
    if (strlen(path) >= PDR_SCHEMA_MAX_PATH)
        return pdr_fail(err, PDR_TOO_LARGE, "%.100s...: the path has more than %d bytes", path,
                        (int)PDR_SCHEMA_MAX_PATH);
    if (text.size > PDR_SCHEMA_MAX_TEXT)
        return pdr_fail(err, PDR_TOO_LARGE, "%s: %zu bytes; a schema may have %d", path, text.size,
                        (int)PDR_SCHEMA_MAX_TEXT);
    if (files->count == PDR_SCHEMA_MAX_FILES)
        return pdr_fail(err, PDR_TOO_LARGE, "%s: more than %d schema files", path, (int)PDR_SCHEMA_MAX_FILES);
    for (const schema_file *f = files->first; f; f = f->next)
        if (strcmp(f->version.path, path) == 0)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "%s is given twice", path);
    schema_file *added = pdr_arena_calloc(&files->arena, 1, sizeof *added);
    if (!added) return no_memory(err);
    pdr_code code = name_file(files, added, path, err);
    if (code != PDR_OK) return code;
    added->text = pdr_arena_string(&files->arena, text);
    if (!added->text.data) return no_memory(err);
    *files->last = added;
    files->last = &added->next;
    files->count++;
    files->version_count += added->version.version > 0;
    return PDR_OK;
}

/* ---- the unversioned files: one set ---- */

static pdr_code read_shared(pdr_schema_files *files, pdr_error *err)
{
    pdr_code code = PDR_OK;
    if (files->version_count == files->count) return PDR_OK;
    code = pdr_schema_set_open(&files->shared, err);
    for (const schema_file *f = files->first; f && code == PDR_OK; f = f->next)
        if (f->version.version == 0) code = pdr_schema_set_add(files->shared, f->version.path, f->text, err);
    return code == PDR_OK ? pdr_schema_set_finish(files->shared, err) : code;
}

/* ---- the versions of one event ---- */

static int by_event(const pdr_versioned *a, const pdr_versioned *b)
{
    int folders = strcmp(a->folder, b->folder);
    return folders ? folders : strcmp(a->event, b->event);
}

static int by_version(const void *a, const void *b)
{
    const pdr_versioned *left = &(*(schema_file *const *)a)->version,
                        *right = &(*(schema_file *const *)b)->version;
    int events = by_event(left, right);
    if (events) return events;
    return (left->version > right->version) - (left->version < right->version);
}

static pdr_code sort_versions(pdr_schema_files *files, pdr_error *err)
{
    size_t count = 0;
    files->versions = pdr_arena_calloc(&files->arena, files->version_count + 1, sizeof *files->versions);
    if (!files->versions) return no_memory(err);
    for (schema_file *f = files->first; f; f = f->next)
        if (f->version.version) files->versions[count++] = f;
    qsort(files->versions, count, sizeof *files->versions, by_version);
    return PDR_OK;
}

/* `v` follows `before` (NULL: `v` is its event's first). */
static pdr_code check_gap(const pdr_versioned *v, const pdr_versioned *before, pdr_error *err)
{
    uint32_t wanted = before ? before->version + 1 : 1;
    if (v->version == wanted) return PDR_OK;
    return pdr_fail(
        err, PDR_BAD_SCHEMA,
        "%s is there, but not %s.v%u.avsc: every version from 1 on is kept, since events of it may be in "
        "a log",
        v->path, v->event, wanted);
}

static pdr_code check_equal(const pdr_versioned *a, const pdr_versioned *b, pdr_error *err)
{
    if (strcmp(a->root->name, b->root->name) != 0)
        return pdr_fail(err, PDR_BAD_SCHEMA,
                        "%s: its record is \"%s\", and that of version %u is \"%s\"; another name is another "
                        "event, with versions of its own",
                        b->path, b->root->name, a->version, a->root->name);
    if (a->fingerprint == b->fingerprint)
        return pdr_fail(
            err, PDR_BAD_SCHEMA,
            "%s has the fingerprint of version %u, so nobody could tell them apart: fingerprints ignore "
            "logical types, scales, defaults and docs. Rename the field whose meaning changed, "
            "such as amount to amount_cents",
            b->path, a->version);
    return PDR_OK;
}

static pdr_code check_versions(pdr_schema_files *files, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0, first = 0; i < files->version_count && code == PDR_OK; i++) {
        pdr_versioned *v = &files->versions[i]->version;
        bool begins = i == 0 || by_event(&files->versions[i - 1]->version, v) != 0;
        if (begins) first = i;
        v->newest = i + 1 == files->version_count || by_event(&files->versions[i + 1]->version, v) != 0;
        code = check_gap(v, begins ? NULL : &files->versions[i - 1]->version, err);
        for (size_t j = first; j < i && code == PDR_OK; j++)
            code = check_equal(&files->versions[j]->version, v, err);
        if (code == PDR_OK && v->retired && !v->newest)
            code = pdr_fail(err, PDR_BAD_SCHEMA, "%s: \"retired\" stands only in an event's newest version",
                            v->path);
    }
    return code;
}

pdr_code pdr_schema_files_finish(pdr_schema_files *files, pdr_error *err)
{
    if (files->count == 0) return pdr_fail(err, PDR_INVALID_ARGUMENT, "there is no schema");
    pdr_code code = read_shared(files, err);
    if (code == PDR_OK && files->shared) code = files_check_attributes(files->shared, NULL, err);
    if (code == PDR_OK) code = sort_versions(files, err);
    for (size_t i = 0; i < files->version_count && code == PDR_OK; i++)
        code = files_read_version(files, files->versions[i], err);
    return code == PDR_OK ? check_versions(files, err) : code;
}

/* ---- what is there ---- */

const pdr_schema_set *pdr_schema_files_shared(const pdr_schema_files *files)
{
    return files->shared;
}

size_t pdr_schema_files_count(const pdr_schema_files *files)
{
    return files->version_count;
}

const pdr_versioned *pdr_schema_files_at(const pdr_schema_files *files, size_t index)
{
    return &files->versions[index]->version;
}

bool pdr_versioned_defines(const pdr_versioned *version, const pdr_schema *schema)
{
    return strcmp(schema->file, version->path) == 0;
}

pdr_code pdr_versioned_write(const pdr_versioned *version, pdr_buf *out, pdr_error *err)
{
    char own[80];
    (void)snprintf(own, sizeof own, "{\"version\":%u,\"readableByOlder\":%s}", version->version,
                   version->readable_by_older ? "true" : "false");
    return pdr_schema_write_with(version->root, "perdure", own, out, err);
}
