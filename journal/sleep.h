/* Waiting for a log and a store, for blocking calls and tools that drive them by hand. */
#ifndef PDR_JOURNAL_SLEEP_H
#define PDR_JOURNAL_SLEEP_H

#include "journal/log.h"
#include "journal/store.h"

/* Until the poll of one of them may have work, a signal came, or most_us microseconds passed: whatever woke
 * it, poll both. Either may be NULL. On the thread that uses them. */
void pdr_sleep_on(pdr_log *log, pdr_store *store, int64_t most_us);

#endif
