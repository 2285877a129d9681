#include "backends/sim/sim_internal.h"

typedef struct sim_env {
    pdr_env base;
    pdr_sim_world *world;
    uint32_t node;
    sim_random random;
    int64_t start_us; /* monotonic clocks of two processes have nothing to do with each other */
    int64_t skew_us;
} sim_env;

enum { SIM_MAX_SKEW_US = 2000000 };
static const int64_t epoch_us = 1700000000000000;

static int64_t env_mono_us(pdr_env *base)
{
    sim_env *env = (sim_env *)base;
    return env->start_us + env->world->now_us;
}

static int64_t env_wall_us(pdr_env *base)
{
    sim_env *env = (sim_env *)base;
    if (sim_fault(env->world, PDR_SIM_wall_jump))
        env->skew_us = (int64_t)sim_random_below(&env->random, 2 * SIM_MAX_SKEW_US) - SIM_MAX_SKEW_US;
    return epoch_us + env->world->now_us + env->skew_us;
}

static uint64_t env_random(pdr_env *base)
{
    return sim_random_next(&((sim_env *)base)->random);
}

static void env_trace(pdr_env *base, pdr_level level, const char *message)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    sim_env *env = (sim_env *)base;
    pdr_sim_world_trace(env->world, "node %u %s: %s", (unsigned)env->node, names[level], message);
}

static const pdr_env_ops env_ops = {env_mono_us, env_wall_us, env_random, env_trace};

pdr_code pdr_sim_env_open(pdr_env **out, pdr_sim_world *world, uint32_t node, pdr_error *err)
{
    (void)err; /* opening can't fail; the signature is that of the other backends */
    sim_env *env = sim_alloc(world, sizeof *env);
    env->base.ops = &env_ops;
    env->world = world;
    env->node = node;
    sim_random_init(&env->random, pdr_sim_world_random(world));
    env->start_us = (int64_t)pdr_sim_world_below(world, 1000000000);
    *out = &env->base;
    return PDR_OK;
}

void pdr_sim_env_close(pdr_env *env)
{
    if (env) env->ops = NULL; /* any later use is seen at once; the memory goes with the world */
}
