/* The rules of projections that can be broken one at a time, to show that the simulation finds it. In the
 * product each is simply true. */
#ifndef PDR_PROJECTIONS_RULES_H
#define PDR_PROJECTIONS_RULES_H

/* X(NAME, "command-line word"); the database compares positions and generations: the simulated one can leave
 * that out */
#define PDR_PROJECTION_RULE_MAP(X)                                                                           \
    X(POSITION, "position-compare")     /* a batch goes through only from the position that is there, ... */ \
    X(GENERATION, "generation-compare") /* ... of the generation that is there */                            \
    X(FOLLOW, "batch-order")            /* ... and after the batch that it rests on */                       \
    X(COMMIT, "whole-commits")          /* a batch never ends inside a commit */                             \
    X(DISCARD, "discard-on-failure")    /* what was folded on top of a failed batch is forgotten */          \
    X(PARKED, "parked-order")           /* events behind a parked one are parked */

typedef enum pdr_projection_rule {
#define PDR_PROJECTION_RULE_ENUM(name, word) PDR_PROJECTION_RULE_##name,
    PDR_PROJECTION_RULE_MAP(PDR_PROJECTION_RULE_ENUM)
#undef PDR_PROJECTION_RULE_ENUM
        PDR_PROJECTION_RULE_COUNT
} pdr_projection_rule;

#ifdef PDR_BREAKABLE
extern unsigned pdr_broken_projection_rules; /* bit per rule; defined by the simulation */
#define PDR_PROJECTION_RULE(name) (!(pdr_broken_projection_rules & (1u << PDR_PROJECTION_RULE_##name)))
#else
#define PDR_PROJECTION_RULE(name) 1
#endif

#endif
