#include "backends/kafka/internal.h"

#include <stdlib.h>

/* Every setting that this room sets, in one place: the ones that perdure rests on, which nobody may set, and
 * the defaults that a user may override. All others go to librdkafka as they are. */
typedef enum { PRODUCER = 1, CONSUMER = 2, BOTH = 3 } client_kind;

typedef struct fixed_setting {
    const char *name;
    client_kind kind;
    const char *value; /* NULL: is left alone */
    const char *reason;
} fixed_setting;

static const char BROKERS_FROM_URL[] = "the journal's URL names the brokers";
static const char NO_HOLES[] = "a producer that repeats or leaves out records would void all that follow";
static const char ACKED_IS_VALID[] = "an acknowledged record must be on every in-sync replica";
static const char OWNER_HAS_LIMIT[] = "the owner has a time limit of its own and fences after it";
static const char NO_GROUP[] =
    "owners and projections are told their partitions; positions are kept in the store";
static const char OWN_EVENTS[] = "perdure serves librdkafka's events itself";
static const char OWN_PARTITION[] = "the partition is murmur2(key) mod P, reckoned by perdure";

static const fixed_setting fixed_settings[] = {
    {"bootstrap.servers", BOTH, NULL, BROKERS_FROM_URL},
    {"metadata.broker.list", BOTH, NULL, BROKERS_FROM_URL},
    {"test.mock.num.brokers", BOTH, NULL, BROKERS_FROM_URL},
    {"enabled_events", BOTH, NULL, OWN_EVENTS},
    {"log.queue", BOTH, NULL, OWN_EVENTS},
    {"delivery.report.only.error", PRODUCER, NULL, OWN_EVENTS},
    {"produce.offset.report", PRODUCER, NULL, OWN_EVENTS},
    {"enable.idempotence", PRODUCER, "true", NO_HOLES},
    {"enable.gapless.guarantee", PRODUCER, "true", NO_HOLES},
    {"transactional.id", PRODUCER, NULL, "the log fences itself; transactions would hold every reader up"},
    {"queuing.strategy", PRODUCER, NULL, NO_HOLES},
    {"retries", PRODUCER, NULL, NO_HOLES},
    {"message.send.max.retries", PRODUCER, NULL, NO_HOLES},
    {"acks", PRODUCER, "all", ACKED_IS_VALID},
    {"request.required.acks", PRODUCER, NULL, ACKED_IS_VALID},
    {"message.timeout.ms", PRODUCER, "0", OWNER_HAS_LIMIT},
    {"delivery.timeout.ms", PRODUCER, NULL, OWNER_HAS_LIMIT},
    {"partitioner", PRODUCER, NULL, OWN_PARTITION},
    {"group.id", CONSUMER, NULL, NO_GROUP},
    {"group.instance.id", CONSUMER, NULL, NO_GROUP},
    {"enable.auto.commit", CONSUMER, "false", NO_GROUP},
    {"auto.commit.enable", CONSUMER, NULL, NO_GROUP},
    {"enable.auto.offset.store", CONSUMER, "false", NO_GROUP},
    {"offset.store.method", CONSUMER, NULL, NO_GROUP},
    {"isolation.level", CONSUMER, "read_uncommitted", "a foreign transaction must not hold readers up"},
    {"auto.offset.reset", CONSUMER, "error",
     "a reader that skips lost records would hide that they are lost"},
    {"check.crcs", CONSUMER, "true", "a damaged record must be seen, not decoded"},
    {"enable.partition.eof", CONSUMER, "true", "a reader must know when it has come to the end"},
    {"allow.auto.create.topics", CONSUMER, "false", "perdure init makes the topic, with safe settings"},
    {"client.rack", CONSUMER, NULL, "a follower that lags would show an end that is none"},
};

typedef struct default_setting {
    const char *name;
    client_kind kind;
    const char *value;
} default_setting;

static const default_setting default_settings[] = {
    {"client.id", BOTH, "perdure"},
    {"socket.nagle.disable", BOTH, "true"},
    {"reconnect.backoff.ms", BOTH, "10"},
    {"reconnect.backoff.max.ms", BOTH, "1000"},
    {"topic.metadata.refresh.fast.interval.ms", BOTH, "20"},
    {"log.connection.close", BOTH, "false"},
    {"linger.ms", PRODUCER, "0"},
    {"retry.backoff.ms", PRODUCER, "10"},
    {"queue.buffering.max.messages", PRODUCER, "100000"},
    {"queue.buffering.max.kbytes", PRODUCER, "131072"},
    {"fetch.wait.max.ms", CONSUMER, "10"}, /* a start or an end waits for an idle fetch that is under way */
    {"fetch.error.backoff.ms", CONSUMER, "20"},
    {"queued.max.messages.kbytes", CONSUMER, "32768"},
};

/* Perdure's own, beside librdkafka's names. */
static const char UNAVAILABLE_NAME[] = "reader.unavailable.ms";
enum { UNAVAILABLE_DEFAULT_MS = 5000, UNAVAILABLE_MIN_MS = 100, UNAVAILABLE_MAX_MS = 3600000 };

static const fixed_setting *fixed_named(const char *name)
{
    for (size_t i = 0; i < sizeof fixed_settings / sizeof fixed_settings[0]; i++)
        if (strcmp(fixed_settings[i].name, name) == 0) return &fixed_settings[i];
    return NULL;
}

static pdr_code set(rd_kafka_conf_t *conf, const char *name, const char *value, pdr_error *err)
{
    char reason[300];
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, reason, sizeof reason);
    if (result == RD_KAFKA_CONF_OK) return PDR_OK;
    return pdr_fail(err, PDR_BAD_SETTING, "kafka.%s: %s", name, reason);
}

static pdr_code set_both(kafka_settings *s, client_kind kind, const char *name, const char *value,
                         pdr_error *err)
{
    pdr_code code = kind & PRODUCER ? set(s->producer, name, value, err) : PDR_OK;
    if (code == PDR_OK && kind & CONSUMER) code = set(s->consumer, name, value, err);
    return code;
}

static pdr_code set_unavailable(kafka_settings *s, const char *value, pdr_error *err)
{
    char *rest;
    long ms = strtol(value, &rest, 10);
    if (rest == value || *rest || ms < UNAVAILABLE_MIN_MS || ms > UNAVAILABLE_MAX_MS)
        return pdr_fail(err, PDR_BAD_SETTING, "kafka.%s=%s: must be a number of milliseconds from %d to %d",
                        UNAVAILABLE_NAME, value, UNAVAILABLE_MIN_MS, UNAVAILABLE_MAX_MS);
    s->unavailable_us = ms * 1000;
    return PDR_OK;
}

static pdr_code set_by_user(kafka_settings *s, const pdr_kafka_setting *setting, pdr_error *err)
{
    if (!setting->name || !setting->value)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a Kafka setting without name or value");
    if (strcmp(setting->name, UNAVAILABLE_NAME) == 0) return set_unavailable(s, setting->value, err);
    const fixed_setting *fixed = fixed_named(setting->name);
    if (fixed)
        return pdr_fail(err, PDR_UNSAFE_SETTING, "kafka.%s can't be set%s%s: %s", fixed->name,
                        fixed->value ? "; it is always " : "", fixed->value ? fixed->value : "",
                        fixed->reason);
    /* A setting of one kind of client is ignored by the other; client.c keeps librdkafka from warning. */
    return set_both(s, BOTH, setting->name, setting->value, err);
}

static pdr_code set_ours(kafka_settings *s, const char *brokers, pdr_error *err)
{
    pdr_code code = set_both(s, BOTH, "bootstrap.servers", brokers, err);
    for (size_t i = 0; code == PDR_OK && i < sizeof default_settings / sizeof default_settings[0]; i++)
        code =
            set_both(s, default_settings[i].kind, default_settings[i].name, default_settings[i].value, err);
    for (size_t i = 0; code == PDR_OK && i < sizeof fixed_settings / sizeof fixed_settings[0]; i++)
        if (fixed_settings[i].value)
            code = set_both(s, fixed_settings[i].kind, fixed_settings[i].name, fixed_settings[i].value, err);
    return code;
}

static int64_t number_of(const rd_kafka_conf_t *conf, const char *name)
{
    char text[32];
    size_t size = sizeof text;
    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK ? strtoll(text, NULL, 10) : 0;
}

static void read_limits(kafka_settings *s)
{
    int64_t batch = number_of(s->producer, "batch.size");
    int64_t record = number_of(s->producer, "message.max.bytes");
    s->largest_batch = batch > record ? batch : record;
    s->read_ahead_records = (size_t)number_of(s->consumer, "queued.min.messages");
    s->read_ahead_bytes = (size_t)number_of(s->consumer, "queued.max.messages.kbytes") * 1024;
}

pdr_code kafka_settings_init(kafka_settings *out, const pdr_kafka_options *options, pdr_error *err)
{
    *out = (kafka_settings){.unavailable_us = UNAVAILABLE_DEFAULT_MS * 1000};
    out->producer = rd_kafka_conf_new();
    out->consumer = rd_kafka_conf_new();
    pdr_code code = set_ours(out, options->brokers, err);
    for (size_t i = 0; code == PDR_OK && i < options->setting_count; i++)
        code = set_by_user(out, &options->settings[i], err);
    if (code == PDR_OK)
        read_limits(out);
    else
        kafka_settings_release(out);
    return code;
}

void kafka_settings_release(kafka_settings *settings)
{
    if (settings->producer) rd_kafka_conf_destroy(settings->producer);
    if (settings->consumer) rd_kafka_conf_destroy(settings->consumer);
    settings->producer = settings->consumer = NULL;
}
