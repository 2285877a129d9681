/* Claims about plans. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "schemas/plan.h"
#include "small.gen.h"

static pdr_buf out = PDR_BUF_INIT(1000);

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_buf_release(&out);
}

TestSuite(plan, .fini = release);

Test(plan, equal_fingerprints_take_the_straight_decode)
{
    /* Another text, the same canonical form. */
    const char *writer =
        "{\"type\":\"record\",\"name\":\"test.small.Int\",\"doc\":\"d\",\"fields\":[{\"name\":\"v\","
        "\"type\":{\"type\":\"int\"},\"default\":4}]}";
    pdr_plan *plan = NULL;
    pdr_error err;
    small_int value = {7}, back = {0};
    cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(writer), &small_int_type, &err), PDR_OK, "%s",
                 err.message);
    cr_expect_eq(pdr_plan_writer(plan), small_int_type.fingerprint);
    cr_expect_eq(pdr_plan_reader(plan), &small_int_type);
    cr_assert_eq(small_int_encode(&value, &out, NULL), PDR_OK);
    cr_expect_eq(pdr_plan_decode(plan, pdr_buf_bytes(&out), NULL, &back, &err), PDR_OK);
    cr_expect_eq(back.v, 7);
    cr_expect_eq(pdr_plan_decode(plan, pdr_bytes_of("\x80", 1), NULL, &back, &err), PDR_BAD_DATA);
    pdr_plan_close(plan);
}

Test(plan, another_schema_is_refused_and_both_are_named)
{
    pdr_plan *plan = NULL;
    pdr_error err;
    cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(small_long_type.schema), &small_int_type, &err),
                 PDR_UNKNOWN_SCHEMA);
    cr_expect(strstr(err.message, "test.small.Long"), "%s", err.message);
    cr_expect(strstr(err.message, "test.small.Int"), "%s", err.message);
    cr_expect_null(plan);
}

Test(plan, a_writer_that_is_no_schema_is_refused)
{
    pdr_plan *plan = NULL;
    cr_expect_eq(pdr_plan_open(&plan, pdr_string_of("{"), &small_int_type, NULL), PDR_BAD_SCHEMA);
    cr_expect_eq(pdr_plan_open(&plan, pdr_string_of(NULL), &small_int_type, NULL), PDR_BAD_SCHEMA);
    pdr_plan_close(NULL);
}

Test(plan, every_allocation_may_fail)
{
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_plan *plan = NULL;
        pdr_mem_fail_at(n);
        code = pdr_plan_open(&plan, pdr_string_of(small_int_type.schema), &small_int_type, NULL);
        pdr_mem_fail_at(0);
        if (code == PDR_OK) pdr_plan_close(plan);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 1000);
    }
}
