/* What a seed decides before its world starts: which troubles, how many nodes, which settings. */
#include "tests/sim/run.h"

enum { MS = 1000 };

typedef struct profile_row {
    const char *name;
    uint32_t weight;
    void (*make)(plan *p);
} profile_row;

static void trouble(plan *p, pdr_sim_fault fault, uint32_t per_million)
{
    p->profile.chance[fault] = per_million;
}

static void calm(plan *p)
{
    trouble(p, PDR_SIM_offset_skipped, 5000);
    trouble(p, PDR_SIM_store_slow, 5000);
}

static void lossy(plan *p)
{
    trouble(p, PDR_SIM_record_lost, 12000);
    trouble(p, PDR_SIM_record_repeated, 30000);
    trouble(p, PDR_SIM_record_held, 15000);
    trouble(p, PDR_SIM_report_lost, 12000);
    trouble(p, PDR_SIM_report_late, 15000);
    trouble(p, PDR_SIM_report_failed, 8000);
    trouble(p, PDR_SIM_report_no_offset, 15000);
    trouble(p, PDR_SIM_report_odd, 15000);
    trouble(p, PDR_SIM_offset_skipped, 15000);
    trouble(p, PDR_SIM_stranger, 10000);
    trouble(p, PDR_SIM_stranger_malformed, 10000);
    trouble(p, PDR_SIM_reader_failed, 20000);
    trouble(p, PDR_SIM_reader_crumbs, 200000);
    trouble(p, PDR_SIM_end_early, 50000);
}

static void stormy(plan *p)
{
    lossy(p);
    trouble(p, PDR_SIM_record_lost, 30000);
    trouble(p, PDR_SIM_record_held, 40000);
    trouble(p, PDR_SIM_report_lost, 20000);
    trouble(p, PDR_SIM_queue_full, 10000);
    trouble(p, PDR_SIM_writer_broken, 5000);
    trouble(p, PDR_SIM_store_unavailable, 20000);
    trouble(p, PDR_SIM_store_unknown_done, 15000);
    trouble(p, PDR_SIM_store_unknown_late, 15000);
    trouble(p, PDR_SIM_store_slow, 30000);
    trouble(p, PDR_SIM_store_back, 5000);
    trouble(p, PDR_SIM_wall_jump, 2000);
    p->crash_every_us = 1500 * MS;
    p->stall_every_us = 800 * MS;
}

static void zombies(plan *p)
{
    trouble(p, PDR_SIM_record_held, 40000);
    trouble(p, PDR_SIM_record_repeated, 40000);
    trouble(p, PDR_SIM_report_lost, 5000);
    trouble(p, PDR_SIM_stranger, 5000);
    p->stall_every_us = 250 * MS;
    p->stall_max_us = 600 * MS;
}

static void store_trouble(plan *p)
{
    trouble(p, PDR_SIM_store_refused, 10000);
    trouble(p, PDR_SIM_store_unavailable, 20000);
    trouble(p, PDR_SIM_store_unknown_done, 20000);
    trouble(p, PDR_SIM_store_unknown_lost, 20000);
    trouble(p, PDR_SIM_store_unknown_late, 20000);
    trouble(p, PDR_SIM_store_slow, 60000);
    trouble(p, PDR_SIM_store_cut, 15000);
    trouble(p, PDR_SIM_store_back, 30000);
    trouble(p, PDR_SIM_store_back_equal, 80000);
    trouble(p, PDR_SIM_store_lost, 5000);
    trouble(p, PDR_SIM_report_lost, 3000);
    p->crash_every_us = 2000 * MS;
    p->rebuild_every_us = 1500 * MS;
}

static void crashes(plan *p)
{
    trouble(p, PDR_SIM_record_held, 10000);
    trouble(p, PDR_SIM_record_repeated, 10000);
    trouble(p, PDR_SIM_store_slow, 20000);
    trouble(p, PDR_SIM_store_unknown_late, 10000);
    trouble(p, PDR_SIM_store_back_equal, 10000);
    p->crash_every_us = 300 * MS;
    p->stall_every_us = 1000 * MS;
    p->mixed_revisions = true;
}

static void group(plan *p)
{
    trouble(p, PDR_SIM_record_held, 15000);
    trouble(p, PDR_SIM_record_repeated, 15000);
    trouble(p, PDR_SIM_report_lost, 5000);
    trouble(p, PDR_SIM_store_slow, 10000);
    p->group = true;
    p->stall_every_us = 400 * MS;
    p->stall_max_us = 400 * MS;
    p->crash_every_us = 2500 * MS;
}

static const profile_row rows[] = {
    {"calm", 1, calm},
    {"lossy", 2, lossy},
    {"stormy", 2, stormy},
    {"zombies", 3, zombies},
    {"store trouble", 3, store_trouble},
    {"crashes", 3, crashes},
    {"group", 3, group},
};

static uint64_t between(sim_random *random, uint64_t least, uint64_t most)
{
    return least + sim_random_below(random, most - least + 1);
}

/* Small settings, so that everything that happens at a limit happens often. */
static void make_settings(pdr_owner_settings *s, sim_random *random)
{
    pdr_owner_settings_init(s);
    s->delivery_timeout_us = (int64_t)between(random, 40, 200) * MS;
    s->store_timeout_us = (int64_t)between(random, 60, 300) * MS;
    s->snapshot_age_us = (int64_t)between(random, 5, 80) * MS;
    s->snapshot_events = (uint32_t)between(random, 3, 10);
    if (sim_random_below(random, 4) == 0) s->scan_limit = between(random, 40, 100);
    if (sim_random_below(random, 4) == 0) s->tail_bytes = (size_t)between(random, 200, 4000);
    s->max_commands = (uint32_t)between(random, 20, 200);
    s->max_entity_commands = (uint32_t)between(random, 5, 50);
    s->lookup_batch = (uint32_t)between(random, 1, 4);
    s->lookup_permits = (uint32_t)between(random, 1, 3);
    s->save_batch = (uint32_t)between(random, 1, 6);
    if (sim_random_below(random, 2)) s->resident_bytes = (size_t)between(random, 1, 4000);
    s->idle_us = (int64_t)between(random, 10, 500) * MS;
    s->backoff_min_us = (int64_t)between(random, 2, 20) * MS;
    s->backoff_max_us = (int64_t)between(random, 50, 400) * MS;
    s->check_handlers = sim_random_below(random, 8) == 0;
}

static void choose_profile(plan *p, sim_random *random)
{
    uint32_t total = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        total += rows[i].weight;
    uint64_t roll = sim_random_below(random, total);
    size_t i = 0;
    for (; roll >= rows[i].weight; i++)
        roll -= rows[i].weight;
    p->profile_name = rows[i].name;
    rows[i].make(p);
}

void plan_make(plan *out, uint64_t seed)
{
    sim_random random;
    sim_random_init(&random, seed * 2 + 1);
    *out = (plan){.stall_max_us = 300 * MS};
    pdr_sim_profile_init(&out->calm);
    out->profile = out->calm;
    out->profile.wire_max_us = (int64_t)between(&random, 300, 5000);
    out->profile.late_us = (int64_t)between(&random, 10, 400) * MS;
    out->nodes = (uint32_t)between(&random, 2, MAX_NODES);
    out->partitions = (uint32_t)between(&random, 1, MAX_PARTITIONS);
    out->requests = (uint32_t)between(&random, 200, 240);
    out->gap_max_us = (int64_t)between(&random, 2, 20) * MS;
    out->mixed_revisions = sim_random_below(&random, 2);
    choose_profile(out, &random);
    if (sim_random_below(&random, 5) == 0) out->group = true;
    if (out->mixed_revisions && !out->crash_every_us) out->crash_every_us = 1500 * MS;
    make_settings(&out->settings, &random);
}
