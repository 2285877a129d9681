/* From the log into the queue of whole commits. Reading begins with the record that the position names, and
 * goes on only if it is there and is the one: else the log was cut off or made anew. */
#include <inttypes.h>

#include "base/mem.h"
#include "journal/schema_book.h"
#include "projections/projector_core.h"

enum { MAX_ODD = 8 }; /* looks at a log that doesn't hold the record at a position, before it is believed */

static void fail_part(pdr_part *part, pdr_code code, pdr_error *err)
{
    pdr_error said = *err;
    pdr_fail_context(&said, code, "partition %" PRId32, part->partition);
    pdr_prj_fail(part->owner, code, &said);
}

/* --- Copies --- */

static pdr_bytes put(uint8_t **to, pdr_bytes bytes)
{
    pdr_bytes copy = {*to, bytes.size};
    if (bytes.size) memcpy(*to, bytes.data, bytes.size);
    *to += bytes.size;
    return copy;
}

static size_t event_bytes(const pdr_commit_event *e)
{
    return e->record->entry.value.size + e->header->id.size + e->header->correlation.size +
           e->header->causation.size;
}

pdr_kept_commit *pdr_prj_keep(pdr_part *part, const pdr_commit_event *events, size_t count,
                              pdr_position before, pdr_position at)
{
    pdr_bytes key = events[0].record->entry.key;
    size_t size = sizeof(pdr_kept_commit) + count * sizeof(pdr_kept_event) + key.size;
    for (size_t i = 0; i < count; i++)
        size += event_bytes(&events[i]);
    pdr_kept_commit *kept = pdr_alloc(size);
    if (!kept) return NULL;
    *kept =
        (pdr_kept_commit){.part = part, .before = before, .at = at, .bytes = size, .count = (uint32_t)count};
    uint8_t *to = (uint8_t *)&kept->events[count];
    pdr_bytes entity = put(&to, key);
    kept->entity = (pdr_string){(const char *)entity.data, entity.size};
    for (size_t i = 0; i < count; i++) {
        const pdr_header *header = events[i].header;
        kept->events[i] = (pdr_kept_event){.offset = events[i].record->offset,
                                           .time_us = header->time_us,
                                           .seq = header->seq,
                                           .schema = header->term.offset + (int64_t)header->schema,
                                           .value = put(&to, events[i].record->entry.value),
                                           .id = put(&to, header->id),
                                           .correlation = put(&to, header->correlation),
                                           .causation = put(&to, header->causation)};
    }
    return kept;
}

static pdr_code take_some(pdr_part *part, const pdr_commit_event *events, size_t count, pdr_position before,
                          pdr_position at, pdr_error *err)
{
    pdr_projector *p = part->owner;
    pdr_kept_commit *kept = pdr_prj_keep(part, events, count, before, at);
    if (!kept) return pdr_fail(err, PDR_NOMEM, "a commit of %zu events", count);
    if (p->last)
        p->last->next = kept;
    else
        p->first = kept;
    p->last = kept;
    part->queued++;
    part->queued_bytes += kept->bytes;
    return PDR_OK;
}

static pdr_code take_commit(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                            pdr_error *err)
{
    pdr_part *part = context;
    pdr_position at = part->commits.walk.at;
    pdr_code code = PDR_OK;
    if (PDR_PROJECTION_RULE(COMMIT)) return take_some(part, events, count, before, at, err);
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        pdr_position inside = {events[i].record->offset, at.term, at.number - (count - 1 - i)};
        code = take_some(part, &events[i], 1, before, inside, err);
    }
    return code;
}

static pdr_code take_other(void *context, pdr_verdict verdict, const pdr_log_record *record,
                           const pdr_header *header, pdr_error *err)
{
    pdr_part *part = context;
    pdr_projector *p = part->owner;
    if (verdict == PDR_VERDICT_VOID || verdict == PDR_VERDICT_FOREIGN || verdict == PDR_VERDICT_MALFORMED)
        p->numbers.voids++;
    if (verdict != PDR_VERDICT_SCHEMA || !p->spec.book) return PDR_OK;
    pdr_string json = {(const char *)record->entry.schema.data, record->entry.schema.size};
    pdr_code code = pdr_schema_book_add(p->spec.book, header->schema_fingerprint, json,
                                        header->registry_id ? header->registry_id : PDR_BOOK_NO_ID, err);
    return code == PDR_NOMEM ? code : PDR_OK; /* a schema that is none: its events will say so */
}

static const pdr_commit_sink sink = {take_commit, take_other};

void pdr_prj_drop_queue(pdr_projector *p)
{
    for (pdr_kept_commit *kept = p->first, *next; kept; kept = next) {
        next = kept->next;
        pdr_free(kept);
    }
    p->first = p->last = NULL;
    p->first_done = 0;
    for (size_t i = 0; i < p->part_count; i++)
        p->parts[i]->queued = p->parts[i]->queued_bytes = 0;
}

/* --- The record at the position --- */

static bool is_the_one(pdr_position position, const pdr_log_record *record)
{
    pdr_header header;
    if (record->offset != position.offset || !record->entry.header.data) return false;
    if (pdr_header_parse(record->entry.header, &header) != PDR_PARSED) return false;
    if (header.kind == PDR_RECORD_FENCE)
        return position.number == 0 && position.term.offset == record->offset &&
               header.term.incarnation == position.term.incarnation;
    return pdr_term_equal(header.term, position.term) && header.number == position.number;
}

static void say_odd(pdr_part *part, const char *what, int64_t offset)
{
    pdr_error err;
    part->owner->odd_positions++;
    pdr_code code = pdr_fail(&err, part->owner->odd_positions > MAX_ODD ? PDR_OUT_OF_RANGE : PDR_UNAVAILABLE,
                             "the position is offset %" PRId64 " of term %" PRId64 ", but %s %" PRId64
                             ": was the topic cut off, or made anew?",
                             part->committed.offset, part->committed.term.offset, what, offset);
    fail_part(part, code, &err);
}

static bool check_first(pdr_part *part, const pdr_log_record *record)
{
    part->checked = true;
    if (is_the_one(part->committed, record)) return true;
    say_odd(part, "another record is there or first after it, at offset", record->offset);
    return false;
}

/* --- The reader --- */

static void saw_records(void *context, const pdr_log_record *records, size_t count)
{
    pdr_part *part = context;
    size_t i = 0;
    if (!part->checked && count > 0) {
        if (!check_first(part, &records[0])) return;
        i = 1;
    }
    part->at_end = false;
    for (; i < count; i++) {
        pdr_error err;
        pdr_code code = pdr_commit_reader_take(&part->commits, &records[i], &err);
        if (code != PDR_OK) {
            fail_part(part, code, &err);
            return;
        }
    }
    if (count && records[count - 1].offset >= part->log_end) part->log_end = records[count - 1].offset + 1;
    part->read = part->commits.walk.at;
    pdr_prj_pause_if_full(part->owner);
}

static void saw_end(void *context, int64_t end)
{
    pdr_part *part = context;
    if (end > part->log_end) part->log_end = end;
    if (!part->checked && end <= part->committed.offset) {
        say_odd(part, "the log ends at", end);
        return;
    }
    part->at_end = true;
    part->owner->odd_positions = 0;
}

static void saw_failure(void *context, const pdr_error *error)
{
    pdr_error err = *error;
    fail_part(context, error->code, &err);
}

static const pdr_log_reader_events reader_events = {saw_records, saw_end, saw_failure};

pdr_code pdr_prj_read_from(pdr_part *part, pdr_error *err)
{
    pdr_log *log = part->owner->spec.log;
    pdr_commit_reader_init(&part->commits, part->committed, &sink, part);
    part->checked = part->committed.offset < 0;
    part->paused = part->at_end = false;
    part->read = part->committed;
    return log->ops->reader_open(log, part->partition, part->checked ? 0 : part->committed.offset,
                                 &reader_events, part, &part->reader, err);
}

void pdr_prj_stop_reading(pdr_part *part)
{
    if (!part->reader) return;
    part->owner->spec.log->ops->reader_close(part->reader);
    part->reader = NULL;
    pdr_commit_reader_release(&part->commits);
}

void pdr_prj_pause_if_full(pdr_projector *p)
{
    for (size_t i = 0; i < p->part_count; i++) {
        pdr_part *part = p->parts[i];
        size_t limit = p->spec.settings.read_ahead_bytes;
        bool full = part->queued_bytes > (part->paused ? limit / 2 : limit);
        if (!part->reader || full == part->paused) continue;
        part->paused = full;
        p->spec.log->ops->reader_pause(part->reader, full);
    }
}
