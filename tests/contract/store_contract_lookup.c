/* Claims about look-ups and about the bytes that come back. */
#include "tests/contract/store_contract.h"

#include <stdio.h>

TestSuite(store_lookup, .init = store_world_ready, .fini = store_world_close);

Test(store_lookup, a_look_up_in_an_empty_store_gives_no_heads_but_the_stamp)
{
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store);
    pdr_lookup_key key = {text("loan/1"), wants_1, 1};
    outcome o = do_lookup(store, 0, &key, 1);
    cr_assert_eq(o.code, PDR_OK);
    cr_assert_eq(o.head_count, 0);
    cr_assert(stamp_equal(&o.row.stamp, &stamp));
}

Test(store_lookup, a_head_comes_back_as_it_was_saved)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("loan/1", 7, "state");
    head.timer_us = 1700000000000123;
    head.seq = 0xfffffffffffffff0u;
    head.revision = 0xdeadbeefdeadbeefu;
    head.state_seq = 0x8000000000000000u;
    head.last = (pdr_position){INT64_MAX, {INT64_MAX - 1, UINT64_MAX}, UINT64_MAX - 5};
    save_head(store, claimed(store), &head);
    expect_head(find_head(store_world_store(1), "loan/1", head.revision), &head);
}

Test(store_lookup, hundreds_of_keys_of_which_some_are_there)
{
    enum { HEADS = 400 };
    pdr_store *store = store_world_store(0);
    static char names[HEADS][24];
    static pdr_head heads[HEADS];
    static pdr_lookup_key keys[2 * HEADS];
    for (int i = 0; i < HEADS; i++) {
        snprintf(names[i], sizeof names[i], "entity/%d", i * 7919 % HEADS);
        heads[i] = head_of(names[i], (uint64_t)i + 1, i % 3 ? "state" : NULL);
        keys[2 * i] = (pdr_lookup_key){text(names[i]), wants_1, 1};
        char *missing = pdr_arena_alloc(store_world_arena(), 24);
        snprintf(missing, 24, "missing/%d", i);
        keys[2 * i + 1] = (pdr_lookup_key){text(missing), wants_1, 1};
    }
    pdr_save save = {.expected = claimed(store),
                     .checkpoint = position(1),
                     .seen = position(1),
                     .heads = heads,
                     .head_count = HEADS};
    outcome saved = do_save(store, 0, &save);
    cr_assert_eq(saved.code, PDR_OK, "%s", saved.error.message);
    outcome o = do_lookup(store, 0, keys, 2 * HEADS);
    cr_assert_eq(o.head_count, HEADS);
    cr_assert(stamp_equal(&o.row.stamp, &saved.row.stamp));
    bool found[HEADS] = {false};
    for (int i = 0; i < HEADS; i++) {
        size_t k = (size_t)o.heads[i].seq - 1;
        cr_assert(k < HEADS && !found[k]);
        found[k] = true;
        expect_head(&o.heads[i], &heads[k]);
    }
}

Test(store_lookup, the_state_of_the_wanted_revision_comes_and_no_other)
{
    pdr_store *store = store_world_store(0);
    pdr_head one = head_of("loan/1", 3, "first"), two = head_of("loan/1", 5, "second");
    two.revision = 2;
    pdr_stamp stamp = save_head(store, claimed(store), &one);
    save_head(store, stamp, &two);
    expect_head(find_head(store, "loan/1", 2), &two);
    /* The head is the newest; the state of revision 1 is as old as it was. */
    pdr_head old = two;
    old.revision = 1;
    old.state_seq = 3;
    old.state = text("first");
    expect_head(find_head(store, "loan/1", 1), &old);
    pdr_head none = two;
    none.state = pdr_bytes_of(NULL, 0);
    expect_head(find_head(store, "loan/1", 9), &none);
}

Test(store_lookup, keys_of_one_look_up_may_want_different_revisions)
{
    pdr_store *store = store_world_store(0);
    pdr_head a = head_of("a", 1, "state a"), b = head_of("b", 1, "state b");
    b.revision = 77;
    pdr_head both[2] = {a, b};
    pdr_save save = {.expected = claimed(store),
                     .checkpoint = position(1),
                     .seen = position(1),
                     .heads = both,
                     .head_count = 2};
    cr_assert_eq(do_save(store, 0, &save).code, PDR_OK);
    const uint64_t wants_77[] = {77};
    const pdr_lookup_key keys[2] = {{text("a"), wants_1, 1}, {text("b"), wants_77, 1}};
    outcome o = do_lookup(store, 0, keys, 2);
    cr_assert_eq(o.head_count, 2);
    bool a_first = pdr_bytes_equal(o.heads[0].key, a.key);
    expect_head(&o.heads[a_first ? 0 : 1], &a);
    expect_head(&o.heads[a_first ? 1 : 0], &b);
}

Test(store_lookup, a_look_up_shows_the_stamp_that_another_owner_made)
{
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store);
    pdr_head head = head_of("loan/1", 1, "state");
    stamp = save_head(store, stamp, &head);
    outcome claim = do_claim(store_world_store(1), 0, (pdr_term){900, 9});
    pdr_lookup_key key = {text("loan/1"), wants_1, 1};
    outcome o = do_lookup(store, 0, &key, 1);
    cr_assert(stamp_equal(&o.row.stamp, &claim.row.stamp));
    cr_assert(!stamp_equal(&o.row.stamp, &stamp));
}

Test(store_lookup, a_look_up_submitted_after_a_save_sees_it)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("loan/1", 4, "state");
    pdr_save save = {.expected = claimed(store),
                     .checkpoint = position(1),
                     .seen = position(1),
                     .heads = &head,
                     .head_count = 1};
    pdr_lookup_key key = {text("loan/1"), wants_1, 1};
    outcome before = {0}, saved = {0}, after = {0};
    submit_lookup(&before, store, 0, &key, 1);
    submit_save(&saved, store, 0, &save);
    submit_lookup(&after, store, 0, &key, 1);
    outcome_wait(&after);
    cr_assert_eq(before.head_count, 0);
    cr_assert_eq(before.row.stamp.saves, 0);
    cr_assert_eq(saved.code, PDR_OK);
    cr_assert_eq(after.head_count, 1);
    cr_assert_eq(after.row.stamp.saves, 1);
}

Test(store_lookup, a_big_state_the_longest_key_and_binary_ids_come_back)
{
    pdr_store *store = store_world_store(0);
    static uint8_t big[1 << 20];
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (uint8_t)(i * 2654435761u >> 11);
    static char key[513];
    memset(key, 'k', 512);
    memcpy(key, "loan/\xc3\xa9/", 8);
    pdr_head head = head_of(key, 3, NULL);
    head.state = pdr_bytes_of(big, sizeof big);
    head.state_seq = 3;
    head.ids = pdr_bytes_of(big, 60000);
    save_head(store, claimed(store), &head);
    expect_head(find_head(store_world_store(1), key, 1), &head);
}

Test(store_lookup, empty_ids_and_an_empty_state_come_back_empty)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("loan/1", 3, "");
    head.ids = pdr_bytes_of("", 0);
    save_head(store, claimed(store), &head);
    expect_head(find_head(store, "loan/1", 1), &head);
    pdr_head without = head_of("loan/2", 3, NULL);
    without.ids = pdr_bytes_of(NULL, 0);
    save_head(store, do_load(store, 0).row.stamp, &without);
    const pdr_head *got = find_head(store, "loan/2", 1);
    cr_assert_not_null(got);
    cr_assert_eq(got->ids.size, 0);
}

Test(store_lookup, a_look_up_of_no_keys_gives_the_stamp)
{
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store);
    outcome o = do_lookup(store, 0, NULL, 0);
    cr_assert_eq(o.code, PDR_OK);
    cr_assert_eq(o.head_count, 0);
    cr_assert(stamp_equal(&o.row.stamp, &stamp));
}
