/* What decide may say, and what it may not. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "journal/decision.h"
#include "tests/sim/sim_entity.h"

static pdr_folder *folder;
static pdr_decision decision;

static void init(void)
{
    cr_assert_eq(pdr_folder_open(&folder, sim_app(1)->entities[0], NULL, NULL), PDR_OK);
    pdr_decision_init(&decision);
    pdr_decision_begin(&decision, folder, 1234);
}

static void release(void)
{
    pdr_decision_release(&decision);
    pdr_folder_close(folder);
}

TestSuite(decision, .init = init, .fini = release);

static const sim_fact fact = {1, 2, 3, {"note", 4}};

static pdr_code check(void)
{
    const pdr_error *error;
    pdr_code code = pdr_decision_check(&decision, &error);
    cr_expect_eq(error == NULL, code == PDR_OK);
    if (error) {
        cr_expect_eq(error->code, code);
        cr_expect_neq(error->message[0], 0);
    }
    return code;
}

static void refuse(const char *text)
{
    pdr_refuse(&decision, "%s", text);
}

Test(decision, keeps_events_in_order_with_their_times_and_the_answer)
{
    pdr_emit(&decision, &sim_deposited_type, &fact);
    pdr_emit_at(&decision, &sim_withdrew_type, &fact, 99);
    pdr_answer(&decision, "yes", 3);
    cr_expect_eq(check(), PDR_OK);
    cr_assert_eq(decision.count, 2u);
    cr_expect_eq(decision.events[0].time_us, 1234);
    cr_expect_eq(decision.events[1].time_us, 99);
    cr_expect_eq(pdr_folder_event_type(folder, pdr_decision_value(&decision, 0)), &sim_deposited_type);
    cr_expect_eq(pdr_folder_event_type(folder, pdr_decision_value(&decision, 1)), &sim_withdrew_type);
    cr_expect_eq(decision.answer_size, 3u);
    cr_expect_str_eq((const char *)decision.answer, "yes");
}

Test(decision, begin_forgets_the_last_command)
{
    pdr_emit(&decision, &sim_deposited_type, &fact);
    refuse("no");
    pdr_emit(&decision, NULL, &fact);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
    pdr_decision_begin(&decision, folder, 1);
    cr_expect_eq(check(), PDR_OK);
    cr_expect_eq(decision.count, 0u);
    cr_expect_not(decision.refused);
    cr_expect_eq(decision.answer_size, 0u);
}

Test(decision, an_event_of_no_type_or_of_one_that_isn_t_declared_is_the_handler_s_fault)
{
    pdr_emit(&decision, NULL, &fact);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
    pdr_decision_begin(&decision, folder, 1);
    pdr_emit(&decision, &sim_touch_type, &fact);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
    pdr_decision_begin(&decision, NULL, 1);
    pdr_emit(&decision, &sim_touch_type, &fact);
    cr_expect_eq(check(), PDR_OK, "an append to an undeclared entity type takes any event");
}

Test(decision, events_and_a_refusal_at_once_are_the_handler_s_fault)
{
    refuse("no");
    cr_expect_eq(check(), PDR_OK);
    pdr_emit(&decision, &sim_deposited_type, &fact);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
}

Test(decision, a_commit_has_so_many_events_and_no_more)
{
    for (int i = 0; i < PDR_MAX_EVENTS_PER_COMMIT; i++)
        pdr_emit(&decision, &sim_deposited_type, &fact);
    cr_expect_eq(check(), PDR_OK);
    pdr_emit(&decision, &sim_deposited_type, &fact);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
    cr_expect_eq(decision.count, (size_t)PDR_MAX_EVENTS_PER_COMMIT);
}

Test(decision, an_event_over_its_ceiling_is_the_handler_s_fault_and_the_first_failure_stays)
{
    char *text = pdr_calloc(1, PDR_MAX_EVENT + 1);
    sim_fact large = {1, 1, 1, {text, PDR_MAX_EVENT}};
    pdr_emit(&decision, &sim_deposited_type, &large);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
    cr_expect_neq(strstr(decision.error.message, "PDR_MAX_EVENT"), NULL);
    pdr_emit(&decision, NULL, &fact);
    cr_expect_neq(strstr(decision.error.message, "PDR_MAX_EVENT"), NULL);
    cr_expect_eq(decision.count, 0u);
    pdr_free(text);
}

Test(decision, all_events_of_a_commit_together_have_a_ceiling)
{
    char *text = pdr_calloc(1, PDR_MAX_EVENT);
    sim_fact large = {1, 1, 1, {text, PDR_MAX_EVENT - 100}};
    for (int i = 0; i < 40; i++)
        pdr_emit(&decision, &sim_deposited_type, &large);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
    cr_expect_leq(decision.count, 32u);
    pdr_free(text);
}

Test(decision, an_answer_over_its_ceiling_is_the_handler_s_fault)
{
    char text[PDR_MAX_REPLY + 1] = {0};
    pdr_answer(&decision, text, PDR_MAX_REPLY);
    cr_expect_eq(check(), PDR_OK);
    pdr_answer(&decision, text, PDR_MAX_REPLY + 1);
    cr_expect_eq(check(), PDR_BAD_HANDLER);
}

/* `size` letters, then one character of UTF-8. */
static size_t refused_size(size_t size, const char *character)
{
    char text[300];
    memset(text, 'a', size);
    strcpy(text + size, character);
    pdr_decision_begin(&decision, folder, 1);
    refuse(text);
    cr_expect_eq(decision.answer[decision.answer_size], 0);
    return decision.answer_size;
}

Test(decision, a_refusal_s_text_is_cut_between_characters)
{
    cr_expect_eq(refused_size(PDR_MAX_REPLY - 2, "\xC3\xA9"), (size_t)PDR_MAX_REPLY);
    cr_expect_eq(refused_size(PDR_MAX_REPLY - 1, "\xC3\xA9"), (size_t)PDR_MAX_REPLY - 1);
    cr_expect_eq(refused_size(PDR_MAX_REPLY - 3, "\xE2\x82\xAC"), (size_t)PDR_MAX_REPLY);
    cr_expect_eq(refused_size(PDR_MAX_REPLY - 2, "\xE2\x82\xAC"), (size_t)PDR_MAX_REPLY - 2);
    cr_expect_eq(refused_size(PDR_MAX_REPLY - 3, "\xF0\x9F\x98\x80"), (size_t)PDR_MAX_REPLY - 3);
    cr_expect_eq(refused_size(PDR_MAX_REPLY, "b"), (size_t)PDR_MAX_REPLY);
}

Test(decision, running_out_of_memory_at_any_place_is_remembered)
{
    uint64_t allocations = 0;
    for (uint64_t nth = 1; nth <= allocations + 1; nth++) {
        pdr_decision d;
        const pdr_error *error;
        pdr_decision_init(&d);
        pdr_decision_begin(&d, folder, 1);
        pdr_mem_fail_at(nth);
        for (int i = 0; i < 20; i++)
            pdr_emit(&d, &sim_deposited_type, &fact);
        uint64_t counted = pdr_mem_count();
        if (counted > allocations) allocations = counted;
        pdr_mem_fail_at(0);
        cr_expect_eq(pdr_decision_check(&d, &error), nth <= counted ? PDR_NOMEM : PDR_OK, "allocation %d",
                     (int)nth);
        pdr_decision_release(&d);
    }
    cr_expect_gt(allocations, 2u);
}
