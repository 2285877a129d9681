/* For LD_PRELOAD: holds a program at a known point. PDR_HOLD is "read COUNT END" or "write COUNT END": at the
 * COUNT-th such call on a file whose path ends in END the file `here` is made, and the call waits for the
 * file `go`. Only pread64 and pwrite64 count, by which SQLite reads and writes. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

typedef ssize_t (*reader)(int, void *, size_t, off64_t);
typedef ssize_t (*writer)(int, const void *, size_t, off64_t);

ssize_t pread64(int fd, void *data, size_t size, off64_t offset);
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset);

static atomic_int calls;

static int is_it(const char *call, int fd)
{
    const char *hold = getenv("PDR_HOLD");
    char wanted[10], end[100], link[40], path[1000];
    int count;
    if (!hold || sscanf(hold, "%9s %d %99s", wanted, &count, end) != 3 || strcmp(wanted, call) != 0) return 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < (ssize_t)strlen(end) || memcmp(path + size - strlen(end), end, strlen(end)) != 0) return 0;
    return atomic_fetch_add(&calls, 1) + 1 == count;
}

static void hold(void)
{
    const struct timespec pause = {0, 5 * 1000 * 1000};
    FILE *here = fopen("here", "w");
    if (here) (void)fclose(here);
    while (access("go", F_OK) != 0)
        (void)nanosleep(&pause, NULL);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t offset)
{
    static reader real;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pread64");
    if (is_it("read", fd)) hold();
    return real(fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    static writer real;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
    if (is_it("write", fd)) hold();
    return real(fd, data, size, offset);
}
