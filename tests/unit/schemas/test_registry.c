/* Claims about the registry's client, against a registry that says whatever it is told to. The real one is in
 * tests/integration/test_registry.c. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "registry_probe.h"

TestSuite(registry, .fini = end, .timeout = 600);

/* ---- registering ---- */

Test(registry, a_new_schema_is_checked_registered_and_read_back)
{
    static const char *const script[] = {MISSING, FITS, ID_7, SCHEMA_7, NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    cr_assert_eq(id, 7);
    cr_assert_eq(fake.count, 4);
    expect_request(0, "POST /subjects/loans.events-loans.OfferMade HTTP");
    expect_request(0, "application/vnd.schemaregistry.v1+json");
    expect_request(0, "{\"schema\":\"{\\\"type\\\":\\\"record\\\"");
    expect_request(1, "POST /compatibility/subjects/loans.events-loans.OfferMade/versions/latest");
    expect_request(2, "POST /subjects/loans.events-loans.OfferMade/versions HTTP");
    expect_request(3, "GET /schemas/ids/7 HTTP");
}

Test(registry, a_known_schema_is_only_looked_up)
{
    static const char *const script[] = {ID_7, SCHEMA_7, NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    cr_assert_eq(id, 7);
    cr_assert_eq(fake.count, 2);
}

Test(registry, a_first_version_has_nothing_to_be_compatible_with)
{
    static const char *const script[] = {NO_SUBJECT, NO_SUBJECT, ID_7, SCHEMA_7, NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    cr_assert_eq(id, 7);
}

Test(registry, an_incompatible_schema_is_not_registered)
{
    static const char *const script[] = {
        MISSING, FAKE_REPLY("200", "{\"is_compatible\":false,\"messages\":[\"cents has no\\ndefault\"]}"),
        NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_BAD_SCHEMA);
    expect_message("isn't compatible with the latest version of subject loans.events-loans.OfferMade");
    expect_message("cents has no default");
    cr_assert_eq(fake.count, 2);
}

Test(registry, the_check_can_be_left_to_the_registry)
{
    static const char *const script[] = {
        MISSING, FAKE_REPLY("409", "{\"error_code\":409,\"message\":\"incompatible with an earlier one\"}"),
        NULL};
    int32_t id = -1;
    fake_registry_open(&fake, script);
    pdr_registry_config config = config_of(fake.url);
    config.skip_check = true;
    open_with(config);
    cr_assert_eq(register_offer(&id), PDR_BAD_SCHEMA);
    expect_message("incompatible with an earlier one");
    expect_request(1, "/versions HTTP");
}

Test(registry, what_was_registered_is_known_without_asking)
{
    static const char *const script[] = {ID_7, SCHEMA_7, FAKE_HANG_UP, NULL};
    int32_t id = -1;
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    id = -1;
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    cr_assert_eq(id, 7);
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(json.size, strlen(OFFER));
    cr_assert_eq(fake.count, 2);
    pdr_buf_release(&json);
}

Test(registry, looking_up_registers_nothing)
{
    static const char *const script[] = {MISSING, NULL};
    int32_t id = -1;
    pdr_registry_schema schema = offer();
    begin(script);
    cr_assert_eq(pdr_registry_find(registry, &id, &schema, &err), PDR_NOT_FOUND);
    expect_message("no schema loans.OfferMade under subject loans.events-loans.OfferMade");
    cr_assert_eq(fake.count, 1);
}

Test(registry, an_id_that_belongs_to_another_schema_is_refused)
{
    static const char *const script[] = {ID_7, SCHEMA_OTHER, ID_7, SCHEMA_OTHER, NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_CONFLICT);
    expect_message("id 7");
    cr_assert_eq(register_offer(&id), PDR_CONFLICT, "it isn't kept");
}

/* ---- by id ---- */

Test(registry, a_schema_is_found_by_id_once)
{
    static const char *const script[] = {SCHEMA_7, FAKE_HANG_UP, NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    for (int i = 0; i < 2; i++) {
        pdr_buf_clear(&json);
        cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_OK, "%s", err.message);
        cr_assert_eq(json.size, strlen(OFFER));
        cr_assert_eq(memcmp(json.data, OFFER, json.size), 0);
    }
    cr_assert_eq(fake.count, 1);
    pdr_buf_release(&json);
}

Test(registry, an_unknown_id_is_not_found)
{
    static const char *const script[] = {MISSING, NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    cr_assert_eq(pdr_registry_by_id(registry, 12, &json, &err), PDR_NOT_FOUND);
    expect_message("id 12");
    cr_assert_eq(json.size, 0);
}

Test(registry, a_schema_of_another_kind_or_in_parts_is_not_supported)
{
    static const char *const script[] = {
        FAKE_REPLY("200", "{\"schema\":\"message A {}\",\"schemaType\":\"PROTOBUF\"}"),
        FAKE_REPLY(
            "200",
            "{\"schema\":\"\\\"B\\\"\",\"references\":[{\"name\":\"B\",\"subject\":\"b\",\"version\":1}]}"),
        FAKE_REPLY("200", "{\"schema\":\"\\\"int\\\"\",\"schemaType\":\"AVRO\",\"references\":[]}"), NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    cr_assert_eq(pdr_registry_by_id(registry, 1, &json, &err), PDR_UNSUPPORTED);
    cr_assert_eq(pdr_registry_by_id(registry, 2, &json, &err), PDR_UNSUPPORTED);
    cr_assert_eq(pdr_registry_by_id(registry, 3, &json, &err), PDR_OK, "%s", err.message);
    pdr_buf_release(&json);
}

/* ---- a registry that is away, or ill ---- */

Test(registry, refusals_for_now_and_broken_connections_are_tried_again)
{
    static const char *const script[] = {FAKE_REPLY("503", ""),
                                         FAKE_HANG_UP,
                                         FAKE_REPLY("500", "{\"error_code\":50001,\"message\":\"store\"}"),
                                         FAKE_REPLY("429", ""),
                                         SCHEMA_7,
                                         NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(fake.count, 5);
    cr_assert_eq(wait_count, 4);
    pdr_buf_release(&json);
}

Test(registry, waits_double_with_jitter_up_to_a_ceiling)
{
    static const char *const script[] = {FAKE_REPLY("503", ""), NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    fake_registry_open(&fake, script);
    pdr_registry_config config = config_of(fake.url);
    config.attempts = 40;
    config.backoff_min_ms = 100;
    config.backoff_max_ms = 800;
    open_with(config);
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_UNAVAILABLE);
    cr_assert_eq(fake.count, 40);
    cr_assert_eq(wait_count, 39);
    bool differ = false;
    for (size_t i = 0; i < wait_count; i++) {
        uint32_t span = i < 3 ? 100u << i : 800;
        cr_assert(waits[i] >= span / 2 && waits[i] <= span, "wait %zu is %u of %u", i, waits[i], span);
        differ = differ || (i > 4 && waits[i] != waits[4]);
    }
    cr_assert(differ, "without jitter all clients come back at once");
}

Test(registry, a_server_may_name_the_wait)
{
    static const char *const script[] = {
        "HTTP/1.1 503 x\r\nRetry-After: 2\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 503 x\r\nRetry-After: 86400\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", SCHEMA_7,
        NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(waits[0], 2000);
    cr_assert_eq(waits[1], 30000, "within reason");
    pdr_buf_release(&json);
}

Test(registry, after_all_attempts_it_is_unavailable_with_its_own_words)
{
    static const char *const script[] = {
        FAKE_REPLY("500", "{\"error_code\":50001,\"message\":\"Error in the backend data store\"}"), NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_UNAVAILABLE);
    expect_message("loans.OfferMade");
    expect_message(fake.url);
    expect_message("500 Error in the backend data store");
    cr_assert_eq(err.backend, 500);
    cr_assert_eq(fake.count, 5);
}

Test(registry, a_port_where_nobody_listens_is_unavailable)
{
    int32_t id = -1;
    setenv("no_proxy", "127.0.0.1", 1);
    open_with(config_of("http://127.0.0.1:1"));
    cr_assert_eq(register_offer(&id), PDR_UNAVAILABLE);
    expect_message("http://127.0.0.1:1");
    cr_assert_eq(wait_count, 4);
}

Test(registry, silence_ends_by_the_time_limit)
{
    static const char *const script[] = {FAKE_SILENCE, NULL};
    int32_t id = -1;
    fake_registry_open(&fake, script);
    pdr_registry_config config = config_of(fake.url);
    config.timeout_ms = 50;
    config.attempts = 2;
    open_with(config);
    cr_assert_eq(register_offer(&id), PDR_UNAVAILABLE);
    cr_assert_eq(wait_count, 1);
}

/* ---- who may, and where ---- */

Test(registry, user_and_password_come_from_the_url_and_stay_out_of_messages)
{
    static const char *const script[] = {FAKE_REPLY("401", "{\"error_code\":40101,\"message\":\"who?\"}"),
                                         NULL};
    int32_t id = -1;
    char url[128];
    fake_registry_open(&fake, script);
    snprintf(url, sizeof url, "http://jo%%40x:s%%3Acret@127.0.0.1:%d/", fake.port);
    open_with(config_of(url));
    cr_assert_eq(register_offer(&id), PDR_BAD_SETTING);
    expect_request(0, "Authorization: Basic am9AeDpzOmNyZXQ="); /* jo@x:s:cret */
    expect_message("registry.user");
    cr_assert_null(strstr(err.message, "cret"));
    cr_assert_eq(fake.count, 1, "it isn't tried again");
}

Test(registry, settings_for_user_and_password_win)
{
    static const char *const script[] = {SCHEMA_7, NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    char url[128];
    fake_registry_open(&fake, script);
    snprintf(url, sizeof url, "http://a:b@127.0.0.1:%d", fake.port);
    pdr_registry_config config = config_of(url);
    config.user = "jo@x";
    config.password = "s:cret";
    open_with(config);
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_OK, "%s", err.message);
    expect_request(0, "Authorization: Basic am9AeDpzOmNyZXQ=");
    pdr_buf_release(&json);
}

Test(registry, bad_urls_are_refused_without_showing_them)
{
    static const char *const bad[] = {"",
                                      "registry",
                                      "ftp://u:secret@h/",
                                      "http://",
                                      "http://u:secret@h:99999/",
                                      "http://u:secret@h/?a=b",
                                      "http://u:secret@h/#a",
                                      "file:///etc/passwd"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pdr_registry_config config = config_of(bad[i]);
        cr_expect_eq(pdr_registry_open(&registry, &config, &err), PDR_BAD_SETTING, "%s", bad[i]);
        cr_expect_null(strstr(err.message, "secret"), "%s", err.message);
    }
}

Test(registry, a_path_with_nothing_behind_it_is_a_wrong_setting)
{
    static const char *const script[] = {FAKE_REPLY("404", "<html>not here</html>"), NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_BAD_SETTING);
    expect_message("registry.url");
}

Test(registry, a_base_path_comes_before_all_paths)
{
    static const char *const script[] = {SCHEMA_7, NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    char url[128];
    fake_registry_open(&fake, script);
    snprintf(url, sizeof url, "%s/apis/ccompat/v7//", fake.url);
    open_with(config_of(url));
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_OK, "%s", err.message);
    expect_request(0, "GET /apis/ccompat/v7/schemas/ids/7 HTTP");
    pdr_buf_release(&json);
}

Test(registry, redirects_are_followed_but_not_for_ever)
{
    static const char *const script[] = {
        "HTTP/1.1 307 x\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ID_7,
        SCHEMA_7, NULL};
    static const char *const circle[] = {
        "HTTP/1.1 301 x\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", NULL};
    int32_t id = -1;
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    expect_request(1, "POST /elsewhere HTTP");
    expect_request(1, "{\"schema\":");
    end();
    begin(circle);
    cr_assert_eq(register_offer(&id), PDR_UNAVAILABLE);
    cr_assert_eq(fake.count, 4, "the request and three redirects");
}

Test(registry, a_redirect_leads_to_no_other_protocol)
{
    static const char *const script[] = {
        "HTTP/1.1 302 x\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        NULL};
    pdr_buf json = PDR_BUF_INIT(4096);
    begin(script);
    cr_assert_eq(pdr_registry_by_id(registry, 7, &json, &err), PDR_UNAVAILABLE);
    cr_assert_eq(fake.count, 1);
    cr_assert_eq(json.size, 0);
}

/* ---- subjects ---- */

static void expect_subject(pdr_subject_naming naming, const char *topic, const char *wanted)
{
    pdr_buf out = PDR_BUF_INIT(256);
    cr_assert_eq(pdr_registry_subject(&out, naming, topic, "loans.OfferMade", &err), PDR_OK);
    cr_assert_eq(out.size, strlen(wanted));
    cr_assert_eq(memcmp(out.data, wanted, out.size), 0);
    pdr_buf_release(&out);
}

Test(subjects, are_named_as_everyone_names_them)
{
    pdr_subject_naming naming;
    pdr_buf out = PDR_BUF_INIT(256);
    expect_subject(PDR_SUBJECT_TOPIC_RECORD, "t", "t-loans.OfferMade");
    expect_subject(PDR_SUBJECT_RECORD, NULL, "loans.OfferMade");
    expect_subject(PDR_SUBJECT_TOPIC, "t", "t-value");
    cr_assert(pdr_subject_naming_of("topic", &naming) && naming == PDR_SUBJECT_TOPIC);
    cr_assert(pdr_subject_naming_of("record", &naming) && naming == PDR_SUBJECT_RECORD);
    cr_assert(pdr_subject_naming_of("topic-record", &naming) && naming == PDR_SUBJECT_TOPIC_RECORD);
    cr_assert(!pdr_subject_naming_of("Topic", &naming));
    cr_assert_eq(pdr_registry_subject(&out, PDR_SUBJECT_TOPIC, "", "x", &err), PDR_INVALID_ARGUMENT);
}

Test(registry, a_subject_is_encoded_in_the_path)
{
    static const char *const script[] = {ID_7, SCHEMA_7, NULL};
    int32_t id = -1;
    fake_registry_open(&fake, script);
    pdr_registry_config config = config_of(fake.url);
    config.topic = "a/../b c%\xC3\xA9";
    open_with(config);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    expect_request(0, "POST /subjects/a%2F..%2Fb%20c%25%C3%A9-loans.OfferMade HTTP");
}

/* ---- memory and threads ---- */

Test(registry, every_allocation_that_fails_is_reported)
{
    static const char *const script[] = {MISSING, FITS, ID_7, SCHEMA_7, NULL};
    pdr_registry_schema schema = offer();
    pdr_code code = PDR_NOMEM;
    for (uint64_t nth = 1; code != PDR_OK; nth++) {
        int32_t id = -1;
        fake_registry_open(&fake, script);
        pdr_registry_config config = config_of(fake.url);
        pdr_mem_fail_at(nth);
        code = pdr_registry_open(&registry, &config, &err);
        if (code == PDR_OK) code = pdr_registry_register(registry, &id, &schema, &err);
        bool used_up = pdr_mem_count() < nth;
        pdr_mem_fail_at(0);
        cr_expect(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)nth, err.message);
        if (code == PDR_OK && !used_up) code = PDR_NOMEM; /* it only wasn't cached */
        end();
    }
}

static void *register_many(void *context)
{
    (void)context;
    pdr_registry_schema schema = {"loans.OfferMade", OFFER, 0};
    pdr_buf json = PDR_BUF_INIT(4096);
    for (int i = 0; i < 200; i++) {
        int32_t id = -1;
        pdr_buf_clear(&json);
        if (pdr_registry_by_id(registry, 7, &json, NULL) != PDR_OK || json.size != strlen(OFFER))
            return "by id";
        if (pdr_registry_find(registry, &id, &schema, NULL) == PDR_OK && id != 7) return "find";
    }
    pdr_buf_release(&json);
    return NULL;
}

Test(registry, any_number_of_threads_may_ask)
{
    static const char *const script[] = {ID_7, SCHEMA_7, SCHEMA_7, FAKE_HANG_UP, NULL};
    int32_t id = -1;
    pthread_t threads[8];
    begin(script);
    cr_assert_eq(register_offer(&id), PDR_OK, "%s", err.message);
    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, register_many, NULL), 0);
    for (size_t i = 0; i < 8; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        cr_expect_null(failed, "%s", (const char *)failed);
    }
    cr_assert_eq(fake.count, 2, "all of it from the cache");
}
