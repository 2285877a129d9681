/* An application that is sound, and knows nothing of the loans in a log of theirs. */
#include "tests/sim/sim_entity.h"

static const pdr_type *const events[] = {&sim_deposited_type};
static const pdr_type *const commands[] = {&sim_deposit_type};

static void decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)state;
    (void)command;
    (void)now_us;
    pdr_refuse(out, "nothing is done here");
}

static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    (void)state;
    (void)event;
    (void)arena;
    return PDR_OK;
}

static const pdr_entity_type loan = {.abi_size = sizeof(pdr_entity_type),
                                     .name = "loan",
                                     .state = &sim_state_type,
                                     .events = events,
                                     .event_count = 1,
                                     .commands = commands,
                                     .command_count = 1,
                                     .decide = decide,
                                     .apply = apply};
static const pdr_entity_type *const entities[] = {&loan};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "other", entities, 1};
