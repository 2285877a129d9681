/* Seeds spread over worker processes, so that a seed in which the library aborts is found and named like any
 * other failure. */
#ifndef PDR_TESTS_SIM_WORKERS_H
#define PDR_TESTS_SIM_WORKERS_H

#include "tests/sim/report.h"

typedef struct job {
    uint64_t first, count; /* seeds first .. first + count - 1, unless listed */
    const uint64_t *listed;
    unsigned workers;
    bool progress;
    bool all; /* go on after a failure; each is told on stderr */
} job;

typedef struct verdict {
    totals sum;
    bool failed;
    uint64_t failures;
    uint64_t seed; /* the lowest that was seen to fail */
    char failure[900];
} verdict;

void workers_run(verdict *out, const job *work);

#endif
