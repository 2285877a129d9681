/* The log seam on Kafka, by librdkafka. One shared idempotent producer, private ones after failures, readers
 * by assignment. */
#ifndef PDR_BACKENDS_KAFKA_LOG_H
#define PDR_BACKENDS_KAFKA_LOG_H

#include "journal/log.h"

/* name/value settings given by the user, already without the prefix "kafka."; borrowed for the call. */
typedef struct pdr_kafka_setting {
    const char *name;
    const char *value;
} pdr_kafka_setting;

typedef struct pdr_kafka_options {
    const char *brokers; /* bootstrap.servers: "host:port,host:port" */
    const char *journal; /* topic is "<journal>.events" */
    const pdr_kafka_setting *settings;
    size_t setting_count;
    bool reads_only; /* nothing will be appended, most likely: the producer is made when a writer is */
    void (*trace)(void *context, int level,
                  const char *message); /* librdkafka's log lines; any thread; NULL: dropped */
    void *trace_context;
} pdr_kafka_options;

/* Open a connection. Doesn't wait for the broker: info and check do. PDR_BAD_SETTING names the setting and
 * librdkafka's reason; PDR_UNSAFE_SETTING for settings that perdure fixes (docs/kafka.md). */
PDR_CHECKED pdr_code pdr_kafka_log_open(pdr_log **out, const pdr_kafka_options *options, pdr_error *err);

typedef struct pdr_kafka_topic {
    int32_t partitions;
    int32_t replication;  /* 0: the broker's default, or 1 when there is one broker */
    int64_t retention_ms; /* -1: for ever */
} pdr_kafka_topic;

/* Blocking: create "<journal>.events" with safe settings. A topic that exists with the same number of
 * partitions is fine and is checked; with another number: PDR_EXISTS. */
PDR_CHECKED pdr_code pdr_kafka_log_create(const pdr_kafka_options *options, const pdr_kafka_topic *topic,
                                          int timeout_ms, pdr_error *err);

#endif
