#include "tests/support/viewed_app.h"

#include "viewed.gen.h"

static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    (void)state;
    (void)event;
    (void)arena;
    return PDR_OK;
}

static const pdr_type *const order_events[] = {&viewed_opened_type, &viewed_closed_type};
static const pdr_entity_type order = {.abi_size = sizeof(pdr_entity_type),
                                      .name = "order",
                                      .state = &viewed_state_type,
                                      .events = order_events,
                                      .event_count = 2,
                                      .apply = apply};
static const pdr_type *const parcel_events[] = {&viewed_sent_type};
static const pdr_entity_type parcel = {.abi_size = sizeof(pdr_entity_type),
                                       .name = "parcel",
                                       .state = &viewed_state_type,
                                       .events = parcel_events,
                                       .event_count = 1,
                                       .apply = apply};
static const pdr_entity_type *const entities[] = {&order, &parcel};
const pdr_app viewed_app = {sizeof(pdr_app), PDR_ABI_VERSION, "shop", entities, 2};
