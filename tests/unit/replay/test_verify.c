/* Each invariant broken by hand in a log and a store that an owner has written: it is found, where it is, and
 * nothing else is. */
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

TestSuite(verify, .init = init, .fini = release);

static void dump(void)
{
    for (size_t i = 0; i < j.found && i < JOURNAL_FINDINGS; i++) {
        const journal_finding *f = &j.findings[i];
        fprintf(stderr, "%s p%d @%lld %s#%llu\n  expected: %s\n  found:    %s\n", pdr_verify_name(f->rule),
                (int)f->partition, (long long)f->offset, f->entity, (unsigned long long)f->seq, f->expected,
                f->found);
    }
}

/* Exactly one, of this rule, there. */
static void is_the_only(pdr_verify_rule rule, int64_t offset, const char *entity)
{
    size_t found = journal_verify(&j);
    if (found != 1 || !journal_found(&j, rule, offset, entity)) dump();
    cr_assert_eq(found, 1, "%zu findings", found);
    cr_assert(journal_found(&j, rule, offset, entity));
}

/* One of this rule is there; others follow from it. */
static void is_found(pdr_verify_rule rule, int64_t offset, const char *entity)
{
    (void)journal_verify(&j);
    if (!journal_found(&j, rule, offset, entity)) dump();
    cr_assert(journal_found(&j, rule, offset, entity));
}

Test(verify, finds_nothing_in_what_owners_have_written)
{
    size_t found = journal_verify(&j);
    dump();
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
    is_the_only(PDR_VERIFY_ONE_TERM, r->record.offset, NULL);
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
    is_the_only(PDR_VERIFY_ONE_TERM, same->record.offset, NULL);
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
    is_the_only(PDR_VERIFY_FRAMING, r->record.offset, NULL);
    cr_expect_eq(j.totals.malformed, 1);
}

Test(verify, a_header_spoilt_in_the_middle_takes_what_comes_after_it_along)
{
    const journal_record *r = journal_event(&j, "acct/3", 2);
    j.records[r - j.records].record.entry.header.size--;
    is_found(PDR_VERIFY_FRAMING, r->record.offset, NULL);
    cr_expect_gt(j.totals.holes, 5);
    cr_expect(journal_found(&j, PDR_VERIFY_HEADS, journal_head(&j, "acct/3")->last.offset, "acct/3"));
}

Test(verify, a_mark_with_a_key_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_SCHEMA, 0);
    r->record.entry.key = journal_keep(&j, "k", 1);
    is_the_only(PDR_VERIFY_FRAMING, r->record.offset, NULL);
}

Test(verify, a_value_without_framing_is_found)
{
    journal_record *r = journal_event(&j, "acct/1", 3);
    r->record.entry.value = journal_keep(&j, "{\"json\":1}", 10);
    is_found(PDR_VERIFY_FRAMING, r->record.offset, "acct/1");
}

Test(verify, a_newer_format_ends_the_partition)
{
    journal_record *r = journal_event(&j, "acct/3", 1);
    uint8_t *bytes = (uint8_t *)(uintptr_t)r->record.entry.header.data;
    bytes[0] = 9;
    is_the_only(PDR_VERIFY_FORMAT, r->record.offset, NULL);
}

Test(verify, a_fence_of_another_journal_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, 1);
    r->header.journal_id[3] ^= 1;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_JOURNAL_ID, r->record.offset, NULL);
}

Test(verify, without_a_store_the_first_fence_says_which_journal_it_is)
{
    j.spec.has_journal_id = j.spec.has_store = false;
    for (size_t i = 0; i < 4; i++) {
        journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, i);
        r->header.journal_id[3] ^= i == 2 ? 3 : 1; /* the third one's differs */
        journal_encode(&j, r);
    }
    is_the_only(PDR_VERIFY_JOURNAL_ID, journal_nth(&j, PDR_RECORD_FENCE, 2)->record.offset, NULL);
}

Test(verify, a_fence_for_another_number_of_partitions_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_FENCE, 2);
    r->header.partitions = 8;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_JOURNAL_ID, r->record.offset, NULL);
}

/* --- commits, seq, backlinks --- */

Test(verify, a_commit_out_of_order_ends_the_partition)
{
    journal_record *r = journal_event(&j, "acct/3", 2);
    cr_assert_eq(r->header.count, 2);
    r->header.count = 3;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_ALL_OR_NONE, r[1].record.offset, NULL);
    cr_assert(strstr(j.findings[0].found, "isn't the next"), "%s", j.findings[0].found);
}

Test(verify, a_commit_of_two_commands_is_found)
{
    journal_record *r = journal_event(&j, "acct/2", 2);
    r->header.id = journal_keep(&j, "another", 7);
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_ALL_OR_NONE, r->record.offset, "acct/2");
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
    is_the_only(PDR_VERIFY_SEQ, journal_event(&j, "acct/1", 9)->record.offset, "acct/1");
    cr_expect_eq(j.totals.incomparable, 1);
}

Test(verify, an_event_appended_twice_by_a_forger_is_found)
{
    const journal_record *last = &j.records[j.count - 1];
    journal_record *r = journal_repeat(&j, journal_event(&j, "acct/1", 4));
    r->header.term = last->header.term;
    r->header.number = last->header.number + 1;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_SEQ, r->record.offset, "acct/1");
    cr_assert_str_eq(j.findings[0].found, "it has seq 4");
}

Test(verify, a_backlink_to_another_offset_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 5);
    r->header.back_offset--;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_BACKLINKS, r->record.offset, "acct/3");
}

Test(verify, a_backlink_that_names_another_seq_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 9);
    r->header.back_seq--;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_BACKLINKS, r->record.offset, "acct/3");
}

Test(verify, an_event_that_names_none_after_others_did_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 9);
    r->header.back_offset = -1;
    r->header.back_seq = 0;
    journal_encode(&j, r);
    is_the_only(PDR_VERIFY_BACKLINKS, r->record.offset, "acct/3");
}

Test(verify, a_backlink_past_the_events_of_an_earlier_term_is_found)
{
    journal_record *r = journal_event(&j, "acct/1", 14);
    cr_assert_neq(r->header.term.offset, journal_event(&j, "acct/1", 13)->header.term.offset);
    r->header.back_seq = 12;
    r->header.back_offset = journal_event(&j, "acct/1", 12)->record.offset;
    journal_encode(&j, r);
    is_found(PDR_VERIFY_BACKLINKS, r->record.offset, "acct/1");
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
    is_the_only(PDR_VERIFY_SCHEMAS, r->record.offset, "acct/3");
}

Test(verify, a_schema_record_whose_fingerprint_is_another_is_found_and_its_events_too)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_SCHEMA, 1);
    r->header.schema_fingerprint ^= 1;
    journal_encode(&j, r);
    is_found(PDR_VERIFY_SCHEMAS, r->record.offset, NULL);
    cr_assert(journal_found(&j, PDR_VERIFY_SCHEMAS, journal_event(&j, "acct/3", 1)->record.offset, "acct/3"));
}

Test(verify, a_schema_record_without_a_schema_is_found)
{
    journal_record *r = journal_nth(&j, PDR_RECORD_SCHEMA, 1);
    r->record.entry.schema.size /= 2;
    is_the_only(PDR_VERIFY_SCHEMAS, r->record.offset, NULL);
}

Test(verify, an_event_that_does_not_decode_is_found)
{
    journal_record *r = journal_event(&j, "acct/3", 5);
    r->record.entry.value.size -= 2;
    is_the_only(PDR_VERIFY_READABLE, r->record.offset, "acct/3");
    cr_expect_eq(j.totals.incomparable, 1);
}

Test(verify, an_entity_type_that_is_not_declared_is_told_once)
{
    j.heads[0].key = journal_keep(&j, "bond/1", 6);
    for (size_t i = 0; i < j.count; i++)
        if (j.records[i].record.entry.key.data && j.records[i].record.entry.key.data[5] == '1')
            j.records[i].record.entry.key = j.heads[0].key;
    is_the_only(PDR_VERIFY_READABLE, journal_event(&j, "bond/1", 1)->record.offset, "bond/1");
    cr_expect_eq(j.totals.unread, journal_head(&j, "bond/1")->seq + 1);
}

Test(verify, without_an_application_events_are_not_read_and_the_rest_is_looked_at)
{
    j.spec.folder = NULL;
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.unread, j.totals.events);
    cr_expect_eq(j.totals.other_states, 3);
    journal_head(&j, "acct/2")->seq--;
    is_found(PDR_VERIFY_HEADS, journal_head(&j, "acct/2")->last.offset, "acct/2");
}

/* --- command ids --- */

Test(verify, an_id_that_made_events_twice_is_found)
{
    const journal_record *first = journal_event(&j, "acct/3", 1);
    journal_record *r = &j.records[journal_event(&j, "acct/3", 4) - j.records];
    r->header.id = first->header.id;
    journal_encode(&j, r);
    is_found(PDR_VERIFY_ONCE_PER_ID, r->record.offset, "acct/3");
}

Test(verify, an_id_that_has_left_the_window_may_come_again)
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

Test(verify, a_head_with_another_position_is_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->last.number++;
    is_the_only(PDR_VERIFY_HEADS, head->last.offset, "acct/3");
}

Test(verify, a_head_past_the_log_is_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->seq += 5;
    is_the_only(PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "newest event"), "%s", j.findings[0].found);
}

Test(verify, a_head_of_an_entity_without_events_is_found)
{
    j.heads[j.head_count] = j.heads[0];
    j.heads[j.head_count].key = journal_keep(&j, "acct/9", 6);
    j.heads[j.head_count].state = (pdr_bytes){NULL, 0};
    j.head_count++;
    is_the_only(PDR_VERIFY_HEADS, j.heads[0].last.offset, "acct/9");
}

Test(verify, a_head_inside_a_commit_is_found)
{
    pdr_head *head = journal_head(&j, "acct/2");
    head->seq--;
    head->last = journal_position(journal_event(&j, "acct/2", head->seq));
    head->state = (pdr_bytes){NULL, 0};
    is_found(PDR_VERIFY_HEADS, head->last.offset, "acct/2");
    cr_assert(journal_found(&j, PDR_VERIFY_COVERS, journal_event(&j, "acct/2", head->seq + 1)->record.offset,
                            "acct/2"));
}

Test(verify, ids_that_are_not_the_logs_are_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    uint8_t *bytes = (uint8_t *)(uintptr_t)head->ids.data;
    bytes[1] ^= 1;
    is_the_only(PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "entry 0"), "%s", j.findings[0].found);
    bytes[1] ^= 1;
    bytes[0] = 0;
    is_the_only(PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "malformed"), "%s", j.findings[0].found);
    head->ids = (pdr_bytes){NULL, 0};
    is_the_only(PDR_VERIFY_HEADS, head->last.offset, "acct/3");
    cr_assert(strstr(j.findings[0].found, "remembers 0"), "%s", j.findings[0].found);
}

Test(verify, a_state_that_is_not_the_fold_is_found_with_both)
{
    pdr_head *head = journal_head(&j, "acct/3");
    uint8_t *bytes = (uint8_t *)(uintptr_t)head->state.data;
    bytes[0] ^= 2;
    is_the_only(PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    cr_assert(strstr(j.findings[0].expected, "where .balance is 150"), "%s", j.findings[0].expected);
    cr_assert(strstr(j.findings[0].found, ".balance is 1"), "%s", j.findings[0].found);
    head->state.size--;
    is_the_only(PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    cr_assert(strstr(j.findings[0].found, "can't be read"), "%s", j.findings[0].found);
}

Test(verify, a_state_older_than_its_head_is_compared_where_it_stands)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->state_seq--;
    is_the_only(PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    head->state_seq += 2;
    is_the_only(PDR_VERIFY_SNAPSHOTS, -1, "acct/3");
    cr_assert(strstr(j.findings[0].found, "head's seq"), "%s", j.findings[0].found);
}

Test(verify, states_of_other_revisions_are_not_looked_at)
{
    pdr_head *head = journal_head(&j, "acct/3");
    head->revision++;
    head->state.size--;
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.other_states, 1);
    cr_expect_eq(j.totals.states, 2);
}

/* --- checkpoint and positions --- */

Test(verify, an_event_that_the_checkpoint_hides_is_found)
{
    pdr_head *head = journal_head(&j, "acct/3");
    *head = j.heads[--j.head_count];
    is_the_only(PDR_VERIFY_COVERS, journal_event(&j, "acct/3", 1)->record.offset, "acct/3");
}

Test(verify, a_checkpoint_that_moved_past_unsaved_events_is_found)
{
    journal_record *last = journal_event(&j, "acct/1", journal_head(&j, "acct/1")->seq + 1);
    j.row.checkpoint = j.row_after.checkpoint = journal_position(last);
    is_the_only(PDR_VERIFY_COVERS, last->record.offset, "acct/1");
}

Test(verify, positions_that_are_not_in_the_log_are_found)
{
    pdr_position sound = j.row.checkpoint;
    j.row.checkpoint.number++;
    is_the_only(PDR_VERIFY_POSITIONS, sound.offset, NULL);
    j.row.checkpoint = sound;
    j.row.checkpoint.term.incarnation++;
    is_the_only(PDR_VERIFY_POSITIONS, sound.offset, NULL);
    j.row.checkpoint = sound;
    j.row.seen.offset = j.row_after.seen.offset = 5000;
    is_the_only(PDR_VERIFY_POSITIONS, 5000, NULL);
    cr_assert(strstr(j.findings[0].found, "ends at offset"), "%s", j.findings[0].found);
}

Test(verify, a_position_on_a_void_record_or_inside_a_commit_is_found)
{
    journal_record *inside = journal_event(&j, "acct/2", 2);
    cr_assert_lt(inside->header.index + 1, inside->header.count);
    j.view = journal_position(inside);
    j.has_view = true;
    is_the_only(PDR_VERIFY_POSITIONS, j.view.offset, NULL);
    cr_assert(strstr(j.findings[0].expected, "projection p"), "%s", j.findings[0].expected);
    j.view = journal_position(journal_event(&j, "acct/2", 3));
    cr_assert_eq(journal_verify(&j), 0);
    cr_expect_eq(j.totals.positions, 3);
}

Test(verify, a_head_behind_the_rows_highest_is_found)
{
    journal_record *earlier = journal_event(&j, "acct/1", 2);
    j.row.seen = j.row_after.seen = journal_position(earlier);
    size_t found = journal_verify(&j);
    cr_assert_eq(found, 1);
    cr_assert_eq(j.findings[0].rule, PDR_VERIFY_POSITIONS);
}

Test(verify, a_store_whose_term_is_not_in_the_log_is_found)
{
    j.row.stamp.term.incarnation++;
    j.row_after.stamp = j.row.stamp;
    is_the_only(PDR_VERIFY_POSITIONS, j.row.stamp.term.offset, NULL);
}

Test(verify, a_store_that_is_made_anew_meanwhile_is_no_finding_but_a_reason_to_begin_again)
{
    pdr_error err;
    j.row_after.stamp.store_id[0]++;
    cr_assert_eq(journal_try(&j, &err), PDR_UNAVAILABLE);
}

Test(verify, a_dead_letter_must_name_an_event_of_its_entity)
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
    is_the_only(PDR_VERIFY_DEAD_LETTERS, event->record.offset, "acct/1");
    j.letter.seq = 3;
    j.letter.offset = journal_nth(&j, PDR_RECORD_FENCE, 1)->record.offset;
    is_the_only(PDR_VERIFY_DEAD_LETTERS, j.letter.offset, "acct/1");
    j.letter.offset = event->record.offset;
    j.letter.before.number += 2;
    is_the_only(PDR_VERIFY_POSITIONS, j.letter.before.offset, NULL);
}

/* --- memory --- */

Test(verify, in_little_memory_it_takes_passes_and_tells_everything_once)
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
        if (journal_verify(&j) != 3) dump();
        cr_assert_eq(j.found, 3, "with %zu bytes", memory);
        cr_assert_arr_eq(&j.totals, &whole, sizeof whole);
        if (memory == 1) cr_assert_geq(j.passes, 3);
    }
}

Test(verify, any_allocation_may_fail)
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

Test(verify, whatever_is_spoilt_it_comes_to_its_end)
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

Test(verify, values_that_carry_a_registrys_id_are_read_by_their_schema_records)
{
    frame_by_ids(7);
    size_t found = journal_verify(&j);
    dump();
    cr_assert_eq(found, 0);
    journal_record *r = journal_event(&j, "acct/3", 3);
    ((uint8_t *)(uintptr_t)r->record.entry.value.data)[4] = 8;
    is_found(PDR_VERIFY_SCHEMAS, r->record.offset, "acct/3");
}
