/* How events of older versions are read: the history of the loan's schemas, and one table at the end. */
#include "upcasters.h"

/* --- what more than one step needs --- */

loans_amount loans_amount_of(int64_t cents)
{
    loans_amount amount;
    for (size_t i = 0; i < sizeof amount.data; i++)
        amount.data[i] = (uint8_t)((uint64_t)cents >> (8 * (sizeof amount.data - 1 - i)));
    return amount;
}

int64_t loans_cents_of(const loans_amount *amount)
{
    uint64_t cents = amount->data[0] & 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < sizeof amount->data; i++)
        cents = cents << 8 | amount->data[i];
    return (int64_t)cents;
}

bool loans_by_of(loans_by *by, pdr_string resource)
{
    static const char user[] = "User_";
    enum { PREFIX = sizeof user - 1, MAX_DIGITS = 9 };
    *by = (loans_by){0};
    if (resource.size == 0) return true;
    if (resource.size <= PREFIX || resource.size > PREFIX + MAX_DIGITS) return false;
    if (memcmp(resource.data, user, PREFIX) != 0) return false;
    by->employee.present = true;
    for (size_t i = PREFIX; i < resource.size; i++) {
        if (resource.data[i] < '0' || resource.data[i] > '9') return false;
        by->employee.value = by->employee.value * 10 + (resource.data[i] - '0');
    }
    return true;
}

static bool read_resource(loans_by *by, pdr_string resource, pdr_upcast *out)
{
    if (loans_by_of(by, resource)) return true;
    pdr_upcast_fail(out, "\"%.*s\" is no employee", (int)(resource.size < 40 ? resource.size : 40),
                    resource.data);
    return false;
}

/* --- an amount: whole euro, then cents and a currency --- */

void loans_up_submitted_v1(const pdr_event *event, pdr_upcast *out)
{
    const loans_application_submitted_v1 *old = event->value;
    loans_application_submitted_v2 now = {.amount_requested = old->amount_requested};
    if (read_resource(&now.by, old->resource, out))
        pdr_upcast_emit(out, &loans_application_submitted_v2_type, &now);
}

/* docs/schema-evolution.md: another unit */
static void up_submitted_v2(const pdr_event *event, pdr_upcast *out)
{
    const loans_application_submitted_v2 *old = event->value;
    loans_application_submitted now = {.by = old->by,
                                       .amount = loans_amount_of(old->amount_requested * 100),
                                       .currency = pdr_string_of("EUR")};
    pdr_upcast_emit(out, &loans_application_submitted_type, &now);
}
/* end */

/* --- one event becomes two --- */

void loans_up_declined_v1(const pdr_event *event, pdr_upcast *out)
{
    const loans_application_declined_v1 *old = event->value;
    loans_application_declined_v2 now = {.letter_sent = old->letter_sent};
    if (read_resource(&now.by, old->resource, out))
        pdr_upcast_emit(out, &loans_application_declined_v2_type, &now);
}

/* docs/schema-evolution.md: a split */
static void up_declined_v2(const pdr_event *event, pdr_upcast *out)
{
    const loans_application_declined_v2 *old = event->value;
    loans_application_declined declined = {.by = old->by};
    loans_decline_letter_sent letter = {.by = old->by};
    pdr_upcast_emit(out, &loans_application_declined_type, &declined);
    if (old->letter_sent) pdr_upcast_emit(out, &loans_decline_letter_sent_type, &letter);
}
/* end */

/* --- another name --- */

void loans_up_mailed_v1(const pdr_event *event, pdr_upcast *out)
{
    const loans_offer_mailed_v1 *old = event->value;
    loans_offer_mailed_v2 now = {.offer = old->offer};
    if (read_resource(&now.by, old->resource, out)) pdr_upcast_emit(out, &loans_offer_mailed_v2_type, &now);
}

/* docs/schema-evolution.md: another name */
static void up_mailed_v2(const pdr_event *event, pdr_upcast *out)
{
    const loans_offer_mailed_v2 *old = event->value;
    loans_offer_sent now = {.by = old->by, .offer = old->offer};
    pdr_upcast_emit(out, &loans_offer_sent_type, &now);
}
/* end */

/* --- an enum in another order; its new symbol is a matter of resolution --- */

#define KIND_V2(symbol)                                                                                      \
    [LOANS_WORK_KIND_WORK_ITEM_SCHEDULED_V1_##symbol] = LOANS_WORK_KIND_WORK_ITEM_SCHEDULED_V2_##symbol

static const loans_work_kind_work_item_scheduled_v2 kinds_v2[] = {
    KIND_V2(ASSESS_FRAUD),          KIND_V2(CALL_ABOUT_OFFER),     KIND_V2(CHANGE_CONTRACT),
    KIND_V2(CHASE_INCOMPLETE_FILE), KIND_V2(COMPLETE_APPLICATION), KIND_V2(HANDLE_LEAD),
    KIND_V2(VALIDATE_APPLICATION),
};

void loans_up_scheduled_v1(const pdr_event *event, pdr_upcast *out)
{
    const loans_work_item_scheduled_v1 *old = event->value;
    loans_work_item_scheduled_v2 now = {.work = kinds_v2[old->work]};
    if (read_resource(&now.by, old->resource, out))
        pdr_upcast_emit(out, &loans_work_item_scheduled_v2_type, &now);
}

/* --- the table --- */

#define TO(...)                                                                                              \
    (const pdr_type *const[])                                                                                \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

/* docs/schema-evolution.md: the table */
const pdr_upcaster loans_upcasters[LOANS_UPCASTERS] = {
    {&loans_application_submitted_v1_type, TO(&loans_application_submitted_v2_type), 1,
     loans_up_submitted_v1},
    {&loans_application_submitted_v2_type, TO(&loans_application_submitted_type), 1, up_submitted_v2},
    {&loans_application_declined_v1_type, TO(&loans_application_declined_v2_type), 1, loans_up_declined_v1},
    {&loans_application_declined_v2_type,
     TO(&loans_application_declined_type, &loans_decline_letter_sent_type), 2, up_declined_v2},
    {&loans_offer_mailed_v1_type, TO(&loans_offer_mailed_v2_type), 1, loans_up_mailed_v1},
    {&loans_offer_mailed_v2_type, TO(&loans_offer_sent_type), 1, up_mailed_v2},
    {&loans_work_item_scheduled_v1_type, TO(&loans_work_item_scheduled_v2_type), 1, loans_up_scheduled_v1},
    /* By resolution: symbols by name, whatever their order. */
    {&loans_work_item_scheduled_v2_type, TO(&loans_work_item_scheduled_type), 1, NULL},
    {&loans_work_item_started_v1_type, TO(&loans_work_item_started_type), 1, NULL},
    {&loans_work_item_completed_v1_type, TO(&loans_work_item_completed_type), 1, NULL},
    /* Dropped. */
    {&loans_reminder_printed_v1_type, NULL, 0, NULL},
};
/* end */
