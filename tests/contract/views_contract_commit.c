/* Claims about batches as a whole: positions compared and moved with the rows, refusals that undo everything,
 * dead letters, requests, order, forgetting. */
#include "tests/contract/views_contract.h"

TestSuite(views_commit, .init = views_world_made, .fini = views_world_close);

#define START "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n"

static made_batch *row_batch(const char *id, int32_t partition, int64_t from, int64_t to)
{
    made_batch *b = batch_of(partition, from, to);
    put_int(kinds_row(b, id), KIND_BIG, PDR_CELL_SET, to);
    return b;
}

static void nothing_was_done(void)
{
    cr_assert_str_eq(table_text(KINDS), "");
    cr_assert_str_eq(letters_text(1, -1), "");
    cr_assert_str_eq(positions_text(1), START);
}

/* --- Positions --- */

Test(views_commit, positions_move_with_the_rows_and_count_events)
{
    made_batch *b = row_batch("a", 0, -1, 5);
    batch_move(b, 2, -1, 100);
    committed(b);
    cr_assert_str_eq(positions_text(1), "0 5 6 0 worker 'one'\n1 -1 0 0 \n2 100 101 0 worker 'one'\n");
    committed(row_batch("a", 0, 5, 7));
    cr_assert_str_eq(positions_text(1), "0 7 8 0 worker 'one'\n1 -1 0 0 \n2 100 101 0 worker 'one'\n");
}

Test(views_commit, a_position_moves_without_rows)
{
    committed(batch_of(1, -1, 3));
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 3 4 0 worker 'one'\n2 -1 0 0 \n");
}

static pdr_code time_of(void *context, const pdr_position_row *row, pdr_error *err)
{
    (void)err;
    if (row->partition == 0) *(int64_t *)context = row->event_time_us;
    return PDR_OK;
}

Test(views_commit, a_move_without_an_event_time_keeps_the_last)
{
    int64_t got = 0;
    pdr_views *views = views_world_at(0);
    made_batch *b = batch_of(0, -1, 3);
    b->moves[0].event_time_us = -5;
    committed(b);
    b = batch_of(0, 3, 4);
    b->moves[0].event_time_us = INT64_MIN;
    committed(b);
    cr_assert_eq(views->ops->positions(views, "books", 1, time_of, &got, NULL), PDR_OK);
    cr_assert_eq(got, -5);
}

Test(views_commit, a_position_elsewhere_is_stale_and_nothing_is_done)
{
    committed(batch_of(1, -1, 9));
    made_batch *b = row_batch("a", 0, -1, 5);
    batch_move(b, 1, 8, 12);
    park(b, 0, 4, "loan/1", "bad");
    outcome o = commit_of(views_world_at(1), b);
    cr_assert_eq(o.code, PDR_STALE, "%s", o.error.message);
    cr_assert_eq(o.partition, 1);
    cr_assert(pdr_position_equal(o.position, at(9)));
    cr_assert_not_null(strstr(o.error.message, "worker 'one'"), "%s", o.error.message);
    cr_assert_not_null(strstr(o.error.message, "partition 1"), "%s", o.error.message);
    cr_assert_str_eq(table_text(KINDS), "");
    cr_assert_str_eq(letters_text(1, -1), "");
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 9 10 0 worker 'one'\n2 -1 0 0 \n");
}

Test(views_commit, term_and_number_are_compared_beside_the_offset)
{
    committed(batch_of(0, -1, 9));
    for (int i = 0; i < 3; i++) {
        made_batch *b = row_batch("a", 0, 9, 12);
        if (i == 0) b->moves[0].from.term.offset++;
        if (i == 1) b->moves[0].from.term.incarnation++;
        if (i == 2) b->moves[0].from.number++;
        outcome o = commit_of(views_world_at(0), b);
        cr_assert_eq(o.code, PDR_STALE);
        cr_assert_eq(o.partition, 0);
        cr_assert(pdr_position_equal(o.position, at(9)));
    }
    committed(row_batch("a", 0, 9, 12));
}

Test(views_commit, a_partition_that_is_not_there_is_stale)
{
    outcome o = commit_of(views_world_at(0), row_batch("a", 3, -1, 5));
    cr_assert_eq(o.code, PDR_STALE, "%s", o.error.message);
    cr_assert_eq(o.partition, 3);
    nothing_was_done();
}

Test(views_commit, of_two_workers_on_one_partition_one_wins_each_batch)
{
    pdr_views *one = views_world_at(0), *two = views_world_at(1);
    for (int64_t from = -1; from < 20; from++) {
        outcome a = {0}, b = {0};
        submit(&a, one, &books, row_batch("a", 0, from, from + 1));
        submit(&b, two, &books, row_batch("b", 0, from, from + 1));
        outcome_wait(&a);
        outcome_wait(&b);
        cr_assert_neq(a.code == PDR_OK, b.code == PDR_OK);
        const outcome *loser = a.code == PDR_OK ? &b : &a;
        cr_assert_eq(loser->code, PDR_STALE, "%s: %s", pdr_code_name(loser->code), loser->error.message);
        cr_assert(pdr_position_equal(loser->position, at(from + 1)));
    }
}

Test(views_commit, workers_on_other_partitions_all_win)
{
    outcome o[3] = {{0}};
    for (int64_t from = -1; from < 20; from++) {
        memset(o, 0, sizeof o);
        for (int32_t p = 0; p < 3; p++) {
            made_batch *b = batch_of(p, from, from + 1);
            put_int(shared_row(b, 1, "x"), SHARED_COUNT, PDR_CELL_ADD, 1);
            put_int(shared_row(b, 2, "y"), SHARED_COUNT, PDR_CELL_ADD, p);
            submit(&o[p], views_world_at((size_t)p), &books, b);
        }
        for (int32_t p = 0; p < 3; p++) {
            outcome_wait(&o[p]);
            cr_assert_eq(o[p].code, PDR_OK, "%s", o[p].error.message);
        }
    }
    cr_assert_str_eq(table_text(SHARED), "1 'x' 63 NULL NULL\n2 'y' 63 NULL NULL\n");
}

/* --- Refusals --- */

/* A whole batch with a bad step 2. */
static made_batch *with_bad_row(pdr_row_change **bad)
{
    made_batch *b = row_batch("a", 0, -1, 5);
    put_int(shared_row(b, 1, "x"), SHARED_COUNT, PDR_CELL_ADD, 1);
    *bad = order_row(b, "a", 1);
    put_text(*bad, ORDER_USER, "u");
    (void)kinds_row(b, "after");
    park(b, 0, 4, "loan/1", "bad");
    return b;
}

static void bad_step(const made_batch *b, pdr_code code, size_t step)
{
    outcome o = commit_of(views_world_at(0), b);
    cr_assert_eq(o.code, code, "%s: %s", pdr_code_name(o.code), o.error.message);
    cr_assert_eq(o.step, step);
    nothing_was_done();
    cr_assert_str_eq(table_text(SHARED), "");
}

Test(views_commit, null_where_none_may_be_undoes_the_batch_and_names_the_step)
{
    pdr_row_change *row;
    made_batch *b = with_bad_row(&row);
    put(row, ORDER_USER, PDR_CELL_SET, PDR_CELL_NULL);
    bad_step(b, PDR_BAD_DATA, 2);
}

Test(views_commit, numbers_out_of_range_undo_the_batch_and_name_the_step)
{
    static const struct {
        size_t column;
        pdr_cell_mode mode;
        int64_t value;
    } bad[] = {{ORDER_TOP, PDR_CELL_SET, INT32_MAX + INT64_C(1)},
               {ORDER_TOP, PDR_CELL_GREATEST, INT64_MIN},
               {ORDER_AMOUNT, PDR_CELL_SET, 1000000},
               {ORDER_AMOUNT, PDR_CELL_ADD, -1000000},
               {ORDER_FROM5, PDR_CELL_ADD, INT32_MAX - 4},
               {ORDER_FROM5, PDR_CELL_ADD, INT64_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pdr_row_change *row;
        made_batch *b = with_bad_row(&row);
        put_int(row, bad[i].column, bad[i].mode, bad[i].value);
        bad_step(b, PDR_BAD_DATA, 2);
    }
}

Test(views_commit, dates_and_times_out_of_range_undo_the_batch_and_name_the_step)
{
    static const struct {
        size_t column;
        int64_t value;
    } bad[] = {{KIND_DAY, -2440589},    {KIND_DAY, INT64_C(2145042906)},
               {KIND_DAY, INT64_MAX},   {KIND_AT, INT64_C(-210866803200000001)},
               {KIND_AT, INT64_MIN},    {KIND_AT, INT64_C(9223371331200000000)},
               {KIND_SMALL, INT64_MAX}, {KIND_NUM, INT64_C(1000000000000000000)}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        made_batch *b = batch_of(0, -1, 5);
        put_int(kinds_row(b, "a"), bad[i].column, PDR_CELL_SET, bad[i].value);
        bad_step(b, PDR_BAD_DATA, 0);
    }
}

Test(views_commit, sums_out_of_range_undo_the_batch_and_name_the_step)
{
    static const struct {
        size_t column;
        pdr_cell first, more;
    } bad[] = {{ORDER_TOTAL, {.as.integer = INT64_MAX}, {.as.integer = 1}},
               {ORDER_TOTAL, {.as.integer = INT64_MIN}, {.as.integer = -1}},
               {ORDER_AMOUNT, {.as.integer = 999999}, {.as.integer = 1}},
               {ORDER_FROM5, {.as.integer = INT32_MAX}, {.as.integer = 1}},
               {ORDER_SUM, {.as.real = 1.7e308}, {.as.real = 1.7e308}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        made_batch *b = batch_of(1, (int64_t)i - 1, (int64_t)i);
        pdr_row_change *row = order_row(b, "first", 1);
        put_text(row, ORDER_USER, "u");
        put(row, bad[i].column, PDR_CELL_SET, bad[i].first);
        committed(b);
        char *before = table_text(ORDER);
        b = row_batch("a", 0, -1, 5);
        row = order_row(b, "first", 1);
        put(row, bad[i].column, PDR_CELL_ADD, bad[i].more);
        outcome o = commit_of(views_world_at(0), b);
        cr_assert_eq(o.code, PDR_BAD_DATA, "%zu: %s: %s", i, pdr_code_name(o.code), o.error.message);
        cr_assert_eq(o.step, 1);
        cr_assert_str_eq(table_text(ORDER), before);
        cr_assert_str_eq(table_text(KINDS), "");
    }
}

Test(views_commit, text_that_is_none_undoes_the_batch_and_names_the_step)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"a\0b", 3},         {"\xff", 1},     {"\xc3", 1},
               {"\xed\xa0\x80", 3}, {"\xc0\x80", 2}, {"\xf4\x90\x80\x80", 4}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        pdr_row_change *row;
        made_batch *b = with_bad_row(&row);
        put(row, ORDER_USER, PDR_CELL_SET, pdr_cell_bytes(pdr_bytes_of(bad[i].bytes, bad[i].size)));
        bad_step(b, PDR_BAD_DATA, 2);
    }
}

Test(views_commit, a_constraint_of_an_index_undoes_the_batch_and_names_the_step)
{
    views_world_need_sql();
    pdr_row_change *row;
    made_batch *b = with_bad_row(&row);
    put_text(row, ORDER_LOW, "same");
    row = order_row(b, "b", 1); /* step 4 */
    put_text(row, ORDER_USER, "u");
    put_text(row, ORDER_LOW, "same");
    bad_step(b, PDR_BAD_DATA, 4);
}

Test(views_commit, a_statement_s_bad_value_undoes_the_batch_and_names_the_step)
{
    views_world_need_sql();
    made_batch *b = row_batch("a", 0, -1, 5);
    (void)statement(b, "INSERT INTO {order} (id, n) VALUES ('a', 1)"); /* without user */
    (void)kinds_row(b, "after");
    bad_step(b, PDR_BAD_DATA, 1);
}

Test(views_commit, a_statement_that_is_wrong_is_a_bad_view_and_names_the_step)
{
    views_world_need_sql();
    static const char *const bad[] = {"UPDATE {order} SET nowhere = 1", "SELECT * FROM nowhere",
                                      "INSERT nonsense", "SELECT no_function(1)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        made_batch *b = row_batch("a", 0, -1, 5);
        (void)statement(b, bad[i]);
        bad_step(b, PDR_BAD_VIEW, 1);
    }
    committed(row_batch("a", 0, -1, 5));
}

Test(views_commit, after_a_refusal_the_next_batch_goes_through)
{
    pdr_row_change *row;
    made_batch *b = with_bad_row(&row);
    put(row, ORDER_USER, PDR_CELL_SET, PDR_CELL_NULL);
    outcome bad = {0}, after = {0}, stale = {0};
    pdr_views *views = views_world_at(0);
    submit(&bad, views, &books, b);
    submit(&stale, views, &books, row_batch("a", 0, 5, 6)); /* follows the refused one */
    submit(&after, views, &books, row_batch("a", 0, -1, 6));
    outcome_wait(&after);
    cr_assert_eq(bad.code, PDR_BAD_DATA);
    cr_assert_eq(stale.code, PDR_STALE, "%s: %s", pdr_code_name(stale.code), stale.error.message);
    cr_assert_eq(after.code, PDR_OK, "%s", after.error.message);
    cr_assert(bad.order < stale.order && stale.order < after.order);
}

static void damaged(damage what)
{
    pdr_error err = {0};
    if (!views_world_subject()->damage) cr_skip_test("nobody else alters tables");
    cr_assert_eq(views_world_subject()->damage(views_world_place(), what, &err), PDR_OK, "%s", err.message);
}

static void order_is_bad(int64_t from)
{
    for (size_t i = 0; i < 2; i++) { /* with statements known from before, and without */
        made_batch *b = row_batch("b", 0, from, 5);
        pdr_row_change *row = order_row(b, "a", 1);
        put_text(row, ORDER_USER, "u");
        put_int(row, ORDER_AMOUNT, PDR_CELL_ADD, 1);
        outcome o = commit_of(views_world_at(i), b);
        cr_assert_eq(o.code, PDR_BAD_VIEW, "%s: %s", pdr_code_name(o.code), o.error.message);
        cr_assert_eq(o.step, 1);
        cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL 1 NULL NULL NULL NULL NULL NULL\n");
    }
}

static void order_works(void)
{
    made_batch *b = row_batch("a", 0, -1, 1);
    pdr_row_change *row = order_row(b, "a", 1);
    put_text(row, ORDER_USER, "u");
    put_int(row, ORDER_AMOUNT, PDR_CELL_ADD, 1);
    committed(b);
}

Test(views_commit, a_table_that_was_dropped_is_a_bad_view)
{
    order_works();
    damaged(DAMAGE_DROP_TABLE);
    order_is_bad(1);
}

Test(views_commit, a_column_that_was_dropped_is_a_bad_view)
{
    order_works();
    damaged(DAMAGE_DROP_COLUMN);
    order_is_bad(1);
}

Test(views_commit, a_column_of_another_type_is_a_bad_view)
{
    order_works();
    damaged(DAMAGE_RETYPE);
    order_is_bad(1);
}

Test(views_commit, a_fetch_from_a_table_that_was_dropped_is_a_bad_view)
{
    const pdr_cell key[2] = {text_cell("a"), pdr_cell_integer(1)}, *keys[] = {key};
    cr_assert_eq(fetch_of(views_world_at(0), ORDER, keys, 1).code, PDR_OK);
    damaged(DAMAGE_DROP_TABLE);
    for (size_t i = 0; i < 2; i++) {
        outcome o = fetch_of(views_world_at(i), ORDER, keys, 1);
        cr_assert_eq(o.code, PDR_BAD_VIEW, "%s: %s", pdr_code_name(o.code), o.error.message);
    }
}

Test(views_commit, a_lock_that_another_holds_ends_a_batch_as_locked)
{
    pdr_error err = {0};
    const pdr_views_subject *subject = views_world_subject();
    if (!subject->lock) cr_skip_test("nobody else locks");
    cr_assert_eq(subject->lock(views_world_place(), &err), PDR_OK, "%s", err.message);
    outcome o = commit_of(views_world_at(2), row_batch("a", 0, -1, 5));
    cr_assert_eq(o.code, PDR_LOCKED, "%s: %s", pdr_code_name(o.code), o.error.message);
    subject->unlock(views_world_place());
    nothing_was_done();
    committed(row_batch("a", 0, -1, 5));
}

/* --- Dead letters and requests --- */

Test(views_commit, dead_letters_are_kept_with_the_batch_and_listed_by_partition_and_offset)
{
    made_batch *b = batch_of(1, -1, 20);
    batch_move(b, 0, -1, 9);
    park(b, 1, 12, "loan/it's", "");
    park(b, 1, 3, "loan/2", "column x: \"bad\"\nsecond line");
    park(b, 0, 8, "loan/3", "why");
    b->park[0].behind = true;
    committed(b);
    cr_assert_str_eq(letters_text(1, -1), "0 8 loan/3 16 0 1 1000 2000 why\n"
                                          "1 3 loan/2 6 0 1 1000 2000 column x: \"bad\"\nsecond line\n"
                                          "1 12 loan/it's 24 1 1 1000 2000 \n");
    cr_assert_str_eq(letters_text(1, 0), "0 8 loan/3 16 0 1 1000 2000 why\n");
    cr_assert_str_eq(letters_text(1, 2), "");
    cr_assert_str_eq(letters_text(2, -1), "");
    cr_assert_str_eq(positions_text(1), "0 9 10 1 worker 'one'\n1 20 21 2 worker 'one'\n2 -1 0 0 \n");
}

Test(views_commit, parking_again_replaces_what_is_known_of_the_last_attempt)
{
    made_batch *b = batch_of(0, -1, 5);
    park(b, 0, 3, "loan/1", "first");
    b->park[0].behind = true;
    committed(b);
    b = batch_of(0, 5, 6);
    park(b, 0, 3, "loan/1", "second");
    b->park[0].attempts = 2;
    b->park[0].first_us = 1500;
    b->park[0].last_us = 3000;
    committed(b);
    cr_assert_str_eq(letters_text(1, -1), "0 3 loan/1 6 0 2 1000 3000 second\n");
}

Test(views_commit, unparked_letters_go)
{
    made_batch *b = batch_of(0, -1, 5);
    park(b, 0, 3, "loan/1", "a");
    park(b, 0, 4, "loan/1", "b");
    park(b, 1, 3, "loan/2", "c");
    committed(b);
    b = batch_of(0, 5, 6);
    unpark(b, 0, 3);
    committed(b);
    cr_assert_str_eq(letters_text(1, -1), "0 4 loan/1 8 0 1 1000 2000 b\n1 3 loan/2 6 0 1 1000 2000 c\n");
    b = batch_of(0, 6, 7);
    unpark(b, 0, 4);
    park(b, 0, 4, "loan/1", "parked anew");
    committed(b);
    cr_assert_str_eq(letters_text(1, 0), "0 4 loan/1 8 0 1 1000 2000 parked anew\n");
}

/* A retry moves no position: only this keeps two workers from carrying out the same one. */
Test(views_commit, a_letter_that_is_not_there_any_more_is_stale_and_nothing_is_done)
{
    made_batch *b = batch_of(0, -1, 5);
    park(b, 0, 3, "loan/1", "a");
    committed(b);
    b = row_batch("a", 0, 5, 5);
    unpark(b, 0, 3);
    committed(b);
    b = row_batch("b", 0, 5, 5);
    unpark(b, 0, 3);
    outcome o = commit_of(views_world_at(1), b);
    cr_assert_eq(o.code, PDR_STALE, "%s: %s", pdr_code_name(o.code), o.error.message);
    cr_assert_eq(o.partition, 0);
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL 5 NULL NULL NULL NULL NULL NULL\n");
}

Test(views_commit, a_reason_that_is_not_text_is_kept_as_far_as_it_is)
{
    made_batch *b = batch_of(0, -1, 5);
    park(b, 0, 3, "loan/1", "cut \xc3\xa4 off \xe2\x82");
    committed(b);
    cr_assert_str_eq(letters_text(1, -1), "0 3 loan/1 6 0 1 1000 2000 cut \xc3\xa4 off ??\n");
}

Test(views_commit, requests_are_listed_oldest_first_and_end_with_the_batch_that_carries_them_out)
{
    pdr_views *views = views_world_at(0);
    static const pdr_request_row wishes[] = {
        {.kind = PDR_REQUEST_SKIP, .partition = 2, .entity = {(const uint8_t *)"loan/it's", 9}},
        {.kind = PDR_REQUEST_RETRY, .partition = 0, .entity = {(const uint8_t *)"loan/2", 6}},
        {.kind = PDR_REQUEST_RETRY, .partition = 2, .entity = {(const uint8_t *)"loan/3", 6}}};
    uint64_t ids[8];
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(views->ops->request(views, "books", 1, &wishes[i], 60000, NULL), PDR_OK);
    cr_assert_str_eq(requests_text(1, -1, ids), "skip 2 loan/it's\nretry 0 loan/2\nretry 2 loan/3\n");
    cr_assert_str_eq(requests_text(1, 2, NULL), "skip 2 loan/it's\nretry 2 loan/3\n");
    made_batch *b = batch_of(2, 4, 5); /* stale: the request stays */
    b->requests[b->batch.request_count++] = ids[2];
    cr_assert_eq(commit_of(views, b).code, PDR_STALE);
    cr_assert_str_eq(requests_text(1, 2, NULL), "skip 2 loan/it's\nretry 2 loan/3\n");
    b = batch_of(2, -1, 5);
    b->requests[b->batch.request_count++] = ids[0];
    b->requests[b->batch.request_count++] = ids[2];
    committed(b);
    cr_assert_str_eq(requests_text(1, -1, NULL), "retry 0 loan/2\n");
}

/* --- Order, forgetting --- */

Test(views_commit, operations_are_carried_out_in_the_order_of_submission)
{
    outcome o[6] = {{0}};
    const pdr_cell key = text_cell("a"), *keys[] = {&key};
    pdr_views *views = views_world_at(0);
    for (int64_t i = 0; i < 3; i++) {
        submit(&o[2 * i], views, &books, row_batch("a", 0, i - 1, i));
        submit_fetch(&o[2 * i + 1], views, KINDS, keys, 1);
    }
    outcome_wait(&o[5]);
    for (size_t i = 0; i < 6; i++) {
        cr_assert_eq(o[i].code, PDR_OK, "%s", o[i].error.message);
        if (i) cr_assert_eq(o[i].order, o[i - 1].order + 1);
    }
    cr_assert_str_eq(o[1].rows, "'a' NULL NULL 0 NULL NULL NULL NULL NULL NULL\n");
    cr_assert_str_eq(o[3].rows, "'a' NULL NULL 1 NULL NULL NULL NULL NULL NULL\n");
    cr_assert_str_eq(o[5].rows, "'a' NULL NULL 2 NULL NULL NULL NULL NULL NULL\n");
}

Test(views_commit, a_blocking_operation_sees_what_was_submitted_before_it)
{
    outcome o = {0};
    pdr_views *views = views_world_at(0);
    submit(&o, views, &books, row_batch("a", 0, -1, 5));
    cr_assert_str_eq(positions_text(1), "0 5 6 0 worker 'one'\n1 -1 0 0 \n2 -1 0 0 \n");
    cr_assert_eq(o.times, 0);
    outcome_wait(&o);
    cr_assert_eq(o.code, PDR_OK);
}

static void submit_next(outcome *done)
{
    cr_assert_eq(done->code, PDR_OK, "%s", done->error.message);
    submit(done->other, views_world_at(0), &books, row_batch("b", 0, 5, 6));
}

Test(views_commit, a_completion_may_submit)
{
    outcome second = {0}, first = {.then = submit_next, .other = &second};
    submit(&first, views_world_at(0), &books, row_batch("a", 0, -1, 5));
    outcome_wait(&first);
    outcome_wait(&second);
    cr_assert_eq(second.code, PDR_OK, "%s", second.error.message);
}

Test(views_commit, what_is_forgotten_does_not_complete_and_others_do)
{
    outcome gone = {0}, also = {0}, stays = {0};
    const pdr_cell key = text_cell("a"), *keys[] = {&key};
    pdr_views *views = views_world_at(0);
    submit(&gone, views, &books, row_batch("a", 0, -1, 5));
    submit_fetch(&also, views, KINDS, keys, 1);
    submit(&stays, views, &books, row_batch("b", 1, -1, 5));
    (void)views->ops->poll(views);
    views->ops->forget(views, &gone);
    views->ops->forget(views, &also);
    size_t before = gone.times + also.times;
    outcome_wait(&stays);
    cr_assert_eq(stays.code, PDR_OK, "%s", stays.error.message);
    cr_assert_eq(gone.times + also.times, before);
}

Test(views_commit, what_was_given_is_copied)
{
    outcome o = {0};
    made_batch *b = row_batch("a", 0, -1, 5);
    park(b, 0, 4, "loan/1", "bad");
    submit(&o, views_world_at(0), &books, b);
    pdr_row_change *row = (pdr_row_change *)(uintptr_t)b->steps[0].rows;
    put_int(row, KIND_BIG, PDR_CELL_SET, 666);
    memset(b, 0x55, sizeof *b);
    outcome_wait(&o);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL 5 NULL NULL NULL NULL NULL NULL\n");
    cr_assert_str_eq(letters_text(1, -1), "0 4 loan/1 8 0 1 1000 2000 bad\n");
}

Test(views_commit, an_empty_batch_goes_through)
{
    committed(batch_new());
    nothing_was_done();
}
