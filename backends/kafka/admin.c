#include "backends/kafka/admin.h"

#include <stdio.h>
#include <stdlib.h>

/* What is asked of the cluster itself: the topic's partitions and settings, and making it. All of it blocks,
 * for at most the time given. */

int kafka_left_ms(int64_t until_us)
{
    int64_t left = (until_us - kafka_now_us()) / 1000;
    return left > 1 ? (int)left : 1;
}

static int64_t until(int timeout_ms)
{
    return kafka_now_us() + (int64_t)timeout_ms * 1000;
}

pdr_code kafka_unreachable(const pdr_kafka *log, rd_kafka_resp_err_t why, pdr_error *err)
{
    pdr_code code = kafka_code(why);
    const char *hint = code == PDR_UNAVAILABLE ? "; is a broker running there?" : "";
    return pdr_fail_backend(err, code, (int32_t)why, "topic %s: %s%s", log->topic, rd_kafka_err2str(why),
                            hint);
}

static pdr_code read_topic(const pdr_kafka *log, const struct rd_kafka_metadata *metadata,
                           kafka_topic_shape *out, pdr_error *err)
{
    const rd_kafka_metadata_topic_t *topic = metadata->topic_cnt ? &metadata->topics[0] : NULL;
    if (!topic) return pdr_fail(err, PDR_NOT_INITIALISED, "there is no topic %s", log->topic);
    if (topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return pdr_fail_backend(err, PDR_NOT_INITIALISED, (int32_t)topic->err, "there is no topic %s",
                                log->topic);
    if (topic->err && topic->err != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
        return kafka_unreachable(log, topic->err, err);
    out->partitions = topic->partition_cnt;
    out->replication = topic->partition_cnt ? topic->partitions[0].replica_cnt : 0;
    for (int i = 1; i < topic->partition_cnt; i++)
        if (topic->partitions[i].replica_cnt < out->replication)
            out->replication = topic->partitions[i].replica_cnt;
    if (out->partitions < 1 || out->partitions > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_UNSUPPORTED, "topic %s has %d partitions; 1 to %d are supported", log->topic,
                        (int)out->partitions, PDR_LOG_MAX_PARTITIONS);
    return PDR_OK;
}

/* By a consumer, because a producer's question may make a broker create the topic. */
pdr_code kafka_ask_shape(pdr_kafka *log, int64_t until_us, kafka_topic_shape *out, pdr_error *err)
{
    kafka_client *client = &log->consumers->client;
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t why =
        rd_kafka_metadata(client->rk, 0, client->topic, &metadata, kafka_left_ms(until_us));
    *out = (kafka_topic_shape){0};
    if (why) return kafka_unreachable(log, why, err);
    pdr_code code = read_topic(log, metadata, out, err);
    rd_kafka_metadata_destroy(metadata);
    return code;
}

/* So that the first record doesn't wait for the producer to learn of the topic. */
static void warm_shared(pdr_kafka *log, int64_t until_us)
{
    const struct rd_kafka_metadata *metadata;
    if (!log->shared || kafka_client_topic(&log->shared->client, log, NULL) != PDR_OK) return;
    kafka_client *client = &log->shared->client;
    if (!rd_kafka_metadata(client->rk, 0, client->topic, &metadata, kafka_left_ms(until_us)))
        rd_kafka_metadata_destroy(metadata);
}

pdr_code kafka_info(pdr_log *base, pdr_log_info *out, int timeout_ms, pdr_error *err)
{
    pdr_kafka *log = (pdr_kafka *)base;
    int64_t until_us = until(timeout_ms);
    kafka_topic_shape shape;
    pdr_code code = kafka_ask_shape(log, until_us, &shape, err);
    if (code != PDR_OK) return code;
    warm_shared(log, until_us);
    out->partitions = log->partitions = shape.partitions;
    memcpy(out->name, log->journal, sizeof out->name);
    return PDR_OK;
}

/* Wait for the one result of an admin request; NULL: *why says why not. */
static rd_kafka_event_t *result_of(rd_kafka_queue_t *queue, int64_t until_us, rd_kafka_resp_err_t *why)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, kafka_left_ms(until_us) + 200);
    *why = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (!*why) return event;
    if (event) rd_kafka_event_destroy(event);
    return NULL;
}

rd_kafka_event_t *kafka_await(pdr_kafka *log, rd_kafka_queue_t *queue, int64_t until_us, pdr_code *code,
                              pdr_error *err)
{
    rd_kafka_resp_err_t why;
    rd_kafka_event_t *event = result_of(queue, until_us, &why);
    *code = event ? PDR_OK : kafka_unreachable(log, why, err);
    return event;
}

rd_kafka_AdminOptions_t *kafka_admin_options(rd_kafka_t *rk, rd_kafka_admin_op_t op, int64_t until_us)
{
    char reason[200];
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, op);
    rd_kafka_resp_err_t ignored =
        rd_kafka_AdminOptions_set_request_timeout(options, kafka_left_ms(until_us), reason, sizeof reason);
    (void)ignored;
    return options;
}

rd_kafka_event_t *kafka_ask_settings(rd_kafka_t *rk, rd_kafka_ResourceType_t type, const char *name,
                                     int64_t until_us, rd_kafka_resp_err_t *why)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_AdminOptions_t *options = kafka_admin_options(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, until_us);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(type, name);
    rd_kafka_DescribeConfigs(rk, &resource, 1, options, queue);
    rd_kafka_ConfigResource_destroy(resource);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_event_t *event = result_of(queue, until_us, why);
    rd_kafka_queue_destroy(queue);
    if (!event) return NULL;
    size_t count;
    const rd_kafka_ConfigResource_t **found =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    *why = count ? rd_kafka_ConfigResource_error(found[0]) : RD_KAFKA_RESP_ERR__FAIL;
    if (!*why) return event;
    rd_kafka_event_destroy(event);
    return NULL;
}

pdr_code kafka_describe(pdr_kafka *log, rd_kafka_ResourceType_t type, const char *name, int64_t until_us,
                        rd_kafka_event_t **out, pdr_error *err)
{
    rd_kafka_resp_err_t why;
    *out = kafka_ask_settings(log->consumers->client.rk, type, name, until_us, &why);
    return *out ? PDR_OK : kafka_unreachable(log, why, err);
}

const char *kafka_setting_of(rd_kafka_event_t *described, const char *name)
{
    size_t resources, count;
    const rd_kafka_ConfigResource_t **found = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(described), &resources);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(found[0], &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return rd_kafka_ConfigEntry_value(entries[i]);
    return NULL;
}

/* What a topic must be set to, and why. */
typedef struct wanted {
    const char *name;
    const char *value;
    const char *reason;
} wanted;

static const wanted wanted_settings[] = {
    {"cleanup.policy", "delete", "compaction would remove events that have a newer one of the same entity"},
    {"retention.ms", "-1", "old events would be lost, and nothing could be rebuilt from the log"},
    {"retention.bytes", "-1", "old events would be lost, and nothing could be rebuilt from the log"},
    {"unclean.leader.election.enable", "false",
     "acknowledged events would be lost when a replica that lags leads"},
};

void kafka_put_wanted(rd_kafka_NewTopic_t *topic)
{
    for (size_t i = 0; i < sizeof wanted_settings / sizeof wanted_settings[0]; i++)
        rd_kafka_NewTopic_set_config(topic, wanted_settings[i].name, wanted_settings[i].value);
}

static pdr_code unsafe(const pdr_kafka *log, const char *name, const char *value, const char *want,
                       const char *reason, pdr_error *err)
{
    return pdr_fail(
        err, PDR_UNSAFE_SETTING,
        "topic %s has %s=%s, wanted %s: %s; change it with: kafka-configs.sh --bootstrap-server HOST:PORT "
        "--alter --entity-type topics --entity-name %s --add-config %s=%s",
        log->topic, name, value, want, reason, log->topic, name, want);
}

/* `least`: a number that the setting must not be below. */
static pdr_code check_least(const pdr_kafka *log, rd_kafka_event_t *described, const char *name,
                            int64_t least, const char *reason, pdr_error *err)
{
    const char *value = kafka_setting_of(described, name);
    char want[24];
    snprintf(want, sizeof want, "%lld", (long long)least);
    if (value && strtoll(value, NULL, 10) >= least) return PDR_OK;
    return unsafe(log, name, value ? value : "(not told)", want, reason, err);
}

static pdr_code check_settings(const pdr_kafka *log, rd_kafka_event_t *described, int replication,
                               pdr_error *err)
{
    for (size_t i = 0; i < sizeof wanted_settings / sizeof wanted_settings[0]; i++) {
        const wanted *w = &wanted_settings[i];
        const char *value = kafka_setting_of(described, w->name);
        if (!value || strcmp(value, w->value) != 0)
            return unsafe(log, w->name, value ? value : "(not told)", w->value, w->reason, err);
    }
    pdr_code code = check_least(log, described, "max.message.bytes", log->settings.largest_batch,
                                "the broker would refuse this producer's largest batches (kafka.batch.size, "
                                "kafka.message.max.bytes)",
                                err);
    if (code == PDR_OK && replication >= 2)
        code = check_least(log, described, "min.insync.replicas", 2,
                           "an event would be acknowledged with one copy of it", err);
    return code;
}

pdr_code kafka_check_topic(pdr_kafka *log, int replication, int64_t until_us, pdr_error *err)
{
    rd_kafka_event_t *described;
    pdr_code code = kafka_describe(log, RD_KAFKA_RESOURCE_TOPIC, log->topic, until_us, &described, err);
    if (code != PDR_OK) return code;
    code = check_settings(log, described, replication, err);
    rd_kafka_event_destroy(described);
    return code;
}

pdr_code kafka_check(pdr_log *base, int timeout_ms, pdr_error *err)
{
    pdr_kafka *log = (pdr_kafka *)base;
    int64_t until_us = until(timeout_ms);
    kafka_topic_shape shape;
    pdr_code code = kafka_ask_shape(log, until_us, &shape, err);
    return code == PDR_OK ? kafka_check_topic(log, shape.replication, until_us, err) : code;
}
