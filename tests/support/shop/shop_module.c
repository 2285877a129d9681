/* The shop as a shared object for the command. SHOP_GAP: without the step from Moved. */
#include "tests/support/shop/shop_app.h"

#ifdef SHOP_GAP
static const pdr_upcaster *const steps = shop_steps;
static pdr_entity_type gapped;
static const pdr_entity_type *const entities[] = {&gapped};
static pdr_upcaster kept[SHOP_STEPS];

__attribute__((constructor)) static void leave_one_out(void)
{
    gapped = shop_today;
    gapped.upcasters = kept;
    gapped.upcaster_count = 0;
    for (int i = 0; i < SHOP_STEPS; i++)
        if (i != SHOP_MOVED) kept[gapped.upcaster_count++] = steps[i];
}
#else
static const pdr_entity_type *const entities[] = {&shop_today};
#endif

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "shop", entities, 1};
