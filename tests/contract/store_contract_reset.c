/* Claims about reset and dump. */
#include "tests/contract/store_contract.h"

#include <stdlib.h>

TestSuite(store_reset, .init = store_world_ready, .fini = store_world_close);
TestSuite(store_dump, .init = store_world_ready, .fini = store_world_close);

typedef struct dumped {
    struct {
        int32_t partition;
        pdr_head head;
    } rows[64];
    size_t count, stop_at;
} dumped;

static pdr_code note_row(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    dumped *d = context;
    if (d->stop_at && d->count == d->stop_at) return pdr_fail(err, PDR_CANCELLED, "enough");
    cr_assert_lt(d->count, 64);
    d->rows[d->count].partition = partition;
    pdr_head *kept = &d->rows[d->count++].head;
    *kept = *head;
    kept->key = pdr_arena_bytes(store_world_arena(), head->key);
    kept->ids = pdr_arena_bytes(store_world_arena(), head->ids);
    if (head->state.data) kept->state = pdr_arena_bytes(store_world_arena(), head->state);
    return PDR_OK;
}

static pdr_code dump(size_t index, dumped *d, pdr_error *err)
{
    pdr_store *store = store_world_store(index);
    return store->ops->dump(store, note_row, d, err);
}

static void save_in(int32_t partition, const pdr_head *heads, size_t count)
{
    pdr_store *store = store_world_store(0);
    pdr_save save = {.expected = do_load(store, partition).row.stamp,
                     .checkpoint = position(1),
                     .seen = position(1),
                     .heads = heads,
                     .head_count = count};
    outcome o = do_save(store, partition, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
}

Test(store_dump, an_empty_store_gives_no_rows)
{
    dumped d = {0};
    cr_assert_eq(dump(0, &d, NULL), PDR_OK);
    cr_assert_eq(d.count, 0);
}

Test(store_dump, heads_come_in_byte_order_of_key_whatever_their_partition)
{
    /* Where byte order and a language's order differ. */
    static const char *const sorted[] = {"\x01",
                                         "A",
                                         "B",
                                         "Z",
                                         "_",
                                         "a",
                                         "a!",
                                         "a/",
                                         "aa",
                                         "b",
                                         "loan/10",
                                         "loan/2",
                                         "z",
                                         "\x7f",
                                         "\xc3\xa4",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80"};
    enum { KEYS = sizeof sorted / sizeof sorted[0] };
    pdr_head heads[KEYS];
    for (int i = 0; i < KEYS; i++)
        heads[i] = head_of(sorted[i], (uint64_t)i + 1, i % 2 ? "state" : NULL);
    for (int i = KEYS - 1; i >= 0; i--)
        save_in(i * 7 % 4, &heads[i], 1);
    dumped d = {0};
    cr_assert_eq(dump(1, &d, NULL), PDR_OK);
    cr_assert_eq(d.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        expect_head(&d.rows[i].head, &heads[i]);
        cr_assert_eq(d.rows[i].partition, i * 7 % 4);
    }
}

Test(store_dump, the_states_of_an_entity_follow_each_other_by_revision)
{
    pdr_head heads[2] = {head_of("a", 1, "state"), head_of("c", 1, NULL)};
    save_in(0, heads, 2);
    const uint64_t revisions[] = {0x8000000000000001u, 5, 0, 0x7fffffffffffffffu, 70, UINT64_MAX};
    for (size_t i = 0; i < 6; i++) {
        pdr_head head = head_of("b", 9, "state of b");
        head.revision = revisions[i];
        save_in(0, &head, 1);
    }
    dumped d = {0};
    cr_assert_eq(dump(0, &d, NULL), PDR_OK);
    cr_assert_eq(d.count, 8);
    const uint64_t wanted[] = {0, 5, 70, 0x7fffffffffffffffu, 0x8000000000000001u, UINT64_MAX};
    for (size_t i = 0; i < 6; i++) {
        cr_assert(pdr_bytes_equal(d.rows[i + 1].head.key, text("b")));
        cr_assert_eq(d.rows[i + 1].head.revision, wanted[i]);
    }
    cr_assert_null(d.rows[7].head.state.data);
}

Test(store_dump, a_row_that_fails_stops_the_dump_with_its_code)
{
    pdr_head heads[3] = {head_of("a", 1, "s"), head_of("b", 1, "s"), head_of("c", 1, "s")};
    save_in(0, heads, 3);
    dumped d = {.stop_at = 2};
    pdr_error err = {0};
    cr_assert_eq(dump(0, &d, &err), PDR_CANCELLED);
    cr_assert_not_null(strstr(err.message, "enough"));
    cr_assert_eq(d.count, 2);
    dumped again = {0};
    cr_assert_eq(dump(0, &again, NULL), PDR_OK);
    cr_assert_eq(again.count, 3);
}

Test(store_reset, reset_forgets_heads_and_rows_and_draws_a_new_store_id)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("loan/1", 1, "state");
    pdr_stamp old = save_head(store, claimed(store), &head);
    cr_assert_eq(store->ops->reset(store, &store_meta, 60000, NULL), PDR_OK);
    cr_assert_null(find_head(store, "loan/1", 1));
    dumped d = {0};
    cr_assert_eq(dump(1, &d, NULL), PDR_OK);
    cr_assert_eq(d.count, 0);
    for (int32_t p = 0; p < 4; p++) {
        outcome o = do_load(store_world_store(1), p);
        cr_assert_arr_neq(o.row.stamp.store_id, old.store_id, PDR_ID_SIZE);
        cr_assert(pdr_term_equal(o.row.stamp.term, PDR_TERM_NONE));
        cr_assert_eq(o.row.stamp.saves, 0);
        cr_assert(pdr_position_equal(o.row.checkpoint, PDR_POSITION_START));
        cr_assert(pdr_position_equal(o.row.seen, PDR_POSITION_START));
    }
}

Test(store_reset, a_save_on_the_stamp_of_before_the_reset_is_stale)
{
    pdr_store *store = store_world_store(0), *other = store_world_store(1);
    pdr_stamp stamp = claimed(store);
    cr_assert_eq(other->ops->reset(other, &store_meta, 60000, NULL), PDR_OK);
    cr_assert_eq(do_claim(other, 0, (pdr_term){5, 55}).code, PDR_OK);
    pdr_save save = {.expected = stamp, .checkpoint = position(1), .seen = position(1)};
    cr_assert_eq(do_save(store, 0, &save).code, PDR_STALE);
}

Test(store_reset, a_store_of_another_journal_is_not_reset)
{
    pdr_store *store = store_world_store(0);
    pdr_store_meta other = store_meta;
    other.journal_id[0]++;
    pdr_head head = head_of("loan/1", 1, "state");
    save_head(store, claimed(store), &head);
    cr_assert_eq(store->ops->reset(store, &other, 60000, NULL), PDR_WRONG_JOURNAL);
    expect_head(find_head(store, "loan/1", 1), &head);
}

Test(store_reset, a_reset_store_can_be_filled_again)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("loan/1", 1, "state");
    save_head(store, claimed(store), &head);
    cr_assert_eq(store->ops->reset(store, &store_meta, 60000, NULL), PDR_OK);
    save_head(store, claimed(store), &head);
    expect_head(find_head(store, "loan/1", 1), &head);
}
