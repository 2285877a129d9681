#include "perdure/sys/wire.h"

#include <inttypes.h>

#include "base/mem.h"

/* ---- UTF-8: as RFC 3629 has it, so no surrogates, no overlong forms, nothing above U+10FFFF ---- */

static size_t continuation_bytes(uint8_t lead, uint8_t *low, uint8_t *high)
{
    *low = 0x80;
    *high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) return 1;
    if (lead == 0xE0) *low = 0xA0;
    if (lead == 0xED) *high = 0x9F;
    if (lead >= 0xE0 && lead <= 0xEF) return 2;
    if (lead == 0xF0) *low = 0x90;
    if (lead == 0xF4) *high = 0x8F;
    if (lead >= 0xF0 && lead <= 0xF4) return 3;
    return 0;
}

bool pdr_wire_utf8(const uint8_t *p, size_t size)
{
    if (size == 0) return true; /* p may be NULL */
    const uint8_t *end = p + size;
    while (p < end) {
        while (end - p >= 8 && (pdr_wire_load64(p) & PDR_WIRE_HIGH_BITS) == 0)
            p += 8;
        if (p == end) break;
        uint8_t lead = *p++, low, high;
        if (lead < 0x80) continue;
        size_t more = continuation_bytes(lead, &low, &high);
        if (more == 0 || (size_t)(end - p) < more || *p < low || *p > high) return false;
        for (p++; more > 1; more--, p++)
            if (*p < 0x80 || *p > 0xBF) return false;
    }
    return true;
}

/* ---- reading off the fast path ---- */

const uint8_t *pdr_wire_get_varint_slow(const uint8_t *end, const uint8_t *p, uint64_t *out)
{
    uint64_t z = 0;
    for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
        uint8_t byte = *p++;
        if (shift == 63 && byte > 1) return NULL; /* more than 64 bits, or more than 10 bytes */
        z |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = z;
            return p;
        }
    }
    return NULL;
}

static const uint8_t *check_count(pdr_wire_in *in, const uint8_t *p, size_t least, size_t have,
                                  uint64_t count)
{
    uint64_t most = least ? (uint64_t)(in->end - p) / least
                          : (have < PDR_WIRE_MAX_EMPTY_ITEMS ? PDR_WIRE_MAX_EMPTY_ITEMS - have : 0);
    return count <= most ? p : NULL;
}

const uint8_t *pdr_wire_get_block(pdr_wire_in *in, const uint8_t *p, size_t least, size_t have,
                                  pdr_wire_block *block)
{
    int64_t count = 0, size = 0;
    block->stop = NULL;
    p = pdr_wire_get_long(in->end, p, &count);
    if (!p) return NULL;
    uint64_t items = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;
    if (count < 0) {
        p = pdr_wire_get_long(in->end, p, &size);
        if (!p || size < 0 || size > in->end - p) return NULL;
        block->stop = p + size;
    }
    block->count = (size_t)items;
    return check_count(in, p, least, have, items);
}

static void *room_for(pdr_wire_in *in, size_t size)
{
    pdr_arena *arena = in->arena;
    void *memory = arena ? pdr_arena_alloc(arena, size) : NULL;
    if (!memory) {
        in->code = PDR_INVALID_ARGUMENT; /* there is no arena */
        if (arena) in->code = size > arena->max - arena->held ? PDR_TOO_LARGE : PDR_NOMEM;
    }
    return memory;
}

void *pdr_wire_room(pdr_wire_in *in, void *items, size_t have, size_t more, size_t size, size_t *room)
{
    if (have + more <= *room) return items;
    size_t want = have + more;
    if (have && want < *room * 2) want = *room * 2; /* several blocks: grow by doubling */
    size_t bytes = want > SIZE_MAX / size ? SIZE_MAX : want * size;
    void *grown = room_for(in, bytes);
    if (!grown) return NULL;
    if (have) memcpy(grown, items, have * size);
    *room = want;
    return grown;
}

/* ---- why it failed ---- */

static pdr_code say_bad(pdr_wire_in *in, const uint8_t *p, const char *place, const char *why)
{
    return pdr_fail(in->err, PDR_BAD_DATA, "%s: byte %zu: %s", place, (size_t)(p - in->start), why);
}

static const char *why_varint(const pdr_wire_in *in, const uint8_t *p)
{
    uint64_t z;
    if (pdr_wire_get_varint_slow(in->end, p, &z)) return NULL;
    return in->end - p < 10 ? "the datum ends inside a number" : "a number has more than 64 bits";
}

static const char *why_bytes(const pdr_wire_in *in, const uint8_t *p, bool text)
{
    uint64_t z = 0;
    const char *why = why_varint(in, p);
    if (why) return why;
    p = pdr_wire_get_varint_slow(in->end, p, &z);
    if (z & 1) return "a length is negative";
    if (!p || (z >> 1) > (uint64_t)(in->end - p)) return "a length goes beyond the end of the datum";
    return text ? "a string is not valid UTF-8" : "bad bytes";
}

static const char *why_block(const pdr_wire_in *in, const uint8_t *p)
{
    int64_t count = 0, size = 0;
    const char *why = why_varint(in, p);
    if (why) return why;
    p = pdr_wire_get_long(in->end, p, &count);
    if (count < 0 && p) {
        why = why_varint(in, p);
        if (why) return why;
        p = pdr_wire_get_long(in->end, p, &size);
        if (size < 0) return "a block's size is negative";
        if (!p || size > in->end - p) return "a block's size goes beyond the end of the datum";
    }
    return "a block has more items than the datum can hold";
}

static const char *why(const pdr_wire_in *in, const uint8_t *p, pdr_wire_what what)
{
    const char *reason = NULL;
    switch (what) {
    case PDR_WIRE_BOOLEAN: return p < in->end ? "a boolean is neither 0 nor 1" : "the datum ends early";
    case PDR_WIRE_FLOAT:
    case PDR_WIRE_DOUBLE:
    case PDR_WIRE_FIXED: return "the datum ends early";
    case PDR_WIRE_BYTES: return why_bytes(in, p, false);
    case PDR_WIRE_STRING: return why_bytes(in, p, true);
    case PDR_WIRE_INT: reason = why_varint(in, p); return reason ? reason : "an int has more than 32 bits";
    case PDR_WIRE_ENUM:
        reason = why_varint(in, p);
        return reason ? reason : "an enum's index is out of range";
    case PDR_WIRE_UNION:
        reason = why_varint(in, p);
        return reason ? reason : "a union's index is out of range";
    case PDR_WIRE_BLOCK: return why_block(in, p);
    case PDR_WIRE_BLOCK_END: return "a block's size is not the size of its items";
    case PDR_WIRE_END: return "bytes are left over";
    case PDR_WIRE_DEPTH: return "nested too deeply";
    default: reason = why_varint(in, p); return reason ? reason : "bad bytes";
    }
}

static pdr_code say_no_memory(const pdr_wire_in *in, const char *place)
{
    if (in->code == PDR_TOO_LARGE)
        return pdr_fail(in->err, PDR_TOO_LARGE, "%s: over the arena's ceiling of %zu bytes", place,
                        in->arena->max);
    if (in->code == PDR_NOMEM) return pdr_fail(in->err, PDR_NOMEM, "%s: out of memory", place);
    return pdr_fail(in->err, PDR_INVALID_ARGUMENT, "%s: decoding it needs an arena", place);
}

const uint8_t *pdr_wire_bad(pdr_wire_in *in, const uint8_t *p, pdr_wire_what what, const char *place)
{
    in->code = what == PDR_WIRE_MEMORY ? say_no_memory(in, place) : say_bad(in, p, place, why(in, p, what));
    return NULL;
}

uint8_t *pdr_wire_refuse(pdr_wire_out *out, pdr_wire_what what, const char *place)
{
    const char *text = "bad value";
    switch (what) {
    case PDR_WIRE_STRING: text = "a string must be valid UTF-8"; break;
    case PDR_WIRE_BYTES: text = "bytes with a size have no data"; break;
    case PDR_WIRE_ENUM: text = "no symbol has this value"; break;
    case PDR_WIRE_UNION: text = "no branch has this tag"; break;
    case PDR_WIRE_POINTER: text = "a pointer to a value is NULL"; break;
    case PDR_WIRE_DEPTH: text = "nested too deeply"; break;
    case PDR_WIRE_BLOCK: text = "too many items that take no bytes"; break;
    default: break;
    }
    out->code = pdr_fail(out->err, PDR_INVALID_ARGUMENT, "%s: %s", place, text);
    return NULL;
}

/* ---- encoding off the fast path: the buffer must grow, or the upper bound is above its ceiling ---- */

static pdr_code put_all(pdr_wire_put put, const void *value, pdr_buf *out, pdr_error *err)
{
    pdr_wire_out state = {err, PDR_OK, 0};
    const uint8_t *p = put(&state, out->data + out->size, value);
    if (!p) return state.code;
    out->size = (size_t)(p - out->data);
    return PDR_OK;
}

static pdr_code put_apart(uint64_t bound, pdr_wire_put put, const void *value, pdr_buf *out, pdr_error *err)
{
    pdr_buf apart = PDR_BUF_INIT((size_t)bound);
    pdr_code code = pdr_buf_reserve(&apart, (size_t)bound);
    if (code == PDR_OK) {
        code = put_all(put, value, &apart, err);
        if (code == PDR_OK) code = pdr_buf_append(out, apart.data, apart.size);
    }
    pdr_buf_release(&apart);
    return code;
}

pdr_code pdr_wire_encode_slow(uint64_t bound, pdr_wire_put put, const void *value, const char *name,
                              pdr_buf *out, pdr_error *err)
{
    if (bound > PDR_WIRE_MAX_SIZE)
        return pdr_fail(err, PDR_TOO_LARGE, "%s: larger than %d bytes", name, (int)PDR_WIRE_MAX_SIZE);
    pdr_code code = pdr_buf_reserve(out, (size_t)bound);
    if (code == PDR_OK) return put_all(put, value, out, err);
    if (code == PDR_TOO_LARGE) code = put_apart(bound, put, value, out, err);
    if (code == PDR_TOO_LARGE)
        return pdr_fail(err, code, "%s: over the buffer's ceiling of %zu bytes", name, out->max);
    if (code == PDR_NOMEM) return pdr_fail(err, code, "%s: out of memory", name);
    return code;
}
