#include "backends/kafka/internal.h"

/* One idempotent producer: records in, reports out. A record in flight is known by the index of its ticket,
 * which travels as librdkafka's opaque, so that a report costs no look-up and an append no allocation of
 * ours. Tickets are given out round and round: reports, which come in runs, then find theirs side by side. */
enum { FIRST_TICKETS = 1024 };

static bool add_tickets(kafka_producer *p)
{
    uint32_t count = p->ticket_count ? p->ticket_count * 2 : FIRST_TICKETS;
    kafka_ticket *grown = pdr_realloc(p->tickets, count * sizeof *grown);
    if (!grown) return false;
    for (uint32_t i = p->ticket_count; i < count; i++)
        grown[i].slot = KAFKA_NO_WRITER;
    p->next_ticket = p->ticket_count;
    p->tickets = grown;
    p->ticket_count = count;
    return true;
}

/* A free ticket: at least half of them are, so the way to the next one is short on average. False: no memory.
 */
static bool find_ticket(kafka_producer *p)
{
    if (PDR_UNLIKELY(2 * p->open_tickets >= p->ticket_count) && !add_tickets(p)) return false;
    while (p->tickets[p->next_ticket].slot != KAFKA_NO_WRITER)
        p->next_ticket = (p->next_ticket + 1) & (p->ticket_count - 1);
    return true;
}

static bool count_partition(kafka_producer *p, int32_t partition)
{
    if (PDR_LIKELY(partition < p->partitions)) return true;
    uint32_t *grown = pdr_realloc(p->in_flight, ((size_t)partition + 1) * sizeof *grown);
    if (!grown) return false;
    for (int32_t i = p->partitions; i <= partition; i++)
        grown[i] = 0;
    p->in_flight = grown;
    p->partitions = partition + 1;
    return true;
}

uint32_t kafka_producer_in_flight(const kafka_producer *producer, int32_t partition)
{
    return partition < producer->partitions ? producer->in_flight[partition] : 0;
}

pdr_code kafka_producer_open(kafka_producer **out, pdr_kafka *log, pdr_error *err)
{
    kafka_producer *p = pdr_calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "no memory for a Kafka producer");
    pdr_code code = kafka_client_open(&p->client, log, RD_KAFKA_PRODUCER, err);
    if (code != PDR_OK) {
        pdr_free(p);
        return code;
    }
    p->client.origin->producer = p;
    kafka_queue_watch(p->client.events, &log->bell);
    p->next = log->producers;
    log->producers = p;
    *out = p;
    return PDR_OK;
}

void kafka_producer_retire(pdr_kafka *log, kafka_producer *producer)
{
    producer->retired = true;
    if (log->shared == producer) log->shared = NULL;
    if (!log->in_poll) kafka_producers_sweep(log);
}

void kafka_producers_sweep(pdr_kafka *log)
{
    for (kafka_producer **link = &log->producers; *link;) {
        kafka_producer *p = *link;
        if (!p->retired) {
            link = &p->next;
            continue;
        }
        *link = p->next;
        kafka_queue_watch(p->client.events, NULL);
        kafka_keeper_destroy(log->keeper, p->client);
        pdr_free(p->tickets);
        pdr_free(p->in_flight);
        pdr_free(p);
    }
}

static void put(rd_kafka_vu_t *vus, size_t *count, const char *name, pdr_bytes value)
{
    if (!value.data) return;
    vus[*count].vtype = RD_KAFKA_VTYPE_HEADER;
    vus[*count].u.header.name = name;
    vus[*count].u.header.val = value.data;
    vus[*count].u.header.size = (ssize_t)value.size;
    ++*count;
}

/* librdkafka's unions take pointers to non-const bytes but, told to copy, only read them. */
static void *readable(const uint8_t *data)
{
    return (void *)(uintptr_t)data;
}

static size_t describe(rd_kafka_vu_t *vus, const kafka_producer *p, int32_t partition, const pdr_log_entry *e)
{
    size_t n = 0;
    vus[n].vtype = RD_KAFKA_VTYPE_RKT;
    vus[n++].u.rkt = p->client.topic;
    vus[n].vtype = RD_KAFKA_VTYPE_PARTITION;
    vus[n++].u.i32 = partition;
    vus[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    vus[n++].u.i = RD_KAFKA_MSG_F_COPY;
    if (e->key.data) {
        vus[n].vtype = RD_KAFKA_VTYPE_KEY;
        vus[n].u.mem.ptr = readable(e->key.data);
        vus[n++].u.mem.size = e->key.size;
    }
    if (e->value.data) {
        vus[n].vtype = RD_KAFKA_VTYPE_VALUE;
        vus[n].u.mem.ptr = readable(e->value.data);
        vus[n++].u.mem.size = e->value.size;
    }
    put(vus, &n, "pdr", e->header);
    put(vus, &n, "pdr-schema", e->schema);
    put(vus, &n, "traceparent", e->trace);
    return n;
}

static pdr_code refused(rd_kafka_error_t *error, int32_t partition, pdr_error *err)
{
    rd_kafka_resp_err_t why = rd_kafka_error_code(error);
    pdr_code code = kafka_code(why);
    if (err)
        code = pdr_fail_backend(err, code, (int32_t)why, "partition %d: %s", (int)partition,
                                rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return code;
}

pdr_code kafka_producer_append(kafka_producer *producer, const kafka_writer *writer,
                               const pdr_log_entry *entry, uint64_t tag, pdr_error *err)
{
    kafka_producer *p = producer;
    if (!find_ticket(p)) return pdr_fail(err, PDR_NOMEM, "no memory for a record in flight");
    if (!count_partition(p, writer->partition))
        return pdr_fail(err, PDR_NOMEM, "no memory for a partition's count");
    uint32_t index = p->next_ticket;
    rd_kafka_vu_t vus[10];
    size_t count = describe(vus, p, writer->partition, entry);
    vus[count].vtype = RD_KAFKA_VTYPE_OPAQUE;
    vus[count++].u.ptr = (void *)(uintptr_t)(index + 1);
    rd_kafka_error_t *error = rd_kafka_produceva(p->client.rk, vus, count);
    if (PDR_UNLIKELY(error != NULL)) return refused(error, writer->partition, err);
    p->tickets[index] = (kafka_ticket){tag, writer->slot, writer->generation};
    p->next_ticket = (index + 1) & (p->ticket_count - 1);
    p->open_tickets++;
    p->in_flight[writer->partition]++;
    return PDR_OK;
}

int64_t kafka_producer_offset(kafka_producer *producer, int64_t told)
{
    kafka_producer *p = producer;
    p->offsets_broken = told < 0 || (p->offsets_broken && told == p->last_offset + 1);
    p->last_offset = told;
    return p->offsets_broken ? -1 : told;
}

static kafka_ticket redeem(kafka_producer *p, const rd_kafka_message_t *message)
{
    uint32_t index = (uint32_t)(uintptr_t)message->_private - 1;
    kafka_ticket ticket = p->tickets[index];
    p->tickets[index].slot = KAFKA_NO_WRITER;
    p->open_tickets--;
    p->in_flight[message->partition]--;
    return ticket;
}

/* The writer that still waits for the ticket's report, or NULL. */
static kafka_writer *waiting(const pdr_kafka *log, kafka_ticket ticket)
{
    kafka_writer *writer = log->writers[ticket.slot];
    return writer && writer->generation == ticket.generation ? writer : NULL;
}

static void tell(pdr_kafka *log)
{
    size_t count = log->report_count;
    kafka_writer *writer = count ? waiting(log, log->reports_to) : NULL;
    log->report_count = 0;
    if (!writer) return;
    log->callbacks++;
    writer->events.reports(writer->context, log->reports, count);
}

void kafka_producer_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *origin)
{
    (void)rk;
    kafka_producer *p = ((kafka_origin *)origin)->producer;
    pdr_kafka *log = ((kafka_origin *)origin)->log;
    kafka_ticket ticket = redeem(p, message);
    bool other = ticket.slot != log->reports_to.slot || ticket.generation != log->reports_to.generation;
    if (log->report_count == KAFKA_BATCH || (log->report_count && other)) tell(log);
    kafka_writer *writer = waiting(log, ticket); /* looked up after the callback, which may close it */
    if (!writer) return;
    bool fine = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    writer->worked |= fine;
    log->reports_to = ticket;
    log->reports[log->report_count++] =
        (pdr_log_report){ticket.tag, kafka_code(message->err), (int32_t)message->err,
                         fine ? kafka_producer_offset(p, message->offset) : -1};
}

void kafka_producer_error(kafka_producer *producer, rd_kafka_resp_err_t why)
{
    pdr_kafka *log = producer->client.origin->log;
    if (why != RD_KAFKA_RESP_ERR__FATAL || producer->retired) return;
    char reason[300];
    rd_kafka_resp_err_t cause = rd_kafka_fatal_error(producer->client.rk, reason, sizeof reason);
    pdr_error error;
    pdr_code ignored = pdr_fail_backend(&error, PDR_FATAL, (int32_t)cause, "Kafka producer: %s", reason);
    (void)ignored;
    tell(log);
    kafka_writers_break(log, producer, &error);
}

void kafka_producer_poll(pdr_kafka *log, kafka_producer *producer)
{
    if (rd_kafka_poll(producer->client.rk, 0)) tell(log);
}
