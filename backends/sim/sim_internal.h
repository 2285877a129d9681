/* What the simulated world's sources share. */
#ifndef PDR_BACKENDS_SIM_INTERNAL_H
#define PDR_BACKENDS_SIM_INTERNAL_H

#include "backends/sim/sim_random.h"
#include "backends/sim/sim_world.h"

/* --- The true log --- */

typedef struct sim_reader sim_reader;

typedef struct sim_truth {
    const pdr_log_record **records; /* in ascending order of offset */
    size_t count, capacity;
    int64_t end;         /* offset of the next record */
    sim_reader *readers; /* open ones */
} sim_truth;

/* --- The true store --- */

typedef struct sim_state { /* immutable */
    const struct sim_state *next;
    uint64_t revision, seq;
    pdr_bytes packed;
} sim_state;

typedef struct sim_head { /* immutable: a save makes new ones, so that a copy of the store is cheap */
    pdr_head head;        /* without state */
    const sim_state *states;
} sim_head;

typedef struct sim_table { /* one partition */
    pdr_partition_row row;
    const sim_head **heads; /* ascending by key */
    size_t count, capacity;
} sim_table;

typedef struct sim_copy { /* of the whole store, kept to be restored */
    sim_table *tables;
    size_t schema_count;
} sim_copy;

enum { SIM_COPIES = 16 };

typedef struct sim_true_store {
    bool initialised;
    pdr_store_meta meta;
    sim_table *tables;
    const pdr_schema_row **schemas; /* in the order of coming: an older store has fewer of them */
    size_t schema_count, schema_capacity;
    sim_copy copies[SIM_COPIES];
    size_t copy_count, copy_next;
} sim_true_store;

/* --- The true views --- */

typedef struct sim_view_table {
    const char *name;
    const pdr_cell **rows; /* all columns, ascending by key */
    size_t count, capacity;
} sim_view_table;

typedef struct sim_version {
    struct sim_version *next;
    pdr_version_spec spec; /* its own copies */
    pdr_version_row row;
    pdr_position_row *positions;
    pdr_dead_letter *letters; /* ascending by partition and offset */
    size_t letter_count, letter_capacity;
    pdr_request_row *requests;
    size_t request_count, request_capacity;
    sim_view_table *tables;
} sim_version;

typedef struct sim_true_views {
    bool initialised;
    sim_version *versions; /* ascending by name and number */
    uint64_t last_request, last_generation;
} sim_true_views;

/* --- The world --- */

typedef struct sim_event {
    int64_t at_us;
    uint64_t order; /* among events of one time: first come, first served */
    pdr_sim_task task;
    void *context;
    uint64_t value;
} sim_event;

struct pdr_sim_world {
    pdr_sim_options options;
    sim_random random;
    int64_t now_us;
    uint64_t steps, order;
    sim_event *events; /* a binary heap */
    size_t event_count, event_capacity;
    uint64_t faults[PDR_SIM_FAULT_COUNT];
    sim_truth *truths;
    sim_true_store store;
    sim_true_views views;
    struct sim_chunk *chunks;
};

/* Memory that lives as long as the world, zeroed, aligned for any object. */
void *sim_alloc(pdr_sim_world *world, size_t size);
pdr_bytes sim_copy_bytes(pdr_sim_world *world, pdr_bytes bytes);
/* Room for one more in an array that lives in the world; grows by doubling. */
void *sim_grow(pdr_sim_world *world, void *array, size_t count, size_t *capacity, size_t size);

bool sim_fault(pdr_sim_world *world, pdr_sim_fault fault); /* roll; counted when it happens */
int64_t sim_wire(pdr_sim_world *world);                    /* one way, microseconds */
int64_t sim_late(pdr_sim_world *world);                    /* more than usual, microseconds */
void sim_wake(pdr_sim_world *world, uint32_t node);
/* A poll had nothing to do: take a step if polls move the time. */
bool sim_poll_steps(pdr_sim_world *world);
/* Milliseconds until the next event for wait_on, or "now" when something is due. */
int64_t sim_due_us(const pdr_sim_world *world, bool due);

/* A copy of an entry whose bytes live in the world. */
pdr_log_entry sim_copy_entry(pdr_sim_world *world, const pdr_log_entry *entry);
/* Append to the true log (perhaps after a stranger's record, perhaps skipping an offset); the offset. */
int64_t sim_truth_append(pdr_sim_world *world, int32_t partition, const pdr_log_entry *entry);
size_t sim_truth_find(const sim_truth *truth, int64_t offset); /* index of the first record at or after it */

/* Something new is in the log for this reader; gives the partition's next reader. */
sim_reader *sim_reader_nudge(sim_reader *reader);

void sim_store_make(pdr_sim_world *world, const pdr_store_meta *meta); /* empty, under a new store id */
int sim_compare(pdr_bytes a, pdr_bytes b);                             /* of keys */
const sim_head *sim_table_find(const sim_table *table, pdr_bytes key, size_t *at);
pdr_code sim_table_claim(pdr_sim_world *world, int32_t partition, const pdr_claim *claim);
pdr_code sim_table_save(pdr_sim_world *world, int32_t partition, const pdr_save *save);
pdr_code sim_table_put_states(pdr_sim_world *world, int32_t partition, const pdr_new_states *states);
/* How many states went, at most `limit`. */
uint64_t sim_table_drop_states(pdr_sim_world *world, const pdr_state_filter *which, size_t limit);
/* Each (head, state) of all partitions in ascending order of key; *partition is set before each look. */
void sim_table_merge(pdr_sim_world *world, void (*look)(void *context, const pdr_head *head), void *context,
                     int32_t *partition);
/* Copies that live in the world. */
const char *sim_copy_text(pdr_sim_world *world, const char *text);
pdr_cell *sim_copy_cells(pdr_sim_world *world, const pdr_column *columns, const pdr_cell *cells,
                         size_t count);
pdr_version_spec sim_copy_spec(pdr_sim_world *world, const pdr_version_spec *spec);
pdr_view_batch sim_copy_batch(pdr_sim_world *world, const pdr_version_spec *spec,
                              const pdr_view_batch *batch);

typedef struct sim_view_outcome {
    size_t step;
    int32_t partition;
    pdr_position position;
} sim_view_outcome;
sim_version *sim_version_find(pdr_sim_world *world, const char *projection, uint32_t version);
/* All of it or nothing. */
pdr_code sim_views_apply(pdr_sim_world *world, const pdr_version_spec *spec, const char *worker,
                         const pdr_view_batch *batch, sim_view_outcome *outcome, pdr_error *err);
/* The row of a key; NULL: none. *at: where it is, or would be. */
const pdr_cell *sim_view_find(const pdr_table *spec, const sim_view_table *table, const pdr_cell *key,
                              size_t *at);
int64_t sim_views_now(const pdr_sim_world *world); /* wall time of the simulated server */

/* The blocking operations, on the truth. */
pdr_code sim_views_create(pdr_sim_world *world, const pdr_version_spec *spec, pdr_error *err);
pdr_code sim_views_drop(pdr_sim_world *world, const char *projection, uint32_t version, bool live_too,
                        pdr_error *err);
pdr_code sim_views_reset(pdr_sim_world *world, const pdr_version_spec *spec, pdr_error *err);
pdr_code sim_views_swap(pdr_sim_world *world, const char *projection, uint32_t version, bool force,
                        pdr_error *err);
pdr_code sim_views_positions(pdr_sim_world *world, const char *projection, uint32_t version,
                             pdr_position_each each, void *context, pdr_error *err);

/* After a save: keep a copy, go back to one, or lose the store, if the seed says so. */
void sim_store_misfortune(pdr_sim_world *world, int32_t partition);

#endif
