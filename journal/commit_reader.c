#include "journal/commit_reader.h"

#include "base/mem.h"

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
    for (size_t i = 0; i < reader->held.count; i++)
        pdr_free(reader->held.items[i]);
    reader->held.count = 0;
    reader->held_bytes = 0;
}

void pdr_commit_reader_release(pdr_commit_reader *reader)
{
    drop_held(reader);
    pdr_free(reader->held.items);
    reader->held = (pdr_held_list){0};
}

static pdr_code hold(pdr_commit_reader *reader, const pdr_log_record *record, pdr_error *err)
{
    const pdr_log_entry *e = &record->entry;
    size_t size = e->key.size + e->value.size + e->header.size + e->trace.size;
    if (size > PDR_MAX_OPEN_COMMIT - reader->held_bytes)
        return pdr_fail(err, PDR_TOO_LARGE, "the commit that is open at offset %lld has more than %d bytes",
                        (long long)record->offset, PDR_MAX_OPEN_COMMIT);
    pdr_held *held = pdr_held_list_reserve(&reader->held, 1) ? pdr_held_copy(record) : NULL;
    if (!held) return pdr_fail(err, PDR_NOMEM, "holding an open commit's events");
    reader->held.items[reader->held.count++] = held;
    reader->held_bytes += size;
    return PDR_OK;
}

static pdr_code deliver_held(pdr_commit_reader *reader, const pdr_commit_event *last, pdr_position before,
                             pdr_error *err)
{
    size_t count = reader->held.count;
    pdr_commit_event *events = pdr_alloc((count + 1) * sizeof *events);
    if (!events) return pdr_fail(err, PDR_NOMEM, "delivering a commit of %zu events", count + 1);
    for (size_t i = 0; i < count; i++)
        events[i] = (pdr_commit_event){&reader->held.items[i]->record, &reader->held.items[i]->header};
    events[count] = *last;
    pdr_code code = reader->sink->commit(reader->context, events, count + 1, before, err);
    pdr_free(events);
    drop_held(reader);
    return code;
}

static pdr_code take_commit(pdr_commit_reader *reader, const pdr_commit_event *last, pdr_position before,
                            pdr_error *err)
{
    if (reader->held.count == 0) return reader->sink->commit(reader->context, last, 1, before, err);
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
