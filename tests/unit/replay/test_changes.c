#include <criterion/criterion.h>
#include <stdio.h>

#include "replay/changes.h"

static pdr_bytes bytes_of(const char *text)
{
    return pdr_bytes_of(text, strlen(text));
}

static void add(char *out, size_t room, pdr_bytes part)
{
    size_t at = strlen(out);
    snprintf(out + at, room - at, "%.*s", part.data ? (int)part.size : 1,
             part.data ? (const char *)part.data : "-");
}

/* "path from>to;path from>to;", with - for what isn't there. */
static const char *told(const char *from, const char *to)
{
    static char text[2000];
    pdr_changes *changes;
    pdr_error err;
    text[0] = '\0';
    cr_assert_eq(pdr_changes_open(&changes, bytes_of(from), bytes_of(to), &err), PDR_OK, "%s", err.message);
    for (size_t i = 0; i < pdr_changes_count(changes); i++) {
        pdr_change change = pdr_changes_at(changes, i);
        add(text, sizeof text, change.path);
        add(text, sizeof text, bytes_of(" "));
        add(text, sizeof text, change.from);
        add(text, sizeof text, bytes_of(">"));
        add(text, sizeof text, change.to);
        add(text, sizeof text, bytes_of(";"));
    }
    pdr_changes_close(changes);
    return text;
}

Test(changes, equal_values_have_none_whatever_the_order_of_members)
{
    cr_expect_str_eq(told("{\"a\":1,\"b\":[1,{\"c\":null}]}", "{\"b\":[1,{\"c\":null}],\"a\":1}"), "");
    cr_expect_str_eq(told("7", "7"), "");
    cr_expect_str_eq(told("[]", "[]"), "");
}

Test(changes, name_the_place_as_jq_writes_it)
{
    cr_expect_str_eq(told("{\"a\":{\"b\":[1,2]}}", "{\"a\":{\"b\":[1,3]}}"), ".a.b[1] 2>3;");
    cr_expect_str_eq(told("{\"a b\":1}", "{\"a b\":2}"), ".[\"a b\"] 1>2;");
    cr_expect_str_eq(told("{\"x\":{\"1\":true}}", "{\"x\":{\"1\":false}}"), ".x[\"1\"] true>false;");
    cr_expect_str_eq(told("[1]", "[2]"), ".[0] 1>2;");
    cr_expect_str_eq(told("1", "\"1\""), ". 1>\"1\";");
}

Test(changes, tell_what_was_added_and_what_was_removed)
{
    cr_expect_str_eq(told("{\"a\":1}", "{\"b\":{\"c\":[]}}"), ".b ->{\"c\":[]};.a 1>-;");
    cr_expect_str_eq(told("{\"l\":[1,2,3]}", "{\"l\":[1]}"), ".l[1] 2>-;.l[2] 3>-;");
    cr_expect_str_eq(told("{\"l\":[]}", "{\"l\":[{\"k\":\"v\"}]}"), ".l[0] ->{\"k\":\"v\"};");
    cr_expect_str_eq(told("{\"a\":null}", "{}"), ".a null>-;");
}

Test(changes, of_another_kind_are_one)
{
    cr_expect_str_eq(told("{\"a\":[1]}", "{\"a\":{\"b\":1}}"), ".a [1]>{\"b\":1};");
    cr_expect_str_eq(told("{\"a\":null}", "{\"a\":{\"b\":1}}"), ".a null>{\"b\":1};");
}

Test(changes, keep_numbers_and_texts_as_they_are)
{
    cr_expect_str_eq(told("{\"n\":9223372036854775807}", "{\"n\":-9223372036854775808}"),
                     ".n 9223372036854775807>-9223372036854775808;");
    cr_expect_str_eq(told("\"\xc3\xa9\"", "\"\\u0000\\n\""), ". \"\xc3\xa9\">\"\\u0000\\n\";");
}

Test(changes, of_what_is_no_json_are_refused)
{
    static const char *const bad[] = {"", "{", "{\"a\":1,\"a\":2}", "[1,]", "nope", "\"\xff\"", "1 2"};
    pdr_changes *changes;
    pdr_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_eq(pdr_changes_open(&changes, bytes_of(bad[i]), bytes_of("1"), &err), PDR_BAD_DATA, "%s",
                     bad[i]);
        cr_expect_eq(pdr_changes_open(&changes, bytes_of("1"), bytes_of(bad[i]), &err), PDR_BAD_DATA, "%s",
                     bad[i]);
        cr_expect_null(changes);
    }
    pdr_changes_close(NULL);
}

Test(changes, of_values_too_deep_are_refused)
{
    static char a[4100], b[4100];
    pdr_changes *changes;
    pdr_error err;
    memset(a, '[', 2000);
    a[2000] = '1';
    memset(a + 2001, ']', 2000);
    memcpy(b, a, sizeof b);
    b[2000] = '2';
    pdr_code code = pdr_changes_open(&changes, bytes_of(a), bytes_of(b), &err);
    cr_expect(code == PDR_TOO_LARGE || code == PDR_BAD_DATA);
    cr_expect_null(changes);
}
