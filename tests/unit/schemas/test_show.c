/* Values as people and filters see them. */
#include <criterion/criterion.h>

#include "schemas/datum.h"
#include "schemas/print.h"

static void shows(const pdr_layout *layout, const void *value, const char *text)
{
    pdr_buf out = PDR_BUF_INIT(1000);
    cr_assert_eq(pdr_layout_show(layout, value, &out), PDR_OK);
    cr_expect(out.size == strlen(text) && memcmp(out.data, text, out.size) == 0, "%.*s, not %s",
              (int)out.size, (const char *)out.data, text);
    pdr_buf_release(&out);
}

static void decimal(const char *bytes, size_t size, int scale, const char *text)
{
    pdr_layout layout = {
        .kind = PDR_KIND_BYTES, .logical = PDR_LOGICAL_DECIMAL, .precision = 30, .scale = scale};
    pdr_bytes value = pdr_bytes_of(bytes, size);
    shows(&layout, &value, text);
    pdr_layout fixed = layout;
    fixed.kind = PDR_KIND_FIXED;
    fixed.count = size;
    shows(&fixed, bytes, text);
}

Test(show, decimals_are_numbers_with_all_their_places)
{
    decimal("\x1e\x84\x80", 3, 2, "20000.00");
    decimal("\x00\x00\x00\x1e\x84\x80", 6, 2, "20000.00");
    decimal("\x00", 1, 2, "0.00");
    decimal("\x05", 1, 2, "0.05");
    decimal("\x05", 1, 0, "5");
    decimal("\x00\xff", 2, 1, "25.5");
    decimal("\xff", 1, 2, "-0.01");
    decimal("\x80", 1, 0, "-128");
    decimal("\x80\x00\x00\x00\x00\x00\x00\x00\x00", 9, 3, "-2361183241434822606.848");
    decimal("\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16, 0,
            "170141183460469231731687303715884105727");
    decimal("\x01", 1, 20, "0.00000000000000000001");
}

Test(show, what_is_no_decimal_or_too_long_for_one_stays_as_it_is)
{
    char longer[65] = {1};
    pdr_layout layout = {.kind = PDR_KIND_BYTES, .logical = PDR_LOGICAL_DECIMAL, .scale = 2};
    pdr_buf plain = PDR_BUF_INIT(1000);
    pdr_bytes value = pdr_bytes_of(longer, sizeof longer), none = pdr_bytes_of("", 0),
              text = pdr_bytes_of("a\x01", 2);
    cr_assert_eq(pdr_layout_print(&layout, &value, &plain), PDR_OK);
    cr_assert_eq(pdr_buf_append(&plain, "", 1), PDR_OK);
    shows(&layout, &value, (const char *)plain.data);
    pdr_buf_release(&plain);
    shows(&layout, &none, "\"\"");
    layout.logical = PDR_LOGICAL_NONE;
    shows(&layout, &text, "\"a\\u0001\"");
}

Test(show, a_datum_by_its_schema_is_shown_alike)
{
    static const char json[] =
        "{\"type\":\"record\",\"name\":\"r\",\"fields\":[{\"name\":\"amount\",\"type\":[\"null\","
        "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":12,\"scale\":2}]},"
        "{\"name\":\"raw\",\"type\":\"bytes\"}]}";
    pdr_schema_set *set;
    pdr_buf out = PDR_BUF_INIT(1000);
    pdr_error err;
    cr_assert_eq(pdr_schema_read(&set, "a test", pdr_string_of(json), &err), PDR_OK, "%s", err.message);
    const pdr_schema *schema = pdr_schema_set_root(set, 0);
    pdr_bytes datum = pdr_bytes_of("\x02\x02\xff\x02\x41", 5);
    cr_assert_eq(pdr_datum_show(schema, datum, &out, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)out.data, "{\"amount\":-0.01,\"raw\":\"A\"}");
    pdr_buf_clear(&out);
    cr_assert_eq(pdr_datum_print(schema, datum, &out, &err), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)out.data, "{\"amount\":\"\\u00ff\",\"raw\":\"A\"}");
    pdr_buf_release(&out);
    pdr_schema_set_close(set);
}
