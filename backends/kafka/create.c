#include "backends/kafka/admin.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* Making the topic, with the settings that check wants. */

static pdr_code bad_shape(const pdr_kafka_topic *topic, pdr_error *err)
{
    if (topic->partitions < 1 || topic->partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%d partitions: 1 to %d are possible",
                        (int)topic->partitions, PDR_LOG_MAX_PARTITIONS);
    if (topic->replication < 0 || topic->replication > INT16_MAX)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "replication %d", (int)topic->replication);
    if (topic->retention_ms != -1)
        return pdr_fail(
            err, PDR_UNSAFE_SETTING,
            "retention.ms=%lld, wanted -1: old events would be lost, and nothing could be rebuilt from "
            "the log",
            (long long)topic->retention_ms);
    return PDR_OK;
}

/* 1 with one broker, else what the brokers are set to. */
static pdr_code default_replication(pdr_kafka *log, int64_t until_us, int *out, pdr_error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_t *rk = log->consumers->client.rk;
    rd_kafka_resp_err_t why = rd_kafka_metadata(rk, 0, NULL, &metadata, kafka_left_ms(until_us));
    if (why) return kafka_unreachable(log, why, err);
    int brokers = metadata->broker_cnt;
    char id[16];
    snprintf(id, sizeof id, "%d", brokers ? (int)metadata->brokers[0].id : 0);
    rd_kafka_metadata_destroy(metadata);
    *out = 1;
    if (brokers < 2) return PDR_OK;
    rd_kafka_event_t *described;
    pdr_code code = kafka_describe(log, RD_KAFKA_RESOURCE_BROKER, id, until_us, &described, err);
    if (code != PDR_OK) return code;
    const char *value = kafka_setting_of(described, "default.replication.factor");
    int wanted = value ? atoi(value) : 1;
    *out = wanted < 1 ? 1 : wanted > brokers ? brokers : wanted;
    rd_kafka_event_destroy(described);
    return PDR_OK;
}

enum { BROKER_MAX_MESSAGE_BYTES = 1048588 }; /* Kafka's default of max.message.bytes */

static rd_kafka_NewTopic_t *describe_topic(const pdr_kafka *log, int32_t partitions, int replication,
                                           char *reason, size_t reason_size)
{
    rd_kafka_NewTopic_t *made =
        rd_kafka_NewTopic_new(log->topic, partitions, replication, reason, reason_size);
    if (!made) return NULL;
    kafka_put_wanted(made);
    char number[24];
    if (log->settings.largest_batch > BROKER_MAX_MESSAGE_BYTES) {
        snprintf(number, sizeof number, "%lld", (long long)log->settings.largest_batch);
        rd_kafka_NewTopic_set_config(made, "max.message.bytes", number);
    }
    rd_kafka_NewTopic_set_config(made, "min.insync.replicas", replication >= 2 ? "2" : "1");
    return made;
}

static pdr_code outcome(const pdr_kafka *log, rd_kafka_event_t *event, pdr_error *err)
{
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    rd_kafka_resp_err_t why = count ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (!why) return PDR_OK;
    const char *text = count ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    return pdr_fail_backend(err, kafka_code(why), (int32_t)why, "can't create topic %s: %s", log->topic,
                            text ? text : rd_kafka_err2str(why));
}

static pdr_code create(pdr_kafka *log, int32_t partitions, int replication, int64_t until_us, pdr_error *err)
{
    char reason[200];
    rd_kafka_NewTopic_t *topic = describe_topic(log, partitions, replication, reason, sizeof reason);
    if (!topic) return pdr_fail(err, PDR_INVALID_ARGUMENT, "can't create topic %s: %s", log->topic, reason);
    rd_kafka_t *rk = log->consumers->client.rk;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = kafka_admin_options(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS, until_us);
    rd_kafka_CreateTopics(rk, &topic, 1, options, queue);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy(topic);
    pdr_code code;
    rd_kafka_event_t *event = kafka_await(log, queue, until_us, &code, err);
    rd_kafka_queue_destroy(queue);
    if (!event) return code;
    code = outcome(log, event, err);
    rd_kafka_event_destroy(event);
    return code;
}

static pdr_code check_existing(pdr_kafka *log, int32_t partitions, int64_t until_us, pdr_error *err)
{
    kafka_topic_shape shape;
    pdr_code code = kafka_ask_shape(log, until_us, &shape, err);
    if (code != PDR_OK) return code;
    if (shape.partitions != partitions)
        return pdr_fail(err, PDR_EXISTS, "topic %s is there with %d partitions, not %d", log->topic,
                        (int)shape.partitions, (int)partitions);
    return kafka_check_topic(log, shape.replication, until_us, err);
}

/* Does each partition's leader answer for it? It may have been told of the partition later than of the topic.
 */
static pdr_code check_leaders(pdr_kafka *log, int32_t partitions, int64_t until_us, pdr_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, log->topic, i)->offset = 0; /* a time */
    rd_kafka_resp_err_t why =
        rd_kafka_offsets_for_times(log->consumers->client.rk, list, kafka_left_ms(until_us));
    for (int i = 0; !why && i < list->cnt; i++)
        why = list->elems[i].err;
    rd_kafka_topic_partition_list_destroy(list);
    return why ? kafka_unreachable(log, why, err) : PDR_OK;
}

/* A broker may take a moment to tell of a topic that it has just made, and to lead its partitions. */
static pdr_code await_topic(pdr_kafka *log, int32_t partitions, int64_t until_us, pdr_error *err)
{
    pdr_code code;
    do {
        code = check_existing(log, partitions, until_us, err);
        if (code == PDR_OK) code = check_leaders(log, partitions, until_us, err);
        if (code != PDR_NOT_INITIALISED && code != PDR_UNAVAILABLE) return code;
        poll(NULL, 0, 20);
    } while (kafka_now_us() < until_us);
    return code;
}

static pdr_code create_checked(pdr_kafka *log, const pdr_kafka_topic *topic, int64_t until_us, pdr_error *err)
{
    int replication = topic->replication;
    pdr_code code = replication ? PDR_OK : default_replication(log, until_us, &replication, err);
    if (code == PDR_OK) code = create(log, topic->partitions, replication, until_us, err);
    if (code == PDR_OK) return await_topic(log, topic->partitions, until_us, err);
    return code == PDR_EXISTS ? check_existing(log, topic->partitions, until_us, err) : code;
}

pdr_code pdr_kafka_log_create(const pdr_kafka_options *options, const pdr_kafka_topic *topic, int timeout_ms,
                              pdr_error *err)
{
    pdr_code code = bad_shape(topic, err);
    if (code != PDR_OK) return code;
    pdr_log *log;
    code = pdr_kafka_log_open(&log, options, err);
    if (code != PDR_OK) return code;
    code = create_checked((pdr_kafka *)log, topic, kafka_now_us() + (int64_t)timeout_ms * 1000, err);
    log->ops->close(log);
    return code;
}
