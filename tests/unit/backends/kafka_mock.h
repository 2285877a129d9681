/* A broker of librdkafka's mock, for claims about answers that are hard to get from a real one. One at a
 * time. */
#ifndef PDR_TESTS_KAFKA_MOCK_H
#define PDR_TESTS_KAFKA_MOCK_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "journal/log.h"

/* With the topic in.events, of one partition; the guard's time begins. */
rd_kafka_mock_cluster_t *kafka_mock_begin(void);
void kafka_mock_end(void);
/* Fails the claim when the guard's time is over. */
void kafka_mock_guard(void);
/* One turn of a connection; sleeps a little if it had no work. */
void kafka_mock_pump(pdr_log *log);

#endif
