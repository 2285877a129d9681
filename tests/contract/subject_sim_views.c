/* Simulated views, without faults, under the views seam's contract. */
#include <stdlib.h>

#include "backends/sim/sim_world.h"
#include "tests/contract/views_contract.h"

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **out, pdr_error *err)
{
    pdr_sim_options options = {.journal = "contract", .partitions = 3, .poll_moves_time = true};
    pdr_sim_profile_init(&options.profile);
    pdr_sim_world *world;
    pdr_code code = pdr_sim_world_open(&world, 1, &options, err);
    if (code == PDR_OK) *out = world;
    return code;
}

static void destroy(void *place)
{
    pdr_sim_world_close(place);
}

static pdr_code open_views(void *place, pdr_views **out, pdr_error *err)
{
    return pdr_sim_views_open(out, place, 0, false, err);
}

static void idle(void *place, pdr_views *const *views, size_t count)
{
    (void)views;
    (void)count;
    (void)pdr_sim_world_step(place);
}

static pdr_code read_view(void *place, const char *view, size_t *rows, char *columns, size_t size,
                          pdr_error *err)
{
    return pdr_sim_views_read(place, view, rows, columns, size)
               ? PDR_OK
               : pdr_fail(err, PDR_NOT_FOUND, "no view %s", view);
}

const pdr_views_subject *pdr_views_subject_get(void)
{
    static const pdr_views_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_views,
        .idle = idle,
        .read = read_view,
        .has_no_sql = true,
    };
    return &subject;
}
