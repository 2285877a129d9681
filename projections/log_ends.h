/* Where a log's partitions end now. A reader of what comes later is told; that is all it does. */
#ifndef PDR_PROJECTIONS_LOG_ENDS_H
#define PDR_PROJECTIONS_LOG_ENDS_H

#include "journal/log.h"

typedef struct pdr_log_ends pdr_log_ends;

/* Begin to ask; the answers come in the log's poll. `partitions` is copied. PDR_NOMEM, what the log says. */
PDR_CHECKED pdr_code pdr_log_ends_open(pdr_log_ends **out, pdr_log *log, const int32_t *partitions,
                                       size_t count, pdr_error *err);
void pdr_log_ends_close(pdr_log_ends *ends);     /* NULL is fine */
bool pdr_log_ends_all(const pdr_log_ends *ends); /* has each answered, by an end or by a failure? */
int64_t pdr_log_ends_of(const pdr_log_ends *ends, int32_t partition); /* -1: not known */

/* All at once. Blocking, at most timeout_ms. `ends` has room for `count`. PDR_UNAVAILABLE, what the log
 * says. */
PDR_CHECKED pdr_code pdr_log_ends_read(pdr_log *log, const int32_t *partitions, size_t count, int timeout_ms,
                                       int64_t *ends, pdr_error *err);

#endif
