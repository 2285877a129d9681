#include "harness.h"

const bench_goal bench_goals[] = {
    {"append", "append with replies, checkpointer at its defaults on PostgreSQL ÷ bare producev", "events/s",
     0.8, false, true},
    {"append-paused", "append with replies, checkpointer paused ÷ bare producev", "events/s", 0.9, false,
     true},
    {"ask", "one ask in flight, p50 ÷ bare produce-and-report", "us", 1.25, true, true},
    {"hot", "one hot entity, 64 in flight ÷ bare single partition, 64 in flight", "events/s", 0.8, false,
     true},
    {"activation", "cold activation one at a time, p50 ÷ bare prepared SELECT of the same row", "us", 1.3,
     true, true},
    {"activation-batched", "cold activation in batches ÷ bare SELECT of the same rows", "entities/s", 0.7,
     false, true},
    {"takeover", "takeover with 1,000,000 events since the checkpoint ÷ bare consume of them", "events/s",
     0.6, false, true},
    {"takeover-seconds", "the same, from the claim to the first acknowledged command", "s", 1.0, true, false},
    {"checkpoint", "checkpoint rows ÷ bare unnest upsert", "rows/s", 0.8, false, true},
    {"sqlite", "SQLite append ÷ bare SQLite inserts in the same groups", "events/s", 0.8, false, true},
    {"encode", "encode loan events ÷ avro-c", "events/s", 4, false, true},
    {"decode", "decode loan events ÷ avro-c", "events/s", 4, false, true},
    {"resident", "bytes per resident entity besides its state and its window of command ids", "bytes", 256,
     true, false},
};
const size_t bench_goal_count = sizeof bench_goals / sizeof bench_goals[0];
