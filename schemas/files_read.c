/* One version: what it refers to, its record, its attributes. */
#include "schemas/files_inside.h"
#include "schemas/version.h"

/* The unversioned file that defines the type; NULL: none does. */
static schema_file *definer_of(const pdr_schema_files *files, const char *full_name)
{
    const char *dot = strrchr(full_name, '.');
    if (!files->shared) return NULL;
    const pdr_schema *type = pdr_schema_set_find(files->shared, full_name);
    if (!type && dot) type = pdr_schema_set_find(files->shared, dot + 1);
    for (schema_file *f = files->first; type && f; f = f->next)
        if (strcmp(f->version.path, type->file) == 0) return f;
    return NULL;
}

/* ---- a version: a set with what it refers to ---- */

/* Marks the unversioned files that `f` needs, directly or through others. */
static pdr_code pull(pdr_schema_files *files, const schema_file *f, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    const char *missing;
    for (schema_file *other = files->first; other; other = other->next)
        other->pulled = false;
    pdr_code code = pdr_schema_set_open(&set, err);
    if (code == PDR_OK) code = pdr_schema_set_add(set, f->version.path, f->text, err);
    while (code == PDR_OK && (missing = pdr_schema_set_missing(set)) != NULL) {
        schema_file *definer = definer_of(files, missing);
        if (!definer || definer->pulled) break; /* what stays unknown is reported when the set is finished */
        definer->pulled = true;
        code = pdr_schema_set_add(set, definer->version.path, definer->text, err);
    }
    pdr_schema_set_close(set);
    return code;
}

/* What is pulled comes first: a name without a namespace is found only if it is known already. */
static pdr_code read_set(pdr_schema_files *files, schema_file *f, pdr_error *err)
{
    pdr_code code = pull(files, f, err);
    if (code == PDR_OK) code = pdr_schema_set_open(&f->set, err);
    for (const schema_file *other = files->first; other && code == PDR_OK; other = other->next)
        if (other->pulled) code = pdr_schema_set_add(f->set, other->version.path, other->text, err);
    if (code == PDR_OK) code = pdr_schema_set_add(f->set, f->version.path, f->text, err);
    if (code == PDR_OK) code = pdr_schema_set_finish(f->set, err);
    if (code == PDR_OK) f->version.root = pdr_schema_set_root(f->set, pdr_schema_set_count(f->set) - 1);
    return code;
}

static bool same_text(const pdr_schema *a, const pdr_schema *b, pdr_code *code, pdr_error *err)
{
    pdr_buf one = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY), other = PDR_BUF_INIT(PDR_SCHEMA_MAX_MEMORY);
    *code = pdr_schema_write(a, &one, err);
    if (*code == PDR_OK) *code = pdr_schema_write(b, &other, err);
    bool same = *code == PDR_OK && pdr_bytes_equal(pdr_buf_bytes(&one), pdr_buf_bytes(&other));
    pdr_buf_release(&one);
    pdr_buf_release(&other);
    return same;
}

/* A shared type must mean here what it means elsewhere: a version that defines one of the types that it is
 * made of would change it. */
static pdr_code check_shared(const pdr_schema_files *files, const schema_file *f, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < pdr_schema_set_named_count(f->set); i++) {
        const pdr_schema *type = pdr_schema_set_named(f->set, i);
        if (pdr_versioned_defines(&f->version, type)) continue;
        if (same_text(type, pdr_schema_set_find(files->shared, type->name), &code, err)) continue;
        if (code != PDR_OK) return code;
        return pdr_fail(err, PDR_BAD_SCHEMA,
                        "%s defines a type that \"%s\" of %s refers to; write \"%s\" into %s as well",
                        f->version.path, type->name, type->file, type->short_name,
                        files_base_of(f->version.path));
    }
    return PDR_OK;
}

static pdr_code bad_attribute(const schema_file *f, const pdr_json *at, const char *what, pdr_error *err)
{
    return pdr_fail(err, PDR_BAD_SCHEMA, "%s:%u:%u: /perdure: %s", f->version.path, at->line, at->column,
                    what);
}

/* In a log members that nobody knows are passed over; in a file they are a slip of the pen. */
static pdr_code check_members(schema_file *f, const pdr_json *own, pdr_error *err)
{
    static const char *const known[] = {"version", "readableByOlder", "retired"};
    for (const pdr_json *member = own->first; member; member = member->next) {
        size_t i = 0;
        while (i < 3 && !pdr_string_equal(member->key, pdr_string_of(known[i])))
            i++;
        if (i == 3)
            return bad_attribute(f, member, "it may have \"readableByOlder\", \"retired\" and \"version\"",
                                 err);
    }
    return PDR_OK;
}

static pdr_code take_attributes(schema_file *f, pdr_error *err)
{
    pdr_schema_version said;
    const pdr_json *own = pdr_json_get(f->version.root->json, "perdure");
    pdr_code code = pdr_schema_version_of(&said, f->version.root, err);
    if (code != PDR_OK || !own) return code;
    const pdr_json *retired = pdr_json_get(own, "retired");
    if (said.version && said.version != f->version.version)
        return bad_attribute(f, own, "\"version\" isn't the number in the file's name", err);
    if (retired && retired->kind != PDR_JSON_BOOLEAN)
        return bad_attribute(f, retired, "\"retired\" must be true or false", err);
    f->version.readable_by_older = said.readable_by_older;
    f->version.retired = retired && retired->truth;
    return check_members(f, own, err);
}

/* The attribute belongs at the root of a version, nowhere else. */
pdr_code files_check_attributes(const pdr_schema_set *set, const pdr_schema *root, pdr_error *err)
{
    for (size_t i = 0; i < pdr_schema_set_named_count(set); i++) {
        const pdr_schema *type = pdr_schema_set_named(set, i);
        const pdr_json *own = pdr_json_get(type->json, "perdure");
        if (!own || type == root) continue;
        return pdr_fail(err, PDR_BAD_SCHEMA,
                        "%s:%u:%u: %s: the attribute \"perdure\" stands only at the root of a versioned file",
                        type->file, own->line, own->column, type->place);
    }
    return PDR_OK;
}

static pdr_code check_name(const schema_file *f, pdr_error *err)
{
    const pdr_versioned *v = &f->version;
    if (v->root->kind != PDR_KIND_RECORD)
        return pdr_fail(err, PDR_BAD_SCHEMA, "%s: a versioned file holds one record, not a \"%s\"", v->path,
                        pdr_kind_name(v->root->kind));
    if (!pdr_versioned_defines(v, v->root) || strcmp(v->root->short_name, v->event) != 0)
        return pdr_fail(err, PDR_BAD_SCHEMA, "%s: its record is \"%s\"; by the file's name it must be \"%s\"",
                        v->path, v->root->name, v->event);
    return PDR_OK;
}

pdr_code files_read_version(pdr_schema_files *files, schema_file *f, pdr_error *err)
{
    pdr_code code = read_set(files, f, err);
    if (code == PDR_OK) code = check_name(f, err);
    if (code == PDR_OK) code = check_shared(files, f, err);
    if (code == PDR_OK) code = files_check_attributes(f->set, f->version.root, err);
    if (code == PDR_OK) code = take_attributes(f, err);
    return code == PDR_OK ? pdr_schema_fingerprint(&f->version.fingerprint, f->version.root, err) : code;
}
