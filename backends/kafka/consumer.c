#include "backends/kafka/internal.h"

/* Readers share a few consumer clients. One client can read a partition at one place only, and has one fetch
 * under way per broker, so a reader gets an idle client if there is one, else a new one while there are few,
 * else one that reads other partitions. Idle clients are kept for the next reader. */

static bool reads(const pdr_kafka *log, const kafka_consumer *consumer, int32_t partition)
{
    for (const kafka_reader *r = log->readers; r; r = r->next)
        if (r->consumer == consumer && r->partition == partition) return true;
    return false;
}

static bool better(const kafka_consumer *a, const kafka_consumer *b)
{
    return a->readers != b->readers ? a->readers < b->readers : a->idle_since < b->idle_since;
}

static kafka_consumer *least_busy(const pdr_kafka *log, int32_t partition, unsigned *count)
{
    kafka_consumer *best = NULL;
    *count = 0;
    for (kafka_consumer *c = log->consumers; c; c = c->next) {
        ++*count;
        if (!c->spent && (!best || better(c, best)) && !reads(log, c, partition)) best = c;
    }
    return best;
}

static pdr_code open_consumer(kafka_consumer **out, pdr_kafka *log, pdr_error *err)
{
    kafka_consumer *c = pdr_calloc(1, sizeof *c);
    if (!c) return pdr_fail(err, PDR_NOMEM, "no memory for a Kafka consumer");
    pdr_code code = kafka_client_open(&c->client, log, RD_KAFKA_CONSUMER, err);
    if (code == PDR_OK) code = kafka_client_topic(&c->client, log, err);
    if (code != PDR_OK) {
        kafka_client_close(&c->client);
        pdr_free(c);
        return code;
    }
    c->client.origin->consumer = c;
    kafka_queue_watch(c->client.events, &log->bell);
    c->next = log->consumers;
    log->consumers = c;
    *out = c;
    return PDR_OK;
}

pdr_code kafka_consumer_take(kafka_consumer **out, pdr_kafka *log, int32_t partition, pdr_error *err)
{
    unsigned count;
    kafka_consumer *c = least_busy(log, partition, &count);
    bool more = !c || (c->readers && count < KAFKA_CLIENTS_KEPT);
    if (!c && count == KAFKA_CLIENTS_MAX)
        return pdr_fail(err, PDR_BUSY, "%d readers of partition %d are open, the most there can be",
                        KAFKA_CLIENTS_MAX, (int)partition);
    pdr_code code = more ? open_consumer(&c, log, err) : PDR_OK;
    if (code != PDR_OK) return code;
    c->readers++;
    *out = c;
    return PDR_OK;
}

static void close_consumer(pdr_kafka *log, kafka_consumer *consumer)
{
    for (kafka_consumer **link = &log->consumers; *link; link = &(*link)->next) {
        if (*link != consumer) continue;
        *link = consumer->next;
        break;
    }
    kafka_queue_watch(consumer->client.events, NULL);
    kafka_keeper_destroy(log->keeper, consumer->client);
    pdr_free(consumer);
}

void kafka_consumer_give_back(pdr_kafka *log, kafka_consumer *consumer)
{
    consumer->idle_since = ++log->readers_closed;
    if (--consumer->readers) return;
    unsigned count = 0;
    for (const kafka_consumer *c = log->consumers; c; c = c->next)
        count++;
    if (count > KAFKA_CLIENTS_KEPT || consumer->spent) close_consumer(log, consumer);
}

void kafka_consumer_error(kafka_consumer *consumer, rd_kafka_resp_err_t why, const char *reason)
{
    pdr_kafka *log = consumer->client.origin->log;
    pdr_code code = kafka_code(why) == PDR_NOT_INITIALISED ? PDR_NOT_INITIALISED : PDR_UNAVAILABLE;
    code = pdr_fail_backend(&consumer->trouble, code, (int32_t)why, "%s", reason);
    (void)code;
    int64_t now = kafka_now_us();
    for (kafka_reader *r = log->readers; r; r = r->next)
        if (r->consumer == consumer) kafka_reader_doubt(r, now);
}

void kafka_consumers_close(pdr_kafka *log)
{
    while (log->consumers)
        close_consumer(log, log->consumers);
}
