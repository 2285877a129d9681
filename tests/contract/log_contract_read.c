/* Claims about where readers start and what they are told. */
#include "tests/contract/log_contract.h"

static void two_partitions(void)
{
    log_world_open(2);
}

TestSuite(log_read, .init = two_partitions, .fini = log_world_close);

/* `count` records in partition 0, tags from 0. */
static void fill(size_t count)
{
    writer_probe w = {0};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, count);
    probe_writer_close(&w);
}

/* Open at `from` in a connection of its own and read to the end; the records must be those from `first`. */
static void expect_read(int64_t from, int64_t first, int64_t end)
{
    reader_probe r = {0};
    probe_reader_open(&r, 1, 0, from);
    PUMP_UNTIL(r.ends > 0 || r.failure.code != PDR_OK);
    probe_expect(&r, (size_t)(end - first), (uint64_t)first, first);
    cr_assert_eq(r.count_at_first_end, r.count);
    cr_assert_eq(r.end, end);
    probe_reader_close(&r);
}

Test(log_read, an_empty_log_ends_at_0)
{
    expect_read(0, 0, 0);
    expect_read(PDR_LOG_TAIL(0), 0, 0);
    expect_read(PDR_LOG_TAIL(10), 0, 0);
}

Test(log_read, from_the_start_the_middle_and_the_end)
{
    fill(100);
    expect_read(0, 0, 100);
    expect_read(1, 1, 100);
    expect_read(57, 57, 100);
    expect_read(99, 99, 100);
    expect_read(100, 100, 100);
}

Test(log_read, the_tail_of_short_and_long_logs)
{
    fill(30);
    expect_read(PDR_LOG_TAIL(0), 30, 30);
    expect_read(PDR_LOG_TAIL(1), 29, 30);
    expect_read(PDR_LOG_TAIL(29), 1, 30);
    expect_read(PDR_LOG_TAIL(30), 0, 30);
    expect_read(PDR_LOG_TAIL(31), 0, 30);
    expect_read(PDR_LOG_TAIL(1000000), 0, 30);
}

Test(log_read, thousands_of_records_come_whole_and_in_order)
{
    fill(6000);
    expect_read(0, 0, 6000);
    expect_read(PDR_LOG_TAIL(2500), 3500, 6000);
}

Test(log_read, beyond_the_end_is_out_of_range)
{
    fill(10);
    const int64_t beyond[] = {11, 12, 1000000, (int64_t)1 << 40};
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        reader_probe r = {0};
        probe_reader_open(&r, 1, 0, beyond[i]);
        PUMP_UNTIL(r.failure.code != PDR_OK || r.ends > 0);
        cr_assert_eq(r.failure.code, PDR_OUT_OF_RANGE, "from %lld: %s", (long long)beyond[i],
                     pdr_code_name(r.failure.code));
        cr_assert_eq(r.count, 0);
        probe_reader_close(&r);
    }
}

Test(log_read, below_what_the_log_still_holds_is_out_of_range)
{
    if (!log_world_can_drop()) cr_skip_test("the backend forgets no records");
    fill(100);
    log_world_log(1);
    log_world_drop_below(0, 40);
    reader_probe r = {0};
    probe_reader_open(&r, 1, 0, 39);
    PUMP_UNTIL(r.failure.code != PDR_OK || r.ends > 0);
    cr_assert_eq(r.failure.code, PDR_OUT_OF_RANGE);
    cr_assert_eq(r.count, 0);
    probe_reader_close(&r);
    expect_read(40, 40, 100);
    expect_read(PDR_LOG_TAIL(1000), 40, 100);
}

Test(log_read, a_partition_out_of_range_is_refused)
{
    static const pdr_log_reader_events events = {0};
    pdr_log *log = log_world_log(0);
    const int32_t wrong[] = {-1, 2, INT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pdr_log_reader *reader = NULL;
        cr_assert_eq(log->ops->reader_open(log, wrong[i], 0, &events, NULL, &reader, NULL),
                     PDR_INVALID_ARGUMENT);
        cr_assert_null(reader);
    }
    log->ops->reader_close(NULL);
}

Test(log_read, what_was_reported_to_anyone_before_the_open_comes_before_the_first_end)
{
    writer_probe w = {0};
    log_world_log(1);
    probe_writer_open(&w, 0, 0);
    for (int round = 0; round < 20; round++) {
        probe_write(&w, 5);
        reader_probe r = {0};
        probe_reader_open(&r, 1, 0, 0);
        PUMP_UNTIL(r.ends > 0);
        cr_assert_geq(r.count_at_first_end, w.count);
        cr_assert_geq(r.end, (int64_t)w.count);
        probe_reader_close(&r);
    }
    probe_writer_close(&w);
}

Test(log_read, partitions_are_read_apart)
{
    writer_probe w0 = {.next_tag = 0}, w1 = {.next_tag = 5000};
    probe_writer_open(&w0, 0, 0);
    probe_writer_open(&w1, 0, 1);
    probe_write(&w0, 30);
    probe_write(&w1, 70);
    reader_probe r0 = {0}, r1 = {0};
    probe_reader_open(&r0, 0, 0, 0);
    probe_reader_open(&r1, 0, 1, 10);
    PUMP_UNTIL(r0.ends > 0 && r1.ends > 0);
    probe_expect(&r0, 30, 0, 0);
    probe_expect(&r1, 60, 5010, 10);
    probe_reader_close(&r0);
    probe_reader_close(&r1);
    probe_writer_close(&w0);
    probe_writer_close(&w1);
}

Test(log_read, two_readers_of_one_partition_each_get_everything)
{
    fill(2500);
    reader_probe a = {0}, b = {0};
    probe_reader_open(&a, 1, 0, 0);
    probe_reader_open(&b, 1, 0, 1000);
    PUMP_UNTIL(a.ends > 0 && b.ends > 0);
    probe_expect(&a, 2500, 0, 0);
    probe_expect(&b, 1500, 1000, 1000);
    probe_reader_close(&a);
    probe_reader_close(&b);
}
