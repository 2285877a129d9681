#include "cli/replay_aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "journal/command.h"

/* magic, then records; a record: hash, size, kind, partition, its bytes. The first is the
 * identity, the last says how many there were. */
static const char magic[16] = "perdure-aside-1";
enum { KIND_IDENTITY = 0, KIND_LAST = UINT16_MAX };

typedef struct record {
    uint64_t hash, size;
    uint32_t kind;
    int32_t partition;
} record;

/* Of the bytes, and of what stands before them. */
static uint64_t hash_of(record r, pdr_bytes bytes)
{
    r.hash = pdr_key_hash(bytes);
    return pdr_key_hash(pdr_bytes_of(&r, sizeof r));
}

static pdr_code io_failed(const char *file, const char *what, pdr_error *err)
{
    int number = errno;
    pdr_code code = number == ENOSPC || number == EDQUOT ? PDR_NO_SPACE : PDR_IO;
    return pdr_fail_backend(err, code, number, "%.300s can't be %s: %s", file, what, strerror(number));
}

/* --- writing --- */

static pdr_code write_all(pdr_aside_writer *w, const void *data, size_t size, pdr_error *err)
{
    for (const uint8_t *at = data; size;) {
        ssize_t written = write(w->fd, at, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return io_failed(w->path, "written", err);
        at += written;
        size -= (size_t)written;
    }
    return PDR_OK;
}

pdr_code pdr_aside_put(pdr_aside_writer *w, const pdr_aside_part *part, pdr_error *err)
{
    record r = {0, part->bytes.size, part->kind, part->partition};
    r.hash = hash_of(r, part->bytes);
    pdr_code code = write_all(w, &r, sizeof r, err);
    return code == PDR_OK ? write_all(w, part->bytes.data, part->bytes.size, err) : code;
}

pdr_code pdr_aside_begin(pdr_aside_writer *w, const char *file, pdr_bytes identity, pdr_error *err)
{
    w->file = file;
    int size = snprintf(w->path, sizeof w->path, "%s.new", file);
    w->fd = -1;
    if (size < 0 || (size_t)size >= sizeof w->path)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a file's name of %zu bytes", strlen(file));
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) return io_failed(w->path, "written", err);
    pdr_aside_part first = {KIND_IDENTITY, 0, identity};
    pdr_code code = write_all(w, magic, sizeof magic, err);
    return code == PDR_OK ? pdr_aside_put(w, &first, err) : code;
}

pdr_code pdr_aside_finish(pdr_aside_writer *w, pdr_error *err)
{
    pdr_aside_part last = {KIND_LAST, 0, pdr_bytes_of("", 0)};
    pdr_code code = pdr_aside_put(w, &last, err);
    if (code != PDR_OK) return code;
    if (fsync(w->fd) != 0 || close(w->fd) != 0) return io_failed(w->path, "written", err);
    w->fd = -1;
    return rename(w->path, w->file) == 0 ? PDR_OK : io_failed(w->file, "written", err);
}

void pdr_aside_drop(pdr_aside_writer *w)
{
    if (w->fd < 0) return;
    (void)close(w->fd);
    (void)unlink(w->path);
    w->fd = -1;
}

/* --- reading --- */

static pdr_code map(pdr_aside *a, int fd, const char *file, pdr_error *err)
{
    struct stat s;
    if (fstat(fd, &s) != 0) return io_failed(file, "read", err);
    a->size = (size_t)s.st_size;
    if (!S_ISREG(s.st_mode) || a->size < sizeof magic)
        return pdr_fail(err, PDR_CONFLICT, "%.300s isn't work that was put aside: give another file", file);
    void *mapped = mmap(NULL, a->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) return io_failed(file, "read", err);
    a->mapped = mapped;
    if (memcmp(mapped, magic, sizeof magic) == 0) return PDR_OK;
    return pdr_fail(err, PDR_CONFLICT, "%.300s isn't work that was put aside: give another file", file);
}

/* false: cut short, or damaged. */
static bool next_part(const pdr_aside *a, size_t *at, pdr_aside_part *part)
{
    record r;
    if (a->size - *at < sizeof r) return false;
    memcpy(&r, a->mapped + *at, sizeof r);
    *at += sizeof r;
    if (r.size > a->size - *at) return false;
    *part = (pdr_aside_part){r.kind, r.partition, pdr_bytes_of(a->mapped + *at, (size_t)r.size)};
    *at += (size_t)r.size;
    return hash_of(r, part->bytes) == r.hash;
}

static pdr_code read_parts(pdr_aside *a, const char *file, pdr_error *err)
{
    pdr_aside_part part;
    size_t at = sizeof magic;
    bool whole = next_part(a, &at, &part) && part.kind == KIND_IDENTITY;
    if (whole) a->identity = part.bytes;
    while (whole) {
        whole = next_part(a, &at, &part);
        if (!whole || part.kind == KIND_LAST) break;
        pdr_aside_part *grown = pdr_realloc(a->parts, (a->count + 1) * sizeof *grown);
        if (!grown) return pdr_fail(err, PDR_NOMEM, "%zu parts of %.300s", a->count, file);
        a->parts = grown;
        a->parts[a->count++] = part;
    }
    return whole ? PDR_OK : pdr_fail(err, PDR_BAD_DATA, "%.300s is damaged: remove it and begin anew", file);
}

static size_t line_size(pdr_bytes text)
{
    const uint8_t *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    return end ? (size_t)(end - text.data) : text.size;
}

static pdr_bytes rest(pdr_bytes text, size_t size)
{
    if (size < text.size) size++;
    return pdr_bytes_of(text.data + size, text.size - size);
}

static pdr_code compare(const char *file, pdr_bytes then, pdr_bytes now, pdr_error *err)
{
    while (then.size || now.size) {
        size_t a = line_size(then), b = line_size(now);
        if (a != b || memcmp(then.data, now.data, a) != 0)
            return pdr_fail(err, PDR_CONFLICT,
                            "%.200s was put aside with \"%.*s\", now it is \"%.*s\": give another file, or "
                            "remove it and begin anew",
                            file, a < 100 ? (int)a : 100, (const char *)then.data, b < 100 ? (int)b : 100,
                            (const char *)now.data);
        then = rest(then, a);
        now = rest(now, b);
    }
    return PDR_OK;
}

pdr_code pdr_aside_open(pdr_aside *out, const char *file, pdr_bytes identity, pdr_error *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return errno == ENOENT ? PDR_OK : io_failed(file, "read", err);
    pdr_code code = map(out, fd, file, err);
    (void)close(fd);
    if (code == PDR_OK) code = read_parts(out, file, err);
    return code == PDR_OK ? compare(file, out->identity, identity, err) : code;
}

void pdr_aside_close(pdr_aside *a)
{
    if (a->mapped) (void)munmap(a->mapped, a->size);
    pdr_free(a->parts);
    *a = (pdr_aside){0};
}
