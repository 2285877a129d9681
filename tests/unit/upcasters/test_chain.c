/* What an entity type declares is made into routes, or refused with what is wrong. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "tests/unit/upcasters/toys.h"

static pdr_upcaster steps[400];
static pdr_chain_spec spec;
static pdr_chain *chain;

static void init(void)
{
    spec = (pdr_chain_spec){"loan", toy_list(2, toy("Offer", 3), toy("Paid", 1)), 2, steps, 0, false};
    chain = NULL;
}

static void release(void)
{
    pdr_chain_close(chain);
}

TestSuite(chain, .init = init, .fini = release);

static void step(const pdr_type *from, const pdr_type *to)
{
    steps[spec.upcaster_count++] = (pdr_upcaster){from, toy_list(1, to), 1, toy_double};
}

static void refused(pdr_code code, const char *words)
{
    pdr_error err = {0};
    cr_expect_eq(pdr_chain_open(&chain, &spec, &err), code, "%s", words);
    cr_expect_not_null(strstr(err.message, words), "\"%s\" isn't in \"%s\"", words, err.message);
    cr_expect_not_null(strstr(err.message, "entity type loan"), "%s", err.message);
    chain = NULL;
}

static void made(void)
{
    pdr_error err = {0};
    cr_assert_eq(pdr_chain_open(&chain, &spec, &err), PDR_OK, "%s", err.message);
}

static const pdr_route *route(const pdr_type *type)
{
    const pdr_route *found = pdr_chain_find(chain, type->fingerprint);
    cr_assert_not_null(found);
    cr_assert_eq(found->type, type);
    return found;
}

Test(chain, without_upcasters_knows_todays_events_only)
{
    spec.events = toy_list(2, toy("Bid", 1), toy("Paid", 1));
    made();
    cr_expect_eq(chain->count, 2);
    cr_expect(route(toy("Bid", 1))->today);
    cr_expect(route(toy("Paid", 1))->today);
    cr_expect_null(pdr_chain_find(chain, toy("Offer", 2)->fingerprint));
}

Test(chain, has_a_route_for_every_older_type_in_whatever_order_they_are_declared)
{
    step(toy("Offer", 2), toy("Offer", 3));
    step(toy("Made", 1), toy("Offer", 1));
    step(toy("Offer", 1), toy("Offer", 2));
    steps[spec.upcaster_count++] = (pdr_upcaster){toy("Gone", 1), NULL, 0, NULL};
    made();
    cr_expect_eq(chain->count, 6);
    cr_expect_eq(route(toy("Made", 1))->steps, 3);
    cr_expect_eq(route(toy("Offer", 1))->steps, 2);
    cr_expect_eq(route(toy("Offer", 3))->steps, 0);
    cr_expect_eq(route(toy("Gone", 1))->steps, 1);
    cr_expect_not(route(toy("Gone", 1))->today);
    cr_expect_eq(route(toy("Made", 1))->to[0], route(toy("Offer", 1)));
}

Test(chain, with_a_gap_is_refused_naming_type_and_version)
{
    step(toy("Offer", 1), toy("Offer", 2));
    refused(PDR_INVALID_ARGUMENT, "Offer version 2, which is none of today's events and has no upcaster");
}

Test(chain, with_a_version_left_out_is_refused)
{
    step(toy("Offer", 1), toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "Offer version 2 has no upcaster, but version 3 is declared");
    spec.upcaster_count = 0;
    step(toy("Offer", 2), toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "Offer version 1 has no upcaster, but version 2 is declared");
}

Test(chain, with_a_cycle_is_refused)
{
    toy_fill(&spec, steps);
    step(toy("A", 1), toy("B", 1));
    step(toy("B", 1), toy("C", 1));
    step(toy("C", 1), toy("A", 1));
    refused(PDR_INVALID_ARGUMENT, "lead back to it");
    spec.upcaster_count = 2;
    step(toy("A", 1), toy("A", 1));
    refused(PDR_INVALID_ARGUMENT, "A version 1 lead back to it");
}

Test(chain, with_two_steps_from_one_type_is_refused)
{
    step(toy("Offer", 2), toy("Offer", 3));
    step(toy("Offer", 2), toy("Paid", 1));
    refused(PDR_INVALID_ARGUMENT, "two upcasters from Offer version 2");
}

Test(chain, with_a_step_from_todays_event_is_refused)
{
    step(toy("Paid", 1), toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "Paid version 1 is one of today's events");
}

Test(chain, with_equal_fingerprints_is_refused_with_the_advice_to_rename_a_field)
{
    static pdr_type twin;
    twin = *toy("Offer", 2);
    twin.fingerprint = toy("Offer", 3)->fingerprint;
    step(&twin, toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "Offer version 3 and Offer version 2 have equal fingerprints");
    refused(PDR_INVALID_ARGUMENT, "amount_cents");
    twin.fingerprint = toy("Other", 1)->fingerprint;
    spec.upcaster_count = 0;
    step(toy("Other", 1), &twin);
    refused(PDR_INVALID_ARGUMENT, "equal fingerprints");
}

Test(chain, with_one_version_twice_is_refused)
{
    static pdr_type twin;
    twin = *toy("Offer", 3);
    twin.fingerprint = 1;
    step(&twin, toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "two types with different schemas are both Offer version 3");
}

Test(chain, with_too_many_steps_in_a_row_is_refused)
{
    toy_fill(&spec, steps);
    for (uint32_t i = 1; i < PDR_MAX_UPCAST_STEPS; i++)
        step(toy("Old", i), toy("Old", i + 1));
    step(toy("Old", PDR_MAX_UPCAST_STEPS), toy("Offer", 3));
    made();
    cr_expect_eq(route(toy("Old", 1))->steps, PDR_MAX_UPCAST_STEPS);
    pdr_chain_close(chain);
    step(toy("Oldest", 1), toy("Old", 1));
    refused(PDR_INVALID_ARGUMENT, "more than 256 steps");
    for (uint32_t i = 1; i < 50; i++)
        step(toy("Oldest", i + 1), toy("Oldest", i));
    refused(PDR_INVALID_ARGUMENT, "more than 256 steps");
}

Test(chain, with_a_step_that_says_neither_what_to_do_nor_where_to_go_is_refused)
{
    steps[0] = (pdr_upcaster){toy("Offer", 2), toy_list(2, toy("Offer", 3), toy("Paid", 1)), 2, NULL};
    spec.upcaster_count = 1;
    refused(PDR_INVALID_ARGUMENT, "Offer version 2 to 2 types has no function");
    steps[0] = (pdr_upcaster){toy("Offer", 2), NULL, 0, toy_double};
    refused(PDR_INVALID_ARGUMENT, "no type in `to`");
    steps[0] = (pdr_upcaster){toy("Offer", 2), NULL, 1, toy_double};
    refused(PDR_INVALID_ARGUMENT, "`to` is NULL");
    steps[0] = (pdr_upcaster){NULL, toy_list(1, toy("Offer", 3)), 1, toy_double};
    refused(PDR_INVALID_ARGUMENT, "upcaster 0: from: it is NULL");
    steps[0] = (pdr_upcaster){toy("Offer", 2), toy_list(1, (const pdr_type *)NULL), 1, toy_double};
    refused(PDR_INVALID_ARGUMENT, "Offer: to: it is NULL");
    spec.upcasters = NULL;
    refused(PDR_INVALID_ARGUMENT, "upcasters are NULL");
}

Test(chain, with_a_type_of_another_library_version_or_half_a_type_is_refused)
{
    static pdr_type odd;
    odd = *toy("Offer", 2);
    odd.abi_size--;
    step(&odd, toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "generated for another version");
    odd.abi_size++;
    odd.decode = NULL;
    refused(PDR_INVALID_ARGUMENT, "Offer lacks a member");
    spec.upcaster_count = 0;
    step(toy("Offer", 2), &odd);
    refused(PDR_INVALID_ARGUMENT, "Offer lacks a member");
}

Test(chain, with_schemas_that_don_t_resolve_is_refused_when_it_is_made)
{
    static pdr_type old;
    old = *toy("Offer", 2);
    old.schema = "{\"type\":\"record\",\"name\":\"Offer\",\"fields\":[]}";
    steps[0] = (pdr_upcaster){&old, toy_list(1, &sim_withdrew_type), 1, NULL};
    spec.upcaster_count = 1;
    spec.events = toy_list(1, &sim_withdrew_type);
    spec.event_count = 1;
    refused(PDR_UNKNOWN_SCHEMA, "Offer version 2 doesn't resolve to sim.Withdrew");
    old.schema = "{";
    refused(PDR_BAD_SCHEMA, "Offer version 2 doesn't resolve");
}

Test(chain, that_is_tolerant_says_of_each_type_why_it_can_t_be_read)
{
    spec.tolerant = true;
    step(toy("Offer", 1), toy("Offer", 2));
    step(toy("Made", 1), toy("Offer", 1));
    step(toy("Payment", 1), toy("Paid", 1));
    made();
    for (int i = 0; i < 3; i++) {
        const pdr_type *const unreadable[] = {toy("Made", 1), toy("Offer", 1), toy("Offer", 2)};
        cr_assert_not_null(route(unreadable[i])->fault, "%d", i);
        cr_expect_not_null(strstr(route(unreadable[i])->fault, "Offer version 2, which is none"), "%d", i);
    }
    cr_expect_null(route(toy("Payment", 1))->fault);
    cr_expect_null(route(toy("Offer", 3))->fault);
    pdr_chain_close(chain);
    step(toy("Paid", 1), toy("Offer", 3));
    refused(PDR_INVALID_ARGUMENT, "today's events");
}

Test(chain, running_out_of_memory_at_any_place_is_told_and_leaks_nothing)
{
    step(toy("Offer", 2), toy("Offer", 3));
    step(toy("Offer", 1), toy("Offer", 2));
    static pdr_type bad;
    bad = *toy("Bad", 1);
    bad.schema = "{\"type\":\"record\",\"name\":\"Bad\",\"fields\":[]}";
    steps[spec.upcaster_count++] = (pdr_upcaster){&bad, toy_list(1, toy("Offer", 1)), 1, NULL};
    spec.tolerant = true;
    uint64_t failed = 0;
    for (pdr_code code = PDR_NOMEM; code != PDR_OK; failed++) {
        pdr_mem_fail_at(failed + 1);
        code = pdr_chain_open(&chain, &spec, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "%s", pdr_code_name(code));
    }
    cr_expect_gt(failed, 3u);
    cr_expect_not_null(route(&bad)->fault);
}
