/* The env seam on the real machine: the kernel's clocks and randomness, the application's log lines. */
#ifndef PDR_JOURNAL_SYSTEM_ENV_H
#define PDR_JOURNAL_SYSTEM_ENV_H

#include "journal/env.h"

typedef void (*pdr_env_line)(void *context, int level, const char *message);

enum { PDR_RANDOM_BATCH = 32 };

/* A value; belongs to one thread; nothing to release. */
typedef struct pdr_system_env {
    pdr_env env; /* first: an env of the seam */
    pdr_env_line line;
    void *context;
    unsigned left; /* of `drawn`, still unused */
    uint64_t drawn[PDR_RANDOM_BATCH];
} pdr_system_env;

/* line: where traces go; NULL: nowhere. */
void pdr_system_env_init(pdr_system_env *env, pdr_env_line line, void *context);

#endif
