/* The machine's clocks, for shells and tools: the core has none (journal/env.h). Threads: any. */
#ifndef PDR_BASE_CLOCK_H
#define PDR_BASE_CLOCK_H

#include <pthread.h>

#include "perdure/error.h"

int64_t pdr_mono_us(void);
int64_t pdr_wall_us(void); /* since 1970 UTC; may be set back */
/* now + timeout_ms; -1: INT64_MAX. */
int64_t pdr_deadline_us(int timeout_ms);
/* A monotonic condition variable, and waiting on one until a monotonic time in microseconds. */
PDR_CHECKED pdr_code pdr_cond_open(pthread_cond_t *cond, pdr_error *err);
bool pdr_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock,
                         int64_t until_us); /* false: time is up */

#endif
