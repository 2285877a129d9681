/* Claims about values: every type keeps what it was given, to the ends of its range. */
#include <math.h>
#include <stdio.h>

#include "tests/contract/views_contract.h"

TestSuite(views_types, .init = views_world_made, .fini = views_world_close);

Test(views_types, every_type_keeps_its_values)
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

Test(views_types, null_replaces_every_type_s_value)
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
    char id[24];
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

Test(views_types, integers_at_the_ends_of_their_ranges)
{
    static const int64_t small[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
    static const int64_t big[] = {INT64_MIN, INT32_MIN - INT64_C(1), -1,
                                  0,         INT32_MAX + INT64_C(1), INT64_MAX};
    keeps_integers(KIND_SMALL, small, 5);
    pdr_views *views = views_world_at(0);
    cr_assert_eq(views->ops->reset(views, &books, 60000, NULL), PDR_OK);
    positions_loaded(&books);
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

Test(views_types, numerics_of_every_size_and_sign)
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

Test(views_types, numerics_of_every_scale)
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
    cr_assert_eq(views->ops->create(views, &spec, 60000, &err), PDR_OK, "%s", err.message);
    static const int64_t values[] = {
        0, 1, -1, 10, 9999, 60000, -123456, INT64_C(999999999999999999), INT64_C(-100000000000000001)};
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

Test(views_types, doubles_with_their_last_bit_and_their_odd_ones)
{
    const pdr_cell cells[] = {real_cell(0.1),
                              real_cell(views_world_subject()->has_no_minus_zero ? -5e-324 : -0.0),
                              real_cell(INFINITY),
                              real_cell(-INFINITY),
                              real_cell(NAN),
                              real_cell(5e-324),
                              real_cell(1.7976931348623157e308),
                              real_cell(1.0 / 3.0),
                              real_cell(1e22)};
    char *got = only_column(KIND_REAL, cells, 9), *third = strstr(got, "'002'");
    cr_assert_not_null(third, "%s", got);
    const char *least = views_world_subject()->has_no_minus_zero ? "-4.9406564584124654e-324" : "-0";
    cr_assert_not_null(strstr(got, "'000' NULL NULL NULL NULL 0.10000000000000001 NULL NULL NULL NULL\n"),
                       "%s", got);
    cr_assert_not_null(strstr(got, least), "%s", got);
    cr_assert_str_eq(third,
                     "'002' NULL NULL NULL NULL inf NULL NULL NULL NULL\n"
                     "'003' NULL NULL NULL NULL -inf NULL NULL NULL NULL\n"
                     "'004' NULL NULL NULL NULL nan NULL NULL NULL NULL\n"
                     "'005' NULL NULL NULL NULL 4.9406564584124654e-324 NULL NULL NULL NULL\n"
                     "'006' NULL NULL NULL NULL 1.7976931348623157e+308 NULL NULL NULL NULL\n"
                     "'007' NULL NULL NULL NULL 0.33333333333333331 NULL NULL NULL NULL\n"
                     "'008' NULL NULL NULL NULL 1e+22 NULL NULL NULL NULL\n",
                     "%s", got);
}

Test(views_types, texts_with_quotes_unicode_and_nothing)
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

Test(views_types, bytes_with_zeros_and_none)
{
    const pdr_cell cells[] = {pdr_cell_bytes(pdr_bytes_of("", 0)), pdr_cell_bytes(pdr_bytes_of("\0", 1)),
                              pdr_cell_bytes(pdr_bytes_of("\0\xff\0\x80", 4))};
    cr_assert_str_eq(only_column(KIND_RAW, cells, 3),
                     "'000' NULL NULL NULL NULL NULL NULL x NULL NULL\n"
                     "'001' NULL NULL NULL NULL NULL NULL x00 NULL NULL\n"
                     "'002' NULL NULL NULL NULL NULL NULL x00ff0080 NULL NULL\n");
}

Test(views_types, dates_at_the_ends_of_their_range)
{
    static const int64_t days[] = {-2440588, -1, 0, 10957, 2145042905};
    keeps_integers(KIND_DAY, days, 5);
}

Test(views_types, timestamps_at_the_ends_of_their_range)
{
    static const int64_t times[] = {INT64_C(-210866803200000000), -1, 0, 1, INT64_C(9223371331199999999)};
    keeps_integers(KIND_AT, times, 5);
}

Test(views_types, keys_of_every_order_are_scanned_ascending)
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
