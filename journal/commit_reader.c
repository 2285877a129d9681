#include "journal/commit_reader.h"

#include "base/mem.h"

/* A copy of one record of the open commit: the struct, then key, value, header and trace. */
struct pdr_held {
    pdr_log_record record;
    pdr_header header;
    uint8_t *bytes;
};

void pdr_commit_reader_init(pdr_commit_reader *reader, pdr_position position, const pdr_commit_sink *sink,
                            void *context)
{
    memset(reader, 0, sizeof *reader);
    pdr_walk_init(&reader->walk, position);
    reader->sink = sink;
    reader->context = context;
}

static void drop_held(pdr_commit_reader *reader)
{
    for (size_t i = 0; i < reader->held_count; i++)
        pdr_free(reader->held[i].bytes);
    reader->held_count = 0;
    reader->held_bytes = 0;
}

void pdr_commit_reader_release(pdr_commit_reader *reader)
{
    drop_held(reader);
    pdr_free(reader->held);
    reader->held = NULL;
    reader->held_capacity = 0;
}

static uint8_t *copy_range(uint8_t *p, pdr_bytes *range)
{
    if (!range->data) return p;
    if (range->size) memcpy(p, range->data, range->size);
    range->data = p;
    return p + range->size;
}

static pdr_code hold(pdr_commit_reader *reader, const pdr_log_record *record, pdr_error *err)
{
    const pdr_log_entry *e = &record->entry;
    size_t size = e->key.size + e->value.size + e->header.size + e->trace.size;
    if (size > PDR_MAX_OPEN_COMMIT - reader->held_bytes)
        return pdr_fail(err, PDR_TOO_LARGE, "the commit that is open at offset %lld has more than %d bytes",
                        (long long)record->offset, PDR_MAX_OPEN_COMMIT);
    if (reader->held_count == reader->held_capacity) {
        size_t capacity = reader->held_capacity ? reader->held_capacity * 2 : 4;
        struct pdr_held *held = pdr_realloc(reader->held, capacity * sizeof *held);
        if (!held) return pdr_fail(err, PDR_NOMEM, "holding an open commit's events");
        reader->held = held;
        reader->held_capacity = capacity;
    }
    struct pdr_held *held = &reader->held[reader->held_count];
    held->bytes = pdr_alloc(size);
    if (!held->bytes) return pdr_fail(err, PDR_NOMEM, "holding an open commit's events");
    held->record = *record;
    held->record.entry.schema = pdr_bytes_of(NULL, 0);
    uint8_t *p = copy_range(held->bytes, &held->record.entry.key);
    p = copy_range(p, &held->record.entry.value);
    p = copy_range(p, &held->record.entry.header);
    copy_range(p, &held->record.entry.trace);
    PDR_INVARIANT("one-form", pdr_header_parse(held->record.entry.header, &held->header) == PDR_PARSED);
    reader->held_count++;
    reader->held_bytes += size;
    return PDR_OK;
}

static pdr_code deliver_held(pdr_commit_reader *reader, const pdr_commit_event *last, pdr_position before,
                             pdr_error *err)
{
    pdr_commit_event *events = pdr_alloc((reader->held_count + 1) * sizeof *events);
    if (!events) return pdr_fail(err, PDR_NOMEM, "delivering a commit of %zu events", reader->held_count + 1);
    for (size_t i = 0; i < reader->held_count; i++)
        events[i] = (pdr_commit_event){&reader->held[i].record, &reader->held[i].header};
    events[reader->held_count] = *last;
    pdr_code code = reader->sink->commit(reader->context, events, reader->held_count + 1, before, err);
    pdr_free(events);
    drop_held(reader);
    return code;
}

static pdr_code take_commit(pdr_commit_reader *reader, const pdr_commit_event *last, pdr_position before,
                            pdr_error *err)
{
    if (reader->held_count == 0) return reader->sink->commit(reader->context, last, 1, before, err);
    return deliver_held(reader, last, before, err);
}

pdr_code pdr_commit_reader_take(pdr_commit_reader *reader, const pdr_log_record *record, pdr_error *err)
{
    pdr_header header;
    uint32_t voided;
    pdr_position before = reader->walk.at;
    pdr_verdict verdict = pdr_walk_step(&reader->walk, record, &header, &voided, err);
    switch (verdict) {
    case PDR_VERDICT_COMMIT: {
        pdr_commit_event last = {record, &header};
        return take_commit(reader, &last, before, err);
    }
    case PDR_VERDICT_TOO_NEW: return PDR_TOO_NEW;
    case PDR_VERDICT_CORRUPT: return PDR_CORRUPT;
    case PDR_VERDICT_EVENT: {
        pdr_code code = hold(reader, record, err);
        if (code != PDR_OK) return code;
        break;
    }
    case PDR_VERDICT_FENCE: drop_held(reader); break;
    case PDR_VERDICT_VOID: reader->voids++; break;
    case PDR_VERDICT_FOREIGN: reader->foreigns++; break;
    case PDR_VERDICT_MALFORMED: reader->malformeds++; break;
    case PDR_VERDICT_SCHEMA:
    case PDR_VERDICT_MARK: break;
    }
    reader->voids += voided;
    if (!reader->sink->other) return PDR_OK;
    bool parsed = verdict != PDR_VERDICT_FOREIGN && verdict != PDR_VERDICT_MALFORMED;
    return reader->sink->other(reader->context, verdict, record, parsed ? &header : NULL, err);
}
