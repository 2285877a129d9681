#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "scan_world.h"

static scan_world world;

static void close_world(void)
{
    scan_world_close(&world);
}

TestSuite(scan, .fini = close_world);

Test(scan, tells_whole_commits_that_count_in_order_with_any_number_of_threads)
{
    pdr_error err;
    scan_world_open(&world, 1, 300);
    for (unsigned threads = 0; threads <= 4; threads++) {
        cr_assert_eq(scan_world_run(&world, threads, NULL, &err), PDR_OK, "%s", err.message);
        cr_expect(scan_world_is_right(&world, NULL), "%u threads", threads);
    }
}

Test(scan, tells_void_records_aside)
{
    pdr_error err;
    scan_world_open(&world, 4, 300);
    cr_assert_eq(scan_world_run(&world, 2, NULL, &err), PDR_OK, "%s", err.message);
    uint64_t voids = 0;
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        voids += world.told[p].voids;
    cr_expect_gt(voids, 0);
}

Test(scan, goes_on_from_any_position_that_it_gave)
{
    pdr_error err;
    pdr_position from[WORLD_PARTITIONS];
    scan_world_open(&world, 7, 200);
    for (uint64_t turn = 0; turn < 40; turn++) {
        for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
            made_log *made = &world.made[p];
            from[p] =
                made->start_count ? made->starts[made_random(made, made->start_count)] : PDR_POSITION_START;
        }
        cr_assert_eq(scan_world_run(&world, 2, from, &err), PDR_OK, "%s", err.message);
        cr_assert(scan_world_is_right(&world, from));
    }
}

Test(scan, ends_with_the_position_of_the_last_commit_or_fence)
{
    pdr_error err;
    scan_world_open(&world, 9, 100);
    cr_assert_eq(scan_world_run(&world, 2, NULL, &err), PDR_OK, "%s", err.message);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        cr_expect_geq(world.told[p].at.offset, world.told[p].last.offset);
    cr_expect(pdr_position_equal(world.told[1].at, PDR_POSITION_START), "the empty partition");
}

Test(scan, reads_only_the_partitions_that_were_asked_for)
{
    pdr_error err;
    const int32_t wanted[] = {4, 2};
    scan_world_open(&world, 11, 100);
    scan_world_forget(&world);
    pdr_scan_spec spec = {
        .partitions = wanted, .partition_count = 2, .sink = &scan_world_sink, .context = &world};
    cr_assert_eq(pdr_scan_run(world.tool, &spec, &err), PDR_OK, "%s", err.message);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        cr_expect_eq(world.told[p].ended, (p == 4 || p == 2) ? 1 : 0);
    const int32_t bad[] = {0, WORLD_PARTITIONS};
    spec.partitions = bad;
    cr_assert_eq(pdr_scan_run(world.tool, &spec, &err), PDR_INVALID_ARGUMENT);
    cr_expect_str_eq(err.message, "partition 6: the journal has 0 to 5");
}

Test(scan, is_ended_by_a_failure_of_its_sink)
{
    pdr_error err;
    scan_world_open(&world, 13, 200);
    world.stop_partition = 5;
    world.stop_at = world.made[5].entities[0].events[3].offset;
    world.stop_code = PDR_BAD_HANDLER;
    cr_assert_eq(scan_world_run(&world, 2, NULL, &err), PDR_BAD_HANDLER);
    cr_expect_not_null(strstr(err.message, "the sink had enough"));
}

Test(scan, leaves_a_partition_whose_sink_has_enough_and_reads_the_others)
{
    pdr_error err;
    scan_world_open(&world, 15, 200);
    world.stop_partition = 0;
    world.stop_at = world.made[0].entities[0].events[2].offset;
    world.stop_code = PDR_CANCELLED;
    cr_assert_eq(scan_world_run(&world, 2, NULL, &err), PDR_OK, "%s", err.message);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        cr_expect_eq(world.told[p].ended, 1);
    for (size_t i = 0; i < world.told[0].count; i++)
        cr_expect_lt(world.told[0].offsets[i], world.stop_at);
    world.stop_at = -1;
    cr_assert_eq(scan_world_run(&world, 2, NULL, &err), PDR_OK);
    cr_expect(scan_world_is_right(&world, NULL), "and again, now to the end");
}

Test(scan, names_the_partition_of_a_record_that_breaks_the_rules)
{
    pdr_error err;
    scan_world_open(&world, 17, 50);
    made_log *made = &world.made[3];
    int64_t end = made->log.end;
    made_fence(made);
    pdr_header bad = {.kind = PDR_RECORD_EVENT,
                      .term = made->term,
                      .number = 1,
                      .seq = 2,
                      .index = 1,
                      .count = 3,
                      .schema = 1,
                      .back_offset = -1};
    int64_t at = made_append(made, "k", &bad);
    scan_world_append(&world, 3, end);
    char place[100];
    snprintf(place, sizeof place, "partition 3: the record at offset %lld", (long long)at);
    cr_assert_eq(scan_world_run(&world, 2, NULL, &err), PDR_CORRUPT);
    cr_expect_not_null(strstr(err.message, place), "%s", err.message);
}

Test(scan, of_a_log_that_ends_earlier_than_it_should_begin_is_refused)
{
    pdr_error err;
    pdr_position from[WORLD_PARTITIONS];
    scan_world_open(&world, 19, 20);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        from[p] = PDR_POSITION_START;
    from[2].offset = world.made[2].log.end;
    cr_assert_eq(scan_world_run(&world, 2, from, &err), PDR_OUT_OF_RANGE);
    cr_expect_not_null(strstr(err.message, "partition 2 ends at offset"), "%s", err.message);
}

/* --- following --- */

static pthread_t writer;
static bool begun;
static atomic_bool written;

static void *append_later(void *argument)
{
    (void)argument;
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++) {
        int64_t end = world.made[p].log.end;
        made_weights weights = {4, 5, 2, 1, 1, 4, 6};
        made_run(&world.made[p], &weights, 100);
        scan_world_append(&world, p, end);
    }
    atomic_store(&written, true);
    return NULL;
}

/* Has more appended once the scan has begun, and stops when the last of it has come. */
static bool all_is_there(void *context, const pdr_scan_progress *progress)
{
    (void)context;
    int64_t all = 0;
    if (!begun) cr_assert_eq(pthread_create(&writer, NULL, append_later, NULL), 0);
    begun = true;
    if (!atomic_load(&written)) return false;
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        all += world.made[p].log.end;
    cr_assert_gt(all, progress->total);
    if (progress->done < all) return false;
    (void)pthread_join(writer, NULL);
    return true;
}

Test(scan, that_follows_tells_what_is_appended_meanwhile_and_ends_when_it_is_told, .timeout = 600)
{
    pdr_error err;
    scan_world_open(&world, 21, 100);
    scan_world_forget(&world);
    pdr_scan_spec spec = {
        .follow = true, .threads = 2, .sink = &scan_world_sink, .context = &world, .watch = all_is_there};
    cr_assert_eq(pdr_scan_run(world.tool, &spec, &err), PDR_CANCELLED);
    for (int32_t p = 0; p < WORLD_PARTITIONS; p++)
        world.told[p].ended = 1;
    cr_expect(scan_world_is_right(&world, NULL));
}
