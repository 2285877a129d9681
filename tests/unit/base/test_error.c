#include <criterion/criterion.h>
#include <string.h>

#include "perdure/error.h"

Test(error, every_code_has_a_name_a_class_a_text_and_an_advice)
{
    for (int code = 0; code < PDR_CODE_COUNT; code++) {
        cr_assert(strlen(pdr_code_name((pdr_code)code)) > 0);
        cr_assert(strlen(pdr_code_text((pdr_code)code)) > 0);
        cr_assert(strlen(pdr_code_advice((pdr_code)code)) > 0);
        cr_assert((pdr_code_class((pdr_code)code) == PDR_CLASS_OK) == (code == PDR_OK));
    }
}

Test(error, a_code_out_of_range_reads_as_fatal)
{
    cr_assert_str_eq(pdr_code_name((pdr_code)9999), "FATAL");
    cr_assert_str_eq(pdr_class_name((pdr_class)9999), "fatal");
}

Test(error, a_message_is_cut_to_its_bound_and_terminated)
{
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    pdr_error err;
    cr_assert_eq(pdr_fail(&err, PDR_IO, "%s", long_text), PDR_IO);
    cr_assert_eq(strlen(err.message), sizeof err.message - 1);
}

Test(error, context_keeps_the_backend_code_and_the_inner_message)
{
    pdr_error err;
    pdr_code code = pdr_fail_backend(&err, PDR_UNAVAILABLE, -195, "connection refused");
    cr_assert_eq(pdr_fail_context(&err, code, "opening %s", "kafka://x/y"), PDR_UNAVAILABLE);
    cr_assert_eq(err.backend, -195);
    cr_assert_str_eq(err.message, "opening kafka://x/y: connection refused");
    cr_assert_eq(pdr_fail(NULL, PDR_BUSY, "no one listens"), PDR_BUSY);
}
