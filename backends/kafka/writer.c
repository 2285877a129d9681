#include "backends/kafka/internal.h"

/* Where a writer's records go. A writer starts on the shared producer, and moves alone to a private one when
 * it is renewed there, so that what the shared one still holds of its partition can't come between; the
 * shared one goes on for the others. A private one that is renewed is purged and replaced, or, if it had
 * worked, the writer goes back to the shared one once that holds nothing of the partition. */

static pdr_code open_shared(pdr_kafka *log, pdr_error *err)
{
    if (log->shared) return PDR_OK;
    kafka_producer *made;
    pdr_code code = kafka_producer_open(&made, log, err);
    if (code != PDR_OK) return code;
    log->shared = made;
    return PDR_OK;
}

static pdr_code ready(pdr_kafka *log, kafka_producer *p, pdr_error *err)
{
    if (p->client.topic) return PDR_OK;
    pdr_code code = kafka_client_topic(&p->client, log, err);
    if (code == PDR_OK) kafka_keeper_warm(log->keeper, &p->client);
    return code;
}

static pdr_code put_on_shared(kafka_writer *w, pdr_error *err)
{
    pdr_code code = ready(w->log, w->log->shared, err);
    if (code != PDR_OK) return code;
    w->producer = w->log->shared;
    w->apart = false;
    return PDR_OK;
}

static pdr_code put_on_private(kafka_writer *w, pdr_error *err)
{
    kafka_producer *made;
    pdr_code code = kafka_producer_open(&made, w->log, err);
    if (code != PDR_OK) return code;
    code = ready(w->log, made, err);
    if (code != PDR_OK) {
        kafka_producer_retire(w->log, made);
        return code;
    }
    w->producer = made;
    w->apart = true;
    return PDR_OK;
}

/* `shared_failed`: it was the shared producer, still alive, that didn't deliver. */
static pdr_code place(kafka_writer *w, bool shared_failed, pdr_error *err)
{
    pdr_code code = open_shared(w->log, err);
    if (code != PDR_OK) return code;
    bool clean = kafka_producer_in_flight(w->log->shared, w->partition) == 0;
    bool trusted = !w->apart || w->worked;
    return clean && trusted && !shared_failed ? put_on_shared(w, err) : put_on_private(w, err);
}

static pdr_code take_slot(pdr_kafka *log, kafka_writer *w, pdr_error *err)
{
    uint32_t slot = 0;
    while (slot < log->writer_slots && log->writers[slot])
        slot++;
    if (slot == log->writer_slots) {
        uint32_t count = slot ? slot * 2 : 16;
        kafka_writer **grown = pdr_realloc(log->writers, count * sizeof(kafka_writer *));
        if (!grown) return pdr_fail(err, PDR_NOMEM, "no memory for a writer");
        memset(grown + slot, 0, (count - slot) * sizeof(kafka_writer *));
        log->writers = grown;
        log->writer_slots = count;
    }
    w->slot = slot;
    log->writers[slot] = w;
    return PDR_OK;
}

pdr_code kafka_writer_open(pdr_log *base, int32_t partition, const pdr_log_writer_events *events,
                           void *context, pdr_log_writer **out, pdr_error *err)
{
    pdr_kafka *log = (pdr_kafka *)base;
    pdr_code code = kafka_partition_check(log, partition, err);
    if (code != PDR_OK) return code;
    kafka_writer *w = pdr_calloc(1, sizeof *w);
    if (!w) return pdr_fail(err, PDR_NOMEM, "no memory for a writer");
    *w = (kafka_writer){.base.ops = base->ops, .log = log, .events = *events, .context = context};
    w->partition = partition;
    w->generation = ++log->generations;
    code = place(w, false, err);
    if (code == PDR_OK) code = take_slot(log, w, err);
    if (code != PDR_OK) {
        if (w->producer && w->apart) kafka_producer_retire(log, w->producer);
        pdr_free(w);
        return code;
    }
    *out = &w->base;
    return PDR_OK;
}

void kafka_writer_close(pdr_log_writer *base)
{
    kafka_writer *w = (kafka_writer *)base;
    if (!w) return;
    w->log->writers[w->slot] = NULL;
    if (w->producer && w->apart) kafka_producer_retire(w->log, w->producer);
    pdr_free(w);
}

pdr_code kafka_writer_append(pdr_log_writer *base, const pdr_log_entry *entry, uint64_t tag, pdr_error *err)
{
    kafka_writer *w = (kafka_writer *)base;
    if (PDR_UNLIKELY(!w->producer))
        return pdr_fail(err, PDR_FATAL, "partition %d: the writer is broken", (int)w->partition);
    if (PDR_UNLIKELY(entry->key.size > PDR_LOG_MAX_KEY))
        return pdr_fail(err, PDR_TOO_LARGE, "a key of %zu bytes; at most %d", entry->key.size,
                        PDR_LOG_MAX_KEY);
    if (PDR_UNLIKELY(entry->value.size > PDR_LOG_MAX_VALUE))
        return pdr_fail(err, PDR_TOO_LARGE, "a value of %zu bytes; at most %d", entry->value.size,
                        PDR_LOG_MAX_VALUE);
    return kafka_producer_append(w->producer, w, entry, tag, err);
}

pdr_code kafka_writer_renew(pdr_log_writer *base, pdr_error *err)
{
    kafka_writer *w = (kafka_writer *)base;
    bool shared_failed = w->producer && !w->apart;
    if (w->producer && w->apart) kafka_producer_retire(w->log, w->producer);
    w->producer = NULL;
    w->break_due = false;
    w->generation = ++w->log->generations;
    pdr_code code = place(w, shared_failed, err);
    w->worked = false;
    return code;
}

/* Callbacks may open, renew and close writers meanwhile: marks first, then one by one, looked up by slot. */
void kafka_writers_break(pdr_kafka *log, kafka_producer *producer, const pdr_error *error)
{
    for (uint32_t i = 0; i < log->writer_slots; i++) {
        kafka_writer *w = log->writers[i];
        if (!w || w->producer != producer) continue;
        w->producer = NULL;
        w->generation = ++log->generations;
        w->break_due = true;
    }
    kafka_producer_retire(log, producer);
    for (uint32_t i = 0; i < log->writer_slots; i++) {
        kafka_writer *w = log->writers[i];
        if (!w || !w->break_due) continue;
        w->break_due = false;
        log->callbacks++;
        w->events.broken(w->context, error);
    }
}
