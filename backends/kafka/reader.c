#include "backends/kafka/internal.h"

#include <inttypes.h>

/* A reader is one partition of one consumer client, with a queue of its own. */

static int64_t first_offset(int64_t from)
{
    if (from >= 0) return from;
    int64_t count = -1 - from;
    return count ? RD_KAFKA_OFFSET_TAIL(count) : RD_KAFKA_OFFSET_END;
}

/* Where the log ends is a question for the leader. A client that doesn't know it yet asks again only after
 * half a second (librdkafka 2.0.2), while a fetch goes out as soon as the leader is known: so a new client
 * first fetches what no log holds, and asks when that was refused. */
static const int64_t nowhere = INT64_MAX / 2;

static pdr_code start(kafka_reader *r, int64_t offset, pdr_error *err)
{
    r->scouting = offset < 0 && offset != RD_KAFKA_OFFSET_BEGINNING && !r->consumer->warm;
    if (r->scouting) offset = nowhere;
    if (rd_kafka_consume_start_queue(r->consumer->client.topic, r->partition, offset, r->queue) == 0)
        return PDR_OK;
    rd_kafka_resp_err_t why = rd_kafka_last_error();
    return pdr_fail_backend(err, kafka_code(why), (int32_t)why, "can't read partition %d: %s",
                            (int)r->partition, rd_kafka_err2str(why));
}

/* Waits for librdkafka's main thread, never for a broker. Of a reader that never learnt its place librdkafka
 * 2.0.2 may ask the leader for it even now, after half a second, and would begin the next reader of the
 * partition there, wherever that was to begin: so this client gets none. */
static void stop(kafka_reader *r)
{
    if (!r->consumer) return;
    r->consumer->spent |= r->position < 0;
    kafka_queue_watch(r->queue, NULL);
    rd_kafka_consume_stop(r->consumer->client.topic, r->partition);
    rd_kafka_queue_destroy(r->queue);
    kafka_consumer *consumer = r->consumer;
    r->queue = NULL;
    r->consumer = NULL;
    kafka_consumer_give_back(r->log, consumer);
}

pdr_code kafka_reader_open(pdr_log *base, int32_t partition, int64_t from,
                           const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                           pdr_error *err)
{
    pdr_kafka *log = (pdr_kafka *)base;
    pdr_code code = kafka_partition_check(log, partition, err);
    if (code != PDR_OK) return code;
    if (from < PDR_LOG_TAIL(INT32_MAX)) from = PDR_LOG_TAIL(INT32_MAX);
    kafka_reader *r = pdr_calloc(1, sizeof *r);
    if (!r) return pdr_fail(err, PDR_NOMEM, "no memory for a reader");
    *r = (kafka_reader){.base.ops = base->ops, .log = log, .events = *events, .context = context};
    r->partition = partition;
    r->from = from;
    r->position = from >= 0 ? from : -1;
    r->heard_us = kafka_now_us();
    code = kafka_consumer_take(&r->consumer, log, partition, err);
    if (code != PDR_OK) {
        pdr_free(r);
        return code;
    }
    r->queue = rd_kafka_queue_new(r->consumer->client.rk);
    kafka_queue_watch(r->queue, &log->bell);
    r->next = log->readers;
    log->readers = r;
    code = start(r, first_offset(from), err);
    if (code != PDR_OK) {
        kafka_reader_close(&r->base);
        return code;
    }
    *out = &r->base;
    return PDR_OK;
}

void kafka_reader_close(pdr_log_reader *base)
{
    kafka_reader *r = (kafka_reader *)base;
    if (!r) return;
    stop(r);
    r->closed = true;
    if (!r->log->in_poll) kafka_readers_sweep(r->log);
}

void kafka_readers_sweep(pdr_kafka *log)
{
    for (kafka_reader **link = &log->readers; *link;) {
        kafka_reader *r = *link;
        if (r->closed) {
            *link = r->next;
            pdr_free(r);
        } else {
            link = &r->next;
        }
    }
}

static bool quiet(const kafka_reader *r)
{
    return r->closed || r->paused || !r->consumer;
}

static void fail(kafka_reader *r, const pdr_error *error)
{
    stop(r);
    r->log->callbacks++;
    r->events.failed(r->context, error);
}

/* Fetch anew from `offset`, and have the end told again. What comes twice by this is left out by its offset.
 */
static void restart(kafka_reader *r, int64_t offset)
{
    rd_kafka_consume_stop(r->consumer->client.topic, r->partition);
    pdr_error error;
    if (start(r, offset, &error) != PDR_OK) fail(r, &error);
}

void kafka_reader_pause(pdr_log_reader *base, bool paused)
{
    kafka_reader *r = (kafka_reader *)base;
    if (r->paused && !paused) {
        r->heard_us = kafka_now_us();
        r->log->again = true;
    }
    r->paused = paused;
}

void kafka_reader_doubt(kafka_reader *reader, int64_t now_us)
{
    if (!reader->caught_up || quiet(reader)) return;
    reader->caught_up = false;
    reader->heard_us = now_us;
    restart(reader, reader->position);
}

static pdr_bytes *part_named(pdr_log_entry *entry, const char *name)
{
    if (strcmp(name, "pdr") == 0) return &entry->header;
    if (strcmp(name, "pdr-schema") == 0) return &entry->schema;
    return strcmp(name, "traceparent") == 0 ? &entry->trace : NULL;
}

/* False: there was no room for a copy, `to` borrows. */
static bool copy_header(pdr_kafka *log, pdr_bytes *to, const void *value, size_t size)
{
    *to = pdr_bytes_of(value, size);
    if (!value) return true;
    if (size > sizeof log->headers - log->headers_used) return false;
    to->data = memcpy(log->headers + log->headers_used, value, size);
    log->headers_used += size;
    return true;
}

/* librdkafka makes a list of headers on the heap for each message. Copying what is ours and dropping the list
 * at once, not with the batch, saves a fifth of this thread's time: the allocator gives the same pieces
 * again. */
static void read_headers(pdr_kafka *log, rd_kafka_message_t *message, pdr_log_entry *entry)
{
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    size_t count = rd_kafka_header_cnt(headers);
    bool copied = true;
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR) break;
        pdr_bytes *part = part_named(entry, name);
        if (part && !copy_header(log, part, value, size)) copied = false;
    }
    if (copied && rd_kafka_message_detach_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_headers_destroy(headers);
}

static void read_record(pdr_kafka *log, rd_kafka_message_t *message, pdr_log_record *record)
{
    rd_kafka_timestamp_type_t kind;
    record->offset = message->offset;
    record->append_ms = rd_kafka_message_timestamp(message, &kind);
    record->entry = (pdr_log_entry){.key = pdr_bytes_of(message->key, message->key_len),
                                    .value = pdr_bytes_of(message->payload, message->len)};
    read_headers(log, message, &record->entry);
}

static void deliver(kafka_reader *r, size_t count)
{
    r->dropped |= count && r->paused;
    if (!count || quiet(r)) return;
    r->caught_up = false;
    r->consumer->warm = true;
    r->position = r->log->records[count - 1].offset + 1;
    r->log->callbacks++;
    r->events.records(r->context, r->log->records, count);
}

static void reach_end(kafka_reader *r, int64_t end)
{
    r->dropped |= r->paused;
    if (quiet(r) || end < r->position) return;
    r->consumer->warm = true;
    r->caught_up = true;
    r->position = end;
    r->log->callbacks++;
    r->events.end(r->context, end);
}

static void serve_trouble(kafka_reader *r, const rd_kafka_message_t *message)
{
    r->dropped |= r->paused;
    if (quiet(r)) return;
    pdr_code code = kafka_code(message->err);
    bool young = r->position < 0;
    if (code == PDR_OUT_OF_RANGE && r->scouting) {
        r->consumer->warm = true;
        restart(r, first_offset(r->from));
        return;
    }
    if (code == PDR_OUT_OF_RANGE && young) { /* fewer records than asked for: begin at the first there is */
        restart(r, RD_KAFKA_OFFSET_BEGINNING);
        return;
    }
    pdr_error error;
    code = pdr_fail_backend(&error, code, (int32_t)message->err, "partition %d at offset %" PRId64 ": %s",
                            (int)r->partition, r->position, rd_kafka_message_errstr(message));
    fail(r, &error);
}

/* The messages in order: runs of records, ends and errors between them. What was taken from the queue behind
 * an error is of the fetch that the error ended: often the same error again, which isn't about what was begun
 * in its place. */
static void serve_batch(kafka_reader *r, rd_kafka_message_t **messages, size_t count)
{
    size_t records = 0, bytes = 0;
    r->log->headers_used = 0;
    for (size_t i = 0; i < count; i++) {
        rd_kafka_message_t *m = messages[i];
        if (PDR_LIKELY(m->err == RD_KAFKA_RESP_ERR_NO_ERROR)) {
            if (m->offset < r->position) continue;
            read_record(r->log, m, &r->log->records[records++]);
            bytes += m->len + m->key_len;
            continue;
        }
        deliver(r, records);
        records = 0;
        if (m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            serve_trouble(r, m);
            break;
        }
        reach_end(r, m->offset);
    }
    deliver(r, records);
    r->mean_bytes = bytes / count;
    for (size_t i = 0; i < count; i++)
        rd_kafka_message_destroy(messages[i]);
}

/* When enough is read ahead, librdkafka 2.0.2 stops fetching and looks again only after up to a second; so it
 * is woken when half of that is used up. */
static void note_read_ahead(kafka_reader *r, size_t taken)
{
    size_t waiting = rd_kafka_queue_length(r->queue);
    const kafka_settings *s = &r->log->settings;
    size_t most = s->read_ahead_records;
    if (r->mean_bytes && s->read_ahead_bytes / r->mean_bytes < most)
        most = s->read_ahead_bytes / r->mean_bytes;
    if (taken + waiting >= most / 4 * 3) r->throttled = true;
    if (r->throttled && waiting <= most / 2) {
        r->throttled = false;
        kafka_keeper_nudge(r->log->keeper, &r->consumer->client, r->partition);
    }
}

/* Nothing came for too long; what the client complained of since it last got something says why. */
static void give_up(kafka_reader *r)
{
    const pdr_error *trouble = &r->consumer->trouble;
    pdr_error error;
    pdr_code code = trouble->code ? trouble->code : PDR_UNAVAILABLE;
    code = pdr_fail_backend(&error, code, trouble->backend,
                            "partition %d: nothing heard from Kafka for %d ms%s%s", (int)r->partition,
                            (int)(r->log->settings.unavailable_us / 1000), trouble->code ? "; last: " : "",
                            trouble->code ? trouble->message : "");
    (void)code;
    fail(r, &error);
}

void kafka_reader_poll(kafka_reader *reader, int64_t now_us)
{
    kafka_reader *r = reader;
    if (r->dropped && !quiet(r)) {
        r->dropped = false;
        restart(r, r->position < 0 ? first_offset(r->from) : r->position);
    }
    size_t taken = 0;
    for (int turn = 0; turn < KAFKA_BATCHES_A_TURN && !quiet(r); turn++) {
        ssize_t got = rd_kafka_consume_batch_queue(r->queue, 0, r->log->messages, KAFKA_BATCH);
        if (got <= 0) break;
        r->heard_us = now_us;
        taken += (size_t)got;
        r->consumer->trouble.code = PDR_OK;
        serve_batch(r, r->log->messages, (size_t)got);
    }
    if (taken && r->consumer) note_read_ahead(r, taken); /* also if it was paused over what came */
    if (!quiet(r) && !r->caught_up && kafka_reader_due_us(r, now_us) == 0) give_up(r);
}

int64_t kafka_reader_due_us(const kafka_reader *reader, int64_t now_us)
{
    if (quiet(reader) || reader->caught_up) return INT64_MAX;
    int64_t due = reader->heard_us + reader->log->settings.unavailable_us - now_us;
    return due > 0 ? due : 0;
}
