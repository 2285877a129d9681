#include "actors/golden.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "perdure/testing.h"
#include "schemas/framing.h"
#include "schemas/type.h"

enum { MAX_SCRATCH = 256 * 1024 * 1024 };

static const char *short_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : name;
}

pdr_code pdr_golden_path(char path[PDR_GOLDEN_PATH], const char *folder, const char *entity,
                         const pdr_type *type, unsigned number, pdr_error *err)
{
    char version[20] = "", more[20] = "";
    if (type->version) (void)snprintf(version, sizeof version, ".v%u", type->version);
    if (number > 1) (void)snprintf(more, sizeof more, ".%u", number);
    int size = snprintf(path, PDR_GOLDEN_PATH - 8, "%s/%s/%s%s%s", folder, entity, short_name(type->name),
                        version, more);
    if (size > 0 && size < PDR_GOLDEN_PATH - 8) return PDR_OK;
    return pdr_fail(err, PDR_TOO_LARGE, "%.300s: the path is too long", folder);
}

pdr_code pdr_golden_read(const char *path, pdr_buf *out, pdr_error *err)
{
    char piece[4096];
    size_t size;
    pdr_code code = PDR_OK;
    FILE *file = fopen(path, "rb");
    if (!file && errno == ENOENT) return pdr_fail(err, PDR_NOT_FOUND, "%.300s: there is no such file", path);
    if (!file) return pdr_fail_backend(err, PDR_IO, errno, "%.300s: %s", path, strerror(errno));
    while (code == PDR_OK && (size = fread(piece, 1, sizeof piece, file)) > 0)
        code = pdr_buf_append(out, piece, size);
    if (code != PDR_OK)
        code = pdr_fail(err, code, "%.300s: %s", path, pdr_code_text(code));
    else if (ferror(file))
        code = pdr_fail_backend(err, PDR_IO, errno, "%.300s: %s", path, strerror(errno));
    (void)fclose(file);
    return code;
}

/* --- what a payload is read as --- */

static pdr_code add_line(pdr_buf *out, const pdr_event *event, pdr_error *err)
{
    if (!event->type->print)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%s lacks print", pdr_type_label_of(event->type).text);
    pdr_code code = pdr_buf_printf(out, "{\"event\":\"%s\",\"version\":%u,\"value\":", event->type->name,
                                   event->type->version);
    if (code == PDR_OK) code = event->type->print(event->value, out);
    if (code == PDR_OK) code = pdr_buf_append(out, "}\n", 2);
    return code == PDR_OK ? code : pdr_fail(err, code, "printing %s", pdr_type_label_of(event->type).text);
}

pdr_code pdr_golden_result(const pdr_folder *folder, pdr_bytes payload, pdr_arena *scratch, pdr_buf *out,
                           pdr_error *err)
{
    pdr_event_list list;
    pdr_arena_clear(scratch);
    pdr_code code = pdr_folder_read_checked(folder, payload, 1, 0, scratch, &list, err);
    for (size_t i = 0; code == PDR_OK && i < list.count; i++)
        code = add_line(out, pdr_event_list_at(&list, i), err);
    return code;
}

/* --- checking --- */

typedef struct checker {
    const char *root;
    const pdr_folder *folder;
    const char *entity;
    pdr_arena scratch;
    pdr_buf payload, frozen, result;
    size_t payloads;
    pdr_error *err;
} checker;

/* Where two texts part: the line's number, and the line that is read today. */
static pdr_code differs(const checker *c, const char *path)
{
    size_t line = 1, start = 0, i = 0;
    for (; i < c->result.size && i < c->frozen.size && c->result.data[i] == c->frozen.data[i]; i++)
        if (c->result.data[i] == '\n') {
            line++;
            start = i + 1;
        }
    const uint8_t *now = c->result.data ? c->result.data + start : (const uint8_t *)"";
    const uint8_t *end = c->result.size > start ? memchr(now, '\n', c->result.size - start) : now;
    int size = end && end - now < 250 ? (int)(end - now) : end ? 250 : 0;
    return pdr_fail(c->err, PDR_BAD_HANDLER,
                    "%.150s.bin is not read as it was when it was frozen: line %zu is now %s%.*s", path, line,
                    size ? "" : "missing", size, (const char *)now);
}

static pdr_code compare(checker *c, const char *path)
{
    char file[PDR_GOLDEN_PATH];
    pdr_buf_clear(&c->result);
    pdr_buf_clear(&c->frozen);
    pdr_code code = pdr_golden_result(c->folder, pdr_buf_bytes(&c->payload), &c->scratch, &c->result, c->err);
    if (code != PDR_OK) return pdr_fail_context(c->err, code, "%.150s.bin", path);
    (void)snprintf(file, sizeof file, "%.*s.json", PDR_GOLDEN_PATH - 8, path);
    code = pdr_golden_read(file, &c->frozen, c->err);
    if (code != PDR_OK) return code;
    c->payloads++;
    if (pdr_bytes_equal(pdr_buf_bytes(&c->result), pdr_buf_bytes(&c->frozen))) return PDR_OK;
    return differs(c, path);
}

/* Is `path` (without its ending) where a payload of this type belongs, under any number? */
static bool is_place_of(const checker *c, const char *path, const pdr_type *type)
{
    char place[PDR_GOLDEN_PATH];
    if (pdr_golden_path(place, c->root, c->entity, type, 1, NULL) != PDR_OK) return false;
    size_t size = strlen(place);
    if (strncmp(path, place, size) != 0) return false;
    if (!path[size]) return true;
    return path[size] == '.' && path[size + 1] &&
           strspn(path + size + 1, "0123456789") == strlen(path + size + 1);
}

/* `path` without its ending. */
static pdr_code check_payload(checker *c, const char *path)
{
    char file[PDR_GOLDEN_PATH];
    uint64_t fingerprint;
    pdr_bytes datum;
    (void)snprintf(file, sizeof file, "%.*s.bin", PDR_GOLDEN_PATH - 8, path);
    pdr_buf_clear(&c->payload);
    pdr_code code = pdr_golden_read(file, &c->payload, c->err);
    if (code != PDR_OK) return code;
    code = pdr_frame_read(&fingerprint, &datum, pdr_buf_bytes(&c->payload), c->err);
    if (code != PDR_OK) return pdr_fail_context(c->err, code, "%.300s", file);
    const pdr_route *route = pdr_chain_find(pdr_folder_chain(c->folder), fingerprint);
    if (!route)
        return pdr_fail(
            c->err, PDR_UNKNOWN_SCHEMA,
            "%.300s was written with fingerprint %016llx, which entity type %s doesn't declare: an "
            "upcaster is missing",
            file, (unsigned long long)fingerprint, c->entity);
    if (!is_place_of(c, path, route->type))
        return pdr_fail(c->err, PDR_INVALID_ARGUMENT, "%.300s holds a payload of %s", file,
                        pdr_type_label_of(route->type).text);
    return compare(c, path);
}

static bool has_ending(const char *name, const char *ending)
{
    size_t size = strlen(name), tail = strlen(ending);
    return size > tail && strcmp(name + size - tail, ending) == 0;
}

static bool is_file(const char *path, const char *ending)
{
    char file[PDR_GOLDEN_PATH];
    struct stat found;
    (void)snprintf(file, sizeof file, "%.*s%s", PDR_GOLDEN_PATH - 8, path, ending);
    return stat(file, &found) == 0 && S_ISREG(found.st_mode);
}

static pdr_code check_name(checker *c, const char *name)
{
    char path[PDR_GOLDEN_PATH];
    bool payload = has_ending(name, ".bin"), result = has_ending(name, ".json");
    if (!payload && !result) return PDR_OK;
    int stem = (int)(strlen(name) - (payload ? 4 : 5));
    int size = snprintf(path, sizeof path - 8, "%s/%s/%.*s", c->root, c->entity, stem, name);
    if (size < 0 || size >= (int)sizeof path - 8)
        return pdr_fail(c->err, PDR_TOO_LARGE, "%.300s: the path is too long", c->root);
    if (payload) return check_payload(c, path);
    return is_file(path, ".bin")
               ? PDR_OK
               : pdr_fail(c->err, PDR_NOT_FOUND, "%.300s.json has no payload beside it", path);
}

static pdr_code check_files(checker *c)
{
    char path[PDR_GOLDEN_PATH];
    struct dirent **entries;
    (void)snprintf(path, sizeof path, "%.2000s/%.2000s", c->root, c->entity);
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0 && errno == ENOENT) return PDR_OK; /* every version is missing: told next */
    if (count < 0) return pdr_fail_backend(c->err, PDR_IO, errno, "%.300s: %s", path, strerror(errno));
    pdr_code code = PDR_OK;
    for (int i = 0; i < count; i++) {
        if (code == PDR_OK) code = check_name(c, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return code;
}

static pdr_code check_versions(const checker *c)
{
    const pdr_chain *chain = pdr_folder_chain(c->folder);
    char path[PDR_GOLDEN_PATH];
    for (size_t i = 0; i <= chain->mask; i++) {
        const pdr_type *type = chain->slots[i].type;
        if (!type) continue;
        pdr_code code = pdr_golden_path(path, c->root, c->entity, type, 1, c->err);
        if (code != PDR_OK) return code;
        if (!is_file(path, ".bin"))
            return pdr_fail(c->err, PDR_NOT_FOUND, "%s of entity type %s has no golden payload %.300s.bin",
                            pdr_type_label_of(type).text, c->entity, path);
    }
    return PDR_OK;
}

static pdr_code check_entity(checker *c, const pdr_entity_type *type)
{
    pdr_folder *folder;
    pdr_code code = pdr_folder_open(&folder, type, NULL, c->err);
    if (code != PDR_OK) return code;
    c->folder = folder;
    c->entity = type->name;
    code = check_files(c);
    if (code == PDR_OK) code = check_versions(c);
    pdr_folder_close(folder);
    return code;
}

pdr_code pdr_golden_check(const pdr_app *app, const char *folder, size_t *payloads, pdr_error *err)
{
    checker c = {.root = folder,
                 .scratch = PDR_ARENA_INIT(MAX_SCRATCH),
                 .payload = PDR_BUF_INIT(2 * PDR_MAX_EVENT),
                 .frozen = PDR_BUF_INIT(PDR_GOLDEN_MAX_FILE),
                 .result = PDR_BUF_INIT(PDR_GOLDEN_MAX_FILE),
                 .err = err};
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < app->entity_count; i++)
        code = check_entity(&c, app->entities[i]);
    pdr_arena_release(&c.scratch);
    pdr_buf_release(&c.payload);
    pdr_buf_release(&c.frozen);
    pdr_buf_release(&c.result);
    *payloads = c.payloads;
    return code;
}

pdr_code pdr_test_upcasters(const pdr_app *app, const char *golden_folder, pdr_error *err)
{
    size_t payloads;
    if (!golden_folder) return pdr_fail(err, PDR_INVALID_ARGUMENT, "golden_folder is NULL");
    pdr_code code = pdr_app_validate(app, err);
    return code == PDR_OK ? pdr_golden_check(app, golden_folder, &payloads, err) : code;
}
