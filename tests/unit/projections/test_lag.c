#include <criterion/criterion.h>

#include "projections/lag.h"

Test(lag, is_what_lies_between_what_was_passed_and_the_end)
{
    pdr_projector_partition partition = {.passed = 10, .log_end = 15};
    cr_expect_eq(pdr_lag_of(&partition), 5);
    partition.passed = 15;
    cr_expect_eq(pdr_lag_of(&partition), 0);
}

Test(lag, is_nothing_while_no_end_is_known_or_an_older_one)
{
    pdr_projector_partition partition = {.passed = 0, .log_end = -1};
    cr_expect_eq(pdr_lag_of(&partition), 0);
    partition = (pdr_projector_partition){.passed = 20, .log_end = 15};
    cr_expect_eq(pdr_lag_of(&partition), 0);
}

Test(lag, trend_is_events_per_second_since_the_oldest_sample)
{
    pdr_lag_trend trend = {0};
    cr_expect_eq(pdr_lag_trend_take(&trend, 1000000, 100), 0);
    cr_expect_float_eq(pdr_lag_trend_take(&trend, 3000000, 300), 100, 1e-9);
    cr_expect_float_eq(pdr_lag_trend_take(&trend, 11000000, 50), -5, 1e-9);
}

Test(lag, trend_forgets_what_is_older_than_a_minute)
{
    pdr_lag_trend trend = {0};
    double last = 0;
    /* It grew by 1,000 in the first five seconds and stood still after that. */
    for (int64_t second = 0; second <= 80; second += 5)
        last = pdr_lag_trend_take(&trend, second * 1000000, second == 0 ? 0 : 1000);
    cr_expect_eq(last, 0);
}

Test(lag, trend_survives_a_clock_that_stands_still)
{
    pdr_lag_trend trend = {0};
    for (int i = 0; i < 3; i++)
        cr_expect_eq(pdr_lag_trend_take(&trend, 5, (uint64_t)i * 10), 0);
}
