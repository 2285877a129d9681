/* Which journal is a log of? Its FENCEs say: every partition that ever had an owner begins with one. */
#ifndef PDR_JOURNAL_LOG_ID_H
#define PDR_JOURNAL_LOG_ID_H

#include "journal/log.h"
#include "journal/store.h"

/* Blocking, at most timeout_ms: read partitions first .. first + count - 1 from their beginnings until a
 * FENCE is met; *found false: there is none. What the log says, PDR_UNAVAILABLE, PDR_NOMEM. No other reader
 * of `log` may be open. */
PDR_CHECKED pdr_code pdr_log_find_id(pdr_log *log, int32_t first, int32_t count, int timeout_ms, bool *found,
                                     uint8_t id[PDR_ID_SIZE], pdr_error *err);

#endif
