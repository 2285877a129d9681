/* Comparing two versions' states. */
#include <criterion/criterion.h>

#include "replay/compare.h"

/* Two versions of a state that is a few numbers: each byte of the datum is a member. */
static void nothing(void *value)
{
    memset(value, 0, 4);
}

static pdr_code copy(pdr_bytes datum, pdr_arena *arena, void *value, pdr_error *err)
{
    (void)arena;
    if (datum.size != 3) return pdr_fail(err, PDR_BAD_DATA, "%zu bytes", datum.size);
    memcpy(value, datum.data, 3);
    return PDR_OK;
}

static pdr_code print_before(const void *value, pdr_buf *out)
{
    const uint8_t *v = value;
    return pdr_buf_printf(out, "{\"a\":%d,\"sub\":{\"b\":%d},\"gone\":%d}", v[0], v[1], v[2]);
}

static pdr_code print_now(const void *value, pdr_buf *out)
{
    const uint8_t *v = value;
    return pdr_buf_printf(out, "{\"fresh\":%d,\"sub\":{\"b\":%d},\"a\":%d}", v[2], v[1], v[0]);
}

static const pdr_type before = {
    .name = "s", .size = 4, .fingerprint = 1, .init = nothing, .decode = copy, .print = print_before};
static const pdr_type now = {
    .name = "s", .size = 4, .fingerprint = 2, .init = nothing, .decode = copy, .print = print_now};

static pdr_comparison *open(const pdr_type *from, const pdr_type *to, const char *ignored)
{
    static pdr_string path;
    pdr_comparison *c;
    path = pdr_string_of(ignored);
    cr_assert_eq(pdr_comparison_open(&c, from, to, &path, ignored ? 1 : 0, NULL), PDR_OK);
    return c;
}

static bool same(pdr_comparison *c, const char *from, const char *to)
{
    bool equal;
    cr_assert_eq(pdr_comparison_run(c, pdr_bytes_of(from, 3), pdr_bytes_of(to, 3), &equal, NULL), PDR_OK);
    return equal;
}

static void tells(const pdr_comparison *c, size_t max, const char *expected)
{
    pdr_buf out = PDR_BUF_INIT(4096);
    cr_assert_eq(pdr_comparison_tell(c, max, &out, NULL), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&out), pdr_bytes_of(expected, strlen(expected))), "%.*s",
              (int)out.size, (const char *)out.data);
    pdr_buf_release(&out);
}

Test(compare, states_of_one_schema)
{
    pdr_comparison *c = open(&before, &before, NULL);
    cr_expect(same(c, "\1\2\3", "\1\2\3"));
    tells(c, 9, "[]");
    cr_expect(!same(c, "\1\2\3", "\1\5\4"));
    tells(c, 9, "[{\"path\":\".sub.b\",\"from\":2,\"to\":5},{\"path\":\".gone\",\"from\":3,\"to\":4}]");
    tells(c, 1, "[{\"path\":\".sub.b\",\"from\":2,\"to\":5}]");
    cr_expect(same(c, "\1\2\3", "\1\2\3"));
    pdr_comparison_close(c);
}

Test(compare, members_that_one_schema_has_alone_do_not_count)
{
    pdr_comparison *c = open(&before, &now, NULL);
    cr_expect(same(c, "\1\2\3", "\1\2\7"), "nor does the members' order");
    cr_expect(!same(c, "\1\2\3", "\6\2\7"));
    tells(c, 9, "[{\"path\":\".a\",\"from\":1,\"to\":6}]");
    pdr_comparison_close(c);
}

Test(compare, what_is_ignored_does_not_count_nor_what_is_below_it)
{
    pdr_comparison *c = open(&before, &before, ".sub");
    cr_expect(same(c, "\1\2\3", "\1\5\3"));
    cr_expect(!same(c, "\1\2\3", "\2\5\3"));
    tells(c, 9, "[{\"path\":\".a\",\"from\":1,\"to\":2}]");
    pdr_comparison_close(c);
    c = open(&before, &before, ".su"); /* half a name is another name */
    cr_expect(!same(c, "\1\2\3", "\1\5\3"));
    pdr_comparison_close(c);
}

Test(compare, bytes_that_are_no_state_are_refused)
{
    bool equal;
    pdr_comparison *c = open(&before, &now, NULL);
    cr_expect_eq(pdr_comparison_run(c, pdr_bytes_of("xx", 2), pdr_bytes_of("xxx", 3), &equal, NULL),
                 PDR_BAD_DATA);
    cr_expect_eq(pdr_comparison_run(c, pdr_bytes_of("xxx", 3), pdr_bytes_of("", 0), &equal, NULL),
                 PDR_BAD_DATA);
    pdr_comparison_close(c);
}
