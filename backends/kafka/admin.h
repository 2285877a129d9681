/* Asking the cluster: shared by admin.c (info, check), create.c and target_topic.c. All of it blocks until
 * `until_us` (kafka_now_us) at most. */
#ifndef PDR_BACKENDS_KAFKA_ADMIN_H
#define PDR_BACKENDS_KAFKA_ADMIN_H

#include "backends/kafka/internal.h"

typedef struct kafka_topic_shape {
    int32_t partitions;
    int replication; /* the least of any partition */
} kafka_topic_shape;

int kafka_left_ms(int64_t until_us); /* at least 1 */
pdr_code kafka_unreachable(const pdr_kafka *log, rd_kafka_resp_err_t why, pdr_error *err);
PDR_CHECKED pdr_code kafka_ask_shape(pdr_kafka *log, int64_t until_us, kafka_topic_shape *out,
                                     pdr_error *err);
PDR_CHECKED pdr_code kafka_check_topic(pdr_kafka *log, int replication, int64_t until_us, pdr_error *err);

/* Wait for the one result of an admin request; NULL with *code and *err filled. */
rd_kafka_event_t *kafka_await(pdr_kafka *log, rd_kafka_queue_t *queue, int64_t until_us, pdr_code *code,
                              pdr_error *err);
rd_kafka_AdminOptions_t *kafka_admin_options(rd_kafka_t *rk, rd_kafka_admin_op_t op, int64_t until_us);
/* The settings of a topic or broker; the event holds them, and is the caller's to destroy. NULL: *why says
 * why not. */
rd_kafka_event_t *kafka_ask_settings(rd_kafka_t *rk, rd_kafka_ResourceType_t type, const char *name,
                                     int64_t until_us, rd_kafka_resp_err_t *why);
/* The same of a log's cluster. */
PDR_CHECKED pdr_code kafka_describe(pdr_kafka *log, rd_kafka_ResourceType_t type, const char *name,
                                    int64_t until_us, rd_kafka_event_t **out, pdr_error *err);
const char *kafka_setting_of(rd_kafka_event_t *described, const char *name); /* borrowed; NULL: not told */
void kafka_put_wanted(rd_kafka_NewTopic_t *topic); /* the settings that check wants */

#endif
