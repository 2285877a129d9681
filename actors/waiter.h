/* One thread waits for one reply. Counted holds: the waiter and the completion each let go once, so that a
 * reply after a timeout finds its place still there. Threads: any. */
#ifndef PDR_ACTORS_WAITER_H
#define PDR_ACTORS_WAITER_H

#include "base/clock.h"
#include "perdure/journal.h"

typedef struct pdr_waiter {
    pthread_mutex_t lock;
    pthread_cond_t came;
    unsigned holds;
    bool done;
    pdr_answered answered;
    pdr_error error; /* code PDR_OK: none */
    pdr_buf state;   /* a read's packed state */
    bool has_state;
} pdr_waiter;

PDR_CHECKED pdr_code pdr_waiter_open(pdr_waiter **out, pdr_error *err); /* held twice */
void pdr_waiter_let_go(pdr_waiter *waiter);
/* The completion's side: copies the reply, wakes, lets go. A pdr_completion. */
void pdr_waiter_complete(void *waiter, const pdr_reply *reply);
/* Sleep until the reply came, at most until the monotonic time `until_us` (INT64_MAX: as long as it takes).
 */
bool pdr_waiter_sleep(pdr_waiter *waiter, int64_t until_us);
bool pdr_waiter_is_done(pdr_waiter *waiter);

#endif
