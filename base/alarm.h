/* Waking a sleeper by an eventfd, only if it sleeps. The sleeper: pdr_alarm_set, look once more whether there
 * is work, sleep on `fd`, pdr_alarm_clear. The waker: put the work, then pdr_alarm_ring. */
#ifndef PDR_BASE_ALARM_H
#define PDR_BASE_ALARM_H

#include <stdatomic.h>

#include "perdure/error.h"

typedef struct pdr_alarm {
    int fd;
    atomic_bool armed;
} pdr_alarm;

PDR_CHECKED pdr_code pdr_alarm_open(pdr_alarm *alarm, pdr_error *err);
void pdr_alarm_close(pdr_alarm *alarm); /* also after a failed open */

static inline void pdr_alarm_set(pdr_alarm *alarm)
{
    atomic_store_explicit(&alarm->armed, true, memory_order_seq_cst);
}

void pdr_alarm_wake(pdr_alarm *alarm);  /* whether or not somebody sleeps; any thread */
void pdr_alarm_clear(pdr_alarm *alarm); /* awake again: takes the ring from the fd */

static inline void pdr_alarm_ring(pdr_alarm *alarm)
{
    if (atomic_load_explicit(&alarm->armed, memory_order_seq_cst) &&
        atomic_exchange_explicit(&alarm->armed, false, memory_order_seq_cst))
        pdr_alarm_wake(alarm);
}

#endif
