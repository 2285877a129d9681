/* PostgreSQL's binary formats of the few types that the store uses: integers, bytes, one-dimensional arrays.
 * A writer goes over memory that was measured before; a reader is a bounded view of one result column. */
#ifndef PDR_BACKENDS_POSTGRES_BINARY_H
#define PDR_BACKENDS_POSTGRES_BINARY_H

#include "perdure/bytes.h"

/* Type numbers as in PostgreSQL's catalogue pg_type; they never change. */
enum {
    PDR_PG_BYTEA = 17,
    PDR_PG_INT8 = 20,
    PDR_PG_INT4 = 23,
    PDR_PG_TEXT = 25,
    PDR_PG_BYTEA_ARRAY = 1001,
    PDR_PG_TEXT_ARRAY = 1009,
    PDR_PG_INT8_ARRAY = 1016,
    PDR_PG_UUID = 2950
};

enum {
    PDR_PG_ARRAY_HEAD = 20,  /* bytes before the first element */
    PDR_PG_ELEMENT_HEAD = 4, /* bytes before each element: its length */
};

void pdr_pg_put32(uint8_t **at, int32_t value);
void pdr_pg_put64(uint8_t **at, int64_t value);
void pdr_pg_put_bytes(uint8_t **at, pdr_bytes bytes);

/* An array is its head, then `count` elements. An empty one has no dimension: 12 bytes. */
void pdr_pg_put_array(uint8_t **at, int32_t element_type, size_t count, bool has_nulls);
void pdr_pg_put_null_element(uint8_t **at);
void pdr_pg_put64_element(uint8_t **at, int64_t value);
void pdr_pg_put_bytes_element(uint8_t **at, pdr_bytes bytes);

int32_t pdr_pg_get32(const char *at);
int64_t pdr_pg_get64(const char *at);

#endif
