/* The simulated world: one seed, one thread, virtual time. It holds one true log per partition and one true
 * store, and gives any number of nodes their own pdr_log, pdr_store and pdr_env onto them. Faults come from
 * the seed, by the chances of a profile; each is counted by name. A simulated backend promises no more than
 * the contracts in journal/log.h and journal/store.h do. docs/simulation.md says what is simulated and what
 * is not.
 *
 * Threads: a world and all that was opened in it belong to one thread. Memory: everything of a world is given
 * back by pdr_sim_world_close; running out of memory inside a simulated server ends the process (it is no
 * fault of the program under test, whose own allocations go through base/mem.h and are never mixed with it).
 */
#ifndef PDR_BACKENDS_SIM_WORLD_H
#define PDR_BACKENDS_SIM_WORLD_H

#include "journal/env.h"
#include "journal/log.h"
#include "journal/store.h"
#include "projections/views.h"

typedef struct pdr_sim_world pdr_sim_world;

/* X(member, "words") */
#define PDR_SIM_FAULT_MAP(X)                                                                                 \
    X(record_lost, "record lost")                                                                            \
    X(record_repeated, "record repeated later")                                                              \
    X(record_held, "record held back past later ones")                                                       \
    X(report_lost, "report lost")                                                                            \
    X(report_late, "report late")                                                                            \
    X(report_failed, "report failed though the record lands")                                                \
    X(report_no_offset, "report without an offset")                                                          \
    X(report_odd, "report with an odd offset")                                                               \
    X(queue_full, "append refused: queue full")                                                              \
    X(writer_broken, "writer broken")                                                                        \
    X(offset_skipped, "offset skipped")                                                                      \
    X(stranger, "record without our header")                                                                 \
    X(stranger_malformed, "record with a malformed header")                                                  \
    X(reader_failed, "reader failed")                                                                        \
    X(reader_crumbs, "reader gives one record at a time")                                                    \
    X(end_early, "end of the log told from an older view")                                                   \
    X(store_refused, "store operation refused at once")                                                      \
    X(store_unavailable, "store operation unavailable")                                                      \
    X(store_unknown_done, "unknown outcome: was carried out")                                                \
    X(store_unknown_lost, "unknown outcome: was not carried out")                                            \
    X(store_unknown_late, "unknown outcome: carried out later")                                              \
    X(store_slow, "store operation slow")                                                                    \
    X(store_cut, "store connection cut")                                                                     \
    X(store_back, "store went back in time")                                                                 \
    X(store_back_equal, "store went back to an equal checkpoint")                                            \
    X(store_lost, "store lost and made anew")                                                                \
    X(views_refused, "views operation refused at once")                                                      \
    X(views_unavailable, "views operation unavailable")                                                      \
    X(views_unknown_done, "batch with unknown outcome: was carried out")                                     \
    X(views_unknown_lost, "batch with unknown outcome: was not carried out")                                 \
    X(views_unknown_late, "batch with unknown outcome: carried out later")                                   \
    X(views_slow, "views operation slow")                                                                    \
    X(views_cut, "views connection cut")                                                                     \
    X(wall_jump, "wall clock jumped")

typedef enum pdr_sim_fault {
#define PDR_SIM_FAULT_ENUM(name, words) PDR_SIM_##name,
    PDR_SIM_FAULT_MAP(PDR_SIM_FAULT_ENUM)
#undef PDR_SIM_FAULT_ENUM
        PDR_SIM_FAULT_COUNT
} pdr_sim_fault;

typedef struct pdr_sim_profile {
    uint32_t chance[PDR_SIM_FAULT_COUNT]; /* per million, each time that it could happen */
    int64_t wire_min_us, wire_max_us;     /* to a server, and back */
    int64_t late_us; /* what is held back, late or slow is so by up to this, now and then four times this */
} pdr_sim_profile;

/* No faults, 0.1 to 1 ms a way. */
void pdr_sim_profile_init(pdr_sim_profile *profile);

/* Called during a step or inside a call of a backend; none may call back into the world except for
 * pdr_sim_world_at, now, random and the looks at the store. Each may be NULL. */
typedef struct pdr_sim_hooks {
    /* A record has got into the true log; borrowed until the world is closed. */
    void (*appended)(void *context, int32_t partition, const pdr_log_record *record);
    /* The partition's row or heads have changed: claimed, saved, gone back or made anew. */
    void (*stored)(void *context, int32_t partition);
    /* `poll` of one of this node's logs or stores has work. */
    void (*wake)(void *context, uint32_t node);
    /* A batch was carried out on a version's tables. */
    void (*viewed)(void *context, const pdr_version_spec *spec, const pdr_view_batch *batch);
    /* Does the database refuse to keep this row (PDR_BAD_DATA)? */
    bool (*view_poison)(void *context, const pdr_table *table, const pdr_row_change *row);
    /* A line of the trace, without newline; lines are only made when this is set. */
    void (*trace)(void *context, const char *line);
    void *context;
} pdr_sim_hooks;

typedef struct pdr_sim_options {
    const char *journal; /* its name in the log; borrowed */
    int32_t partitions;
    uint8_t journal_id[PDR_ID_SIZE];
    pdr_sim_profile profile;
    pdr_sim_hooks hooks;
    bool poll_moves_time; /* a poll with nothing due takes the world's next step itself: for programs that
                             know no world, such as the contract suites */
    bool views_compare_nothing;       /* a broken database: a batch goes through from any position */
    bool views_compare_no_generation; /* ... or one of a version that was reset meanwhile */
    bool views_follow_nothing;        /* ... or one on top of a batch that was not carried out */
    bool uninitialised; /* the store has no tables and rows yet: pdr_store_ops.init makes them */
} pdr_sim_options;

/* PDR_INVALID_ARGUMENT, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_sim_world_open(pdr_sim_world **out, uint64_t seed, const pdr_sim_options *options,
                                        pdr_error *err);
/* Logs, stores and envs must have been closed, or are given up with it. NULL is fine. */
void pdr_sim_world_close(pdr_sim_world *world);

/* Take the next step: move the time to the earliest event and carry it out. false: there is none. */
bool pdr_sim_world_step(pdr_sim_world *world);
int64_t pdr_sim_world_now(const pdr_sim_world *world); /* virtual microseconds since open */
uint64_t pdr_sim_world_steps(const pdr_sim_world *world);

/* Have `task` called in a step of its own, delay_us (>= 0) from now. */
typedef void (*pdr_sim_task)(void *context, uint64_t value);
void pdr_sim_world_at(pdr_sim_world *world, int64_t delay_us, pdr_sim_task task, void *context,
                      uint64_t value);

/* The world's own random stream. */
uint64_t pdr_sim_world_random(pdr_sim_world *world);
uint64_t pdr_sim_world_below(pdr_sim_world *world, uint64_t limit); /* 0 .. limit - 1; limit > 0 */
bool pdr_sim_world_chance(pdr_sim_world *world, uint32_t per_million);

void pdr_sim_world_set_profile(pdr_sim_world *world, const pdr_sim_profile *profile);
uint64_t pdr_sim_world_faults(const pdr_sim_world *world, pdr_sim_fault fault); /* so far */
const char *pdr_sim_fault_words(pdr_sim_fault fault);
void pdr_sim_world_trace(pdr_sim_world *world, const char *format, ...) PDR_PRINTF(2, 3);

/* A node's connections; several of one node are fine. Closed by their own operations, the env by
 * pdr_sim_env_close. */
PDR_CHECKED pdr_code pdr_sim_log_open(pdr_log **out, pdr_sim_world *world, uint32_t node, pdr_error *err);
PDR_CHECKED pdr_code pdr_sim_store_open(pdr_store **out, pdr_sim_world *world, uint32_t node, pdr_error *err);
/* Views have no SQL: statements are refused with PDR_UNSUPPORTED. `honest`: without faults, for looks at the
 * truth and for operators. */
PDR_CHECKED pdr_code pdr_sim_views_open(pdr_views **out, pdr_sim_world *world, uint32_t node, bool honest,
                                        pdr_error *err);
PDR_CHECKED pdr_code pdr_sim_env_open(pdr_env **out, pdr_sim_world *world, uint32_t node, pdr_error *err);
void pdr_sim_env_close(pdr_env *env);

/* The process with this connection is dead: no call on it does or delivers anything any more. What it had on
 * the wire arrives when due, later, or never. It must still be closed. */
void pdr_sim_log_crash(pdr_log *log);
void pdr_sim_store_crash(pdr_store *store);
void pdr_sim_views_crash(pdr_views *views);

/* Looks at the truth. */
int64_t pdr_sim_log_end(const pdr_sim_world *world, int32_t partition); /* offset of the next record */
const pdr_partition_row *pdr_sim_store_row(const pdr_sim_world *world, int32_t partition);
/* How readers see a view: its rows, and its columns' names with commas between them. false: there is none. */
bool pdr_sim_views_read(const pdr_sim_world *world, const char *view, size_t *rows, char *columns,
                        size_t size);
/* Each (head, state) of the partition by key, then revision; a head without states comes once. */
void pdr_sim_store_heads(const pdr_sim_world *world, int32_t partition,
                         void (*look)(void *context, const pdr_head *head), void *context);

#endif
