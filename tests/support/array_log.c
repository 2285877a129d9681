#include "tests/support/array_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct array_reader {
    pdr_log_reader base;
    array_log *log;
    const pdr_log_reader_events *events;
    void *context;
    int64_t at, told_end;
    bool closed, fails, short_view;
    array_reader *next;
};

static void range_copy(pdr_bytes *range)
{
    if (!range->data) return;
    uint8_t *copy = malloc(range->size ? range->size : 1);
    PDR_INVARIANT("tests-have-memory", copy != NULL);
    if (range->size) memcpy(copy, range->data, range->size);
    range->data = copy;
}

static void range_free(pdr_bytes *range)
{
    free((void *)(uintptr_t)range->data);
}

static void record_free(pdr_log_record *record)
{
    range_free(&record->entry.key);
    range_free(&record->entry.value);
    range_free(&record->entry.header);
    range_free(&record->entry.schema);
    range_free(&record->entry.trace);
}

int64_t array_log_append(array_log *log, const pdr_log_entry *entry)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity ? 2 * log->capacity : 64;
        log->records = realloc(log->records, log->capacity * sizeof *log->records);
        PDR_INVARIANT("tests-have-memory", log->records != NULL);
    }
    pdr_log_record *record = &log->records[log->count++];
    *record = (pdr_log_record){.offset = log->end++, .append_ms = 1000, .entry = *entry};
    range_copy(&record->entry.key);
    range_copy(&record->entry.value);
    range_copy(&record->entry.header);
    range_copy(&record->entry.schema);
    range_copy(&record->entry.trace);
    return record->offset;
}

void array_log_skip(array_log *log, int64_t offsets)
{
    log->end += offsets;
}

size_t array_log_find(const array_log *log, int64_t offset)
{
    size_t low = 0, high = log->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (log->records[mid].offset < offset)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

const pdr_log_record *array_log_at(const array_log *log, int64_t offset)
{
    size_t at = array_log_find(log, offset);
    return at < log->count && log->records[at].offset == offset ? &log->records[at] : NULL;
}

void array_log_remove(array_log *log, int64_t offset)
{
    size_t at = array_log_find(log, offset);
    PDR_INVARIANT("record-is-there", at < log->count && log->records[at].offset == offset);
    record_free(&log->records[at]);
    memmove(&log->records[at], &log->records[at + 1], (log->count - at - 1) * sizeof *log->records);
    log->count--;
}

/* --- The seam --- */

static pdr_code reader_open(pdr_log *base, int32_t partition, int64_t from,
                            const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                            pdr_error *err)
{
    array_log *log = (array_log *)base;
    *out = NULL;
    log->opened++;
    if (partition != 0) return pdr_fail(err, PDR_INVALID_ARGUMENT, "no partition %d", (int)partition);
    if (log->opened == log->fail_open_at) return pdr_fail(err, PDR_UNAVAILABLE, "no reader today");
    array_reader *reader = calloc(1, sizeof *reader);
    PDR_INVARIANT("tests-have-memory", reader != NULL);
    *reader = (array_reader){.base = {base->ops}, .log = log, .events = events, .context = context};
    reader->at = from;
    reader->told_end = -1;
    reader->fails = log->opened == log->fail_read_at;
    reader->short_view = log->short_view >= from;
    reader->next = log->reader;
    log->reader = reader;
    *out = &reader->base;
    return PDR_OK;
}

static void reader_close(pdr_log_reader *base)
{
    if (base) ((array_reader *)base)->closed = true;
}

static void reader_pause(pdr_log_reader *base, bool paused)
{
    (void)base;
    (void)paused;
}

static size_t entry_size(const pdr_log_entry *e)
{
    return e->key.size + e->value.size + e->header.size + e->schema.size + e->trace.size;
}

static uint8_t *copy_out(uint8_t *to, pdr_bytes *range)
{
    if (!range->data) return to;
    if (range->size) memcpy(to, range->data, range->size);
    range->data = to;
    return to + range->size;
}

/* Copies that are gone after the callback: a range that is kept too long is noticed. */
static void deliver(array_reader *reader, size_t first, size_t count)
{
    const pdr_log_record *records = &reader->log->records[first];
    size_t size = count * sizeof *records;
    for (size_t i = 0; i < count; i++)
        size += entry_size(&records[i].entry);
    pdr_log_record *copies = malloc(size);
    PDR_INVARIANT("tests-have-memory", copies != NULL);
    uint8_t *to = (uint8_t *)(copies + count);
    for (size_t i = 0; i < count; i++) {
        pdr_log_entry *e = &copies[i].entry;
        copies[i] = records[i];
        to = copy_out(to, &e->key);
        to = copy_out(to, &e->value);
        to = copy_out(to, &e->header);
        to = copy_out(to, &e->schema);
        to = copy_out(to, &e->trace);
    }
    reader->log->delivered += count;
    reader->events->records(reader->context, copies, count);
    memset(copies, 0xdd, size);
    free(copies);
}

static bool reader_fails(array_reader *reader)
{
    pdr_error err;
    if (reader->fails)
        (void)pdr_fail(&err, PDR_UNAVAILABLE, "the reader broke");
    else if (reader->at < reader->log->start || reader->at > reader->log->end)
        (void)pdr_fail(&err, PDR_OUT_OF_RANGE, "offset %lld isn't there", (long long)reader->at);
    else
        return false;
    reader->events->failed(reader->context, &err);
    return true;
}

static size_t reader_poll(array_reader *reader)
{
    array_log *log = reader->log;
    if (reader_fails(reader)) return 1;
    int64_t end = reader->short_view ? log->short_view : log->end;
    size_t first = array_log_find(log, reader->at), count = 0;
    while (count < (log->batch ? log->batch : 7) && first + count < log->count &&
           log->records[first + count].offset < end)
        count++;
    if (count) {
        reader->at = log->records[first + count - 1].offset + 1;
        deliver(reader, first, count);
        return 1;
    }
    reader->short_view = false;
    if (reader->told_end == end) return 0;
    reader->told_end = end;
    reader->events->end(reader->context, end);
    return 1;
}

static size_t log_poll(pdr_log *base)
{
    array_log *log = (array_log *)base;
    size_t ran = 0;
    for (array_reader **link = &log->reader; *link;) {
        array_reader *reader = *link;
        if (reader->closed) {
            *link = reader->next;
            free(reader);
            continue;
        }
        ran += reader_poll(reader);
        /* A callback may have opened readers before this one in the list. */
        for (link = &log->reader; *link != reader;)
            link = &(*link)->next;
        link = &reader->next;
    }
    return ran;
}

void array_log_init(array_log *log)
{
    static const pdr_log_ops ops = {.name = "array",
                                    .reader_open = reader_open,
                                    .reader_close = reader_close,
                                    .reader_pause = reader_pause,
                                    .poll = log_poll};
    memset(log, 0, sizeof *log);
    log->base.ops = &ops;
    log->short_view = -1;
}

void array_log_release(array_log *log)
{
    while (log->reader) {
        array_reader *reader = log->reader;
        PDR_INVARIANT("readers-are-closed", reader->closed);
        log->reader = reader->next;
        free(reader);
    }
    for (size_t i = 0; i < log->count; i++)
        record_free(&log->records[i]);
    free(log->records);
}
