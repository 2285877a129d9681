/* Waiting for a lock that another process holds, without blocking: try again at a later poll, and say so when
 * it lasts. Internal to backends/sqlite. Threads: a value belongs to one connection. */
#ifndef PDR_BACKENDS_SQLITE_WAIT_H
#define PDR_BACKENDS_SQLITE_WAIT_H

#include "backends/sqlite/sqlite_trace.h"

typedef struct pdr_sqlite_wait {
    const char *path; /* borrowed */
    pdr_sqlite_trace trace;
    void *trace_context;
    int64_t since_us; /* 0: nothing is waited for */
    int64_t told_us, retry_us, step_us;
} pdr_sqlite_wait;

int64_t pdr_sqlite_now_us(void); /* monotonic */
PDR_PRINTF(3, 4) void pdr_sqlite_say(const pdr_sqlite_wait *wait, pdr_level level, const char *format, ...);

/* Is it too early to try again? */
bool pdr_sqlite_wait_on(const pdr_sqlite_wait *wait);
/* The lock was found taken. Gives how long it has been so, in microseconds. */
int64_t pdr_sqlite_wait_more(pdr_sqlite_wait *wait);
/* The lock was got, or isn't wanted any more. */
void pdr_sqlite_wait_over(pdr_sqlite_wait *wait);

#endif
