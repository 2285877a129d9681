/* The group seam on Kafka: a consumer that only subscribes. It is given partitions in turn (round robin)
 * and reads nothing from them. */
#ifndef PDR_BACKENDS_KAFKA_GROUP_H
#define PDR_BACKENDS_KAFKA_GROUP_H

#include "backends/kafka/kafka_log.h"
#include "journal/group.h"

/* Join the group called `name`. Doesn't wait for the broker. The trace function of `options` and its context
 * must outlive it. PDR_BAD_SETTING, PDR_UNSAFE_SETTING, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_kafka_group_open(pdr_group **out, const pdr_kafka_options *options, const char *name,
                                          pdr_error *err);

#endif
