/* Claims about saving. */
#include "tests/contract/store_contract.h"

TestSuite(store_save, .init = store_world_ready, .fini = store_world_close);

Test(store_save, a_save_moves_the_checkpoint_and_counts)
{
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store);
    pdr_save save = {.expected = stamp, .checkpoint = position(50), .seen = position(80)};
    outcome o = do_save(store, 0, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    stamp.saves = 1;
    cr_assert(stamp_equal(&o.row.stamp, &stamp));
    outcome row = do_load(store_world_store(1), 0);
    expect_row(&row.row, &(pdr_partition_row){stamp, position(50), position(80)});
    outcome neighbour = do_load(store, 1);
    cr_assert_eq(neighbour.row.stamp.saves, 0);
    cr_assert(pdr_position_equal(neighbour.row.checkpoint, PDR_POSITION_START));
}

Test(store_save, the_checkpoint_may_go_back_and_seen_never_does)
{
    pdr_store *store = store_world_store(0);
    pdr_save save = {.expected = claimed(store), .checkpoint = position(50), .seen = position(80)};
    save.expected = do_save(store, 0, &save).row.stamp;
    save.checkpoint = position(20);
    save.seen = position(79);
    save.expected = do_save(store, 0, &save).row.stamp;
    outcome o = do_load(store, 0);
    cr_assert(pdr_position_equal(o.row.checkpoint, position(20)));
    cr_assert(pdr_position_equal(o.row.seen, position(80)));
    save.seen = position(81);
    cr_assert_eq(do_save(store, 0, &save).code, PDR_OK);
    o = do_load(store, 0);
    cr_assert(pdr_position_equal(o.row.seen, position(81)));
}

/* Any part of the stamp that differs refuses the whole save. */
Test(store_save, a_save_goes_through_only_on_the_exact_stamp)
{
    pdr_store *store = store_world_store(0);
    pdr_head old = head_of("loan/1", 1, "old");
    pdr_stamp stamp = save_head(store, claimed(store), &old);
    pdr_partition_row before = do_load(store, 0).row;
    pdr_stamp wrong[7] = {stamp, stamp, stamp, stamp, stamp, stamp, stamp};
    wrong[0].store_id[0] ^= 1;
    wrong[1].store_id[15] ^= 0x80;
    wrong[2].term.offset++;
    wrong[3].term.offset--;
    wrong[4].term.incarnation ^= 1;
    wrong[5].saves++;
    wrong[6].saves--;
    pdr_head heads[2] = {head_of("loan/1", 9, "new"), head_of("loan/2", 9, "new")};
    pdr_schema_row schema = {42, text("a.B"), text("\"string\""), -1};
    for (int i = 0; i < 7; i++) {
        pdr_save save = {.expected = wrong[i],
                         .checkpoint = position(500),
                         .seen = position(500),
                         .heads = heads,
                         .head_count = 2,
                         .schemas = &schema,
                         .schema_count = 1};
        cr_assert_eq(do_save(store, 0, &save).code, PDR_STALE, "wrong stamp %d went through", i);
        outcome after = do_load(store, 0);
        expect_row(&after.row, &before);
        expect_head(find_head(store, "loan/1", 1), &old);
        cr_assert_null(find_head(store, "loan/2", 1));
    }
    pdr_save save = {.expected = stamp, .checkpoint = position(500), .seen = position(500)};
    cr_assert_eq(do_save(store, 0, &save).code, PDR_OK);
}

Test(store_save, of_two_owners_only_the_one_that_claimed_last_can_save)
{
    pdr_store *a = store_world_store(0), *b = store_world_store(1);
    pdr_stamp old = do_claim(a, 0, (pdr_term){10, 1}).row.stamp;
    pdr_stamp new = do_claim(b, 0, (pdr_term){20, 2}).row.stamp;
    pdr_save save = {.expected = old, .checkpoint = position(1), .seen = position(1)};
    cr_assert_eq(do_save(a, 0, &save).code, PDR_STALE);
    save.expected = new;
    cr_assert_eq(do_save(b, 0, &save).code, PDR_OK);
    cr_assert_eq(do_save(b, 0, &save).code, PDR_STALE);
}

Test(store_save, heads_are_replaced_and_states_kept_per_revision)
{
    pdr_store *store = store_world_store(0);
    pdr_head first = head_of("loan/1", 1, "one"), second = head_of("loan/1", 2, "two");
    second.timer_us = 99;
    second.ids = text("other ids");
    pdr_stamp stamp = save_head(store, claimed(store), &first);
    stamp = save_head(store, stamp, &second);
    expect_head(find_head(store, "loan/1", 1), &second);
    second.seq = 3;
    second.timer_us = PDR_NO_TIMER;
    save_head(store, stamp, &second);
    expect_head(find_head(store, "loan/1", 1), &second);
}

Test(store_save, a_head_saved_without_a_state_leaves_older_states_as_they_are)
{
    pdr_store *store = store_world_store(0);
    pdr_head first = head_of("loan/1", 1, "one"), second = head_of("loan/1", 2, NULL);
    pdr_stamp stamp = save_head(store, claimed(store), &first);
    save_head(store, stamp, &second);
    pdr_head wanted = second;
    wanted.state = text("one");
    wanted.state_seq = 1;
    expect_head(find_head(store, "loan/1", 1), &wanted);
}

Test(store_save, what_a_save_is_given_is_copied)
{
    pdr_store *store = store_world_store(0);
    char key[] = "loan/1", state[] = "state", ids[] = "ids";
    pdr_head head = head_of("loan/1", 5, "state");
    head.key = text(key);
    head.state = text(state);
    head.ids = text(ids);
    char name[] = "a.B", json[] = "\"int\"";
    pdr_schema_row schema = {7, text(name), text(json), -1};
    pdr_save save = {.expected = claimed(store),
                     .checkpoint = position(2),
                     .seen = position(3),
                     .heads = &head,
                     .head_count = 1,
                     .schemas = &schema,
                     .schema_count = 1};
    outcome o = {0};
    submit_save(&o, store, 0, &save);
    memset(key, 'x', sizeof key);
    memset(state, 'x', sizeof state);
    memset(ids, 'x', sizeof ids);
    memset(name, 'x', sizeof name);
    memset(json, 'x', sizeof json);
    memset(&head, 0xff, sizeof head);
    memset(&save, 0xff, sizeof save);
    outcome_wait(&o);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    pdr_head wanted = head_of("loan/1", 5, "state");
    expect_head(find_head(store, "loan/1", 1), &wanted);
}

Test(store_save, pipelined_saves_each_on_the_stamp_that_the_one_before_will_make)
{
    enum { SAVES = 30 };
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store);
    static outcome outcomes[SAVES];
    for (int i = 0; i < SAVES; i++) {
        pdr_head head = head_of("loan/1", (uint64_t)i + 1, "state");
        pdr_save save = {.expected = stamp,
                         .checkpoint = position(i),
                         .seen = position(i),
                         .heads = &head,
                         .head_count = 1};
        submit_save(&outcomes[i], store, 0, &save);
        stamp.saves++;
    }
    for (int i = 0; i < SAVES; i++) {
        outcome_wait(&outcomes[i]);
        cr_assert_eq(outcomes[i].code, PDR_OK);
        cr_assert_eq(outcomes[i].row.stamp.saves, (uint64_t)i + 1);
    }
    pdr_head wanted = head_of("loan/1", SAVES, "state");
    expect_head(find_head(store, "loan/1", 1), &wanted);
}

Test(store_save, a_refused_save_among_others_holds_none_of_them_up)
{
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store), wrong = stamp;
    wrong.saves = 5;
    pdr_head heads[3] = {head_of("a", 1, "s"), head_of("b", 1, "s"), head_of("c", 1, "s")};
    pdr_save save = {.checkpoint = position(1), .seen = position(1), .head_count = 1};
    outcome o[3] = {0};
    for (int i = 0; i < 3; i++) {
        save.expected = i == 1 ? wrong : stamp;
        save.heads = &heads[i];
        submit_save(&o[i], store, 0, &save);
        if (i == 0) stamp.saves++;
    }
    for (int i = 0; i < 3; i++)
        outcome_wait(&o[i]);
    cr_assert_eq(o[0].code, PDR_OK);
    cr_assert_eq(o[1].code, PDR_STALE);
    cr_assert_eq(o[2].code, PDR_OK);
    expect_head(find_head(store, "a", 1), &heads[0]);
    cr_assert_null(find_head(store, "b", 1));
    expect_head(find_head(store, "c", 1), &heads[2]);
}

Test(store_save, a_schema_that_is_there_already_is_left_alone)
{
    pdr_store *store = store_world_store(0);
    pdr_schema_row schemas[3] = {{1, text("a.A"), text("\"int\""), -1},
                                 {0xffffffffffffffffu, text("a.B"), text("\"long\""), -1},
                                 {1, text("a.A"), text("\"int\""), -1}};
    pdr_save save = {.expected = claimed(store),
                     .checkpoint = position(1),
                     .seen = position(1),
                     .schemas = schemas,
                     .schema_count = 2};
    outcome o = do_save(store, 0, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    save.expected = o.row.stamp;
    save.schema_count = 3;
    o = do_save(store, 0, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
}
