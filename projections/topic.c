#include "projections/topic.h"

#include "base/mem.h"
#include "journal/framed.h"

enum { MAX_VALUE = 16 * 1024 * 1024 };

static const pdr_column_type types[PDR_MESSAGE_CELLS] = {
    [PDR_MESSAGE_KEY] = PDR_COLUMN_TEXT,         [PDR_MESSAGE_VALUE] = PDR_COLUMN_BYTEA,
    [PDR_MESSAGE_TYPE] = PDR_COLUMN_TEXT,        [PDR_MESSAGE_SEQ] = PDR_COLUMN_BIGINT,
    [PDR_MESSAGE_TIME] = PDR_COLUMN_TIMESTAMPTZ, [PDR_MESSAGE_PARTITION] = PDR_COLUMN_INTEGER,
    [PDR_MESSAGE_OFFSET] = PDR_COLUMN_BIGINT,    [PDR_MESSAGE_PART] = PDR_COLUMN_INTEGER,
    [PDR_MESSAGE_PARTS] = PDR_COLUMN_INTEGER,
};

static pdr_code value_of(pdr_buf *out, const pdr_projection *projection, const pdr_event *event,
                         pdr_error *err)
{
    pdr_code code = pdr_framed_write(out, event->type->fingerprint, projection->ids);
    if (code == PDR_UNKNOWN_TYPE)
        return pdr_fail(
            err, PDR_UNAVAILABLE,
            "the schema registry's id of %s isn't known yet: an owner that runs this revision asks for it",
            event->type->name);
    if (code != PDR_OK) return pdr_fail(err, code, "%s", event->type->name);
    return event->type->encode(event->value, out, err);
}

pdr_code pdr_topic_send(const pdr_projection *projection, const pdr_projected *event, pdr_rows *rows,
                        pdr_error *err)
{
    pdr_buf value = PDR_BUF_INIT(MAX_VALUE);
    pdr_code code = value_of(&value, projection, &event->event, err);
    pdr_cell cells[PDR_MESSAGE_CELLS] = {
        [PDR_MESSAGE_KEY].as.bytes = pdr_bytes_of(event->entity.data, event->entity.size),
        [PDR_MESSAGE_VALUE].as.bytes = pdr_buf_bytes(&value),
        [PDR_MESSAGE_TYPE].as.bytes = pdr_bytes_of(event->event.type->name, strlen(event->event.type->name)),
        [PDR_MESSAGE_SEQ].as.integer = (int64_t)event->event.seq,
        [PDR_MESSAGE_TIME].as.integer = event->event.time_us,
        [PDR_MESSAGE_PARTITION].as.integer = event->partition,
        [PDR_MESSAGE_OFFSET].as.integer = event->offset,
        [PDR_MESSAGE_PART].as.integer = event->part,
        [PDR_MESSAGE_PARTS].as.integer = event->parts,
    };
    if (code == PDR_OK)
        code = pdr_rows_statement(rows, PDR_VIEW_MESSAGE, cells, types, PDR_MESSAGE_CELLS, err);
    pdr_buf_release(&value);
    return code;
}
