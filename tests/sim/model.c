#include "tests/sim/model.h"

#include <stdlib.h>

#include "perdure/arena.h"

static void *grow(model *m, void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) return array;
    *capacity = *capacity ? 2 * *capacity : 64;
    void *more = pdr_arena_alloc(m->arena, *capacity * size);
    if (!more) abort();
    if (count) memcpy(more, array, count * size);
    return more;
}

int model_entity_of(pdr_bytes key)
{
    bool ours =
        key.size == 6 && memcmp(key.data, "acct/", 5) == 0 && key.data[5] >= '0' && key.data[5] <= '9';
    return ours ? key.data[5] - '0' : -1;
}

const model_event *model_at(const model *m, uint32_t entity, uint64_t seq)
{
    const model_entity *e = &m->entities[entity];
    return seq == 0 || seq > e->count ? NULL : &e->events[seq - 1];
}

bool model_boundary(const model *m, uint32_t entity, uint64_t seq)
{
    const model_event *event = model_at(m, entity, seq);
    return seq == 0 || (event && event->index + 1 == event->count);
}

static bool take_long(pdr_bytes *in, int64_t *out)
{
    uint64_t z = 0;
    for (unsigned shift = 0; shift < 70 && in->size; shift += 7) {
        uint8_t byte = *in->data++;
        in->size--;
        if (shift < 64) z |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
            return true;
        }
    }
    return false;
}

/* The framed value: C3 01, fingerprint (its two lowest bytes tell the type apart), then the datum. */
enum { DEPOSITED = 0x7295, DEPOSITED_2 = 0xcf95, WITHDREW = 0xc0fb, CREDITED = 0x1de5 };

static bool take_note(pdr_bytes *in, pdr_bytes *note)
{
    int64_t size;
    if (!take_long(in, &size) || size < 0 || (uint64_t)size > in->size) return false;
    *note = pdr_bytes_of(in->data, (size_t)size);
    in->data += size;
    in->size -= (size_t)size;
    return true;
}

static bool read_value(model_event *event, pdr_bytes value)
{
    if (value.size < 10 || value.data[0] != 0xc3 || value.data[1] != 0x01) return false;
    int type = value.data[2] | value.data[3] << 8;
    int64_t nonce, branch;
    pdr_bytes in = pdr_bytes_of(value.data + 10, value.size - 10);
    bool whole;
    if (type == DEPOSITED_2)
        whole = take_note(&in, &event->note) && take_long(&in, &event->amount) && take_long(&in, &branch) &&
                take_long(&in, &nonce) && take_long(&in, &event->part);
    else
        whole = (type == DEPOSITED || type == WITHDREW || type == CREDITED) && take_long(&in, &nonce) &&
                take_long(&in, &event->amount) && take_long(&in, &event->part) &&
                take_note(&in, &event->note);
    if (!whole || in.size) return false;
    event->withdrew = type == WITHDREW;
    event->nonce = (uint64_t)nonce;
    return true;
}

static void add_event(model *m, model_partition *p, size_t i, int64_t commit_end)
{
    const pdr_header *header = &p->open[i].header;
    const pdr_log_record *record = p->open[i].record;
    int which = model_entity_of(record->entry.key);
    if (which < 0) {
        m->broken(m->context, "seq-contiguous", "an event of no entity of ours", record->offset);
        return;
    }
    model_entity *e = &m->entities[which];
    if (header->seq != e->count + 1)
        m->broken(m->context, "seq-contiguous", "an event's seq doesn't follow", record->offset);
    model_event event = {.at = {record->offset, header->term, header->number},
                         .commit_end = commit_end,
                         .index = header->index,
                         .count = header->count,
                         .writer = p->writer,
                         .id = header->id,
                         .fingerprint = header->fingerprint,
                         .has_reply = header->has_reply,
                         .reply = header->reply};
    if (!read_value(&event, record->entry.value))
        m->broken(m->context, "acked-is-valid", "an event's value can't be read", record->offset);
    const model_event *before = e->count ? &e->events[e->count - 1] : NULL;
    pdr_bytes old_note = before ? before->note : pdr_bytes_of("", 0);
    event.balance = (before ? before->balance : 0) + (event.withdrew ? -event.amount : event.amount);
    if (event.withdrew) event.note = pdr_bytes_of(old_note.data, old_note.size / 2);
    e->events = grow(m, e->events, e->count, &e->capacity, sizeof *e->events);
    e->events[e->count++] = event;
}

static void add_place(model *m, model_partition *p, pdr_position at)
{
    p->places = grow(m, p->places, p->place_count, &p->place_capacity, sizeof *p->places);
    p->places[p->place_count++] = (model_place){at};
}

static uint32_t writer_of(pdr_bytes address)
{
    uint32_t writer = 0; /* "node-<writer>" */
    for (size_t i = 5; i < address.size; i++)
        writer = writer * 10 + (uint32_t)(address.data[i] - '0');
    return writer;
}

static void take_fence(model *m, model_partition *p, const pdr_header *header, int64_t offset)
{
    if (p->open_count) p->torn++;
    p->open_count = 0;
    p->term = (pdr_term){offset, header->term.incarnation};
    p->count = 0;
    p->writer = writer_of(header->address);
    p->fences = grow(m, p->fences, p->fence_count, &p->fence_capacity, sizeof *p->fences);
    p->fences[p->fence_count++] = (model_fence){p->term, p->writer};
    add_place(m, p, (pdr_position){offset, p->term, 0});
}

static bool continues(const model_partition *p, const pdr_header *header, const pdr_log_record *record)
{
    if (header->index != p->open_count) return false;
    if (p->open_count == 0) return true;
    const pdr_header *first = &p->open[0].header;
    return header->count == first->count && pdr_bytes_equal(record->entry.key, p->open[0].record->entry.key);
}

static void take_event(model *m, model_partition *p, const pdr_header *header, const pdr_log_record *record)
{
    if (!continues(p, header, record) || p->open_count == 16) {
        m->broken(m->context, "all-or-none", "an event in sequence breaks its commit", record->offset);
        return;
    }
    p->open[p->open_count].header = *header;
    p->open[p->open_count++].record = record;
    if (header->index + 1 < header->count) return;
    int which = model_entity_of(record->entry.key);
    uint32_t count = p->open_count;
    for (uint32_t i = 0; i < count; i++)
        add_event(m, p, i, record->offset);
    p->open_count = 0;
    add_place(m, p, (pdr_position){record->offset, header->term, header->number});
    if (which < 0) return;
    uint64_t last = m->entities[which].count;
    m->commit(m->context, (uint32_t)which, last - count + 1, last);
}

void model_append(model *m, int32_t partition, const pdr_log_record *record)
{
    model_partition *p = &m->partitions[partition];
    pdr_header header;
    if (!record->entry.header.data || pdr_header_parse(record->entry.header, &header) != PDR_PARSED) return;
    if (header.kind == PDR_RECORD_FENCE) {
        take_fence(m, p, &header, record->offset);
        return;
    }
    if (!pdr_term_equal(header.term, p->term) || header.number != p->count + 1) {
        p->voids++;
        return;
    }
    p->count++;
    if (header.kind == PDR_RECORD_EVENT) {
        take_event(m, p, &header, record);
        return;
    }
    if (p->open_count)
        m->broken(m->context, "all-or-none", "a record that isn't an event inside a commit", record->offset);
    add_place(m, p, (pdr_position){record->offset, header.term, header.number});
}

bool model_knows(const model *m, int32_t partition, pdr_position position)
{
    if (position.offset < 0) return pdr_position_equal(position, PDR_POSITION_START);
    const model_partition *p = &m->partitions[partition];
    size_t low = 0, high = p->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->places[middle].at.offset < position.offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->place_count && pdr_position_equal(p->places[low].at, position);
}

const model_fence *model_fence_of(const model *m, int32_t partition, pdr_term term)
{
    const model_partition *p = &m->partitions[partition];
    for (size_t i = p->fence_count; i-- > 0;)
        if (pdr_term_equal(p->fences[i].term, term)) return &p->fences[i];
    return NULL;
}

size_t model_ids(const model *m, uint32_t entity, uint64_t seq, uint64_t *seqs, size_t max)
{
    size_t count = 0;
    while (seq > 0 && count < max) {
        const model_event *event = model_at(m, entity, seq);
        if (event->id.size) seqs[count++] = seq;
        seq -= event->count;
    }
    return count;
}
