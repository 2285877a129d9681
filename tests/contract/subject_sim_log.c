/* The simulated log under the contract suite, with its faults switched off. */
#include <stdlib.h>

#include "backends/sim/sim_world.h"
#include "tests/contract/log_contract.h"

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **journal, int32_t partitions, pdr_error *err)
{
    pdr_sim_options options = {.journal = "contract", .partitions = partitions, .poll_moves_time = true};
    pdr_sim_profile_init(&options.profile);
    pdr_sim_world *world;
    pdr_code code = pdr_sim_world_open(&world, 1, &options, err);
    *journal = world;
    return code;
}

static void destroy(void *journal)
{
    pdr_sim_world_close(journal);
}

static pdr_code open_log(void *journal, pdr_log **out, pdr_error *err)
{
    return pdr_sim_log_open(out, journal, 0, err);
}

static void idle(void *journal, pdr_log *const *logs, size_t count)
{
    (void)logs;
    (void)count;
    pdr_sim_world_step(journal);
}

const pdr_log_subject *pdr_log_subject_get(void)
{
    static const pdr_log_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_log,
        .idle = idle,
        .old_may_land_late = true,
        .max_value = PDR_LOG_MAX_VALUE,
    };
    return &subject;
}
