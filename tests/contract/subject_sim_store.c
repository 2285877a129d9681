/* The simulated store under the contract suite, with its faults switched off. */
#include "backends/sim/sim_world.h"
#include "tests/contract/store_contract.h"

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **place, pdr_error *err)
{
    pdr_sim_options options = {.journal = "contract",
                               .partitions = store_meta.partitions,
                               .poll_moves_time = true,
                               .uninitialised = true};
    pdr_sim_profile_init(&options.profile);
    pdr_sim_world *world;
    pdr_code code = pdr_sim_world_open(&world, 1, &options, err);
    *place = world;
    return code;
}

static void destroy(void *place)
{
    pdr_sim_world_close(place);
}

static pdr_code open_store(void *place, pdr_store **out, pdr_error *err)
{
    return pdr_sim_store_open(out, place, 0, err);
}

static void idle(void *place, pdr_store *const *stores, size_t count)
{
    (void)stores;
    (void)count;
    pdr_sim_world_step(place);
}

const pdr_store_subject *pdr_store_subject_get(void)
{
    static const pdr_store_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_store,
        .idle = idle,
    };
    return &subject;
}
