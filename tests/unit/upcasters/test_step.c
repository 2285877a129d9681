/* A stored event goes step by step to today's events. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "tests/unit/upcasters/toys.h"

static pdr_upcaster steps[16];
static pdr_chain_spec spec;
static pdr_chain *chain;
static pdr_arena arena = PDR_ARENA_INIT(1024 * 1024);
static pdr_buf datum = PDR_BUF_INIT(1024 * 1024);
static pdr_event_list list;
static pdr_error err;

static void init(void)
{
    spec = (pdr_chain_spec){"loan", toy_list(2, toy("Offer", 3), toy("Paid", 1)), 2, steps, 0, false};
}

static void release(void)
{
    pdr_chain_close(chain);
    pdr_arena_release(&arena);
    pdr_buf_release(&datum);
}

TestSuite(step, .init = init, .fini = release);

typedef void upcast(const pdr_event *event, pdr_upcast *out);

static void step(const pdr_type *from, const pdr_type *to, upcast *function)
{
    steps[spec.upcaster_count++] = (pdr_upcaster){from, toy_list(1, to), 1, function};
}

static void make(void)
{
    toy_fill(&spec, steps);
    cr_assert_eq(pdr_chain_open(&chain, &spec, &err), PDR_OK, "%s", err.message);
}

static pdr_code read(const pdr_type *type, int64_t amount)
{
    if (!chain) make();
    sim_fact fact = {1, amount, 0, {"note", 4}};
    pdr_buf_clear(&datum);
    cr_assert_eq(type->encode(&fact, &datum, NULL), PDR_OK);
    memset(&list, 0xAA, sizeof list);
    return pdr_chain_read(chain, pdr_chain_find(chain, type->fingerprint), pdr_buf_bytes(&datum), 7, 1234,
                          &arena, &list, &err);
}

static void is(size_t i, const pdr_type *type, int64_t amount)
{
    cr_assert_lt(i, list.count);
    const pdr_event *event = pdr_event_list_at(&list, i);
    cr_expect_eq(event->type, type, "%zu", i);
    cr_expect_eq(((const sim_fact *)event->value)->amount, amount, "%zu", i);
    cr_expect_eq(event->seq, 7);
    cr_expect_eq(event->time_us, 1234);
}

static void fails(const pdr_type *type, const char *words)
{
    cr_expect_eq(read(type, 5), PDR_BAD_HANDLER, "%s", words);
    cr_expect_not_null(strstr(err.message, words), "\"%s\" isn't in \"%s\"", words, err.message);
    cr_expect_not_null(strstr(err.message, "entity type loan"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "Offer version 2"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "seq 7"), "%s", err.message);
}

Test(step, todays_event_is_read_as_it_is)
{
    cr_assert_eq(read(toy("Paid", 1), 5), PDR_OK);
    is(0, toy("Paid", 1), 5);
}

Test(step, every_step_of_a_chain_is_taken_once)
{
    step(toy("Offer", 2), toy("Offer", 3), toy_double);
    step(toy("Offer", 1), toy("Offer", 2), toy_double);
    cr_assert_eq(read(toy("Offer", 1), 5), PDR_OK);
    cr_expect_eq(list.count, 1);
    is(0, toy("Offer", 3), 20);
    cr_assert_eq(read(toy("Offer", 2), 5), PDR_OK);
    is(0, toy("Offer", 3), 10);
}

static void split(const pdr_event *event, pdr_upcast *out)
{
    sim_fact fact = *(const sim_fact *)event->value;
    for (int i = 0; i < 3; i++) {
        fact.amount = i;
        pdr_upcast_emit(out, i == 1 ? toy("Paid", 1) : toy("Offer", 2), &fact);
        fact.amount = -1; /* what was emitted is a copy */
    }
}

static void drop_nothing(const pdr_event *event, pdr_upcast *out)
{
    sim_fact fact = *(const sim_fact *)event->value;
    fact.amount += 100;
    if (fact.amount == 100)
        pdr_upcast_drop(out);
    else
        pdr_upcast_emit(out, toy("Offer", 3), &fact);
}

Test(step, one_event_becomes_several_whose_order_is_kept_though_their_chains_differ)
{
    steps[0] = (pdr_upcaster){toy("Offer", 1), toy_list(2, toy("Offer", 2), toy("Paid", 1)), 2, split};
    spec.upcaster_count = 1;
    step(toy("Offer", 2), toy("Offer", 3), toy_double);
    cr_assert_eq(read(toy("Offer", 1), 5), PDR_OK);
    cr_assert_eq(list.count, 3);
    is(0, toy("Offer", 3), 0);
    is(1, toy("Paid", 1), 1);
    is(2, toy("Offer", 3), 4);
}

Test(step, a_step_may_drop_one_event_and_keep_another)
{
    steps[0] = (pdr_upcaster){toy("Offer", 1), toy_list(2, toy("Offer", 2), toy("Paid", 1)), 2, split};
    spec.upcaster_count = 1;
    step(toy("Offer", 2), toy("Offer", 3), drop_nothing);
    cr_assert_eq(read(toy("Offer", 1), 5), PDR_OK);
    cr_assert_eq(list.count, 2);
    is(0, toy("Paid", 1), 1);
    is(1, toy("Offer", 3), 102);
    cr_assert_eq(read(toy("Offer", 2), 0), PDR_OK);
    cr_expect_eq(list.count, 0);
}

Test(step, a_type_that_is_dropped_isn_t_even_decoded)
{
    steps[0] = (pdr_upcaster){toy("Gone", 1), NULL, 0, NULL};
    spec.upcaster_count = 1;
    make();
    const pdr_route *gone = pdr_chain_find(chain, toy("Gone", 1)->fingerprint);
    cr_assert_eq(pdr_chain_read(chain, gone, pdr_bytes_of("", 0), 1, 1, &arena, &list, NULL), PDR_OK);
    cr_expect_eq(list.count, 0);
}

static void to_gone(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_emit(out, toy("Gone", 1), event->value);
}

Test(step, a_chain_may_end_in_a_type_that_is_dropped)
{
    steps[0] = (pdr_upcaster){toy("Gone", 1), NULL, 0, NULL};
    spec.upcaster_count = 1;
    step(toy("Offer", 2), toy("Gone", 1), to_gone);
    cr_assert_eq(read(toy("Offer", 2), 1), PDR_OK);
    cr_expect_eq(list.count, 0);
}

static void nothing(const pdr_event *event, pdr_upcast *out)
{
    (void)event;
    (void)out;
}

static void undeclared(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_emit(out, toy("Paid", 1), event->value);
    pdr_upcast_emit(out, toy("Offer", 3), event->value);
}

static void without_type(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_emit(out, NULL, event->value);
}

static void without_value(const pdr_event *event, pdr_upcast *out)
{
    (void)event;
    pdr_upcast_emit(out, toy("Offer", 3), NULL);
}

static void after_drop(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_drop(out);
    pdr_upcast_emit(out, toy("Offer", 3), event->value);
}

static void drop_after(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_emit(out, toy("Offer", 3), event->value);
    pdr_upcast_drop(out);
}

static void says_why(const pdr_event *event, pdr_upcast *out)
{
    pdr_upcast_fail(out, "amount %d is odd", (int)((const sim_fact *)event->value)->amount);
    pdr_upcast_fail(out, "and more");
    pdr_upcast_emit(out, toy("Offer", 3), event->value);
}

static void many(const pdr_event *event, pdr_upcast *out)
{
    int64_t count = ((const sim_fact *)event->value)->amount;
    for (int64_t i = 0; i < count; i++)
        pdr_upcast_emit(out, toy("Offer", 3), event->value);
}

static void without_end(const pdr_event *event, pdr_upcast *out)
{
    for (int i = 0; i < 1000000; i++)
        pdr_upcast_emit(out, toy("Offer", 3), event->value);
}

Test(step, that_breaks_its_contract_makes_the_event_unreadable_and_says_which_and_why)
{
    static const struct {
        upcast *function;
        const char *words;
    } bad[] = {{nothing, "neither emits nor drops"},
               {undeclared, "emits Paid version 1, which isn't in its `to`"},
               {without_type, "emits NULL without a value"},
               {without_value, "emits Offer version 3 without a value"},
               {after_drop, "emits Offer version 3 after it dropped"},
               {drop_after, "drops the event after it emitted"},
               {says_why, "says: amount 5 is odd"},
               {without_end, "more than 64"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        spec.upcaster_count = 0;
        step(toy("Offer", 2), toy("Offer", 3), bad[i].function);
        make();
        fails(toy("Offer", 2), bad[i].words);
        cr_expect_not_null(strstr(err.message, "the upcaster to Offer version 3"), "%s", err.message);
        pdr_chain_close(chain);
    }
    chain = NULL;
}

Test(step, may_make_one_event_into_64_and_not_into_65)
{
    step(toy("Offer", 2), toy("Offer", 3), many);
    cr_expect_eq(read(toy("Offer", 2), 64), PDR_OK);
    cr_expect_eq(list.count, 64);
    cr_expect_eq(read(toy("Offer", 2), 65), PDR_BAD_HANDLER);
}

static void ten(const pdr_event *event, pdr_upcast *out)
{
    for (int64_t i = 0; i < 10; i++)
        pdr_upcast_emit(out, toy(event->type->name, event->type->version + 1), event->value);
}

Test(step, the_ceiling_of_64_holds_for_all_steps_together)
{
    step(toy("Offer", 2), toy("Offer", 3), ten);
    cr_expect_eq(read(toy("Offer", 2), 1), PDR_OK);
    pdr_chain_close(chain);
    chain = NULL;
    spec.upcaster_count = 1;
    step(toy("Offer", 1), toy("Offer", 2), ten);
    cr_expect_eq(read(toy("Offer", 1), 1), PDR_BAD_HANDLER);
    cr_expect_not_null(strstr(err.message, "more than 64"), "%s", err.message);
}

static void first_half_of_64(const pdr_event *event, pdr_upcast *out)
{
    for (int64_t i = 0; i < 64; i++)
        pdr_upcast_emit(out, i ? toy("Paid", 1) : toy("Offer", 2), event->value);
}

Test(step, events_that_are_ready_count_too)
{
    steps[0] =
        (pdr_upcaster){toy("Offer", 1), toy_list(2, toy("Offer", 2), toy("Paid", 1)), 2, first_half_of_64};
    spec.upcaster_count = 1;
    step(toy("Offer", 2), toy("Offer", 3), ten);
    cr_expect_eq(read(toy("Offer", 1), 1), PDR_BAD_HANDLER);
    cr_expect_not_null(strstr(err.message, "more than 64"), "%s", err.message);
}

static void with_memory(const pdr_event *event, pdr_upcast *out)
{
    sim_fact fact = *(const sim_fact *)event->value;
    char *note = pdr_arena_alloc(pdr_upcast_arena(out), 5);
    if (!note) {
        pdr_upcast_fail(out, "no memory");
        return;
    }
    memcpy(note, "made", 5);
    fact.note = pdr_string_of(note);
    pdr_upcast_emit(out, toy("Offer", 3), &fact);
}

Test(step, memory_of_the_upcast_lives_as_long_as_the_event)
{
    step(toy("Offer", 2), toy("Offer", 3), with_memory);
    cr_assert_eq(read(toy("Offer", 2), 1), PDR_OK);
    const sim_fact *fact = list.first.value;
    cr_expect(pdr_string_equal(fact->note, pdr_string_of("made")));
}

Test(step, running_out_of_memory_at_any_place_is_told)
{
    steps[0] = (pdr_upcaster){toy("Offer", 1), toy_list(2, toy("Offer", 2), toy("Paid", 1)), 2, split};
    spec.upcaster_count = 1;
    step(toy("Offer", 2), toy("Offer", 3), many);
    make();
    uint64_t failed = 0;
    for (pdr_code code = PDR_NOMEM; code != PDR_OK; failed++) {
        pdr_arena_release(&arena);
        arena.max = 1024 * 1024;
        sim_fact fact = {1, 1, 0, {"note", 4}};
        pdr_event event = {toy("Offer", 1), &fact, 7, 1234};
        pdr_mem_fail_at(failed + 1);
        code = pdr_chain_take(chain, pdr_chain_find(chain, event.type->fingerprint), &event, &arena, &list,
                              &err);
        pdr_mem_fail_at(0);
        if (code == PDR_BAD_HANDLER) break; /* `many` emits none for amount 0 */
        cr_assert_eq(code, PDR_NOMEM, "%s", pdr_code_name(code));
    }
    cr_expect_geq(failed, 1u);
}

Test(step, of_a_tolerant_chain_with_a_fault_tells_the_fault)
{
    spec.tolerant = true;
    step(toy("Offer", 1), toy("Offer", 2), toy_double);
    cr_assert_eq(pdr_chain_open(&chain, &spec, NULL), PDR_OK);
    cr_expect_eq(read(toy("Offer", 1), 1), PDR_UNKNOWN_SCHEMA);
    cr_expect_not_null(strstr(err.message, "Offer version 2, which is none of today's"), "%s", err.message);
}
