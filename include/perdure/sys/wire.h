/* Avro's binary encoding, byte by byte, for the code that `perdure gen` writes. Application code calls the
 * generated functions instead. Source: Apache Avro 1.11 specification, "Binary encoding".
 *
 * Writing is in two steps: measure an upper bound of the whole datum, reserve it, then write without checks
 * of space. Reading checks each length against what is left. The put_ functions give the place after what
 * they wrote, the get_ functions the place after what they read; NULL means failure, and the caller then says
 * what was expected where (pdr_wire_refuse, pdr_wire_bad), which finds out why off the fast path. */
#ifndef PERDURE_SYS_WIRE_H
#define PERDURE_SYS_WIRE_H

#include "perdure/arena.h"
#include "perdure/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PDR_WIRE_MAX_DEPTH = 256,         /* nesting of recursive records */
    PDR_WIRE_MAX_EMPTY_ITEMS = 65536, /* items of an array whose items take no bytes, such as array<null> */
    PDR_WIRE_SLACK = 16,              /* bytes that a put_ function may write past what it keeps */
    PDR_WIRE_MAX_SIZE = 1 << 30,      /* bytes of one datum that may be written */
};

typedef enum pdr_wire_what {
    PDR_WIRE_BOOLEAN,
    PDR_WIRE_INT,
    PDR_WIRE_LONG,
    PDR_WIRE_FLOAT,
    PDR_WIRE_DOUBLE,
    PDR_WIRE_BYTES,
    PDR_WIRE_STRING,
    PDR_WIRE_ENUM,
    PDR_WIRE_UNION,
    PDR_WIRE_FIXED,
    PDR_WIRE_BLOCK,     /* the head of an array's or map's block */
    PDR_WIRE_BLOCK_END, /* a sized block ends where its size said */
    PDR_WIRE_END,       /* nothing is left */
    PDR_WIRE_DEPTH,
    PDR_WIRE_POINTER, /* a pointer that must not be NULL */
    PDR_WIRE_MEMORY,
} pdr_wire_what;

/* State of one encode. */
typedef struct pdr_wire_out {
    pdr_error *err;
    pdr_code code;
    unsigned depth;
} pdr_wire_out;

/* State of one decode. */
typedef struct pdr_wire_in {
    const uint8_t *start;
    const uint8_t *end;
    pdr_arena *arena;
    pdr_error *err;
    pdr_code code;
    unsigned depth;
} pdr_wire_in;

typedef struct pdr_wire_block {
    size_t count;        /* items; 0 ends the array or map */
    const uint8_t *stop; /* where the block ends, if it says its size; else NULL */
} pdr_wire_block;

typedef uint8_t *(*pdr_wire_put)(pdr_wire_out *out, uint8_t *p, const void *value);
typedef const uint8_t *(*pdr_wire_get)(pdr_wire_in *in, const uint8_t *p, void *value);

/* Off the fast path; in the library. `place` is "full.Name.field". */
PDR_API bool pdr_wire_utf8(const uint8_t *p, size_t size); /* is it valid UTF-8? */
PDR_API uint8_t *pdr_wire_refuse(pdr_wire_out *out, pdr_wire_what what, const char *place);
PDR_API const uint8_t *pdr_wire_bad(pdr_wire_in *in, const uint8_t *p, pdr_wire_what what, const char *place);
PDR_API const uint8_t *pdr_wire_get_varint_slow(const uint8_t *end, const uint8_t *p, uint64_t *out);
/* Head of the next block. `least`: bytes that an item takes at least; `have`: items read before. */
PDR_API const uint8_t *pdr_wire_get_block(pdr_wire_in *in, const uint8_t *p, size_t least, size_t have,
                                          pdr_wire_block *block);
/* Memory for `more` items of `size` bytes after the `have` at `items`; *room counts the items that fit. NULL:
 * out of memory or over the arena's ceiling. */
PDR_API void *pdr_wire_room(pdr_wire_in *in, void *items, size_t have, size_t more, size_t size,
                            size_t *room);
/* The whole of an encode and a decode. */
PDR_API PDR_CHECKED pdr_code pdr_wire_encode_slow(uint64_t bound, pdr_wire_put put, const void *value,
                                                  const char *name, pdr_buf *out, pdr_error *err);

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PDR_WIRE_LITTLE 1
#else
#define PDR_WIRE_LITTLE 0
#endif
#define PDR_WIRE_LIKELY(x) __builtin_expect(!!(x), 1)
#define PDR_WIRE_HIGH_BITS UINT64_C(0x8080808080808080)

static inline uint64_t pdr_wire_load64(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static inline uint32_t pdr_wire_load32(const uint8_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* Seven bits a byte, as in Avro, into eight bytes at once; z < 2^56. */
static inline uint64_t pdr_wire_spread(uint64_t z)
{
    z = (z & UINT64_C(0x000000000fffffff)) | ((z & UINT64_C(0x00fffffff0000000)) << 4);
    z = (z & UINT64_C(0x00003fff00003fff)) | ((z & UINT64_C(0x0fffc0000fffc000)) << 2);
    return (z & UINT64_C(0x007f007f007f007f)) | ((z & UINT64_C(0x3f803f803f803f80)) << 1);
}

static inline uint64_t pdr_wire_gather(uint64_t x)
{
    x = (x & UINT64_C(0x007f007f007f007f)) | ((x & UINT64_C(0x7f007f007f007f00)) >> 1);
    x = (x & UINT64_C(0x00003fff00003fff)) | ((x & UINT64_C(0x3fff00003fff0000)) >> 2);
    return (x & UINT64_C(0x000000000fffffff)) | ((x & UINT64_C(0x0fffffff00000000)) >> 4);
}

static inline uint8_t *pdr_wire_put_varint(uint8_t *p, uint64_t z)
{
    if (z < 0x80) {
        *p = (uint8_t)z;
        return p + 1;
    }
    if (PDR_WIRE_LITTLE && PDR_WIRE_LIKELY(z < UINT64_C(1) << 56)) {
        unsigned size = ((70u - (unsigned)__builtin_clzll(z)) * 37u) >> 8; /* bits / 7, up: 2 to 8 */
        uint64_t x = pdr_wire_spread(z) | (PDR_WIRE_HIGH_BITS >> (72u - 8u * size));
        memcpy(p, &x, sizeof x);
        return p + size;
    }
    for (; z >= 0x80; z >>= 7)
        *p++ = (uint8_t)(z | 0x80);
    *p++ = (uint8_t)z;
    return p;
}

static inline uint8_t *pdr_wire_put_long(uint8_t *p, int64_t value)
{
    return pdr_wire_put_varint(p, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static inline uint8_t *pdr_wire_put_int(uint8_t *p, int32_t value)
{
    return pdr_wire_put_long(p, value);
}

static inline uint8_t *pdr_wire_put_boolean(uint8_t *p, bool value)
{
    *p = value ? 1 : 0;
    return p + 1;
}

/* Little-endian, whatever the machine's order; one store where it is the same. */
static inline void pdr_wire_store(uint8_t *p, uint64_t bits, size_t size)
{
    if (PDR_WIRE_LITTLE)
        memcpy(p, &bits, size);
    else
        for (size_t i = 0; i < size; i++)
            p[i] = (uint8_t)(bits >> (8 * i));
}

static inline uint64_t pdr_wire_load(const uint8_t *p, size_t size)
{
    uint64_t bits = 0;
    if (PDR_WIRE_LITTLE)
        memcpy(&bits, p, size);
    else
        for (size_t i = 0; i < size; i++)
            bits |= (uint64_t)p[i] << (8 * i);
    return bits;
}

static inline uint8_t *pdr_wire_put_float(uint8_t *p, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    pdr_wire_store(p, bits, sizeof bits);
    return p + sizeof bits;
}

static inline uint8_t *pdr_wire_put_double(uint8_t *p, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    pdr_wire_store(p, bits, sizeof bits);
    return p + sizeof bits;
}

static inline uint8_t *pdr_wire_put_raw(uint8_t *p, const uint8_t *data, size_t size)
{
    if (size >= 8 && size <= 16) {
        memcpy(p, data, 8);
        memcpy(p + size - 8, data + size - 8, 8);
    } else if (size) {
        memcpy(p, data, size);
    }
    return p + size;
}

static inline uint8_t *pdr_wire_put_bytes(uint8_t *p, pdr_bytes value)
{
    if (!value.data && value.size) return NULL;
    return pdr_wire_put_raw(pdr_wire_put_varint(p, (uint64_t)value.size << 1), value.data, value.size);
}

static inline uint64_t pdr_wire_copy64(uint8_t *to, const uint8_t *from)
{
    uint64_t word = pdr_wire_load64(from);
    memcpy(to, &word, sizeof word);
    return word;
}

static inline uint64_t pdr_wire_copy128(uint8_t *to, const uint8_t *from)
{
    return pdr_wire_copy64(to, from) | pdr_wire_copy64(to + 8, from + 8);
}

/* Copies, and tells whether all was ASCII. Head and tail may overlap: short texts need no loop. */
static inline bool pdr_wire_copy_text(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size > 16) {
        uint64_t bits = pdr_wire_copy128(to, from);
        for (size_t i = 16; i + 16 < size; i += 16)
            bits |= pdr_wire_copy128(to + i, from + i);
        return ((bits | pdr_wire_copy128(to + size - 16, from + size - 16)) & PDR_WIRE_HIGH_BITS) == 0;
    }
    if (size >= 8) {
        uint64_t bits = pdr_wire_copy64(to, from) | pdr_wire_copy64(to + size - 8, from + size - 8);
        return (bits & PDR_WIRE_HIGH_BITS) == 0;
    }
    if (size >= 4) {
        uint32_t head = pdr_wire_load32(from), tail = pdr_wire_load32(from + size - 4);
        memcpy(to, &head, 4);
        memcpy(to + size - 4, &tail, 4);
        return ((head | tail) & 0x80808080u) == 0;
    }
    if (size == 0) return true;
    uint8_t first = from[0], middle = from[size / 2], last = from[size - 1];
    to[0] = first;
    to[size / 2] = middle;
    to[size - 1] = last;
    return (first | middle | last) < 0x80;
}

static inline uint64_t pdr_wire_load128(const uint8_t *p)
{
    return pdr_wire_load64(p) | pdr_wire_load64(p + 8);
}

static inline bool pdr_wire_is_text(const uint8_t *p, size_t size)
{
    uint64_t bits = 0;
    if (size > 16) {
        bits = pdr_wire_load128(p) | pdr_wire_load128(p + size - 16);
        for (size_t i = 16; i + 16 < size; i += 16)
            bits |= pdr_wire_load128(p + i);
    } else if (size >= 8) {
        bits = pdr_wire_load64(p) | pdr_wire_load64(p + size - 8);
    } else if (size >= 4) {
        bits = pdr_wire_load32(p) | pdr_wire_load32(p + size - 4);
    } else if (size > 0) {
        bits = p[0] | p[size / 2] | p[size - 1];
    }
    return PDR_WIRE_LIKELY((bits & PDR_WIRE_HIGH_BITS) == 0) || pdr_wire_utf8(p, size);
}

static inline uint8_t *pdr_wire_put_string(uint8_t *p, pdr_string value)
{
    const uint8_t *text = (const uint8_t *)value.data;
    if (!text && value.size) return NULL;
    p = pdr_wire_put_varint(p, (uint64_t)value.size << 1);
    if (!PDR_WIRE_LIKELY(pdr_wire_copy_text(p, text, value.size)) && !pdr_wire_utf8(text, value.size))
        return NULL;
    return p + value.size;
}

static inline const uint8_t *pdr_wire_get_varint(const uint8_t *end, const uint8_t *p, uint64_t *out)
{
    if (PDR_WIRE_LIKELY(p < end) && *p < 0x80) {
        *out = *p;
        return p + 1;
    }
    if (PDR_WIRE_LITTLE && PDR_WIRE_LIKELY(end - p >= 8)) {
        uint64_t x = pdr_wire_load64(p), stop = ~x & PDR_WIRE_HIGH_BITS;
        if (PDR_WIRE_LIKELY(stop)) {
            *out = pdr_wire_gather(x & (stop ^ (stop - 1)));
            return p + (__builtin_ctzll(stop) >> 3) + 1;
        }
    }
    uint64_t slow = 0; /* not *out, so that the caller's variable can stay in a register */
    p = pdr_wire_get_varint_slow(end, p, &slow);
    *out = slow;
    return p;
}

static inline const uint8_t *pdr_wire_get_long(const uint8_t *end, const uint8_t *p, int64_t *out)
{
    uint64_t z = 0;
    p = pdr_wire_get_varint(end, p, &z);
    *out = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
    return p;
}

static inline const uint8_t *pdr_wire_get_int(const uint8_t *end, const uint8_t *p, int32_t *out)
{
    uint64_t z = 0;
    p = pdr_wire_get_varint(end, p, &z);
    *out = (int32_t)((int64_t)((z & UINT32_MAX) >> 1) ^ -(int64_t)(z & 1));
    return z <= UINT32_MAX ? p : NULL;
}

static inline const uint8_t *pdr_wire_get_boolean(const uint8_t *end, const uint8_t *p, bool *out)
{
    if (p >= end || *p > 1) return NULL;
    *out = *p == 1;
    return p + 1;
}

static inline const uint8_t *pdr_wire_get_float(const uint8_t *end, const uint8_t *p, float *out)
{
    if (end - p < 4) return NULL;
    uint32_t bits = (uint32_t)pdr_wire_load(p, sizeof bits);
    memcpy(out, &bits, sizeof bits);
    return p + sizeof bits;
}

static inline const uint8_t *pdr_wire_get_double(const uint8_t *end, const uint8_t *p, double *out)
{
    if (end - p < 8) return NULL;
    uint64_t bits = pdr_wire_load(p, sizeof bits);
    memcpy(out, &bits, sizeof bits);
    return p + sizeof bits;
}

static inline const uint8_t *pdr_wire_get_fixed(const uint8_t *end, const uint8_t *p, void *out, size_t size)
{
    if ((size_t)(end - p) < size) return NULL;
    memcpy(out, p, size);
    return p + size;
}

static inline const uint8_t *pdr_wire_get_bytes(const uint8_t *end, const uint8_t *p, pdr_bytes *out)
{
    uint64_t z = 0;
    p = pdr_wire_get_varint(end, p, &z);
    if (!p || (z & 1) || (z >> 1) > (uint64_t)(end - p)) return NULL;
    out->data = p;
    out->size = (size_t)(z >> 1);
    return p + out->size;
}

static inline const uint8_t *pdr_wire_get_string(const uint8_t *end, const uint8_t *p, pdr_string *out)
{
    pdr_bytes bytes;
    const uint8_t *next = pdr_wire_get_bytes(end, p, &bytes);
    if (!next || !PDR_WIRE_LIKELY(pdr_wire_is_text(bytes.data, bytes.size))) return NULL;
    out->data = (const char *)bytes.data;
    out->size = bytes.size;
    return next;
}

/* The index of an enum's symbol or a union's branch: 0 <= *out < count. */
static inline const uint8_t *pdr_wire_get_index(const uint8_t *end, const uint8_t *p, unsigned count,
                                                unsigned *out)
{
    uint64_t z = 0;
    p = pdr_wire_get_varint(end, p, &z);
    *out = (unsigned)(z >> 1);
    return (z & 1) == 0 && (z >> 1) < count ? p : NULL;
}

/* An upper bound grows; past PDR_WIRE_MAX_SIZE it only has to stay there. */
static inline uint64_t pdr_wire_size(size_t size)
{
    return size <= PDR_WIRE_MAX_SIZE ? size : (uint64_t)PDR_WIRE_MAX_SIZE + 1;
}

static inline uint64_t pdr_wire_sizes(size_t count, uint64_t each)
{
    return each == 0 || count <= PDR_WIRE_MAX_SIZE / each ? count * each : (uint64_t)PDR_WIRE_MAX_SIZE + 1;
}

static inline void *pdr_wire_make(pdr_wire_in *in, size_t size)
{
    size_t room = 0;
    return pdr_wire_room(in, NULL, 0, 1, size, &room);
}

/* One step of a put or get function that has `out` or `in` and the place `p`. */
#define PDR_WIRE_WRITE(step, what, place)                                                                    \
    do {                                                                                                     \
        uint8_t *next_ = (step);                                                                             \
        if (!PDR_WIRE_LIKELY(next_)) return pdr_wire_refuse(out, what, place);                               \
        p = next_;                                                                                           \
    } while (0)
#define PDR_WIRE_READ(step, what, place)                                                                     \
    do {                                                                                                     \
        const uint8_t *next_ = (step);                                                                       \
        if (!PDR_WIRE_LIKELY(next_)) return pdr_wire_bad(in, p, what, place);                                \
        p = next_;                                                                                           \
    } while (0)
/* The same for a step that said itself what was wrong. */
#define PDR_WIRE_NEST(type, step)                                                                            \
    do {                                                                                                     \
        type *next_ = (step);                                                                                \
        if (!PDR_WIRE_LIKELY(next_)) return NULL;                                                            \
        p = next_;                                                                                           \
    } while (0)

PDR_CHECKED static inline pdr_code pdr_wire_encode(uint64_t bound, pdr_wire_put put, const void *value,
                                                   const char *name, pdr_buf *out, pdr_error *err)
{
    bound += PDR_WIRE_SLACK;
    if (!PDR_WIRE_LIKELY(bound <= out->capacity - out->size && bound <= PDR_WIRE_MAX_SIZE))
        return pdr_wire_encode_slow(bound, put, value, name, out, err);
    pdr_wire_out state = {err, PDR_OK, 0};
    const uint8_t *p = put(&state, out->data + out->size, value);
    if (!p) return state.code;
    out->size = (size_t)(p - out->data);
    return PDR_OK;
}

PDR_CHECKED static inline pdr_code pdr_wire_decode(pdr_wire_get get, pdr_bytes datum, pdr_arena *arena,
                                                   void *value, const char *name, pdr_error *err)
{
    const uint8_t *start = datum.data ? datum.data : (const uint8_t *)"";
    pdr_wire_in in = {start, start + datum.size, arena, err, PDR_OK, 0};
    const uint8_t *p = get(&in, start, value);
    if (PDR_WIRE_LIKELY(p == in.end)) return PDR_OK;
    if (p) (void)pdr_wire_bad(&in, p, PDR_WIRE_END, name);
    return in.code;
}

#ifdef __cplusplus
}
#endif
#endif
