/* What an event changes. */
#include "loan.h"
#include "upcasters.h"

/* A list in the arena with room for one more; NULL: out of memory. The old one is left behind: the library
 * packs states anew before that adds up. */
static void *longer(pdr_arena *arena, const void *items, size_t count, size_t size)
{
    uint8_t *list = pdr_arena_alloc(arena, (count + 1) * size);
    if (!list) return NULL;
    if (count) memcpy(list, items, count * size);
    memset(list + count * size, 0, size);
    return list;
}

static pdr_code touch(loans_application *state, const loans_by *by, pdr_arena *arena)
{
    size_t count = state->employees.count;
    if (!by->employee.present || count >= LOANS_MAX_EMPLOYEES) return PDR_OK;
    for (size_t i = 0; i < count; i++)
        if (state->employees.items[i] == by->employee.value) return PDR_OK;
    int32_t *list = longer(arena, state->employees.items, count, sizeof *list);
    if (!list) return PDR_NOMEM;
    list[count] = by->employee.value;
    state->employees.items = list;
    state->employees.count = count + 1;
    return PDR_OK;
}

static pdr_code add_offer(loans_application *state, int32_t offer, pdr_arena *arena)
{
    size_t count = state->offers.count;
    if (offer < 1 || (size_t)offer != count + 1) return PDR_BAD_DATA;
    enum loans_offer_status *list = longer(arena, state->offers.items, count, sizeof *list);
    if (!list) return PDR_NOMEM;
    list[count] = LOANS_OFFER_STATUS_SELECTED;
    state->offers.items = list;
    state->offers.count = count + 1;
    return PDR_OK;
}

static pdr_code set_offer(loans_application *state, int32_t offer, loans_offer_status status)
{
    if (offer < 1 || (size_t)offer > state->offers.count) return PDR_BAD_DATA;
    state->offers.items[offer - 1] = status;
    return PDR_OK;
}

static loans_work *work_of(loans_application *state, loans_work_kind kind, pdr_arena *arena)
{
    size_t count = state->work.count;
    for (size_t i = 0; i < count; i++)
        if (state->work.items[i].kind == kind) return &state->work.items[i];
    loans_work *list = longer(arena, state->work.items, count, sizeof *list);
    if (!list) return NULL;
    list[count].kind = kind;
    state->work.items = list;
    state->work.count = count + 1;
    return &list[count];
}

static pdr_code set_work(loans_application *state, loans_work_kind kind, loans_work_step step,
                         pdr_arena *arena)
{
    loans_work *work = work_of(state, kind, arena);
    if (!work) return PDR_NOMEM;
    switch (step) {
    case LOANS_WORK_STEP_SCHEDULE: work->scheduled++; break;
    case LOANS_WORK_STEP_START: work->running++; break;
    case LOANS_WORK_STEP_COMPLETE:
        work->completed++;
        if (work->running > 0) work->running--; /* the log has completions of what nobody started */
    }
    return PDR_OK;
}

static void submit(loans_application *state, const pdr_event *event)
{
    const loans_application_submitted *submitted = event->value;
    state->status = LOANS_STATUS_SUBMITTED;
    state->amount_cents = loans_cents_of(&submitted->amount);
    state->submitted_at = event->time_us;
}

/* A member of the event's struct. */
#define OF(name, member) (((const loans_##name *)event->value)->member)

static pdr_code change(loans_application *state, const pdr_event *event, pdr_arena *arena)
{
    switch (event->type->id) {
    case LOANS_APPLICATION_SUBMITTED: submit(state, event); break;
    case LOANS_APPLICATION_PARTLY_SUBMITTED: state->status = LOANS_STATUS_PARTLY_SUBMITTED; break;
    case LOANS_APPLICATION_PREACCEPTED: state->status = LOANS_STATUS_PREACCEPTED; break;
    case LOANS_APPLICATION_ACCEPTED: state->status = LOANS_STATUS_ACCEPTED; break;
    case LOANS_APPLICATION_FINALIZED: state->status = LOANS_STATUS_FINALIZED; break;
    case LOANS_APPLICATION_APPROVED: state->status = LOANS_STATUS_APPROVED; break;
    case LOANS_APPLICATION_REGISTERED: state->registered = true; break;
    case LOANS_APPLICATION_ACTIVATED: state->activated = true; break;
    case LOANS_APPLICATION_DECLINED: state->status = LOANS_STATUS_DECLINED; break;
    case LOANS_APPLICATION_CANCELLED: state->status = LOANS_STATUS_CANCELLED; break;
    case LOANS_DECLINE_LETTER_SENT: break;
    case LOANS_OFFER_SELECTED: return add_offer(state, OF(offer_selected, offer), arena);
    case LOANS_OFFER_CREATED: return set_offer(state, OF(offer_created, offer), LOANS_OFFER_STATUS_CREATED);
    case LOANS_OFFER_SENT: return set_offer(state, OF(offer_sent, offer), LOANS_OFFER_STATUS_SENT);
    case LOANS_OFFER_SENT_BACK:
        return set_offer(state, OF(offer_sent_back, offer), LOANS_OFFER_STATUS_SENT_BACK);
    case LOANS_OFFER_ACCEPTED:
        return set_offer(state, OF(offer_accepted, offer), LOANS_OFFER_STATUS_ACCEPTED);
    case LOANS_OFFER_DECLINED:
        return set_offer(state, OF(offer_declined, offer), LOANS_OFFER_STATUS_DECLINED);
    case LOANS_OFFER_CANCELLED:
        return set_offer(state, OF(offer_cancelled, offer), LOANS_OFFER_STATUS_CANCELLED);
    case LOANS_WORK_ITEM_SCHEDULED:
        return set_work(state, OF(work_item_scheduled, work), LOANS_WORK_STEP_SCHEDULE, arena);
    case LOANS_WORK_ITEM_STARTED:
        return set_work(state, OF(work_item_started, work), LOANS_WORK_STEP_START, arena);
    case LOANS_WORK_ITEM_COMPLETED:
        return set_work(state, OF(work_item_completed, work), LOANS_WORK_STEP_COMPLETE, arena);
    default: return PDR_UNKNOWN_TYPE;
    }
    return PDR_OK;
}

pdr_code loans_apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    loans_application *application = state;
    pdr_code code = change(application, event, arena);
    if (code != PDR_OK) return code;
    application->changed_at = event->time_us;
    return touch(application, event->value, arena); /* every event begins with its `By` */
}
