/* Claims about canonical form, fingerprint, whole form and framing. Agreement with Avro's own libraries is in
 * test_oracle.c. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "schemas/fingerprint.h"
#include "schemas/framing.h"
#include "schemas/schema.h"

static pdr_schema_set *read_good(const char *json)
{
    pdr_schema_set *set = NULL;
    pdr_error err = {.message = ""};
    cr_assert_eq(pdr_schema_read(&set, "f.avsc", pdr_string_of(json), &err), PDR_OK, "%s: %s", json,
                 err.message);
    return set;
}

static void expect_form(const char *json, bool canonical, const char *expected)
{
    pdr_schema_set *set = read_good(json);
    pdr_buf out = PDR_BUF_INIT(1 << 20);
    const pdr_schema *root = pdr_schema_set_root(set, 0);
    pdr_code code = canonical ? pdr_schema_canonical(root, &out, NULL) : pdr_schema_write(root, &out, NULL);
    cr_assert_eq(code, PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)out.data, expected);
    pdr_buf_release(&out);
    pdr_schema_set_close(set);
}

static const char dressed[] = "{\"doc\":\"d\",\"fields\":[{\"doc\":\"x\",\"default\":7,\"type\":{\"type\":"
                              "\"long\",\"logicalType\":\"time-micros\"},"
                              "\"name\":\"v\",\"order\":\"ignore\",\"mine\":[1,2.50,null]},{\"name\":\"f\","
                              "\"type\":{\"size\":16,\"name\":\"F\","
                              "\"type\":\"fixed\"}},{\"name\":\"g\",\"type\":[\"null\",\"F\"],\"default\":"
                              "null}],\"aliases\":[\"Old\"],\"name\":"
                              "\"E\",\"namespace\":\"x.y\",\"type\":\"record\",\"color\":\"\\u00e9\"}";

Test(canonical, form_has_full_names_fixed_order_and_nothing_else)
{
    expect_form(
        dressed, true,
        "{\"name\":\"x.y.E\",\"type\":\"record\",\"fields\":[{\"name\":\"v\",\"type\":\"long\"},{\"name\":"
        "\"f\","
        "\"type\":{\"name\":\"x.y.F\",\"type\":\"fixed\",\"size\":16}},{\"name\":\"g\",\"type\":[\"null\","
        "\"x.y.F\"]}]}");
    expect_form("{\"type\":\"int\"}", true, "\"int\"");
}

Test(canonical, whole_form_keeps_everything_and_reads_back_to_itself)
{
    const char *whole = "{\"name\":\"E\",\"namespace\":\"x.y\",\"type\":\"record\",\"fields\":[{\"name\":"
                        "\"v\",\"type\":{\"type\":\"long\","
                        "\"logicalType\":\"time-micros\"},\"doc\":\"x\",\"default\":7,\"order\":\"ignore\","
                        "\"mine\":[1,2.50,null]},{"
                        "\"name\":\"f\",\"type\":{\"name\":\"F\",\"namespace\":\"x.y\",\"type\":\"fixed\","
                        "\"size\":16}},{\"name\":\"g\","
                        "\"type\":[\"null\",\"x.y.F\"],\"default\":null}],\"doc\":\"d\",\"aliases\":[\"Old\"]"
                        ",\"color\":\"\xc3\xa9\"}";
    expect_form(dressed, false, whole);
    expect_form(whole, false, whole);
}

Test(canonical, whole_form_holds_the_types_of_other_texts)
{
    pdr_schema_set *set;
    pdr_buf out = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(pdr_schema_set_open(&set, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_set_add(set, "a", pdr_string_of("{\"type\":\"array\",\"items\":\"n.B\"}"), NULL),
                 PDR_OK);
    cr_assert_eq(
        pdr_schema_set_add(set, "b", pdr_string_of("{\"type\":\"fixed\",\"name\":\"n.B\",\"size\":1}"), NULL),
        PDR_OK);
    cr_assert_eq(pdr_schema_set_finish(set, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_write(pdr_schema_set_root(set, 0), &out, NULL), PDR_OK);
    pdr_string text = {(const char *)out.data, out.size};
    pdr_schema_set *alone = NULL;
    cr_expect_eq(pdr_schema_read(&alone, "alone", text, NULL), PDR_OK);
    pdr_schema_set_close(alone);
    pdr_schema_set_close(set);
    pdr_buf_release(&out);
}

Test(canonical, a_chain_of_types_that_nests_too_deeply_is_refused)
{
    pdr_buf text = PDR_BUF_INIT(1 << 20), out = PDR_BUF_INIT(1 << 24);
    pdr_schema_set *set = NULL;
    pdr_error err;
    cr_assert_eq(pdr_buf_printf(&text, "[{\"type\":\"record\",\"name\":\"T0\",\"fields\":[]}"), PDR_OK);
    for (int i = 1; i < 1020; i++)
        cr_assert_eq(
            pdr_buf_printf(
                &text,
                ",{\"type\":\"record\",\"name\":\"T%d\",\"fields\":[{\"name\":\"f\",\"type\":\"T%d\"},"
                "{\"name\":\"g\",\"type\":[\"T%d\"]}]}",
                i, i - 1, i - 1),
            PDR_OK);
    cr_assert_eq(pdr_buf_printf(&text, "]"), PDR_OK);
    pdr_string json = {(const char *)text.data, text.size};
    cr_assert_eq(pdr_schema_read(&set, "f", json, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(pdr_schema_canonical(pdr_schema_set_root(set, 0), &out, &err), PDR_OK);
    size_t before = out.size;
    const pdr_schema *last = pdr_schema_set_find(set, "T1019");
    cr_expect_eq(pdr_schema_canonical(last, &out, &err), PDR_OK, "1020 named types in a row still fit");
    pdr_schema_set_close(set);
    cr_expect_gt(out.size, before);
    pdr_buf_release(&text);
    pdr_buf_release(&out);
}

Test(canonical, fingerprint_of_nothing_is_the_specifications_constant)
{
    cr_expect_eq(pdr_fingerprint(pdr_bytes_of("", 0)), UINT64_C(0xc15d213aa4d7a795));
}

Test(canonical, fingerprint_of_a_known_schema)
{
    pdr_schema_set *set =
        read_good("{\"type\":\"record\",\"name\":\"E\",\"namespace\":\"x.y\",\"doc\":\"d\",\"fields\":[{"
                  "\"name\":\"id\",\"type\":\"string\"},{\"name\":\"v\",\"type\":\"long\",\"default\":7}]}");
    uint64_t fingerprint = 0;
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    cr_expect_eq(fingerprint, UINT64_C(0xc37d16bf6fe12884), "%016" PRIx64, fingerprint);
    pdr_schema_set_close(set);
}

/* ---- framing ---- */

Test(framing, a_frame_is_c3_01_and_the_fingerprint_little_endian)
{
    static const uint8_t expected[] = {0xC3, 0x01, 0x84, 0x28, 0xe1, 0x6f, 0xbf, 0x16, 0x7d, 0xc3};
    pdr_buf out = PDR_BUF_INIT(100);
    cr_assert_eq(pdr_frame_write(&out, UINT64_C(0xc37d16bf6fe12884)), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&out), pdr_bytes_of(expected, sizeof expected)));
    pdr_buf_release(&out);
}

Test(framing, what_was_framed_is_read_back)
{
    pdr_buf out = PDR_BUF_INIT(100);
    uint64_t fingerprint = 0;
    pdr_bytes datum;
    cr_assert_eq(pdr_frame_write(&out, 42), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "abc", 3), PDR_OK);
    cr_assert_eq(pdr_frame_read(&fingerprint, &datum, pdr_buf_bytes(&out), NULL), PDR_OK);
    cr_expect_eq(fingerprint, 42);
    cr_expect(pdr_bytes_equal(datum, pdr_bytes_of("abc", 3)));
    pdr_buf_release(&out);
}

Test(framing, other_bytes_and_short_ones_are_refused)
{
    static const uint8_t frame[10] = {0xC3, 0x01};
    static const uint8_t confluent[10] = {0x00, 0x00}, newer[10] = {0xC3, 0x02};
    uint64_t fingerprint;
    pdr_bytes datum;
    cr_expect_eq(pdr_frame_read(&fingerprint, &datum, pdr_bytes_of(frame, 10), NULL), PDR_OK);
    cr_expect_eq(datum.size, 0);
    for (size_t size = 0; size < 10; size++)
        cr_expect_eq(pdr_frame_read(&fingerprint, &datum, pdr_bytes_of(frame, size), NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_frame_read(&fingerprint, &datum, pdr_bytes_of(NULL, 0), NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_frame_read(&fingerprint, &datum, pdr_bytes_of(confluent, 10), NULL), PDR_BAD_DATA);
    cr_expect_eq(pdr_frame_read(&fingerprint, &datum, pdr_bytes_of(newer, 10), NULL), PDR_BAD_DATA);
}

Test(framing, a_full_buffer_is_reported)
{
    pdr_buf out = PDR_BUF_INIT(9);
    cr_expect_eq(pdr_frame_write(&out, 1), PDR_TOO_LARGE);
    cr_expect_eq(out.size, 0);
    pdr_buf_release(&out);
}
