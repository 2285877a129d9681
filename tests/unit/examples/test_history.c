/* The history of the loans example's schemas: every version is read, and each step is needed. */
#include <criterion/criterion.h>

#include "loan.h"
#include "perdure/testing.h"
#include "upcasters.h"

Test(loan_history, every_version_that_was_ever_written_is_read_as_when_it_was_frozen)
{
    pdr_error err;
    cr_expect_eq(pdr_test_upcasters(&pdr_application, PDR_LOANS_GOLDEN, &err), PDR_OK, "%s", err.message);
}

Test(loan_history, without_any_one_step_that_is_noticed)
{
    for (size_t left_out = 0; left_out < LOANS_UPCASTERS; left_out++) {
        pdr_upcaster steps[LOANS_UPCASTERS];
        size_t count = 0;
        for (size_t i = 0; i < LOANS_UPCASTERS; i++)
            if (i != left_out) steps[count++] = loans_upcasters[i];
        pdr_entity_type entity = loans_entity;
        entity.upcasters = steps;
        entity.upcaster_count = count;
        const pdr_entity_type *const entities[] = {&entity};
        const pdr_app app = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};
        pdr_error err;
        const pdr_type *from = loans_upcasters[left_out].from;
        cr_expect_neq(pdr_test_upcasters(&app, PDR_LOANS_GOLDEN, &err), PDR_OK, "%s version %u", from->name,
                      (unsigned)from->version);
        const char *dot = strrchr(from->name, '.');
        cr_expect(strstr(err.message, dot + 1), "%s", err.message);
    }
}

Test(loan_history, amounts_keep_their_cents)
{
    static const int64_t cents[] = {
        0, 1, -1, 99, 100, 160000, -160000, INT64_C(99999999999999), -INT64_C(99999999999999)};
    for (size_t i = 0; i < sizeof cents / sizeof cents[0]; i++) {
        loans_amount amount = loans_amount_of(cents[i]);
        cr_expect_eq(loans_cents_of(&amount), cents[i]);
    }
}

Test(loan_history, employees_are_read_from_words_and_nothing_else_is)
{
    static const char *const bad[] = {"User_", "user_1",          "User_1x", "User_-1",
                                      "112",   "User_1234567890", "User_ 1", " "};
    loans_by by;
    cr_expect(loans_by_of(&by, pdr_string_of("User_112")));
    cr_expect(by.employee.present && by.employee.value == 112);
    cr_expect(loans_by_of(&by, pdr_string_of("User_999999999")));
    cr_expect_eq(by.employee.value, 999999999);
    cr_expect(loans_by_of(&by, pdr_string_of("")));
    cr_expect_not(by.employee.present);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(loans_by_of(&by, pdr_string_of(bad[i])), "%s", bad[i]);
}
