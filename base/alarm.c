#include "base/alarm.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

pdr_code pdr_alarm_open(pdr_alarm *alarm, pdr_error *err)
{
    atomic_init(&alarm->armed, false);
    alarm->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (alarm->fd >= 0) return PDR_OK;
    return pdr_fail_backend(err, PDR_UNAVAILABLE, errno, "no eventfd: %s", strerror(errno));
}

void pdr_alarm_close(pdr_alarm *alarm)
{
    if (alarm->fd >= 0) close(alarm->fd);
    alarm->fd = -1;
}

void pdr_alarm_wake(pdr_alarm *alarm)
{
    uint64_t one = 1;
    ssize_t written;
    do {
        written = write(alarm->fd, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the fd is readable anyway. */
    PDR_INVARIANT("eventfd-takes-rings", written == (ssize_t)sizeof one || errno == EAGAIN);
}

void pdr_alarm_clear(pdr_alarm *alarm)
{
    uint64_t rings;
    ssize_t got;
    atomic_store_explicit(&alarm->armed, false, memory_order_seq_cst);
    do {
        got = read(alarm->fd, &rings, sizeof rings);
    } while (got < 0 && errno == EINTR);
}
