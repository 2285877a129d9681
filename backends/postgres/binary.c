#include "backends/postgres/binary.h"

static void put_big_endian(uint8_t **at, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        *(*at)++ = (uint8_t)(value >> (8 * i));
}

static uint64_t get_big_endian(const char *at, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | (uint8_t)at[i];
    return value;
}

void pdr_pg_put32(uint8_t **at, int32_t value)
{
    put_big_endian(at, (uint32_t)value, 4);
}

void pdr_pg_put64(uint8_t **at, int64_t value)
{
    put_big_endian(at, (uint64_t)value, 8);
}

void pdr_pg_put_bytes(uint8_t **at, pdr_bytes bytes)
{
    if (bytes.size) memcpy(*at, bytes.data, bytes.size);
    *at += bytes.size;
}

void pdr_pg_put_array(uint8_t **at, int32_t element_type, size_t count, bool has_nulls)
{
    pdr_pg_put32(at, count ? 1 : 0); /* dimensions */
    pdr_pg_put32(at, has_nulls ? 1 : 0);
    pdr_pg_put32(at, element_type);
    if (!count) return;
    pdr_pg_put32(at, (int32_t)count);
    pdr_pg_put32(at, 1); /* index of the first element */
}

void pdr_pg_put_null_element(uint8_t **at)
{
    pdr_pg_put32(at, -1);
}

void pdr_pg_put64_element(uint8_t **at, int64_t value)
{
    pdr_pg_put32(at, 8);
    pdr_pg_put64(at, value);
}

void pdr_pg_put_bytes_element(uint8_t **at, pdr_bytes bytes)
{
    pdr_pg_put32(at, (int32_t)bytes.size);
    pdr_pg_put_bytes(at, bytes);
}

int32_t pdr_pg_get32(const char *at)
{
    return (int32_t)(uint32_t)get_big_endian(at, 4);
}

int64_t pdr_pg_get64(const char *at)
{
    return (int64_t)get_big_endian(at, 8);
}
