/* What makes no sense, and why. */
#include <stdio.h>

#include "loan.h"

#define ON(status) (1u << LOANS_STATUS_##status)
#define UNDECIDED (ON(PARTLY_SUBMITTED) | ON(PREACCEPTED) | ON(ACCEPTED) | ON(FINALIZED))

static const char *const status_words[] = {"not submitted", "submitted", "partly submitted",
                                           "preaccepted",   "accepted",  "finalized",
                                           "approved",      "declined",  "cancelled"};

static bool is_on(const loans_application *state, unsigned statuses)
{
    return (1u << state->status) & statuses;
}

/* A step is allowed from these statuses. */
typedef struct step_rule {
    unsigned from;
    const char *done;
} step_rule;

static const step_rule step_rules[] = {
    [LOANS_APPLICATION_STEP_PARTLY_SUBMIT] = {ON(SUBMITTED), "partly submitted"},
    [LOANS_APPLICATION_STEP_PREACCEPT] = {ON(PARTLY_SUBMITTED), "preaccepted"},
    [LOANS_APPLICATION_STEP_ACCEPT] = {ON(PREACCEPTED), "accepted"},
    [LOANS_APPLICATION_STEP_FINALIZE] = {ON(ACCEPTED), "finalized"},
    /* Approval, registration and activation come in any order. */
    [LOANS_APPLICATION_STEP_APPROVE] = {ON(FINALIZED), "approved"},
    [LOANS_APPLICATION_STEP_REGISTER] = {ON(FINALIZED) | ON(APPROVED), "registered"},
    [LOANS_APPLICATION_STEP_ACTIVATE] = {ON(FINALIZED) | ON(APPROVED), "activated"},
    [LOANS_APPLICATION_STEP_DECLINE] = {UNDECIDED, "declined"},
    [LOANS_APPLICATION_STEP_CANCEL] = {UNDECIDED, "cancelled"},
};

static const char *to_step(const loans_application *state, loans_application_step step, char *text)
{
    const step_rule *rule = &step_rules[step];
    const char *is = status_words[state->status];
    bool ends = step == LOANS_APPLICATION_STEP_DECLINE || step == LOANS_APPLICATION_STEP_CANCEL;
    bool again = (step == LOANS_APPLICATION_STEP_REGISTER && state->registered) ||
                 (step == LOANS_APPLICATION_STEP_ACTIVATE && state->activated);
    if (again)
        is = rule->done;
    else if (ends && (state->registered || state->activated))
        is = state->registered ? "registered" : "activated";
    else if (is_on(state, rule->from))
        return NULL;
    (void)snprintf(text, LOANS_OBJECTION_ROOM, "an application that is %s can't be %s", is, rule->done);
    return text;
}

/* --- offers --- */

typedef struct offer_rule {
    unsigned from;      /* statuses of the offer */
    unsigned of;        /* statuses of the application */
    bool oldest;        /* of the offers that fit, the oldest; else the newest */
    const char *needed; /* what is missing when none fits */
} offer_rule;

#define OFFER(status) (1u << LOANS_OFFER_STATUS_##status)
#define ANSWERABLE (OFFER(SENT) | OFFER(SENT_BACK))
#define OPEN (OFFER(SELECTED) | OFFER(CREATED) | ANSWERABLE)

static const offer_rule offer_rules[] = {
    [LOANS_OFFER_STEP_SELECT] = {0, ON(ACCEPTED) | ON(FINALIZED), false, ""},
    [LOANS_OFFER_STEP_CREATE] = {OFFER(SELECTED), ON(FINALIZED), false, "selected"},
    [LOANS_OFFER_STEP_SEND] = {OFFER(CREATED), ON(FINALIZED), false, "created"},
    [LOANS_OFFER_STEP_SEND_BACK] = {OFFER(SENT), ON(FINALIZED), false, "sent"},
    [LOANS_OFFER_STEP_ACCEPT] = {ANSWERABLE, ON(FINALIZED) | ON(APPROVED), false, "sent"},
    [LOANS_OFFER_STEP_DECLINE] = {ANSWERABLE, ON(FINALIZED) | ON(DECLINED), false, "sent"},
    /* While a new offer is being made the one before is cancelled. */
    [LOANS_OFFER_STEP_CANCEL] = {OPEN, ON(FINALIZED) | ON(CANCELLED) | ON(ACCEPTED), true, "open"},
};

int32_t loans_offer_for(const loans_application *state, loans_offer_step step)
{
    const offer_rule *rule = &offer_rules[step];
    size_t count = state->offers.count;
    if (step == LOANS_OFFER_STEP_SELECT) return (int32_t)count + 1;
    for (size_t i = 0; i < count; i++) {
        size_t at = rule->oldest ? i : count - 1 - i;
        if ((1u << state->offers.items[at]) & rule->from) return (int32_t)at + 1;
    }
    return 0;
}

static const char *to_offer(const loans_application *state, loans_offer_step step, char *text)
{
    const offer_rule *rule = &offer_rules[step];
    bool selects = step == LOANS_OFFER_STEP_SELECT;
    if (!is_on(state, rule->of))
        (void)snprintf(text, LOANS_OBJECTION_ROOM, "no such step of an offer: the application is %s",
                       status_words[state->status]);
    else if (selects && state->offers.count >= LOANS_MAX_OFFERS)
        (void)snprintf(text, LOANS_OBJECTION_ROOM, "an application has at most %d offers", LOANS_MAX_OFFERS);
    else if (!selects && !loans_offer_for(state, step))
        (void)snprintf(text, LOANS_OBJECTION_ROOM, "no offer is %s", rule->needed);
    else
        return NULL;
    return text;
}

/* --- work --- */

static bool was_scheduled(const loans_application *state, loans_work_kind kind)
{
    for (size_t i = 0; i < state->work.count; i++)
        if (state->work.items[i].kind == kind) return state->work.items[i].scheduled > 0;
    return false;
}

/* Work goes on after a decision: somebody tidies up. But nothing new is planned for what came to nothing. */
static const char *to_work(const loans_application *state, const loans_move_work *command)
{
    if (is_on(state, ON(NONE) | ON(SUBMITTED))) return "no work before the application is partly submitted";
    if (command->step == LOANS_WORK_STEP_SCHEDULE)
        return is_on(state, ON(DECLINED) | ON(CANCELLED)) ? "no new work for an application that has ended"
                                                          : NULL;
    return was_scheduled(state, command->work) ? NULL : "this kind of work was never scheduled";
}

static const char *to_submission(const loans_application *state, const loans_submit_application *command)
{
    if (!is_on(state, ON(NONE))) return "the application was submitted before";
    if (command->amount_requested > LOANS_MAX_EURO) return "nobody lends that much";
    return command->amount_requested < 0 ? "the amount is negative" : NULL;
}

static const char *to_going_back(const loans_application *state, int64_t at)
{
    return at < state->changed_at ? "it is earlier than what happened last" : NULL;
}

const char *loans_objection(const loans_application *state, const pdr_command *command, char *text)
{
    const char *why;
    switch (command->type->id) {
    case LOANS_SUBMIT_APPLICATION: return to_submission(state, command->value);
    case LOANS_MOVE_APPLICATION: {
        const loans_move_application *move = command->value;
        why = to_going_back(state, move->at);
        return why ? why : to_step(state, move->step, text);
    }
    case LOANS_MOVE_OFFER: {
        const loans_move_offer *move = command->value;
        why = to_going_back(state, move->at);
        return why ? why : to_offer(state, move->step, text);
    }
    default: {
        const loans_move_work *move = command->value;
        why = to_going_back(state, move->at);
        return why ? why : to_work(state, move);
    }
    }
}
