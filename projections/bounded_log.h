/* A log that seems to end where it is told to: for bringing a version to an exact position. Reads only. */
#ifndef PDR_PROJECTIONS_BOUNDED_LOG_H
#define PDR_PROJECTIONS_BOUNDED_LOG_H

#include "journal/log.h"

/* `ends`: by partition, the first offset that isn't shown; copied. `inner` stays yours, and is used by nobody
 * else meanwhile. *out is yours: close it by its ops. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_bounded_log_open(pdr_log **out, pdr_log *inner, const int64_t *ends,
                                          int32_t partitions, pdr_error *err);

#endif
