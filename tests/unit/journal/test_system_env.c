#include <criterion/criterion.h>
#include <stdio.h>

#include "journal/system_env.h"

Test(system_env, monotonic_time_never_goes_back)
{
    pdr_system_env env;
    pdr_system_env_init(&env, NULL, NULL);
    int64_t last = env.env.ops->mono_us(&env.env);
    for (int i = 0; i < 10000; i++) {
        int64_t now = env.env.ops->mono_us(&env.env);
        cr_assert_geq(now, last);
        last = now;
    }
    cr_assert_gt(env.env.ops->wall_us(&env.env), INT64_C(1700000000000000));
}

Test(system_env, random_numbers_differ_within_and_between_envs)
{
    enum { N = 3 * PDR_RANDOM_BATCH };
    uint64_t seen[2 * N];
    for (size_t i = 0; i < 2; i++) {
        pdr_system_env env;
        pdr_system_env_init(&env, NULL, NULL);
        for (size_t j = 0; j < N; j++)
            seen[i * N + j] = env.env.ops->random(&env.env);
    }
    for (size_t i = 0; i < 2 * N; i++)
        for (size_t j = 0; j < i; j++)
            cr_assert_neq(seen[i], seen[j]);
}

static void keep_line(void *context, int level, const char *message)
{
    snprintf(context, 100, "%d %s", level, message);
}

Test(system_env, traces_go_to_the_line_function_or_nowhere)
{
    char line[100] = "";
    pdr_system_env env;
    pdr_system_env_init(&env, keep_line, line);
    env.env.ops->trace(&env.env, PDR_LEVEL_WARN, "hello");
    cr_assert_str_eq(line, "2 hello");
    pdr_system_env_init(&env, NULL, NULL);
    env.env.ops->trace(&env.env, PDR_LEVEL_ERROR, "nobody hears");
}
