/* libpq with nothing around it, on the very rows that our store wrote. */
#ifndef BENCH_BARE_POSTGRES_H
#define BENCH_BARE_POSTGRES_H

#include <stddef.h>
#include <stdint.h>

/* Latencies in microseconds of a prepared SELECT of one head with its state, keys acct/first .. */
void bare_postgres_select_one(const char *url, const char *schema, uint32_t first, size_t count, double *out);
/* `= ANY` of `batch` keys at a time: rows a second. */
double bare_postgres_select_batches(const char *url, const char *schema, uint32_t first, size_t count,
                                    size_t batch);
/* unnest upserts of `count` heads and states, `batch` a transaction, into copies of the tables: rows a
 * second. */
double bare_postgres_upsert(const char *url, const char *schema, size_t count, size_t batch);

#endif
