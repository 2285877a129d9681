/* Which partition an entity's records go to: murmur2 of the key, as Java's default Kafka partitioner has it,
 * on every backend, so that any Kafka client finds an entity where this library put it. */
#ifndef PDR_JOURNAL_PARTITIONER_H
#define PDR_JOURNAL_PARTITIONER_H

#include "perdure/bytes.h"

/* The partition of `key` among `partitions` (> 0): murmur2 made positive by dropping its sign bit, modulo the
 * number of partitions. Pure; any thread. */
int32_t pdr_partition_of(pdr_bytes key, int32_t partitions);

#endif
