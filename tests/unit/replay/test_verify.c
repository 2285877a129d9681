/* Each invariant that a log shows, broken by hand in one that owners have written: it is found, where it is,
 * and nothing else is. */
#include <criterion/criterion.h>
#include <stdio.h>

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

TestSuite(verify, .init = init, .fini = release);

Test(verify, finds_nothing_in_what_owners_have_written)
{
    size_t found = journal_verify(&j);
    journal_dump(&j);
    cr_assert_eq(found, 0);
    cr_expect_eq(j.passes, 1);
    cr_expect_eq(j.totals.records, j.count);
    cr_expect_eq(j.totals.fences, 4);
    cr_expect_eq(j.totals.entities, 3);
    cr_expect_eq(j.totals.heads, 3);
    cr_expect_eq(j.totals.states, 3);
    cr_expect_eq(j.totals.positions, 2);
    cr_expect_eq(j.totals.unread + j.totals.unlinked + j.totals.incomparable, 0);
}

Test(verify, the_story_has_backlinks_that_reach_over_others)
{
    bool far = false;
    for (size_t i = 0; i < j.count; i++)
        far |= j.records[i].header.seq > j.records[i].header.back_seq + 3 && j.records[i].header.back_seq > 0;
    cr_assert(far);
}

/* --- one term in force --- */

Test(verify, a_record_of_a_term_that_never_began_is_found)
{
    journal_record *r = journal_repeat(&j, journal_nth(&j, PDR_RECORD_EVENT, 3));
    r->header.term.incarnation ^= 1;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_ONE_TERM, r->record.offset, NULL);
}

Test(verify, what_a_deposed_owner_wrote_late_is_explained)
{
    journal_repeat(&j, journal_nth(&j, PDR_RECORD_EVENT, 3));
    journal_repeat(&j, journal_nth(&j, PDR_RECORD_SCHEMA, 0));
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.late, 2);
}

Test(verify, a_repeat_is_explained_and_one_that_differs_is_found)
{
    journal_record *last = &j.records[j.count - 1];
    journal_record *same = journal_repeat(&j, last);
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.repeats, 1);
    same->record.entry.value = journal_keep(&j, "other", 5);
    journal_is_the_only(&j, PDR_VERIFY_ONE_TERM, same->record.offset, NULL);
}

Test(verify, a_hole_in_a_terms_numbers_is_explained)
{
    journal_record *r = journal_repeat(&j, &j.records[j.count - 1]);
    r->header.number += 7;
    journal_encode(&j, r);
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.holes, 1);
}

Test(verify, records_of_strangers_are_counted)
{
    journal_record *r = journal_repeat(&j, &j.records[j.count - 1]);
    r->record.entry.header = (pdr_bytes){NULL, 0};
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.foreign, 1);
}

Test(verify, a_commit_that_a_fence_cut_off_is_counted)
{
    journal_record *r = journal_repeat(&j, &j.records[j.count - 1]);
    r->header.number++;
    r->header.seq++;
    r->header.count = 2;
    r->header.has_reply = false;
    r->header.reply.size = 0;
    journal_encode(&j, r);
    journal_record *fence = journal_repeat(&j, journal_nth(&j, PDR_RECORD_FENCE, 0));
    fence->header.term.incarnation++;
    journal_encode(&j, fence);
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.torn, 1);
}

/* --- framing, format, journal --- */

Test(verify, a_malformed_header_is_found)
{
    journal_record *r = journal_repeat(&j, &j.records[j.count - 1]);
    r->record.entry.header.size--;
    journal_is_the_only(&j, PDR_VERIFY_FRAMING, r->record.offset, NULL);
    cr_expect_eq(j.totals.malformed, 1);
}

Test(verify, a_header_spoilt_in_the_middle_takes_what_comes_after_it_along)
{
    const journal_record *r = journal_event(&j, "acct/3", 2);
    j.records[r - j.records].record.entry.header.size--;
    journal_is_found(&j, PDR_VERIFY_FRAMING, r->record.offset, NULL);
    cr_expect_gt(j.totals.holes, 5);
    cr_expect(journal_found(&j, PDR_VERIFY_HEADS, journal_head(&j, "acct/3")->last.offset, "acct/3"));
}

Test(verify, a_mark_with_a_key_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_SCHEMA, 0);
    r->record.entry.key = journal_keep(&j, "k", 1);
    journal_is_the_only(&j, PDR_VERIFY_FRAMING, r->record.offset, NULL);
}

Test(verify, a_value_without_framing_is_found)
{
    journal_record *r = journal_event(&j, "acct/1", 3);
    r->record.entry.value = journal_keep(&j, "{\"json\":1}", 10);
    journal_is_found(&j, PDR_VERIFY_FRAMING, r->record.offset, "acct/1");
}

Test(verify, a_newer_format_ends_the_partition)
{
    journal_record *r = journal_event(&j, "acct/3", 1);
    uint8_t *bytes = (uint8_t *)(uintptr_t)r->record.entry.header.data;
    bytes[0] = 9;
    journal_is_the_only(&j, PDR_VERIFY_FORMAT, r->record.offset, NULL);
}

Test(verify, a_fence_of_another_journal_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, 1);
    r->header.journal_id[3] ^= 1;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_JOURNAL_ID, r->record.offset, NULL);
}

Test(verify, without_a_store_the_first_fence_says_which_journal_it_is)
{
    j.spec.has_journal_id = j.spec.has_store = false;
    for (size_t i = 0; i < 4; i++) {
        journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, i);
        r->header.journal_id[3] ^= i == 2 ? 3 : 1; /* the third one's differs */
        journal_encode(&j, r);
    }
    journal_is_the_only(&j, PDR_VERIFY_JOURNAL_ID, journal_nth(&j, PDR_RECORD_FENCE, 2)->record.offset, NULL);
}

Test(verify, a_fence_for_another_number_of_partitions_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, 2);
    r->header.partitions = 8;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_JOURNAL_ID, r->record.offset, NULL);
}

/* --- commits, seq, backlinks --- */

Test(verify, a_commit_out_of_order_ends_the_partition)
{
    journal_record *r = journal_event(&j, "acct/3", 2);
    cr_assert_eq(r->header.count, 2);
    r->header.count = 3;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_ALL_OR_NONE, r[1].record.offset, NULL);
    cr_assert(strstr(j.findings[0].found, "isn't the next"), "%s", j.findings[0].found);
}

Test(verify, a_commit_of_two_commands_is_found)
{
    journal_record *r = journal_event(&j, "acct/2", 2);
    r->header.id = journal_keep(&j, "another", 7);
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_ALL_OR_NONE, r->record.offset, "acct/2");
}

Test(verify, a_gap_in_seq_is_found)
{
    for (size_t i = 0; i < j.count; i++) {
        journal_record *r = &j.records[i];
        if (r->header.kind != PDR_RECORD_EVENT || r->header.seq < 8 || r->record.entry.key.data[5] != '1')
            continue;
        r->header.seq++;
        journal_encode(&j, r);
    }
    j.heads[0].seq++;
    j.heads[0].state_seq++;
    journal_is_the_only(&j, PDR_VERIFY_SEQ, journal_event(&j, "acct/1", 9)->record.offset, "acct/1");
    cr_expect_eq(j.totals.incomparable, 1);
}

Test(verify, an_event_appended_twice_by_a_forger_is_found)
{
    const journal_record *last = &j.records[j.count - 1];
    journal_record *r = journal_repeat(&j, journal_event(&j, "acct/1", 4));
    r->header.term = last->header.term;
    r->header.number = last->header.number + 1;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_SEQ, r->record.offset, "acct/1");
    cr_assert_str_eq(j.findings[0].found, "it has seq 4");
}

Test(verify, a_backlink_to_another_offset_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 5);
    r->header.back_offset--;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_BACKLINKS, r->record.offset, "acct/3");
}

Test(verify, a_backlink_that_names_another_seq_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 9);
    r->header.back_seq--;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_BACKLINKS, r->record.offset, "acct/3");
}

Test(verify, an_event_that_names_none_after_others_did_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 9);
    r->header.back_offset = -1;
    r->header.back_seq = 0;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_BACKLINKS, r->record.offset, "acct/3");
}

Test(verify, a_backlink_past_the_events_of_an_earlier_term_is_found)
{
    journal_record *r = journal_event(&j, "acct/1", 14);
    cr_assert_neq(r->header.term.offset, journal_event(&j, "acct/1", 13)->header.term.offset);
    r->header.back_seq = 12;
    r->header.back_offset = journal_event(&j, "acct/1", 12)->record.offset;
    journal_encode(&j, r);
    journal_is_found(&j, PDR_VERIFY_BACKLINKS, r->record.offset, "acct/1");
}

/* --- partition, schemas, reading --- */

Test(verify, an_entity_in_the_wrong_partition_is_found_by_its_events_and_its_head)
{
    j.spec.partitions = 4; /* all is in partition 0; where murmur2 puts the accounts isn't asked here */
    for (size_t i = 0; i < 4; i++) {
        journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, i);
        r->header.partitions = 4;
        journal_encode(&j, r);
    }
    (void)journal_verify(&j);
    unsigned misplaced = 0;
    for (size_t i = 0; i < j.found && i < JOURNAL_FINDINGS; i++)
        misplaced += j.findings[i].rule == PDR_VERIFY_PARTITION;
    cr_assert_gt(misplaced, 3);
    cr_assert_eq(j.totals.findings[PDR_VERIFY_SEQ], 0);
}

Test(verify, an_event_that_names_no_schema_of_its_term_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 5);
    r->header.schema += 2;
    journal_encode(&j, r);
    journal_is_the_only(&j, PDR_VERIFY_SCHEMAS, r->record.offset, "acct/3");
}

Test(verify, a_schema_record_whose_fingerprint_is_another_is_found_and_its_events_too)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_SCHEMA, 1);
    r->header.schema_fingerprint ^= 1;
    journal_encode(&j, r);
    journal_is_found(&j, PDR_VERIFY_SCHEMAS, r->record.offset, NULL);
    cr_assert(journal_found(&j, PDR_VERIFY_SCHEMAS, journal_event(&j, "acct/3", 1)->record.offset, "acct/3"));
}

Test(verify, a_schema_record_without_a_schema_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_SCHEMA, 1);
    r->record.entry.schema.size /= 2;
    journal_is_the_only(&j, PDR_VERIFY_SCHEMAS, r->record.offset, NULL);
}

Test(verify, an_event_that_does_not_decode_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 5);
    r->record.entry.value.size -= 2;
    journal_is_the_only(&j, PDR_VERIFY_READABLE, r->record.offset, "acct/3");
    cr_expect_eq(j.totals.incomparable, 1);
}

Test(verify, an_entity_type_that_is_not_declared_is_told_once)
{
    j.heads[0].key = journal_keep(&j, "bond/1", 6);
    for (size_t i = 0; i < j.count; i++)
        if (j.records[i].record.entry.key.data && j.records[i].record.entry.key.data[5] == '1')
            j.records[i].record.entry.key = j.heads[0].key;
    journal_is_the_only(&j, PDR_VERIFY_READABLE, journal_event(&j, "bond/1", 1)->record.offset, "bond/1");
    cr_expect_eq(j.totals.unread, journal_head(&j, "bond/1")->seq + 1);
}

Test(verify, without_an_application_events_are_not_read_and_the_rest_is_looked_at)
{
    j.spec.folder = NULL;
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.unread, j.totals.events);
    cr_expect_eq(j.totals.other_states, 3);
    journal_head(&j, "acct/2")->seq--;
    journal_is_found(&j, PDR_VERIFY_HEADS, journal_head(&j, "acct/2")->last.offset, "acct/2");
}
