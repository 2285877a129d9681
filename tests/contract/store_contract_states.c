/* Claims about one entity's rows, and about states that are dropped. */
#include "tests/contract/store_contract.h"

TestSuite(store_dump_one, .init = store_world_ready, .fini = store_world_close);
TestSuite(store_drop, .init = store_world_ready, .fini = store_world_close);

enum { TIMEOUT_MS = 60000 };

typedef struct seen {
    uint64_t revisions[16], state_seqs[16], seq;
    int32_t partition;
    size_t rows, states, stop_at;
} seen;

static pdr_code note(void *context, int32_t partition, const pdr_head *head, pdr_error *err)
{
    seen *s = context;
    if (s->stop_at && s->rows == s->stop_at) return pdr_fail(err, PDR_CANCELLED, "enough");
    cr_assert_lt(s->rows, 16);
    s->partition = partition;
    s->seq = head->seq;
    s->revisions[s->rows] = head->revision;
    s->state_seqs[s->rows] = head->state_seq;
    s->rows++;
    s->states += head->state.data != NULL;
    return PDR_OK;
}

static seen look(size_t store_index, const char *key)
{
    seen s = {.rows = 0};
    pdr_error err;
    pdr_store *store = store_world_store(store_index);
    cr_assert_eq(store->ops->dump_one(store, text(key), note, &s, TIMEOUT_MS, &err), PDR_OK, "%s",
                 err.message);
    return s;
}

static void save(int32_t partition, const char *key, uint64_t seq, const char *state, uint64_t revision)
{
    pdr_store *store = store_world_store(0);
    pdr_head head = head_of(key, seq, state);
    head.revision = revision;
    pdr_save given = {.expected = do_load(store, partition).row.stamp,
                      .checkpoint = position(1),
                      .seen = position(1),
                      .heads = &head,
                      .head_count = 1};
    cr_assert_eq(do_save(store, partition, &given).code, PDR_OK);
}

/* loan/1, loan/10 and client/1 with two revisions each, loan/2 without a state. */
static void fill(void)
{
    static const char *const keys[] = {"loan/1", "loan/10", "client/1"};
    for (int i = 0; i < 3; i++) {
        save(i, keys[i], 3, "then", 7);
        save(i, keys[i], 5, "today", UINT64_MAX);
    }
    save(3, "loan/2", 1, NULL, 0);
}

static uint64_t drop(const pdr_state_filter *which, size_t limit)
{
    uint64_t dropped = 99;
    pdr_error err;
    pdr_store *store = store_world_store(1);
    cr_assert_eq(store->ops->drop_states(store, which, limit, &dropped, TIMEOUT_MS, &err), PDR_OK, "%s",
                 err.message);
    return dropped;
}

Test(store_dump_one, an_entitys_rows_are_those_of_a_dump)
{
    fill();
    seen s = look(1, "loan/1");
    cr_assert_eq(s.rows, 2);
    cr_assert_eq(s.states, 2);
    cr_assert_eq(s.partition, 0);
    cr_assert_eq(s.seq, 5);
    cr_assert_eq(s.revisions[0], 7);
    cr_assert_eq(s.state_seqs[0], 3);
    cr_assert_eq(s.revisions[1], UINT64_MAX);
    seen without = look(1, "loan/2");
    cr_assert_eq(without.rows, 1);
    cr_assert_eq(without.states, 0);
    cr_assert_eq(look(1, "loan/").rows, 0);
    cr_assert_eq(look(1, "loan/3").rows, 0);
    cr_assert_eq(look(1, "LOAN/1").rows, 0);
}

Test(store_dump_one, a_row_that_fails_stops_it_with_its_code)
{
    fill();
    pdr_error err;
    seen s = {.stop_at = 1};
    pdr_store *store = store_world_store(0);
    cr_assert_eq(store->ops->dump_one(store, text("loan/1"), note, &s, TIMEOUT_MS, &err), PDR_CANCELLED);
    cr_assert_str_eq(err.message, "enough");
    cr_assert_eq(s.rows, 1);
    cr_assert_eq(look(0, "loan/1").rows, 2);
}

Test(store_drop, states_of_a_revision_go_and_the_others_stay)
{
    const uint64_t then[] = {7, 8};
    fill();
    cr_assert_eq(drop(&(pdr_state_filter){.revisions = then, .revision_count = 2}, 100), 3);
    seen s = look(0, "loan/1");
    cr_assert_eq(s.rows, 1);
    cr_assert_eq(s.revisions[0], UINT64_MAX);
    cr_assert_eq(drop(&(pdr_state_filter){.revisions = then, .revision_count = 2}, 100), 0);
}

Test(store_drop, states_of_any_other_revision_go)
{
    const uint64_t today[] = {UINT64_MAX, 1};
    fill();
    cr_assert_eq(drop(&(pdr_state_filter){.revisions = today, .revision_count = 2, .others = true}, 100), 3);
    cr_assert_eq(look(0, "client/1").revisions[0], UINT64_MAX);
    cr_assert_eq(drop(&(pdr_state_filter){.others = true}, 100), 3);
    cr_assert_eq(look(0, "client/1").states, 0);
}

Test(store_drop, no_revision_asked_drops_nothing)
{
    fill();
    cr_assert_eq(drop(&(pdr_state_filter){.revision_count = 0}, 100), 0);
    cr_assert_eq(look(0, "loan/1").states, 2);
}

Test(store_drop, one_entity_or_those_of_a_prefix)
{
    fill();
    cr_assert_eq(drop(&(pdr_state_filter){.key = text("loan/1"), .others = true}, 100), 2);
    cr_assert_eq(look(0, "loan/10").states, 2);
    cr_assert_eq(drop(&(pdr_state_filter){.prefix = text("loan/"), .others = true}, 100), 2);
    cr_assert_eq(look(0, "client/1").states, 2);
    cr_assert_eq(drop(&(pdr_state_filter){.prefix = text("_oan/"), .others = true}, 100), 0);
    cr_assert_eq(drop(&(pdr_state_filter){.prefix = text("c%"), .others = true}, 100), 0);
    cr_assert_eq(drop(&(pdr_state_filter){.prefix = text("client/12"), .others = true}, 100), 0);
}

Test(store_drop, at_most_so_many_go_at_once)
{
    fill();
    const pdr_state_filter all = {.others = true};
    cr_assert_eq(drop(&all, 4), 4);
    cr_assert_eq(drop(&all, 4), 2);
    cr_assert_eq(drop(&all, 4), 0);
}

Test(store_drop, heads_and_stamps_stay_and_owners_go_on)
{
    pdr_store *store = store_world_store(0);
    pdr_stamp stamp = claimed(store);
    pdr_head head = head_of("loan/1", 4, "state");
    stamp = save_head(store, stamp, &head);
    cr_assert_eq(drop(&(pdr_state_filter){.others = true}, 100), 1);
    const pdr_head *found = find_head(store, "loan/1", 1);
    cr_assert_not_null(found);
    cr_assert_eq(found->seq, 4);
    cr_assert_null(found->state.data);
    outcome o = do_load(store, 0);
    cr_assert(stamp_equal(&o.row.stamp, &stamp));
    head.seq = head.state_seq = 5;
    save_head(store, stamp, &head);
    expect_head(find_head(store, "loan/1", 1), &head);
}

Test(store_drop, too_many_revisions_or_no_limit_is_refused)
{
    uint64_t revisions[PDR_STORE_MAX_REVISIONS + 1] = {0}, dropped = 99;
    pdr_store *store = store_world_store(0);
    pdr_state_filter which = {.revisions = revisions, .revision_count = PDR_STORE_MAX_REVISIONS + 1};
    cr_assert_eq(store->ops->drop_states(store, &which, 1, &dropped, TIMEOUT_MS, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(dropped, 0);
    which.revision_count = PDR_STORE_MAX_REVISIONS;
    cr_assert_eq(store->ops->drop_states(store, &which, 0, &dropped, TIMEOUT_MS, NULL), PDR_INVALID_ARGUMENT);
    cr_assert_eq(store->ops->drop_states(store, &which, SIZE_MAX, &dropped, TIMEOUT_MS, NULL), PDR_OK);
}
