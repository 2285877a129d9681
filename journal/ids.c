#include "journal/ids.h"

#include "base/mem.h"
#include "base/varint.h"

/* An entry: u8 id size, id, u64 fingerprint, varint seq, varint events, u8 reply size + 1 (0: none), reply.
 */
enum { MAX_ENTRY = 1 + PDR_MAX_COMMAND_ID + 8 + 2 * PDR_VARINT_MAX + 1 + PDR_MAX_REPLY, FIRST_CAPACITY = 64 };

bool pdr_ids_next(const uint8_t **p, const uint8_t *end, pdr_id_entry *out)
{
    uint64_t events;
    if (*p >= end) return false;
    size_t size = *(*p)++;
    if (size == 0 || size > PDR_MAX_COMMAND_ID || size > (size_t)(end - *p)) return false;
    out->id = pdr_bytes_of(*p, size);
    *p += size;
    if (!pdr_get_u64(p, end, &out->fingerprint) || !pdr_get_varint(p, end, &out->seq) ||
        !pdr_get_varint(p, end, &events))
        return false;
    if (events > UINT32_MAX || *p >= end) return false;
    out->events = (uint32_t)events;
    size_t reply = *(*p)++;
    out->has_reply = reply > 0;
    if (reply > 0) reply--;
    if (reply > (size_t)(end - *p)) return false;
    out->reply = pdr_bytes_of(*p, reply);
    *p += reply;
    return true;
}

bool pdr_ids_find(const pdr_ids *ids, pdr_bytes id, pdr_id_entry *out)
{
    if (!ids) return false;
    const uint8_t *p = ids->bytes + ids->begin, *end = ids->bytes + ids->end;
    while (pdr_ids_next(&p, end, out))
        if (pdr_bytes_equal(out->id, id)) return true;
    return false;
}

static pdr_code make_room(pdr_ids **ids, uint32_t more)
{
    pdr_ids *old = *ids;
    uint32_t used = old ? old->end - old->begin : 0;
    if (old && old->capacity - old->end >= more) return PDR_OK;
    uint32_t wanted = used + more, capacity = old ? old->capacity : FIRST_CAPACITY;
    if (old && wanted <= capacity / 4 * 3) {
        memmove(old->bytes, old->bytes + old->begin, used);
        old->begin = 0;
        old->end = used;
        return PDR_OK;
    }
    while (capacity < wanted)
        capacity += capacity / 2;
    pdr_ids *grown = pdr_alloc(sizeof *grown + capacity);
    if (!grown) return PDR_NOMEM;
    *grown = (pdr_ids){0, used, capacity, old ? old->count : 0};
    if (used) memcpy(grown->bytes, old->bytes + old->begin, used);
    pdr_free(old);
    *ids = grown;
    return PDR_OK;
}

pdr_code pdr_ids_reserve(pdr_ids **ids)
{
    return make_room(ids, MAX_ENTRY);
}

static void drop_oldest(pdr_ids *ids)
{
    pdr_id_entry oldest;
    const uint8_t *p = ids->bytes + ids->begin;
    PDR_INVARIANT("once-per-command-id", pdr_ids_next(&p, ids->bytes + ids->end, &oldest));
    ids->begin = (uint32_t)(p - ids->bytes);
    ids->count--;
}

static uint32_t entry_size(const pdr_id_entry *entry)
{
    uint8_t scratch[2 * PDR_VARINT_MAX];
    uint8_t *end = pdr_put_varint(pdr_put_varint(scratch, entry->seq), entry->events);
    return (uint32_t)(1 + entry->id.size + 8 + (size_t)(end - scratch) + 1 +
                      (entry->has_reply ? entry->reply.size : 0));
}

pdr_code pdr_ids_add(pdr_ids **ids, uint32_t window, const pdr_id_entry *entry)
{
    PDR_INVARIANT("once-per-command-id", entry->id.size > 0 && entry->id.size <= PDR_MAX_COMMAND_ID);
    PDR_INVARIANT("once-per-command-id", entry->reply.size <= PDR_MAX_REPLY);
    pdr_code code = make_room(ids, entry_size(entry));
    if (code != PDR_OK) return code;
    pdr_ids *w = *ids;
    uint8_t *p = w->bytes + w->end;
    *p++ = (uint8_t)entry->id.size;
    memcpy(p, entry->id.data, entry->id.size);
    p = pdr_put_u64(p + entry->id.size, entry->fingerprint);
    p = pdr_put_varint(p, entry->seq);
    p = pdr_put_varint(p, entry->events);
    *p++ = entry->has_reply ? (uint8_t)(entry->reply.size + 1) : 0;
    if (entry->has_reply && entry->reply.size) memcpy(p, entry->reply.data, entry->reply.size);
    if (entry->has_reply) p += entry->reply.size;
    w->end = (uint32_t)(p - w->bytes);
    w->count++;
    while (w->count > window)
        drop_oldest(w);
    return PDR_OK;
}

pdr_code pdr_ids_load(pdr_ids **out, pdr_bytes packed, pdr_error *err)
{
    *out = NULL;
    if (packed.size == 0) return PDR_OK;
    if (packed.size > UINT32_MAX / 4)
        return pdr_fail(err, PDR_CORRUPT, "a window of command ids has %zu bytes", packed.size);
    uint32_t count = 0;
    const uint8_t *p = packed.data, *end = packed.data + packed.size;
    for (pdr_id_entry entry; p < end; count++)
        if (!pdr_ids_next(&p, end, &entry))
            return pdr_fail(err, PDR_CORRUPT, "a window of command ids is malformed at its entry %u", count);
    pdr_code code = make_room(out, (uint32_t)packed.size);
    if (code != PDR_OK) return pdr_fail(err, code, "loading a window of command ids");
    memcpy((*out)->bytes, packed.data, packed.size);
    (*out)->end = (uint32_t)packed.size;
    (*out)->count = count;
    return PDR_OK;
}

pdr_bytes pdr_ids_packed(const pdr_ids *ids)
{
    return ids ? pdr_bytes_of(ids->bytes + ids->begin, ids->end - ids->begin) : pdr_bytes_of("", 0);
}

void pdr_ids_free(pdr_ids *ids)
{
    pdr_free(ids);
}
