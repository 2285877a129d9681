/* Claims about answers of a registry that can't be right. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "registry_probe.h"

TestSuite(hostile_registry, .fini = end, .timeout = 600);

Test(hostile_registry, what_is_no_answer_is_bad_data)
{
    static const char *const bodies[] = {"",
                                         "<html>",
                                         "[]",
                                         "null",
                                         "7",
                                         "{\"id\":7",
                                         "{\"id\":\"7\"}",
                                         "{\"id\":7.5}",
                                         "{}",
                                         "{\"id\":-1}",
                                         "{\"id\":2147483648}",
                                         "{\"id\":9223372036854775808}",
                                         "{\"id\":7,\"id\":8}",
                                         "{\"id\":null}",
                                         "{\"id\":7}x",
                                         "{\"\\ud800\":1,\"id\":7}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char reply[256];
        const char *script[] = {reply, NULL};
        int32_t id = -1;
        snprintf(reply, sizeof reply, FAKE_REPLY("200", "%s"), bodies[i]);
        begin(script);
        cr_expect_eq(register_offer(&id), PDR_BAD_DATA, "%s gives %s", bodies[i], err.message);
        cr_expect(strstr(err.message, "/subjects/"), "%s", err.message);
        cr_expect_eq(id, -1);
        cr_expect_eq(fake.count, 1, "%s is not asked for again", bodies[i]);
        end();
    }
}

Test(hostile_registry, what_is_no_schema_is_bad_data)
{
    static const char *const bodies[] = {
        "{}",
        "{\"schema\":7}",
        "{\"schema\":null}",
        "{\"schema\":\"{\\\"type\\\":\\\"rec\"}",
        "{\"schema\":\"\\u0000\"}",
        "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"a b\\\",\\\"fields\\\":[]}\"}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char reply[256];
        const char *script[] = {ID_7, reply, NULL};
        int32_t id = -1;
        snprintf(reply, sizeof reply, FAKE_REPLY("200", "%s"), bodies[i]);
        begin(script);
        cr_expect_eq(register_offer(&id), PDR_BAD_DATA, "%s gives %s", bodies[i], err.message);
        end();
    }
}

Test(hostile_registry, what_is_no_verdict_is_bad_data)
{
    static const char *const script[] = {MISSING, FAKE_REPLY("200", "{\"is_compatible\":\"yes\"}"), NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_BAD_DATA);
    cr_assert_eq(fake.count, 2, "it isn't registered");
}

Test(hostile_registry, an_answer_without_end_is_broken_off)
{
    static const char *const script[] = {FAKE_FLOOD, NULL};
    int32_t id = -1;
    fake_registry_open(&fake, script);
    pdr_registry_config config = config_of(fake.url);
    config.max_answer = 1000000;
    open_with(config);
    cr_assert_eq(register_offer(&id), PDR_TOO_LARGE);
    expect_message("1000000 bytes");
    cr_assert_eq(fake.count, 1);
}

Test(hostile_registry, headers_without_end_are_broken_off)
{
    static char reply[300000];
    const char *script[] = {reply, NULL};
    int32_t id = -1;
    size_t size = (size_t)snprintf(reply, sizeof reply, "HTTP/1.1 200 x\r\n");
    while (size < sizeof reply - 100)
        size += (size_t)snprintf(reply + size, sizeof reply - size, "X-%zu: filler filler filler\r\n", size);
    snprintf(reply + size, sizeof reply - size, "\r\n{\"id\":7}");
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_TOO_LARGE);
}

Test(hostile_registry, what_is_no_http_is_unavailable)
{
    static const char *const script[] = {"SSH-2.0-server\r\n", NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_UNAVAILABLE);
}

Test(hostile_registry, an_answer_cut_short_is_tried_again)
{
    static const char *const script[] = {
        "HTTP/1.1 200 x\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{\"id\":7", ID_7, SCHEMA_7, NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    cr_assert_eq(fake.count, 3);
}

Test(hostile_registry, a_refusal_s_text_is_one_printable_line)
{
    static const char *const script[] = {
        FAKE_REPLY("422", "{\"error_code\":42201,\"message\":\"no\\u0007\\u001b[31m schema\"}"), NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_BAD_SCHEMA);
    expect_message("error 42201");
    for (const char *at = err.message; *at; at++)
        cr_assert_geq((unsigned char)*at, 0x20);
}
