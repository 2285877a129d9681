/* What the connections of one process to one SQLite file share: a fair lock, so that threads queue for the
 * file's write lock instead of bouncing off it, and a bell that rings the followers after a commit. Internal
 * to backends/sqlite. Threads: any, each on a member of its own. */
#ifndef PDR_BACKENDS_SQLITE_SHARED_H
#define PDR_BACKENDS_SQLITE_SHARED_H

#include <stdatomic.h>
#include <sys/types.h>

#include "perdure/bytes.h"

struct pdr_sqlite_file;

/* One connection's place. The memory is the connection's; join and leave bracket its use. */
typedef struct pdr_sqlite_member {
    struct pdr_sqlite_file *file;
    struct pdr_sqlite_member *next; /* under the file's mutex */
    int bell;                       /* eventfd */
    atomic_bool listening;          /* wants to be rung */
} pdr_sqlite_member;

/* `path` exists. PDR_IO, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_sqlite_join(pdr_sqlite_member *member, const char *path, pdr_error *err);
void pdr_sqlite_leave(pdr_sqlite_member *member); /* fine if it never joined */

/* In order of arrival among the threads of this process; held only for one transaction. */
void pdr_sqlite_lock(pdr_sqlite_member *member);
void pdr_sqlite_unlock(pdr_sqlite_member *member);

/* Wake every other member that listens. */
void pdr_sqlite_ring(pdr_sqlite_member *member);
/* Was this member rung since it last asked? Ask before looking at the file, so that no ring is lost. */
bool pdr_sqlite_was_rung(pdr_sqlite_member *member);

/* The process that holds the file's write lock, 0 if it can't be told. */
pid_t pdr_sqlite_lock_holder(const char *path);

#endif
