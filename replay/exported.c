#include "replay/exported.h"

#include "perdure/sys/wire.h"

enum { FINGERPRINT = 8, SMALL_FIELDS = 512 };

const char pdr_exported_avro[] =
    "[{\"type\":\"record\",\"name\":\"Schema\",\"namespace\":\"perdure.export\","
    "\"doc\":\"A schema that events after it were written with\",\"fields\":["
    "{\"name\":\"fingerprint\",\"type\":{\"type\":\"fixed\",\"name\":\"Fingerprint\",\"size\":8},"
    "\"doc\":\"CRC-64-AVRO, big-endian\"},"
    "{\"name\":\"json\",\"type\":\"string\"}]},"
    "{\"type\":\"record\",\"name\":\"Event\",\"namespace\":\"perdure.export\",\"fields\":["
    "{\"name\":\"entity\",\"type\":\"string\"},"
    "{\"name\":\"seq\",\"type\":\"long\",\"doc\":\"in its entity, from 1\"},"
    "{\"name\":\"index\",\"type\":\"int\",\"doc\":\"in its commit, from 0\"},"
    "{\"name\":\"count\",\"type\":\"int\",\"doc\":\"events of its commit\"},"
    "{\"name\":\"time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
    "{\"name\":\"append_time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}},"
    "{\"name\":\"partition\",\"type\":\"int\"},"
    "{\"name\":\"offset\",\"type\":\"long\"},"
    "{\"name\":\"type\",\"type\":\"string\",\"doc\":\"full name of its writer schema\"},"
    "{\"name\":\"version\",\"type\":\"int\",\"doc\":\"of its writer schema; 0: none\"},"
    "{\"name\":\"fingerprint\",\"type\":\"Fingerprint\",\"doc\":\"of its writer schema\"},"
    "{\"name\":\"command\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Command\",\"fields\":["
    "{\"name\":\"id\",\"type\":\"bytes\"},"
    "{\"name\":\"fingerprint\",\"type\":\"Fingerprint\"}]}]},"
    "{\"name\":\"reply\",\"type\":[\"null\",\"bytes\"]},"
    "{\"name\":\"correlation\",\"type\":[\"null\",\"bytes\"]},"
    "{\"name\":\"causation\",\"type\":[\"null\",\"bytes\"]},"
    "{\"name\":\"traceparent\",\"type\":[\"null\",\"bytes\"]},"
    "{\"name\":\"consumed\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Consumed\",\"fields\":["
    "{\"name\":\"partition\",\"type\":\"int\"},"
    "{\"name\":\"offset\",\"type\":\"long\"}]}]},"
    "{\"name\":\"datum\",\"type\":\"bytes\",\"doc\":\"Avro, in its writer schema\"}]},"
    "{\"type\":\"record\",\"name\":\"End\",\"namespace\":\"perdure.export\",\"fields\":["
    "{\"name\":\"events\",\"type\":\"long\"},"
    "{\"name\":\"commits\",\"type\":\"long\"},"
    "{\"name\":\"check\",\"type\":\"long\",\"doc\":\"CRC-32 of all records before this one\"}]}]";

/* --- writing --- */

static uint8_t *put_fingerprint(uint8_t *p, uint64_t value)
{
    for (int i = 0; i < FINGERPRINT; i++)
        *p++ = (uint8_t)(value >> (56 - 8 * i));
    return p;
}

static uint8_t *put_optional(uint8_t *p, bool there, pdr_bytes value)
{
    p = pdr_wire_put_long(p, there);
    return there ? pdr_wire_put_bytes(p, value) : p;
}

static uint8_t *put_head(uint8_t *p, const pdr_exported_event *e)
{
    p = pdr_wire_put_string(p, e->entity);
    if (!p) return NULL;
    p = pdr_wire_put_long(p, (int64_t)e->seq);
    p = pdr_wire_put_long(p, e->index);
    p = pdr_wire_put_long(p, e->count);
    p = pdr_wire_put_long(p, e->time_us);
    p = pdr_wire_put_long(p, e->append_ms);
    p = pdr_wire_put_long(p, e->partition);
    p = pdr_wire_put_long(p, e->offset);
    p = pdr_wire_put_string(p, e->type);
    if (!p) return NULL;
    p = pdr_wire_put_long(p, e->version);
    return put_fingerprint(p, e->fingerprint);
}

static uint8_t *put_event(uint8_t *p, const pdr_exported_event *e)
{
    p = put_head(p, e);
    if (!p) return NULL;
    p = put_optional(p, e->id.size > 0, e->id);
    if (e->id.size) p = put_fingerprint(p, e->command_fingerprint);
    p = put_optional(p, e->has_reply, e->reply);
    p = put_optional(p, e->correlation.size > 0, e->correlation);
    p = put_optional(p, e->causation.size > 0, e->causation);
    p = put_optional(p, e->trace.data != NULL, e->trace);
    p = pdr_wire_put_long(p, e->has_consumed);
    if (e->has_consumed) {
        p = pdr_wire_put_long(p, e->consumed_partition);
        p = pdr_wire_put_long(p, e->consumed_offset);
    }
    return pdr_wire_put_bytes(p, e->datum);
}

static size_t bound_of(const pdr_exported *record)
{
    if (record->kind == PDR_EXPORTED_SCHEMA) return SMALL_FIELDS + record->schema.json.size;
    if (record->kind == PDR_EXPORTED_END) return SMALL_FIELDS;
    const pdr_exported_event *e = &record->event;
    return SMALL_FIELDS + e->entity.size + e->type.size + e->id.size + e->reply.size + e->correlation.size +
           e->causation.size + e->trace.size + e->datum.size;
}

static uint8_t *put_record(uint8_t *p, const pdr_exported *record)
{
    p = pdr_wire_put_long(p, record->kind);
    if (record->kind == PDR_EXPORTED_EVENT) return put_event(p, &record->event);
    if (record->kind == PDR_EXPORTED_SCHEMA)
        return pdr_wire_put_string(put_fingerprint(p, record->schema.fingerprint), record->schema.json);
    p = pdr_wire_put_long(p, (int64_t)record->end.events);
    p = pdr_wire_put_long(p, (int64_t)record->end.commits);
    return pdr_wire_put_long(p, record->end.check);
}

pdr_code pdr_exported_encode(const pdr_exported *record, pdr_buf *out, pdr_error *err)
{
    pdr_code code = pdr_buf_reserve(out, bound_of(record));
    if (code != PDR_OK) return pdr_fail(err, code, "a record of an export");
    uint8_t *p = put_record(out->data + out->size, record);
    if (!p) return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity id or a schema isn't UTF-8");
    out->size = (size_t)(p - out->data);
    return PDR_OK;
}

/* --- reading: each step gives the place behind what it read, NULL if it can't --- */

static const uint8_t *get_number(const uint8_t *p, const uint8_t *end, int64_t least, int64_t most,
                                 int64_t *value)
{
    *value = 0;
    if (p) p = pdr_wire_get_long(end, p, value);
    return p && *value >= least && *value <= most ? p : NULL;
}

static const uint8_t *get_fingerprint(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    if (!p || end - p < FINGERPRINT) return NULL;
    for (int i = 0; i < FINGERPRINT; i++)
        *value = *value << 8 | *p++;
    return p;
}

static const uint8_t *get_string(const uint8_t *p, const uint8_t *end, pdr_string *text)
{
    return p ? pdr_wire_get_string(end, p, text) : NULL;
}

static const uint8_t *get_bytes(const uint8_t *p, const uint8_t *end, size_t most, pdr_bytes *bytes)
{
    if (p) p = pdr_wire_get_bytes(end, p, bytes);
    return p && bytes->size <= most ? p : NULL;
}

static const uint8_t *get_branch(const uint8_t *p, const uint8_t *end, bool *there)
{
    int64_t branch;
    p = get_number(p, end, 0, 1, &branch);
    *there = branch == 1;
    return p;
}

/* Ids are absent or have `least` to `most` bytes. */
static const uint8_t *get_optional(const uint8_t *p, const uint8_t *end, size_t least, size_t most,
                                   bool *there, pdr_bytes *bytes)
{
    *bytes = pdr_bytes_of(NULL, 0);
    p = get_branch(p, end, there);
    if (!p || !*there) return p;
    p = get_bytes(p, end, most, bytes);
    return p && bytes->size >= least ? p : NULL;
}

static const uint8_t *get_head(const uint8_t *p, const uint8_t *end, pdr_exported_event *e)
{
    int64_t seq, index, count, partition, version;
    p = get_string(p, end, &e->entity);
    p = get_number(p, end, 1, INT64_MAX, &seq);
    p = get_number(p, end, 0, PDR_MAX_EVENTS_PER_COMMIT - 1, &index);
    p = get_number(p, end, 1, PDR_MAX_EVENTS_PER_COMMIT, &count);
    p = get_number(p, end, INT64_MIN, INT64_MAX, &e->time_us);
    p = get_number(p, end, INT64_MIN, INT64_MAX, &e->append_ms);
    p = get_number(p, end, 0, INT32_MAX, &partition);
    p = get_number(p, end, 0, INT64_MAX, &e->offset);
    p = get_string(p, end, &e->type);
    p = get_number(p, end, 0, INT32_MAX, &version);
    p = get_fingerprint(p, end, &e->fingerprint);
    e->seq = (uint64_t)seq;
    e->index = (uint32_t)index;
    e->count = (uint32_t)count;
    e->partition = (int32_t)partition;
    e->version = (uint32_t)version;
    return p;
}

static const uint8_t *get_event(const uint8_t *p, const uint8_t *end, pdr_exported_event *e)
{
    bool there;
    int64_t partition = 0;
    p = get_head(p, end, e);
    p = get_optional(p, end, 1, PDR_MAX_COMMAND_ID, &there, &e->id);
    if (there) p = get_fingerprint(p, end, &e->command_fingerprint);
    p = get_optional(p, end, 0, PDR_MAX_REPLY, &e->has_reply, &e->reply);
    p = get_optional(p, end, 1, PDR_MAX_CORRELATION, &there, &e->correlation);
    p = get_optional(p, end, 1, PDR_MAX_CORRELATION, &there, &e->causation);
    p = get_optional(p, end, 0, UINT8_MAX, &there, &e->trace);
    p = get_branch(p, end, &e->has_consumed);
    if (e->has_consumed) {
        p = get_number(p, end, 0, INT32_MAX, &partition);
        p = get_number(p, end, 0, INT64_MAX, &e->consumed_offset);
    }
    e->consumed_partition = (int32_t)partition;
    p = get_bytes(p, end, PDR_MAX_EVENT, &e->datum);
    bool sound = p && e->entity.size > 0 && e->entity.size <= PDR_MAX_ENTITY_ID &&
                 !memchr(e->entity.data, 0, e->entity.size) && e->index < e->count && e->index < e->seq &&
                 (!e->has_reply || e->index + 1 == e->count);
    return sound ? p : NULL;
}

static const uint8_t *get_end(const uint8_t *p, const uint8_t *end, pdr_exported_end *e)
{
    int64_t events, commits, check;
    p = get_number(p, end, 0, INT64_MAX, &events);
    p = get_number(p, end, 0, INT64_MAX, &commits);
    p = get_number(p, end, 0, UINT32_MAX, &check);
    e->events = (uint64_t)events;
    e->commits = (uint64_t)commits;
    e->check = (uint32_t)check;
    return p;
}

pdr_code pdr_exported_decode(pdr_exported *record, const uint8_t **p, const uint8_t *end, pdr_error *err)
{
    int64_t kind;
    memset(record, 0, sizeof *record);
    const uint8_t *at = get_number(*p, end, 0, PDR_EXPORTED_END, &kind);
    record->kind = (pdr_exported_kind)kind;
    if (kind == PDR_EXPORTED_SCHEMA) {
        at = get_fingerprint(at, end, &record->schema.fingerprint);
        at = get_string(at, end, &record->schema.json);
    } else if (kind == PDR_EXPORTED_EVENT) {
        at = get_event(at, end, &record->event);
    } else {
        at = get_end(at, end, &record->end);
    }
    if (!at) return pdr_fail(err, PDR_BAD_DATA, "a record that isn't one of an export");
    *p = at;
    return PDR_OK;
}
