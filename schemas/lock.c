#include "schemas/lock.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/version.h"

struct pdr_lock {
    pdr_arena arena;
    const char *path;
    pdr_lock_entry *entries;
    pdr_schema_set **sets;
    size_t count;
};

typedef struct reader {
    pdr_lock *lock;
    pdr_error *err;
} reader;

static pdr_code no_memory(pdr_error *err)
{
    return pdr_fail(err, PDR_NOMEM, "out of memory for a lock file");
}

static pdr_code bad(const reader *r, const pdr_json *at, const char *what)
{
    return pdr_fail(r->err, PDR_BAD_SCHEMA, "%s:%u:%u: %s", r->lock->path, at->line, at->column, what);
}

/* ---- one entry ---- */

static pdr_code read_fingerprint(const reader *r, const pdr_json *json, const pdr_json *at, uint64_t *out)
{
    *out = 0;
    if (!json || json->kind != PDR_JSON_STRING || json->text.size != 16)
        return bad(r, json ? json : at, "\"fingerprint\" must be 16 hexadecimal digits");
    for (size_t i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef", *digit = strchr(digits, json->text.data[i]);
        if (!digit || !json->text.data[i])
            return bad(r, json, "\"fingerprint\" must be 16 hexadecimal digits");
        *out = *out << 4 | (uint64_t)(digit - digits);
    }
    return PDR_OK;
}

static pdr_code read_schema(const reader *r, const pdr_json *json, size_t index)
{
    char file[PDR_SCHEMA_MAX_PATH + 64];
    pdr_lock_entry *entry = &r->lock->entries[index];
    pdr_buf text = PDR_BUF_INIT(PDR_LOCK_MAX_TEXT);
    (void)snprintf(file, sizeof file, "%s: %s version %" PRIu32, r->lock->path, entry->event, entry->version);
    pdr_code code = pdr_json_write(json, &text);
    if (code == PDR_OK)
        code = pdr_schema_read(&r->lock->sets[index], file, (pdr_string){(const char *)text.data, text.size},
                               r->err);
    else
        code = pdr_fail(r->err, code, "%s: %s", file, pdr_code_text(code));
    if (code == PDR_OK) entry->root = pdr_schema_set_root(r->lock->sets[index], 0);
    pdr_buf_release(&text);
    return code;
}

/* Does the schema say what the entry says of it? */
static pdr_code check_schema(const reader *r, const pdr_json *at, const pdr_lock_entry *entry)
{
    pdr_schema_version said;
    uint64_t fingerprint;
    if (entry->root->kind != PDR_KIND_RECORD || strcmp(entry->root->short_name, entry->event) != 0)
        return bad(r, at, "the schema isn't a record with the name in \"event\"");
    pdr_code code = pdr_schema_version_of(&said, entry->root, r->err);
    if (code == PDR_OK) code = pdr_schema_fingerprint(&fingerprint, entry->root, r->err);
    if (code != PDR_OK) return code;
    if (said.version != entry->version) return bad(r, at, "the schema says another version than \"version\"");
    if (fingerprint == entry->fingerprint) return PDR_OK;
    return bad(r, at, "the schema hasn't the fingerprint in \"fingerprint\": it was changed by hand");
}

static pdr_code read_entry(const reader *r, const pdr_json *json, size_t index)
{
    int64_t version;
    pdr_lock_entry *entry = &r->lock->entries[index], *before = index ? entry - 1 : NULL;
    const pdr_json *event = pdr_json_get(json, "event"), *number = pdr_json_get(json, "version"),
                   *schema = pdr_json_get(json, "schema");
    if (json->kind != PDR_JSON_OBJECT || json->count != 4 || !event || !number || !schema)
        return bad(r, json, "an entry has \"event\", \"version\", \"fingerprint\" and \"schema\"");
    if (event->kind != PDR_JSON_STRING) return bad(r, event, "\"event\" must be a name");
    if (!pdr_json_integer(number, &version) || version < 1 || version > PDR_SCHEMA_MAX_VERSION)
        return bad(r, number, "\"version\" must be a number from 1");
    entry->event = event->text.data;
    entry->version = (uint32_t)version;
    int order = before ? strcmp(before->event, entry->event) : -1;
    if (order > 0 || (order == 0 && before->version >= entry->version))
        return bad(r, json, "entries stand by event, then version, each once");
    pdr_code code = read_fingerprint(r, pdr_json_get(json, "fingerprint"), json, &entry->fingerprint);
    if (code == PDR_OK) code = read_schema(r, schema, index);
    return code == PDR_OK ? check_schema(r, json, entry) : code;
}

/* ---- the file ---- */

static pdr_code read_head(const reader *r, const pdr_json *root, const pdr_json **schemas)
{
    int64_t format;
    const pdr_json *number = pdr_json_get(root, "perdureLock");
    if (!number || !pdr_json_integer(number, &format) || format < 1)
        return bad(r, root, "no lock file: \"perdureLock\" must say its format, 1");
    if (format > PDR_LOCK_FORMAT)
        return pdr_fail(r->err, PDR_TOO_NEW, "%s: format %" PRId64 "; this program knows %d", r->lock->path,
                        format, (int)PDR_LOCK_FORMAT);
    *schemas = pdr_json_get(root, "schemas");
    if (!*schemas || (*schemas)->kind != PDR_JSON_ARRAY || root->count != 2)
        return bad(r, root, "it has \"perdureLock\" and the array \"schemas\", nothing else");
    return PDR_OK;
}

static pdr_code read_lock(const reader *r, pdr_string text)
{
    pdr_json *root;
    const pdr_json *schemas = NULL;
    pdr_lock *lock = r->lock;
    pdr_code code = pdr_json_parse(&root, &lock->arena, lock->path, text, r->err);
    if (code == PDR_OK) code = read_head(r, root, &schemas);
    if (code != PDR_OK) return code;
    lock->entries = pdr_arena_calloc(&lock->arena, schemas->count + 1, sizeof *lock->entries);
    lock->sets = pdr_arena_calloc(&lock->arena, schemas->count + 1, sizeof *lock->sets);
    if (!lock->entries || !lock->sets) return no_memory(r->err);
    for (const pdr_json *item = schemas->first; item && code == PDR_OK; item = item->next)
        code = read_entry(r, item, lock->count++);
    return code;
}

pdr_code pdr_lock_open(pdr_lock **out, const char *path, pdr_string text, pdr_error *err)
{
    if (strlen(path) >= PDR_SCHEMA_MAX_PATH || text.size > PDR_LOCK_MAX_TEXT)
        return pdr_fail(err, PDR_TOO_LARGE, "%.100s: the path or the file is too long", path);
    pdr_lock *lock = pdr_calloc(1, sizeof *lock);
    if (!lock) return no_memory(err);
    lock->arena.max = PDR_SCHEMA_MAX_MEMORY;
    reader r = {lock, err};
    pdr_string kept = pdr_arena_string(&lock->arena, pdr_string_of(path));
    lock->path = kept.data;
    pdr_code code = kept.data ? read_lock(&r, text) : no_memory(err);
    if (code == PDR_OK)
        *out = lock;
    else
        pdr_lock_close(lock);
    return code;
}

void pdr_lock_close(pdr_lock *lock)
{
    if (!lock) return;
    for (size_t i = 0; i < lock->count; i++)
        pdr_schema_set_close(lock->sets[i]);
    pdr_arena_release(&lock->arena);
    pdr_free(lock);
}

size_t pdr_lock_count(const pdr_lock *lock)
{
    return lock->count;
}

const pdr_lock_entry *pdr_lock_at(const pdr_lock *lock, size_t index)
{
    return &lock->entries[index];
}

const pdr_lock_entry *pdr_lock_find(const pdr_lock *lock, const char *event, uint32_t version)
{
    for (size_t i = 0; i < lock->count; i++)
        if (lock->entries[i].version == version && strcmp(lock->entries[i].event, event) == 0)
            return &lock->entries[i];
    return NULL;
}
