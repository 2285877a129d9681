/* Claims about writers. */
#include "tests/contract/log_contract.h"

#include <stdlib.h>

static void one_partition(void)
{
    log_world_open(1);
}

static void three_partitions(void)
{
    log_world_open(3);
}

TestSuite(log_append, .init = one_partition, .fini = log_world_close);
TestSuite(log_append_partitions, .init = three_partitions, .fini = log_world_close);

static void expect_run(const writer_probe *probe, size_t first, size_t count, int64_t offset)
{
    cr_assert_geq(probe->count, first + count);
    for (size_t i = 0; i < count; i++) {
        const pdr_log_report *report = &probe->reports[first + i];
        cr_assert_eq(report->code, PDR_OK);
        cr_assert_eq(report->tag, probe->reports[first].tag + i);
        cr_assert_eq(report->offset, offset + (int64_t)i, "report %zu at %lld", i, (long long)report->offset);
    }
}

Test(log_append, reports_come_once_each_in_order_with_contiguous_offsets)
{
    writer_probe w = {.next_tag = 7000};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 1);
    probe_write(&w, 500);
    probe_write(&w, 3);
    log_world_linger();
    cr_assert_eq(w.count, 504);
    cr_assert_eq(w.reports[0].tag, 7000);
    expect_run(&w, 0, 504, 0);
    cr_assert_eq(w.broken, 0);
    probe_writer_close(&w);
}

Test(log_append, offsets_go_on_in_a_new_connection)
{
    writer_probe w = {0}, again = {.next_tag = 10};
    probe_writer_open(&w, 0, 0);
    probe_write(&w, 10);
    probe_writer_close(&w);
    log_world_close_log(0);
    probe_writer_open(&again, 1, 0);
    probe_write(&again, 5);
    expect_run(&again, 0, 5, 10);
    probe_writer_close(&again);
}

Test(log_append_partitions, each_partition_counts_its_own_offsets)
{
    writer_probe w[3] = {{.next_tag = 0}, {.next_tag = 1000}, {.next_tag = 2000}};
    for (int p = 0; p < 3; p++)
        probe_writer_open(&w[p], 0, p);
    for (int round = 0; round < 40; round++) {
        for (int p = 0; p < 3; p++)
            probe_append_many(&w[p], (size_t)p + 1);
    }
    for (int p = 0; p < 3; p++) {
        size_t count = 40 * ((size_t)p + 1);
        PUMP_UNTIL(w[p].count >= count);
        expect_run(&w[p], 0, count, 0);
        probe_writer_close(&w[p]);
    }
}

Test(log_append_partitions, a_partition_out_of_range_is_refused)
{
    static const pdr_log_writer_events events = {0};
    pdr_log *log = log_world_log(0);
    const int32_t wrong[] = {-1, 3, 4, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pdr_error err = {0};
        pdr_log_writer *writer = NULL;
        cr_assert_eq(log->ops->writer_open(log, wrong[i], &events, NULL, &writer, &err),
                     PDR_INVALID_ARGUMENT);
        cr_assert_null(writer);
        cr_assert(err.message[0]);
    }
}

Test(log_append, two_connections_appending_in_turns_never_share_an_offset)
{
    writer_probe a = {.next_tag = 0}, b = {.next_tag = 0};
    probe_writer_open(&a, 0, 0);
    probe_writer_open(&b, 1, 0);
    for (int i = 0; i < 50; i++) {
        probe_write(&a, 1);
        cr_assert_eq(a.reports[i].offset, 2 * i);
        probe_write(&b, 1);
        cr_assert_eq(b.reports[i].offset, 2 * i + 1);
    }
    probe_writer_close(&a);
    probe_writer_close(&b);
}

Test(log_append, two_connections_appending_at_once_never_share_an_offset)
{
    enum { EACH = 300 };
    writer_probe a = {0}, b = {0};
    probe_writer_open(&a, 0, 0);
    probe_writer_open(&b, 1, 0);
    for (int i = 0; i < EACH; i += 10) {
        probe_append_many(&a, 10);
        probe_append_many(&b, 10);
        cr_assert(log_world_pump());
    }
    PUMP_UNTIL(a.count >= EACH && b.count >= EACH);
    bool taken[2 * EACH] = {false};
    for (int i = 0; i < EACH; i++) {
        const int64_t offsets[2] = {a.reports[i].offset, b.reports[i].offset};
        for (int k = 0; k < 2; k++) {
            cr_assert(offsets[k] >= 0 && offsets[k] < 2 * EACH);
            cr_assert(!taken[offsets[k]], "offset %lld was given twice", (long long)offsets[k]);
            taken[offsets[k]] = true;
        }
    }
    probe_writer_close(&a);
    probe_writer_close(&b);
}

/* The offsets of the reports rise; records of others may lie between. */
static void expect_rise(const writer_probe *probe)
{
    for (size_t i = 0; i < probe->count; i++) {
        cr_assert_eq(probe->reports[i].code, PDR_OK);
        cr_assert_eq(probe->reports[i].tag, probe->reports[0].tag + i);
        if (i) cr_assert_gt(probe->reports[i].offset, probe->reports[i - 1].offset);
    }
}

Test(log_append, a_renewed_writer_gets_no_old_reports_and_appends_after_the_old_records)
{
    bool late = pdr_log_subject_get()->old_may_land_late;
    writer_probe w = {.next_tag = 100};
    probe_writer_open(&w, 0, 0);
    probe_append_many(&w, 50);
    probe_renew(&w);
    w.next_tag = 900;
    probe_write(&w, 20);
    log_world_linger();
    cr_assert_eq(w.count, 20);
    int64_t first = w.reports[0].offset;
    cr_assert(first >= 0 && first <= 50);
    cr_assert_eq(w.reports[0].tag, 900);
    expect_rise(&w);
    if (!late) expect_run(&w, 0, 20, first);
    /* Whatever of the old ones is in the log lies before the new ones, unless the backend says otherwise. */
    reader_probe r = {0};
    probe_reader_open(&r, 1, 0, 0);
    PUMP_UNTIL(r.ends > 0 && r.end > w.reports[19].offset);
    if (!late) cr_assert_eq(r.end, first + 20);
    cr_assert_leq(r.end, 70);
    probe_reader_close(&r);
    probe_writer_close(&w);
}

static void renew_in_callback(writer_probe *probe)
{
    probe->on_reports = NULL;
    probe_renew(probe);
    probe->next_tag = 500;
    probe_append_many(probe, 5);
}

Test(log_append, a_writer_may_be_renewed_in_its_own_callback)
{
    writer_probe w = {.on_reports = renew_in_callback};
    probe_writer_open(&w, 0, 0);
    probe_append_many(&w, 10);
    PUMP_UNTIL(w.count > 0 && w.reports[w.count - 1].tag == 504);
    log_world_linger();
    cr_assert_eq(w.reports[w.count - 5].tag, 500);
    probe_writer_close(&w);
}

static void append_in_callback(writer_probe *probe)
{
    if (probe->next_tag < 200) cr_assert_eq(probe_append(probe), PDR_OK);
}

Test(log_append, appending_in_a_report_callback_works)
{
    writer_probe w = {.on_reports = append_in_callback};
    probe_writer_open(&w, 0, 0);
    probe_append_many(&w, 3);
    PUMP_UNTIL(w.count >= 200);
    expect_run(&w, 0, 200, 0);
    probe_writer_close(&w);
}

static void close_in_callback(writer_probe *probe)
{
    if (probe->other->writer) probe_writer_close(probe->other);
    probe_writer_close(probe);
}

Test(log_append_partitions, a_writer_may_be_closed_in_its_own_callback_and_in_anothers)
{
    writer_probe b = {.on_reports = close_in_callback}, a = {.on_reports = close_in_callback, .other = &b};
    b.other = &a;
    probe_writer_open(&a, 0, 0);
    probe_writer_open(&b, 0, 2);
    probe_append_many(&a, 10);
    probe_append_many(&b, 10);
    PUMP_UNTIL(!a.writer && !b.writer);
    size_t seen = a.count + b.count;
    log_world_linger();
    cr_assert_eq(a.count + b.count, seen);
    cr_assert(seen > 0 && seen <= 10);
}

Test(log_append, a_closed_writer_gets_no_reports)
{
    writer_probe w = {0}, after = {0};
    probe_writer_open(&w, 0, 0);
    probe_append_many(&w, 100);
    probe_writer_close(&w);
    probe_writer_open(&after, 0, 0);
    probe_write(&after, 1);
    log_world_linger();
    cr_assert_eq(w.count, 0);
    probe_writer_close(&after);
    log_world_log(0)->ops->writer_close(NULL);
}

Test(log_append, a_full_queue_refuses_and_loses_nothing_that_it_took)
{
    size_t most = pdr_log_subject_get()->queue_most;
    if (!most) cr_skip_test("the backend states no bound");
    writer_probe w = {0};
    probe_writer_open(&w, 0, 0);
    pdr_code code = PDR_OK;
    while (code == PDR_OK && w.next_tag <= most)
        code = probe_append(&w);
    cr_assert_eq(code, PDR_QUEUE_FULL, "%llu appends were taken", (unsigned long long)w.next_tag);
    size_t taken = w.next_tag;
    PUMP_UNTIL(w.count >= taken);
    expect_run(&w, 0, taken, 0);
    probe_write(&w, 10);
    expect_run(&w, 0, taken + 10, 0);
    probe_writer_close(&w);
}

Test(log_append, records_over_the_ceilings_are_refused_and_the_writer_goes_on)
{
    writer_probe w = {0};
    probe_writer_open(&w, 0, 0);
    size_t size = (size_t)PDR_LOG_MAX_VALUE + 1;
    uint8_t *big = calloc(1, size);
    pdr_log_entry key = {.key = pdr_bytes_of(big, PDR_LOG_MAX_KEY + 1), .header = pdr_bytes_of("h", 1)};
    pdr_log_entry value = {.key = pdr_bytes_of("k", 1), .value = pdr_bytes_of(big, size)};
    cr_assert_eq(probe_append_entry(&w, &key), PDR_TOO_LARGE);
    cr_assert_eq(probe_append_entry(&w, &value), PDR_TOO_LARGE);
    probe_write(&w, 2);
    log_world_linger();
    expect_run(&w, 0, 2, 0);
    cr_assert_eq(w.count, 2);
    free(big);
    probe_writer_close(&w);
}
