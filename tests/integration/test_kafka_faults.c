/* Claims about a broker that goes away and comes back, and about load. */
#include "tests/integration/kafka_world.h"

#include <stdlib.h>

#include "backends/kafka/internal.h"

static void open_two(void)
{
    world_name();
    pdr_error err = {0};
    cr_assert_eq(world_create(2, &err), PDR_OK, "%s", err.message);
    world_open_log();
}

TestSuite(kafka_load, .init = open_two, .fini = world_close);
TestSuite(kafka_restart, .init = open_two, .fini = world_close);

/* The first line of each claim that stops the broker. */
#define NEEDS_DEV                                                                                            \
    if (!world_can_restart()) cr_skip_test("PERDURE_TEST_DEV isn't set")

static void write_until(writer_probe *w, uint64_t tag, size_t padding)
{
    while (w->next_tag < tag) {
        pdr_code code = write_next(w, padding);
        cr_assert(code == PDR_OK || code == PDR_QUEUE_FULL, "%s", pdr_code_name(code));
        if (code == PDR_QUEUE_FULL) world_pump();
    }
}

static void await_reports(const writer_probe *w, size_t count)
{
    while (w->reports < count)
        world_pump();
}

Test(kafka_load, two_hundred_thousand_records_come_back_in_order_where_they_were_reported)
{
    enum { COUNT = 200000 };
    writer_probe w;
    writer_start(&w, 1, COUNT);
    write_until(&w, COUNT, 60);
    await_reports(&w, COUNT);
    cr_assert_eq(w.failures, 0);
    cr_assert(!w.disordered);
    cr_assert_eq(w.last_offset, COUNT - 1);
    expect_reported_is_in_log(&w, 1);
    writer_stop(&w);
}

Test(kafka_load, large_values_among_small_ones_keep_their_order)
{
    enum { COUNT = 300 };
    writer_probe w;
    writer_start(&w, 0, COUNT + 1);
    for (uint64_t i = 1; i <= COUNT; i++)
        write_until(&w, i, i % 10 == 0 ? 990000 : i % 7 == 0 ? 70000 : 10);
    await_reports(&w, COUNT);
    cr_assert_eq(w.failures, 0);
    cr_assert(!w.disordered);
    expect_reported_is_in_log(&w, 0);
    cr_assert_eq(write_next(&w, 1000050), PDR_TOO_LARGE);
    writer_stop(&w);
}

Test(kafka_load, readers_at_several_places_of_one_partition_each_get_theirs)
{
    enum { COUNT = 50000, READERS = 6 };
    writer_probe w;
    writer_start(&w, 0, COUNT);
    write_until(&w, COUNT, 60);
    await_reports(&w, COUNT);
    reader_probe r[READERS] = {{0}};
    for (int i = 0; i < READERS; i++)
        reader_start(&r[i], 0, i * 7000);
    for (int i = 0; i < READERS; i++) {
        while (!r[i].ends)
            world_pump();
        cr_assert_eq(r[i].count, (size_t)(COUNT - i * 7000));
        reader_stop(&r[i]);
    }
    writer_stop(&w);
}

/* More than librdkafka reads ahead: a paused reader, then a slow one, loses nothing. */
Test(kafka_load, a_reader_goes_on_after_its_read_ahead_was_full)
{
    enum { COUNT = 3000 };
    static const pdr_kafka_setting little[] = {{"queued.max.messages.kbytes", "1024"},
                                               {"queued.min.messages", "300"}};
    writer_probe w;
    writer_start(&w, 0, COUNT);
    write_until(&w, COUNT, 20000);
    await_reports(&w, COUNT);
    writer_stop(&w);
    world.log->ops->close(world.log);
    cr_assert_eq(world_try_open(little, 2, &world.log, NULL), PDR_OK);
    reader_probe r = {0};
    reader_start(&r, 0, 0);
    world.log->ops->reader_pause(r.reader, true);
    for (int i = 0; i < 4; i++)
        world_pump();
    cr_assert_eq(r.count, 0);
    world.log->ops->reader_pause(r.reader, false);
    while (!r.ends)
        world_pump();
    cr_assert_eq(r.count, COUNT);
    reader_stop(&r);
}

Test(kafka_load, a_writer_renewed_under_load_reports_only_what_came_after_and_the_other_goes_on)
{
    enum { ROUNDS = 12, EACH = 3000 };
    writer_probe a, b;
    writer_start(&a, 0, ROUNDS * EACH);
    writer_start(&b, 1, ROUNDS * EACH);
    for (int round = 1; round <= ROUNDS; round++) {
        write_until(&a, (uint64_t)(round * EACH), 60);
        write_until(&b, (uint64_t)(round * EACH), 60);
        if (round == ROUNDS) break;
        uint64_t before = a.next_tag;
        cr_assert_eq(world.log->ops->writer_renew(a.writer, NULL), PDR_OK);
        size_t reported = a.reports;
        write_until(&a, before + 100, 60);
        if (round % 2) continue;
        await_reports(&a, reported + 100);
        for (uint64_t tag = before; tag < before + 100; tag++)
            cr_assert_geq(a.offsets[tag], 0);
    }
    size_t last = a.reports;
    while (a.offsets[a.next_tag - 1] == -2)
        world_pump();
    cr_assert_geq(a.reports, last);
    await_reports(&b, ROUNDS * EACH);
    cr_assert_eq(a.failures + b.failures, 0);
    cr_assert_eq(a.broken + b.broken, 0);
    cr_assert(!b.disordered);
    cr_assert_eq(b.last_offset, ROUNDS * EACH - 1, "the writer that wasn't renewed saw nothing of it");
    expect_reported_is_in_log(&a, 0);
    expect_reported_is_in_log(&b, 1);
    writer_stop(&a);
    writer_stop(&b);
}

/* --- the broker away --- */

/* With readers that give up soon. */
static void open_impatient(void)
{
    static const pdr_kafka_setting soon[] = {{"reader.unavailable.ms", "500"}};
    pdr_log_info info;
    world.log->ops->close(world.log);
    cr_assert_eq(world_try_open(soon, 1, &world.log, NULL), PDR_OK);
    cr_assert_eq(world.log->ops->info(world.log, &info, WAIT_MS, NULL), PDR_OK);
}

static writer_probe under_load;
static reader_probe follower;

/* Write on while the broker is restarted; afterwards everything must be reported. */
static void restart_under_load(const char *how)
{
    enum { BEFORE = 20000, DURING = 30000, AFTER = 5000 };
    writer_start(&under_load, 0, BEFORE + DURING + AFTER);
    reader_start(&follower, 0, 0);
    write_until(&under_load, BEFORE, 60);
    write_until(&under_load, BEFORE + DURING, 60);
    world_service("restart", how);
    write_until(&under_load, BEFORE + DURING + AFTER, 60);
    while (under_load.reports < BEFORE + DURING + AFTER && !under_load.broken)
        world_pump();
}

static void expect_whole(void)
{
    cr_assert(!under_load.disordered);
    expect_reported_is_in_log(&under_load, 0);
    reader_probe r = {0};
    read_to_end(&r, 0, 0);
    while (!follower.failure.code && follower.end < r.end)
        world_pump();
    if (follower.failure.code)
        cr_assert_eq(follower.failure.code, PDR_UNAVAILABLE, "%s", follower.failure.message);
    else
        cr_assert_eq(follower.count, r.count);
    reader_stop(&follower);
    writer_stop(&under_load);
}

Test(kafka_restart, what_is_reported_is_in_the_log_in_order_when_the_broker_restarts_under_load)
{
    NEEDS_DEV;
    restart_under_load(NULL);
    expect_whole();
}

Test(kafka_restart, what_is_reported_is_in_the_log_in_order_when_the_broker_is_killed_under_load)
{
    NEEDS_DEV;
    restart_under_load("--hard");
    expect_whole();
}

/* The owner's way: the broker is away for longer than its patience; it renews, again and again, and in the
 * end the newest generation's records are all there and reported. */
Test(kafka_restart, a_writer_renewed_while_the_broker_is_away_delivers_after_it_is_back)
{
    NEEDS_DEV;
    writer_probe w;
    writer_start(&w, 0, 10000);
    write_until(&w, 100, 10);
    await_reports(&w, 100);
    world_service("stop", NULL);
    for (uint64_t i = 1; i <= 6; i++) {
        write_until(&w, 100 + 100 * i, 10);
        for (int k = 0; k < 3; k++)
            world_pump();
        cr_assert_eq(world.log->ops->writer_renew(w.writer, NULL), PDR_OK);
    }
    uint64_t newest = w.next_tag;
    size_t reported = w.reports;
    write_until(&w, newest + 50, 10);
    world_service("start", NULL);
    await_reports(&w, reported + 50);
    for (uint64_t tag = newest; tag < newest + 50; tag++)
        cr_assert_geq(w.offsets[tag], 0);
    for (uint64_t tag = 100; tag < newest; tag++)
        cr_assert_lt(w.offsets[tag], 0, "an older generation was reported");
    /* It had worked: renewed once more it goes back to the shared producer, which holds nothing of it now. */
    kafka_producer *shared = ((pdr_kafka *)world.log)->shared;
    while (kafka_producer_in_flight(shared, 0))
        world_pump();
    cr_assert_neq(((kafka_writer *)w.writer)->producer, shared);
    cr_assert_eq(world.log->ops->writer_renew(w.writer, NULL), PDR_OK);
    cr_assert_eq(((kafka_writer *)w.writer)->producer, shared);
    reported = w.reports;
    write_until(&w, w.next_tag + 10, 10);
    await_reports(&w, reported + 10);
    expect_reported_is_in_log(&w, 0);
    writer_stop(&w);
}

Test(kafka_restart, a_reader_at_the_end_learns_that_the_broker_is_away_and_one_opened_later_goes_on)
{
    NEEDS_DEV;
    open_impatient();
    reader_probe r = {0};
    reader_start(&r, 0, 0);
    while (!r.ends)
        world_pump();
    world_service("stop", NULL);
    while (!r.failure.code)
        world_pump();
    cr_assert_eq(r.failure.code, PDR_UNAVAILABLE, "%s", r.failure.message);
    reader_stop(&r);
    world_service("start", NULL);
    do { /* it may give up again while the broker's leader is being found */
        reader_start(&r, 0, 0);
        while (!r.ends && !r.failure.code)
            world_pump();
        reader_stop(&r);
    } while (r.failure.code == PDR_UNAVAILABLE);
    cr_assert_eq(r.failure.code, PDR_OK);
    cr_assert_eq(r.count, 0);
}
