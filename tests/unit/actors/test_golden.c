/* The golden corpus of tests/support/shop, and what is found when something is wrong with it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "perdure/testing.h"
#include "tests/support/shop/shop_app.h"

static char folder[64];
static pdr_entity_type type;
static pdr_upcaster steps[SHOP_STEPS];
static const pdr_entity_type *types[] = {&type};
static pdr_app app;
static pdr_error err;

static void shell(const char *format, const char *argument)
{
    char command[1000];
    snprintf(command, sizeof command, format, folder, argument);
    cr_assert_eq(system(command), 0, "%s", command);
}

static void init(void)
{
    strcpy(folder, "/tmp/perdure-golden-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    shell("cp -r " PDR_GOLDEN "/shop %s%s", "");
    type = shop_today;
    memcpy(steps, shop_steps, sizeof steps);
    type.upcasters = steps;
    app = shop_app;
    app.entities = types;
}

static void release(void)
{
    shell("rm -r %s%s", "");
}

TestSuite(golden, .init = init, .fini = release);

static void finds(pdr_code code, const char *words)
{
    cr_expect_eq(pdr_test_upcasters(&app, folder, &err), code, "%s: %s", pdr_code_name(err.code),
                 err.message);
    cr_expect_not_null(strstr(err.message, words), "\"%s\" isn't in \"%s\"", words, err.message);
}

Test(golden, every_version_ever_written_is_read_as_it_was_when_it_was_frozen)
{
    cr_expect_eq(pdr_test_upcasters(&shop_app, PDR_GOLDEN, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(pdr_test_upcasters(&app, folder, &err), PDR_OK, "%s", err.message);
}

Test(golden, a_step_left_out_is_an_unknown_payload)
{
    memmove(&steps[SHOP_MOVED], &steps[SHOP_PINGED], sizeof steps[0]);
    type.upcaster_count--;
    finds(PDR_UNKNOWN_SCHEMA, "shop/Moved.v1.bin");
}

Test(golden, a_step_left_out_below_a_newer_version_is_a_gap)
{
    type.upcasters = steps + 1;
    type.upcaster_count--;
    finds(PDR_INVALID_ARGUMENT, "Priced version 1 has no upcaster");
}

static void other_unit(const pdr_event *event, pdr_upcast *out)
{
    const shop_priced_v1 *old = event->value;
    shop_priced_v2 priced = {.cents = old->euros, .currency = pdr_string_of("EUR")};
    pdr_upcast_emit(out, &shop_priced_v2_type, &priced);
}

static void restless(const pdr_event *event, pdr_upcast *out)
{
    static int calls;
    const shop_priced_v1 *old = event->value;
    shop_priced_v2 priced = {.cents = old->euros + calls++, .currency = pdr_string_of("EUR")};
    pdr_upcast_emit(out, &shop_priced_v2_type, &priced);
}

Test(golden, a_step_that_does_something_else_is_found_with_the_line)
{
    steps[SHOP_PRICED_1].upcast = other_unit;
    finds(PDR_BAD_HANDLER,
          "Priced.v1.bin is not read as it was when it was frozen: line 1 is now {\"event\":");
}

Test(golden, an_event_that_is_dropped_now_or_was_dropped_then_is_found)
{
    steps[SHOP_MOVED] = (pdr_upcaster){&shop_moved_v1_type, NULL, 0, NULL};
    finds(PDR_BAD_HANDLER, "Moved.v1.bin is not read as it was when it was frozen: line 1 is now missing");
    steps[SHOP_MOVED] = shop_steps[SHOP_MOVED];
    shell(": > %s/shop/%s", "StreetSet.v1.json");
    finds(PDR_BAD_HANDLER, "StreetSet.v1.bin is not read as it was");
}

Test(golden, a_step_that_isn_t_deterministic_is_found)
{
    steps[SHOP_PRICED_1].upcast = restless;
    finds(PDR_BAD_HANDLER, "isn't deterministic");
}

Test(golden, a_version_without_a_payload_is_found)
{
    shell("rm %s/shop/%s", "Priced.v2.*");
    finds(PDR_NOT_FOUND, "test.shop.Priced version 2 of entity type shop has no golden payload");
}

Test(golden, files_without_their_other_half_are_found)
{
    shell("cp %1$s/shop/Moved.v1.json %1$s/shop/%2$s", "Moved.v2.json");
    finds(PDR_NOT_FOUND, "Moved.v2.json has no payload beside it");
    shell("rm %s/shop/%s", "Moved.v2.json");
    shell("rm %s/shop/%s", "Moved.v1.json");
    finds(PDR_NOT_FOUND, "Moved.v1.json");
}

Test(golden, a_payload_under_another_name_is_found)
{
    shell("cp %1$s/shop/CitySet.v1.bin %1$s/shop/%2$s", "StreetSet.v1.2.bin");
    finds(PDR_INVALID_ARGUMENT, "StreetSet.v1.2.bin holds a payload of test.shop.CitySet version 1");
    shell("mv %1$s/shop/StreetSet.v1.2.bin %1$s/shop/%2$s", "CitySet.v1x.bin");
    finds(PDR_INVALID_ARGUMENT, "CitySet.v1x.bin holds a payload of");
}

Test(golden, a_damaged_payload_is_found)
{
    shell("printf x >> %s/shop/%s", "Moved.v1.bin");
    finds(PDR_BAD_DATA, "Moved.v1.bin");
    shell("printf x > %s/shop/%s", "Moved.v1.bin");
    finds(PDR_BAD_DATA, "Moved.v1.bin");
}

Test(golden, other_files_may_lie_there)
{
    shell("echo read me > %s/shop/%s", "README.md");
    cr_expect_eq(pdr_test_upcasters(&app, folder, &err), PDR_OK, "%s", err.message);
}

Test(golden, no_folder_and_no_application_are_misuse)
{
    finds(PDR_OK, "");
    cr_expect_eq(pdr_test_upcasters(&app, NULL, NULL), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_test_upcasters(NULL, folder, NULL), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_test_upcasters(&app, "/nonexistent", NULL), PDR_NOT_FOUND);
}
