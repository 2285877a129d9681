/* For LD_PRELOAD: while the file that PDR_FULL_DISK names is there, nothing can be written to a disk, as on
 * one that is full. Only pwrite64 counts, by which SQLite writes, and pwrite, posix_fallocate, by which
 * PostgreSQL does. With PDR_FULL_DISK_UNDER, only files whose path has that in it can't grow. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

typedef ssize_t (*writer)(int, const void *, size_t, off64_t);
typedef int (*allocator)(int, off_t, off_t);

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset);
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset);
int posix_fallocate(int fd, off_t offset, off_t size);

static int grows_under(int fd, off64_t end, const char *under)
{
    char link[40], path[1000];
    struct stat now;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0 || fstat(fd, &now) != 0) return 0;
    path[size] = 0;
    return strstr(path, under) && end > now.st_size;
}

static int is_full(int fd, off64_t end)
{
    const char *full = getenv("PDR_FULL_DISK"), *under = getenv("PDR_FULL_DISK_UNDER");
    return full && access(full, F_OK) == 0 && (!under || grows_under(fd, end, under));
}

static ssize_t write_by(const char *name, writer *real, int fd, const void *data, size_t size, off64_t offset)
{
    if (is_full(fd, offset + (off64_t)size)) {
        errno = ENOSPC;
        return -1;
    }
    if (!*real) *(void **)real = dlsym(RTLD_NEXT, name);
    return (*real)(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    static writer real;
    return write_by("pwrite64", &real, fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    static writer real;
    return write_by("pwrite", &real, fd, data, size, offset);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    static allocator real;
    if (is_full(fd, offset + size)) return ENOSPC;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "posix_fallocate");
    return real(fd, offset, size);
}
