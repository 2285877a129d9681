/* One entity's whole history: journal/entity_reader.h into the reader's queue. */
#include "actors/reader.h"

static pdr_code put(void *context, const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    pdr_reader *reader = context;
    pdr_code code =
        pdr_event_queue_put(&reader->queue, reader->partition, record, header, PDR_POSITION_START, err);
    pdr_reader_throttle(reader);
    return code;
}

/* The history ends where the log ended when it was read. */
static void caught_up(void *context)
{
    pdr_reader *reader = context;
    reader->step = PDR_READER_DONE;
}

static void failed(void *context, pdr_code code, const pdr_error *error)
{
    pdr_reader_fail(context, code, error);
}

static const pdr_entity_reader_events history_events = {NULL, put, pdr_reader_meet, caught_up, failed};

pdr_code pdr_history_reader_begin(pdr_reader *reader, pdr_error *err)
{
    pdr_entity_reader_spec spec = {.partition = reader->partition,
                                   .key = pdr_bytes_of(reader->key, reader->key_size),
                                   .after_seq = reader->after_seq,
                                   .to_seq = UINT64_MAX};
    if (reader->history) return PDR_OK;
    return pdr_entity_reader_open(&reader->history, reader->log, reader->store, &spec, &history_events,
                                  reader, err);
}
