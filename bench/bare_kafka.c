#include "bare.h"

/* Its checks of argument types are statement expressions, which ISO C doesn't have. */
#define LIBRDKAFKA_TYPECHECKS 0
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "harness.h"
#include "journal/partitioner.h"
#include "journal/record.h"
#include "schemas/framing.h"

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK) bench_die(text, NULL);
}

static void settle_topic_op(rd_kafka_t *rk, rd_kafka_queue_t *queue)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    if (!event || rd_kafka_event_error(event)) bench_die("an admin operation failed", NULL);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers, rd_kafka_conf_t *conf)
{
    char text[256];
    set(conf, "bootstrap.servers", brokers);
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (!rk) bench_die(text, NULL);
    return rk;
}

void bare_kafka_create(const char *brokers, const char *topic, int32_t partitions)
{
    char text[256];
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, brokers, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic, partitions, 1, text, sizeof text);
    rd_kafka_NewTopic_set_config(made, "retention.ms", "-1");
    rd_kafka_CreateTopics(rk, &made, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(made);
    settle_topic_op(rk, queue);
}

void bare_kafka_delete(const char *brokers, const char *topic)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, brokers, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *gone = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &gone, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(gone);
    settle_topic_op(rk, queue);
}

void bare_record_make(bare_record *record)
{
    pdr_buf value = {record->value, 0, sizeof record->value, sizeof record->value};
    pdr_buf header = PDR_BUF_INIT(4096);
    bench_added event = {.amount = 7, .total = 700, .note = pdr_string_of(BENCH_NOTE)};
    bench_must(pdr_frame_write(&value, bench_added_type.fingerprint), NULL, "frame");
    bench_must(bench_added_type.encode(&event, &value, NULL), NULL, "encode");
    pdr_header h = {.kind = PDR_RECORD_EVENT,
                    .term = {1000, 0x1234567890abcdefu},
                    .number = 200000,
                    .seq = 20,
                    .count = 1,
                    .schema = 1,
                    .time_us = 1700000000000000,
                    .back_offset = 100000,
                    .back_seq = 19};
    bench_must(pdr_header_encode(&h, &header), NULL, "header");
    memcpy(record->header, header.data, header.size);
    record->header_size = header.size;
    record->value_size = value.size;
    pdr_buf_release(&header);
}

typedef struct reports {
    uint64_t done;
} reports;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    reports *r = opaque;
    if (message->err) bench_die(rd_kafka_err2str(message->err), NULL);
    r->done++;
}

static rd_kafka_t *producer(const char *brokers, const char *linger_ms, reports *r)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "enable.idempotence", "true");
    set(conf, "enable.gapless.guarantee", "true");
    set(conf, "log_level", "3");
    set(conf, "acks", "all");
    set(conf, "message.timeout.ms", "0");
    set(conf, "linger.ms", linger_ms);
    set(conf, "socket.nagle.disable", "true");
    set(conf, "queue.buffering.max.messages", "100000");
    set(conf, "queue.buffering.max.kbytes", "131072");
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_opaque(conf, r);
    return client(RD_KAFKA_PRODUCER, brokers, conf);
}

/* Also waits for the topic's metadata: the first produce would stall on it. */
static rd_kafka_topic_t *warm(rd_kafka_t *rk, const char *topic)
{
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    const struct rd_kafka_metadata *metadata;
    if (rd_kafka_metadata(rk, 0, rkt, &metadata, 10000)) bench_die("no metadata", NULL);
    rd_kafka_metadata_destroy(metadata);
    return rkt;
}

static rd_kafka_resp_err_t produce(rd_kafka_t *rk, rd_kafka_topic_t *rkt, int32_t partition, const char *key,
                                   size_t key_size, const bare_record *record)
{
    return rd_kafka_producev(
        rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE((void *)(uintptr_t)record->value, record->value_size),
        RD_KAFKA_V_HEADER("pdr", record->header, (ssize_t)record->header_size), RD_KAFKA_V_END);
}

double bare_kafka_append(const char *brokers, const char *topic, int32_t partitions, uint64_t count,
                         uint32_t entities, uint64_t window, const char *linger_ms)
{
    reports r = {0};
    bare_record record;
    bare_record_make(&record);
    rd_kafka_t *rk = producer(brokers, linger_ms, &r);
    rd_kafka_topic_t *rkt = warm(rk, topic);
    struct {
        char name[16];
        size_t size;
        int32_t partition;
    } *keys = calloc(entities, sizeof *keys);
    for (uint32_t i = 0; i < entities; i++) {
        keys[i].size = (size_t)snprintf(keys[i].name, sizeof keys[i].name, "acct/%u", i);
        keys[i].partition = pdr_partition_of(pdr_bytes_of(keys[i].name, keys[i].size), partitions);
    }
    double start = bench_now(), cpu = bench_cpu();
    uint32_t next = 0;
    for (uint64_t sent = 0; r.done < count;) {
        for (int i = 0; i < 256 && sent < count && sent - r.done < window; i++) {
            if (produce(rk, rkt, keys[next].partition, keys[next].name, keys[next].size, &record)) break;
            sent++;
            if (++next == entities) next = 0;
        }
        rd_kafka_poll(rk, sent == count || sent - r.done >= window ? 100 : 0);
    }
    double seconds = bench_now() - start;
    fprintf(stderr, "  bare: %.2f us of CPU a record\n", (bench_cpu() - cpu) * 1e6 / (double)count);
    rd_kafka_topic_destroy(rkt);
    rd_kafka_destroy(rk);
    free(keys);
    return (double)count / seconds;
}

void bare_kafka_ask(const char *brokers, const char *topic, size_t count, double *out)
{
    reports r = {0};
    bare_record record;
    bare_record_make(&record);
    rd_kafka_t *rk = producer(brokers, "0", &r);
    rd_kafka_topic_t *rkt = warm(rk, topic);
    for (size_t i = 0; i < count + 100; i++) {
        double start = bench_now();
        uint64_t wanted = r.done + 1;
        if (produce(rk, rkt, 0, "acct/0", 6, &record)) bench_die("produce", NULL);
        while (r.done < wanted)
            rd_kafka_poll(rk, 1000);
        if (i >= 100) out[i - 100] = (bench_now() - start) * 1e6;
    }
    rd_kafka_topic_destroy(rkt);
    rd_kafka_destroy(rk);
}

/* From offset 0 of each of these partitions. */
static double consume(const char *brokers, const char *topic, int32_t partitions, uint64_t count)
{
    enum { BATCH = 10000 };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", "bench");
    set(conf, "enable.auto.commit", "false");
    set(conf, "isolation.level", "read_uncommitted");
    set(conf, "check.crcs", "true");
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, brokers, conf);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(rk);
    rd_kafka_topic_t *rkt = warm(rk, topic);
    rd_kafka_message_t **messages = calloc(BATCH, sizeof *messages);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int32_t i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = 0;
    double start = bench_now(), cpu = bench_cpu();
    rd_kafka_assign(rk, list);
    uint64_t got = 0;
    while (got < count) {
        ssize_t n = rd_kafka_consume_batch_queue(queue, 1000, messages, BATCH);
        for (ssize_t i = 0; i < n; i++) {
            if (!messages[i]->err) got++;
            rd_kafka_message_destroy(messages[i]);
        }
    }
    double seconds = bench_now() - start;
    fprintf(stderr, "  bare: %.2f us of CPU a record\n", (bench_cpu() - cpu) * 1e6 / (double)got);
    rd_kafka_topic_partition_list_destroy(list);
    free(messages);
    rd_kafka_queue_destroy(queue);
    rd_kafka_topic_destroy(rkt);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return (double)got / seconds;
}

double bare_kafka_consume(const char *brokers, const char *topic, uint64_t count)
{
    return consume(brokers, topic, 1, count);
}

double bare_kafka_consume_all(const char *brokers, const char *topic, int32_t partitions, uint64_t count)
{
    return consume(brokers, topic, partitions, count);
}
