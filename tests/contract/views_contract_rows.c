/* Claims about rows: every type, every mode, new rows and known ones, shared tables, statements, fetch. */
#include <math.h>
#include <stdio.h>

#include "tests/contract/views_contract.h"

TestSuite(views_rows, .init = views_world_made, .fini = views_world_close);

/* A batch that follows the last one on partition 0. */
static made_batch *next_batch(void)
{
    static int64_t last = -1;
    made_batch *b = batch_of(0, last, last + 1);
    last++;
    return b;
}

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

/* --- Types --- */

Test(views_rows, every_type_keeps_its_values)
{
    made_batch *b = next_batch();
    pdr_row_change *row = kinds_row(b, "a");
    put(row, KIND_FLAG, PDR_CELL_SET, (pdr_cell){.as.boolean = true});
    put_int(row, KIND_SMALL, PDR_CELL_SET, -7);
    put_int(row, KIND_BIG, PDR_CELL_SET, 1234567890123);
    put_int(row, KIND_NUM, PDR_CELL_SET, -12345);
    put(row, KIND_REAL, PDR_CELL_SET, real_cell(1.5));
    put_text(row, KIND_WORD, "word");
    put(row, KIND_RAW, PDR_CELL_SET, pdr_cell_bytes(pdr_bytes_of("\0\1\xff", 3)));
    put_int(row, KIND_DAY, PDR_CELL_SET, 19000);
    put_int(row, KIND_AT, PDR_CELL_SET, 1700000000123456);
    row = kinds_row(b, "b");
    put(row, KIND_FLAG, PDR_CELL_SET, (pdr_cell){.as.boolean = false});
    committed(b);
    cr_assert_str_eq(table_text(KINDS),
                     "'a' true -7 1234567890123 -12345 1.5 'word' x0001ff 19000 1700000000123456\n"
                     "'b' false NULL NULL NULL NULL NULL NULL NULL NULL\n");
}

Test(views_rows, null_replaces_every_type_s_value)
{
    made_batch *b = next_batch();
    pdr_row_change *row = kinds_row(b, "a");
    for (size_t i = 0; i < KIND_WIDTH; i++)
        put(row, i, PDR_CELL_SET,
            i == KIND_WORD || i == KIND_RAW ? text_cell("x") : (pdr_cell){.as.integer = 1});
    committed(b);
    b = next_batch();
    row = kinds_row(b, "a");
    for (size_t i = 0; i < KIND_WIDTH; i++)
        put(row, i, PDR_CELL_SET, PDR_CELL_NULL);
    committed(b);
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL NULL NULL NULL NULL NULL NULL NULL\n");
}

static char *only_column(size_t column, const pdr_cell *cells, size_t count)
{
    made_batch *b = next_batch();
    char id[8];
    for (size_t i = 0; i < count; i++) {
        snprintf(id, sizeof id, "%03zu", i);
        put(kinds_row(b, id), column, PDR_CELL_SET, cells[i]);
    }
    committed(b);
    return table_text(KINDS);
}

/* Each row's line holds the value where the column stands and NULL elsewhere. */
static void keeps_integers(size_t column, const int64_t *values, size_t count)
{
    pdr_cell cells[64];
    char wanted[64 * 120];
    size_t used = 0;
    cr_assert_leq(count, 64);
    for (size_t i = 0; i < count; i++) {
        cells[i] = pdr_cell_integer(values[i]);
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "'%03zu'", i);
        for (size_t c = 0; c < KIND_WIDTH; c++)
            used += c == column
                        ? (size_t)snprintf(wanted + used, sizeof wanted - used, " %lld", (long long)values[i])
                        : (size_t)snprintf(wanted + used, sizeof wanted - used, " NULL");
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "\n");
    }
    char *got = only_column(column, cells, count);
    cr_assert_str_eq(got, wanted, "got %s", got);
}

Test(views_rows, integers_at_the_ends_of_their_ranges)
{
    static const int64_t small[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
    static const int64_t big[] = {INT64_MIN, INT32_MIN - INT64_C(1), -1,
                                  0,         INT32_MAX + INT64_C(1), INT64_MAX};
    keeps_integers(KIND_SMALL, small, 5);
    committed(next_batch());
    keeps_integers(KIND_BIG, big, 0);
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->reset(views, &books, 10000, NULL), PDR_OK);
    made_batch *b = batch_of(1, -1, 1);
    for (size_t i = 0; i < 6; i++) {
        char id[2] = {(char)('a' + i), 0};
        put_int(kinds_row(b, id), KIND_BIG, PDR_CELL_SET, big[i]);
    }
    committed(b);
    cr_assert_str_eq(table_text(KINDS), "'a' NULL NULL -9223372036854775808 NULL NULL NULL NULL NULL NULL\n"
                                        "'b' NULL NULL -2147483649 NULL NULL NULL NULL NULL NULL\n"
                                        "'c' NULL NULL -1 NULL NULL NULL NULL NULL NULL\n"
                                        "'d' NULL NULL 0 NULL NULL NULL NULL NULL NULL\n"
                                        "'e' NULL NULL 2147483648 NULL NULL NULL NULL NULL NULL\n"
                                        "'f' NULL NULL 9223372036854775807 NULL NULL NULL NULL NULL NULL\n");
}

Test(views_rows, numerics_of_every_size_and_sign)
{
    int64_t values[50] = {0};
    size_t count = 1;
    for (int64_t power = 1; power < INT64_C(1000000000000000000); power *= 10) {
        values[count++] = power;
        values[count++] = -power * 9;
    }
    values[count++] = INT64_C(999999999999999999);
    values[count++] = INT64_C(-999999999999999999);
    values[count++] = INT64_C(123456789012345678);
    values[count++] = INT64_C(100020003000400050);
    values[count++] = INT64_C(-12340000);
    keeps_integers(KIND_NUM, values, count);
}

Test(views_rows, numerics_of_every_scale)
{
    pdr_column columns[2 + 19];
    char names[19][8];
    pdr_table table = {.name = "scales", .columns = columns, .column_count = 20, .key_count = 1};
    pdr_version_spec spec = books;
    pdr_error err = {0};
    pdr_views *views = views_world_at(0);
    columns[0] = books.tables[KINDS].columns[0];
    for (int scale = 0; scale <= 18; scale++) {
        snprintf(names[scale], sizeof names[scale], "s%d", scale);
        columns[1 + scale] = (pdr_column){.name = names[scale],
                                          .type = PDR_COLUMN_NUMERIC,
                                          .precision = 18,
                                          .scale = scale,
                                          .initial = {.as.integer = -5}};
    }
    spec.projection = "scaled";
    spec.tables = &table;
    spec.table_count = 1;
    cr_assert_eq(views->ops->create(views, &spec, 10000, &err), PDR_OK, "%s", err.message);
    static const int64_t values[] = {
        0, 1, -1, 10, 9999, 10000, -123456, INT64_C(999999999999999999), INT64_C(-100000000000000001)};
    enum { VALUES = sizeof values / sizeof *values };
    pdr_row_change rows[VALUES + 1];
    pdr_cell keys[VALUES + 1], cells[VALUES + 1][19];
    uint8_t modes[19], keep[19] = {0};
    memset(modes, PDR_CELL_SET, sizeof modes);
    for (size_t i = 0; i <= VALUES; i++) {
        static const char ids[] = "abcdefghij";
        keys[i] = pdr_cell_bytes(pdr_bytes_of(&ids[i], 1));
        for (int scale = 0; scale <= 18 && i < VALUES; scale++)
            cells[i][scale] = pdr_cell_integer(values[i]);
        rows[i] = (pdr_row_change){.key = &keys[i], .cells = cells[i], .modes = i < VALUES ? modes : keep};
    }
    made_batch *b = batch_of(0, -1, 1);
    b->steps[0] = (pdr_view_step){.rows = rows, .row_count = VALUES + 1};
    b->batch.step_count = 1;
    outcome o = {0};
    submit(&o, views, &spec, b);
    outcome_wait(&o);
    cr_assert_eq(o.code, PDR_OK, "%s", o.error.message);
    char wanted[8000];
    size_t used = 0;
    for (size_t i = 0; i <= VALUES; i++) {
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "'%c'", "abcdefghij"[i]);
        for (int scale = 0; scale <= 18; scale++)
            used += (size_t)snprintf(wanted + used, sizeof wanted - used, " %lld",
                                     i < VALUES ? (long long)values[i] : -5LL);
        used += (size_t)snprintf(wanted + used, sizeof wanted - used, "\n");
    }
    cr_assert_str_eq(table_text_of(views, &spec, 0), wanted);
}

Test(views_rows, doubles_with_their_last_bit_and_their_odd_ones)
{
    const pdr_cell cells[] = {real_cell(0.1),
                              real_cell(-0.0),
                              real_cell(INFINITY),
                              real_cell(-INFINITY),
                              real_cell(NAN),
                              real_cell(5e-324),
                              real_cell(1.7976931348623157e308),
                              real_cell(1.0 / 3.0),
                              real_cell(1e22)};
    char *got = only_column(KIND_REAL, cells, 9);
    cr_assert_str_eq(got,
                     "'000' NULL NULL NULL NULL 0.10000000000000001 NULL NULL NULL NULL\n"
                     "'001' NULL NULL NULL NULL -0 NULL NULL NULL NULL\n"
                     "'002' NULL NULL NULL NULL inf NULL NULL NULL NULL\n"
                     "'003' NULL NULL NULL NULL -inf NULL NULL NULL NULL\n"
                     "'004' NULL NULL NULL NULL nan NULL NULL NULL NULL\n"
                     "'005' NULL NULL NULL NULL 4.9406564584124654e-324 NULL NULL NULL NULL\n"
                     "'006' NULL NULL NULL NULL 1.7976931348623157e+308 NULL NULL NULL NULL\n"
                     "'007' NULL NULL NULL NULL 0.33333333333333331 NULL NULL NULL NULL\n"
                     "'008' NULL NULL NULL NULL 1e+22 NULL NULL NULL NULL\n",
                     "%s", got);
}

Test(views_rows, texts_with_quotes_unicode_and_nothing)
{
    const pdr_cell cells[] = {text_cell(""),
                              text_cell("it's \"so\""),
                              text_cell("back\\slash {table} $1"),
                              text_cell("\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98"),
                              text_cell("NULL"),
                              text_cell("a\tb\x01")};
    char *got = only_column(KIND_WORD, cells, 6);
    cr_assert_str_eq(got,
                     "'000' NULL NULL NULL NULL NULL '' NULL NULL NULL\n"
                     "'001' NULL NULL NULL NULL NULL 'it's \"so\"' NULL NULL NULL\n"
                     "'002' NULL NULL NULL NULL NULL 'back\\slash {table} $1' NULL NULL NULL\n"
                     "'003' NULL NULL NULL NULL NULL '\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98' NULL NULL NULL\n"
                     "'004' NULL NULL NULL NULL NULL 'NULL' NULL NULL NULL\n"
                     "'005' NULL NULL NULL NULL NULL 'a\tb\x01' NULL NULL NULL\n",
                     "%s", got);
}

Test(views_rows, bytes_with_zeros_and_none)
{
    const pdr_cell cells[] = {pdr_cell_bytes(pdr_bytes_of("", 0)), pdr_cell_bytes(pdr_bytes_of("\0", 1)),
                              pdr_cell_bytes(pdr_bytes_of("\0\xff\0\x80", 4))};
    cr_assert_str_eq(only_column(KIND_RAW, cells, 3),
                     "'000' NULL NULL NULL NULL NULL NULL x NULL NULL\n"
                     "'001' NULL NULL NULL NULL NULL NULL x00 NULL NULL\n"
                     "'002' NULL NULL NULL NULL NULL NULL x00ff0080 NULL NULL\n");
}

Test(views_rows, dates_at_the_ends_of_their_range)
{
    static const int64_t days[] = {-2440588, -1, 0, 10957, 2145042905};
    keeps_integers(KIND_DAY, days, 5);
}

Test(views_rows, timestamps_at_the_ends_of_their_range)
{
    static const int64_t times[] = {INT64_C(-210866803200000000), -1, 0, 1, INT64_C(9223371331199999999)};
    keeps_integers(KIND_AT, times, 5);
}

Test(views_rows, keys_of_every_order_are_scanned_ascending)
{
    made_batch *b = next_batch();
    static const char *const ids[] = {"b", "\xc3\xa4", "B", "", "a b", "a"};
    for (size_t i = 0; i < 6; i++)
        for (int64_t n = 1; n >= -1; n--)
            put_text(order_row(b, ids[i], n), ORDER_USER, "u");
    committed(b);
    char *got = table_text(ORDER), *line = strtok(got, "\n");
    static const char *const sorted[] = {"", "B", "a", "a b", "b", "\xc3\xa4"};
    for (size_t i = 0; i < 6; i++)
        for (int n = -1; n <= 1; n++, line = strtok(NULL, "\n")) {
            char head[40];
            snprintf(head, sizeof head, "'%s' %d ", sorted[i], n);
            cr_assert_eq(strncmp(line, head, strlen(head)), 0, "%s instead of %s", line, head);
        }
}

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

Test(views_rows, a_batch_of_fifty_thousand_rows, .timeout = 120)
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
