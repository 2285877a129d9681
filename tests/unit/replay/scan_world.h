/* A journal in a SQLite file whose partitions were made at random (tests/support/made_log.h), so that it is
 * known which events a scan has to tell. */
#ifndef PDR_TESTS_SCAN_WORLD_H
#define PDR_TESTS_SCAN_WORLD_H

#include <pthread.h>

#include "replay/scan.h"
#include "tests/support/made_log.h"

enum { WORLD_PARTITIONS = 6 };

typedef struct scan_told {
    int64_t *offsets; /* of the events, as they came */
    size_t count, capacity;
    uint64_t others, voids;
    unsigned thread;
    bool begun, moved; /* moved: it came from two threads */
    unsigned ended;
    pdr_position at, last; /* as the end said, as the last commit said */
} scan_told;

typedef struct scan_world {
    made_log made[WORLD_PARTITIONS];
    char folder[64], file[80], url[96];
    pdr_tool *tool;
    scan_told told[WORLD_PARTITIONS];
    int64_t stop_at; /* >= 0: the sink fails at this offset with stop_code */
    int32_t stop_partition;
    pdr_code stop_code;
    unsigned looks;         /* calls of the watch */
    unsigned looks_allowed; /* 0: any number; else it stops at this one */
} scan_world;

/* `steps` of each partition; partition 1 stays empty. Aborts if it can't be made. */
void scan_world_open(scan_world *world, uint64_t seed, size_t steps);
void scan_world_close(scan_world *world);
/* Append a made log's records from `from` on to the file, as a process of its own would. */
void scan_world_append(scan_world *world, int32_t partition, int64_t from);
/* What was told so far is forgotten; then a scan, from `from` (NULL: the beginning). */
pdr_code scan_world_run(scan_world *world, unsigned threads, const pdr_position *from, pdr_error *err);
/* Was exactly what counts told of each partition, in order, by one thread, and its end once? Events at or
 * below `from` don't. */
bool scan_world_is_right(const scan_world *world, const pdr_position *from);

extern const pdr_scan_sink scan_world_sink;
bool scan_world_watch(void *context, const pdr_scan_progress *progress);
void scan_world_forget(scan_world *world);

#endif
