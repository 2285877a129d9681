/* The nodes: started, run, stalled, crashed, assigned. */
#include "tests/sim/run.h"

#include <stdio.h>
#include <stdlib.h>

enum { MS = 1000 };
static const uint8_t journal_id[PDR_ID_SIZE] = "simulated-journ";

uint64_t random_below(run *r, uint64_t limit)
{
    return sim_random_below(&r->random, limit);
}

bool one_in(run *r, uint64_t n)
{
    return random_below(r, n) == 0;
}

/* A time around `average`, never 0. */
static int64_t around(run *r, int64_t average)
{
    return 1 + (int64_t)random_below(r, (uint64_t)average * 2);
}

node *node_by_writer(run *r, uint32_t writer)
{
    node *n = &r->nodes[r->writer_of[writer].node];
    return n->alive && n->writer == writer ? n : NULL;
}

/* --- Running a node: polls and turns, one round a step --- */

static void end_tool_when_done(node *n);
static void run_node(void *context, uint64_t token);

void node_wake(node *n, int64_t delay_us)
{
    if (!n->alive || n->stalled) return;
    int64_t at_us = pdr_sim_world_now(n->run->world) + delay_us;
    if (at_us >= n->run_at_us) return;
    n->run_at_us = at_us;
    pdr_sim_world_at(n->run->world, delay_us, run_node, n, ++n->token);
}

static int64_t turn_owners(node *n)
{
    int64_t due_us = INT64_MAX;
    for (uint32_t p = 0; p < n->run->plan.partitions; p++) {
        int64_t at_us = pdr_owner_turn(n->owners[p]);
        if (at_us < due_us) due_us = at_us;
        check_owner(n, (int32_t)p);
    }
    return due_us;
}

/* A node that has nothing to do sleeps: it may want another turn at once after a failure, but not many. */
static void check_spin(node *n, bool rests)
{
    enum { MOST = 8 };
    n->restless = rests ? 0 : n->restless + 1;
    if (n->restless > MOST)
        run_fail(n->run, "liveness", "node-%u wants turn after turn at once, and nothing happens",
                 (unsigned)n->writer);
}

static void run_node(void *context, uint64_t token)
{
    node *n = context;
    run *r = n->run;
    if (token != n->token || !n->alive || n->stalled) return;
    n->run_at_us = INT64_MAX;
    size_t calls = 0;
    if (!one_in(r, 8)) calls += n->log->ops->poll(n->log);
    if (!one_in(r, 8)) calls += n->store->ops->poll(n->store);
    if (one_in(r, 8)) { /* the thread is preempted before it comes to its turn */
        node_wake(n, 1 + (int64_t)random_below(r, 500));
        return;
    }
    int64_t due_us = turn_owners(n), log_us, store_us;
    if (n == &r->tool) end_tool_when_done(n);
    if (!n->alive) return;
    int64_t now_us = n->env->ops->mono_us(n->env);
    check_spin(n, calls > 0 || due_us > now_us);
    n->log->ops->wait_on(n->log, NULL, 0, &log_us);
    n->store->ops->wait_on(n->store, NULL, 0, &store_us);
    if (due_us != INT64_MAX)
        node_wake(n, due_us > now_us ? due_us - now_us : 1 + (int64_t)random_below(r, 20));
    if (calls || log_us == 0 || store_us == 0) node_wake(n, 1 + (int64_t)random_below(r, 50));
}

/* --- Life and death --- */

static void open_owner(node *n, uint32_t partition)
{
    run *r = n->run;
    char address[24];
    int size = snprintf(address, sizeof address, "node-%u", (unsigned)n->writer);
    pdr_owner_config config = {.partition = (int32_t)partition,
                               .partitions = (int32_t)r->plan.partitions,
                               .address = pdr_bytes_of(address, (size_t)size),
                               .app = sim_app(n->revision),
                               .settings = r->plan.settings};
    memcpy(config.journal_id, journal_id, PDR_ID_SIZE);
    pdr_error err = {0};
    n->owners[partition] = NULL;
    n->generation[partition] = -1;
    if (pdr_owner_open(&n->owners[partition], &config, n->log, n->store, n->env, &err) != PDR_OK)
        run_fail(r, "liveness", "an owner doesn't open: %s", err.message);
    else if (n == &r->tool)
        pdr_owner_rebuild(n->owners[partition]);
    else if (!r->plan.group)
        pdr_owner_assign(n->owners[partition], 0);
}

static void start_node(node *n)
{
    run *r = n->run;
    if (r->writers == MAX_WRITERS) {
        run_fail(r, "liveness", "more than %d starts of nodes", MAX_WRITERS);
        return;
    }
    uint32_t before = n->revision;
    if (!n->revision || (r->plan.mixed_revisions && one_in(r, 2)))
        n->revision = r->plan.mixed_revisions ? 1 + (uint32_t)random_below(r, SIM_REVISIONS) : 1;
    if (before && before != n->revision) r->faults.revisions++;
    n->writer = r->writers++;
    r->writer_of[n->writer].node = n->index;
    r->writer_of[n->writer].revision = n->revision;
    n->stalled = false;
    n->restless = 0;
    n->run_at_us = INT64_MAX;
    pdr_error err = {0};
    if (pdr_sim_log_open(&n->log, r->world, n->index, &err) != PDR_OK ||
        pdr_sim_store_open(&n->store, r->world, n->index, &err) != PDR_OK ||
        pdr_sim_env_open(&n->env, r->world, n->index, &err) != PDR_OK)
        run_fail(r, "liveness", "a node doesn't start: %s", err.message);
    n->alive = true;
    pdr_sim_world_trace(r->world, "node %u starts as node-%u, revision %u", (unsigned)n->index,
                        (unsigned)n->writer, (unsigned)n->revision);
    for (uint32_t p = 0; p < r->plan.partitions; p++)
        open_owner(n, p);
    node_wake(n, 1);
}

static void add_counters(run *r, const pdr_owner *owner)
{
    pdr_owner_counters c;
    pdr_owner_counters_of(owner, &c);
#define ADD(name, words) r->counters.name += c.name;
    PDR_OWNER_COUNTER_MAP(ADD)
#undef ADD
}

static void close_owners(node *n)
{
    for (uint32_t p = 0; p < n->run->plan.partitions; p++) {
        if (!n->owners[p]) continue;
        add_counters(n->run, n->owners[p]);
        pdr_owner_close(n->owners[p]);
        n->owners[p] = NULL;
    }
}

/* The process is gone at this step. After a crash closing its owners only gives their memory back: log and
 * store are dead already, and their last words reach nobody. Closed in order they answer everything. */
static void end_node(node *n, bool crash)
{
    run *r = n->run;
    n->token++;
    if (crash) {
        n->alive = false;
        pdr_sim_log_crash(n->log);
        pdr_sim_store_crash(n->store);
        client_node_died(r, n->writer);
    }
    close_owners(n);
    n->alive = false;
    if (!crash && client_node_died(r, n->writer))
        run_fail(r, "liveness", "node-%u was closed and left commands without an answer",
                 (unsigned)n->writer);
    n->log->ops->close(n->log);
    n->store->ops->close(n->store);
    pdr_sim_env_close(n->env);
}

static void restart_node(void *context, uint64_t value)
{
    (void)value;
    node *n = context;
    if (n->alive) return;
    start_node(n);
}

static void crash_some(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    if (r->calm) return;
    node *n = &r->nodes[random_below(r, r->plan.nodes)];
    if (n->alive) {
        bool crash = n->stalled || !one_in(r, 4);
        pdr_sim_world_trace(r->world, "node %u %s", (unsigned)n->index, crash ? "crashes" : "is closed");
        r->faults.crashes += crash;
        r->faults.closes += !crash;
        end_node(n, crash);
        pdr_sim_world_at(r->world, around(r, 40 * MS), restart_node, n, 0);
    }
    pdr_sim_world_at(r->world, around(r, r->plan.crash_every_us), crash_some, r, 0);
}

/* --- `perdure rebuild-store`, beside running owners --- */

static void rebuild_store(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    pdr_sim_world_at(r->world, around(r, r->plan.rebuild_every_us), rebuild_store, r, 0);
    if (r->calm || r->tool.alive) return;
    pdr_store *store;
    pdr_store_meta meta = {.partitions = (int32_t)r->plan.partitions};
    memcpy(meta.journal_id, journal_id, PDR_ID_SIZE);
    pdr_error err;
    pdr_sim_world_trace(r->world, "the store is reset and rebuilt");
    r->faults.rebuilds++;
    bool done = pdr_sim_store_open(&store, r->world, MAX_NODES, &err) == PDR_OK &&
                store->ops->reset(store, &meta, 1000, &err) == PDR_OK;
    if (!done) run_fail(r, "liveness", "the store can't be reset: %s", err.message);
    store->ops->close(store);
    start_node(&r->tool);
}

static void end_tool_when_done(node *n)
{
    for (uint32_t p = 0; p < n->run->plan.partitions; p++)
        if (pdr_owner_state_of(n->owners[p]) != PDR_OWNER_IDLE) return;
    end_node(n, false);
}

static void resume(node *n)
{
    if (!n->alive || !n->stalled) return;
    pdr_sim_world_trace(n->run->world, "node %u goes on", (unsigned)n->index);
    n->stalled = false;
    n->run_at_us = INT64_MAX;
    node_wake(n, 1);
}

static void resume_node(void *context, uint64_t writer)
{
    node *n = context;
    if (n->writer == writer) resume(n);
}

static void stall_some(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    if (r->calm) return;
    node *n = &r->nodes[random_below(r, r->plan.nodes)];
    if (n->alive && !n->stalled) {
        pdr_sim_world_trace(r->world, "node %u stalls", (unsigned)n->index);
        r->faults.stalls++;
        n->stalled = true;
        n->token++;
        int64_t length_us = 1 + (int64_t)random_below(r, (uint64_t)r->plan.stall_max_us);
        pdr_sim_world_at(r->world, length_us, resume_node, n, n->writer);
    }
    pdr_sim_world_at(r->world, around(r, r->plan.stall_every_us), stall_some, r, 0);
}

/* --- Assignments by a group's coordinator: rising generations, told to each node when the word reaches it
 * --- */

typedef struct word {
    run *run;
    uint32_t node, partition;
    int64_t generation;
    bool mine;
} word;

static void word_arrives(void *context, uint64_t value)
{
    (void)value;
    word *w = context;
    node *n = &w->run->nodes[w->node];
    if (!n->alive) return;
    if (n->stalled) { /* it waits at its door */
        pdr_sim_world_at(w->run->world, 5 * MS, word_arrives, w, 0);
        return;
    }
    if (w->generation < n->generation[w->partition]) return;
    n->generation[w->partition] = w->generation;
    pdr_sim_world_trace(w->run->world, "node %u p%u: %s under generation %lld", (unsigned)n->index,
                        (unsigned)w->partition, w->mine ? "assigned" : "resigns", (long long)w->generation);
    if (w->mine)
        pdr_owner_assign(n->owners[w->partition], w->generation);
    else
        pdr_owner_resign(n->owners[w->partition]);
    node_wake(n, 1);
}

static void send_word(run *r, uint32_t to, uint32_t partition, bool mine, int64_t delay_us)
{
    word *w = pdr_arena_alloc(&r->arena, sizeof *w);
    if (!w) abort();
    *w = (word){r, to, partition, r->generation, mine};
    pdr_sim_world_at(r->world, delay_us, word_arrives, w, 0);
}

static void assign_now(run *r, uint32_t partition, uint32_t to)
{
    for (uint32_t i = 0; i < r->plan.nodes; i++) {
        bool mine = i == to;
        int64_t delay_us = around(r, 5 * MS);
        if (!r->calm && one_in(r, 4)) { /* a ghost: it goes on as if nothing had changed */
            r->faults.late_resigns += !mine;
            delay_us += around(r, 150 * MS);
            if (!mine && one_in(r, 3)) continue;
        }
        send_word(r, i, partition, mine, delay_us);
    }
}

static void new_generation(void *context, uint64_t value)
{
    (void)value;
    run *r = context;
    if (r->calm) return;
    r->generation++;
    r->faults.generations++;
    for (uint32_t p = 0; p < r->plan.partitions; p++)
        assign_now(r, p, (uint32_t)random_below(r, r->plan.nodes));
    pdr_sim_world_at(r->world, around(r, 150 * MS), new_generation, r, 0);
}

/* --- Start, calm, end --- */

void cluster_start(run *r)
{
    for (uint32_t i = 0; i < r->plan.nodes; i++) {
        r->nodes[i] = (node){.run = r, .index = i};
        start_node(&r->nodes[i]);
    }
    if (r->plan.crash_every_us)
        pdr_sim_world_at(r->world, around(r, r->plan.crash_every_us), crash_some, r, 0);
    if (r->plan.stall_every_us)
        pdr_sim_world_at(r->world, around(r, r->plan.stall_every_us), stall_some, r, 0);
    r->tool = (node){.run = r, .index = MAX_NODES};
    if (r->plan.rebuild_every_us)
        pdr_sim_world_at(r->world, around(r, r->plan.rebuild_every_us), rebuild_store, r, 0);
    if (r->plan.group) pdr_sim_world_at(r->world, 1, new_generation, r, 0);
}

void cluster_calm(run *r)
{
    pdr_sim_world_trace(r->world, "--- faults end ---");
    r->calm = true;
    pdr_sim_world_set_profile(r->world, &r->plan.calm);
    for (uint32_t i = 0; i < r->plan.nodes; i++) {
        if (!r->nodes[i].alive)
            start_node(&r->nodes[i]);
        else
            resume(&r->nodes[i]);
    }
    if (!r->plan.group) return;
    r->generation++;
    for (uint32_t p = 0; p < r->plan.partitions; p++)
        assign_now(r, p, (uint32_t)random_below(r, r->plan.nodes));
}

void cluster_stop(run *r)
{
    for (uint32_t i = 0; i < r->plan.nodes; i++)
        if (r->nodes[i].alive) end_node(&r->nodes[i], true);
    if (r->tool.alive) end_node(&r->tool, true);
}
