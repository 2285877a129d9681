/* What `perdure step` walks: an entity's events, held in memory, and the state after any of them. */
#ifndef PDR_CLI_STEP_WALK_H
#define PDR_CLI_STEP_WALK_H

#include "cli/entity_command.h"
#include "cli/state_changes.h"
#include "journal/held.h"

/* A value, zeroed first; release it in any case. */
typedef struct pdr_step_walk {
    pdr_entity_command *command;
    pdr_held_list events; /* event i + 1 at place i */
    pdr_buf *packed;      /* the state before every so many events; size 0: it couldn't be made */
    size_t packed_count;
    pdr_folding folding;
    uint64_t at;         /* where it stands: after this event; 0: before the first */
    pdr_state_pair pair; /* around that event */
    uint64_t broken;     /* the first event that couldn't be applied: from there on is no state; 0: none */
    pdr_error why;       /* it couldn't */
} pdr_step_walk;

/* Read the events up to the newest, and fold them. An event that can't be applied is no failure. */
PDR_CHECKED pdr_code pdr_step_walk_load(pdr_step_walk *walk, pdr_entity_command *command, pdr_error *err);
void pdr_step_walk_release(pdr_step_walk *walk);
uint64_t pdr_step_walk_newest(const pdr_step_walk *walk);
/* Stand after event `seq`; above the newest: there. */
PDR_CHECKED pdr_code pdr_step_walk_go(pdr_step_walk *walk, uint64_t seq, pdr_error *err);
bool pdr_step_walk_has_state(const pdr_step_walk *walk);
/* The last event at or before a time; 0: there is none. */
uint64_t pdr_step_walk_seq_at(const pdr_step_walk *walk, int64_t us);

#endif
