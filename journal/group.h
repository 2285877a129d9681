/* The group seam: who shares the partitions of a log among processes says which are ours. A hint that costs
 * time, never data: positions move by compare-and-set, whatever a group says. Backend: kafka. One thread. */
#ifndef PDR_JOURNAL_GROUP_H
#define PDR_JOURNAL_GROUP_H

#include "perdure/bytes.h"

struct pollfd;
typedef struct pdr_group pdr_group;

typedef struct pdr_group_ops {
    void (*close)(pdr_group *group); /* leave it; may block for a bounded time (seconds) */
    /* Serve it, without blocking. true: the partitions changed, or were given for the first time. */
    bool (*poll)(pdr_group *group);
    /* Ours now; *joined false: nobody has said anything yet. Borrowed until the next poll. */
    size_t (*partitions)(const pdr_group *group, const int32_t **out, bool *joined);
    /* As in log.h; poll at least once a second in any case. */
    int (*wait_on)(pdr_group *group, struct pollfd *fds, int max);
} pdr_group_ops;

/* A backend's group begins with this. */
struct pdr_group {
    const pdr_group_ops *ops;
};

#endif
