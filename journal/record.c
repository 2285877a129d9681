#include "journal/record.h"

#include "base/varint.h"

/* Optional fields follow the fixed ones as (tag, length, bytes), tags ascending. Unknown tags from 128 on are
 * skipped, so that a later minor writer can add hints; below 128 they are malformed. */
enum {
    TAG_ID = 1,
    TAG_REPLY = 2,
    TAG_CORRELATION = 3,
    TAG_CAUSATION = 4,
    TAG_CONSUMED = 5,
    TAG_SKIPPABLE = 128,
    TAG_REGISTRY_ID = 128 /* of a SCHEMA */
};

enum { REGISTRY_ID_SIZE = 4 };

/* A ceiling decides what is malformed: another one is another format. */
_Static_assert(PDR_MAX_EVENTS_PER_COMMIT == 1024 && PDR_MAX_COMMAND_ID == 64 && PDR_MAX_REPLY == 240 &&
                   PDR_MAX_CORRELATION == 64 && PDR_MAX_ADDRESS == 255 && PDR_MAX_HEADER == 1024,
               "the ceilings of docs/formats/record.md, version 1");

static uint8_t *put_bytes(uint8_t *p, pdr_bytes bytes)
{
    p = pdr_put_varint(p, bytes.size);
    if (bytes.size) memcpy(p, bytes.data, bytes.size);
    return p + bytes.size;
}

static uint8_t *put_field(uint8_t *p, uint8_t tag, pdr_bytes bytes)
{
    *p++ = tag;
    return put_bytes(p, bytes);
}

static uint8_t *put_fields(uint8_t *p, const pdr_header *h)
{
    if (h->id.size) {
        *p++ = TAG_ID;
        p = pdr_put_varint(p, 8 + h->id.size);
        p = pdr_put_u64(p, h->fingerprint);
        memcpy(p, h->id.data, h->id.size);
        p += h->id.size;
    }
    if (h->has_reply) p = put_field(p, TAG_REPLY, h->reply);
    if (h->correlation.size) p = put_field(p, TAG_CORRELATION, h->correlation);
    if (h->causation.size) p = put_field(p, TAG_CAUSATION, h->causation);
    if (h->has_consumed) {
        uint8_t bytes[2 * PDR_VARINT_MAX];
        uint8_t *end = pdr_put_varint(bytes, (uint64_t)(uint32_t)h->consumed_partition);
        end = pdr_put_varint(end, (uint64_t)h->consumed_offset);
        p = put_field(p, TAG_CONSUMED, pdr_bytes_of(bytes, (size_t)(end - bytes)));
    }
    return p;
}

static uint8_t *put_event(uint8_t *p, const pdr_header *h)
{
    p = pdr_put_varint(p, h->seq);
    p = pdr_put_varint(p, h->index);
    p = pdr_put_varint(p, h->count);
    p = pdr_put_varint(p, h->schema);
    p = pdr_put_u64(p, (uint64_t)h->time_us);
    p = pdr_put_varint(p, (uint64_t)(h->back_offset + 1));
    if (h->back_offset >= 0) p = pdr_put_varint(p, h->back_seq);
    return put_fields(p, h);
}

static uint8_t *put_schema(uint8_t *p, const pdr_header *h)
{
    p = pdr_put_u64(p, h->schema_fingerprint);
    if (!h->registry_id) return p;
    uint32_t id = (uint32_t)h->registry_id;
    uint8_t bytes[REGISTRY_ID_SIZE] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                                       (uint8_t)id};
    return put_field(p, TAG_REGISTRY_ID, pdr_bytes_of(bytes, sizeof bytes));
}

static uint8_t *put_fence(uint8_t *p, const pdr_header *h)
{
    memcpy(p, h->journal_id, sizeof h->journal_id);
    p = pdr_put_u64(p + sizeof h->journal_id, h->term.incarnation);
    p = pdr_put_varint(p, (uint64_t)(uint32_t)h->partitions);
    p = pdr_put_u64(p, (uint64_t)h->generation);
    return put_bytes(p, h->address);
}

static bool event_is_sound(const pdr_header *h)
{
    return h->seq > 0 && h->count > 0 && h->count <= PDR_MAX_EVENTS_PER_COMMIT && h->index < h->count &&
           h->seq > h->index && h->back_offset >= -1 && h->back_offset < INT64_MAX &&
           (h->back_offset < 0 || (h->back_seq > 0 && h->back_seq < h->seq)) &&
           h->id.size <= PDR_MAX_COMMAND_ID && h->reply.size <= PDR_MAX_REPLY &&
           (!h->has_reply || h->index == h->count - 1) && h->correlation.size <= PDR_MAX_CORRELATION &&
           h->causation.size <= PDR_MAX_CORRELATION &&
           (!h->has_consumed || (h->consumed_partition >= 0 && h->consumed_offset >= 0));
}

static bool header_is_sound(const pdr_header *h)
{
    if (h->kind == PDR_RECORD_FENCE)
        return h->partitions > 0 && h->address.size <= PDR_MAX_ADDRESS && h->generation >= 0 &&
               h->number == 0;
    if (h->term.offset < 0 || h->number == 0) return false;
    switch (h->kind) {
    case PDR_RECORD_EVENT: return event_is_sound(h);
    case PDR_RECORD_SCHEMA: return h->registry_id >= 0;
    case PDR_RECORD_MARK: return true;
    default: return false;
    }
}

pdr_code pdr_header_encode(const pdr_header *h, pdr_buf *out)
{
    if (!header_is_sound(h)) return PDR_INVALID_ARGUMENT;
    pdr_code code = pdr_buf_reserve(out, PDR_MAX_HEADER);
    if (code != PDR_OK) return code;
    uint8_t *p = out->data + out->size;
    *p++ = PDR_RECORD_VERSION;
    *p++ = (uint8_t)h->kind;
    if (h->kind == PDR_RECORD_FENCE) {
        p = put_fence(p, h);
    } else {
        p = pdr_put_varint(p, (uint64_t)h->term.offset);
        p = pdr_put_u64(p, h->term.incarnation);
        p = pdr_put_varint(p, h->number);
        if (h->kind == PDR_RECORD_EVENT) p = put_event(p, h);
        if (h->kind == PDR_RECORD_SCHEMA) p = put_schema(p, h);
    }
    out->size = (size_t)(p - out->data);
    return PDR_OK;
}

static bool get_u32(const uint8_t **p, const uint8_t *end, uint32_t *value)
{
    uint64_t wide;
    if (!pdr_get_varint(p, end, &wide) || wide > UINT32_MAX) return false;
    *value = (uint32_t)wide;
    return true;
}

static bool get_offset(const uint8_t **p, const uint8_t *end, int64_t *value)
{
    uint64_t wide;
    if (!pdr_get_varint(p, end, &wide) || wide > INT64_MAX) return false;
    *value = (int64_t)wide;
    return true;
}

static bool get_bytes(const uint8_t **p, const uint8_t *end, pdr_bytes *bytes)
{
    uint64_t size;
    if (!pdr_get_varint(p, end, &size) || size > (uint64_t)(end - *p)) return false;
    *bytes = pdr_bytes_of(*p, (size_t)size);
    *p += size;
    return true;
}

static bool take_consumed(pdr_bytes bytes, pdr_header *h)
{
    const uint8_t *p = bytes.data, *end = bytes.data + bytes.size;
    uint32_t partition;
    if (!get_u32(&p, end, &partition) || partition > INT32_MAX || !get_offset(&p, end, &h->consumed_offset))
        return false;
    h->consumed_partition = (int32_t)partition;
    h->has_consumed = true;
    return p == end;
}

static bool take_field(uint8_t tag, pdr_bytes bytes, pdr_header *h)
{
    switch (tag) {
    case TAG_ID:
        if (bytes.size <= 8) return false;
        h->fingerprint = pdr_load_u64(bytes.data);
        h->id = pdr_bytes_of(bytes.data + 8, bytes.size - 8);
        return true;
    case TAG_REPLY:
        h->has_reply = true;
        h->reply = bytes;
        return true;
    case TAG_CORRELATION: h->correlation = bytes; return bytes.size > 0;
    case TAG_CAUSATION: h->causation = bytes; return bytes.size > 0;
    case TAG_CONSUMED: return take_consumed(bytes, h);
    default: return false;
    }
}

/* Whoever doesn't know a hint skips it, so one that can't be understood is skipped as well: all readers come
 * to the same verdict. */
static void take_hint(uint8_t tag, pdr_bytes bytes, pdr_header *h)
{
    if (tag != TAG_REGISTRY_ID || h->kind != PDR_RECORD_SCHEMA || bytes.size != REGISTRY_ID_SIZE) return;
    const uint8_t *b = bytes.data;
    uint32_t id = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    if (id <= INT32_MAX) h->registry_id = (int32_t)id;
}

/* The optional fields. Only an EVENT has some. */
static bool get_fields(const uint8_t **p, const uint8_t *end, pdr_header *h)
{
    unsigned last = 0;
    while (*p < end) {
        uint8_t tag = *(*p)++;
        pdr_bytes bytes;
        if (tag <= last || !get_bytes(p, end, &bytes)) return false;
        if (tag < TAG_SKIPPABLE && (h->kind != PDR_RECORD_EVENT || !take_field(tag, bytes, h))) return false;
        if (tag >= TAG_SKIPPABLE) take_hint(tag, bytes, h);
        last = tag;
    }
    return true;
}

static bool get_event(const uint8_t **p, const uint8_t *end, pdr_header *h)
{
    uint64_t time, back;
    if (!pdr_get_varint(p, end, &h->seq) || !get_u32(p, end, &h->index) || !get_u32(p, end, &h->count) ||
        !pdr_get_varint(p, end, &h->schema) || !pdr_get_u64(p, end, &time) || !pdr_get_varint(p, end, &back))
        return false;
    if (back > INT64_MAX || (back > 0 && !pdr_get_varint(p, end, &h->back_seq))) return false;
    h->time_us = (int64_t)time;
    h->back_offset = (int64_t)back - 1;
    return get_fields(p, end, h);
}

static bool get_fence(const uint8_t **p, const uint8_t *end, pdr_header *h)
{
    uint32_t partitions;
    uint64_t generation;
    if (end - *p < (ptrdiff_t)sizeof h->journal_id) return false;
    memcpy(h->journal_id, *p, sizeof h->journal_id);
    *p += sizeof h->journal_id;
    if (!pdr_get_u64(p, end, &h->term.incarnation) || !get_u32(p, end, &partitions) ||
        partitions > INT32_MAX || !pdr_get_u64(p, end, &generation) || generation > INT64_MAX ||
        !get_bytes(p, end, &h->address))
        return false;
    h->term.offset = -1;
    h->partitions = (int32_t)partitions;
    h->generation = (int64_t)generation;
    return get_fields(p, end, h);
}

static bool get_rest(const uint8_t **p, const uint8_t *end, pdr_header *h)
{
    if (h->kind == PDR_RECORD_FENCE) return get_fence(p, end, h);
    if (!get_offset(p, end, &h->term.offset) || !pdr_get_u64(p, end, &h->term.incarnation) ||
        !pdr_get_varint(p, end, &h->number))
        return false;
    switch (h->kind) {
    case PDR_RECORD_EVENT: return get_event(p, end, h);
    case PDR_RECORD_SCHEMA: return pdr_get_u64(p, end, &h->schema_fingerprint) && get_fields(p, end, h);
    case PDR_RECORD_MARK: return get_fields(p, end, h);
    default: return false;
    }
}

/* In four parts that compilers turn into plain stores: as one they take gcc's slow way, 40 % of all parsing.
 */
static void clear(pdr_header *h)
{
    enum { PART = sizeof *h / 4 };
    _Static_assert(sizeof *h % 4 == 0, "four equal parts");
    uint8_t *p = (uint8_t *)h;
    memset(p, 0, PART);
    memset(p + PART, 0, PART);
    memset(p + 2 * PART, 0, PART);
    memset(p + 3 * PART, 0, PART);
}

pdr_parsed pdr_header_parse(pdr_bytes bytes, pdr_header *out)
{
    clear(out);
    out->back_offset = -1;
    if (bytes.size == 0) return PDR_PARSED_MALFORMED;
    if (bytes.data[0] > PDR_RECORD_VERSION) return PDR_PARSED_TOO_NEW;
    if (bytes.data[0] != PDR_RECORD_VERSION || bytes.size < 2 || bytes.size > PDR_MAX_HEADER)
        return PDR_PARSED_MALFORMED;
    const uint8_t *p = bytes.data + 2, *end = bytes.data + bytes.size;
    out->kind = (pdr_record_kind)bytes.data[1];
    return get_rest(&p, end, out) && header_is_sound(out) ? PDR_PARSED : PDR_PARSED_MALFORMED;
}
