/* The simulated store without an owner. */
#include <criterion/criterion.h>

#include "backends/sim/sim_world.h"

typedef struct answer {
    size_t count;
    pdr_code code;
    pdr_partition_row row;
    size_t heads;
    uint64_t seq;
} answer;

static void on_done(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)tag;
    answer *a = context;
    a->count++;
    a->code = result->code;
    a->row = result->row;
    a->heads = result->head_count;
    if (result->head_count) a->seq = result->heads[0].seq;
}

static pdr_sim_world *world;
static pdr_store *store;

static void open_all(pdr_sim_fault fault, uint32_t chance)
{
    pdr_sim_options options = {.partitions = 1};
    pdr_sim_profile_init(&options.profile);
    if (fault < PDR_SIM_FAULT_COUNT) options.profile.chance[fault] = chance;
    cr_assert_eq(pdr_sim_world_open(&world, 1, &options, NULL), PDR_OK);
    cr_assert_eq(pdr_sim_store_open(&store, world, 0, NULL), PDR_OK);
}

static void close_all(void)
{
    store->ops->close(store);
    pdr_sim_world_close(world);
}

static void wait_for(const answer *a)
{
    size_t before = a->count;
    while (a->count == before && (store->ops->poll(store) || pdr_sim_world_step(world))) {
    }
    cr_assert_eq(a->count, before + 1);
}

static void do_save(answer *a, const pdr_stamp *expected, uint64_t seq, int64_t checkpoint)
{
    pdr_position at = {checkpoint, {0, 1}, (uint64_t)checkpoint};
    pdr_head head = {.key = pdr_bytes_of("k/1", 3),
                     .seq = seq,
                     .last = at,
                     .timer_us = PDR_NO_TIMER,
                     .revision = 1,
                     .state_seq = seq,
                     .state = pdr_bytes_of("s", 1)};
    pdr_save save = {.expected = *expected, .checkpoint = at, .seen = at, .heads = &head, .head_count = 1};
    cr_assert_eq(store->ops->save(store, 0, &save, on_done, a, 1, NULL), PDR_OK);
    wait_for(a);
}

static void do_claim(answer *a, int64_t term)
{
    pdr_claim claim = {.term = {term, 1}, .address = pdr_bytes_of("n", 1)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, on_done, a, 1, NULL), PDR_OK);
    wait_for(a);
}

Test(sim_store, a_save_goes_through_only_with_the_exact_triple)
{
    open_all(PDR_SIM_FAULT_COUNT, 0);
    answer a = {0};
    do_claim(&a, 5);
    cr_assert_eq(a.code, PDR_OK);
    pdr_stamp stamp = a.row.stamp;
    do_save(&a, &stamp, 3, 7);
    cr_assert_eq(a.code, PDR_OK);
    cr_assert_eq(a.row.stamp.saves, stamp.saves + 1);
    do_save(&a, &stamp, 4, 8);
    cr_assert_eq(a.code, PDR_STALE);
    do_claim(&a, 4);
    cr_assert_eq(a.code, PDR_STALE);
    cr_assert_eq(a.row.checkpoint.offset, 7);
    close_all();
}

Test(sim_store, goes_back_to_a_copy_of_before)
{
    open_all(PDR_SIM_store_back, 1000000);
    answer a = {0};
    do_claim(&a, 5);
    pdr_stamp first = a.row.stamp;
    do_save(&a, &first, 3, 7); /* kept as a copy */
    pdr_stamp second = a.row.stamp;
    do_save(&a, &second, 4, 8); /* carried out, then lost */
    cr_assert_eq(a.code, PDR_OK);
    cr_assert_eq(pdr_sim_store_row(world, 0)->checkpoint.offset, 7);
    static const uint64_t one = 1;
    pdr_lookup_key key = {pdr_bytes_of("k/1", 3), &one, 1};
    cr_assert_eq(store->ops->lookup(store, 0, &key, 1, on_done, &a, 1, NULL), PDR_OK);
    wait_for(&a);
    cr_assert_eq(a.heads, 1);
    cr_assert_eq(a.seq, 3);
    cr_assert_eq(pdr_sim_world_faults(world, PDR_SIM_store_back), 1);
    close_all();
}

Test(sim_store, an_unknown_outcome_may_be_carried_out_later)
{
    open_all(PDR_SIM_store_unknown_late, 1000000);
    answer a = {0};
    pdr_claim claim = {.term = {5, 1}, .address = pdr_bytes_of("n", 1)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, on_done, &a, 1, NULL), PDR_OK);
    wait_for(&a);
    cr_assert_eq(a.code, PDR_UNKNOWN_OUTCOME);
    while (pdr_sim_world_step(world)) {
    }
    cr_assert_eq(pdr_sim_store_row(world, 0)->stamp.term.offset, 5);
    close_all();
}

Test(sim_store, forgotten_operations_are_carried_out_without_a_word)
{
    open_all(PDR_SIM_FAULT_COUNT, 0);
    answer a = {0};
    pdr_claim claim = {.term = {5, 1}, .address = pdr_bytes_of("n", 1)};
    cr_assert_eq(store->ops->claim(store, 0, &claim, on_done, &a, 1, NULL), PDR_OK);
    store->ops->forget(store, &a);
    while (store->ops->poll(store) || pdr_sim_world_step(world)) {
    }
    cr_assert_eq(a.count, 0);
    cr_assert_eq(pdr_sim_store_row(world, 0)->stamp.term.offset, 5);
    close_all();
}

Test(sim_store, a_lost_store_comes_back_empty_under_another_id)
{
    open_all(PDR_SIM_store_lost, 1000000);
    answer a = {0};
    do_claim(&a, 5);
    pdr_stamp stamp = a.row.stamp;
    do_save(&a, &stamp, 3, 7);
    cr_assert_eq(pdr_sim_store_row(world, 0)->checkpoint.offset, -1);
    cr_assert_neq(memcmp(pdr_sim_store_row(world, 0)->stamp.store_id, stamp.store_id, PDR_ID_SIZE), 0);
    close_all();
}
