/* Claims about a batch that is submitted on top of another one, whose answer isn't there yet: it is carried
 * out only if that one is. */
#include "tests/contract/views_contract.h"

static void top_open(void)
{
    views_world_made();
    views_world_need_pipeline();
}

TestSuite(views_top, .init = top_open, .fini = views_world_close);

static made_batch *row_batch(const char *id, int32_t partition, int64_t from, int64_t to)
{
    made_batch *b = batch_of(partition, from, to);
    put_int(kinds_row(b, id), KIND_BIG, PDR_CELL_SET, to);
    return b;
}

static made_batch *bad_batch(int32_t partition, int64_t from, int64_t to)
{
    made_batch *b = row_batch("bad", partition, from, to);
    put_int(order_row(b, "a", 1), ORDER_TOP, PDR_CELL_SET, INT64_MAX);
    return b;
}

static void pile(outcome *o, outcome *first, const made_batch *b)
{
    pdr_error err = {0};
    cr_assert_eq(submit_on_top(o, first, views_world_at(0), b, &err), PDR_OK, "%s", err.message);
}

static void ended_as(const outcome *o, pdr_code code)
{
    outcome_wait(o);
    cr_assert_eq(o->code, code, "%s: %s", pdr_code_name(o->code), o->error.message);
}

Test(views_top, it_goes_through_behind_the_one_that_it_rests_on)
{
    outcome first = {0}, second = {0}, third = {0};
    submit(&first, views_world_at(0), &books, row_batch("a", 0, -1, 5));
    pile(&second, &first, row_batch("b", 0, 5, 7));
    pile(&third, &first, row_batch("c", 1, -1, 3));
    ended_as(&third, PDR_OK);
    cr_assert_eq(first.code, PDR_OK);
    cr_assert_eq(second.code, PDR_OK);
    cr_assert_eq(second.order, first.order + 1);
    cr_assert_str_eq(positions_text(1), "0 7 8 0 worker 'one'\n1 3 4 0 worker 'one'\n2 -1 0 0 \n");
}

Test(views_top, it_is_refused_when_the_values_of_the_one_below_are)
{
    outcome first = {0}, second = {0}, third = {0};
    submit(&first, views_world_at(0), &books, bad_batch(0, -1, 5));
    pile(&second, &first, row_batch("b", 1, -1, 7)); /* its own position would let it through */
    pile(&third, &first, row_batch("c", 1, 7, 9));
    ended_as(&first, PDR_BAD_DATA);
    ended_as(&second, PDR_STALE);
    ended_as(&third, PDR_STALE);
    cr_assert_str_eq(table_text(KINDS), "");
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
}

Test(views_top, it_is_refused_though_another_worker_brought_the_position_to_where_it_begins)
{
    outcome first = {0}, second = {0};
    outcome other = commit_of(views_world_at(1), row_batch("other", 0, -1, 5));
    cr_assert_eq(other.code, PDR_OK, "%s", other.error.message);
    submit(&first, views_world_at(0), &books, row_batch("a", 0, -1, 5));
    pile(&second, &first, row_batch("b", 0, 5, 7));
    ended_as(&first, PDR_STALE);
    ended_as(&second, PDR_STALE);
    cr_assert_str_eq(table_text(KINDS), "'other' NULL NULL 5 NULL NULL NULL NULL NULL NULL\n");
    cr_assert_str_eq(positions_text(1), "0 5 6 0 worker 'one'\n1 -1 0 0 \n2 -1 0 0 \n");
}

Test(views_top, its_own_refusal_leaves_the_one_below)
{
    outcome first = {0}, second = {0};
    submit(&first, views_world_at(0), &books, row_batch("a", 0, -1, 5));
    pile(&second, &first, bad_batch(0, 5, 7));
    ended_as(&first, PDR_OK);
    ended_as(&second, PDR_BAD_DATA);
    cr_assert_str_eq(positions_text(1), "0 5 6 0 worker 'one'\n1 -1 0 0 \n2 -1 0 0 \n");
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL 5 NULL NULL NULL NULL NULL NULL\n");
}

Test(views_top, after_a_refused_pile_the_next_batch_goes_through)
{
    outcome first = {0}, second = {0};
    submit(&first, views_world_at(0), &books, bad_batch(0, -1, 5));
    pile(&second, &first, row_batch("b", 0, 5, 7));
    ended_as(&second, PDR_STALE);
    committed(row_batch("a", 0, -1, 5));
    outcome third = {0}, fourth = {0};
    submit(&third, views_world_at(0), &books, row_batch("c", 0, 5, 8));
    pile(&fourth, &third, row_batch("d", 0, 8, 9));
    ended_as(&fourth, PDR_OK);
    cr_assert_eq(third.code, PDR_OK, "%s", third.error.message);
}

Test(views_top, a_blocking_operation_sees_the_whole_pile)
{
    outcome first = {0}, second = {0};
    submit(&first, views_world_at(0), &books, row_batch("a", 0, -1, 5));
    pile(&second, &first, row_batch("b", 0, 5, 7));
    cr_assert_str_eq(positions_text(1), "0 7 8 0 worker 'one'\n1 -1 0 0 \n2 -1 0 0 \n");
    ended_as(&second, PDR_OK);
}

Test(views_top, what_moves_no_position_or_rests_on_none_is_no_batch_on_top)
{
    outcome first = {0}, second = {0}, ended = {0}, late = {0};
    pdr_error err = {0};
    submit(&first, views_world_at(0), &books, row_batch("a", 0, -1, 5));
    cr_assert_eq(submit_on_top(&second, &first, views_world_at(0), batch_new(), &err), PDR_INVALID_ARGUMENT);
    ended_as(&first, PDR_OK);
    submit(&ended, views_world_at(0), &books, row_batch("a", 0, 5, 6));
    ended_as(&ended, PDR_OK);
    cr_assert_eq(submit_on_top(&late, &ended, views_world_at(0), row_batch("b", 0, 6, 7), &err),
                 PDR_INVALID_ARGUMENT);
}
