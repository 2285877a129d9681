/* A projection's target that is a Kafka topic: views whose batches are messages. At least once: They are
 * sent, and when all are on every in-sync replica the positions are moved in the views that it stands before;
 * so each event arrives at least once, in its partition's order, and what is told twice has the same source
 * partition, offset and part. docs/projections.md. */
#ifndef PDR_BACKENDS_KAFKA_TARGET_H
#define PDR_BACKENDS_KAFKA_TARGET_H

#include "backends/kafka/kafka_log.h"
#include "projections/views.h"

/* Views in which a step is a message (PDR_VIEW_MESSAGE) to `topic` of options->brokers; options->journal
 * isn't used. `exactly_once`: in Kafka transactions that move the position with them; `create` must be called
 * before the first batch. All else is done by `inner`, which it takes over, on failure too. The topic must be
 * there: `init` looks. PDR_BAD_SETTING, PDR_UNSAFE_SETTING, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_kafka_target_open(pdr_views **out, pdr_views *inner,
                                           const pdr_kafka_options *options, const char *topic,
                                           bool exactly_once, pdr_error *err);

#endif
