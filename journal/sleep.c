#include "journal/sleep.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/mem.h"

enum { MAX_FDS = 64, SECOND_US = 1000000 };

void pdr_sleep_on(pdr_log *log, pdr_store *store, int64_t most_us)
{
    struct pollfd fds[MAX_FDS];
    int64_t log_us = INT64_MAX, store_us = INT64_MAX, left = most_us;
    int count = log ? log->ops->wait_on(log, fds, MAX_FDS, &log_us) : 0;
    if (store) count += store->ops->wait_on(store, fds + count, MAX_FDS - count, &store_us);
    if (log_us < left) left = log_us;
    if (store_us < left) left = store_us;
    if (left <= 0) return;
    struct timespec timeout = {(time_t)(left / SECOND_US), (long)(left % SECOND_US) * 1000};
    int woken = ppoll(fds, (nfds_t)count, &timeout, NULL);
    PDR_INVARIANT("fds-can-be-polled", woken >= 0 || errno == EINTR || errno == ENOMEM);
}
