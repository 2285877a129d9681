/* Where to begin so that a log's newest records are read, and not all of it. */
#ifndef PDR_REPLAY_NEWEST_H
#define PDR_REPLAY_NEWEST_H

#include "replay/tool.h"

/* For each of `partitions` (all different): a position from which reading may begin and behind which there
 * are at least the last `back` offsets, or nearly so: the first in the last `back` that is known to be in
 * sequence without what comes before. It is a FENCE, or an event that a later one names as its entity's
 * newest acknowledged. If none is in there, twice as many are looked at, and so on to the log's beginning.
 * out[p] is that of partition p. Blocking; over the tool's own log. PDR_CANCELLED, PDR_NOMEM, what the log
 * says. */
PDR_CHECKED pdr_code pdr_newest_positions(pdr_tool *tool, const int32_t *partitions, size_t count,
                                          int64_t back, pdr_position *out, pdr_error *err);

#endif
