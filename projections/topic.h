/* Projections whose target is a topic: each event becomes a message, in today's type. */
#ifndef PDR_PROJECTIONS_TOPIC_H
#define PDR_PROJECTIONS_TOPIC_H

#include "projections/projection.h"

/* The event as a message into `rows`. Framed by the id of a schema registry if projection->ids knows any,
 * else by the type's fingerprint. PDR_UNAVAILABLE: its type has no id yet. What the type's encode gives;
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_topic_send(const pdr_projection *projection, const pdr_projected *event,
                                    pdr_rows *rows, pdr_error *err);

#endif
