#include "tests/support/headers.h"

#include "base/mem.h"

bool header_equal(const pdr_header *a, const pdr_header *b)
{
    return a->kind == b->kind && pdr_term_equal(a->term, b->term) && a->number == b->number &&
           a->seq == b->seq && a->index == b->index && a->count == b->count && a->schema == b->schema &&
           a->time_us == b->time_us && a->back_offset == b->back_offset && a->back_seq == b->back_seq &&
           pdr_bytes_equal(a->id, b->id) && a->fingerprint == b->fingerprint &&
           a->has_reply == b->has_reply && pdr_bytes_equal(a->reply, b->reply) &&
           pdr_bytes_equal(a->correlation, b->correlation) && pdr_bytes_equal(a->causation, b->causation) &&
           a->has_consumed == b->has_consumed && a->consumed_partition == b->consumed_partition &&
           a->consumed_offset == b->consumed_offset &&
           memcmp(a->journal_id, b->journal_id, sizeof a->journal_id) == 0 &&
           pdr_bytes_equal(a->address, b->address) && a->partitions == b->partitions &&
           a->generation == b->generation && a->schema_fingerprint == b->schema_fingerprint &&
           a->registry_id == b->registry_id;
}

/* --- Random headers --- */

static uint64_t draw(uint64_t *random)
{
    uint64_t z = *random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Numbers of all lengths, the ends among them. */
static uint64_t number_up_to(uint64_t *random, uint64_t max)
{
    uint64_t dice = draw(random) % 8;
    if (dice == 0) return 0;
    if (dice == 1) return max;
    uint64_t value = draw(random) >> (draw(random) % 64);
    return max == UINT64_MAX ? value : value % (max + 1);
}

static pdr_bytes range_up_to(uint64_t *random, size_t max)
{
    static const uint8_t bytes[PDR_MAX_HEADER] = "some bytes \x00\x80\xff and more of them";
    return pdr_bytes_of(bytes, (size_t)number_up_to(random, max));
}

static void fill_optional(pdr_header *h, uint64_t *random)
{
    h->id = range_up_to(random, PDR_MAX_COMMAND_ID);
    if (h->id.size) h->fingerprint = draw(random);
    h->has_reply = h->index + 1 == h->count && draw(random) % 2;
    if (h->has_reply) h->reply = range_up_to(random, PDR_MAX_REPLY);
    h->correlation = range_up_to(random, PDR_MAX_CORRELATION);
    h->causation = range_up_to(random, PDR_MAX_CORRELATION);
    h->has_consumed = draw(random) % 2;
    if (!h->has_consumed) return;
    h->consumed_partition = (int32_t)number_up_to(random, INT32_MAX);
    h->consumed_offset = (int64_t)number_up_to(random, INT64_MAX);
}

static void fill_event(pdr_header *h, uint64_t *random)
{
    h->count = 1 + (uint32_t)number_up_to(random, PDR_MAX_EVENTS_PER_COMMIT - 1);
    h->index = (uint32_t)number_up_to(random, h->count - 1);
    uint64_t least = h->index + 1;
    h->seq = least + number_up_to(random, UINT64_MAX - least);
    h->schema = number_up_to(random, UINT64_MAX);
    h->time_us = (int64_t)number_up_to(random, UINT64_MAX);
    if (h->seq > 1 && draw(random) % 4) {
        h->back_offset = (int64_t)number_up_to(random, INT64_MAX - 1);
        h->back_seq = 1 + number_up_to(random, h->seq - 2);
    }
    fill_optional(h, random);
}

pdr_header header_random(uint64_t *random)
{
    pdr_header h = {.kind = (pdr_record_kind)(1 + draw(random) % 4), .back_offset = -1};
    if (draw(random) % 2) h.kind = PDR_RECORD_EVENT;
    h.term = (pdr_term){(int64_t)number_up_to(random, INT64_MAX), draw(random)};
    h.number = 1 + number_up_to(random, UINT64_MAX - 1);
    if (h.kind == PDR_RECORD_EVENT) fill_event(&h, random);
    if (h.kind == PDR_RECORD_SCHEMA) {
        h.schema_fingerprint = draw(random);
        h.registry_id = (int32_t)number_up_to(random, INT32_MAX);
    }
    if (h.kind != PDR_RECORD_FENCE) return h;
    h.term.offset = -1;
    h.number = 0;
    for (size_t i = 0; i < sizeof h.journal_id; i++)
        h.journal_id[i] = (uint8_t)draw(random);
    h.address = range_up_to(random, PDR_MAX_ADDRESS);
    h.partitions = 1 + (int32_t)number_up_to(random, INT32_MAX - 1);
    h.generation = (int64_t)number_up_to(random, INT64_MAX);
    return h;
}

void header_spoil(pdr_header *h, uint64_t *random)
{
    static const uint8_t many[600] = {7};
    if (h->kind == PDR_RECORD_FENCE) {
        switch (draw(random) % 4) {
        case 0: h->partitions = -(int32_t)number_up_to(random, INT32_MAX); break;
        case 1: h->generation = -1 - (int64_t)number_up_to(random, INT64_MAX); break;
        case 2: h->address = pdr_bytes_of(many, PDR_MAX_ADDRESS + 1); break;
        default: break;
        }
        return;
    }
    switch (draw(random) % (h->kind == PDR_RECORD_EVENT ? 20 : 3)) {
    case 0: h->number = 0; break;
    case 1: h->term.offset = -1 - (int64_t)number_up_to(random, INT64_MAX); break;
    case 2: break;
    case 3: h->seq = 0; break;
    case 4: h->count = 0; break;
    case 5: h->count = PDR_MAX_EVENTS_PER_COMMIT + 1 + (uint32_t)number_up_to(random, 1000); break;
    case 6: h->index = h->count; break;
    case 7: h->seq = h->index; break;
    case 8: h->back_offset = -2; break;
    case 9: h->back_offset = INT64_MAX; break;
    case 10:
        h->back_offset = 5;
        h->back_seq = 0;
        break;
    case 11:
        h->back_offset = 5;
        h->back_seq = h->seq;
        break;
    case 12: h->id = pdr_bytes_of(many, PDR_MAX_COMMAND_ID + 1); break;
    case 13:
        h->has_reply = true;
        h->reply = pdr_bytes_of(many, PDR_MAX_REPLY + 1);
        break;
    case 14:
        h->has_reply = true;
        h->reply = pdr_bytes_of(many, 1);
        break; /* right only in the last */
    case 15: h->correlation = pdr_bytes_of(many, PDR_MAX_CORRELATION + 1); break;
    case 16: h->causation = pdr_bytes_of(many, PDR_MAX_CORRELATION + 1); break;
    case 17:
        h->has_consumed = true;
        h->consumed_partition = -1;
        break;
    case 18:
        h->has_consumed = true;
        h->consumed_offset = -1;
        break;
    default:
        h->id = pdr_bytes_of(many, sizeof many);
        h->correlation = h->id;
        break;
    }
}

/* --- The second encoder --- */

static void put(pdr_buf *out, const void *data, size_t size)
{
    PDR_INVARIANT("tests-have-memory", pdr_buf_append(out, data, size) == PDR_OK);
}

static void put_u8(pdr_buf *out, uint64_t value)
{
    uint8_t byte = (uint8_t)value;
    put(out, &byte, 1);
}

static void put_varint(pdr_buf *out, uint64_t value)
{
    for (; value > 127; value /= 128)
        put_u8(out, 128 + value % 128);
    put_u8(out, value);
}

static void put_fixed(pdr_buf *out, uint64_t value)
{
    for (int i = 0; i < 8; i++, value /= 256)
        put_u8(out, value % 256);
}

static void put_sized(pdr_buf *out, pdr_bytes bytes)
{
    put_varint(out, bytes.size);
    put(out, bytes.data, bytes.size);
}

static void put_optional(const pdr_header *h, pdr_buf *out)
{
    if (h->id.size) {
        put_u8(out, 1);
        put_varint(out, 8 + h->id.size);
        put_fixed(out, h->fingerprint);
        put(out, h->id.data, h->id.size);
    }
    if (h->has_reply) put_u8(out, 2), put_sized(out, h->reply);
    if (h->correlation.size) put_u8(out, 3), put_sized(out, h->correlation);
    if (h->causation.size) put_u8(out, 4), put_sized(out, h->causation);
    if (!h->has_consumed) return;
    pdr_buf field = PDR_BUF_INIT(100);
    put_varint(&field, (uint64_t)h->consumed_partition);
    put_varint(&field, (uint64_t)h->consumed_offset);
    put_u8(out, 5);
    put_sized(out, pdr_buf_bytes(&field));
    pdr_buf_release(&field);
}

void header_encode_plainly(const pdr_header *h, pdr_buf *out)
{
    put_u8(out, 1);
    put_u8(out, h->kind);
    if (h->kind == PDR_RECORD_FENCE) {
        put(out, h->journal_id, 16);
        put_fixed(out, h->term.incarnation);
        put_varint(out, (uint64_t)h->partitions);
        put_fixed(out, (uint64_t)h->generation);
        put_sized(out, h->address);
        return;
    }
    put_varint(out, (uint64_t)h->term.offset);
    put_fixed(out, h->term.incarnation);
    put_varint(out, h->number);
    if (h->kind == PDR_RECORD_SCHEMA) put_fixed(out, h->schema_fingerprint);
    if (h->kind == PDR_RECORD_SCHEMA && h->registry_id) {
        put_u8(out, 128);
        put_u8(out, 4);
        for (int shift = 24; shift >= 0; shift -= 8)
            put_u8(out, (uint32_t)h->registry_id >> shift & 255);
    }
    if (h->kind != PDR_RECORD_EVENT) return;
    put_varint(out, h->seq);
    put_varint(out, h->index);
    put_varint(out, h->count);
    put_varint(out, h->schema);
    put_fixed(out, (uint64_t)h->time_us);
    put_varint(out, (uint64_t)h->back_offset + 1);
    if (h->back_offset != -1) put_varint(out, h->back_seq);
    put_optional(h, out);
}
