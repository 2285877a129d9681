#include "projections/cell.h"

#include <math.h>

#include "projections/views.h"

static const char *const type_names[PDR_COLUMN_TYPES] = {
    [PDR_COLUMN_BOOLEAN] = "boolean",
    [PDR_COLUMN_INTEGER] = "integer",
    [PDR_COLUMN_BIGINT] = "bigint",
    [PDR_COLUMN_NUMERIC] = "numeric",
    [PDR_COLUMN_DOUBLE] = "double precision",
    [PDR_COLUMN_TEXT] = "text",
    [PDR_COLUMN_BYTEA] = "bytea",
    [PDR_COLUMN_DATE] = "date",
    [PDR_COLUMN_TIMESTAMPTZ] = "timestamptz",
};

/* What PostgreSQL 15 can hold: 4713-01-01 BC to 5874897-12-31, and to 294276-12-31. */
#define DATE_MIN INT64_C(-2440588)
#define DATE_MAX INT64_C(2145042905)
#define TIMESTAMP_MIN INT64_C(-210866803200000000)
#define TIMESTAMP_MAX INT64_C(9223371331199999999)

const char *pdr_column_type_name(pdr_column_type type)
{
    return (unsigned)type < PDR_COLUMN_TYPES ? type_names[type] : "no type";
}

static int64_t ten_to(int digits)
{
    int64_t power = 1;
    for (int i = 0; i < digits; i++)
        power *= 10;
    return power;
}

static bool in_range(const pdr_column *column, int64_t value)
{
    int64_t limit;
    switch (column->type) {
    case PDR_COLUMN_INTEGER: return value >= INT32_MIN && value <= INT32_MAX;
    case PDR_COLUMN_NUMERIC: limit = ten_to(column->precision); return value > -limit && value < limit;
    case PDR_COLUMN_DATE: return value >= DATE_MIN && value <= DATE_MAX;
    case PDR_COLUMN_TIMESTAMPTZ: return value >= TIMESTAMP_MIN && value <= TIMESTAMP_MAX;
    default: return true;
    }
}

pdr_code pdr_cell_check(const pdr_column *column, const pdr_cell *cell, pdr_error *err)
{
    if (cell->null) return PDR_OK;
    if (column->type == PDR_COLUMN_TEXT) {
        bool has_nul = cell->as.bytes.size && memchr(cell->as.bytes.data, 0, cell->as.bytes.size);
        if (!has_nul && pdr_view_is_text(cell->as.bytes)) return PDR_OK;
        return pdr_fail(err, PDR_BAD_DATA,
                        "column %s: a text with a NUL, or one that isn't UTF-8, can't be stored",
                        column->name);
    }
    if (column->type == PDR_COLUMN_BYTEA || column->type == PDR_COLUMN_DOUBLE ||
        column->type == PDR_COLUMN_BOOLEAN)
        return PDR_OK;
    if (in_range(column, cell->as.integer)) return PDR_OK;
    return pdr_fail(err, PDR_BAD_DATA, "column %s: %lld is out of range for %s", column->name,
                    (long long)cell->as.integer, pdr_column_type_name(column->type));
}

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b)) return (isnan(a) ? 1 : 0) - (isnan(b) ? 1 : 0);
    return (a > b) - (a < b);
}

int pdr_cell_compare(pdr_column_type type, const pdr_cell *a, const pdr_cell *b)
{
    if (pdr_column_is_bytes(type)) {
        size_t least = a->as.bytes.size < b->as.bytes.size ? a->as.bytes.size : b->as.bytes.size;
        int order = least ? memcmp(a->as.bytes.data, b->as.bytes.data, least) : 0;
        return order ? order : (a->as.bytes.size > b->as.bytes.size) - (a->as.bytes.size < b->as.bytes.size);
    }
    if (type == PDR_COLUMN_DOUBLE) return compare_doubles(a->as.real, b->as.real);
    if (type == PDR_COLUMN_BOOLEAN) return (int)a->as.boolean - (int)b->as.boolean;
    return (a->as.integer > b->as.integer) - (a->as.integer < b->as.integer);
}

bool pdr_cell_equal(pdr_column_type type, const pdr_cell *a, const pdr_cell *b)
{
    if (a->null || b->null) return a->null && b->null;
    return pdr_cell_compare(type, a, b) == 0;
}

/* PostgreSQL refuses a sum of finite numbers that isn't finite. */
static pdr_code add_double(const pdr_column *column, double a, double b, pdr_cell *value, pdr_error *err)
{
    double sum = a + b;
    if (isinf(sum) && !isinf(a) && !isinf(b))
        return pdr_fail(err, PDR_BAD_DATA, "column %s: a sum is out of range for double precision",
                        column->name);
    value->as.real = sum;
    return PDR_OK;
}

static pdr_code add(const pdr_column *column, const pdr_cell *cell, pdr_cell *value, pdr_error *err)
{
    if (value->null) return PDR_OK;
    if (cell->null) {
        *value = PDR_CELL_NULL;
        return PDR_OK;
    }
    if (column->type == PDR_COLUMN_DOUBLE)
        return add_double(column, value->as.real, cell->as.real, value, err);
    pdr_cell sum = {0};
    if (__builtin_add_overflow(value->as.integer, cell->as.integer, &sum.as.integer) ||
        !in_range(column, sum.as.integer))
        return pdr_fail(err, PDR_BAD_DATA, "column %s: %lld + %lld is out of range for %s", column->name,
                        (long long)value->as.integer, (long long)cell->as.integer,
                        pdr_column_type_name(column->type));
    *value = sum;
    return PDR_OK;
}

pdr_code pdr_cell_fold(const pdr_column *column, pdr_cell_mode mode, const pdr_cell *cell, pdr_cell *value,
                       pdr_error *err)
{
    if (mode == PDR_CELL_SET) {
        *value = *cell;
    } else if (mode == PDR_CELL_ADD) {
        return add(column, cell, value, err);
    } else if (!cell->null) {
        int order = value->null ? 0 : pdr_cell_compare(column->type, cell, value);
        if (value->null || (mode == PDR_CELL_GREATEST ? order > 0 : order < 0)) *value = *cell;
    }
    return PDR_OK;
}

pdr_code pdr_cell_copy(pdr_column_type type, const pdr_cell *cell, pdr_arena *arena, pdr_cell *out)
{
    *out = *cell;
    if (cell->null || !pdr_column_is_bytes(type)) return PDR_OK;
    out->as.bytes = pdr_arena_bytes(arena, cell->as.bytes);
    return out->as.bytes.data ? PDR_OK : PDR_NOMEM;
}

static pdr_code put_big_endian(uint64_t bits, pdr_buf *out)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
    return pdr_buf_append(out, bytes, sizeof bytes);
}

/* A zero byte in the middle becomes 00 ff, the end is 00 00: a shorter text comes first. */
static pdr_code put_bytes(pdr_bytes bytes, pdr_buf *out)
{
    pdr_code code = PDR_OK;
    size_t from = 0;
    for (size_t i = 0; code == PDR_OK && i < bytes.size; i++) {
        if (bytes.data[i]) continue;
        code = pdr_buf_append(out, bytes.data + from, i + 1 - from);
        if (code == PDR_OK) code = pdr_buf_append(out, "\xff", 1);
        from = i + 1;
    }
    if (code == PDR_OK && from < bytes.size) code = pdr_buf_append(out, bytes.data + from, bytes.size - from);
    return code == PDR_OK ? pdr_buf_append(out, "\0\0", 2) : code;
}

static uint64_t double_order(double value)
{
    uint64_t bits;
    if (value == 0) value = 0; /* -0 and 0 are one key */
    if (isnan(value)) return UINT64_MAX;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

pdr_code pdr_cell_key(pdr_column_type type, const pdr_cell *cell, pdr_buf *out)
{
    if (pdr_column_is_bytes(type)) return put_bytes(cell->as.bytes, out);
    if (type == PDR_COLUMN_BOOLEAN) return pdr_buf_append(out, cell->as.boolean ? "\1" : "\0", 1);
    if (type == PDR_COLUMN_DOUBLE) return put_big_endian(double_order(cell->as.real), out);
    return put_big_endian((uint64_t)cell->as.integer ^ UINT64_C(1) << 63, out);
}
