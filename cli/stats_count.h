/* What perdure stats counts, by the threads of a scan. */
#ifndef PDR_CLI_STATS_COUNT_H
#define PDR_CLI_STATS_COUNT_H

#include "cli/event_filter.h"
#include "replay/scan.h"
#include "replay/tally.h"

enum { PDR_STATS_SIZES = 64 };

typedef struct pdr_stats_type {
    uint64_t events, bytes; /* bytes of the values as they are stored */
    uint64_t fingerprint;
    const char *name; /* NULL: no SCHEMA record tells; belongs to the tool */
    uint32_t version; /* 0: it says none */
} pdr_stats_type;

typedef struct pdr_stats_entity {
    uint64_t events, bytes;
    int64_t hour, best_hour; /* since 1970 UTC, of the events' own time */
    uint64_t hour_events, best_events;
} pdr_stats_entity;

typedef struct pdr_stats_totals {
    uint64_t commits, events, bytes, voids, foreigns, malformeds, fences;
    int64_t first_us, last_us; /* of the events' own times */
} pdr_stats_totals;

/* One thread's; as a whole after pdr_stats_merge. */
typedef struct pdr_stats_count {
    pdr_stats_totals totals;
    pdr_tally types;                 /* fingerprint -> pdr_stats_type */
    pdr_tally days;                  /* int64_t since 1970 -> uint64_t */
    pdr_tally entities;              /* id -> pdr_stats_entity */
    uint64_t sizes[PDR_STATS_SIZES]; /* entities with 2^i to 2^(i+1)-1 events; after the merge */
} pdr_stats_count;

void pdr_stats_count_init(pdr_stats_count *count);
void pdr_stats_count_release(pdr_stats_count *count);
PDR_CHECKED pdr_code pdr_stats_count_event(pdr_stats_count *count, pdr_tool *tool, int32_t partition,
                                           const pdr_commit_event *event, pdr_error *err);
void pdr_stats_count_other(pdr_stats_count *count, pdr_verdict verdict);
/* Everything into the first. Entities stay where they are: no two threads have the same. */
PDR_CHECKED pdr_code pdr_stats_merge(pdr_stats_count *counts, unsigned threads, pdr_error *err);

#endif
