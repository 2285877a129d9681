#include "backends/sqlite/sqlite_wait.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "backends/sqlite/sqlite_shared.h"

enum {
    RETRY_US = 500, /* a commit takes about that long */
    RETRY_MAX_US = 20000,
    TOLD_US = 1000000, /* a wait is told after this long */
    TOLD_AGAIN_US = 10000000,
};

int64_t pdr_sqlite_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void pdr_sqlite_say(const pdr_sqlite_wait *wait, pdr_level level, const char *format, ...)
{
    if (!wait->trace) return;
    char message[600];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (size >= 0) wait->trace(wait->trace_context, level, message);
}

bool pdr_sqlite_wait_on(const pdr_sqlite_wait *wait)
{
    return wait->since_us && pdr_sqlite_now_us() < wait->retry_us;
}

static void say_locked(const pdr_sqlite_wait *wait, int64_t now)
{
    pid_t holder = pdr_sqlite_lock_holder(wait->path);
    char who[40] = "another process";
    if (holder > 0) snprintf(who, sizeof who, "process %d", (int)holder);
    pdr_sqlite_say(wait, PDR_LEVEL_WARN,
                   "waiting for the lock of %s, held by %s for %.1f s; it must go on or be ended", wait->path,
                   who, (double)(now - wait->since_us) / 1e6);
}

int64_t pdr_sqlite_wait_more(pdr_sqlite_wait *wait)
{
    int64_t now = pdr_sqlite_now_us();
    if (!wait->since_us) {
        wait->since_us = now;
        wait->told_us = 0;
        wait->step_us = RETRY_US;
    }
    int64_t waited = now - wait->since_us;
    if (waited > RETRY_MAX_US && wait->step_us < RETRY_MAX_US) wait->step_us *= 2;
    wait->retry_us = now + wait->step_us;
    if (waited >= TOLD_US && (!wait->told_us || now - wait->told_us >= TOLD_AGAIN_US)) {
        wait->told_us = now;
        say_locked(wait, now);
    }
    return waited;
}

void pdr_sqlite_wait_over(pdr_sqlite_wait *wait)
{
    if (!wait->since_us) return;
    if (wait->told_us)
        pdr_sqlite_say(wait, PDR_LEVEL_INFO, "%s: the wait for the lock is over after %.1f s", wait->path,
                       (double)(pdr_sqlite_now_us() - wait->since_us) / 1e6);
    wait->since_us = 0;
}
