#include "journal/system_env.h"

#include <errno.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"

static int64_t mono_us(pdr_env *env)
{
    (void)env;
    return pdr_mono_us();
}

static int64_t wall_us(pdr_env *env)
{
    (void)env;
    return pdr_wall_us();
}

/* Straight from the kernel, a few at a time: incarnations and ids must differ between machines. */
static uint64_t draw(pdr_env *base)
{
    pdr_system_env *env = (pdr_system_env *)base;
    while (env->left == 0) {
        ssize_t got = getrandom(env->drawn, sizeof env->drawn, 0);
        PDR_INVARIANT("kernel-gives-randomness", got >= 0 || errno == EINTR);
        if (got > 0) env->left = (unsigned)((size_t)got / sizeof env->drawn[0]);
    }
    return env->drawn[--env->left];
}

static void trace(pdr_env *base, pdr_level level, const char *message)
{
    pdr_system_env *env = (pdr_system_env *)base;
    if (env->line) env->line(env->context, (int)level, message);
}

static const pdr_env_ops ops = {mono_us, wall_us, draw, trace};

void pdr_system_env_init(pdr_system_env *env, pdr_env_line line, void *context)
{
    env->env.ops = &ops;
    env->line = line;
    env->context = context;
    env->left = 0;
}
