/* The bare comparators: librdkafka and libpq with nothing around them. */
#ifndef BENCH_BARE_H
#define BENCH_BARE_H

#include <stddef.h>
#include <stdint.h>

void bare_kafka_create(const char *brokers, const char *topic, int32_t partitions);
void bare_kafka_delete(const char *brokers, const char *topic);

/* What a record of ours looks like: the same key, value and header sizes. */
typedef struct bare_record {
    uint8_t value[256], header[256];
    size_t value_size, header_size;
} bare_record;
void bare_record_make(bare_record *record);

/* Idempotent producev of `count` records, keys acct/0 .. acct/<entities - 1> in turn, by murmur2 to
 * `partitions`, at most `window` unreported; records a second. */
double bare_kafka_append(const char *brokers, const char *topic, int32_t partitions, uint64_t count,
                         uint32_t entities, uint64_t window, const char *linger_ms);
/* One at a time: the latencies of `count` produce-and-report, in microseconds. */
void bare_kafka_ask(const char *brokers, const char *topic, size_t count, double *out);
/* Consume `count` records of partition 0 from offset 0: records a second. */
double bare_kafka_consume(const char *brokers, const char *topic, uint64_t count);
/* The same of all partitions, by one consumer. */
double bare_kafka_consume_all(const char *brokers, const char *topic, int32_t partitions, uint64_t count);

void bare_postgres_run(const char *url, const char *statement);

#endif
