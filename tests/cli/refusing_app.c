/* The loans application with an `apply` that fails at OfferSent. */
#include "loan.h"

static pdr_entity_type loan;
static const pdr_entity_type *const entities[] = {&loan};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};

static pdr_code refuse(void *state, const pdr_event *event, pdr_arena *arena)
{
    return event->type->id == LOANS_OFFER_SENT ? PDR_BAD_DATA : loans_apply(state, event, arena);
}

__attribute__((constructor)) static void make(void)
{
    loan = loans_entity;
    loan.apply = refuse;
}
