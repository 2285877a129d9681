#include "base/clock.h"

#include <errno.h>
#include <time.h>

#include "base/mem.h"

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    PDR_INVARIANT("clocks-are-there", clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t pdr_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t pdr_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

int64_t pdr_deadline_us(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : pdr_mono_us() + (int64_t)timeout_ms * 1000;
}

pdr_code pdr_cond_open(pthread_cond_t *cond, pdr_error *err)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    if (!failed) {
        failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (!failed) failed = pthread_cond_init(cond, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return failed ? pdr_fail_backend(err, PDR_NOMEM, failed, "condition variable") : PDR_OK;
}

bool pdr_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us)
{
    if (until_us == INT64_MAX) return pthread_cond_wait(cond, lock) == 0;
    struct timespec until = {(time_t)(until_us / 1000000), (long)(until_us % 1000000) * 1000};
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}
