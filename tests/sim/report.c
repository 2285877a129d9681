#include "tests/sim/report.h"
#include "tests/sim/side.h"

#include <inttypes.h>
#include <stdio.h>

void totals_add(totals *sum, const outcome *one)
{
    totals more = {.seeds = 1,
                   .steps = one->steps,
                   .commands = one->commands,
                   .virtual_us = one->virtual_us,
                   .counters = one->counters,
                   .faults = one->faults};
    memcpy(more.side_counters, one->side_counters, sizeof more.side_counters);
    memcpy(more.world_faults, one->world_faults, sizeof more.world_faults);
    totals_add_all(sum, &more);
}

void totals_add_all(totals *sum, const totals *more)
{
    sum->seeds += more->seeds;
    sum->steps += more->steps;
    sum->commands += more->commands;
    sum->virtual_us += more->virtual_us;
#define ADD_COUNTER(name, words) sum->counters.name += more->counters.name;
    PDR_OWNER_COUNTER_MAP(ADD_COUNTER)
#undef ADD_COUNTER
#define ADD_FAULT(name, words) sum->faults.name += more->faults.name;
    SIM_DRIVER_FAULT_MAP(ADD_FAULT)
#undef ADD_FAULT
    for (int c = 0; c < SIDE_COUNTERS; c++)
        sum->side_counters[c] += more->side_counters[c];
    for (int f = 0; f < PDR_SIM_FAULT_COUNT; f++)
        sum->world_faults[f] += more->world_faults[f];
}

static void line(const char *group, const char *words, uint64_t count, bool json)
{
    if (json)
        printf("{\"group\":\"%s\",\"name\":\"%s\",\"count\":%" PRIu64 "}\n", group, words, count);
    else
        printf("  %12" PRIu64 "  %s\n", count, words);
}

static void heading(const char *words, bool json)
{
    if (!json) printf("%s\n", words);
}

void totals_print(const totals *sum, bool json)
{
    heading("faults", json);
    for (int f = 0; f < PDR_SIM_FAULT_COUNT; f++)
        line("fault", pdr_sim_fault_words((pdr_sim_fault)f), sum->world_faults[f], json);
#define PRINT_FAULT(name, words) line("fault", words, sum->faults.name, json);
    SIM_DRIVER_FAULT_MAP(PRINT_FAULT)
#undef PRINT_FAULT
    heading("branches of the owners", json);
#define PRINT_COUNTER(name, words) line("branch", words, sum->counters.name, json);
    PDR_OWNER_COUNTER_MAP(PRINT_COUNTER)
#undef PRINT_COUNTER
    if (sim_side) heading("branches of the projectors", json);
    for (size_t c = 0; sim_side && c < sim_side->counter_count; c++)
        line("branch", sim_side->counter_words[c], sum->side_counters[c], json);
    heading("sizes", json);
    line("size", "requests", sum->commands, json);
    line("size", "steps, the invariants checked at each", sum->steps, json);
    line("size", "virtual seconds", (uint64_t)(sum->virtual_us / 1000000), json);
}

enum { LEAST = 20 };

static bool suffices(const char *words, uint64_t count)
{
    if (count >= LEAST) return true;
    fprintf(stderr, "sim: too rare: %s: %" PRIu64 " times, at least %d wanted\n", words, count, LEAST);
    return false;
}

static bool side_suffices(const totals *sum)
{
    bool enough = true;
    for (size_t c = 0; c < sim_side->counter_count; c++)
        if (!suffices(sim_side->counter_words[c], sum->side_counters[c])) enough = false;
    return enough;
}

bool totals_suffice(const totals *sum)
{
    if (sim_side) return side_suffices(sum);
    const pdr_owner_counters *c = &sum->counters;
    const struct {
        const char *words;
        uint64_t count;
    } wanted[] = {
        {"gap read", c->gap_reads},
        {"unknown report", c->unknown_reports},
        {"re-fence", c->refences},
        {"late own FENCE", c->late_own_fences},
        {"deposed", c->depositions},
        {"ghost of an older generation", c->older_ghosts},
        {"torn commit", c->torn_commits},
        {"recovery with a foreign FENCE in between", c->foreign_recoveries},
        {"store turned back with an equal checkpoint", c->turned_back_equal},
        {"refused save", c->refused_saves},
        {"activation during a save", c->activations_during_save},
        {"id joined in flight", c->joined_ids},
        {"state of another revision", c->other_revisions},
    };
    bool enough = true;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!suffices(wanted[i].words, wanted[i].count)) enough = false;
    return enough;
}
