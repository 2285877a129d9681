/* Claims about schemas, pages of heads, states made beside the owners, and look-ups that want one of several
 * revisions. */
#include "tests/contract/store_contract.h"

TestSuite(store_schemas, .init = store_world_ready, .fini = store_world_close);
TestSuite(store_heads, .init = store_world_ready, .fini = store_world_close);
TestSuite(store_put_states, .init = store_world_ready, .fini = store_world_close);
TestSuite(store_revisions, .init = store_world_ready, .fini = store_world_close);

/* --- schemas --- */

static pdr_stamp save_schemas(pdr_store *store, pdr_stamp stamp, const pdr_schema_row *rows, size_t count)
{
    pdr_save save = {.expected = stamp,
                     .checkpoint = PDR_POSITION_START,
                     .seen = PDR_POSITION_START,
                     .schemas = rows,
                     .schema_count = count};
    outcome o = do_save(store, 0, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    return o.row.stamp;
}

static void expect_schema(const outcome *o, const pdr_schema_row *wanted)
{
    cr_assert_eq(o->code, PDR_OK, "%s", o->error.message);
    for (size_t i = 0; i < o->schema_count; i++) {
        const pdr_schema_row *got = &o->schemas[i];
        if (got->fingerprint != wanted->fingerprint) continue;
        cr_assert(pdr_bytes_equal(got->name, wanted->name));
        cr_assert(pdr_bytes_equal(got->json, wanted->json));
        cr_assert_eq(got->registry_id, wanted->registry_id);
        return;
    }
    cr_assert_fail("no schema %llx", (unsigned long long)wanted->fingerprint);
}

Test(store_schemas, a_store_without_any_gives_none)
{
    outcome o = do_schemas(store_world_store(0), NULL, 0);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert_eq(o.schema_count, 0);
}

Test(store_schemas, come_back_as_they_were_saved_all_or_by_fingerprint)
{
    pdr_store *store = store_world_store(0), *other = store_world_store(1);
    pdr_schema_row rows[3] = {{1, text("a.A"), text("\"int\""), -1},
                              {0xfffffffffffffff0u, text("a.B"), text("\"long\""), 0},
                              {3, text("a.\xc3\xa9"), text("{\"type\":\"string\"}"), INT32_MAX}};
    save_schemas(store, claimed(store), rows, 3);
    outcome o = do_schemas(other, NULL, 0);
    cr_assert_eq(o.schema_count, 3);
    for (size_t i = 0; i < 3; i++)
        expect_schema(&o, &rows[i]);
    const uint64_t two[] = {3, 77, 0xfffffffffffffff0u};
    o = do_schemas(other, two, 3);
    cr_assert_eq(o.schema_count, 2);
    expect_schema(&o, &rows[1]);
    expect_schema(&o, &rows[2]);
}

Test(store_schemas, keep_their_text_and_get_an_id_once)
{
    pdr_store *store = store_world_store(0);
    pdr_schema_row row = {1, text("a.A"), text("\"int\""), -1}, other = {1, text("a.X"), text("\"long\""), 7};
    pdr_stamp stamp = save_schemas(store, claimed(store), &row, 1);
    stamp = save_schemas(store, stamp, &other, 1);
    row.registry_id = 7;
    outcome o = do_schemas(store, &row.fingerprint, 1);
    expect_schema(&o, &row);
    other.registry_id = 8;
    pdr_schema_row twice[2] = {other, other};
    stamp = save_schemas(store, stamp, twice, 2);
    other.registry_id = -1;
    save_schemas(store, stamp, &other, 1);
    o = do_schemas(store, &row.fingerprint, 1);
    expect_schema(&o, &row);
    cr_assert_eq(o.schema_count, 1);
}

Test(store_schemas, of_a_save_that_was_refused_are_not_there)
{
    pdr_store *store = store_world_store(0);
    pdr_schema_row row = {1, text("a.A"), text("\"int\""), -1};
    pdr_save save = {.expected = claimed(store),
                     .checkpoint = PDR_POSITION_START,
                     .seen = PDR_POSITION_START,
                     .schemas = &row,
                     .schema_count = 1};
    save.expected.saves += 5;
    cr_assert_eq(do_save(store, 0, &save).code, PDR_STALE);
    cr_assert_eq(do_schemas(store, NULL, 0).schema_count, 0);
}

/* --- pages of heads --- */

static void save_in(pdr_store *store, int32_t partition, const pdr_head *heads, size_t count)
{
    outcome claim = do_claim(store, partition, (pdr_term){5, 55});
    pdr_save save = {.expected = claim.row.stamp,
                     .checkpoint = PDR_POSITION_START,
                     .seen = PDR_POSITION_START,
                     .heads = heads,
                     .head_count = count};
    outcome o = do_save(store, partition, &save);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
}

Test(store_heads, come_page_by_page_in_the_order_of_their_keys)
{
    pdr_store *store = store_world_store(0);
    pdr_head of_0[2] = {head_of("c", 3, "state"), head_of("a", 1, NULL)};
    pdr_head of_3[3] = {head_of("b", 2, "state"), head_of("d", 4, ""), head_of("a\xc3\xa9", 5, "state")};
    of_3[0].revision = 9;
    save_in(store, 0, of_0, 2);
    save_in(store, 3, of_3, 3);
    const pdr_head *expected[] = {&of_0[1], &of_3[2], &of_3[0], &of_0[0], &of_3[1]};
    char after[8] = "";
    for (size_t i = 0; i < 5;) {
        outcome o = do_heads(store_world_store(1), after, 2, 1);
        cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
        cr_assert_eq(o.head_count, i < 4 ? 2 : 1);
        for (size_t k = 0; k < o.head_count; k++, i++) {
            pdr_head wanted = *expected[i];
            wanted.ids = pdr_bytes_of(NULL, 0);
            bool has = wanted.state.data && wanted.revision == 1;
            wanted.state = has ? pdr_bytes_of("", 0) : pdr_bytes_of(NULL, 0);
            expect_head(&o.heads[k], &wanted);
            memcpy(after, o.heads[k].key.data, o.heads[k].key.size);
            after[o.heads[k].key.size] = 0;
        }
    }
    cr_assert_eq(do_heads(store, after, 2, 1).head_count, 0);
}

Test(store_heads, with_states_of_several_revisions_come_once)
{
    pdr_store *store = store_world_store(0);
    pdr_head one = head_of("a", 1, "one"), two = head_of("a", 2, "two");
    two.revision = 2;
    pdr_stamp stamp = save_head(store, claimed(store), &one);
    save_head(store, stamp, &two);
    outcome o = do_heads(store, "", 10, 1);
    cr_assert_eq(o.head_count, 1);
    cr_assert_eq(o.heads[0].seq, 2);
    cr_assert_eq(o.heads[0].state_seq, 1);
}

/* --- states made beside the owners --- */

static pdr_head state_of(const char *key, uint64_t revision, uint64_t seq, const char *state)
{
    return (pdr_head){.key = text(key), .revision = revision, .state_seq = seq, .state = text(state)};
}

static outcome put(pdr_store *store, const pdr_stamp *stamp, const pdr_head *heads, size_t count)
{
    pdr_new_states states = {.heads = heads, .count = count};
    memcpy(states.store_id, stamp->store_id, PDR_ID_SIZE);
    return do_put_states(store, 0, &states);
}

static void expect_state(pdr_store *store, const char *key, uint64_t revision, uint64_t seq,
                         const char *state)
{
    const pdr_head *head = find_head(store, key, revision);
    cr_assert_not_null(head);
    cr_assert_eq(head->state.data == NULL, state == NULL);
    if (!state) return;
    cr_assert_eq(head->state_seq, seq);
    cr_assert(pdr_bytes_equal(head->state, text(state)));
}

Test(store_put_states, are_found_and_leave_head_and_stamp_as_they_were)
{
    pdr_store *store = store_world_store(0), *beside = store_world_store(1);
    pdr_head head = head_of("a", 5, "old");
    pdr_stamp stamp = save_head(store, claimed(store), &head);
    pdr_head fresh[2] = {state_of("a", 2, 5, "new"), state_of("a", 3, 4, "")};
    outcome o = put(beside, &stamp, fresh, 2);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    expect_head(find_head(store, "a", 1), &head);
    expect_state(store, "a", 2, 5, "new");
    expect_state(store, "a", 3, 4, "");
    outcome row = do_load(store, 0);
    cr_assert(stamp_equal(&row.row.stamp, &stamp));
}

Test(store_put_states, never_replace_a_newer_one_nor_pass_their_head)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("a", 5, "owner's");
    pdr_stamp stamp = save_head(store, claimed(store), &head);
    pdr_head older = state_of("a", 1, 4, "older"), same = state_of("a", 1, 5, "same");
    pdr_head ahead = state_of("a", 2, 6, "ahead"), nobody = state_of("b", 2, 1, "nobody's");
    cr_assert_eq(put(store, &stamp, &older, 1).code, PDR_OK);
    cr_assert_eq(put(store, &stamp, &same, 1).code, PDR_OK);
    cr_assert_eq(put(store, &stamp, &ahead, 1).code, PDR_OK);
    cr_assert_eq(put(store, &stamp, &nobody, 1).code, PDR_OK);
    expect_head(find_head(store, "a", 1), &head);
    expect_state(store, "a", 2, 0, NULL);
    cr_assert_null(find_head(store, "b", 2));
    pdr_head first = state_of("a", 2, 3, "first"), next = state_of("a", 2, 5, "next");
    cr_assert_eq(put(store, &stamp, &first, 1).code, PDR_OK);
    cr_assert_eq(put(store, &stamp, &next, 1).code, PDR_OK);
    expect_state(store, "a", 2, 5, "next");
}

Test(store_put_states, are_refused_by_another_store)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of("a", 5, "old");
    pdr_stamp stamp = save_head(store, claimed(store), &head);
    pdr_error err = {0};
    cr_assert_eq(store->ops->reset(store, &store_meta, 60000, &err), PDR_OK, "%s", err.message);
    save_head(store, claimed(store), &head);
    pdr_head fresh = state_of("a", 2, 5, "new");
    cr_assert_eq(put(store, &stamp, &fresh, 1).code, PDR_STALE);
    expect_state(store, "a", 2, 0, NULL);
    pdr_new_states nowhere = {.heads = &fresh, .count = 1};
    cr_assert_eq(do_put_states(store, 17, &nowhere).code, PDR_NOT_INITIALISED);
}

/* --- look-ups that want one of several revisions --- */

Test(store_revisions, the_newest_of_the_wanted_ones_comes_and_of_several_the_first)
{
    pdr_store *store = store_world_store(0);
    pdr_head heads[3] = {head_of("a", 5, "a1"), head_of("b", 6, "b1"), head_of("c", 7, NULL)};
    pdr_stamp stamp = claimed(store);
    for (size_t i = 0; i < 3; i++)
        stamp = save_head(store, stamp, &heads[i]);
    pdr_head fresh[3] = {state_of("a", 2, 4, "a2"), state_of("a", 3, 5, "a3"), state_of("a", 7, 2, "a7")};
    cr_assert_eq(put(store, &stamp, fresh, 3).code, PDR_OK);
    const uint64_t wants[] = {9, 7, 3, 2, 1}, wants_9[] = {9};
    const pdr_lookup_key keys[] = {{text("c"), wants, 5},
                                   {text("b"), wants, 5},
                                   {text("a"), wants, 5},
                                   {text("d"), wants, 5},
                                   {text("a"), NULL, 0}};
    outcome o = do_lookup(store, 0, keys, 4);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert(stamp_equal(&o.row.stamp, &stamp));
    cr_assert_eq(o.head_count, 3);
    for (size_t i = 0; i < 3; i++) {
        size_t k = (size_t)(o.heads[i].key.data[0] - 'a');
        pdr_head wanted = heads[k];
        if (k == 0) {
            wanted.revision = 3; /* as new as that of revision 1 */
            wanted.state = text("a3");
        }
        expect_head(&o.heads[i], &wanted);
    }
    o = do_lookup(store, 0, &keys[2], 1);
    cr_assert_eq(o.head_count, 1);
    cr_assert_eq(o.heads[0].revision, 3);
    o = do_lookup(store, 0, &keys[4], 1);
    cr_assert_eq(o.head_count, 1);
    cr_assert_null(o.heads[0].state.data);
    const pdr_lookup_key none = {text("a"), wants_9, 1};
    o = do_lookup(store, 0, &none, 1);
    cr_assert_null(o.heads[0].state.data);
}
