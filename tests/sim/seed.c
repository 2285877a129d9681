/* One seed from its plan to its verdict. */
#include "tests/sim/side.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "journal/fold.h"

enum { MAX_STEPS = 3000000 };
static const int64_t patience_us =
    60000000; /* virtual time in which everything must be answered once faults end */

void run_fail(run *r, const char *invariant, const char *format, ...)
{
    if (r->failed) return;
    r->failed = true;
    r->failed_step = r->world ? pdr_sim_world_steps(r->world) : 0;
    r->failed_at_us = r->world ? pdr_sim_world_now(r->world) : 0;
    int n = snprintf(r->failure, sizeof r->failure, "%s: ", invariant);
    va_list args;
    va_start(args, format);
    vsnprintf(r->failure + n, sizeof r->failure - (size_t)n, format, args);
    va_end(args);
    if (r->world) pdr_sim_world_trace(r->world, "BROKEN %s", r->failure);
}

/* --- Hooks of the world and of the reference --- */

static void on_appended(void *context, int32_t partition, const pdr_log_record *record)
{
    run *r = context;
    model_append(r->model, partition, record);
    verified_append(r, partition, record);
}

static void on_stored(void *context, int32_t partition)
{
    run *r = context;
    if (r->world) check_store(r, partition);
}

static void on_wake(void *context, uint32_t index)
{
    run *r = context;
    if (index >= SIDE_NODES) {
        sim_side->wake(r, index);
        return;
    }
    node_wake(index < MAX_NODES ? &r->nodes[index] : &r->tool, 1 + (int64_t)random_below(r, 50));
}

static void on_commit(void *context, uint32_t entity, uint64_t first_seq, uint64_t last_seq)
{
    check_commit(context, entity, first_seq, last_seq);
}

static void on_broken(void *context, const char *invariant, const char *what, int64_t offset)
{
    run_fail(context, invariant, "%s (offset %lld)", what, (long long)offset);
}

/* --- The run --- */

static void learn_revisions(run *r)
{
    for (uint32_t revision = 1; revision <= SIM_REVISIONS; revision++) {
        pdr_folder *folder;
        if (pdr_folder_open(&folder, sim_app(revision)->entities[0], NULL, NULL) != PDR_OK) abort();
        r->revision_hash[revision - 1] = pdr_folder_revision(folder);
        pdr_folder_close(folder);
    }
}

static run *run_open(uint64_t seed, void (*trace)(void *context, const char *line))
{
    run *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->seed = seed;
    r->arena = (pdr_arena)PDR_ARENA_INIT((size_t)1 << 30);
    r->model = calloc(1, sizeof *r->model);
    if (!r->model) abort();
    r->model->arena = &r->arena;
    r->model->commit = on_commit;
    r->model->broken = on_broken;
    r->model->context = r;
    for (int p = 0; p < MAX_PARTITIONS; p++)
        r->model->partitions[p].term = PDR_TERM_NONE;
    plan_make(&r->plan, seed);
    learn_revisions(r);
    sim_random_init(&r->random, seed * 2);
    pdr_sim_options options = {
        .journal = "sim", .partitions = (int32_t)r->plan.partitions, .profile = r->plan.profile};
    memcpy(options.journal_id, "simulated-journ", PDR_ID_SIZE);
    options.hooks = (pdr_sim_hooks){
        .appended = on_appended, .stored = on_stored, .wake = on_wake, .trace = trace, .context = r};
    if (sim_side) sim_side->options(&options);
    pdr_sim_world *world;
    if (pdr_sim_world_open(&world, seed, &options, NULL) != PDR_OK) abort();
    r->world = world;
    return r;
}

static void run_close(run *r)
{
    cluster_stop(r);
    pdr_sim_world_close(r->world);
    pdr_arena_release(&r->arena);
    verified_close(r);
    free(r->model);
    free(r);
}

static bool step(run *r, int64_t until_us)
{
    if (r->failed) return false;
    if (pdr_sim_world_steps(r->world) >= MAX_STEPS) {
        run_fail(r, "liveness", "%d steps were not enough", MAX_STEPS);
        return false;
    }
    return pdr_sim_world_now(r->world) < until_us && pdr_sim_world_step(r->world);
}

static void wait_until_settled(run *r, const char *what)
{
    int64_t until_us = pdr_sim_world_now(r->world) + patience_us;
    while (r->settled < r->total && step(r, until_us)) {
    }
    if (r->failed || r->settled == r->total) return;
    for (uint32_t i = 0; i < r->issued; i++) {
        if (r->requests[i].settled) continue;
        run_fail(r, "liveness", "request %u of %s isn't answered %lld ms after faults ended", (unsigned)i + 1,
                 what, (long long)(patience_us / 1000));
        return;
    }
}

static void check_at_rest(run *r)
{
    for (uint32_t i = 0; i < r->plan.nodes && !r->failed; i++) {
        for (uint32_t p = 0; p < r->plan.partitions; p++) {
            pdr_owner_gauges gauges;
            pdr_owner_gauges_of(r->nodes[i].owners[p], &gauges);
            if (gauges.open_commands)
                run_fail(r, "liveness", "node-%u partition %u holds %llu open commands at rest",
                         (unsigned)r->nodes[i].writer, (unsigned)p, (unsigned long long)gauges.open_commands);
        }
    }
}

static void settle_side(run *r)
{
    int64_t until_us = pdr_sim_world_now(r->world) + patience_us;
    while (!sim_side->has_settled(r) && step(r, until_us)) {
    }
    if (!r->failed && !sim_side->has_settled(r))
        run_fail(r, "liveness", "projections haven't caught up %lld ms after faults ended",
                 (long long)(patience_us / 1000));
}

static void play(run *r)
{
    cluster_start(r);
    client_start(r);
    if (sim_side) sim_side->start(r);
    while ((r->issued < r->total || r->settled * 10 < r->total * 9) &&
           pdr_sim_world_now(r->world) < patience_us && step(r, INT64_MAX)) {
    }
    if (!r->failed) verified_look(r);
    if (r->failed) return;
    cluster_calm(r);
    if (sim_side) sim_side->calm(r);
    wait_until_settled(r, "the scenario");
    if (r->failed) return;
    client_last_reads(r);
    wait_until_settled(r, "the last reads");
    int64_t until_us =
        pdr_sim_world_now(r->world) + 2000000; /* duplicates still open get their answers too */
    while (step(r, until_us)) {
    }
    check_at_rest(r);
    if (!r->failed) verified_look(r);
    if (sim_side && !r->failed) settle_side(r);
}

void seed_run(outcome *out, uint64_t seed, void (*trace)(void *context, const char *line))
{
    run *r = run_open(seed, trace);
    pdr_sim_world_trace(r->world, "seed %llu: %s, %u nodes, %u partitions, %s", (unsigned long long)seed,
                        r->plan.profile_name, (unsigned)r->plan.nodes, (unsigned)r->plan.partitions,
                        r->plan.group ? "group" : "static");
    play(r);
    bool failed = r->failed;
    *out = (outcome){.failed = failed,
                     .steps = pdr_sim_world_steps(r->world),
                     .commands = r->issued,
                     .virtual_us = pdr_sim_world_now(r->world)};
    if (failed)
        snprintf(out->failure, sizeof out->failure,
                 "seed %llu (%s), step %llu, virtual time %lld.%03d ms: %s", (unsigned long long)seed,
                 r->plan.profile_name, (unsigned long long)r->failed_step,
                 (long long)(r->failed_at_us / 1000), (int)(r->failed_at_us % 1000), r->failure);
    for (int f = 0; f < PDR_SIM_FAULT_COUNT; f++)
        out->world_faults[f] = pdr_sim_world_faults(r->world, (pdr_sim_fault)f);
    r->failed = true; /* whatever the end of the nodes brings is no finding */
    cluster_stop(r);
    if (sim_side) sim_side->stop(r);
    memcpy(out->side_counters, r->side_counters, sizeof out->side_counters);
    out->counters = r->counters;
    out->faults = r->faults;
    run_close(r);
}
