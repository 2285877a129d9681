/* A command that makes sense becomes exactly one event, at the command's own time. */
#include "loan.h"
#include "upcasters.h"

/* `c` is the command, `out` the decision. */
#define HAPPENED(event, ...) loans_happened(out, &loans_##event##_type, &(loans_##event){__VA_ARGS__}, c->at)

static void submit(const loans_submit_application *c, pdr_decision *out)
{
    HAPPENED(application_submitted, .by = c->by, .amount = loans_amount_of(c->amount_requested * 100),
             .currency = pdr_string_of("EUR"));
}

static void move_application(const loans_move_application *c, pdr_decision *out)
{
    switch (c->step) {
    case LOANS_APPLICATION_STEP_PARTLY_SUBMIT: HAPPENED(application_partly_submitted, .by = c->by); break;
    case LOANS_APPLICATION_STEP_PREACCEPT: HAPPENED(application_preaccepted, .by = c->by); break;
    case LOANS_APPLICATION_STEP_ACCEPT: HAPPENED(application_accepted, .by = c->by); break;
    case LOANS_APPLICATION_STEP_FINALIZE: HAPPENED(application_finalized, .by = c->by); break;
    case LOANS_APPLICATION_STEP_APPROVE: HAPPENED(application_approved, .by = c->by); break;
    case LOANS_APPLICATION_STEP_REGISTER: HAPPENED(application_registered, .by = c->by); break;
    case LOANS_APPLICATION_STEP_ACTIVATE: HAPPENED(application_activated, .by = c->by); break;
    case LOANS_APPLICATION_STEP_DECLINE: HAPPENED(application_declined, .by = c->by); break;
    case LOANS_APPLICATION_STEP_CANCEL: HAPPENED(application_cancelled, .by = c->by); break;
    }
}

static void move_offer(const loans_application *state, const loans_move_offer *c, pdr_decision *out)
{
    int32_t offer = loans_offer_for(state, c->step);
    switch (c->step) {
    case LOANS_OFFER_STEP_SELECT: HAPPENED(offer_selected, .by = c->by, .offer = offer); break;
    case LOANS_OFFER_STEP_CREATE: HAPPENED(offer_created, .by = c->by, .offer = offer); break;
    case LOANS_OFFER_STEP_SEND: HAPPENED(offer_sent, .by = c->by, .offer = offer); break;
    case LOANS_OFFER_STEP_SEND_BACK: HAPPENED(offer_sent_back, .by = c->by, .offer = offer); break;
    case LOANS_OFFER_STEP_ACCEPT: HAPPENED(offer_accepted, .by = c->by, .offer = offer); break;
    case LOANS_OFFER_STEP_DECLINE: HAPPENED(offer_declined, .by = c->by, .offer = offer); break;
    case LOANS_OFFER_STEP_CANCEL: HAPPENED(offer_cancelled, .by = c->by, .offer = offer); break;
    }
}

static void move_work(const loans_move_work *c, pdr_decision *out)
{
    switch (c->step) {
    case LOANS_WORK_STEP_SCHEDULE: HAPPENED(work_item_scheduled, .by = c->by, .work = c->work); break;
    case LOANS_WORK_STEP_START: HAPPENED(work_item_started, .by = c->by, .work = c->work); break;
    case LOANS_WORK_STEP_COMPLETE: HAPPENED(work_item_completed, .by = c->by, .work = c->work); break;
    }
}

void loans_decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    (void)now_us; /* the rows bring their own time */
    char text[LOANS_OBJECTION_ROOM];
    const char *objection = loans_objection(state, command, text);
    if (objection) {
        pdr_refuse(out, "%s", objection);
        return;
    }
    switch (command->type->id) {
    case LOANS_SUBMIT_APPLICATION: submit(command->value, out); break;
    case LOANS_MOVE_APPLICATION: move_application(command->value, out); break;
    case LOANS_MOVE_OFFER: move_offer(state, command->value, out); break;
    case LOANS_MOVE_WORK: move_work(command->value, out); break;
    }
}
