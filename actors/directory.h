/* Who owns a partition that this process doesn't? The store's row names the newest FENCE known to it, and the
 * FENCE in the log has its owner's address: the log doubles as the directory of owners. */
#ifndef PDR_ACTORS_DIRECTORY_H
#define PDR_ACTORS_DIRECTORY_H

#include <pthread.h>

#include "journal/backends.h"
#include "journal/record.h"

struct pdr_directory_entry;

/* Any thread. Its connections are made when they are first needed. */
typedef struct pdr_directory {
    const pdr_backends *backends;
    pthread_mutex_t lock; /* of all below */
    int32_t partitions;
    struct pdr_directory_entry *entries; /* by partition; NULL: not yet needed */
    pdr_log *log;
    pdr_store *store;
} pdr_directory;

void pdr_directory_init(pdr_directory *directory, const pdr_backends *backends, int32_t partitions);
void pdr_directory_release(pdr_directory *directory);

/* Blocking. As pdr_journal_owner_of. */
PDR_CHECKED pdr_code pdr_directory_look(pdr_directory *directory, int32_t partition, int timeout_ms,
                                        char address[PDR_MAX_ADDRESS + 1], pdr_error *err);

#endif
