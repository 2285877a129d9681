/* Claims about init, meta, the partition's row, claiming, and the order of operations. */
#include "tests/contract/store_contract.h"

TestSuite(store_init, .init = store_world_open, .fini = store_world_close);
TestSuite(store_claim, .init = store_world_ready, .fini = store_world_close);

static pdr_code init(size_t index, const pdr_store_meta *meta)
{
    pdr_store *store = store_world_store(index);
    return store->ops->init(store, meta, 60000, NULL);
}

Test(store_init, an_empty_place_is_not_initialised)
{
    pdr_store *store = store_world_store(0);
    pdr_store_meta meta;
    pdr_error err = {0};
    cr_assert_eq(store->ops->meta(store, &meta, 60000, &err), PDR_NOT_INITIALISED);
    cr_assert(err.message[0]);
    cr_assert_eq(do_load(store, 0).code, PDR_NOT_INITIALISED);
    cr_assert_eq(do_claim(store, 0, (pdr_term){1, 1}).code, PDR_NOT_INITIALISED);
    pdr_lookup_key key = {text("k"), wants_1, 1};
    cr_assert_eq(do_lookup(store, 0, &key, 1).code, PDR_NOT_INITIALISED);
    pdr_save save = {.checkpoint = PDR_POSITION_START, .seen = PDR_POSITION_START};
    cr_assert_eq(do_save(store, 0, &save).code, PDR_NOT_INITIALISED);
}

Test(store_init, a_store_opened_before_it_was_initialised_works_after)
{
    pdr_store *store = store_world_store(0);
    cr_assert_eq(do_load(store, 0).code, PDR_NOT_INITIALISED);
    cr_assert_eq(init(1, &store_meta), PDR_OK);
    cr_assert_eq(do_load(store, 0).code, PDR_OK);
}

Test(store_init, init_writes_what_meta_reads_and_may_be_repeated)
{
    pdr_store_meta got;
    for (size_t i = 0; i < 3; i++) {
        pdr_store *store = store_world_store(i);
        cr_assert_eq(init(i, &store_meta), PDR_OK);
        cr_assert_eq(store->ops->meta(store, &got, 60000, NULL), PDR_OK);
        cr_assert_eq(got.partitions, 4);
        cr_assert_arr_eq(got.journal_id, store_meta.journal_id, PDR_ID_SIZE);
    }
}

Test(store_init, repeating_init_keeps_the_store)
{
    cr_assert_eq(init(0, &store_meta), PDR_OK);
    pdr_stamp stamp = claimed(store_world_store(0));
    cr_assert_eq(init(1, &store_meta), PDR_OK);
    outcome o = do_load(store_world_store(1), 0);
    cr_assert(stamp_equal(&o.row.stamp, &stamp));
}

Test(store_init, a_store_of_another_journal_is_refused)
{
    cr_assert_eq(init(0, &store_meta), PDR_OK);
    pdr_store_meta other_id = store_meta, other_count = store_meta;
    other_id.journal_id[15]++;
    other_count.partitions = 8;
    cr_assert_eq(init(0, &other_id), PDR_WRONG_JOURNAL);
    cr_assert_eq(init(1, &other_id), PDR_WRONG_JOURNAL);
    cr_assert_eq(init(1, &other_count), PDR_WRONG_JOURNAL);
    cr_assert_eq(init(1, &store_meta), PDR_OK);
}

Test(store_init, a_store_of_a_newer_version_is_refused)
{
    cr_assert_eq(init(0, &store_meta), PDR_OK);
    store_world_make_too_new();
    pdr_store *store = store_world_store(1);
    pdr_store_meta meta;
    cr_assert_eq(store->ops->init(store, &store_meta, 60000, NULL), PDR_TOO_NEW);
    cr_assert_eq(store->ops->meta(store, &meta, 60000, NULL), PDR_TOO_NEW);
    cr_assert_eq(store->ops->reset(store, &store_meta, 60000, NULL), PDR_TOO_NEW);
}

Test(store_claim, a_new_store_has_rows_at_the_start_and_one_store_id)
{
    pdr_store *store = store_world_store(0);
    uint8_t zero[PDR_ID_SIZE] = {0};
    outcome first = do_load(store, 0);
    cr_assert_arr_neq(first.row.stamp.store_id, zero, PDR_ID_SIZE);
    for (int32_t p = 0; p < 4; p++) {
        pdr_partition_row wanted = {.stamp = {.term = PDR_TERM_NONE, .saves = 0},
                                    .checkpoint = PDR_POSITION_START,
                                    .seen = PDR_POSITION_START};
        memcpy(wanted.stamp.store_id, first.row.stamp.store_id, PDR_ID_SIZE);
        outcome o = do_load(store, p);
        cr_assert_eq(o.code, PDR_OK);
        expect_row(&o.row, &wanted);
    }
}

Test(store_claim, a_partition_without_a_row_is_not_initialised)
{
    pdr_store *store = store_world_store(0);
    pdr_lookup_key key = {text("k"), wants_1, 1};
    pdr_save save = {.checkpoint = PDR_POSITION_START, .seen = PDR_POSITION_START};
    const int32_t missing[] = {4, 1000000};
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(do_load(store, missing[i]).code, PDR_NOT_INITIALISED);
        cr_assert_eq(do_claim(store, missing[i], (pdr_term){1, 1}).code, PDR_NOT_INITIALISED);
        cr_assert_eq(do_lookup(store, missing[i], &key, 1).code, PDR_NOT_INITIALISED);
        cr_assert_eq(do_save(store, missing[i], &save).code, PDR_NOT_INITIALISED);
    }
}

Test(store_claim, a_claim_sets_the_term_of_its_partition_alone_and_loads_the_row)
{
    pdr_store *store = store_world_store(0);
    pdr_term term = {1234567890123, 0xffffffffffffffffu};
    outcome before = do_load(store, 2);
    outcome o = do_claim(store, 2, term);
    cr_assert_eq(o.code, PDR_OK);
    pdr_partition_row wanted = before.row;
    wanted.stamp.term = term;
    expect_row(&o.row, &wanted);
    outcome seen = do_load(store_world_store(1), 2);
    expect_row(&seen.row, &wanted);
    outcome neighbour = do_load(store, 1);
    cr_assert(pdr_term_equal(neighbour.row.stamp.term, PDR_TERM_NONE));
}

Test(store_claim, a_higher_or_the_same_term_goes_through_and_any_other_is_stale_with_the_row)
{
    pdr_store *store = store_world_store(0), *other = store_world_store(1);
    cr_assert_eq(do_claim(store, 0, (pdr_term){100, 7}).code, PDR_OK);
    cr_assert_eq(do_claim(other, 0, (pdr_term){100, 7}).code, PDR_OK);
    const pdr_term refused[] = {{99, 7}, {99, 8}, {0, 7}, {100, 8}, {100, 6}, {100, 0xffffffffffffffffu}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        outcome o = do_claim(other, 0, refused[i]);
        cr_assert_eq(o.code, PDR_STALE, "term %zu", i);
        cr_assert_eq(o.row.stamp.term.offset, 100);
        cr_assert_eq(o.row.stamp.term.incarnation, 7);
        cr_assert(pdr_position_equal(o.row.checkpoint, PDR_POSITION_START));
    }
    cr_assert_eq(do_claim(other, 0, (pdr_term){101, 0}).code, PDR_OK);
    cr_assert_eq(do_claim(store, 0, (pdr_term){100, 7}).code, PDR_STALE);
    outcome o = do_load(store, 0);
    cr_assert_eq(o.row.stamp.term.offset, 101);
}

Test(store_claim, a_claim_keeps_saves_checkpoint_and_seen)
{
    pdr_store *store = store_world_store(0);
    pdr_save save = {.expected = claimed(store), .checkpoint = position(40), .seen = position(90)};
    outcome saved = do_save(store, 0, &save);
    cr_assert_eq(saved.code, PDR_OK);
    outcome o = do_claim(store_world_store(1), 0, (pdr_term){200, 3});
    cr_assert_eq(o.code, PDR_OK);
    cr_assert_eq(o.row.stamp.saves, 1);
    cr_assert(pdr_position_equal(o.row.checkpoint, position(40)));
    cr_assert(pdr_position_equal(o.row.seen, position(90)));
}

Test(store_claim, operations_are_carried_out_in_the_order_of_submission)
{
    pdr_store *store = store_world_store(0);
    outcome claims[20] = {0}, loads[20] = {0};
    for (int i = 0; i < 20; i++) {
        submit_claim(&claims[i], store, 0, (pdr_term){i, (uint64_t)i});
        submit_load(&loads[i], store, 0);
    }
    for (int i = 0; i < 20; i++) {
        outcome_wait(&loads[i]);
        outcome_wait(&claims[i]);
        cr_assert_eq(claims[i].code, PDR_OK);
        cr_assert_eq(loads[i].row.stamp.term.offset, i);
        cr_assert_eq(claims[i].order, (size_t)i * 2);
        cr_assert_eq(loads[i].order, (size_t)i * 2 + 1);
        cr_assert_eq(loads[i].tag, claims[i].tag + 1);
    }
}

Test(store_claim, forgotten_operations_complete_no_more_and_others_do)
{
    pdr_store *store = store_world_store(0);
    outcome gone = {0}, stays = {0}, later = {0};
    submit_load(&gone, store, 0);
    submit_load(&stays, store, 1);
    store->ops->forget(store, &gone);
    store->ops->forget(store, &later);
    submit_load(&later, store, 2);
    outcome_wait(&stays);
    outcome_wait(&later);
    cr_assert_eq(gone.times, 0);
}

static void forget_other(outcome *o)
{
    pdr_store *store = store_world_store(0);
    store->ops->forget(store, o->other);
}

Test(store_claim, operations_may_be_forgotten_in_a_completion)
{
    pdr_store *store = store_world_store(0);
    outcome gone = {0}, stays = {0}, first = {.then = forget_other, .other = &gone};
    submit_claim(&first, store, 0, (pdr_term){1, 1});
    submit_claim(&gone, store, 1, (pdr_term){1, 1});
    submit_claim(&stays, store, 2, (pdr_term){1, 1});
    outcome_wait(&first);
    outcome_wait(&stays);
    cr_assert_eq(gone.times, 0);
}

static void submit_other(outcome *o)
{
    if (o->other) submit_load(o->other, store_world_store(0), 1);
}

Test(store_claim, operations_may_be_submitted_in_a_completion)
{
    outcome second = {0}, first = {.then = submit_other, .other = &second};
    submit_load(&first, store_world_store(0), 0);
    outcome_wait(&first);
    outcome_wait(&second);
    cr_assert_eq(second.code, PDR_OK);
}
