#include <criterion/criterion.h>

#include "replay/moment.h"

#define NOW INT64_C(1700000000123456) /* 2023-11-14T22:13:20.123456Z */
#define SECOND INT64_C(1000000)

static int64_t read(const char *text)
{
    int64_t us = -1;
    pdr_error err;
    cr_assert_eq(pdr_moment_parse(text, NOW, false, &us, &err), PDR_OK, "%s: %s", text, err.message);
    return us;
}

static void prints(int64_t us, const char *text)
{
    pdr_buf out = PDR_BUF_INIT(100);
    cr_assert_eq(pdr_moment_print(us, &out), PDR_OK);
    cr_expect_eq(out.size, strlen(text));
    cr_expect_eq(memcmp(out.data, text, out.size), 0, "%.*s, not %s", (int)out.size, (const char *)out.data,
                 text);
    pdr_buf_release(&out);
}

Test(moment, is_a_date_with_or_without_a_time_and_a_zone)
{
    /* As `date -u -d ... +%s` has them. */
    cr_expect_eq(read("2011-10-01"), 1317427200 * SECOND);
    cr_expect_eq(read("2011-10-01T12:30"), 1317472200 * SECOND);
    cr_expect_eq(read("2011-10-01 12:30:05Z"), 1317472205 * SECOND);
    cr_expect_eq(read("2011-10-01 12:30:05.25"), 1317472205 * SECOND + 250000);
    cr_expect_eq(read("2011-10-01T12:30:00.123456Z"), 1317472200 * SECOND + 123456);
    cr_expect_eq(read("2011-10-01T12:30+02:00"), 1317465000 * SECOND);
    cr_expect_eq(read("2011-10-01T12:30:00-0530"), 1317492000 * SECOND);
    cr_expect_eq(read("2011-10-01T12:30+01"), 1317468600 * SECOND);
    cr_expect_eq(read("1969-12-31T23:59:59"), -SECOND);
    cr_expect_eq(read("2012-02-29"), 1330473600 * SECOND);
}

Test(moment, is_seconds_since_1970)
{
    cr_expect_eq(read("@1317470400"), 1317470400 * SECOND);
    cr_expect_eq(read("@0.000001"), 1);
}

Test(moment, is_back_from_now)
{
    cr_expect_eq(read("now"), NOW);
    cr_expect_eq(read("30s"), NOW - 30 * SECOND);
    cr_expect_eq(read("15m"), NOW - 900 * SECOND);
    cr_expect_eq(read("2h"), NOW - 7200 * SECOND);
    cr_expect_eq(read("3d ago"), NOW - 3 * 86400 * SECOND);
    cr_expect_eq(read("1w"), NOW - 7 * 86400 * SECOND);
}

Test(moment, that_could_be_meant_in_two_ways_or_in_none_is_refused)
{
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "01/10/2011",
                                      "10-01-2011",
                                      "2011",
                                      "2011-10",
                                      "2011-1-1",
                                      "12:30",
                                      "2011-13-01",
                                      "2011-02-29",
                                      "2011-10-01T",
                                      "2011-10-01T25:00",
                                      "2011-10-01T12",
                                      "2011-10-01T12:30:60",
                                      "2011-10-01T12:30:00.",
                                      "2011-10-01T12:30:00.1234567",
                                      "2011-10-01T12:30 CET",
                                      "2011-10-01T12:30+15:00",
                                      "2011-10-01T12:30+2",
                                      "2011-10-01x",
                                      "3",
                                      "3 d",
                                      "3M",
                                      "3d later",
                                      "-3d",
                                      "3d4h",
                                      "@",
                                      "@x",
                                      "@1.",
                                      "@9999999999999",
                                      "1234567d"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t us;
        pdr_error err;
        cr_expect_eq(pdr_moment_parse(bad[i], NOW, false, &us, &err), PDR_INVALID_ARGUMENT, "%s", bad[i]);
        cr_expect_not_null(strstr(err.message, "is no time: write 2011-10-01"), "%s", err.message);
    }
}

Test(moment, in_the_future_is_refused_unless_it_may_be)
{
    int64_t us;
    pdr_error err;
    cr_expect_eq(pdr_moment_parse("2023-11-15", NOW, false, &us, &err), PDR_INVALID_ARGUMENT);
    cr_expect_str_eq(err.message, "\"2023-11-15\" is in the future");
    cr_expect_eq(pdr_moment_parse("2023-11-15", NOW, true, &us, &err), PDR_OK);
}

Test(moment, is_printed_in_the_shortest_form_that_loses_nothing)
{
    prints(1317472200 * SECOND, "2011-10-01T12:30:00Z");
    prints(1317472200 * SECOND + 500000, "2011-10-01T12:30:00.5Z");
    prints(1317472200 * SECOND + 123456, "2011-10-01T12:30:00.123456Z");
    prints(1317472200 * SECOND + 1, "2011-10-01T12:30:00.000001Z");
    prints(-1, "1969-12-31T23:59:59.999999Z");
    prints(0, "1970-01-01T00:00:00Z");
}

Test(moment, that_was_printed_is_read_as_it_was)
{
    int64_t us = 1;
    for (int i = 0; i < 2000; i++) {
        pdr_buf out = PDR_BUF_INIT(100);
        us = (int64_t)(((uint64_t)us * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407)) &
                       UINT64_C(0x3ffffffffffff));
        cr_assert_eq(pdr_moment_print(us, &out), PDR_OK);
        cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
        int64_t again;
        cr_assert_eq(pdr_moment_parse((const char *)out.data, NOW, true, &again, NULL), PDR_OK);
        cr_expect_eq(again, us);
        pdr_buf_release(&out);
    }
}
