#include "cli/out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/common.h"

enum { BUFFER = 256 * 1024 };

static pdr_code file_failed(const pdr_out_file *f, int number, pdr_error *err)
{
    bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
    pdr_code code = full ? PDR_NO_SPACE : number == ENOENT ? PDR_NOT_FOUND : PDR_IO;
    return pdr_fail_backend(err, code, number, "%.300s: %s", f->name, strerror(number));
}

static pdr_code open_temporary(pdr_out_file *f, pdr_error *err)
{
    size_t size = strlen(f->name) + sizeof ".part-0123456789";
    f->temporary = pdr_alloc(size);
    if (!f->temporary) return pdr_fail(err, PDR_NOMEM, "the name of a file");
    (void)snprintf(f->temporary, size, "%s.part-%ld", f->name, (long)getpid());
    int fd = open(f->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    f->file = fd < 0 ? NULL : fdopen(fd, "w");
    if (f->file) return PDR_OK;
    int number = errno;
    if (fd >= 0) (void)close(fd);
    return file_failed(f, number, err);
}

pdr_code pdr_out_file_open(pdr_out_file *out, const char *name, bool force, pdr_error *err)
{
    struct stat there;
    *out = (pdr_out_file){NULL, NULL, NULL, 0};
    (void)signal(SIGPIPE, SIG_IGN); /* a write tells instead */
    (void)signal(SIGXFSZ, SIG_IGN);
    if (strcmp(name, "-") == 0) {
        out->file = stdout;
        return PDR_OK;
    }
    out->name = pdr_strdup(name);
    if (!out->name) return pdr_fail(err, PDR_NOMEM, "the name of a file");
    bool exists = stat(name, &there) == 0;
    if (exists && !S_ISREG(there.st_mode))
        return pdr_fail(err, PDR_EXISTS, "%.300s is there and isn't a file", name);
    if (exists && !force)
        return pdr_fail(err, PDR_EXISTS, "%.300s: the file is there; --force replaces it", name);
    pdr_code code = open_temporary(out, err);
    if (code == PDR_OK) (void)setvbuf(out->file, NULL, _IOFBF, BUFFER);
    return code;
}

static pdr_code write_failed(const pdr_out_file *f, pdr_error *err)
{
    return f->name ? file_failed(f, errno, err) : pdr_cli_write_failed(err);
}

pdr_code pdr_out_file_write(void *out_file, pdr_bytes bytes, pdr_error *err)
{
    pdr_out_file *f = out_file;
    if (bytes.size && fwrite(bytes.data, 1, bytes.size, f->file) != bytes.size) return write_failed(f, err);
    f->written += bytes.size;
    return PDR_OK;
}

pdr_code pdr_out_file_keep(pdr_out_file *f, pdr_error *err)
{
    if (fflush(f->file) != 0) return write_failed(f, err);
    if (!f->name) return PDR_OK;
    if (fsync(fileno(f->file)) != 0) return file_failed(f, errno, err);
    int closed = fclose(f->file);
    f->file = NULL;
    if (closed != 0 || rename(f->temporary, f->name) != 0) return file_failed(f, errno, err);
    pdr_free(f->temporary);
    f->temporary = NULL;
    return PDR_OK;
}

void pdr_out_file_drop(pdr_out_file *f)
{
    if (f->file && f->name) (void)fclose(f->file);
    if (f->temporary) (void)unlink(f->temporary);
    pdr_free(f->temporary);
    pdr_free(f->name);
    *f = (pdr_out_file){NULL, NULL, NULL, 0};
}
