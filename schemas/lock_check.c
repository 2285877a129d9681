/* Schemas against their lock file, and the lock file's text. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/diff.h"
#include "schemas/lock.h"

static const pdr_versioned *find(const pdr_schema_files *files, const char *folder, const char *event,
                                 uint32_t version)
{
    for (size_t i = 0; i < pdr_schema_files_count(files); i++) {
        const pdr_versioned *v = pdr_schema_files_at(files, i);
        if (v->version == version && strcmp(v->event, event) == 0 && strcmp(v->folder, folder) == 0) return v;
    }
    return NULL;
}

static uint32_t newest(const pdr_schema_files *files, const char *folder, const char *event)
{
    uint32_t version = 1;
    while (find(files, folder, event, version + 1))
        version++;
    return version;
}

/* The first changes that the lock minds; how many there are in all. */
static size_t tell(const pdr_schema_diff *diff, char *out, size_t room)
{
    enum { SHOWN = 3 };
    size_t count = 0, size = 0;
    for (const pdr_change *c = diff->first; c; c = c->next) {
        pdr_buf line = PDR_BUF_INIT(300);
        if (c->kind == PDR_CHANGE_DOC || ++count > SHOWN) continue;
        bool whole = pdr_change_write(c, &line) == PDR_OK;
        int added = snprintf(out + size, room - size, "%s%.*s%s", size ? "; " : "", (int)line.size,
                             line.data ? (const char *)line.data : "", whole ? "" : "...");
        if (added > 0) size += (size_t)added < room - size ? (size_t)added : room - size - 1;
        pdr_buf_release(&line);
    }
    return count;
}

static pdr_code check_version(const pdr_schema_files *files, const pdr_versioned *v,
                              const pdr_lock_entry *entry, pdr_error *err)
{
    char changes[500] = "";
    pdr_schema_diff *diff;
    pdr_code code = pdr_schema_diff_open(&diff, entry->root, v->root, err);
    if (code != PDR_OK) return code;
    size_t count = tell(diff, changes, sizeof changes);
    pdr_schema_diff_close(diff);
    if (count == 0) return PDR_OK;
    return pdr_fail(err, PDR_BAD_SCHEMA,
                    "%s isn't what was released: %s%s. Put it back, and make version %" PRIu32
                    " of what has to change (" PDR_LOCK_NAME " has the released one)",
                    v->path, changes, count > 3 ? "; and more" : "", newest(files, v->folder, v->event) + 1);
}

pdr_code pdr_lock_check(const pdr_lock *lock, const pdr_schema_files *files, const char *folder,
                        pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; i < pdr_lock_count(lock) && code == PDR_OK; i++) {
        const pdr_lock_entry *entry = pdr_lock_at(lock, i);
        const pdr_versioned *v = find(files, folder, entry->event, entry->version);
        if (v)
            code = check_version(files, v, entry, err);
        else
            code = pdr_fail(err, PDR_BAD_SCHEMA,
                            "%s/%s.v%" PRIu32 ".avsc is missing: it has been released (" PDR_LOCK_NAME
                            "), and events of it may be in a log",
                            folder, entry->event, entry->version);
    }
    return code;
}

/* ---- text ---- */

static pdr_code write_entry(const pdr_versioned *v, bool first, pdr_buf *out, pdr_error *err)
{
    pdr_code code = pdr_buf_printf(
        out, "%s{\"event\":\"%s\",\"version\":%" PRIu32 ",\"fingerprint\":\"%016" PRIx64 "\",\"schema\":",
        first ? "" : ",", v->event, v->version, v->fingerprint);
    if (code != PDR_OK) return pdr_fail(err, code, "%s: %s", PDR_LOCK_NAME, pdr_code_text(code));
    code = pdr_versioned_write(v, out, err);
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

static pdr_code write_compact(const pdr_schema_files *files, const char *folder, pdr_buf *out, pdr_error *err)
{
    bool first = true;
    pdr_code code = pdr_buf_printf(out, "{\"perdureLock\":%d,\"schemas\":[", (int)PDR_LOCK_FORMAT);
    for (size_t i = 0; i < pdr_schema_files_count(files) && code == PDR_OK; i++) {
        const pdr_versioned *v = pdr_schema_files_at(files, i);
        if (strcmp(v->folder, folder) != 0) continue;
        code = write_entry(v, first, out, err);
        first = false;
    }
    return code == PDR_OK ? pdr_buf_printf(out, "]}") : code;
}

pdr_code pdr_lock_write(const pdr_schema_files *files, const char *folder, pdr_buf *out, pdr_error *err)
{
    enum {
        OPEN_LEVELS = 5 /* the file, its array, an entry, a schema, its fields: a line for each member */
    };
    pdr_arena arena = PDR_ARENA_INIT(PDR_SCHEMA_MAX_MEMORY);
    pdr_buf compact = PDR_BUF_INIT(PDR_LOCK_MAX_TEXT);
    pdr_json *tree;
    pdr_code code = write_compact(files, folder, &compact, err);
    if (code == PDR_OK)
        code = pdr_json_parse(&tree, &arena, PDR_LOCK_NAME,
                              (pdr_string){(const char *)compact.data, compact.size}, err);
    if (code == PDR_OK) {
        code = pdr_json_write_lines(tree, OPEN_LEVELS, out);
        if (code != PDR_OK) code = pdr_fail(err, code, "%s: %s", PDR_LOCK_NAME, pdr_code_text(code));
    }
    pdr_buf_release(&compact);
    pdr_arena_release(&arena);
    return code;
}
