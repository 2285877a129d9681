/* The simulated world without an owner: the same seed gives the same world, and each fault does what its name
 * says. */
#include <criterion/criterion.h>

#include "backends/sim/sim_world.h"

typedef struct seen {
    uint64_t hash;
    uint64_t reports, failures, appended;
    int64_t offsets[256];
    size_t count, ends;
} seen;

static void mix(seen *s, uint64_t value)
{
    s->hash = (s->hash ^ value) * 0x100000001b3u;
}

static void on_reports(void *context, const pdr_log_report *reports, size_t count)
{
    seen *s = context;
    for (size_t i = 0; i < count; i++) {
        mix(s, reports[i].tag);
        mix(s, (uint64_t)reports[i].offset);
        s->reports++;
        s->failures += reports[i].code != PDR_OK;
    }
}

static void on_broken(void *context, const pdr_error *error)
{
    mix(context, (uint64_t)error->code);
}

static void on_records(void *context, const pdr_log_record *records, size_t count)
{
    seen *s = context;
    for (size_t i = 0; i < count; i++) {
        mix(s, (uint64_t)records[i].offset);
        if (s->count < 256) s->offsets[s->count++] = records[i].offset;
    }
}

static void on_end(void *context, int64_t end)
{
    seen *s = context;
    mix(s, (uint64_t)end);
    s->ends++;
}

static void on_failed(void *context, const pdr_error *error)
{
    mix(context, (uint64_t)error->code);
}

static void on_appended(void *context, int32_t partition, const pdr_log_record *record)
{
    (void)partition;
    (void)record;
    ((seen *)context)->appended++;
}

static const pdr_log_writer_events writer_events = {on_reports, on_broken};
static const pdr_log_reader_events reader_events = {on_records, on_end, on_failed};

static pdr_sim_world *open_world(uint64_t seed, const pdr_sim_profile *profile, seen *s)
{
    pdr_sim_options options = {.journal = "w", .partitions = 1, .profile = *profile};
    options.hooks.appended = on_appended;
    options.hooks.context = s;
    pdr_sim_world *world;
    cr_assert_eq(pdr_sim_world_open(&world, seed, &options, NULL), PDR_OK);
    return world;
}

/* 100 records from one node to a reader of another, under a profile. */
static seen run(uint64_t seed, const pdr_sim_profile *profile)
{
    seen s = {0};
    pdr_sim_world *world = open_world(seed, profile, &s);
    pdr_log *log;
    cr_assert_eq(pdr_sim_log_open(&log, world, 0, NULL), PDR_OK);
    pdr_log_writer *writer;
    pdr_log_reader *reader;
    cr_assert_eq(log->ops->writer_open(log, 0, &writer_events, &s, &writer, NULL), PDR_OK);
    cr_assert_eq(log->ops->reader_open(log, 0, 0, &reader_events, &s, &reader, NULL), PDR_OK);
    for (uint64_t tag = 1; tag <= 100; tag++) {
        pdr_log_entry entry = {.key = pdr_bytes_of("k", 1), .header = pdr_bytes_of("hh", 2)};
        mix(&s, (uint64_t)log->ops->append(writer, &entry, tag, NULL));
        log->ops->poll(log);
        pdr_sim_world_step(world);
    }
    while (pdr_sim_world_step(world))
        log->ops->poll(log);
    while (log->ops->poll(log)) {
    }
    mix(&s, (uint64_t)pdr_sim_world_now(world));
    log->ops->writer_close(writer);
    log->ops->reader_close(reader);
    log->ops->close(log);
    pdr_sim_world_close(world);
    return s;
}

static pdr_sim_profile with(pdr_sim_fault fault, uint32_t chance)
{
    pdr_sim_profile profile;
    pdr_sim_profile_init(&profile);
    profile.chance[fault] = chance;
    return profile;
}

Test(sim_world, without_faults_every_record_lands_in_order_and_is_reported)
{
    pdr_sim_profile calm;
    pdr_sim_profile_init(&calm);
    seen s = run(1, &calm);
    cr_assert_eq(s.reports, 100);
    cr_assert_eq(s.failures, 0);
    cr_assert_eq(s.count, 100);
    for (size_t i = 0; i < s.count; i++)
        cr_assert_eq(s.offsets[i], (int64_t)i);
}

Test(sim_world, the_same_seed_gives_the_same_world_and_another_gives_another)
{
    pdr_sim_profile stormy;
    pdr_sim_profile_init(&stormy);
    for (int f = 0; f < PDR_SIM_FAULT_COUNT; f++)
        stormy.chance[f] = f == PDR_SIM_writer_broken ? 0 : 50000;
    cr_assert_eq(run(7, &stormy).hash, run(7, &stormy).hash);
    cr_assert_neq(run(7, &stormy).hash, run(8, &stormy).hash);
}

Test(sim_world, a_lost_record_never_lands)
{
    pdr_sim_profile profile = with(PDR_SIM_record_lost, 1000000);
    seen s = run(2, &profile);
    cr_assert_eq(s.appended, 0);
    cr_assert_eq(s.reports, s.failures);
    cr_assert_lt(s.reports, 100);
}

Test(sim_world, a_repeated_record_lands_twice_and_is_reported_once)
{
    pdr_sim_profile profile = with(PDR_SIM_record_repeated, 1000000);
    seen s = run(3, &profile);
    cr_assert_eq(s.appended, 200);
    cr_assert_eq(s.reports, 100);
}

Test(sim_world, a_lost_report_does_not_lose_the_record)
{
    pdr_sim_profile profile = with(PDR_SIM_report_lost, 1000000);
    seen s = run(4, &profile);
    cr_assert_eq(s.appended, 100);
    cr_assert_eq(s.reports, 0);
}

Test(sim_world, a_dead_process_hears_nothing_more)
{
    pdr_sim_profile calm;
    pdr_sim_profile_init(&calm);
    seen s = {0};
    pdr_sim_world *world = open_world(5, &calm, &s);
    pdr_log *log;
    pdr_log_writer *writer;
    cr_assert_eq(pdr_sim_log_open(&log, world, 0, NULL), PDR_OK);
    cr_assert_eq(log->ops->writer_open(log, 0, &writer_events, &s, &writer, NULL), PDR_OK);
    pdr_log_entry entry = {.key = pdr_bytes_of("k", 1)};
    for (uint64_t tag = 1; tag <= 64; tag++)
        cr_assert_eq(log->ops->append(writer, &entry, tag, NULL), PDR_OK);
    pdr_sim_log_crash(log);
    cr_assert_neq(log->ops->append(writer, &entry, 65, NULL), PDR_OK);
    while (pdr_sim_world_step(world))
        cr_assert_eq(log->ops->poll(log), 0);
    cr_assert_eq(s.reports, 0);
    cr_assert_gt(s.appended, 0, "some of it was on the wire");
    cr_assert_lt(s.appended, 64, "some of it was still in the process");
    log->ops->writer_close(writer);
    log->ops->close(log);
    pdr_sim_world_close(world);
}

Test(sim_world, a_world_without_partitions_or_times_is_refused)
{
    pdr_sim_options options = {.partitions = 0};
    pdr_sim_profile_init(&options.profile);
    pdr_sim_world *world;
    cr_assert_eq(pdr_sim_world_open(&world, 1, &options, NULL), PDR_INVALID_ARGUMENT);
    options.partitions = 1;
    options.profile.late_us = 0;
    cr_assert_eq(pdr_sim_world_open(&world, 1, &options, NULL), PDR_INVALID_ARGUMENT);
}
