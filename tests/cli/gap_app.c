/* The loans application without one of its upcasters: the one that leads on from GAP_FROM. */
#include "loan.h"
#include "upcasters.h"

static pdr_upcaster upcasters[LOANS_UPCASTERS];
static pdr_entity_type loan;
static const pdr_entity_type *const entities[] = {&loan};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};

__attribute__((constructor)) static void leave_out(void)
{
    size_t count = 0;
    for (size_t i = 0; i < LOANS_UPCASTERS; i++)
        if (loans_upcasters[i].from != &GAP_FROM) upcasters[count++] = loans_upcasters[i];
    loan = loans_entity;
    loan.upcasters = upcasters;
    loan.upcaster_count = count;
}
