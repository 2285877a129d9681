/* Cells: order, sums, limits; keys that sort as the cells do. */
#include <criterion/criterion.h>
#include <math.h>

#include "projections/cell.h"

static pdr_cell text(const char *s)
{
    return pdr_cell_bytes(pdr_bytes_of(s, strlen(s)));
}

static pdr_cell real(double value)
{
    return (pdr_cell){.as.real = value};
}

static int key_order(pdr_column_type type, pdr_cell a, pdr_cell b)
{
    pdr_buf one = PDR_BUF_INIT(1000), two = PDR_BUF_INIT(1000);
    cr_assert_eq(pdr_cell_key(type, &a, &one), PDR_OK);
    cr_assert_eq(pdr_cell_key(type, &b, &two), PDR_OK);
    size_t least = one.size < two.size ? one.size : two.size;
    int order = memcmp(one.data, two.data, least);
    if (!order) order = (one.size > two.size) - (one.size < two.size);
    pdr_buf_release(&one);
    pdr_buf_release(&two);
    return (order > 0) - (order < 0);
}

static void expect_order(pdr_column_type type, const pdr_cell *cells, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            int wanted = (i > j) - (i < j), got = pdr_cell_compare(type, &cells[i], &cells[j]);
            cr_expect_eq((got > 0) - (got < 0), wanted, "%s: %zu and %zu", pdr_column_type_name(type), i, j);
            cr_expect_eq(key_order(type, cells[i], cells[j]), wanted, "key of %s: %zu and %zu",
                         pdr_column_type_name(type), i, j);
        }
}

Test(cell, keys_sort_as_their_cells)
{
    pdr_cell numbers[] = {pdr_cell_integer(INT64_MIN), pdr_cell_integer(-1), pdr_cell_integer(0),
                          pdr_cell_integer(1), pdr_cell_integer(INT64_MAX)};
    expect_order(PDR_COLUMN_BIGINT, numbers, 5);
    pdr_cell reals[] = {real(-INFINITY), real(-1.5),     real(0),  real(1e-300),
                        real(2),         real(INFINITY), real(NAN)};
    expect_order(PDR_COLUMN_DOUBLE, reals, 7);
    pdr_cell texts[] = {text(""), text("a"), text("a b"), text("aa"), text("b"), text("\xc3\xa9")};
    expect_order(PDR_COLUMN_TEXT, texts, 6);
    pdr_cell bytes[] = {pdr_cell_bytes(pdr_bytes_of("", 0)),     pdr_cell_bytes(pdr_bytes_of("\0", 1)),
                        pdr_cell_bytes(pdr_bytes_of("\0\0", 2)), pdr_cell_bytes(pdr_bytes_of("\0\1", 2)),
                        pdr_cell_bytes(pdr_bytes_of("\1", 1)),   pdr_cell_bytes(pdr_bytes_of("\xff", 1))};
    expect_order(PDR_COLUMN_BYTEA, bytes, 6);
    pdr_cell flags[] = {{.as.boolean = false}, {.as.boolean = true}};
    expect_order(PDR_COLUMN_BOOLEAN, flags, 2);
}

static pdr_code fold(pdr_column_type type, pdr_cell_mode mode, pdr_cell value, pdr_cell cell, pdr_cell *out)
{
    pdr_column column = {.name = "c", .type = type, .precision = 4, .scale = 2};
    *out = value;
    return pdr_cell_fold(&column, mode, &cell, out, NULL);
}

Test(cell, a_sum_out_of_range_is_refused)
{
    pdr_cell out;
    cr_expect_eq(
        fold(PDR_COLUMN_INTEGER, PDR_CELL_ADD, pdr_cell_integer(INT32_MAX), pdr_cell_integer(1), &out),
        PDR_BAD_DATA);
    cr_expect_eq(
        fold(PDR_COLUMN_BIGINT, PDR_CELL_ADD, pdr_cell_integer(INT64_MAX), pdr_cell_integer(1), &out),
        PDR_BAD_DATA);
    cr_expect_eq(fold(PDR_COLUMN_NUMERIC, PDR_CELL_ADD, pdr_cell_integer(9999), pdr_cell_integer(1), &out),
                 PDR_BAD_DATA);
    cr_expect_eq(fold(PDR_COLUMN_DOUBLE, PDR_CELL_ADD, real(1e308), real(1e308), &out), PDR_BAD_DATA);
    cr_expect_eq(
        fold(PDR_COLUMN_INTEGER, PDR_CELL_ADD, pdr_cell_integer(INT32_MAX), pdr_cell_integer(-1), &out),
        PDR_OK);
    cr_expect_eq(out.as.integer, INT32_MAX - 1);
}

Test(cell, null_makes_a_sum_null_and_is_passed_over_by_greatest)
{
    pdr_cell out;
    cr_assert_eq(fold(PDR_COLUMN_BIGINT, PDR_CELL_ADD, PDR_CELL_NULL, pdr_cell_integer(1), &out), PDR_OK);
    cr_expect(out.null);
    cr_assert_eq(fold(PDR_COLUMN_BIGINT, PDR_CELL_ADD, pdr_cell_integer(1), PDR_CELL_NULL, &out), PDR_OK);
    cr_expect(out.null);
    cr_assert_eq(fold(PDR_COLUMN_BIGINT, PDR_CELL_GREATEST, PDR_CELL_NULL, pdr_cell_integer(-5), &out),
                 PDR_OK);
    cr_expect_eq(out.as.integer, -5);
    cr_assert_eq(fold(PDR_COLUMN_BIGINT, PDR_CELL_LEAST, pdr_cell_integer(-5), PDR_CELL_NULL, &out), PDR_OK);
    cr_expect_eq(out.as.integer, -5);
    cr_assert_eq(fold(PDR_COLUMN_DOUBLE, PDR_CELL_GREATEST, real(5), real(NAN), &out), PDR_OK);
    cr_expect(isnan(out.as.real));
}

Test(cell, what_a_type_cannot_hold_is_refused)
{
    pdr_column column = {.name = "c", .type = PDR_COLUMN_TEXT, .precision = 4};
    pdr_cell nul = pdr_cell_bytes(pdr_bytes_of("a\0b", 3)), big = pdr_cell_integer(INT64_C(1) << 40),
             none = PDR_CELL_NULL;
    cr_expect_eq(pdr_cell_check(&column, &nul, NULL), PDR_BAD_DATA);
    column.type = PDR_COLUMN_BYTEA;
    cr_expect_eq(pdr_cell_check(&column, &nul, NULL), PDR_OK);
    for (column.type = PDR_COLUMN_BOOLEAN; column.type < PDR_COLUMN_TYPES; column.type++)
        cr_expect_eq(pdr_cell_check(&column, &none, NULL), PDR_OK);
    pdr_column_type narrow[] = {PDR_COLUMN_INTEGER, PDR_COLUMN_NUMERIC, PDR_COLUMN_DATE};
    for (size_t i = 0; i < 3; i++) {
        column.type = narrow[i];
        cr_expect_eq(pdr_cell_check(&column, &big, NULL), PDR_BAD_DATA, "%s",
                     pdr_column_type_name(narrow[i]));
    }
}
