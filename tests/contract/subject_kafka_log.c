#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/kafka/kafka_log.h"
#include "tests/contract/log_contract.h"

enum { WAIT_MS = 30000, QUEUE = 20000 };

typedef struct journal {
    char name[64];
    int32_t partitions;
} journal;

const char *pdr_contract_skip(void)
{
    const char *brokers = getenv("PERDURE_TEST_KAFKA");
    return brokers && brokers[0] ? NULL : "PERDURE_TEST_KAFKA isn't set";
}

static pdr_kafka_options options_of(const journal *j)
{
    static const pdr_kafka_setting settings[] = {{"queue.buffering.max.messages", "20000"}};
    return (pdr_kafka_options){.brokers = getenv("PERDURE_TEST_KAFKA"),
                               .journal = j->name,
                               .settings = settings,
                               .setting_count = 1};
}

static pdr_code create(void **out, int32_t partitions, pdr_error *err)
{
    journal *j = calloc(1, sizeof *j);
    if (!j) return pdr_fail(err, PDR_NOMEM, "journal");
    uint64_t drawn = 0;
    if (getentropy(&drawn, sizeof drawn) != 0) return pdr_fail(err, PDR_IO, "getentropy");
    snprintf(j->name, sizeof j->name, "contract-%016llx", (unsigned long long)drawn);
    j->partitions = partitions;
    *out = j;
    pdr_kafka_options options = options_of(j);
    pdr_kafka_topic topic = {.partitions = partitions, .retention_ms = -1};
    return pdr_kafka_log_create(&options, &topic, WAIT_MS, err);
}

/* A client of the test's own, for what perdure never does to a topic. */
static rd_kafka_t *admin(void)
{
    char reason[200];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", getenv("PERDURE_TEST_KAFKA"), reason, sizeof reason);
    return rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
}

static rd_kafka_resp_err_t finish(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    rd_kafka_resp_err_t why = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (event) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
    return why;
}

static void destroy(void *context)
{
    journal *j = context;
    char topic[80];
    snprintf(topic, sizeof topic, "%s.events", j->name);
    rd_kafka_t *rk = admin();
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(gone);
    finish(rk, queue);
    free(j);
}

static pdr_code open_log(void *context, pdr_log **out, pdr_error *err)
{
    journal *j = context;
    pdr_kafka_options options = options_of(j);
    pdr_code code = pdr_kafka_log_open(out, &options, err);
    pdr_log_info info;
    return code == PDR_OK ? (*out)->ops->info(*out, &info, WAIT_MS, err) : code;
}

static pdr_code drop_below(void *context, int32_t partition, int64_t offset, pdr_error *err)
{
    journal *j = context;
    char topic[80];
    snprintf(topic, sizeof topic, "%s.events", j->name);
    rd_kafka_t *rk = admin();
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *before = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(before, topic, partition)->offset = offset;
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(before);
    rd_kafka_topic_partition_list_destroy(before);
    rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(request);
    rd_kafka_resp_err_t why = finish(rk, queue);
    return why ? pdr_fail(err, PDR_IO, "%s", rd_kafka_err2str(why)) : PDR_OK;
}

const pdr_log_subject *pdr_log_subject_get(void)
{
    static const pdr_log_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_log,
        .drop_below = drop_below,
        .old_may_land_late = true,
        .max_value = 900000,
        .queue_most = QUEUE + 1,
    };
    return &subject;
}
