#include "cli/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

pdr_code pdr_cli_read_file(const char *path, pdr_buf *out, pdr_error *err)
{
    char piece[4096];
    size_t size;
    pdr_code code = PDR_OK;
    FILE *file = fopen(path, "rb");
    if (!file) return pdr_fail_backend(err, PDR_NOT_FOUND, errno, "%s: %s", path, strerror(errno));
    while (code == PDR_OK && (size = fread(piece, 1, sizeof piece, file)) > 0)
        code = pdr_buf_append(out, piece, size);
    if (code != PDR_OK)
        code = pdr_fail(err, code, "%s: %s", path, pdr_code_text(code));
    else if (ferror(file))
        code = pdr_fail_backend(err, PDR_FATAL, errno, "%s: %s", path, strerror(errno));
    (void)fclose(file);
    return code;
}

pdr_code pdr_cli_write_file(const char *path, const pdr_buf *text, pdr_error *err)
{
    char beside[PDR_SCHEMA_MAX_PATH + 64];
    (void)snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid());
    FILE *file = fopen(beside, "wb");
    if (!file) return pdr_fail_backend(err, PDR_FATAL, errno, "%s: %s", beside, strerror(errno));
    bool written = fwrite(text->data, 1, text->size, file) == text->size;
    written = fclose(file) == 0 && written;
    if (written && rename(beside, path) == 0) return PDR_OK;
    pdr_code code = pdr_fail_backend(err, PDR_FATAL, errno, "%s: %s", path, strerror(errno));
    (void)remove(beside);
    return code;
}

bool pdr_cli_is_folder(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

static pdr_code add_file(pdr_schema_files *files, const char *path, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT + 1);
    pdr_code code = pdr_cli_read_file(path, &text, err);
    if (code == PDR_OK)
        code = pdr_schema_files_add(files, path, (pdr_string){(const char *)text.data, text.size}, err);
    pdr_buf_release(&text);
    return code;
}

static int is_schema(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + size - 5, ".avsc") == 0;
}

/* By bytes, whatever the locale is: what is generated hangs on the order. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Without the slashes at its end. */
static int bare_size(const char *folder)
{
    int size = (int)strnlen(folder, PDR_SCHEMA_MAX_PATH);
    while (size > 1 && folder[size - 1] == '/')
        size--;
    return size;
}

static pdr_code add_folder(pdr_schema_files *files, const char *folder, pdr_error *err)
{
    struct dirent **entries;
    char path[PDR_SCHEMA_MAX_PATH + 256];
    int size = bare_size(folder);
    pdr_code code = PDR_OK;
    int count = scandir(folder, &entries, is_schema, by_bytes);
    if (count < 0) return pdr_fail_backend(err, PDR_NOT_FOUND, errno, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%.*s/%s", size, folder, entries[i]->d_name);
        if (code == PDR_OK) code = add_file(files, path, err);
        free(entries[i]);
    }
    free(entries);
    if (count == 0) return pdr_fail(err, PDR_NOT_FOUND, "%s: there is no .avsc file in this folder", folder);
    return code;
}

pdr_code pdr_cli_add_schemas(pdr_schema_files *files, const char *path, pdr_error *err)
{
    if (strlen(path) >= PDR_SCHEMA_MAX_PATH)
        return pdr_fail(err, PDR_TOO_LARGE, "%.100s...: the path has more than %d bytes", path,
                        (int)PDR_SCHEMA_MAX_PATH);
    return pdr_cli_is_folder(path) ? add_folder(files, path, err) : add_file(files, path, err);
}

pdr_code pdr_cli_read_schemas(pdr_schema_files **out, char *const *paths, int count, pdr_error *err)
{
    pdr_schema_files *files = NULL;
    pdr_code code = pdr_schema_files_open(&files, err);
    if (code != PDR_OK) return code;
    for (int i = 0; i < count && code == PDR_OK; i++)
        code = pdr_cli_add_schemas(files, paths[i], err);
    if (code == PDR_OK) code = pdr_schema_files_finish(files, err);
    if (code == PDR_OK)
        *out = files;
    else
        pdr_schema_files_close(files);
    return code;
}

/* ---- one schema alone ---- */

static pdr_code add_to_set(pdr_schema_set *set, const char *path, pdr_error *err)
{
    pdr_buf text = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT + 1);
    pdr_code code = pdr_cli_read_file(path, &text, err);
    if (code == PDR_OK)
        code = pdr_schema_set_add(set, path, (pdr_string){(const char *)text.data, text.size}, err);
    pdr_buf_release(&text);
    return code;
}

/* All unversioned files beside `path`. */
static pdr_code add_siblings(pdr_schema_set *set, const char *path, pdr_error *err)
{
    struct dirent **entries;
    char folder[PDR_SCHEMA_MAX_PATH], beside[PDR_SCHEMA_MAX_PATH + 256];
    const char *slash = strrchr(path, '/'), *own = slash ? slash + 1 : path;
    pdr_code code = PDR_OK;
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash + 1 - path) : 2, slash ? path : "./");
    int count = scandir(folder, &entries, is_schema, by_bytes);
    if (count < 0) return pdr_fail_backend(err, PDR_NOT_FOUND, errno, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        (void)snprintf(beside, sizeof beside, "%s%s", folder, entries[i]->d_name);
        if (code == PDR_OK && strcmp(entries[i]->d_name, own) != 0 && !pdr_schema_is_versioned(beside))
            code = add_to_set(set, beside, err);
        free(entries[i]);
    }
    free(entries);
    return code;
}

static pdr_code read_with(pdr_schema_set **out, const char *path, bool siblings, pdr_error *err)
{
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_set_open(&set, err);
    if (code == PDR_OK && siblings) code = add_siblings(set, path, err);
    if (code == PDR_OK) code = add_to_set(set, path, err);
    if (code == PDR_OK)
        *out = set;
    else
        pdr_schema_set_close(set);
    return code;
}

pdr_code pdr_cli_read_alone(pdr_schema_set **set, const pdr_schema **root, const char *path, pdr_error *err)
{
    if (strlen(path) >= PDR_SCHEMA_MAX_PATH)
        return pdr_fail(err, PDR_TOO_LARGE, "%.100s...: the path has more than %d bytes", path,
                        (int)PDR_SCHEMA_MAX_PATH);
    pdr_code code = read_with(set, path, false, err);
    if (code == PDR_OK && pdr_schema_set_missing(*set)) {
        pdr_schema_set_close(*set);
        *set = NULL;
        code = read_with(set, path, true, err);
    }
    if (code == PDR_OK) code = pdr_schema_set_finish(*set, err);
    if (code == PDR_OK) *root = pdr_schema_set_root(*set, pdr_schema_set_count(*set) - 1);
    return code;
}

/* ---- locks ---- */

pdr_code pdr_cli_open_lock(pdr_lock **out, const char *folder, pdr_error *err)
{
    char path[PDR_SCHEMA_MAX_PATH + 32];
    pdr_buf text = PDR_BUF_INIT(PDR_LOCK_MAX_TEXT);
    *out = NULL;
    (void)snprintf(path, sizeof path, "%.*s/%s", bare_size(folder), folder, PDR_LOCK_NAME);
    pdr_code code = pdr_cli_read_file(path, &text, err);
    if (code == PDR_OK)
        code = pdr_lock_open(out, path, (pdr_string){(const char *)text.data, text.size}, err);
    else if (code == PDR_NOT_FOUND && access(path, F_OK) != 0)
        code = PDR_OK;
    pdr_buf_release(&text);
    return code;
}

static pdr_code check_lock(const pdr_schema_files *files, const char *folder, pdr_error *err)
{
    pdr_lock *lock;
    pdr_code code = pdr_cli_open_lock(&lock, folder, err);
    if (code == PDR_OK && lock) code = pdr_lock_check(lock, files, folder, err);
    pdr_lock_close(lock);
    return code;
}

pdr_code pdr_cli_check_locks(const pdr_schema_files *files, char *const *paths, int count, pdr_error *err)
{
    char bare[PDR_SCHEMA_MAX_PATH];
    pdr_code code = PDR_OK;
    for (int i = 0; i < count && code == PDR_OK; i++) {
        if (!pdr_cli_is_folder(paths[i])) continue;
        (void)snprintf(bare, sizeof bare, "%.*s", bare_size(paths[i]), paths[i]);
        code = check_lock(files, bare, err);
    }
    for (size_t i = 0; i < pdr_schema_files_count(files) && code == PDR_OK; i++) {
        const char *folder = pdr_schema_files_at(files, i)->folder;
        if (i == 0 || strcmp(folder, pdr_schema_files_at(files, i - 1)->folder) != 0)
            code = check_lock(files, folder, err);
    }
    return code;
}

/* ---- a folder ---- */

pdr_code pdr_cli_folder_open(pdr_cli_folder *out, const char *path, pdr_error *err)
{
    char *const paths[] = {out->path};
    if (strlen(path) >= sizeof out->path || !pdr_cli_is_folder(path))
        return pdr_fail(err, PDR_NOT_FOUND, "%.300s: there is no such folder", path);
    (void)snprintf(out->path, sizeof out->path, "%.*s", bare_size(path), path);
    pdr_code code = pdr_cli_read_schemas(&out->files, paths, 1, err);
    if (code == PDR_OK && pdr_schema_files_count(out->files) == 0)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "%s: no file is a version, such as OfferMade.v1.avsc: nothing to keep", out->path);
    return code == PDR_OK ? pdr_cli_open_lock(&out->lock, out->path, err) : code;
}

void pdr_cli_folder_release(pdr_cli_folder *folder)
{
    pdr_schema_files_close(folder->files);
    pdr_lock_close(folder->lock);
}
