/* Times as people write them on the command line. */
#ifndef PDR_REPLAY_MOMENT_H
#define PDR_REPLAY_MOMENT_H

#include "perdure/bytes.h"

/* "2011-10-01", "2011-10-01T12:30", "2011-10-01 12:30:00.123456Z", "...+02:00", "@1317470400" (seconds),
 * "now", and back from now: "15m", "2h", "3d", "1w" ("3d ago" too). Without a zone: UTC. Microseconds since
 * 1970 UTC. PDR_INVALID_ARGUMENT says how it could be written; a time in the future is refused (an event
 * can't have it; `allow_future` for event times of the application's own). */
PDR_CHECKED pdr_code pdr_moment_parse(const char *text, int64_t now_us, bool allow_future, int64_t *us,
                                      pdr_error *err);
/* "2011-10-01T12:30:00.123456Z", shortest form without loss; at least to the second. */
PDR_CHECKED pdr_code pdr_moment_print(int64_t us, pdr_buf *out);

#endif
