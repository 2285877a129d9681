/* Data of any schema. */
#include "perdure/sys/wire.h"
#include "tests/support/made_pair.h"

enum { DEEP = 6, LARGEST = 1 << 16 };

static bool datum(const pdr_schema *type, choices *c, pdr_buf *out, unsigned depth);

static bool put(pdr_buf *out, const void *data, size_t size)
{
    return out->size + size <= LARGEST && pdr_buf_append(out, data, size) == PDR_OK;
}

static bool put_long(pdr_buf *out, int64_t number)
{
    uint8_t bytes[PDR_WIRE_SLACK + 16];
    return put(out, bytes, (size_t)(pdr_wire_put_long(bytes, number) - bytes));
}

/* Small ones, large ones, and those at the edges. */
static int64_t number(choices *c, bool is_int)
{
    static const int64_t edges[] = {0,         1,         -1,        INT32_MAX,        INT32_MIN, 16777217,
                                    -16777217, INT64_MAX, INT64_MIN, 9007199254740993, 123456789, 33554433};
    unsigned kind = choose(c, 4);
    int64_t value = (int64_t)choose(c, 100) - 50;
    if (kind == 1) value = edges[choose(c, sizeof edges / sizeof edges[0])];
    if (kind == 2) value = (int64_t)choose_bits(c);
    return is_int ? (int32_t)(uint32_t)(uint64_t)value : value;
}

static bool real(choices *c, pdr_buf *out, bool single)
{
    static const double edges[] = {0.0, -0.0, 1.5, -1e30, 3.25, 1e-40, 0.1, 1e300};
    double value = choose(c, 4) ? edges[choose(c, 8)] : (double)number(c, false);
    uint64_t bits = choose(c, 8) == 7 ? choose_bits(c) : 0;
    uint8_t bytes[16];
    if (single) {
        float half = value > 1e38 ? 1e38f : (float)value;
        if (bits) memcpy(&half, &bits, sizeof half);
        return put(out, bytes, (size_t)(pdr_wire_put_float(bytes, half) - bytes));
    }
    if (bits) memcpy(&value, &bits, sizeof value);
    return put(out, bytes, (size_t)(pdr_wire_put_double(bytes, value) - bytes));
}

static bool text(choices *c, pdr_buf *out, bool is_bytes)
{
    static const char *const pieces[] = {
        "a", "Zz", "\xc3\xa9", "0", "\xe2\x82\xac", "\\ ", "\xf0\x9f\x98\x80", "~"};
    char all[80] = "";
    size_t size = 0;
    for (unsigned left = choose(c, 5); left > 0; left--) {
        const char *piece = pieces[choose(c, 8)];
        for (; *piece; piece++)
            all[size++] = *piece;
    }
    if (is_bytes && choose(c, 8) == 7) all[size++] = (char)(0x80 + choose(c, 0x80)); /* rarely UTF-8 */
    return put_long(out, (int64_t)size) && put(out, all, size);
}

static bool items(const pdr_schema *type, choices *c, pdr_buf *out, unsigned count, unsigned first,
                  unsigned depth)
{
    bool fine = true;
    for (unsigned i = first; fine && i < first + count; i++) {
        char key[3] = {'k', (char)('a' + i % 26), '\0'};
        if (type->kind == PDR_KIND_MAP) fine = put_long(out, 2) && put(out, key, 2);
        if (fine) fine = datum(type->items, c, out, depth + 1);
    }
    return fine;
}

static bool sized_block(const pdr_schema *type, choices *c, pdr_buf *out, unsigned count, unsigned first,
                        unsigned depth)
{
    pdr_buf block = PDR_BUF_INIT(LARGEST);
    bool fine = items(type, c, &block, count, first, depth) && put_long(out, -(int64_t)count) &&
                put_long(out, (int64_t)block.size) && put(out, block.data, block.size);
    pdr_buf_release(&block);
    return fine;
}

static bool list(const pdr_schema *type, choices *c, pdr_buf *out, unsigned depth)
{
    unsigned blocks = depth > DEEP ? 0 : choose(c, 3), first = 0;
    bool fine = true;
    for (; fine && blocks > 0; blocks--) {
        unsigned count = 1 + choose(c, 2);
        bool sized = choose(c, 3) == 2;
        fine = sized ? sized_block(type, c, out, count, first, depth)
                     : put_long(out, (int64_t)count) && items(type, c, out, count, first, depth);
        first += count;
    }
    return fine && put_long(out, 0);
}

/* Deep down, a branch that ends. */
static unsigned branch(const pdr_schema *type, choices *c, unsigned depth)
{
    unsigned tag = choose(c, (unsigned)type->count);
    for (unsigned i = 0; depth > DEEP && i < type->count; i++)
        if (type->branches[i]->kind < PDR_KIND_RECORD) tag = i;
    return tag;
}

static bool datum(const pdr_schema *type, choices *c, pdr_buf *out, unsigned depth)
{
    if (depth > 64) return false;
    switch (type->kind) {
    case PDR_KIND_NULL: return true;
    case PDR_KIND_BOOLEAN: return put(out, choose(c, 2) ? "\1" : "\0", 1);
    case PDR_KIND_INT: return put_long(out, number(c, true));
    case PDR_KIND_LONG: return put_long(out, number(c, false));
    case PDR_KIND_FLOAT: return real(c, out, true);
    case PDR_KIND_DOUBLE: return real(c, out, false);
    case PDR_KIND_BYTES: return text(c, out, true);
    case PDR_KIND_STRING: return text(c, out, false);
    case PDR_KIND_ENUM: return put_long(out, choose(c, (unsigned)type->count));
    case PDR_KIND_ARRAY:
    case PDR_KIND_MAP: return list(type, c, out, depth);
    case PDR_KIND_UNION: {
        unsigned tag = branch(type, c, depth);
        return put_long(out, tag) && datum(type->branches[tag], c, out, depth + 1);
    }
    case PDR_KIND_FIXED:
        for (size_t i = 0; i < type->count; i++)
            if (!put(out, &"abcdefgh"[choose(c, 8)], 1)) return false;
        return true;
    case PDR_KIND_RECORD:
        for (size_t i = 0; i < type->count; i++)
            if (!datum(type->fields[i].type, c, out, depth + 1)) return false;
        return true;
    default: return false;
    }
}

bool made_datum(const pdr_schema *writer, choices *c, pdr_buf *out)
{
    return datum(writer, c, out, 0);
}
