/* Version 1: whole euro, employees as text, work in the order of its names, offers that are mailed. */
#include <stdio.h>

#include "then.h"

enum { RESOURCE_ROOM = 24 };

static pdr_string resource_of(const loans_by *by, char room[RESOURCE_ROOM])
{
    if (!by->employee.present) return (pdr_string){"", 0};
    int size = snprintf(room, RESOURCE_ROOM, "User_%d", (int)by->employee.value);
    return (pdr_string){room, (size_t)size};
}

#define WRITE(name, ...) pdr_emit_at(out, &loans_##name##_type, &(loans_##name){__VA_ARGS__}, at)
#define KIND(name, kind) (loans_work_kind_##name) loans_kind_by_name(kind)

void loans_happened(pdr_decision *out, const pdr_type *type, const void *event, int64_t at)
{
    char room[RESOURCE_ROOM];
    const loans_by *by = event; /* every event of today begins with it */
    pdr_string resource = resource_of(by, room);
    if (type == &loans_application_submitted_type) {
        const loans_application_submitted *e = event;
        WRITE(application_submitted_v1, .resource = resource,
              .amount_requested = loans_cents_of(&e->amount) / 100);
    } else if (type == &loans_application_declined_type) {
        WRITE(application_declined_v1, .resource = resource,
              .letter_sent = by->employee.present && by->employee.value != LOANS_MACHINE);
    } else if (type == &loans_offer_sent_type) {
        WRITE(offer_mailed_v1, .resource = resource, .offer = ((const loans_offer_sent *)event)->offer);
    } else if (type == &loans_work_item_scheduled_type) {
        const loans_work_item_scheduled *e = event;
        WRITE(work_item_scheduled_v1, .resource = resource, .work = KIND(work_item_scheduled_v1, e->work));
    } else if (type == &loans_work_item_started_type) {
        const loans_work_item_started *e = event;
        WRITE(work_item_started_v1, .by = *by, .work = KIND(work_item_started_v1, e->work));
    } else if (type == &loans_work_item_completed_type) {
        const loans_work_item_completed *e = event;
        WRITE(work_item_completed_v1, .by = *by, .work = KIND(work_item_completed_v1, e->work));
    } else {
        pdr_emit_at(out, type, event, at);
    }
}

static const pdr_type *const commands[] = {&loans_submit_application_type, &loans_move_application_type,
                                           &loans_move_offer_type, &loans_move_work_type};

static const pdr_type *const events[] = {LOANS_UNCHANGED_EVENTS,
                                         &loans_application_submitted_v1_type,
                                         &loans_application_declined_v1_type,
                                         &loans_offer_mailed_v1_type,
                                         &loans_work_item_scheduled_v1_type,
                                         &loans_work_item_started_v1_type,
                                         &loans_work_item_completed_v1_type,
                                         &loans_reminder_printed_v1_type};

const pdr_entity_type loans_entity = {
    .abi_size = sizeof(pdr_entity_type),
    .name = "loan",
    .state = &loans_application_type,
    .events = events,
    .event_count = sizeof events / sizeof events[0],
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .revision = 1,
    .id_window = LOANS_ID_WINDOW,
    .decide = loans_decide,
    .apply = loans_apply_then,
};

static const pdr_entity_type *const entities[] = {&loans_entity};

const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};
