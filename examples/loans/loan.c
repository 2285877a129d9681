/* The entity type: what a loan application is made of. */
#include "loan.h"
#include "upcasters.h"

static const pdr_type *const commands[] = {&loans_submit_application_type, &loans_move_application_type,
                                           &loans_move_offer_type, &loans_move_work_type};

static const pdr_type *const events[] = {
    &loans_application_submitted_type,   &loans_application_partly_submitted_type,
    &loans_application_preaccepted_type, &loans_application_accepted_type,
    &loans_application_finalized_type,   &loans_application_approved_type,
    &loans_application_registered_type,  &loans_application_activated_type,
    &loans_application_declined_type,    &loans_application_cancelled_type,
    &loans_decline_letter_sent_type,     &loans_offer_selected_type,
    &loans_offer_created_type,           &loans_offer_sent_type,
    &loans_offer_sent_back_type,         &loans_offer_accepted_type,
    &loans_offer_declined_type,          &loans_offer_cancelled_type,
    &loans_work_item_scheduled_type,     &loans_work_item_started_type,
    &loans_work_item_completed_type,
};

void loans_happened(pdr_decision *out, const pdr_type *type, const void *event, int64_t at)
{
    pdr_emit_at(out, type, event, at);
}

const pdr_entity_type loans_entity = {
    .abi_size = sizeof(pdr_entity_type),
    .name = "loan",
    .state = &loans_application_type,
    .events = events,
    .event_count = sizeof events / sizeof events[0],
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .revision = 3,
    .id_window = LOANS_ID_WINDOW,
    .decide = loans_decide,
    .apply = loans_apply,
    .upcasters = loans_upcasters,
    .upcaster_count = LOANS_UPCASTERS,
};
