#include "backends/postgres/views_values.h"

#include "backends/postgres/binary.h"

enum { EPOCH_DAYS = 10957, MAX_NUMERIC_DIGITS = 8, MAX_ARRAY = 1024 * 1024 * 1024 - 1024 };
#define EPOCH_MICROS (INT64_C(86400000000) * EPOCH_DAYS) /* 2000-01-01 */

static const struct {
    Oid oid, array;
    const char *name;
} types[PDR_COLUMN_TYPES] = {
    [PDR_COLUMN_BOOLEAN] = {16, 1000, "boolean"},
    [PDR_COLUMN_INTEGER] = {23, 1007, "integer"},
    [PDR_COLUMN_BIGINT] = {20, 1016, "bigint"},
    [PDR_COLUMN_NUMERIC] = {1700, 1231, "numeric"},
    [PDR_COLUMN_DOUBLE] = {701, 1022, "float8"},
    [PDR_COLUMN_TEXT] = {25, 1009, "text"},
    [PDR_COLUMN_BYTEA] = {17, 1001, "bytea"},
    [PDR_COLUMN_DATE] = {1082, 1182, "date"},
    [PDR_COLUMN_TIMESTAMPTZ] = {1184, 1185, "timestamptz"},
};

Oid pdr_pgv_oid(pdr_column_type type)
{
    return types[type].oid;
}
Oid pdr_pgv_array_oid(pdr_column_type type)
{
    return types[type].array;
}
const char *pdr_pgv_type_name(pdr_column_type type)
{
    return types[type].name;
}

/* --- numeric: groups of four decimal digits, the first of weight 10000^weight --- */

static void put16(uint8_t **at, int value)
{
    *(*at)++ = (uint8_t)((unsigned)value >> 8);
    *(*at)++ = (uint8_t)value;
}

/* The groups of value / 10^scale, most significant first; *weight of the first. */
static int split_numeric(int64_t value, int scale, int groups[MAX_NUMERIC_DIGITS], int *weight)
{
    uint64_t all = value < 0 ? 0 - (uint64_t)value : (uint64_t)value, whole, fraction, power = 1;
    int count = 0, below = (scale + 3) / 4, raw[MAX_NUMERIC_DIGITS + 2] = {0};
    for (int i = 0; i < scale; i++)
        power *= 10;
    whole = all / power;
    fraction = all % power;
    for (int i = below - 1; i >= 0; i--) { /* the last group has scale % 4 digits, filled up with zeros */
        int digits = i == below - 1 && scale % 4 ? scale % 4 : 4, unit = 1, fill = 1;
        for (int j = 0; j < 4; j++)
            *(j < digits ? &unit : &fill) *= 10;
        raw[i] = (int)(fraction % (uint64_t)unit) * fill;
        fraction /= (uint64_t)unit;
    }
    int above[MAX_NUMERIC_DIGITS], n = 0;
    for (; whole; whole /= 10000)
        above[n++] = (int)(whole % 10000);
    *weight = n - 1;
    for (int i = n; i > 0; i--)
        groups[count++] = above[i - 1];
    for (int i = 0; i < below; i++)
        groups[count++] = raw[i];
    return count;
}

static size_t put_numeric(uint8_t *out, int64_t value, int scale)
{
    int groups[2 * MAX_NUMERIC_DIGITS], weight, from = 0;
    int count = split_numeric(value, scale, groups, &weight);
    while (from < count && groups[from] == 0) {
        from++;
        weight--;
    }
    while (count > from && groups[count - 1] == 0)
        count--;
    if (count == from) weight = 0;
    uint8_t *at = out;
    put16(&at, count - from);
    put16(&at, weight);
    put16(&at, value < 0 ? 0x4000 : 0);
    put16(&at, scale);
    for (int i = from; i < count; i++)
        put16(&at, groups[i]);
    return (size_t)(at - out);
}

static int get16(const char *at)
{
    return (int16_t)(uint16_t)((unsigned)(uint8_t)at[0] << 8 | (uint8_t)at[1]);
}

/* To `scale`; false: it doesn't fit (NaN, infinity, over 18 digits, digits below the scale). */
static bool get_numeric(const char *at, int size, int scale, int64_t *out)
{
    if (size < 8) return false;
    int count = get16(at), weight = get16(at + 2), sign = (uint16_t)get16(at + 4);
    int64_t value = 0;
    if (count < 0 || size != 8 + 2 * count || (sign != 0 && sign != 0x4000)) return false;
    for (int i = 0; i < count; i++) {
        int64_t part = get16(at + 8 + 2 * i);
        int power = (weight - i) * 4 + scale; /* part * 10^power */
        for (; power < 0; power++) {
            if (part % 10 != 0) return false;
            part /= 10;
        }
        for (; power > 0; power--)
            if (__builtin_mul_overflow(part, INT64_C(10), &part)) return false;
        if (__builtin_add_overflow(value, part, &value)) return false;
    }
    *out = sign ? -value : value;
    return value < INT64_C(1000000000000000000);
}

/* --- One value --- */

/* At most. */
static size_t bound_of(pdr_column_type type, const pdr_cell *cell)
{
    if (cell->null) return 0;
    if (type == PDR_COLUMN_TEXT || type == PDR_COLUMN_BYTEA) return cell->as.bytes.size;
    return type == PDR_COLUMN_NUMERIC ? 8 + 2 * 2 * MAX_NUMERIC_DIGITS : 8;
}

static void put_value(pdr_column_type type, int scale, const pdr_cell *cell, uint8_t **at)
{
    uint64_t bits;
    switch (type) {
    case PDR_COLUMN_BOOLEAN: *(*at)++ = cell->as.boolean ? 1 : 0; break;
    case PDR_COLUMN_INTEGER: pdr_pg_put32(at, (int32_t)cell->as.integer); break;
    case PDR_COLUMN_BIGINT: pdr_pg_put64(at, cell->as.integer); break;
    case PDR_COLUMN_NUMERIC: *at += put_numeric(*at, cell->as.integer, scale); break;
    case PDR_COLUMN_DOUBLE:
        memcpy(&bits, &cell->as.real, sizeof bits);
        pdr_pg_put64(at, (int64_t)bits);
        break;
    case PDR_COLUMN_DATE: pdr_pg_put32(at, (int32_t)(cell->as.integer - EPOCH_DAYS)); break;
    case PDR_COLUMN_TIMESTAMPTZ: pdr_pg_put64(at, cell->as.integer - EPOCH_MICROS); break;
    default: pdr_pg_put_bytes(at, cell->as.bytes); break;
    }
}

bool pdr_pgv_put(pdr_column_type type, int scale, const pdr_cell *cell, pdr_arena *arena, pdr_bytes *out)
{
    *out = (pdr_bytes){NULL, 0};
    if (cell->null) return true;
    uint8_t *start = pdr_arena_alloc(arena, bound_of(type, cell)), *at = start;
    if (!start) return false;
    put_value(type, scale, cell, &at);
    *out = (pdr_bytes){start, (size_t)(at - start)};
    return true;
}

pdr_bytes pdr_pgv_put_array(const pdr_pgv_array *array, pdr_arena *arena)
{
    size_t size = PDR_PG_ARRAY_HEAD;
    bool nulls = false;
    for (size_t i = 0; i < array->count; i++) {
        const pdr_cell *cell = array->cell(array->context, i);
        size += PDR_PG_ELEMENT_HEAD + bound_of(array->type, cell);
        nulls = nulls || cell->null;
    }
    uint8_t *start = size <= MAX_ARRAY ? pdr_arena_alloc(arena, size) : NULL, *at = start;
    if (!start) return (pdr_bytes){NULL, 0};
    pdr_pg_put_array(&at, (int32_t)pdr_pgv_oid(array->type), array->count, nulls);
    for (size_t i = 0; i < array->count; i++) {
        const pdr_cell *cell = array->cell(array->context, i);
        uint8_t *length = at;
        at += PDR_PG_ELEMENT_HEAD;
        if (!cell->null) put_value(array->type, array->scale, cell, &at);
        pdr_pg_put32(&length, cell->null ? -1 : (int32_t)(at - length - PDR_PG_ELEMENT_HEAD));
    }
    return (pdr_bytes){start, (size_t)(at - start)};
}

pdr_code pdr_pgv_get(const PGresult *result, int row, int field, const pdr_column *column, pdr_cell *out,
                     pdr_error *err)
{
    static const int sizes[PDR_COLUMN_TYPES] = {
        [PDR_COLUMN_BOOLEAN] = 1, [PDR_COLUMN_INTEGER] = 4, [PDR_COLUMN_BIGINT] = 8,
        [PDR_COLUMN_DOUBLE] = 8,  [PDR_COLUMN_DATE] = 4,    [PDR_COLUMN_TIMESTAMPTZ] = 8,
    };
    const char *at = PQgetvalue(result, row, field);
    int size = PQgetlength(result, row, field);
    *out = (pdr_cell){.null = PQgetisnull(result, row, field) != 0};
    if (out->null) return PDR_OK;
    if (sizes[column->type] && size != sizes[column->type])
        return pdr_fail(err, PDR_BAD_VIEW, "column %s isn't %s", column->name,
                        pdr_pgv_type_name(column->type));
    switch (column->type) {
    case PDR_COLUMN_BOOLEAN: out->as.boolean = *at != 0; break;
    case PDR_COLUMN_INTEGER: out->as.integer = pdr_pg_get32(at); break;
    case PDR_COLUMN_BIGINT: out->as.integer = pdr_pg_get64(at); break;
    case PDR_COLUMN_DATE: out->as.integer = pdr_pg_get32(at) + INT64_C(1) * EPOCH_DAYS; break;
    case PDR_COLUMN_TIMESTAMPTZ: out->as.integer = pdr_pg_get64(at) + EPOCH_MICROS; break;
    case PDR_COLUMN_DOUBLE: {
        int64_t bits = pdr_pg_get64(at);
        memcpy(&out->as.real, &bits, sizeof bits);
        break;
    }
    case PDR_COLUMN_NUMERIC:
        if (!get_numeric(at, size, column->scale, &out->as.integer))
            return pdr_fail(err, PDR_BAD_DATA,
                            "column %s: a numeric of over 18 digits, or with more after the point",
                            column->name);
        break;
    default: out->as.bytes = pdr_bytes_of(at, (size_t)size); break;
    }
    return PDR_OK;
}
