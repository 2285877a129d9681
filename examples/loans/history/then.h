/* The loans application as it was: the same rules, decided in today's terms, and written as versions 1 and 2
 * wrote. For tests of a log that has a history; nobody else needs it. */
#ifndef LOANS_THEN_H
#define LOANS_THEN_H

#include "loan.h"
#include "upcasters.h"

/* Events that are written today as they always were. */
#define LOANS_UNCHANGED_EVENTS                                                                               \
    &loans_application_partly_submitted_type, &loans_application_preaccepted_type,                           \
        &loans_application_accepted_type, &loans_application_finalized_type,                                 \
        &loans_application_approved_type, &loans_application_registered_type,                                \
        &loans_application_activated_type, &loans_application_cancelled_type, &loans_offer_selected_type,    \
        &loans_offer_created_type, &loans_offer_sent_back_type, &loans_offer_accepted_type,                  \
        &loans_offer_declined_type, &loans_offer_cancelled_type

/* A decline by the bank's own machine sent no letter. */
enum { LOANS_MACHINE = 112 };

/* pdr_entity_type.apply for events of versions 1 and 2. */
pdr_code loans_apply_then(void *state, const pdr_event *event, pdr_arena *arena);

/* A symbol of today's as one of the order by name, in which version 1 wrote. */
int loans_kind_by_name(loans_work_kind kind);

#endif
