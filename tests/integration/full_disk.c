/* For LD_PRELOAD: while the file that PDR_FULL_DISK names is there, nothing can be written to a disk, as on
 * one that is full. Only pwrite64 counts, by which SQLite writes. */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*writer)(int, const void *, size_t, off64_t);

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset);

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    static writer real;
    const char *full = getenv("PDR_FULL_DISK");
    if (full && access(full, F_OK) == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, data, size, offset);
}
