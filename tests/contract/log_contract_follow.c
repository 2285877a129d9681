/* Claims about readers that stay: following, pausing, closing in callbacks. */
#include "tests/contract/log_contract.h"

static void two_partitions(void)
{
    log_world_open(2);
}

TestSuite(log_follow, .init = two_partitions, .fini = log_world_close);

static void follow(size_t reading_log)
{
    writer_probe w = {0};
    reader_probe r = {0};
    probe_writer_open(&w, 0, 0);
    probe_reader_open(&r, reading_log, 0, 0);
    PUMP_UNTIL(r.ends > 0);
    for (size_t round = 1; round <= 10; round++) {
        probe_write(&w, 7);
        PUMP_UNTIL(r.end >= (int64_t)(7 * round));
        probe_expect(&r, 7 * round, 0, 0);
    }
    probe_reader_close(&r);
    probe_writer_close(&w);
}

Test(log_follow, a_reader_follows_the_appends_of_its_own_connection_and_is_told_the_new_end)
{
    follow(0);
}

Test(log_follow, a_reader_follows_the_appends_of_another_connection_and_is_told_the_new_end)
{
    follow(1);
}

Test(log_follow, a_tail_reader_gets_only_what_comes_later)
{
    writer_probe w = {0};
    reader_probe r = {0};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 20);
    probe_reader_open(&r, 1, 0, PDR_LOG_TAIL(0));
    PUMP_UNTIL(r.ends > 0);
    probe_write(&w, 5);
    PUMP_UNTIL(r.end >= 25);
    probe_expect(&r, 5, 20, 20);
    probe_reader_close(&r);
    probe_writer_close(&w);
}

Test(log_follow, two_connections_see_each_others_records_in_one_order)
{
    writer_probe a = {0}, b = {.next_tag = 1000};
    reader_probe ra = {0}, rb = {0};
    probe_writer_open(&a, 0, 0);
    probe_writer_open(&b, 1, 0);
    probe_reader_open(&ra, 0, 0, 0);
    probe_reader_open(&rb, 1, 0, 0);
    for (int i = 0; i < 30; i++) {
        probe_append_many(&a, 3);
        probe_append_many(&b, 2);
        cr_assert(log_world_pump());
    }
    PUMP_UNTIL(ra.end >= 150 && rb.end >= 150);
    cr_assert_eq(ra.count, 150);
    cr_assert_eq(rb.count, 150);
    for (size_t i = 0; i < 150; i++) {
        cr_assert_eq(ra.records[i].offset, (int64_t)i);
        cr_assert(pdr_bytes_equal(ra.records[i].entry.value, rb.records[i].entry.value));
    }
    probe_reader_close(&ra);
    probe_reader_close(&rb);
    probe_writer_close(&a);
    probe_writer_close(&b);
}

Test(log_follow, a_paused_reader_gets_no_callback_and_goes_on_without_a_loss)
{
    writer_probe w = {0};
    reader_probe r = {0};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 10);
    probe_reader_open(&r, 1, 0, 0);
    PUMP_UNTIL(r.end >= 10);
    size_t ends = r.ends;
    r.log->ops->reader_pause(r.reader, true);
    probe_write(&w, 3000);
    log_world_linger();
    cr_assert_eq(r.count, 10);
    cr_assert_eq(r.ends, ends);
    r.log->ops->reader_pause(r.reader, false);
    PUMP_UNTIL(r.end >= 3010);
    probe_expect(&r, 3010, 0, 0);
    probe_reader_close(&r);
    probe_writer_close(&w);
}

Test(log_follow, a_reader_paused_at_once_gets_nothing_until_it_goes_on)
{
    writer_probe w = {0};
    reader_probe r = {0};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 10);
    probe_reader_open(&r, 1, 0, 0);
    r.log->ops->reader_pause(r.reader, true);
    log_world_linger();
    cr_assert_eq(r.count + r.ends, 0);
    r.log->ops->reader_pause(r.reader, false);
    PUMP_UNTIL(r.ends > 0);
    probe_expect(&r, 10, 0, 0);
    probe_reader_close(&r);
    probe_writer_close(&w);
}

static void pause_in_callback(reader_probe *probe)
{
    probe->log->ops->reader_pause(probe->reader, true);
}

Test(log_follow, a_reader_paused_in_its_own_callback_gets_nothing_more_until_it_goes_on)
{
    writer_probe w = {0};
    reader_probe r = {.on_records = pause_in_callback};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 4321);
    probe_reader_open(&r, 1, 0, 0);
    while (r.count < 4321) {
        size_t before = r.count;
        PUMP_UNTIL(r.count > before);
        size_t paused_at = r.count;
        log_world_linger();
        cr_assert_eq(r.count, paused_at);
        cr_assert_eq(r.ends, 0);
        r.log->ops->reader_pause(r.reader, false);
    }
    PUMP_UNTIL(r.ends > 0);
    probe_expect(&r, 4321, 0, 0);
    probe_reader_close(&r);
    probe_writer_close(&w);
}

static void close_in_callback(reader_probe *probe)
{
    if (probe->other && probe->other->reader) probe_reader_close(probe->other);
    probe_reader_close(probe);
}

static void close_both(size_t records)
{
    writer_probe w = {0};
    reader_probe a = {.on_records = close_in_callback}, b = {.on_records = close_in_callback, .other = &a};
    a.other = &b;
    probe_writer_open(&w, 0, 0);
    probe_write(&w, records);
    probe_reader_open(&a, 1, 0, 0);
    probe_reader_open(&b, 1, 0, 0);
    PUMP_UNTIL(!a.reader && !b.reader);
    size_t seen = a.count + b.count;
    probe_write(&w, 5);
    log_world_linger();
    cr_assert_eq(a.count + b.count, seen);
    cr_assert_eq(a.ends + b.ends, 0);
    probe_writer_close(&w);
}

Test(log_follow, a_reader_may_be_closed_in_its_records_callback_and_in_anothers)
{
    close_both(4000);
}

Test(log_follow, a_reader_closed_in_its_only_records_callback_is_told_no_end)
{
    close_both(10);
}

Test(log_follow, a_reader_may_be_closed_in_its_end_callback)
{
    writer_probe w = {0};
    reader_probe r = {.on_end = close_in_callback};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 10);
    probe_reader_open(&r, 0, 0, 0);
    PUMP_UNTIL(!r.reader);
    probe_write(&w, 10);
    log_world_linger();
    probe_expect(&r, 10, 0, 0);
    cr_assert_eq(r.ends, 1);
    probe_writer_close(&w);
}

static void open_and_append_in_callback(reader_probe *probe)
{
    probe->on_end = NULL;
    probe_reader_open(probe->other, 0, 0, 5);
    probe_append_many(probe->writer, 10);
}

Test(log_follow, readers_may_be_opened_and_records_appended_in_a_callback)
{
    writer_probe w = {0};
    reader_probe second = {0};
    reader_probe first = {.on_end = open_and_append_in_callback, .other = &second, .writer = &w};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 10);
    probe_reader_open(&first, 0, 0, 0);
    PUMP_UNTIL(first.end >= 20 && second.end >= 20);
    probe_expect(&first, 20, 0, 0);
    probe_expect(&second, 15, 5, 5);
    probe_reader_close(&first);
    probe_reader_close(&second);
    probe_writer_close(&w);
}
