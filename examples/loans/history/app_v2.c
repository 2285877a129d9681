/* Version 2: employees are numbers, work stands in the order in which it is done, nobody prints reminders. */
#include "then.h"

#define WRITE(name, ...) pdr_emit_at(out, &loans_##name##_type, &(loans_##name){__VA_ARGS__}, at)
#define KIND(name, kind) (loans_work_kind_##name)(kind)

void loans_happened(pdr_decision *out, const pdr_type *type, const void *event, int64_t at)
{
    const loans_by *by = event; /* every event of today begins with it */
    if (type == &loans_application_submitted_type) {
        const loans_application_submitted *e = event;
        WRITE(application_submitted_v2, .by = *by, .amount_requested = loans_cents_of(&e->amount) / 100);
    } else if (type == &loans_application_declined_type) {
        WRITE(application_declined_v2, .by = *by,
              .letter_sent = by->employee.present && by->employee.value != LOANS_MACHINE);
    } else if (type == &loans_offer_sent_type) {
        WRITE(offer_mailed_v2, .by = *by, .offer = ((const loans_offer_sent *)event)->offer);
    } else if (type == &loans_work_item_scheduled_type) {
        const loans_work_item_scheduled *e = event;
        WRITE(work_item_scheduled_v2, .by = *by, .work = KIND(work_item_scheduled_v2, e->work));
    } else if (type == &loans_work_item_started_type) {
        const loans_work_item_started *e = event;
        WRITE(work_item_started_v1, .by = *by,
              .work = (loans_work_kind_work_item_started_v1)loans_kind_by_name(e->work));
    } else if (type == &loans_work_item_completed_type) {
        const loans_work_item_completed *e = event;
        WRITE(work_item_completed_v1, .by = *by,
              .work = (loans_work_kind_work_item_completed_v1)loans_kind_by_name(e->work));
    } else {
        pdr_emit_at(out, type, event, at);
    }
}

static const pdr_type *const commands[] = {&loans_submit_application_type, &loans_move_application_type,
                                           &loans_move_offer_type, &loans_move_work_type};

static const pdr_type *const events[] = {LOANS_UNCHANGED_EVENTS,
                                         &loans_application_submitted_v2_type,
                                         &loans_application_declined_v2_type,
                                         &loans_offer_mailed_v2_type,
                                         &loans_work_item_scheduled_v2_type,
                                         &loans_work_item_started_v1_type,
                                         &loans_work_item_completed_v1_type};

#define TO(type)                                                                                             \
    (const pdr_type *const[])                                                                                \
    {                                                                                                        \
        &type                                                                                                \
    }

static const pdr_upcaster upcasters[] = {
    {&loans_application_submitted_v1_type, TO(loans_application_submitted_v2_type), 1, loans_up_submitted_v1},
    {&loans_application_declined_v1_type, TO(loans_application_declined_v2_type), 1, loans_up_declined_v1},
    {&loans_offer_mailed_v1_type, TO(loans_offer_mailed_v2_type), 1, loans_up_mailed_v1},
    {&loans_work_item_scheduled_v1_type, TO(loans_work_item_scheduled_v2_type), 1, loans_up_scheduled_v1},
    {&loans_reminder_printed_v1_type, NULL, 0, NULL},
};

const pdr_entity_type loans_entity = {
    .abi_size = sizeof(pdr_entity_type),
    .name = "loan",
    .state = &loans_application_type,
    .events = events,
    .event_count = sizeof events / sizeof events[0],
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .revision = 2,
    .id_window = LOANS_ID_WINDOW,
    .decide = loans_decide,
    .apply = loans_apply_then,
    .upcasters = upcasters,
    .upcaster_count = sizeof upcasters / sizeof upcasters[0],
};

static const pdr_entity_type *const entities[] = {&loans_entity};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};
