/* Claims about rows: every mode, new rows and known ones, shared tables, statements, fetch. */
#include <math.h>
#include <stdio.h>

#include "tests/contract/views_contract.h"

TestSuite(views_rows, .init = views_world_made, .fini = views_world_close);

/* A row of `order` as others find it: user only. */
static pdr_row_change *new_order(made_batch *b, const char *id)
{
    pdr_row_change *row = order_row(b, id, 1);
    put_text(row, ORDER_USER, "u");
    return row;
}

static void order_is(const char *wanted)
{
    char *got = table_text(ORDER);
    cr_assert_str_eq(got, wanted, "got %s", got);
}

#define STATUS "'it's \\new'"

/* --- Modes --- */

Test(views_rows, a_new_row_has_the_initial_value_of_each_column_that_is_not_set)
{
    made_batch *b = next_batch();
    (void)new_order(b, "a");
    committed(b);
    order_is("'a' 1 'u' 0 NULL NULL 0 0 5 " STATUS "\n");
}

Test(views_rows, a_row_that_changes_nothing_is_made_and_later_left_alone)
{
    made_batch *b = next_batch();
    (void)kinds_row(b, "a");
    committed(b);
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL NULL NULL NULL NULL NULL NULL NULL\n");
    b = next_batch();
    put_int(kinds_row(b, "a"), KIND_BIG, PDR_CELL_SET, 4);
    committed(b);
    b = next_batch();
    (void)kinds_row(b, "a");
    committed(b);
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL 4 NULL NULL NULL NULL NULL NULL\n");
}

Test(views_rows, columns_that_are_kept_stay_even_those_that_must_be_given_in_a_new_row)
{
    made_batch *b = next_batch();
    put_int(new_order(b, "a"), ORDER_TOTAL, PDR_CELL_SET, 3);
    committed(b);
    b = next_batch();
    put_int(order_row(b, "a", 1), ORDER_TOP, PDR_CELL_SET, 9); /* without `user` */
    committed(b);
    order_is("'a' 1 'u' 3 9 NULL 0 0 5 " STATUS "\n");
    b = next_batch();
    put_int(order_row(b, "new", 1), ORDER_TOP, PDR_CELL_SET, 9);
    outcome o = commit_of(views_world_at(0), b);
    cr_assert_eq(o.code, PDR_BAD_DATA, "%s", o.error.message);
    order_is("'a' 1 'u' 3 9 NULL 0 0 5 " STATUS "\n");
}

Test(views_rows, kept_and_added_columns_of_a_row_that_must_be_complete_when_new)
{
    made_batch *b = next_batch();
    (void)new_order(b, "a");
    committed(b);
    b = next_batch();
    pdr_row_change *row = order_row(b, "a", 1);
    put_int(row, ORDER_TOTAL, PDR_CELL_ADD, 4);
    put_int(row, ORDER_FROM5, PDR_CELL_ADD, -2);
    put_int(row, ORDER_TOP, PDR_CELL_GREATEST, 6);
    committed(b);
    order_is("'a' 1 'u' 4 6 NULL 0 0 3 " STATUS "\n");
}

Test(views_rows, add_begins_at_the_initial_value_and_goes_on_from_the_row)
{
    for (int i = 0; i < 3; i++) {
        made_batch *b = next_batch();
        pdr_row_change *row = new_order(b, "a");
        put_int(row, ORDER_TOTAL, PDR_CELL_ADD, 10 - 15 * i);
        put_int(row, ORDER_AMOUNT, PDR_CELL_ADD, 125 - 200 * i);
        put(row, ORDER_SUM, PDR_CELL_ADD, real_cell(0.5));
        put_int(row, ORDER_FROM5, PDR_CELL_ADD, -3);
        committed(b);
        static const char *const wanted[] = {"'a' 1 'u' 10 NULL NULL 125 0.5 2 " STATUS "\n",
                                             "'a' 1 'u' 5 NULL NULL 50 1 -1 " STATUS "\n",
                                             "'a' 1 'u' -15 NULL NULL -225 1.5 -4 " STATUS "\n"};
        order_is(wanted[i]);
    }
}

Test(views_rows, null_plus_something_is_null)
{
    made_batch *b = next_batch();
    pdr_row_change *row = new_order(b, "a");
    put(row, ORDER_SUM, PDR_CELL_SET, PDR_CELL_NULL);
    committed(b);
    b = next_batch();
    put(new_order(b, "a"), ORDER_SUM, PDR_CELL_ADD, real_cell(1));
    committed(b);
    order_is("'a' 1 'u' 0 NULL NULL 0 NULL 5 " STATUS "\n");
    b = next_batch();
    put(new_order(b, "b"), ORDER_SUM, PDR_CELL_ADD, PDR_CELL_NULL);
    committed(b);
    order_is("'a' 1 'u' 0 NULL NULL 0 NULL 5 " STATUS "\n'b' 1 'u' 0 NULL NULL 0 NULL 5 " STATUS "\n");
}

Test(views_rows, greatest_and_least_pass_over_null)
{
    static const struct {
        bool null;
        int64_t top;
        const char *low, *wanted;
    } steps[] = {{true, 0, NULL, "NULL NULL"}, {false, 5, "m", "5 'm'"},  {true, 0, NULL, "5 'm'"},
                 {false, 4, "z", "5 'm'"},     {false, -9, "b", "5 'b'"}, {false, 70, "", "70 ''"}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char wanted[100];
        made_batch *b = next_batch();
        pdr_row_change *row = new_order(b, "a");
        put(row, ORDER_TOP, PDR_CELL_GREATEST,
            steps[i].null ? PDR_CELL_NULL : pdr_cell_integer(steps[i].top));
        put(row, ORDER_LOW, PDR_CELL_LEAST, steps[i].low ? text_cell(steps[i].low) : PDR_CELL_NULL);
        committed(b);
        snprintf(wanted, sizeof wanted, "'a' 1 'u' 0 %s 0 0 5 " STATUS "\n", steps[i].wanted);
        order_is(wanted);
    }
}

Test(views_rows, rows_that_change_other_columns_in_other_ways_go_together_in_one_step)
{
    made_batch *b = next_batch();
    (void)new_order(b, "gone");
    (void)new_order(b, "kept");
    committed(b);
    b = next_batch();
    put_int(new_order(b, "add"), ORDER_TOTAL, PDR_CELL_ADD, 1);
    (void)removed(order_row(b, "gone", 1));
    put_int(order_row(b, "kept", 1), ORDER_TOTAL, PDR_CELL_SET, 2);
    (void)removed(order_row(b, "nobody", 1));
    put_int(new_order(b, "top"), ORDER_TOP, PDR_CELL_GREATEST, 3);
    put_int(new_order(b, "twice"), ORDER_TOTAL, PDR_CELL_ADD, 4);
    cr_assert_eq(b->batch.step_count, 1);
    committed(b);
    order_is("'add' 1 'u' 1 NULL NULL 0 0 5 " STATUS "\n'kept' 1 'u' 2 NULL NULL 0 0 5 " STATUS
             "\n'top' 1 'u' 0 3 NULL 0 0 5 " STATUS "\n'twice' 1 'u' 4 NULL NULL 0 0 5 " STATUS "\n");
}

Test(views_rows, steps_of_one_batch_see_each_other)
{
    made_batch *b = next_batch();
    (void)new_order(b, "a");
    (void)kinds_row(b, "between");
    put_int(order_row(b, "a", 1), ORDER_TOTAL, PDR_CELL_ADD, 5);
    (void)kinds_row(b, "again");
    (void)removed(order_row(b, "a", 1));
    (void)kinds_row(b, "last");
    put_int(new_order(b, "a"), ORDER_TOTAL, PDR_CELL_ADD, 1);
    cr_assert_eq(b->batch.step_count, 7);
    committed(b);
    order_is("'a' 1 'u' 1 NULL NULL 0 0 5 " STATUS "\n");
}

/* --- Shared tables --- */

Test(views_rows, shared_rows_take_deltas_from_every_partition)
{
    for (int32_t partition = 0; partition < 3; partition++) {
        made_batch *b = batch_of(partition, -1, 5);
        pdr_row_change *row = shared_row(b, 100, "x");
        put_int(row, SHARED_COUNT, PDR_CELL_ADD, 2);
        put_int(row, SHARED_MOST, PDR_CELL_GREATEST, partition == 1 ? 50 : partition);
        if (partition) put_int(row, SHARED_FIRST, PDR_CELL_LEAST, 1000 * partition);
        row = shared_row(b, 101, "y");
        if (partition == 2) put_int(row, SHARED_COUNT, PDR_CELL_ADD, -1);
        committed(b);
    }
    cr_assert_str_eq(table_text(SHARED), "100 'x' 6 50 1000\n101 'y' -1 NULL NULL\n");
}

Test(views_rows, rows_of_a_shared_table_that_change_other_columns)
{
    made_batch *b = next_batch();
    put_int(shared_row(b, 1, "count"), SHARED_COUNT, PDR_CELL_ADD, 2);
    put_int(shared_row(b, 2, "first"), SHARED_FIRST, PDR_CELL_LEAST, 7);
    put_int(shared_row(b, 3, "most"), SHARED_MOST, PDR_CELL_GREATEST, -4);
    (void)shared_row(b, 4, "none");
    committed(b);
    cr_assert_str_eq(table_text(SHARED), "1 'count' 2 NULL NULL\n2 'first' 0 NULL 7\n"
                                         "3 'most' 0 -4 NULL\n4 'none' 0 NULL NULL\n");
    b = next_batch();
    put_int(shared_row(b, 1, "count"), SHARED_MOST, PDR_CELL_GREATEST, 1);
    put_int(shared_row(b, 2, "first"), SHARED_COUNT, PDR_CELL_ADD, 3);
    committed(b);
    cr_assert_str_eq(table_text(SHARED), "1 'count' 2 1 NULL\n2 'first' 3 NULL 7\n"
                                         "3 'most' 0 -4 NULL\n4 'none' 0 NULL NULL\n");
}

/* --- Statements --- */

Test(views_rows, statements_see_rows_before_them_and_rows_after_see_statements)
{
    views_world_need_sql();
    made_batch *b = next_batch();
    put_int(new_order(b, "a"), ORDER_TOTAL, PDR_CELL_ADD, 5);
    pdr_view_step *s =
        statement(b, "UPDATE {order} SET total = total * $1, low = $2 WHERE id = $3 AND $4 IS NULL");
    statement_int(s, 3);
    statement_text(s, "it's");
    statement_text(s, "a");
    statement_text(s, NULL);
    put_int(order_row(b, "a", 1), ORDER_TOTAL, PDR_CELL_ADD, 1);
    (void)statement(b, "INSERT INTO {kinds} (id, big) SELECT id, total FROM {order}");
    committed(b);
    order_is("'a' 1 'u' 16 NULL 'it's' 0 0 5 " STATUS "\n");
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL 16 NULL NULL NULL NULL NULL NULL\n");
}

Test(views_rows, a_statement_with_parameters_of_every_type)
{
    views_world_need_sql();
    static const pdr_column_type types[] = {PDR_COLUMN_BOOLEAN, PDR_COLUMN_INTEGER,    PDR_COLUMN_BIGINT,
                                            PDR_COLUMN_DOUBLE,  PDR_COLUMN_TEXT,       PDR_COLUMN_BYTEA,
                                            PDR_COLUMN_DATE,    PDR_COLUMN_TIMESTAMPTZ};
    const pdr_cell cells[] = {{.as.boolean = true},
                              pdr_cell_integer(INT32_MIN),
                              pdr_cell_integer(INT64_MAX),
                              real_cell(0.1),
                              text_cell(""),
                              pdr_cell_bytes(pdr_bytes_of("\0", 1)),
                              pdr_cell_integer(-1),
                              pdr_cell_integer(-1)};
    made_batch *b = next_batch();
    pdr_view_step *s = statement(b, "INSERT INTO {kinds} (id, flag, small, big, real, word, raw, day, at)"
                                    " VALUES ('a', $1, $2, $3, $4, $5, $6, $7, $8)");
    s->parameters = cells;
    s->parameter_types = types;
    s->parameter_count = 8;
    committed(b);
    cr_assert_str_eq(table_text(KINDS),
                     "'a' true -2147483648 9223372036854775807 NULL 0.10000000000000001 '' x00 -1 -1\n");
}

Test(views_rows, a_statement_that_would_end_the_transaction_is_refused)
{
    views_world_need_sql();
    static const char *const bad[] = {"COMMIT",
                                      " /* x */ rollback",
                                      "-- x\nBEGIN",
                                      "savepoint a",
                                      "END",
                                      "abort",
                                      "START TRANSACTION",
                                      "",
                                      "  ",
                                      "CREATE TABLE x (a integer)",
                                      "DO $$ begin end $$",
                                      "SET search_path = x",
                                      "/* never closed",
                                      "INSERT INTO {nowhere} VALUES (1)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        made_batch *b = batch_of(0, -1, 5);
        outcome o = {0};
        pdr_error err = {0};
        (void)statement(b, bad[i]);
        pdr_views *views = views_world_at(0);
        pdr_code code = views->ops->commit(views, &books, "w", &b->batch, NULL, &o, 1, &err);
        cr_assert_eq(code, PDR_BAD_VIEW, "%s: %s", bad[i], pdr_code_name(code));
        cr_assert(err.message[0]);
    }
    cr_assert_str_eq(positions_text(1), "0 -1 0 0 \n1 -1 0 0 \n2 -1 0 0 \n");
}

/* --- Fetch --- */

Test(views_rows, fetch_gives_the_rows_that_are_there_with_all_their_columns)
{
    made_batch *b = next_batch();
    (void)new_order(b, "a");
    put_int(new_order(b, "b"), ORDER_TOTAL, PDR_CELL_SET, 4);
    (void)new_order(b, "not asked for");
    committed(b);
    const pdr_cell a[2] = {text_cell("a"), pdr_cell_integer(1)},
                   bb[2] = {text_cell("b"), pdr_cell_integer(1)},
                   none[2] = {text_cell("a"), pdr_cell_integer(2)};
    const pdr_cell *keys[] = {none, bb, a};
    outcome o = fetch_of(views_world_at(1), ORDER, keys, 3);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert_str_eq(o.rows,
                     "'a' 1 'u' 0 NULL NULL 0 0 5 " STATUS "\n'b' 1 'u' 4 NULL NULL 0 0 5 " STATUS "\n");
    o = fetch_of(views_world_at(1), ORDER, keys, 1);
    cr_assert_eq(o.code, PDR_OK);
    cr_assert_eq(o.count, 0);
    o = fetch_of(views_world_at(1), ORDER, keys, 0);
    cr_assert_eq(o.count, 0);
}

Test(views_rows, fetch_gives_every_type_as_it_was_written)
{
    made_batch *b = next_batch();
    pdr_row_change *row = kinds_row(b, "");
    put(row, KIND_FLAG, PDR_CELL_SET, (pdr_cell){.as.boolean = true});
    put_int(row, KIND_SMALL, PDR_CELL_SET, -7);
    put_int(row, KIND_NUM, PDR_CELL_SET, INT64_C(-999999999999999999));
    put(row, KIND_REAL, PDR_CELL_SET, real_cell(-INFINITY));
    put_text(row, KIND_WORD, "");
    put(row, KIND_RAW, PDR_CELL_SET, pdr_cell_bytes(pdr_bytes_of("\0\xff", 2)));
    put_int(row, KIND_DAY, PDR_CELL_SET, -2440588);
    put_int(row, KIND_AT, PDR_CELL_SET, INT64_C(9223371331199999999));
    committed(b);
    const pdr_cell key = text_cell(""), *keys[] = {&key};
    outcome o = fetch_of(views_world_at(0), KINDS, keys, 1);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    cr_assert_str_eq(o.rows,
                     "'' true -7 NULL -999999999999999999 -inf '' x00ff -2440588 9223371331199999999\n");
}

/* --- Big --- */

Test(views_rows, a_batch_of_fifty_thousand_rows, .timeout = 600)
{
    enum { ROWS = 50000, FETCHED = 5000 };
    static const pdr_cell *keys[FETCHED];
    char id[16];
    for (int round = 0; round < 2; round++) {
        made_batch *b = next_batch();
        for (int i = 0; i < ROWS; i++) {
            snprintf(id, sizeof id, "loan/%06d", i);
            pdr_row_change *row = kinds_row(b, id);
            put_int(row, KIND_BIG, PDR_CELL_SET, i + round);
            if (i % 2) put_text(row, KIND_WORD, "odd");
            if (i % 10 == 0) keys[i / 10] = row->key;
        }
        committed(b);
    }
    outcome o = fetch_of(views_world_at(0), KINDS, keys, FETCHED);
    cr_assert_eq(o.count, FETCHED);
    char *text = table_text(KINDS);
    size_t lines = 0, odd = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        char wanted[100];
        snprintf(wanted, sizeof wanted, "'loan/%06zu' NULL NULL %zu NULL NULL %s NULL NULL NULL", lines,
                 lines + 1, lines % 2 ? "'odd'" : "NULL");
        cr_assert_str_eq(line, wanted);
        odd += lines % 2;
    }
    cr_assert_eq(lines, ROWS);
    cr_assert_eq(odd, ROWS / 2);
}
