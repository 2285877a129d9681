/* One entity's whole history: the store says where its newest saved event is, the log has the rest.
 *
 *   LOADING (row: checkpoint) -> LOOKING (head) -> WALKING (events up to the head) -> SCANNING (from the
 * checkpoint)
 *
 * The row is read before the head: whatever is saved between the two is then met twice, and skipped once; in
 * the other order it could be missed. */
#include "actors/reader.h"

enum { MAX_WALK = 64 * 1024 * 1024, TAG_LOAD = 1, TAG_LOOKUP = 2 };

/* --- up to the head --- */

static pdr_code walked(void *context, const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    pdr_reader *reader = context;
    reader->last_seq = header->seq;
    return pdr_event_queue_put(&reader->queue, reader->partition, record, header, PDR_POSITION_START, err);
}

static void walk_done(void *context, pdr_code code, const pdr_error *error)
{
    pdr_reader *reader = context;
    if (code != PDR_OK)
        pdr_reader_fail(reader, code, error);
    else
        reader->step = PDR_READER_SCANNING;
    pdr_history_close(reader->history);
    reader->history = NULL;
}

static const pdr_history_events walk_events = {walked, walk_done};

static void walk(pdr_reader *reader, const pdr_head *head)
{
    pdr_history_spec spec = {.partition = reader->partition,
                             .key = pdr_bytes_of(reader->key, reader->key_size),
                             .after_seq = reader->last_seq,
                             .to_seq = head->seq,
                             .last = head->last,
                             .max_bytes = MAX_WALK};
    pdr_error err;
    reader->step = PDR_READER_WALKING;
    pdr_code code = pdr_history_open(&reader->history, reader->log, &spec, &walk_events, reader, &err);
    if (code != PDR_OK) pdr_reader_fail(reader, code, &err);
}

/* --- the store --- */

static pdr_code look_up(pdr_reader *reader, pdr_error *err);

static void answered(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_reader *reader = context;
    pdr_error err;
    pdr_code code = result->code;
    if (code != PDR_OK) {
        pdr_reader_fail(reader, code, result->error);
    } else if (tag == TAG_LOAD) {
        reader->position = result->row.checkpoint;
        code = look_up(reader, &err);
        if (code != PDR_OK) pdr_reader_fail(reader, code, &err);
    } else if (result->head_count && result->heads[0].seq > reader->last_seq) {
        walk(reader, &result->heads[0]);
    } else {
        reader->step = PDR_READER_SCANNING;
    }
}

/* No revision is 0 on purpose: the state isn't wanted, and one of an odd revision does no harm. */
static pdr_code look_up(pdr_reader *reader, pdr_error *err)
{
    pdr_lookup_key key = {pdr_bytes_of(reader->key, reader->key_size), NULL, 0};
    reader->step = PDR_READER_LOOKING;
    return reader->store->ops->lookup(reader->store, reader->partition, &key, 1, answered, reader, TAG_LOOKUP,
                                      err);
}

/* --- after the checkpoint --- */

static pdr_code scanned(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                        pdr_error *err)
{
    (void)before;
    pdr_reader *reader = context;
    pdr_bytes key = pdr_bytes_of(reader->key, reader->key_size);
    for (size_t i = 0; i < count; i++) {
        const pdr_header *header = events[i].header;
        if (!pdr_bytes_equal(events[i].record->entry.key, key) || header->seq <= reader->last_seq) continue;
        if (header->seq != reader->last_seq + 1)
            return pdr_fail(err, PDR_STALE,
                            "%.*s: after seq %llu comes %llu; the store moved while it was read",
                            (int)reader->key_size, (const char *)reader->key,
                            (unsigned long long)reader->last_seq, (unsigned long long)header->seq);
        reader->last_seq = header->seq;
        pdr_code code = pdr_event_queue_put(&reader->queue, reader->partition, events[i].record, header,
                                            PDR_POSITION_START, err);
        if (code != PDR_OK) return code;
    }
    return PDR_OK;
}

static const pdr_commit_sink scan_sink = {scanned, pdr_reader_meet};

/* --- steps that aren't taken in callbacks --- */

pdr_code pdr_history_reader_advance(pdr_reader *reader, pdr_error *err)
{
    if (reader->step == PDR_READER_LOADING && !reader->looked) {
        reader->looked = true;
        return reader->store->ops->load(reader->store, reader->partition, answered, reader, TAG_LOAD, err);
    }
    if (reader->step != PDR_READER_SCANNING || reader->failure.code != PDR_OK) return PDR_OK;
    if (!reader->records) return pdr_reader_begin(reader, &scan_sink, err);
    if (reader->ended) reader->step = PDR_READER_DONE;
    return PDR_OK;
}
