#include "backends/sqlite/sqlite_shared.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

typedef struct pdr_sqlite_file {
    struct pdr_sqlite_file *next;
    dev_t device;
    ino_t inode;
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    uint64_t next_ticket, serving;
    pdr_sqlite_member *members;
} file;

static pthread_mutex_t files_mutex = PTHREAD_MUTEX_INITIALIZER;
static file *files;

static file *find_or_add(const struct stat *st)
{
    for (file *f = files; f; f = f->next) {
        if (f->device == st->st_dev && f->inode == st->st_ino) return f;
    }
    file *f = pdr_calloc(1, sizeof *f);
    if (!f) return NULL;
    f->device = st->st_dev;
    f->inode = st->st_ino;
    pthread_mutex_init(&f->mutex, NULL);
    pthread_cond_init(&f->turn, NULL);
    f->next = files;
    files = f;
    return f;
}

pdr_code pdr_sqlite_join(pdr_sqlite_member *member, const char *path, pdr_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) return pdr_fail_backend(err, PDR_IO, errno, "%s: %s", path, strerror(errno));
    int bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (bell < 0) return pdr_fail_backend(err, PDR_IO, errno, "eventfd: %s", strerror(errno));
    pthread_mutex_lock(&files_mutex);
    file *f = find_or_add(&st);
    if (f) {
        pthread_mutex_lock(&f->mutex);
        member->bell = bell;
        member->file = f;
        member->next = f->members;
        f->members = member;
        pthread_mutex_unlock(&f->mutex);
    }
    pthread_mutex_unlock(&files_mutex);
    if (f) return PDR_OK;
    close(bell);
    return pdr_fail(err, PDR_NOMEM, "%s: out of memory", path);
}

static void drop_file(file *f)
{
    file **link = &files;
    while (*link != f)
        link = &(*link)->next;
    *link = f->next;
    pthread_cond_destroy(&f->turn);
    pthread_mutex_destroy(&f->mutex);
    pdr_free(f);
}

void pdr_sqlite_leave(pdr_sqlite_member *member)
{
    file *f = member->file;
    if (!f) return;
    pthread_mutex_lock(&files_mutex);
    pthread_mutex_lock(&f->mutex);
    pdr_sqlite_member **link = &f->members;
    while (*link != member)
        link = &(*link)->next;
    *link = member->next;
    bool last = !f->members;
    pthread_mutex_unlock(&f->mutex);
    if (last) drop_file(f);
    pthread_mutex_unlock(&files_mutex);
    close(member->bell);
    member->file = NULL;
}

void pdr_sqlite_lock(pdr_sqlite_member *member)
{
    file *f = member->file;
    pthread_mutex_lock(&f->mutex);
    uint64_t ticket = f->next_ticket++;
    while (f->serving != ticket)
        pthread_cond_wait(&f->turn, &f->mutex);
    pthread_mutex_unlock(&f->mutex);
}

void pdr_sqlite_unlock(pdr_sqlite_member *member)
{
    file *f = member->file;
    pthread_mutex_lock(&f->mutex);
    f->serving++;
    pthread_cond_broadcast(&f->turn);
    pthread_mutex_unlock(&f->mutex);
}

void pdr_sqlite_ring(pdr_sqlite_member *member)
{
    file *f = member->file;
    pthread_mutex_lock(&f->mutex);
    for (pdr_sqlite_member *m = f->members; m; m = m->next) {
        if (m == member || !atomic_load(&m->listening)) continue;
        /* Fails only when the bell rings already. */
        int already = eventfd_write(m->bell, 1);
        (void)already;
    }
    pthread_mutex_unlock(&f->mutex);
}

bool pdr_sqlite_was_rung(pdr_sqlite_member *member)
{
    eventfd_t count;
    return eventfd_read(member->bell, &count) == 0;
}

/* SQLite's file format: the WAL write lock is byte 120 of the -shm file. */
enum { WAL_WRITE_LOCK = 120 };

static pid_t holder_in_line(const char *line, const struct stat *st)
{
    int pid;
    unsigned major_, minor_;
    unsigned long long inode;
    long long start, end;
    if (sscanf(line, "%*d: %*s %*s WRITE %d %x:%x:%llu %lld %lld", &pid, &major_, &minor_, &inode, &start,
               &end) != 6)
        return 0;
    bool same = major_ == major(st->st_dev) && minor_ == minor(st->st_dev) && inode == st->st_ino;
    return same && start <= WAL_WRITE_LOCK && end >= WAL_WRITE_LOCK ? pid : 0;
}

pid_t pdr_sqlite_lock_holder(const char *path)
{
    /* Not asked by fcntl: closing a descriptor of our own would drop SQLite's locks on the file. */
    char shm[4200];
    struct stat st;
    int size = snprintf(shm, sizeof shm, "%s-shm", path);
    if (size < 0 || (size_t)size >= sizeof shm || stat(shm, &st) != 0) return 0;
    FILE *locks = fopen("/proc/locks", "re");
    if (!locks) return 0;
    char line[256];
    pid_t holder = 0;
    while (!holder && fgets(line, sizeof line, locks))
        holder = holder_in_line(line, &st);
    fclose(locks);
    return holder;
}
