/* Each invariant between log and store, broken by hand in what owners have written; memory; whatever input.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/framing.h"
#include "schemas/framing_id.h"
#include "tests/sim/sim_entity.h"
#include "tests/unit/replay/verify_probe.h"

static journal j;

static void init(void)
{
    journal_init(&j);
}

static void release(void)
{
    journal_release(&j);
}

TestSuite(verify_store, .init = init, .fini = release);

/* --- command ids --- */

Test(verify_store, an_id_that_made_events_twice_is_found)
{
    const journal_record *first = journal_event(&j, "acct/3", 1);
    journal_record *r = &j.records[journal_event(&j, "acct/3", 4) - j.records];
    r->header.id = first->header.id;
    journal_encode(&j, r);
    journal_is_found(&j, PDR_VERIFY_ONCE_PER_ID, r->record.offset, "acct/3");
}

Test(verify_store, an_id_that_has_left_the_window_may_come_again)
{
    /* of the oldest of all, which the head doesn't remember any more */
    pdr_head *head = journal_head(&j, "acct/3");
    journal_record *last = journal_event(&j, "acct/3", head->seq), *before = last;
    while (before->header.index + 1 == before->header.count && before->header.index > 0)
        before--;
    cr_assert_eq(pdr_bytes_equal(before->header.id, last->header.id), true);
    pdr_bytes oldest = journal_event(&j, "acct/3", 1)->header.id;
    for (journal_record *r = last; r > j.records && pdr_bytes_equal(r->record.entry.key, head->key) &&
                                   r->header.seq + last->header.count > head->seq;
         r--) {
        r->header.id = oldest;
        journal_encode(&j, r);
    }
    (void)journal_verify(&j);
    cr_assert_eq(j.totals.findings[PDR_VERIFY_ONCE_PER_ID], 0);
    cr_assert_eq(j.totals.findings[PDR_VERIFY_HEADS], 1, "the head remembers another id");
}

/* --- heads and states --- */

Test(verify_store, a_head_with_another_position_is_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->last.number++;
    journal_is_the_only(&j, PDR_VERIFY_HEADS, head->last.offset, "acct/3");
}

Test(verify_store, a_head_past_the_log_is_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->seq += 5;
    journal_is_the_only(&j, PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "newest event"), "%s", j.findings[0].found);
}

Test(verify_store, a_head_of_an_entity_without_events_is_found)
{
    j.heads[j.head_count] = j.heads[0];
    j.heads[j.head_count].key = journal_keep(&j, "acct/9", 6);
    j.heads[j.head_count].state = (pdr_bytes){NULL, 0};
    j.head_count++;
    journal_is_the_only(&j, PDR_VERIFY_HEADS, j.heads[0].last.offset, "acct/9");
}

Test(verify_store, a_head_inside_a_commit_is_found)
{
    pdr_head *head = journal_head(&j, "acct/2");
    head->seq--;
    head->last = journal_position(journal_event(&j, "acct/2", head->seq));
    head->state = (pdr_bytes){NULL, 0};
    journal_is_found(&j, PDR_VERIFY_HEADS, head->last.offset, "acct/2");
    cr_assert(journal_found(&j, PDR_VERIFY_COVERS, journal_event(&j, "acct/2", head->seq + 1)->record.offset,
                            "acct/2"));
}

Test(verify_store, ids_that_are_not_the_logs_are_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    uint8_t *bytes = (uint8_t *)(uintptr_t)head->ids.data;
    bytes[1] ^= 1;
    journal_is_the_only(&j, PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "entry 0"), "%s", j.findings[0].found);
    bytes[1] ^= 1;
    bytes[0] = 0;
    journal_is_the_only(&j, PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "malformed"), "%s", j.findings[0].found);
    head->ids = (pdr_bytes){NULL, 0};
    journal_is_the_only(&j, PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "remembers 0"), "%s", j.findings[0].found);
}

Test(verify_store, a_state_that_is_not_the_fold_is_found_with_both)
{
    pdr_head *head = journal_head(&j, "acct/3");
    uint8_t *bytes = (uint8_t *)(uintptr_t)head->state.data;
    bytes[0] ^= 2;
    journal_is_the_only(&j, PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    cr_assert(strstr(j.findings[0].expected, "where .balance is 150"), "%s", j.findings[0].expected);
    cr_assert(strstr(j.findings[0].found, ".balance is 1"), "%s", j.findings[0].found);
    head->state.size--;
    journal_is_the_only(&j, PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    cr_assert(strstr(j.findings[0].found, "can't be read"), "%s", j.findings[0].found);
}

Test(verify_store, a_state_older_than_its_head_is_compared_where_it_stands)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->state_seq--;
    journal_is_the_only(&j, PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    head->state_seq += 2;
    journal_is_the_only(&j, PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    cr_assert(strstr(j.findings[0].found, "head's seq"), "%s", j.findings[0].found);
}

Test(verify_store, states_of_other_revisions_are_not_looked_at)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->revision++;
    head->state.size--;
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.other_states, 1);
    cr_expect_eq(j.totals.states, 2);
}

/* --- checkpoint and positions --- */

Test(verify_store, an_event_that_the_checkpoint_hides_is_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    *head = j.heads[--j.head_count];
    journal_is_the_only(&j, PDR_VERIFY_COVERS, journal_event(&j, "acct/3", 1)->record.offset, "acct/3");
}

Test(verify_store, a_checkpoint_that_moved_past_unsaved_events_is_found)
{
    journal_record *last = journal_event(&j, "acct/1", journal_head(&j, "acct/1")->seq + 1);
    j.row.checkpoint = j.row_after.checkpoint = journal_position(last);
    journal_is_the_only(&j, PDR_VERIFY_COVERS, last->record.offset, "acct/1");
}

Test(verify_store, positions_that_are_not_in_the_log_are_found)
{
    pdr_position sound = j.row.checkpoint;
    j.row.checkpoint.number++;
    journal_is_the_only(&j, PDR_VERIFY_POSITIONS, sound.offset, NULL);
    j.row.checkpoint = sound;
    j.row.checkpoint.term.incarnation++;
    journal_is_the_only(&j, PDR_VERIFY_POSITIONS, sound.offset, NULL);
    j.row.checkpoint = sound;
    j.row.seen.offset = j.row_after.seen.offset = 5000;
    journal_is_the_only(&j, PDR_VERIFY_POSITIONS, 5000, NULL);
    cr_assert(strstr(j.findings[0].found, "ends at offset"), "%s", j.findings[0].found);
}

Test(verify_store, a_position_on_a_void_record_or_inside_a_commit_is_found)
{
    journal_record *inside = journal_event(&j, "acct/2", 2);
    cr_assert_lt(inside->header.index + 1, inside->header.count);
    j.view = journal_position(inside);
    j.has_view = true;
    journal_is_the_only(&j, PDR_VERIFY_POSITIONS, j.view.offset, NULL);
    cr_assert(strstr(j.findings[0].expected, "projection p"), "%s", j.findings[0].expected);
    j.view = journal_position(journal_event(&j, "acct/2", 3));
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.positions, 3);
}

Test(verify_store, a_head_behind_the_rows_highest_is_found)
{
    journal_record *earlier = journal_event(&j, "acct/1", 2);
    j.row.seen = j.row_after.seen = journal_position(earlier);
    size_t found = journal_verify(&j);
    cr_assert_eq(found, 1);
    cr_assert_eq(j.findings[0].rule, PDR_VERIFY_POSITIONS);
}

Test(verify_store, a_store_whose_term_is_not_in_the_log_is_found)
{
    j.row.stamp.term.incarnation++;
    j.row_after.stamp = j.row.stamp;
    journal_is_the_only(&j, PDR_VERIFY_POSITIONS, j.row.stamp.term.offset, NULL);
}

Test(verify_store, a_store_that_is_made_anew_meanwhile_is_no_finding_but_a_reason_to_begin_again)
{
    pdr_error err;
    j.row_after.stamp.store_id[0]++;
    cr_assert_eq(journal_try(&j, &err), PDR_UNAVAILABLE);
}

Test(verify_store, a_dead_letter_must_name_an_event_of_its_entity)
{
    const journal_record *event = journal_event(&j, "acct/1", 3);
    j.letter = (pdr_verify_letter){.offset = event->record.offset,
                                   .before = journal_position(event - 1),
                                   .entity = event->record.entry.key,
                                   .seq = 3,
                                   .whose = "projection p, version 1"};
    j.has_letter = true;
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.letters, 1);
    j.letter.seq = 4;
    journal_is_the_only(&j, PDR_VERIFY_DEAD_LETTERS, event->record.offset, "acct/1");
    j.letter.seq = 3;
    j.letter.offset = journal_nth(&j, PDR_RECORD_FENCE, 1)->record.offset;
    journal_is_the_only(&j, PDR_VERIFY_DEAD_LETTERS, j.letter.offset, "acct/1");
    j.letter.offset = event->record.offset;
    j.letter.before.number += 2;
    journal_is_the_only(&j, PDR_VERIFY_POSITIONS, j.letter.before.offset, NULL);
}

/* --- memory --- */

Test(verify_store, in_little_memory_it_takes_passes_and_tells_everything_once)
{
    journal_record *r = journal_event(&j, "acct/3", 9);
    r->header.back_offset--;
    journal_encode(&j, r);
    r = journal_event(&j, "acct/1", 5);
    r->record.entry.value.size -= 2;
    journal_head(&j, "acct/2")->last.number++;
    size_t found = journal_verify(&j);
    pdr_verify_totals whole = j.totals;
    cr_assert_eq(found, 3);
    for (size_t memory = 1; memory < 6000; memory += 97) {
        j.spec.memory = memory;
        if (journal_verify(&j) != 3) journal_dump(&j);
        cr_assert_eq(j.found, 3, "with %zu bytes", memory);
        cr_assert_arr_eq(&j.totals, &whole, sizeof whole);
        if (memory == 1) cr_assert_geq(j.passes, 3);
    }
}

Test(verify_store, any_allocation_may_fail)
{
    pdr_error err;
    pdr_code code = PDR_NOMEM;
    uint64_t nth = 0;
    while (code == PDR_NOMEM) {
        pdr_mem_fail_at(++nth);
        code = journal_try(&j, &err);
        pdr_mem_fail_at(0);
    }
    cr_assert_eq(code, PDR_OK, "%s", err.message);
    cr_assert_gt(nth, 20);
}

/* --- any input --- */

static uint64_t draw(uint64_t *random, uint64_t below)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (*random >> 33) % below;
}

static void spoil_bytes(uint64_t *random, pdr_bytes *bytes)
{
    if (!bytes->data || !bytes->size) return;
    uint8_t *copy = (uint8_t *)(uintptr_t)journal_keep(&j, bytes->data, bytes->size).data;
    copy[draw(random, bytes->size)] ^= (uint8_t)(1 + draw(random, 255));
    *bytes = pdr_bytes_of(copy, draw(random, 4) ? bytes->size : draw(random, bytes->size + 1));
}

static void spoil_record(uint64_t *random)
{
    journal_record *r = &j.records[draw(random, j.count)];
    pdr_bytes *const parts[] = {&r->record.entry.header, &r->record.entry.header, &r->record.entry.key,
                                &r->record.entry.value, &r->record.entry.schema};
    uint64_t what = draw(random, 8);
    if (what < 5)
        spoil_bytes(random, parts[what]);
    else if (what == 5)
        journal_remove(&j, r);
    else if (what == 6 && j.count < JOURNAL_RECORDS)
        journal_repeat(&j, r);
    else
        *parts[draw(random, 5)] = pdr_bytes_of(NULL, 0);
}

static void spoil_store(uint64_t *random)
{
    pdr_head *head = &j.heads[draw(random, j.head_count)];
    uint64_t *const numbers[] = {&head->seq, &head->state_seq, &head->last.number,
                                 &head->last.term.incarnation, &j.row.checkpoint.number};
    int64_t *const offsets[] = {&head->last.offset, &j.row.checkpoint.offset, &j.row.seen.offset,
                                &j.row.stamp.term.offset};
    pdr_bytes *const parts[] = {&head->ids, &head->state, &head->key};
    uint64_t what = draw(random, 3);
    if (what == 0) *numbers[draw(random, 5)] = draw(random, 2) ? draw(random, 40) : UINT64_MAX;
    if (what == 1) *offsets[draw(random, 4)] = draw(random, 2) ? (int64_t)draw(random, 100) : INT64_MAX;
    if (what == 2) spoil_bytes(random, parts[draw(random, 3)]);
}

Test(verify_store, whatever_is_spoilt_it_comes_to_its_end)
{
    static journal whole;
    enum { RUNS = 3000 };
    size_t unnoticed = 0;
    whole = j;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        uint64_t random = seed;
        memcpy(j.records, whole.records, sizeof j.records);
        memcpy(j.heads, whole.heads, sizeof j.heads);
        j.count = whole.count;
        j.row = whole.row;
        for (uint64_t n = 1 + draw(&random, 4); n > 0; n--)
            if (draw(&random, 3))
                spoil_record(&random);
            else
                spoil_store(&random);
        j.row_after = j.row;
        j.spec.memory = seed % 3 ? 64 * 1024 * 1024 : 2000;
        pdr_error err = {0};
        pdr_code code = journal_try(&j, &err);
        cr_assert_eq(code, PDR_OK, "seed %d: %s", (int)seed, err.message);
        unnoticed += j.found == 0;
    }
    /* an id's or a time's byte, what nobody compares; a record that counts for nothing */
    cr_expect_lt(unnoticed, RUNS / 8, "%zu", unnoticed);
}

/* --- the other framing --- */

static void frame_by_ids(int32_t first)
{
    for (size_t i = 0; i < j.count; i++) {
        journal_record *r = &j.records[i];
        if (r->header.kind == PDR_RECORD_SCHEMA) {
            r->header.registry_id = first;
            journal_encode(&j, r);
        }
        if (r->header.kind != PDR_RECORD_EVENT) continue;
        pdr_buf value = PDR_BUF_INIT(1024);
        cr_assert_eq(pdr_frame_id_write(&value, first), PDR_OK);
        cr_assert_eq(pdr_buf_append(&value, r->record.entry.value.data + PDR_FRAME_SIZE,
                                    r->record.entry.value.size - PDR_FRAME_SIZE),
                     PDR_OK);
        r->record.entry.value = journal_keep(&j, value.data, value.size);
        pdr_buf_release(&value);
    }
}

Test(verify_store, values_that_carry_a_registrys_id_are_read_by_their_schema_records)
{
    frame_by_ids(7);
    size_t found = journal_verify(&j);
    journal_dump(&j);
    cr_assert_eq(found, 0);
    journal_record *r = journal_event(&j, "acct/3", 3);
    ((uint8_t *)(uintptr_t)r->record.entry.value.data)[4] = 8;
    journal_is_found(&j, PDR_VERIFY_SCHEMAS, r->record.offset, "acct/3");
}
