#include "backends/kafka/internal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

int64_t kafka_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

pdr_code kafka_code(rd_kafka_resp_err_t err)
{
    switch (err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: return PDR_OK;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL: return PDR_QUEUE_FULL;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE: return PDR_TOO_LARGE;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION: return PDR_NOT_INITIALISED;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET: return PDR_OUT_OF_RANGE;
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR_INVALID_MSG: return PDR_CORRUPT;
    case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS: return PDR_EXISTS;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE: return PDR_FATAL;
    default: return PDR_UNAVAILABLE;
    }
}

/* librdkafka warns of settings that only the other kind of client uses, though here every setting goes to
 * both, and that the gapless guarantee, which perdure always sets, is experimental. */
static bool is_noise(const char *facility, const char *text)
{
    return strcmp(facility, "CONFWARN") == 0 &&
           (strstr(text, "will be ignored by this") || strstr(text, "enable.gapless.guarantee"));
}

static void trace_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    if (is_noise(facility, text)) return;
    char line[600];
    snprintf(line, sizeof line, "kafka %s %s: %s", rd_kafka_name(rk), facility, text);
    kafka_keeper_trace(((kafka_origin *)rd_kafka_opaque(rk))->keeper, level, line);
}

static void pass_error(rd_kafka_t *rk, int why, const char *reason, void *opaque)
{
    (void)rk;
    kafka_origin *origin = opaque;
    if (origin->producer) kafka_producer_error(origin->producer, (rd_kafka_resp_err_t)why);
    if (origin->consumer) kafka_consumer_error(origin->consumer, (rd_kafka_resp_err_t)why, reason);
}

static rd_kafka_conf_t *conf_of(pdr_kafka *log, rd_kafka_type_t type, kafka_origin *origin)
{
    bool producer = type == RD_KAFKA_PRODUCER;
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(producer ? log->settings.producer : log->settings.consumer);
    rd_kafka_conf_set_opaque(conf, origin);
    rd_kafka_conf_set_log_cb(conf, trace_log);
    rd_kafka_conf_set_error_cb(conf, pass_error);
    if (producer) rd_kafka_conf_set_dr_msg_cb(conf, kafka_producer_report);
    return conf;
}

static pdr_code not_started(rd_kafka_type_t type, const char *reason, pdr_error *err)
{
    rd_kafka_resp_err_t why = rd_kafka_last_error();
    bool setting = why == RD_KAFKA_RESP_ERR__INVALID_ARG || why == RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED ||
                   why == RD_KAFKA_RESP_ERR__SSL;
    return pdr_fail_backend(err, setting ? PDR_BAD_SETTING : PDR_NOMEM, (int32_t)why,
                            "can't start a Kafka %s: %s", type == RD_KAFKA_PRODUCER ? "producer" : "consumer",
                            reason);
}

pdr_code kafka_client_open(kafka_client *out, pdr_kafka *log, rd_kafka_type_t type, pdr_error *err)
{
    *out = (kafka_client){.origin = pdr_calloc(1, sizeof(kafka_origin))};
    if (!out->origin) return pdr_fail(err, PDR_NOMEM, "no memory for a Kafka client");
    *out->origin = (kafka_origin){.keeper = log->keeper, .log = log};
    rd_kafka_conf_t *conf = conf_of(log, type, out->origin);
    char reason[400];
    out->rk = rd_kafka_new(type, conf, reason, sizeof reason);
    if (!out->rk) {
        pdr_code code = not_started(type, reason, err);
        rd_kafka_conf_destroy(conf);
        pdr_free(out->origin);
        *out = (kafka_client){0};
        return code;
    }
    out->events = rd_kafka_queue_get_main(out->rk);
    return PDR_OK;
}

pdr_code kafka_client_topic(kafka_client *client, pdr_kafka *log, pdr_error *err)
{
    if (!client->topic) client->topic = rd_kafka_topic_new(client->rk, log->topic, NULL);
    if (client->topic) return PDR_OK;
    rd_kafka_resp_err_t why = rd_kafka_last_error();
    return pdr_fail_backend(err, PDR_BAD_SETTING, (int32_t)why, "topic %s: %s", log->topic,
                            rd_kafka_err2str(why));
}

/* On librdkafka's threads, under the queue's lock. */
static void ring(rd_kafka_t *rk, void *opaque)
{
    static const uint64_t one = 1;
    (void)rk;
    kafka_bell *bell = opaque;
    atomic_store(&bell->rung, true);
    if (!atomic_load(&bell->sleeping) || atomic_exchange(&bell->written, true)) return;
    ssize_t ignored = write(bell->fd, &one, sizeof one);
    (void)ignored;
}

void kafka_queue_watch(rd_kafka_queue_t *queue, kafka_bell *bell)
{
    rd_kafka_queue_cb_event_enable(queue, bell ? ring : NULL, bell);
}

void kafka_client_close(kafka_client *client)
{
    if (!client->rk) return;
    if (rd_kafka_type(client->rk) == RD_KAFKA_PRODUCER) {
        int everything = RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING;
        rd_kafka_resp_err_t ignored = rd_kafka_purge(client->rk, everything);
        (void)ignored;
    }
    rd_kafka_queue_destroy(client->events);
    if (client->topic) rd_kafka_topic_destroy(client->topic);
    rd_kafka_destroy(client->rk);
    pdr_free(client->origin);
    *client = (kafka_client){0};
}
