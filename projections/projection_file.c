#include "projections/projection_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static pdr_code read_all(FILE *file, const char *path, pdr_buf *text, pdr_error *err)
{
    char part[16384];
    size_t size;
    while ((size = fread(part, 1, sizeof part, file)) > 0) {
        if (text->size + size > PDR_MAX_PROJECTION_FILE)
            return pdr_fail(err, PDR_TOO_LARGE, "%.300s: a projection has at most %d bytes", path,
                            PDR_MAX_PROJECTION_FILE);
        if (pdr_buf_append(text, part, size) != PDR_OK) return pdr_fail(err, PDR_NOMEM, "%.300s", path);
    }
    if (!ferror(file)) return PDR_OK;
    return pdr_fail_backend(err, PDR_IO, errno, "%.300s: %s", path, strerror(errno));
}

pdr_code pdr_projection_read_file(pdr_projection **out, const char *path, const pdr_app *app, pdr_error *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return pdr_fail_backend(err, errno == ENOENT ? PDR_NOT_FOUND : PDR_IO, errno, "%.300s: %s", path,
                                strerror(errno));
    pdr_buf text = PDR_BUF_INIT(PDR_MAX_PROJECTION_FILE);
    pdr_code code = read_all(file, path, &text, err);
    (void)fclose(file);
    pdr_string whole = {(const char *)text.data, text.size};
    if (code == PDR_OK) code = pdr_projection_read(out, path, whole, app, err);
    pdr_buf_release(&text);
    return code;
}
