#include "cli/replay_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/command.h"

static pdr_code shared(const pdr_entity_type *type, const char *what, pdr_error *err)
{
    return pdr_fail(
        err, PDR_INVALID_ARGUMENT,
        "both versions of entity type %s use the same %s: each shared object must hold its own code, "
        "with nothing in libraries that both load",
        type->name, what);
}

pdr_code pdr_codes_are_apart(const pdr_loaded_app *one, const pdr_loaded_app *two, pdr_error *err)
{
    if (one->handle == two->handle) return PDR_OK; /* one file twice: what was asked for */
    for (size_t i = 0; i < one->app->entity_count; i++)
        for (size_t j = 0; j < two->app->entity_count; j++) {
            const pdr_entity_type *a = one->app->entities[i], *b = two->app->entities[j];
            if (a->apply == b->apply) return shared(a, "apply", err);
            if (a->state == b->state) return shared(a, "state's type", err);
        }
    return PDR_OK;
}

pdr_code pdr_code_mark(const char *file, uint64_t *mark, pdr_error *err)
{
    struct stat s;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return pdr_fail(err, errno == ENOENT ? PDR_NOT_FOUND : PDR_IO, "%.300s: %s", file, strerror(errno));
    void *mapped = MAP_FAILED;
    if (fstat(fd, &s) == 0 && s.st_size > 0)
        mapped = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (mapped == MAP_FAILED) return pdr_fail(err, PDR_IO, "%.300s can't be read", file);
    *mark = pdr_key_hash(pdr_bytes_of(mapped, (size_t)s.st_size));
    (void)munmap(mapped, (size_t)s.st_size);
    return PDR_OK;
}
