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

static pdr_code add_folder(pdr_schema_files *files, const char *folder, pdr_error *err)
{
    struct dirent **entries;
    char path[PDR_SCHEMA_MAX_PATH + 256];
    size_t size = strlen(folder);
    pdr_code code = PDR_OK;
    while (size > 1 && folder[size - 1] == '/')
        size--;
    int count = scandir(folder, &entries, is_schema, by_bytes);
    if (count < 0) return pdr_fail_backend(err, PDR_NOT_FOUND, errno, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%.*s/%s", (int)size, folder, entries[i]->d_name);
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
