/* Claims about one loan application. */
#include <criterion/criterion.h>

#include "loan_probe.h"

static loan_probe probe;
static pdr_state state;
static int64_t clock_us;

static void ready(void)
{
    loan_probe_open(&probe);
    memset(&state, 0, sizeof state);
    clock_us = 1000000;
}

static void done(void)
{
    pdr_state_release(&state);
    loan_probe_close(&probe);
}

TestSuite(loan, .init = ready, .fini = done);

static const pdr_type *submit(int64_t amount)
{
    loans_submit_application c = {clock_us++, amount, {{true, 112}}};
    return loan_probe_tell(&probe, &state, &loans_submit_application_type, &c);
}

static const pdr_type *step_by(loans_application_step step, int32_t employee)
{
    loans_move_application c = {clock_us++, step, {{employee != 0, employee}}};
    return loan_probe_tell(&probe, &state, &loans_move_application_type, &c);
}

static const pdr_type *step(loans_application_step which)
{
    return step_by(which, 112);
}

static const pdr_type *offer(loans_offer_step which)
{
    loans_move_offer c = {clock_us++, which, {{true, 112}}};
    return loan_probe_tell(&probe, &state, &loans_move_offer_type, &c);
}

static const pdr_type *work(loans_work_kind kind, loans_work_step which)
{
    loans_move_work c = {clock_us++, kind, which, {{false, 0}}};
    return loan_probe_tell(&probe, &state, &loans_move_work_type, &c);
}

static const char *refusal(void)
{
    return (const char *)probe.decision.answer;
}

static void reach(loans_status status)
{
    submit(5000);
    for (int i = LOANS_APPLICATION_STEP_PARTLY_SUBMIT; i + LOANS_STATUS_PARTLY_SUBMITTED <= (int)status; i++)
        cr_assert_not_null(step((loans_application_step)i));
    cr_assert_eq(loan_probe_state(&state)->status, status);
}

Test(loan, a_submission_keeps_amount_time_and_who)
{
    cr_assert_eq(submit(20000), &loans_application_submitted_type);
    const loans_application *loan = loan_probe_state(&state);
    cr_assert_eq(loan->status, LOANS_STATUS_SUBMITTED);
    cr_assert_eq(loan->amount_cents, 2000000);
    cr_assert_eq(loan->submitted_at, 1000000);
    cr_assert_eq(loan->employees.count, 1);
    cr_assert_eq(loan->employees.items[0], 112);
}

Test(loan, it_is_submitted_once_and_not_for_less_than_nothing)
{
    cr_assert_null(submit(-1));
    cr_assert_str_eq(refusal(), "the amount is negative");
    cr_assert_not_null(submit(0));
    cr_assert_null(submit(0));
    cr_assert_str_eq(refusal(), "the application was submitted before");
}

Test(loan, nothing_happens_before_submission)
{
    for (int i = 0; i <= LOANS_APPLICATION_STEP_CANCEL; i++)
        cr_assert_null(step((loans_application_step)i));
    for (int i = 0; i <= LOANS_OFFER_STEP_CANCEL; i++)
        cr_assert_null(offer((loans_offer_step)i));
    for (int i = 0; i <= LOANS_WORK_STEP_COMPLETE; i++)
        cr_assert_null(work(LOANS_WORK_KIND_HANDLE_LEAD, (loans_work_step)i));
}

Test(loan, each_step_needs_the_one_before)
{
    submit(5000);
    for (int last = LOANS_APPLICATION_STEP_PARTLY_SUBMIT; last <= LOANS_APPLICATION_STEP_FINALIZE; last++) {
        for (int i = last + 1; i <= LOANS_APPLICATION_STEP_ACTIVATE; i++)
            cr_assert_null(step((loans_application_step)i), "%d after %d", i, last - 1);
        cr_assert_not_null(step((loans_application_step)last));
        cr_assert_null(step((loans_application_step)last), "%d twice", last);
    }
}

Test(loan, a_decision_is_final)
{
    static const loans_application_step ends[] = {
        LOANS_APPLICATION_STEP_APPROVE, LOANS_APPLICATION_STEP_DECLINE, LOANS_APPLICATION_STEP_CANCEL};
    for (size_t i = 0; i < 3; i++) {
        reach(LOANS_STATUS_FINALIZED);
        cr_assert_not_null(step(ends[i]));
        for (size_t j = 0; j < 3; j++)
            cr_assert_null(step(ends[j]));
        pdr_state_release(&state);
        memset(&state, 0, sizeof state);
    }
    reach(LOANS_STATUS_PREACCEPTED);
    step(LOANS_APPLICATION_STEP_DECLINE);
    cr_assert_null(step(LOANS_APPLICATION_STEP_CANCEL));
    cr_assert_str_eq(refusal(), "an application that is declined can't be cancelled");
}

Test(loan, approval_registration_and_activation_come_in_any_order_but_once)
{
    static const loans_application_step orders[][3] = {
        {LOANS_APPLICATION_STEP_APPROVE, LOANS_APPLICATION_STEP_REGISTER, LOANS_APPLICATION_STEP_ACTIVATE},
        {LOANS_APPLICATION_STEP_ACTIVATE, LOANS_APPLICATION_STEP_REGISTER, LOANS_APPLICATION_STEP_APPROVE},
        {LOANS_APPLICATION_STEP_REGISTER, LOANS_APPLICATION_STEP_APPROVE, LOANS_APPLICATION_STEP_ACTIVATE},
    };
    for (size_t i = 0; i < 3; i++) {
        reach(LOANS_STATUS_FINALIZED);
        for (size_t j = 0; j < 3; j++) {
            cr_assert_not_null(step(orders[i][j]));
            cr_assert_null(step(orders[i][j]), "a second time");
            cr_assert_null(step(LOANS_APPLICATION_STEP_DECLINE), "what is under way isn't declined");
        }
        const loans_application *loan = loan_probe_state(&state);
        cr_assert(loan->status == LOANS_STATUS_APPROVED && loan->registered && loan->activated);
        pdr_state_release(&state);
        memset(&state, 0, sizeof state);
    }
}

Test(loan, no_offer_before_acceptance_and_none_is_written_before_the_application_is_finalized)
{
    reach(LOANS_STATUS_PREACCEPTED);
    cr_assert_null(offer(LOANS_OFFER_STEP_SELECT));
    step(LOANS_APPLICATION_STEP_ACCEPT);
    cr_assert_not_null(offer(LOANS_OFFER_STEP_SELECT));
    cr_assert_null(offer(LOANS_OFFER_STEP_CREATE));
    step(LOANS_APPLICATION_STEP_FINALIZE);
    cr_assert_not_null(offer(LOANS_OFFER_STEP_CREATE));
}

Test(loan, an_offer_goes_from_selected_to_answered)
{
    reach(LOANS_STATUS_FINALIZED);
    cr_assert_null(offer(LOANS_OFFER_STEP_SEND));
    cr_assert_str_eq(refusal(), "no offer is created");
    static const loans_offer_step way[] = {LOANS_OFFER_STEP_SELECT, LOANS_OFFER_STEP_CREATE,
                                           LOANS_OFFER_STEP_SEND, LOANS_OFFER_STEP_SEND_BACK,
                                           LOANS_OFFER_STEP_ACCEPT};
    for (size_t i = 0; i < 5; i++) {
        if (i < 3) cr_assert_null(offer(LOANS_OFFER_STEP_ACCEPT), "answered before it was sent");
        cr_assert_not_null(offer(way[i]), "step %zu", i);
    }
    cr_assert_eq(loan_probe_state(&state)->offers.items[0], LOANS_OFFER_STATUS_ACCEPTED);
    cr_assert_null(offer(LOANS_OFFER_STEP_ACCEPT));
    cr_assert_null(offer(LOANS_OFFER_STEP_CANCEL));
}

Test(loan, a_cancelled_offer_is_the_older_one)
{
    reach(LOANS_STATUS_FINALIZED);
    offer(LOANS_OFFER_STEP_SELECT);
    offer(LOANS_OFFER_STEP_CREATE);
    offer(LOANS_OFFER_STEP_SEND);
    offer(LOANS_OFFER_STEP_SELECT);
    cr_assert_not_null(offer(LOANS_OFFER_STEP_CANCEL));
    const loans_application *loan = loan_probe_state(&state);
    cr_assert_eq(loan->offers.items[0], LOANS_OFFER_STATUS_CANCELLED);
    cr_assert_eq(loan->offers.items[1], LOANS_OFFER_STATUS_SELECTED);
}

Test(loan, of_two_selected_offers_the_newer_one_is_written)
{
    reach(LOANS_STATUS_FINALIZED);
    offer(LOANS_OFFER_STEP_SELECT);
    offer(LOANS_OFFER_STEP_SELECT);
    cr_assert_not_null(offer(LOANS_OFFER_STEP_CREATE));
    const loans_application *loan = loan_probe_state(&state);
    cr_assert_eq(loan->offers.items[0], LOANS_OFFER_STATUS_SELECTED);
    cr_assert_eq(loan->offers.items[1], LOANS_OFFER_STATUS_CREATED);
}

Test(loan, offers_have_a_ceiling)
{
    reach(LOANS_STATUS_FINALIZED);
    for (int i = 0; i < LOANS_MAX_OFFERS; i++)
        cr_assert_not_null(offer(LOANS_OFFER_STEP_SELECT));
    cr_assert_null(offer(LOANS_OFFER_STEP_SELECT));
}

Test(loan, work_is_scheduled_first_and_counts_its_runs)
{
    reach(LOANS_STATUS_PARTLY_SUBMITTED);
    cr_assert_null(work(LOANS_WORK_KIND_ASSESS_FRAUD, LOANS_WORK_STEP_START));
    work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_SCHEDULE);
    cr_assert_null(work(LOANS_WORK_KIND_ASSESS_FRAUD, LOANS_WORK_STEP_COMPLETE));
    work(LOANS_WORK_KIND_ASSESS_FRAUD, LOANS_WORK_STEP_SCHEDULE);
    work(LOANS_WORK_KIND_ASSESS_FRAUD, LOANS_WORK_STEP_START);
    work(LOANS_WORK_KIND_ASSESS_FRAUD, LOANS_WORK_STEP_START);
    work(LOANS_WORK_KIND_ASSESS_FRAUD, LOANS_WORK_STEP_COMPLETE);
    const loans_application *loan = loan_probe_state(&state);
    cr_assert_eq(loan->work.count, 2);
    cr_assert_eq(loan->work.items[1].kind, LOANS_WORK_KIND_ASSESS_FRAUD);
    cr_assert_eq(loan->work.items[1].scheduled, 1);
    cr_assert_eq(loan->work.items[1].running, 1);
    cr_assert_eq(loan->work.items[1].completed, 1);
}

Test(loan, work_that_nobody_started_can_be_completed)
{
    reach(LOANS_STATUS_PARTLY_SUBMITTED);
    work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_SCHEDULE);
    cr_assert_not_null(work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_COMPLETE));
    cr_assert_eq(loan_probe_state(&state)->work.items[0].running, 0);
}

Test(loan, after_the_end_work_is_finished_but_not_planned)
{
    static const loans_application_step ends[] = {LOANS_APPLICATION_STEP_DECLINE,
                                                  LOANS_APPLICATION_STEP_CANCEL};
    for (size_t i = 0; i < 2; i++) {
        reach(LOANS_STATUS_PARTLY_SUBMITTED);
        work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_SCHEDULE);
        cr_assert_not_null(step(ends[i]));
        cr_assert_null(work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_SCHEDULE));
        cr_assert_not_null(work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_START));
        cr_assert_not_null(work(LOANS_WORK_KIND_HANDLE_LEAD, LOANS_WORK_STEP_COMPLETE));
        pdr_state_release(&state);
        memset(&state, 0, sizeof state);
    }
}

Test(loan, time_does_not_go_back)
{
    reach(LOANS_STATUS_PREACCEPTED);
    clock_us -= 2;
    cr_assert_null(step(LOANS_APPLICATION_STEP_ACCEPT));
    cr_assert_str_eq(refusal(), "it is earlier than what happened last");
    cr_assert_not_null(step(LOANS_APPLICATION_STEP_ACCEPT), "the same moment is fine");
}

Test(loan, employees_are_listed_once_in_order_and_bounded)
{
    submit(1);
    step_by(LOANS_APPLICATION_STEP_PARTLY_SUBMIT, 7);
    step_by(LOANS_APPLICATION_STEP_PREACCEPT, 112);
    step_by(LOANS_APPLICATION_STEP_ACCEPT, 0);
    const loans_application *loan = loan_probe_state(&state);
    cr_assert_eq(loan->employees.count, 2);
    cr_assert_eq(loan->employees.items[1], 7);
    for (int32_t i = 0; i < 2 * LOANS_MAX_EMPLOYEES; i++) {
        loans_move_offer c = {clock_us++, LOANS_OFFER_STEP_SELECT, {{true, 1000 + i}}};
        if (loan_probe_state(&state)->offers.count < LOANS_MAX_OFFERS)
            cr_assert_not_null(loan_probe_tell(&probe, &state, &loans_move_offer_type, &c));
    }
    cr_assert_eq(loan_probe_state(&state)->employees.count, LOANS_MAX_EMPLOYEES);
}

Test(loan, an_event_that_names_no_offer_of_the_state_is_not_folded)
{
    static const int32_t bad[] = {INT32_MIN, -1, 0, 2, INT32_MAX};
    loans_application loan;
    pdr_arena arena = PDR_ARENA_INIT(65536);
    loans_application_init(&loan);
    loans_offer_selected selected = {.offer = 1};
    pdr_event event = {&loans_offer_selected_type, &selected, 1, 5};
    cr_assert_eq(loans_entity.apply(&loan, &event, &arena), PDR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        loans_offer_sent sent = {.offer = bad[i]};
        pdr_event later = {&loans_offer_sent_type, &sent, 2, 5};
        cr_assert_eq(loans_entity.apply(&loan, &later, &arena), PDR_BAD_DATA);
        selected.offer = bad[i];
        cr_assert_eq(loans_entity.apply(&loan, &event, &arena), bad[i] == 2 ? PDR_OK : PDR_BAD_DATA);
        if (bad[i] == 2) loan.offers.count = 1;
    }
    pdr_arena_release(&arena);
}

Test(loan, memory_that_runs_out_is_said)
{
    loans_application loan;
    loans_application_init(&loan);
    pdr_arena none = PDR_ARENA_INIT(0);
    loans_work_item_scheduled scheduled = {.work = LOANS_WORK_KIND_HANDLE_LEAD};
    loans_offer_selected selected = {.offer = 1};
    loans_application_cancelled cancelled = {.by = {{true, 5}}};
    const pdr_event events[] = {{&loans_work_item_scheduled_type, &scheduled, 1, 5},
                                {&loans_offer_selected_type, &selected, 1, 5},
                                {&loans_application_cancelled_type, &cancelled, 1, 5}};
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(loans_entity.apply(&loan, &events[i], &none), PDR_NOMEM, "event %zu", i);
}

Test(loan, the_application_is_valid)
{
    pdr_error err;
    cr_assert_eq(pdr_app_validate(&pdr_application, &err), PDR_OK, "%s", err.message);
}
