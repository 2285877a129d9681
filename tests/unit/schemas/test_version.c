/* A schema says which version it is. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "schemas/version.h"

static pdr_schema_version mark;

static pdr_code read(const char *attribute, pdr_error *err)
{
    char json[500];
    pdr_schema_set *set;
    snprintf(json, sizeof json, "{\"type\":\"record\",\"name\":\"a.B\",\"fields\":[]%s%s}",
             *attribute ? "," : "", attribute);
    cr_assert_eq(pdr_schema_read(&set, "b.avsc", pdr_string_of(json), NULL), PDR_OK);
    pdr_code code = pdr_schema_version_of(&mark, pdr_schema_set_root(set, 0), err);
    pdr_schema_set_close(set);
    return code;
}

static void is(const char *attribute, uint32_t version, bool readable)
{
    cr_expect_eq(read(attribute, NULL), PDR_OK, "%s", attribute);
    cr_expect_eq(mark.version, version, "%s", attribute);
    cr_expect_eq(mark.readable_by_older, readable, "%s", attribute);
}

Test(version, is_read_from_the_root_attribute)
{
    is("", 0, false);
    is("\"perdure\":{}", 0, false);
    is("\"perdure\":{\"version\":1}", 1, false);
    is("\"perdure\":{\"readableByOlder\":true}", 0, true);
    is("\"perdure\":{\"version\":4294967295,\"readableByOlder\":false}", UINT32_MAX, false);
    is("\"perdure\":{\"version\":3,\"readableByOlder\":true,\"later\":[1]}", 3, true);
}

Test(version, that_is_none_is_refused_with_its_place)
{
    static const char *const bad[] = {"\"perdure\":3",
                                      "\"perdure\":[]",
                                      "\"perdure\":{\"version\":0}",
                                      "\"perdure\":{\"version\":-1}",
                                      "\"perdure\":{\"version\":4294967296}",
                                      "\"perdure\":{\"version\":1.5}",
                                      "\"perdure\":{\"version\":\"2\"}",
                                      "\"perdure\":{\"version\":null}",
                                      "\"perdure\":{\"version\":1,\"readableByOlder\":1}",
                                      "\"perdure\":{\"version\":1,\"readableByOlder\":\"true\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_error err = {0};
        cr_expect_eq(read(bad[i], &err), PDR_BAD_SCHEMA, "%s", bad[i]);
        cr_expect_not_null(strstr(err.message, "b.avsc:1:"), "%s", err.message);
        cr_expect_not_null(strstr(err.message, "a.B"), "%s", err.message);
    }
}

Test(version, of_a_schema_that_is_no_object_is_none)
{
    pdr_schema_set *set;
    cr_assert_eq(pdr_schema_read(&set, "b.avsc", pdr_string_of("\"long\""), NULL), PDR_OK);
    cr_expect_eq(pdr_schema_version_of(&mark, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    cr_expect_eq(mark.version, 0);
    pdr_schema_set_close(set);
}
