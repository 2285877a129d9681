/* The env seam: clocks, randomness, trace. The owner and everything below the shells reach them only through
 * this. Backends: journal/system_env (real), backends/sim. Threads: an env belongs to one thread. */
#ifndef PDR_JOURNAL_ENV_H
#define PDR_JOURNAL_ENV_H

#include "perdure/error.h"

typedef struct pdr_env pdr_env;

typedef enum pdr_level { PDR_LEVEL_DEBUG, PDR_LEVEL_INFO, PDR_LEVEL_WARN, PDR_LEVEL_ERROR } pdr_level;

typedef struct pdr_env_ops {
    int64_t (*mono_us)(pdr_env *env); /* monotonic microseconds from an arbitrary start; never goes back */
    int64_t (*wall_us)(pdr_env *env); /* microseconds since 1970-01-01 UTC; may jump */
    uint64_t (*random)(pdr_env *env); /* 64 unpredictable bits (a seeded stream in the simulation) */
    void (*trace)(pdr_env *env, pdr_level level,
                  const char *message); /* borrowed until return; must not call back */
} pdr_env_ops;

/* A backend's env begins with this. */
struct pdr_env {
    const pdr_env_ops *ops;
};

#endif
