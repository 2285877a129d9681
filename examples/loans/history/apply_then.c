/* What old events change: what today's would. */
#include "then.h"

static const loans_work_kind by_name[] = {
    LOANS_WORK_KIND_ASSESS_FRAUD,         LOANS_WORK_KIND_CALL_ABOUT_OFFER,
    LOANS_WORK_KIND_CHANGE_CONTRACT,      LOANS_WORK_KIND_CHASE_INCOMPLETE_FILE,
    LOANS_WORK_KIND_COMPLETE_APPLICATION, LOANS_WORK_KIND_HANDLE_LEAD,
    LOANS_WORK_KIND_VALIDATE_APPLICATION};
enum { KINDS = sizeof by_name / sizeof by_name[0] };

int loans_kind_by_name(loans_work_kind kind)
{
    for (int i = 0; i < KINDS; i++)
        if (by_name[i] == kind) return i;
    return -1;
}

typedef struct applying {
    void *state;
    const pdr_event *event;
    pdr_arena *arena;
} applying;

static pdr_code apply_as(const applying *a, const pdr_type *type, const void *value)
{
    pdr_event today = {type, value, a->event->seq, a->event->time_us};
    return loans_apply(a->state, &today, a->arena);
}

static pdr_code submitted(const applying *a, const loans_by *by, int64_t euro)
{
    loans_application_submitted now = {
        .by = *by, .amount = loans_amount_of(euro * 100), .currency = pdr_string_of("EUR")};
    return apply_as(a, &loans_application_submitted_type, &now);
}

static pdr_code declined(const applying *a, const loans_by *by)
{
    return apply_as(a, &loans_application_declined_type, &(loans_application_declined){.by = *by});
}

static pdr_code sent(const applying *a, const loans_by *by, int32_t offer)
{
    return apply_as(a, &loans_offer_sent_type, &(loans_offer_sent){.by = *by, .offer = offer});
}

static pdr_code scheduled(const applying *a, const loans_by *by, loans_work_kind kind)
{
    return apply_as(a, &loans_work_item_scheduled_type,
                    &(loans_work_item_scheduled){.by = *by, .work = kind});
}

/* A member of the event's struct, and who did it as version 1 said so. */
#define OF(name, member) (((const loans_##name *)event->value)->member)
#define WHO(name) (loans_by_of(&by, OF(name, resource)))

pdr_code loans_apply_then(void *state, const pdr_event *event, pdr_arena *arena)
{
    applying a = {state, event, arena};
    loans_by by;
    switch (event->type->id) {
    case LOANS_APPLICATION_SUBMITTED_V1:
        return WHO(application_submitted_v1)
                   ? submitted(&a, &by, OF(application_submitted_v1, amount_requested))
                   : PDR_BAD_DATA;
    case LOANS_APPLICATION_SUBMITTED_V2:
        return submitted(&a, &OF(application_submitted_v2, by),
                         OF(application_submitted_v2, amount_requested));
    case LOANS_APPLICATION_DECLINED_V1:
        return WHO(application_declined_v1) ? declined(&a, &by) : PDR_BAD_DATA;
    case LOANS_APPLICATION_DECLINED_V2: return declined(&a, &OF(application_declined_v2, by));
    case LOANS_OFFER_MAILED_V1:
        return WHO(offer_mailed_v1) ? sent(&a, &by, OF(offer_mailed_v1, offer)) : PDR_BAD_DATA;
    case LOANS_OFFER_MAILED_V2: return sent(&a, &OF(offer_mailed_v2, by), OF(offer_mailed_v2, offer));
    case LOANS_WORK_ITEM_SCHEDULED_V1:
        return WHO(work_item_scheduled_v1) ? scheduled(&a, &by, by_name[OF(work_item_scheduled_v1, work)])
                                           : PDR_BAD_DATA;
    case LOANS_WORK_ITEM_SCHEDULED_V2: /* the first seven symbols are still the same */
        return scheduled(&a, &OF(work_item_scheduled_v2, by),
                         (loans_work_kind)OF(work_item_scheduled_v2, work));
    case LOANS_WORK_ITEM_STARTED_V1:
        return apply_as(&a, &loans_work_item_started_type,
                        &(loans_work_item_started){.by = OF(work_item_started_v1, by),
                                                   .work = by_name[OF(work_item_started_v1, work)]});
    case LOANS_WORK_ITEM_COMPLETED_V1:
        return apply_as(&a, &loans_work_item_completed_type,
                        &(loans_work_item_completed){.by = OF(work_item_completed_v1, by),
                                                     .work = by_name[OF(work_item_completed_v1, work)]});
    case LOANS_REMINDER_PRINTED_V1: return PDR_OK;
    default: return loans_apply(state, event, arena);
    }
}
