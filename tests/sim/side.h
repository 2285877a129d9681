/* A second part of a run beside the owners: sim_projections has one, sim has none. */
#ifndef PDR_TESTS_SIM_SIDE_H
#define PDR_TESTS_SIM_SIDE_H

#include "tests/sim/run.h"

typedef struct side {
    void (*options)(pdr_sim_options *options);
    void (*start)(run *r);
    void (*calm)(run *r);
    bool (*has_settled)(run *r);
    void (*stop)(run *r);
    void (*wake)(run *r, uint32_t index); /* of a node from SIDE_NODES on */
    size_t counter_count;                 /* at most SIDE_COUNTERS */
    const char *const *counter_words;
    size_t rule_count;
    const char *const *rule_words;
    unsigned *broken; /* bit per rule */
} side;

extern const side *const sim_side; /* NULL: none */

#endif
