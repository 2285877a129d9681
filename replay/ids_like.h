/* "Did you mean ...?": entity ids of the store that begin most like one that isn't there. */
#ifndef PDR_REPLAY_IDS_LIKE_H
#define PDR_REPLAY_IDS_LIKE_H

#include "replay/tool.h"

/* Append at most `most` ids that share the longest beginning with `entity` that any id has, parted by ", ",
 * and say how many. 0: there is no store, or no id begins with even one of its letters. Blocking; errors of
 * the store, PDR_CANCELLED, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_ids_like(pdr_tool *tool, pdr_bytes entity, size_t most, pdr_buf *out, size_t *count,
                                  pdr_error *err);

#endif
