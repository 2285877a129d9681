#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/late.h"

static struct {
    PDR_LATE_FIELD(cbrt)
} late;

static double (*missing)(double);

Test(late, a_library_is_loaded_when_it_is_needed)
{
    static const pdr_late_function functions[] = {PDR_LATE_FUNCTION(late, cbrt)};
    static pdr_late library = {"libm.so.6", functions, 1, false};
    pdr_error err;
    cr_assert_eq(pdr_late_load(&library, &err), PDR_OK);
    cr_assert_float_eq(late.cbrt(27), 3, 1e-9);
    late.cbrt = NULL;
    cr_assert_eq(pdr_late_load(&library, &err), PDR_OK);
    cr_assert_null(late.cbrt, "once is enough");
}

Test(late, a_library_that_is_not_there_is_named)
{
    static pdr_late library = {"libnobody-has-this.so.7", NULL, 0, false};
    pdr_error err;
    cr_assert_eq(pdr_late_load(&library, &err), PDR_UNSUPPORTED);
    cr_assert(strstr(err.message, "libnobody-has-this.so.7"));
    cr_assert_eq(pdr_late_load(&library, NULL), PDR_UNSUPPORTED);
}

Test(late, a_function_that_a_library_lacks_is_named)
{
    static const pdr_late_function functions[] = {PDR_LATE_FUNCTION(late, cbrt),
                                                  {"no_such_root", (void *)&missing}};
    static pdr_late library = {"libm.so.6", functions, 2, false};
    pdr_error err;
    cr_assert_eq(pdr_late_load(&library, &err), PDR_UNSUPPORTED);
    cr_assert(strstr(err.message, "no_such_root"));
    cr_assert_null(missing);
}
