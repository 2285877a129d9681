#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "history_probe.h"
#include "journal/backwalk.h"

enum { PLENTY = 1 << 26 };

static made_log made;
static history_probe probe;

static void start(void)
{
    made_init(&made, 1);
    probe = (history_probe){0};
}

static void stop(void)
{
    made_release(&made);
}

TestSuite(history, .init = start, .fini = stop);

static void expect_all(size_t entity)
{
    uint64_t count = made.entities[entity].count;
    for (uint64_t to = 1; to <= count; to++)
        for (uint64_t after = 0; after < to; after += 1 + to / 7)
            cr_assert_eq(history_probe_read(&probe, &made, entity, after, to, PLENTY), PDR_OK, "%lu..%lu: %s",
                         after, to, probe.error.message);
}

/* Without its first record the log can only be walked. */
static void walk_only(void)
{
    made.log.start = 1;
}

static void one_event(size_t entity)
{
    made_send(&made, entity, 1);
    made_land(&made);
    made_ack(&made);
}

Test(history, gives_a_single_event)
{
    made_fence(&made);
    one_event(3);
    expect_all(3);
    walk_only();
    expect_all(3);
}

Test(history, follows_backlinks_over_other_entities_events)
{
    made_fence(&made);
    for (int i = 0; i < 400; i++)
        one_event(made_random(&made, MADE_ENTITIES));
    expect_all(3);
    walk_only();
    expect_all(3);
}

Test(history, finds_what_was_in_flight_together)
{
    made_fence(&made);
    one_event(0);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++)
            one_event(1);
        for (int i = 0; i < 30; i++) {
            made_send(&made, 0, 1);
            made_send(&made, 2, 1);
        }
        made_settle(&made);
    }
    walk_only();
    expect_all(0);
    expect_all(2);
}

Test(history, finds_a_first_burst_that_has_no_backlink)
{
    made_fence(&made);
    for (int i = 0; i < 500; i++)
        one_event(1);
    for (int i = 0; i < 20; i++)
        made_send(&made, 0, 1 + i % 3);
    made_settle(&made);
    walk_only();
    expect_all(0);
}

Test(history, goes_through_a_backlink_into_the_middle_of_a_commit)
{
    made_fence(&made);
    made_send(&made, 0, 3);
    for (int i = 0; i < 2; i++) {
        made_land(&made);
        made_ack(&made);
    }
    cr_assert_eq(made.entities[0].acked_seq, 2);
    made_send(&made, 0, 2); /* its backlink names the second of three */
    made_settle(&made);
    for (int i = 0; i < 300; i++)
        one_event(1);
    one_event(0);
    expect_all(0);
    walk_only();
    expect_all(0);
}

Test(history, goes_through_terms_torn_commits_and_voids)
{
    made_fence(&made);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40; i++) {
            made_send(&made, made_random(&made, 3), 1 + (uint32_t)made_random(&made, 4));
            made_noise(&made);
            made_land(&made);
            made_land(&made);
            made_ack(&made);
        }
        made_refence(&made);
    }
    for (size_t entity = 0; entity < 3; entity++)
        expect_all(entity);
}

static void expect_random_histories(size_t max_bytes)
{
    for (int i = 0; i < 12; i++) {
        size_t entity = made_random(&made, made.entity_count);
        uint64_t count = made.entities[entity].count;
        if (count == 0) continue;
        uint64_t to = 1 + made_random(&made, count), after = made_random(&made, to);
        made.log.batch = 1 + made_random(&made, 100);
        cr_assert_eq(history_probe_read(&probe, &made, entity, after, to, max_bytes), PDR_OK, "%s",
                     probe.error.message);
    }
}

static void random_log(uint64_t seed)
{
    made_release(&made);
    made_init(&made, seed);
    made_weights w = {.send = 2 + (unsigned)(seed % 7),
                      .land = 8,
                      .ack = 1 + (unsigned)(seed % 11),
                      .noise = (unsigned)(seed % 5),
                      .fence = (unsigned)(seed % 3 == 0),
                      .max_commit = 1 + (unsigned)(seed % 4),
                      .entities = 1 + seed % MADE_ENTITIES};
    made_run(&made, &w, 200 + made_random(&made, 4000));
}

Test(history, of_random_logs_is_what_was_acknowledged)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_log(seed);
        expect_random_histories(PLENTY);
        expect_random_histories(made_random(&made, 100000));
    }
}

Test(history, of_random_logs_without_their_beginning_is_walked)
{
    for (uint64_t seed = 1000; seed <= 1060; seed++) {
        random_log(seed);
        walk_only();
        expect_random_histories(PLENTY);
    }
}

Test(history, waits_for_records_that_an_older_view_of_the_log_does_not_show)
{
    made_fence(&made);
    for (int i = 0; i < 600; i++)
        one_event((size_t)i % 4);
    made.log.short_view = 1;
    expect_all(1);
    made.log.short_view = 597;
    expect_all(1);
    walk_only();
    expect_all(1);
}

Test(history, of_20000_events_is_read_in_few_jumps_or_one_scan)
{
    made_fence(&made);
    for (int i = 0; i < 20000; i++) {
        one_event(0);
        made_send(&made, 1, 1);
        made_send(&made, 2, 1);
        made_settle(&made);
    }
    made.log.batch = 500;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 0, 20000, PLENTY), PDR_OK);
    cr_assert_lt(made.log.delivered, 2 * made.log.count + 10000);
    cr_assert_lt(made.log.opened, 200);

    made.log.delivered = made.log.opened = 0;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 19000, 20000, PLENTY), PDR_OK);
    cr_assert_lt(made.log.delivered, 20000, "the newest 1000 of 20000 don't need the whole log");
    cr_assert_lt(made.log.opened, 12, "events that stand together are read together");
}

Test(history, is_scanned_when_jumps_would_cost_more_and_walked_when_they_cost_less)
{
    made_fence(&made);
    for (int i = 0; i < 50000; i++)
        one_event(i % 50 == 0 ? 0 : 1);
    made.log.batch = 1;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 0, 1000, PLENTY), PDR_OK);
    cr_assert_eq(made.log.opened, 2, "a thousand events, each 50 offsets apart, cost as much as all 50,000");
    made.log.delivered = made.log.opened = 0;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 980, 1000, PLENTY), PDR_OK);
    cr_assert_lt(made.log.delivered, 2500);
}

Test(history, that_needs_more_memory_than_it_may_have_is_scanned)
{
    made_fence(&made);
    for (int i = 0; i < 3000; i++)
        one_event(0);
    made.log.batch = 100;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 2000, 3000, 1000), PDR_OK);
    made.log.start = 1;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 2000, 3000, 1000), PDR_OUT_OF_RANGE);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 2000, 3000, PLENTY), PDR_OK);
}

/* --- Broken logs --- */

/* Long enough to be walked: entity 0 has events 1 to 20, each 500 offsets apart, then a commit of three and
 * one more. */
enum { BASE = 40000, AT_20 = BASE + 1 + 9500, AT_22 = BASE + 10002 };

static void two_entities_long_log(void)
{
    array_log_skip(&made.log, BASE);
    made_fence(&made);
    for (int i = 0; i < 10000; i++)
        one_event(i % 500 == 0 ? 0 : 1);
    made_send(&made, 0, 3);
    made_send(&made, 0, 1);
    made_settle(&made);
    cr_assert_eq(made.entities[0].events[19].offset, AT_20);
    cr_assert_eq(made.entities[0].events[21].offset, AT_22);
}

Test(history, names_the_offset_of_a_missing_event)
{
    two_entities_long_log();
    int64_t offset = made.entities[0].events[10].offset;
    array_log_remove(&made.log, offset);
    char number[32];
    snprintf(number, sizeof number, "offset %lld", (long long)offset);
    walk_only();
    cr_assert_eq(history_probe_read(&probe, &made, 0, 8, 20, PLENTY), PDR_CORRUPT);
    cr_assert_not_null(strstr(probe.error.message, number), "%s", probe.error.message);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 11, 20, PLENTY), PDR_OK);
}

Test(history, says_corrupt_when_an_event_in_flight_is_missing)
{
    two_entities_long_log();
    array_log_remove(&made.log, made.entities[0].events[21].offset);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 18, 24, PLENTY), PDR_CORRUPT);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 0, 24, 0), PDR_CORRUPT, "also by a scan");
}

Test(history, says_corrupt_when_the_last_event_is_another_one)
{
    two_entities_long_log();
    made_entity *e = &made.entities[0];
    made_event event = e->events[15];
    e->events[15].position = e->events[14].position;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 12, 16, PLENTY), PDR_CORRUPT);
    e->events[15].position = made.entities[1].events[500].position;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 12, 16, PLENTY), PDR_CORRUPT);
    e->events[15].position = e->events[16].position;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 12, 16, 0), PDR_CORRUPT, "also by a scan");
    e->events[15].position = event.position;
    e->events[15].position.term.incarnation++;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 12, 16, PLENTY), PDR_CORRUPT);
    e->events[15].position = event.position;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 12, 16, PLENTY), PDR_OK);
}

static void backlink_case(const pdr_header *changes, pdr_code expected)
{
    stop();
    start();
    two_entities_long_log();
    made_send(&made, 0, 1);
    pdr_header *h = &made.wire[0].header;
    h->back_offset = changes->back_offset;
    h->back_seq = changes->back_seq;
    made_settle(&made);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 20, 25, PLENTY), expected, "backlink %lld, %lu: %s",
                 (long long)h->back_offset, h->back_seq, probe.error.message);
}

Test(history, takes_no_backlink_on_trust)
{
    int64_t mine = AT_20, others = AT_20 + 1; /* an event of entity 0, one of entity 1 */
    backlink_case(&(pdr_header){.back_offset = mine, .back_seq = 20}, PDR_OK);
    backlink_case(&(pdr_header){.back_offset = mine, .back_seq = 19}, PDR_OK); /* 19 is below what is read */
    backlink_case(&(pdr_header){.back_offset = mine, .back_seq = 21}, PDR_CORRUPT);
    cr_assert_not_null(strstr(probe.error.message, "has seq 20, it must have seq 21"));
    backlink_case(&(pdr_header){.back_offset = others, .back_seq = 22}, PDR_CORRUPT);
    backlink_case(&(pdr_header){.back_offset = 0, .back_seq = 23}, PDR_CORRUPT);
    backlink_case(&(pdr_header){.back_offset = AT_22 + 3, .back_seq = 24}, PDR_CORRUPT); /* its own */
    backlink_case(&(pdr_header){.back_offset = INT64_MAX - 1, .back_seq = 24}, PDR_CORRUPT);
    backlink_case(&(pdr_header){.back_offset = AT_22, .back_seq = 1}, PDR_OK); /* isn't followed */
    backlink_case(&(pdr_header){.back_offset = -1}, PDR_OK);                   /* none: all of this term */
}

/* Of the same term, entity and seq, but with a number that the event before which it stands comes before. */
Test(history, takes_no_record_that_its_owner_could_not_have_sent_before)
{
    two_entities_long_log();
    pdr_header forged = {.kind = PDR_RECORD_EVENT, .term = made.term, .number = 50000, .seq = 25, .count = 1};
    forged.back_offset = -1;
    made_append(&made, made.entities[0].key, &forged);
    made_send(&made, 0, 1);
    made_send(&made, 0, 1);
    made_settle(&made);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 20, 26, PLENTY), PDR_OK);
}

Test(history, says_corrupt_when_a_scan_finds_a_hole_in_the_seqs)
{
    two_entities_long_log();
    made.entities[0].seq++; /* an owner that counts wrong */
    one_event(0);
    made_entity *e = &made.entities[0];
    e->count--;
    pdr_history_spec spec = {
        .key = pdr_bytes_of(e->key, strlen(e->key)), .to_seq = 26, .last = e->events[24].position};
    pdr_history *history;
    history_probe p = {.made = &made, .next_seq = 1};
    cr_assert_eq(history_probe_open_spec(&p, &spec, &history), PDR_OK);
    history_probe_poll(&p);
    cr_assert_eq(p.code, PDR_CORRUPT);
    cr_assert_eq(p.events, 24);
    pdr_history_close(history);
}

Test(history, does_not_look_for_events_in_flight_before_their_terms_fence)
{
    made_fence(&made);
    for (int i = 0; i < 5000; i++)
        one_event(1);
    made_refence(&made);
    for (int i = 0; i < 1000; i++)
        one_event(1);
    made_send(&made, 0, 1);
    made_send(&made, 0, 1);
    made_settle(&made);
    made_entity *e = &made.entities[0];
    array_log_remove(&made.log, e->events[0].offset);
    pdr_backwalk walk;
    pdr_code code;
    pdr_backwalk_step step;
    pdr_backwalk_init(&walk, pdr_bytes_of(e->key, strlen(e->key)), 0, 2, e->events[1].position, PLENTY);
    walk.may_scan = false;
    while ((step = pdr_backwalk_next(&walk, &code, NULL)) == PDR_BACKWALK_READ) {
        cr_assert_geq(walk.from, made.term.offset);
        for (size_t i = array_log_find(&made.log, walk.from); i < made.log.count; i++)
            cr_assert_eq(pdr_backwalk_take(&walk, &made.log.records[i], NULL), PDR_OK);
    }
    cr_assert_eq(step, PDR_BACKWALK_SCAN, "nothing is said about the offsets before the FENCE");
    pdr_backwalk_release(&walk);
}

Test(history, of_a_huge_seq_asks_for_no_huge_memory)
{
    made_fence(&made);
    for (int i = 0; i < 300; i++)
        one_event(1);
    made.entities[0].seq = UINT64_MAX - 2;
    one_event(0);
    made_entity *e = &made.entities[0];
    pdr_history_spec spec = {.key = pdr_bytes_of(e->key, strlen(e->key)),
                             .to_seq = UINT64_MAX - 1,
                             .last = e->events[0].position,
                             .max_bytes = PLENTY};
    static const pdr_history_events none = {0};
    pdr_history *history;
    cr_assert_eq(pdr_history_open(&history, &made.log.base, &spec, &none, NULL, NULL), PDR_OK);
    pdr_history_close(history);
    pdr_backwalk walk;
    pdr_code code;
    pdr_backwalk_init(&walk, spec.key, 0, spec.to_seq, spec.last, PLENTY);
    walk.may_scan = false;
    cr_assert_eq(pdr_backwalk_next(&walk, &code, NULL), PDR_BACKWALK_READ);
    for (size_t i = 0; i < made.log.count; i++)
        cr_assert_eq(pdr_backwalk_take(&walk, &made.log.records[i], NULL), PDR_OK);
    cr_assert_eq(pdr_backwalk_next(&walk, &code, NULL), PDR_BACKWALK_SCAN);
    pdr_backwalk_release(&walk);
}

Test(history, stops_at_an_event_that_is_too_new)
{
    two_entities_long_log();
    size_t at = array_log_find(&made.log, made.entities[0].events[18].offset);
    ((uint8_t *)(uintptr_t)made.log.records[at].entry.header.data)[0] = 2;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 17, 24, PLENTY), PDR_TOO_NEW);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 19, 24, PLENTY), PDR_OK);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 17, 24, 0), PDR_TOO_NEW);
    at = array_log_find(&made.log, made.entities[0].events[21].offset);
    ((uint8_t *)(uintptr_t)made.log.records[at].entry.header.data)[0] = 2;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 19, 24, PLENTY), PDR_TOO_NEW);
}

/* --- Ends of all kinds --- */

Test(history, gives_what_the_log_said_when_it_fails)
{
    two_entities_long_log();
    for (size_t nth = 1; nth <= 3; nth++) {
        made.log.opened = 0;
        made.log.fail_open_at = nth;
        made.log.fail_read_at = 0;
        cr_assert_eq(history_probe_read(&probe, &made, 0, 2, 24, PLENTY), PDR_UNAVAILABLE);
        made.log.opened = 0;
        made.log.fail_open_at = 0;
        made.log.fail_read_at = nth;
        cr_assert_eq(history_probe_read(&probe, &made, 0, 2, 24, PLENTY), PDR_UNAVAILABLE);
        cr_assert_str_eq(probe.error.message, "the reader broke");
    }
}

Test(history, of_a_log_that_no_longer_holds_it_is_out_of_range)
{
    two_entities_long_log();
    made.log.start = made.entities[0].events[10].offset;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 10, 20, PLENTY), PDR_OK);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 9, 20, PLENTY), PDR_OUT_OF_RANGE);
    made.log.start = made.log.end;
    cr_assert_eq(history_probe_read(&probe, &made, 0, 10, 20, PLENTY), PDR_OUT_OF_RANGE);
}

Test(history, ends_with_the_code_of_its_event_callback)
{
    two_entities_long_log();
    for (size_t max_bytes = 0; max_bytes <= PLENTY; max_bytes += PLENTY) {
        probe.fail_at = 3;
        cr_assert_eq(history_probe_read(&probe, &made, 0, 17, 24, max_bytes), PDR_BAD_HANDLER);
        cr_assert_eq(probe.dones, 1);
        cr_assert_eq(probe.events, 3);
    }
}

Test(history, may_be_closed_at_any_time)
{
    two_entities_long_log();
    for (size_t max_bytes = 0; max_bytes <= PLENTY; max_bytes += PLENTY) {
        for (probe.close_at = 1; probe.close_at <= 7; probe.close_at++) {
            history_probe_read(&probe, &made, 0, 17, 24, max_bytes);
            cr_assert_eq(probe.dones, 0);
            cr_assert_eq(probe.events, probe.close_at);
        }
        probe.close_at = 0;
        probe.close_in_done = true;
        cr_assert_eq(history_probe_read(&probe, &made, 0, 17, 24, max_bytes), PDR_OK);
        for (int polls = 0; polls < 10; polls++) {
            history_probe early = {0};
            history_probe_open(&early, &made, 0, 0, 24, max_bytes);
            for (int i = 0; i < polls; i++)
                made.log.base.ops->poll(&made.log.base);
            pdr_history_close(early.history);
            history_probe_poll(&early);
            cr_assert_eq(early.dones, 0);
        }
    }
    pdr_history_close(NULL);
}

Test(history, refuses_what_makes_no_sense)
{
    two_entities_long_log();
    pdr_history *history;
    pdr_history_events none = {0};
    pdr_position last = made.entities[0].events[5].position;
    pdr_bytes key = pdr_bytes_of("loan/0", 6);
    pdr_history_spec bad[] = {{.key = key, .after_seq = 6, .to_seq = 6, .last = last},
                              {.key = key, .after_seq = 7, .to_seq = 6, .last = last},
                              {.key = key, .to_seq = 6, .last = PDR_POSITION_START},
                              {.key = {NULL, 0}, .to_seq = 6, .last = last},
                              {.key = {key.data, PDR_LOG_MAX_KEY + 1}, .to_seq = 6, .last = last},
                              {.partition = 1, .key = key, .to_seq = 6, .last = last}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(pdr_history_open(&history, &made.log.base, &bad[i], &none, NULL, NULL),
                     PDR_INVALID_ARGUMENT, "case %zu", i);
        cr_assert_null(history);
    }
}

Test(history, survives_each_failed_allocation)
{
    two_entities_long_log();
    for (size_t max_bytes = 0; max_bytes <= PLENTY; max_bytes += PLENTY) {
        uint64_t nth = 0, counted;
        do {
            pdr_mem_fail_at(++nth);
            pdr_code code = history_probe_read(&probe, &made, 0, 5, 24, max_bytes);
            counted = pdr_mem_count();
            pdr_mem_fail_at(0);
            cr_assert_eq(code, counted < nth ? PDR_OK : PDR_NOMEM, "allocation %lu", nth);
        } while (counted >= nth);
        cr_assert_gt(nth, 3);
    }
}

Test(history, scans_to_the_end_of_the_commit_that_its_last_event_is_in)
{
    two_entities_long_log();
    cr_assert_eq(made.entities[0].events[21].count, 3);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 0, 22, 0), PDR_OK);
    cr_assert_eq(history_probe_read(&probe, &made, 0, 20, 22, PLENTY), PDR_OK);
}
