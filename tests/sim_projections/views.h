/* Projections beside the owners of a run: workers, an operator, and what must hold of their views. */
#ifndef PDR_TESTS_SIM_PROJECTIONS_VIEWS_H
#define PDR_TESTS_SIM_PROJECTIONS_VIEWS_H

#include "projections/projector.h"
#include "projections/rules.h"
#include "journal/schema_book.h"
#include "tests/sim/side.h"

enum { VIEW_WORKERS = 3, VIEW_VERSIONS = 2 };
enum { ACCOUNT, PLAIN, TOTALS, VIEW_TABLES };

/* X(member, "words") */
#define VIEW_COUNTER_MAP(X)                                                                                  \
    X(BATCHES, "batch carried out")                                                                          \
    X(STALE, "beaten by another worker")                                                                     \
    X(UNKNOWN, "batch with unknown outcome")                                                                 \
    X(REFUSED, "batch refused by the database")                                                              \
    X(FOUND_BAD, "bad event found among those of a refused batch")                                           \
    X(PARKED, "event parked")                                                                                \
    X(BEHIND, "event parked behind another")                                                                 \
    X(RETRIED, "retry carried out")                                                                          \
    X(SKIPPED, "skip carried out")                                                                           \
    X(FETCHED, "rows fetched")                                                                               \
    X(AHEAD, "batch handed over before the answer to the one before")                                        \
    X(DISCARDED, "folded batch forgotten")                                                                   \
    X(SOUGHT, "schema looked for in the log")                                                                \
    X(WORKER_CRASHES, "worker crashed")                                                                      \
    X(DRAINS, "worker drained")                                                                              \
    X(PAUSES, "version paused")                                                                              \
    X(REBUILDS, "second version made")                                                                       \
    X(SWAPS, "versions swapped")                                                                             \
    X(SWAPS_REFUSED, "swap refused")                                                                         \
    X(RESETS, "version emptied")

enum {
#define VIEW_COUNTER_ENUM(name, words) VIEW_##name,
    VIEW_COUNTER_MAP(VIEW_COUNTER_ENUM)
#undef VIEW_COUNTER_ENUM
        VIEW_COUNTERS
};

struct views_run;

typedef struct view_projection {
    pdr_projection base;
    run *run;
} view_projection;

typedef struct view_worker {
    run *run;
    uint32_t index;
    bool alive;
    pdr_log *log;
    pdr_views *views;
    pdr_env *env;
    pdr_schema_book *book;
    view_projection projections[VIEW_VERSIONS];
    pdr_projector *projectors[VIEW_VERSIONS];
    bool draining;
    char name[24];
    int64_t run_at_us;
    uint64_t token;
    unsigned restless;
} view_worker;

typedef struct views_run {
    pdr_views *honest; /* the operator's, and for looks at the truth */
    view_worker workers[VIEW_WORKERS];
    uint32_t starts;
    bool healed; /* poison is gone */
    pdr_projector_settings settings;
    bool there[VIEW_VERSIONS];
    bool *skipped[VIEW_VERSIONS][MAX_PARTITIONS]; /* by offset */
    int64_t skipped_room;
} views_run;

static inline views_run *views_of_run(run *r)
{
    return r->side;
}

/* fold.c: the projection and its second, simple model */
extern const pdr_table view_tables[VIEW_TABLES];
pdr_version_spec view_spec(const run *r, uint32_t version);
void view_projection_init(view_projection *out, run *r, uint32_t version);
bool view_poison(void *context, const pdr_table *table, const pdr_row_change *row);
/* position-with-rows: the rows are the fold of the events up to the positions, but for parked entities. */
void check_views(run *r, uint32_t version);
void note_skipped(run *r, uint32_t version, int32_t partition, int64_t offset);
void forget_skipped(run *r, uint32_t version);

#endif
