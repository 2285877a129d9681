#include "backends/kafka/internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CLOSE_TIMEOUT_MS = 5000 };

pdr_code kafka_partition_check(const pdr_kafka *log, int32_t partition, pdr_error *err)
{
    int32_t partitions = log->partitions ? log->partitions : PDR_LOG_MAX_PARTITIONS;
    if (partition >= 0 && partition < partitions) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "topic %s has no partition %d", log->topic, (int)partition);
}

static void kafka_close(pdr_log *base)
{
    pdr_kafka *log = (pdr_kafka *)base;
    for (kafka_producer *p = log->producers; p; p = p->next)
        p->retired = true;
    kafka_producers_sweep(log);
    kafka_consumers_close(log);
    kafka_keeper_close(log->keeper, CLOSE_TIMEOUT_MS);
    kafka_settings_release(&log->settings);
    if (log->bell.fd >= 0) close(log->bell.fd);
    pdr_free(log->writers);
    pdr_free(log);
}

/* The queues are read after the bell is silent again, so that nothing that comes in between is missed. */
static void answer_bell(kafka_bell *bell)
{
    uint64_t count;
    atomic_store(&bell->sleeping, false);
    atomic_store(&bell->rung, false);
    /* A thread that has said `written` may be about to write: then the next poll empties the descriptor. */
    if (atomic_load(&bell->written) && read(bell->fd, &count, sizeof count) > 0)
        atomic_store(&bell->written, false);
}

static size_t kafka_poll(pdr_log *base)
{
    pdr_kafka *log = (pdr_kafka *)base;
    answer_bell(&log->bell);
    log->again = false;
    log->callbacks = 0;
    log->in_poll = true;
    for (kafka_producer *p = log->producers; p; p = p->next)
        if (!p->retired) kafka_producer_poll(log, p);
    for (kafka_consumer *c = log->consumers; c; c = c->next)
        rd_kafka_poll(c->client.rk, 0);
    int64_t now = log->readers ? kafka_now_us() : 0;
    for (kafka_reader *r = log->readers; r; r = r->next)
        kafka_reader_poll(r, now);
    log->in_poll = false;
    kafka_producers_sweep(log);
    kafka_readers_sweep(log);
    return log->callbacks;
}

static int kafka_wait_on(pdr_log *base, struct pollfd *fds, int max, int64_t *due_us)
{
    pdr_kafka *log = (pdr_kafka *)base;
    atomic_store(&log->bell.sleeping, true);
    *due_us = log->again || atomic_load(&log->bell.rung) ? 0 : INT64_MAX;
    int64_t now = log->readers ? kafka_now_us() : 0;
    for (const kafka_reader *r = log->readers; r; r = r->next) {
        int64_t due = kafka_reader_due_us(r, now);
        if (due < *due_us) *due_us = due;
    }
    if (max < 1) return 0;
    fds[0] = (struct pollfd){.fd = log->bell.fd, .events = POLLIN};
    return 1;
}

static const pdr_log_ops kafka_ops = {
    .name = "kafka",
    .close = kafka_close,
    .info = kafka_info,
    .check = kafka_check,
    .writer_open = kafka_writer_open,
    .writer_close = kafka_writer_close,
    .append = kafka_writer_append,
    .writer_renew = kafka_writer_renew,
    .reader_open = kafka_reader_open,
    .reader_close = kafka_reader_close,
    .reader_pause = kafka_reader_pause,
    .poll = kafka_poll,
    .wait_on = kafka_wait_on,
};

/* Kafka's rule for topic names, with room for ".events". */
static pdr_code set_names(pdr_kafka *log, const pdr_kafka_options *options, pdr_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *name = options->journal;
    size_t size = name ? strlen(name) : 0;
    if (!options->brokers || !options->brokers[0])
        return pdr_fail(err, PDR_BAD_URL, "a Kafka journal's URL names at least one broker");
    if (!size || size + strlen(".events") >= sizeof log->journal || strspn(name, allowed) != size)
        return pdr_fail(err, PDR_BAD_URL,
                        "journal name \"%.80s\": 1 to %zu letters, digits, '.', '_' and '-'",
                        name ? name : "", sizeof log->journal - strlen(".events") - 1);
    snprintf(log->journal, sizeof log->journal, "%s", name);
    snprintf(log->topic, sizeof log->topic, "%s.events", name);
    return PDR_OK;
}

static pdr_code open_parts(pdr_kafka *log, const pdr_kafka_options *options, pdr_error *err)
{
    pdr_code code = set_names(log, options, err);
    if (code == PDR_OK) code = kafka_settings_init(&log->settings, options, err);
    if (code == PDR_OK) code = kafka_keeper_open(&log->keeper, options, err);
    if (code != PDR_OK) return code;
    log->bell.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (log->bell.fd < 0) return pdr_fail_backend(err, PDR_NOMEM, errno, "can't make an eventfd");
    /* Both kinds of client at once: settings that don't go together show here. */
    kafka_consumer *consumer;
    code = kafka_consumer_take(&consumer, log, 0, err);
    if (code != PDR_OK) return code;
    kafka_consumer_give_back(log, consumer);
    return options->reads_only ? PDR_OK : kafka_producer_open(&log->shared, log, err);
}

pdr_code pdr_kafka_log_open(pdr_log **out, const pdr_kafka_options *options, pdr_error *err)
{
    pdr_kafka *log = pdr_calloc(1, sizeof *log);
    if (!log) return pdr_fail(err, PDR_NOMEM, "no memory for a Kafka log");
    log->base.ops = &kafka_ops;
    log->bell.fd = -1;
    pdr_code code = open_parts(log, options, err);
    if (code != PDR_OK) {
        kafka_close(&log->base);
        return code;
    }
    *out = &log->base;
    return PDR_OK;
}
