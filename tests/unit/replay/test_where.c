#include <criterion/criterion.h>

#include "replay/where.h"

static pdr_code try_it(const char *program, const char *json, bool *holds, pdr_error *err)
{
    pdr_where *where;
    pdr_code code = pdr_where_open(&where, program, err);
    if (code != PDR_OK) return code;
    code = pdr_where_holds(where, pdr_bytes_of(json, strlen(json)), holds, err);
    pdr_where_close(where);
    return code;
}

static bool holds(const char *program, const char *json)
{
    bool it = false;
    pdr_error err;
    cr_assert_eq(try_it(program, json, &it, &err), PDR_OK, "%s: %s", program, err.message);
    return it;
}

Test(where, holds_unless_the_first_result_is_false_or_null)
{
    cr_expect(holds(".a > 10000", "{\"a\":10001}"));
    cr_expect_not(holds(".a > 10000", "{\"a\":10000}"));
    cr_expect(holds(".a", "{\"a\":0}"), "0 is true in jq");
    cr_expect_not(holds(".a", "{\"b\":1}"), "null");
    cr_expect_not(holds("false, true", "{}"));
    cr_expect(holds("true, false", "{}"));
    cr_expect_not(holds("empty", "{}"), "no result at all");
    cr_expect(holds("def big: . > 5; .a | big", "{\"a\":6}"));
    cr_expect(
        holds(".event.offers[] | select(.accepted)", "{\"event\":{\"offers\":[{},{\"accepted\":true}]}}"));
}

Test(where, can_be_asked_again_and_again_also_after_a_failure)
{
    pdr_where *where;
    pdr_error err;
    bool it;
    cr_assert_eq(pdr_where_open(&where, ".[0] == 1", &err), PDR_OK);
    for (int i = 0; i < 100; i++) {
        cr_expect_eq(pdr_where_holds(where, pdr_bytes_of("[1]", 3), &it, &err), PDR_OK);
        cr_expect(it);
        cr_expect_eq(pdr_where_holds(where, pdr_bytes_of("7", 1), &it, &err), PDR_BAD_DATA);
        cr_expect_not(it);
        cr_expect_eq(pdr_where_holds(where, pdr_bytes_of("[2]", 3), &it, &err), PDR_OK);
        cr_expect_not(it);
    }
    pdr_where_close(where);
}

Test(where, that_does_not_compile_says_why)
{
    bool it;
    pdr_error err;
    cr_expect_eq(try_it(".a >", "{}", &it, &err), PDR_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(err.message, "the filter \".a >\" isn't jq: syntax error"), "%s", err.message);
    cr_expect_eq(try_it("amount(1)", "{}", &it, &err), PDR_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(err.message, "isn't jq: amount/1 is not defined"), "%s", err.message);
    cr_expect_null(strstr(err.message, "def "), "what we put before it is nobody's business: %s",
                   err.message);
    cr_expect_eq(try_it("", "{}", &it, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(try_it(" \n\t", "{}", &it, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(try_it("import \"a\" as a; .", "{}", &it, &err), PDR_INVALID_ARGUMENT);
}

Test(where, that_is_too_long_is_refused)
{
    static char program[70000];
    bool it;
    memset(program, ' ', sizeof program - 1);
    program[sizeof program - 2] = '.';
    cr_expect_eq(try_it(program, "{}", &it, NULL), PDR_INVALID_ARGUMENT);
}

Test(where, that_fails_at_a_value_says_why)
{
    bool it;
    pdr_error err;
    cr_expect_eq(try_it(".a.b", "{\"a\":1}", &it, &err), PDR_BAD_DATA);
    cr_expect_str_eq(err.message, "jq: Cannot index number with string \"b\"");
    cr_expect_eq(try_it("error({x:1})", "{}", &it, &err), PDR_BAD_DATA);
    cr_expect_str_eq(err.message, "jq: {\"x\":1}");
    cr_expect_eq(try_it(".", "{\"a\":", &it, &err), PDR_BAD_DATA, "no JSON");
    cr_expect_eq(try_it(".", "", &it, &err), PDR_BAD_DATA, "nothing");
}

Test(where, sees_no_environment_and_neither_prints_nor_ends_the_program)
{
    bool it;
    pdr_error err;
    cr_expect_not(holds("$ENV.PATH", "{}"));
    static const char *const absent[] = {"env.PATH",      "halt",  "halt_error",
                                         "halt_error(1)", "input", "[inputs]"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        cr_expect_eq(try_it(absent[i], "{}", &it, &err), PDR_BAD_DATA, "%s", absent[i]);
        cr_expect_not_null(strstr(err.message, "isn't there"), "%s", err.message);
    }
    cr_expect(holds("debug | stderr | .a", "{\"a\":1}"));
}
