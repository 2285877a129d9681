#include "actors/reader.h"

#include <errno.h>
#include <poll.h>

#include "actors/waiter.h"
#include "base/mem.h"

void pdr_reader_fail(pdr_reader *reader, pdr_code code, const pdr_error *why)
{
    if (reader->failure.code != PDR_OK) return;
    if (why && why->code == code)
        reader->failure = *why;
    else
        code = pdr_fail(&reader->failure, code, "%s", pdr_code_text(code));
}

/* --- commits into the queue --- */

static pdr_code take_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                            pdr_error *err)
{
    (void)before;
    pdr_reader *reader = context;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = pdr_event_queue_put(&reader->queue, reader->partition, events[i].record, events[i].header,
                                   reader->commits.walk.at, err);
    return code;
}

/* One that can't be read explains nothing: the event that needs it says so. */
pdr_code pdr_reader_meet(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err)
{
    (void)header;
    pdr_reader *reader = context;
    uint64_t fingerprint;
    if (verdict != PDR_VERDICT_SCHEMA) return PDR_OK;
    pdr_code code = pdr_schema_book_take(reader->journal->book, record, &fingerprint, err);
    return code == PDR_NOMEM ? code : PDR_OK;
}

static const pdr_commit_sink partition_sink = {take_commit, pdr_reader_meet};

void pdr_reader_throttle(pdr_reader *reader)
{
    bool full = reader->queue.bytes > reader->journal->plan.settings.read_ahead_bytes;
    if (full == reader->paused) return;
    if (reader->history)
        pdr_entity_reader_pause(reader->history, full);
    else if (reader->records)
        reader->log->ops->reader_pause(reader->records, full);
    else
        return;
    reader->paused = full;
}

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_reader *reader = context;
    for (size_t i = 0; i < count && reader->failure.code == PDR_OK; i++) {
        pdr_error err;
        pdr_code code = pdr_commit_reader_take(&reader->commits, &records[i], &err);
        if (code != PDR_OK) pdr_reader_fail(reader, code, &err);
        reader->next_offset = records[i].offset + 1;
    }
    pdr_reader_throttle(reader);
}

static void saw_end(void *context, int64_t end)
{
    pdr_reader *reader = context;
    reader->ended = true;
    reader->told_end = end;
}

static void saw_failure(void *context, const pdr_error *error)
{
    pdr_reader_fail(context, error->code, error);
}

static const pdr_log_reader_events record_events = {saw_records, saw_end, saw_failure};

pdr_code pdr_reader_begin(pdr_reader *reader, const pdr_commit_sink *sink, pdr_error *err)
{
    pdr_commit_reader_init(&reader->commits, reader->position, sink, reader);
    reader->begun = true;
    reader->next_offset = reader->position.offset + 1;
    return reader->log->ops->reader_open(reader->log, reader->partition, reader->position.offset + 1,
                                         &record_events, reader, &reader->records, err);
}

/* --- where does the log end now? A reader of nothing but what is to come is told. --- */

static void look_records(void *context, const pdr_log_record *records, size_t count)
{
    (void)context;
    (void)records;
    (void)count;
}

static void look_end(void *context, int64_t end)
{
    pdr_reader *reader = context;
    reader->looked = true;
    reader->seen_end = end;
    reader->log->ops->reader_close(reader->look);
    reader->look = NULL;
}

static const pdr_log_reader_events look_events = {look_records, look_end, saw_failure};

static pdr_code look_at_end(pdr_reader *reader, pdr_error *err)
{
    if (reader->look || reader->looked) return PDR_OK;
    return reader->log->ops->reader_open(reader->log, reader->partition, PDR_LOG_TAIL(0), &look_events,
                                         reader, &reader->look, err);
}

static bool has_reached_end(const pdr_reader *reader)
{
    int64_t read_to = reader->told_end > reader->next_offset ? reader->told_end : reader->next_offset;
    return reader->looked && read_to >= reader->seen_end;
}

/* --- waiting --- */

static void sleep_until(pdr_reader *reader, int64_t until)
{
    struct pollfd fds[PDR_MAX_FDS];
    int64_t log_us = INT64_MAX, store_us = INT64_MAX;
    int count = reader->log->ops->wait_on(reader->log, fds, PDR_MAX_FDS, &log_us);
    if (reader->store)
        count += reader->store->ops->wait_on(reader->store, fds + count, PDR_MAX_FDS - count, &store_us);
    int64_t left = until == INT64_MAX ? INT64_MAX : until - pdr_mono_us();
    if (log_us < left) left = log_us;
    if (store_us < left) left = store_us;
    if (left <= 0) return;
    struct timespec timeout = {(time_t)(left / 1000000), (long)(left % 1000000) * 1000};
    int woken = ppoll(fds, (nfds_t)count, left == INT64_MAX ? NULL : &timeout, NULL);
    PDR_INVARIANT("fds-can-be-polled", woken >= 0 || errno == EINTR || errno == ENOMEM);
}

static size_t poll_connections(pdr_reader *reader)
{
    size_t came = reader->log->ops->poll(reader->log);
    return came + (reader->store ? reader->store->ops->poll(reader->store) : 0);
}

/* The first call opens the reader, so the end that it is told is one of this call's time. */
static pdr_code begin_call(pdr_reader *reader, int timeout_ms, pdr_error *err)
{
    if (reader->step != PDR_READER_PARTITION) return pdr_history_reader_begin(reader, err);
    reader->looked = false;
    pdr_code code = reader->records ? PDR_OK : pdr_reader_begin(reader, &partition_sink, err);
    if (code == PDR_OK && timeout_ms != 0) code = look_at_end(reader, err);
    return code;
}

static bool is_over(pdr_reader *reader, int timeout_ms, size_t came)
{
    if (reader->seek) return timeout_ms == 0 && came == 0;
    if (reader->failure.code != PDR_OK || reader->step == PDR_READER_DONE) return true;
    if (reader->step != PDR_READER_PARTITION) return false;
    return timeout_ms == 0 ? came == 0 : has_reached_end(reader);
}

/* --- the schema that the next event was written with, if nobody knows it --- */

static void sought(void *context, pdr_code code, const pdr_error *error)
{
    pdr_reader *reader = context;
    if (code != PDR_OK && code != PDR_NOT_FOUND) reader->seek_failed = *error;
    pdr_schema_seek_close(reader->seek);
    reader->seek = NULL;
}

static pdr_code seek_schema(pdr_reader *reader, pdr_error *err)
{
    pdr_code code = pdr_schema_seek_open(&reader->seek, reader->log, reader->store, reader->journal->book,
                                         &reader->queue.lacks, sought, reader, err);
    if (code != PDR_OK) pdr_event_queue_ask_again(&reader->queue);
    return code;
}

static pdr_code tell_seek_failure(pdr_reader *reader, pdr_error *err)
{
    pdr_code code = reader->seek_failed.code;
    if (err) *err = reader->seek_failed;
    reader->seek_failed.code = PDR_OK;
    pdr_event_queue_ask_again(&reader->queue);
    return code;
}

/* --- next --- */

/* *event NULL: the queue is empty, also if it held only events that upcasters drop; or its first event waits
 * for `seek`. */
static pdr_code take(pdr_reader *reader, const pdr_logged_event **event, pdr_error *err)
{
    *event = NULL;
    if (reader->seek_failed.code != PDR_OK) return tell_seek_failure(reader, err);
    if (reader->seek) return PDR_OK;
    pdr_code code = pdr_event_queue_take(&reader->queue, event, err);
    if (code == PDR_UNKNOWN_SCHEMA) return seek_schema(reader, err);
    if (code != PDR_OK || *event) return code;
    pdr_event_queue_forget(&reader->queue);
    pdr_reader_throttle(reader);
    return PDR_OK;
}

static pdr_code read_on(pdr_reader *reader, const pdr_logged_event **event, int timeout_ms, pdr_error *err)
{
    int64_t until = pdr_deadline_us(timeout_ms);
    for (;;) {
        size_t came = poll_connections(reader);
        pdr_code code = take(reader, event, err);
        if (code != PDR_OK || *event) return code;
        if (is_over(reader, timeout_ms, came)) return PDR_OK;
        if (came) continue;
        if (pdr_mono_us() >= until)
            return pdr_fail(err, PDR_TIMEOUT, "nothing was read in %d ms", timeout_ms);
        sleep_until(reader, until);
    }
}

static pdr_code check_call(const pdr_reader *reader, const void *event, int timeout_ms, pdr_error *err)
{
    if (!reader || !event) return pdr_fail(err, PDR_INVALID_ARGUMENT, "reader or event is NULL");
    if (pdr_guard_is_parents(reader->journal))
        return pdr_fail(err, PDR_CLOSED, "the reader was opened before a fork, by the parent process");
    if (timeout_ms != 0 && pdr_guard_in_completion(reader->journal))
        return pdr_fail(err, PDR_WRONG_THREAD, "a completion may read only with a timeout of 0");
    return PDR_OK;
}

pdr_code pdr_reader_next(pdr_reader *reader, const pdr_logged_event **event, int timeout_ms, pdr_error *err)
{
    pdr_code code = check_call(reader, event, timeout_ms, err);
    if (code != PDR_OK) return code;
    code = take(reader, event, err);
    if (code != PDR_OK || *event) return code;
    if (reader->failure.code == PDR_OK || reader->seek) {
        if (reader->failure.code == PDR_OK) code = begin_call(reader, timeout_ms, err);
        if (code == PDR_OK) code = read_on(reader, event, timeout_ms, err);
        if (code != PDR_OK || *event) return code;
    }
    if (reader->failure.code == PDR_OK || reader->seek) return PDR_OK;
    if (err) *err = reader->failure;
    return reader->failure.code;
}

/* --- open and close --- */

static pdr_code open_reader(pdr_reader **out, pdr_journal *journal, pdr_error *err)
{
    pdr_reader *reader = pdr_calloc(1, sizeof *reader);
    if (!reader) return pdr_fail(err, PDR_NOMEM, "a reader");
    reader->journal = journal;
    pdr_code code = pdr_event_queue_init(&reader->queue, journal->plan.app, journal->book, err);
    if (code == PDR_OK) code = pdr_backends_log_open(&journal->plan.backends, &reader->log, err);
    *out = reader;
    return code;
}

pdr_code pdr_reader_open(pdr_reader **out, pdr_journal *journal, int32_t partition, pdr_position from,
                         pdr_error *err)
{
    if (!out) return pdr_fail(err, PDR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    pdr_code code = pdr_guard_enter(journal, err);
    if (code != PDR_OK) return code;
    if (partition < 0 || partition >= journal->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d: the journal has 0 to %d", (int)partition,
                        (int)journal->partitions - 1);
    if (from.offset < -1 || from.offset == INT64_MAX)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a position's offset is %lld", (long long)from.offset);
    pdr_reader *reader = NULL;
    code = open_reader(&reader, journal, err);
    if (code != PDR_OK) {
        pdr_reader_close(reader);
        return code;
    }
    reader->step = PDR_READER_PARTITION;
    reader->partition = partition;
    reader->position = from;
    *out = reader;
    return PDR_OK;
}

pdr_code pdr_history_reader_open(pdr_reader **out, pdr_journal *journal, pdr_string entity,
                                 uint64_t after_seq, pdr_error *err)
{
    if (!out) return pdr_fail(err, PDR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    pdr_code code = pdr_guard_enter(journal, err);
    if (code != PDR_OK) return code;
    if (!entity.data || entity.size == 0 || entity.size > PDR_MAX_ENTITY_ID)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id has 1 to %d bytes", PDR_MAX_ENTITY_ID);
    pdr_reader *reader = NULL;
    code = open_reader(&reader, journal, err);
    if (code == PDR_OK) code = pdr_backends_store_open(&journal->plan.backends, &reader->store, err);
    if (code != PDR_OK) {
        pdr_reader_close(reader);
        return code;
    }
    reader->step = PDR_READER_HISTORY;
    reader->partition = pdr_journal_partition_of(journal, entity);
    memcpy(reader->key, entity.data, entity.size);
    reader->key_size = entity.size;
    reader->after_seq = after_seq;
    *out = reader;
    return PDR_OK;
}

void pdr_reader_close(pdr_reader *reader)
{
    if (!reader || pdr_guard_is_parents(reader->journal)) return;
    pdr_entity_reader_close(reader->history);
    pdr_schema_seek_close(reader->seek);
    if (reader->log) {
        reader->log->ops->reader_close(reader->look);
        reader->log->ops->reader_close(reader->records);
        reader->log->ops->close(reader->log);
    }
    if (reader->store) reader->store->ops->close(reader->store);
    if (reader->begun) pdr_commit_reader_release(&reader->commits);
    pdr_event_queue_release(&reader->queue);
    pdr_free(reader);
}
