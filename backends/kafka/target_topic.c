/* The topic of a projection, looked at before anything is sent to it. It is its maker's, so what may be meant
 * is only warned of. */
#include <stdio.h>
#include <syslog.h>

#include "backends/kafka/admin.h"
#include "backends/kafka/target_inside.h"

static bool is_listed(const rd_kafka_metadata_t *all, const char *topic)
{
    for (int i = 0; i < all->topic_cnt; i++)
        if (strcmp(all->topics[i].topic, topic) == 0 && all->topics[i].partition_cnt > 0) return true;
    return false;
}

/* All topics are asked for: one asked for by its name might be made by the broker, with settings that nobody
 * chose. */
static pdr_code check_there(const target *t, int timeout_ms, pdr_error *err)
{
    const rd_kafka_metadata_t *all;
    rd_kafka_resp_err_t why = rd_kafka_metadata(t->rk, 1, NULL, &all, timeout_ms);
    if (why)
        return pdr_fail_backend(err, PDR_UNAVAILABLE, (int32_t)why, "topic %s: %s", t->topic,
                                rd_kafka_err2str(why));
    bool there = is_listed(all, t->topic);
    rd_kafka_metadata_destroy(all);
    if (there) return PDR_OK;
    return pdr_fail(
        err, PDR_NOT_FOUND,
        "there is no topic %s: make it first, with as many partitions as its readers need for good",
        t->topic);
}

static bool is(rd_kafka_event_t *described, const char *name, const char *value)
{
    const char *found = kafka_setting_of(described, name);
    return found && strcmp(found, value) == 0;
}

/* A message has its event's time, and Kafka deletes by that. */
static void warn_of_retention(const target *t, int timeout_ms)
{
    char text[400];
    rd_kafka_resp_err_t why;
    int64_t until_us = kafka_now_us() + (int64_t)timeout_ms * 1000;
    rd_kafka_event_t *described =
        kafka_ask_settings(t->rk, RD_KAFKA_RESOURCE_TOPIC, t->topic, until_us, &why);
    if (!described) return; /* for want of a permission, or in time */
    const char *kept = kafka_setting_of(described, "retention.ms");
    if (kept && strcmp(kept, "-1") != 0 && is(described, "message.timestamp.type", "CreateTime") &&
        !is(described, "cleanup.policy", "compact")) {
        (void)snprintf(
            text, sizeof text,
            "the broker deletes messages of events that are older than %s ms, new ones too: their timestamp "
            "is the event time; if readers need them, set retention.ms=-1 or "
            "message.timestamp.type=LogAppendTime",
            kept);
        target_trace(t, LOG_WARNING, "RETENTION", text);
    }
    rd_kafka_event_destroy(described);
}

pdr_code target_topic_check(const target *t, int timeout_ms, pdr_error *err)
{
    pdr_code code = check_there(t, timeout_ms, err);
    if (code == PDR_OK && t->trace) warn_of_retention(t, timeout_ms);
    return code;
}
