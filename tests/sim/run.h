/* One run of the simulation: a seed's plan, its world, nodes, requests and reference model. */
#ifndef PDR_TESTS_SIM_RUN_H
#define PDR_TESTS_SIM_RUN_H

#include "backends/sim/sim_random.h"
#include "backends/sim/sim_world.h"
#include "journal/owner.h"
#include "tests/sim/model.h"
#include "tests/sim/sim_entity.h"

enum { MAX_NODES = 3, MAX_PARTITIONS = 2, ENTITIES = 10, MAX_REQUESTS = 400, MAX_WRITERS = 512 };
enum { SIDE_NODES = 10, SIDE_COUNTERS = 24 };

/* What the driver does to the nodes, counted beside the world's faults. X(member, "words") */
#define SIM_DRIVER_FAULT_MAP(X)                                                                              \
    X(crashes, "node crashed")                                                                               \
    X(closes, "node closed in order")                                                                        \
    X(rebuilds, "store rebuilt from the log beside the owners")                                              \
    X(stalls, "node stalled")                                                                                \
    X(revisions, "node restarted with another revision")                                                     \
    X(generations, "new generation of the assignment")                                                       \
    X(late_resigns, "old assignment ended late or never")                                                    \
    X(retries, "command id asked again")                                                                     \
    X(reuses, "command id used for another command")

typedef struct driver_faults {
#define DRIVER_FAULT_MEMBER(name, words) uint64_t name;
    SIM_DRIVER_FAULT_MAP(DRIVER_FAULT_MEMBER)
#undef DRIVER_FAULT_MEMBER
} driver_faults;

/* Everything that a seed decides before the world starts. */
typedef struct plan {
    const char *profile_name;
    uint32_t nodes, partitions, requests;
    bool group;               /* generations of assignments instead of static lists */
    bool mixed_revisions;     /* restarts may bring another revision of the handler */
    int64_t crash_every_us;   /* on average; 0: never */
    int64_t rebuild_every_us; /* as well */
    int64_t stall_every_us, stall_max_us;
    int64_t gap_max_us; /* between two requests */
    pdr_sim_profile profile, calm;
    pdr_owner_settings settings;
} plan;

void plan_make(plan *out, uint64_t seed);

typedef struct run run;
typedef struct verified verified; /* of verified.c */

typedef struct node {
    run *run;
    uint32_t index;
    uint32_t writer; /* number of this incarnation among all of the run */
    uint32_t revision;
    bool alive, stalled;
    pdr_log *log;
    pdr_store *store;
    pdr_env *env;
    pdr_owner *owners[MAX_PARTITIONS];
    int64_t run_at_us; /* when it is to run next; INT64_MAX: not scheduled */
    uint64_t token;    /* of the event that will run it; older ones are void */
    unsigned restless; /* turns in a row that wanted another at once although nothing had come */
    pdr_owner_state shown[MAX_PARTITIONS]; /* when the gauges were looked at last */
    unsigned turns;
    int64_t generation[MAX_PARTITIONS]; /* group: of the assignment told last; -1: none */
} node;

typedef enum request_kind { ASK_DEPOSIT, ASK_WITHDRAW, ASK_TOUCH, ASK_APPEND, ASK_READ } request_kind;

typedef struct attempt {
    struct attempt *next;
    struct request *request;
    uint32_t writer, revision; /* of the node's incarnation that was asked */
    uint64_t bar;              /* seq that a fresh answer must reach */
    enum { ATTEMPT_OPEN, ATTEMPT_UNKNOWN, ATTEMPT_OK, ATTEMPT_FAILED } state;
} attempt;

typedef struct request {
    run *run;
    request_kind kind;
    uint64_t nonce; /* its place in run.requests plus 1 */
    uint32_t entity;
    int64_t amount, parts;
    char note[64];
    size_t note_size;
    uint64_t expected_seq;
    bool stale_ok;
    char id[24];
    size_t id_size;
    bool shared_id; /* another request has the same id */
    bool settled, last_reads;
    uint32_t hint; /* node to ask next */
    uint32_t asks;
    attempt *attempts;
} request;

struct run {
    plan plan;
    uint64_t seed;
    pdr_sim_world *world;
    sim_random random; /* the scenario's own */
    pdr_arena arena;   /* attempts, the model's notes */
    node nodes[MAX_NODES];
    node tool;        /* rebuilds the store now and then; owns nothing, is asked nothing */
    uint32_t writers; /* incarnations started so far */
    struct {
        uint32_t node, revision;
    } writer_of[MAX_WRITERS];
    request requests[MAX_REQUESTS];
    uint32_t issued, settled, total;
    uint64_t bars[ENTITIES]; /* highest seq of each entity that any answer has shown */
    int64_t generation;
    uint32_t owner_hint[MAX_PARTITIONS];
    bool calm; /* faults have ended */
    model *model;
    pdr_owner_counters counters; /* of owners that are gone */
    driver_faults faults;
    uint64_t revision_hash[SIM_REVISIONS]; /* how a store names them */
    bool failed;
    verified *verified;
    void *side; /* of side.h */
    uint64_t side_counters[SIDE_COUNTERS];
    char failure[700];
    uint64_t failed_step;
    int64_t failed_at_us;
};

/* A broken invariant: the first one is kept and ends the run. */
void run_fail(run *r, const char *invariant, const char *format, ...) PDR_PRINTF(3, 4);

/* --- cluster.c --- */
void cluster_start(run *r);
void cluster_calm(run *r); /* no more faults; wake and restart everyone, assign for good */
void cluster_stop(run *r);
void node_wake(node *n, int64_t delay_us);
node *node_by_writer(run *r, uint32_t writer); /* NULL: that incarnation is gone */

/* --- client.c --- */
void client_start(run *r);
void client_last_reads(run *r);
/* What it hadn't answered it never will; how many there were. */
uint32_t client_node_died(run *r, uint32_t writer);
uint64_t random_below(run *r, uint64_t limit);
bool one_in(run *r, uint64_t n);

/* --- check.c: the invariants --- */
void check_reply(attempt *a, const pdr_reply *reply);
void check_commit(run *r, uint32_t entity, uint64_t first_seq, uint64_t last_seq);
void check_store(run *r, int32_t partition);
void check_owner(node *n, int32_t partition);

/* --- verified.c: the same invariants as a tool sees them in log and store --- */
void verified_append(run *r, int32_t partition, const pdr_log_record *record);
void verified_look(run *r);
void verified_close(run *r);

/* --- seed.c --- */
typedef struct outcome {
    bool failed;
    char failure[900]; /* seed, step, virtual time, invariant, what */
    pdr_owner_counters counters;
    uint64_t world_faults[PDR_SIM_FAULT_COUNT];
    driver_faults faults;
    uint64_t side_counters[SIDE_COUNTERS];
    uint64_t steps, commands;
    int64_t virtual_us;
} outcome;
/* Run one seed. `trace`: each line of the trace (its context is the run), or NULL. */
void seed_run(outcome *out, uint64_t seed, void (*trace)(void *context, const char *line));

#endif
