/* What is found out by scans: where to begin for the newest records, which entities there are, what followed
 * from a command. On journals that are made at random, with void records, foreign ones and lost terms. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "replay/newest.h"
#include "replay/trace.h"
#include "scan_world.h"

static scan_world world;

static void close_world(void)
{
    scan_world_close(&world);
}

TestSuite(scanned, .fini = close_world);

static const int32_t all[WORLD_PARTITIONS] = {0, 1, 2, 3, 4, 5};

static bool may_begin(const made_log *made, pdr_position position)
{
    if (pdr_position_equal(position, PDR_POSITION_START)) return true;
    for (size_t i = 0; i < made->start_count; i++)
        if (pdr_position_equal(made->starts[i], position)) return true;
    return false;
}

Test(scanned, newest_begins_where_reading_may_begin_and_far_enough_back)
{
    pdr_error err;
    pdr_position from[WORLD_PARTITIONS];
    for (uint64_t seed = 1; seed <= 12; seed++) {
        scan_world_open(&world, seed, 120);
        for (int64_t back = 1; back < 5000; back = back * 3 + 1) {
            cr_assert_eq(pdr_newest_positions(world.tool, all, WORLD_PARTITIONS, back, from, &err), PDR_OK,
                         "%s", err.message);
            for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
                const made_log *made = &world.made[p];
                cr_assert(may_begin(made, from[p]), "seed %d, partition %d, offset %d", (int)seed, (int)p,
                          (int)from[p].offset);
                if (back >= made->log.end) cr_expect_eq(from[p].offset, -1);
            }
            cr_assert_eq(scan_world_run(&world, 2, from, &err), PDR_OK, "%s", err.message);
            cr_assert(scan_world_is_right(&world, from));
        }
        if (seed < 12) scan_world_close(&world);
    }
}

Test(scanned, newest_of_a_long_log_is_near_its_end)
{
    pdr_error err;
    pdr_position from[WORLD_PARTITIONS];
    scan_world_open(&world, 30, 2000);
    cr_assert_eq(pdr_newest_positions(world.tool, all + 5, 1, 50, from, &err), PDR_OK, "%s", err.message);
    cr_expect_gt(from[5].offset, world.made[5].log.end - 500);
}

static unsigned passes;

static bool note_pass(void *context, unsigned pass, const pdr_scan_progress *progress)
{
    (void)context;
    (void)progress;
    passes = pass;
    return false;
}

static bool stop_at_once(void *context, unsigned pass, const pdr_scan_progress *progress)
{
    (void)context;
    (void)pass;
    (void)progress;
    return true;
}

Test(scanned, trace_of_an_id_that_nobody_has_is_empty_after_one_pass)
{
    pdr_error err;
    pdr_trace *trace;
    scan_world_open(&world, 50, 50);
    pdr_trace_spec spec = {.id = "nobody", .watch = note_pass};
    cr_assert_eq(pdr_trace_open(&trace, world.tool, &spec, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(pdr_trace_count(trace), 0);
    cr_expect_leq(passes, 1);
    pdr_trace_close(trace);
}

/* One command after the other, each caused by the one before, in turn in all partitions but the empty one. */
static void append_chain(const char *const *ids, size_t count)
{
    int64_t ends[WORLD_PARTITIONS];
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        ends[p] = world.made[p].log.end;
        made_fence(&world.made[p]);
    }
    uint64_t numbers[WORLD_PARTITIONS] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t p = 2 + i % 4;
        for (uint32_t k = 0; k < 2; k++) {
            pdr_header h = {.kind = PDR_RECORD_EVENT,
                            .term = world.made[p].term,
                            .number = ++numbers[p],
                            .seq = 2 * i + k + 1,
                            .index = k,
                            .count = 2,
                            .schema = 1,
                            .back_offset = -1,
                            .id = pdr_bytes_of(ids[i], strlen(ids[i])),
                            .fingerprint = 1,
                            .causation =
                                pdr_bytes_of(ids[i ? i - 1 : count - 1], strlen(ids[i ? i - 1 : count - 1]))};
            made_append(&world.made[p], "chained", &h);
        }
    }
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        scan_world_append(&world, p, ends[p]);
}

Test(scanned, trace_follows_a_chain_in_a_circle_once_with_whole_commits)
{
    pdr_error err;
    pdr_trace *trace;
    static const char *const ids[] = {"a1", "a2", "a3", "a4", "a5", "a6"};
    scan_world_open(&world, 60, 50);
    append_chain(ids, 6);
    pdr_trace_spec spec = {.id = "a4", .watch = note_pass};
    cr_assert_eq(pdr_trace_open(&trace, world.tool, &spec, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_trace_count(trace), 6);
    bool deep[6] = {false};
    for (size_t i = 0; i < 6; i++) {
        const pdr_trace_node *node = pdr_trace_at(trace, i);
        cr_expect_eq(node->count, 2);
        cr_expect_lt(node->depth, 6u);
        deep[node->depth] = true;
    }
    for (size_t i = 0; i < 6; i++)
        cr_expect(deep[i], "each is below the one that caused it");
    pdr_trace_close(trace);
}

Test(scanned, trace_can_be_stopped)
{
    pdr_error err;
    pdr_trace *trace;
    scan_world_open(&world, 70, 3000);
    pdr_trace_spec spec = {.id = "x", .watch = stop_at_once};
    pdr_code code = pdr_trace_open(&trace, world.tool, &spec, &err);
    cr_expect(code == PDR_CANCELLED || code == PDR_OK, "a scan that is over at once isn't asked");
    pdr_trace_close(trace);
}
