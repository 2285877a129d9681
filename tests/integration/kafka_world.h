/* What the Kafka tests share: topics of their own on the server that PERDURE_TEST_KAFKA names, a client that
 * does to them what perdure never would, and probes. */
#ifndef PDR_TESTS_KAFKA_WORLD_H
#define PDR_TESTS_KAFKA_WORLD_H

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>

#include "backends/kafka/kafka_log.h"

enum { WAIT_MS = 120000, GUARD_S = 600 };

typedef struct kafka_world {
    char journal[64];
    char topic[80];
    pdr_log *log; /* opened by world_open_log */
    time_t give_up_at;
} kafka_world;

extern kafka_world world;

/* A journal name of its own; no topic yet. */
void world_name(void);
/* A topic with `partitions` and the settings name, value, name, value, ..., NULL instead of safe ones. */
void world_create_raw(int32_t partitions, const char *const *settings);
pdr_code world_create(int32_t partitions, pdr_error *err); /* by pdr_kafka_log_create */
void world_open_log(void);                                 /* connect and ask info */
pdr_code world_try_open(const pdr_kafka_setting *settings, size_t count, pdr_log **out, pdr_error *err);
void world_close(void); /* closes the log, deletes the topic */
void world_delete_topic(void);
void world_drop_below(int32_t partition, int64_t offset);
void world_pump(void);        /* poll the log once, sleep if there was nothing */
bool world_can_restart(void); /* is a ./dev at hand? */
/* ./dev services VERB kafka [MORE], polling the log meanwhile. */
void world_service(const char *verb, const char *more);

/* A producer that isn't perdure's; transactional with an id. */
rd_kafka_t *foreign_producer(const char *transactional_id);
void foreign_write(rd_kafka_t *rk, int32_t partition, const char *key, const char *value, const char *header);
void foreign_close(rd_kafka_t *rk);

typedef struct writer_probe {
    pdr_log_writer *writer;
    uint64_t next_tag; /* of write_next; goes up by one */
    int64_t *offsets;  /* by tag: as reported; -2: not reported, -3: failed */
    size_t capacity;   /* of offsets */
    size_t reports, failures, broken;
    int64_t last_offset;
    bool disordered; /* a report's offset wasn't above the one before */
} writer_probe;

void writer_start(writer_probe *probe, int32_t partition, size_t capacity);
/* A record whose value is its tag in decimal. */
pdr_code write_next(writer_probe *probe, size_t padding);
void writer_stop(writer_probe *probe);

typedef struct reader_probe {
    pdr_log_reader *reader;
    size_t count;
    int64_t last_offset, end;
    size_t ends;
    pdr_error failure;
    void (*on_record)(struct reader_probe *probe, const pdr_log_record *record);
    void *context;
} reader_probe;

void reader_start(reader_probe *probe, int32_t partition, int64_t from);
void reader_stop(reader_probe *probe);
void read_to_end(reader_probe *probe, int32_t partition, int64_t from);
/* Is the value of each record its tag, and each offset that was reported for a tag that tag's? */
void expect_reported_is_in_log(const writer_probe *writer, int32_t partition);

#endif
