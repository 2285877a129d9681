/* The simulated log's connection: shared by its writers' and its readers' sources. */
#ifndef PDR_BACKENDS_SIM_LOG_H
#define PDR_BACKENDS_SIM_LOG_H

#include "backends/sim/sim_internal.h"

typedef enum sim_item_kind { SIM_REPORT, SIM_BROKEN, SIM_RECORDS, SIM_END, SIM_FAILED } sim_item_kind;

/* Something that waits for the next poll. */
typedef struct sim_item {
    struct sim_item *next;
    sim_item_kind kind;
    struct sim_writer *writer; /* of a report or a break */
    uint64_t renewals;         /* of the writer when it was queued: older ones are dropped */
    pdr_log_report report;
    sim_reader *reader; /* of the others */
    size_t first, count;
    int64_t end;
    pdr_error error;
} sim_item;

typedef struct sim_log {
    pdr_log base;
    pdr_sim_world *world;
    uint32_t node;
    bool dead, closed, polling;
    int64_t full_until_us; /* appends are refused until then */
    sim_item *first, **last;
    sim_item *spare;
} sim_log;

typedef struct sim_writer {
    pdr_log_writer base;
    sim_log *log;
    int32_t partition;
    const pdr_log_writer_events *events;
    void *context;
    bool closed, broken;
    uint64_t renewals;
    int64_t last_landing_us; /* what is sent next lands after it */
    int64_t last_report_us;
    int64_t top_offset; /* greatest offset reported so far; -1: none */
} sim_writer;

struct sim_reader {
    pdr_log_reader base;
    sim_log *log;
    sim_reader *next; /* of the partition's open ones */
    int32_t partition;
    const pdr_log_reader_events *events;
    void *context;
    bool closed, paused, failed, fetching;
    unsigned waiting; /* items in the inbox */
    int64_t at;       /* next offset to fetch */
    int64_t view_end; /* an older view of the log ends here; INT64_MAX: sees all */
    int64_t told_end; /* -1: none yet */
};

extern const pdr_log_ops sim_log_ops;

sim_item *sim_item_push(sim_log *log, sim_item_kind kind);

pdr_code sim_reader_open(pdr_log *base, int32_t partition, int64_t from, const pdr_log_reader_events *events,
                         void *context, pdr_log_reader **out, pdr_error *err);
void sim_reader_close(pdr_log_reader *base);
void sim_reader_pause(pdr_log_reader *base, bool paused);
void sim_reader_deliver(sim_reader *reader, const sim_item *item); /* an item that isn't dropped */

pdr_code sim_writer_open(pdr_log *base, int32_t partition, const pdr_log_writer_events *events, void *context,
                         pdr_log_writer **out, pdr_error *err);
void sim_writer_close(pdr_log_writer *base);
pdr_code sim_writer_append(pdr_log_writer *base, const pdr_log_entry *entry, uint64_t tag, pdr_error *err);
pdr_code sim_writer_renew(pdr_log_writer *base, pdr_error *err);

#endif
