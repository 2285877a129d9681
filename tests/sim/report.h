/* What many seeds showed, added up; and how it is told. */
#ifndef PDR_TESTS_SIM_REPORT_H
#define PDR_TESTS_SIM_REPORT_H

#include "tests/sim/run.h"

typedef struct totals {
    uint64_t seeds, steps, commands;
    int64_t virtual_us;
    pdr_owner_counters counters;
    uint64_t world_faults[PDR_SIM_FAULT_COUNT];
    driver_faults faults;
    uint64_t side_counters[SIDE_COUNTERS];
} totals;

void totals_add(totals *sum, const outcome *one);
void totals_add_all(totals *sum, const totals *more);
/* One line a fault and a branch, or one JSON object each. */
void totals_print(const totals *sum, bool json);
/* The branches that 2,000 seeds must show at least 20 times each; names those that don't. */
bool totals_suffice(const totals *sum);

#endif
