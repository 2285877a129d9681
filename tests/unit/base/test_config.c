#include <criterion/criterion.h>

#include "base/config.h"

typedef struct target {
    uint32_t narrow;
    uint64_t wide;
    int64_t age_us;
    size_t bytes;
    bool on;
    char word[9];
} target;

static const pdr_config_row rows[] = {
    {"narrow.max", PDR_CONFIG_U32, offsetof(target, narrow), 1, 1, 100, 7, "things", "Narrow."},
    {"wide", PDR_CONFIG_U64, offsetof(target, wide), 1, 0, INT64_MAX, 8, "", "Wide."},
    {"age.ms", PDR_CONFIG_I64, offsetof(target, age_us), 1000, 1, 5000, 50, "ms", "Age."},
    {"bytes", PDR_CONFIG_SIZE, offsetof(target, bytes), 1, 16, 1 << 30, 64, "bytes", "Bytes."},
    {"on", PDR_CONFIG_BOOL, offsetof(target, on), 1, 0, 1, 1, "", "On."},
    {"word", PDR_CONFIG_TEXT, offsetof(target, word), 1, 0, 8, 0, "", "Word."},
};
static const pdr_config table = {rows, sizeof rows / sizeof rows[0]};

static pdr_code set(target *t, const char *name, const char *value, pdr_error *err)
{
    return pdr_config_set(&table, t, name, value, err);
}

Test(config, defaults_reach_every_member_scaled)
{
    target t;
    memset(&t, 0xff, sizeof t);
    pdr_config_defaults(&table, &t);
    cr_assert_eq(t.narrow, 7);
    cr_assert_eq(t.wide, 8);
    cr_assert_eq(t.age_us, 50000);
    cr_assert_eq(t.bytes, 64);
    cr_assert(t.on);
}

Test(config, values_within_their_range_are_taken)
{
    target t;
    pdr_config_defaults(&table, &t);
    cr_assert_eq(set(&t, "narrow.max", "100", NULL), PDR_OK);
    cr_assert_eq(set(&t, "wide", "9223372036854775807", NULL), PDR_OK);
    cr_assert_eq(set(&t, "age.ms", "5000", NULL), PDR_OK);
    cr_assert_eq(set(&t, "bytes", "0000016", NULL), PDR_OK);
    cr_assert_eq(set(&t, "on", "false", NULL), PDR_OK);
    cr_assert_eq(t.narrow, 100);
    cr_assert_eq(t.wide, (uint64_t)INT64_MAX);
    cr_assert_eq(t.age_us, 5000000);
    cr_assert_eq(t.bytes, 16);
    cr_assert_not(t.on);
}

Test(config, a_text_is_taken_up_to_its_length_and_never_shown)
{
    target t;
    pdr_error err;
    memset(&t, 0xff, sizeof t);
    pdr_config_defaults(&table, &t);
    cr_assert_str_eq(t.word, "");
    cr_assert_eq(set(&t, "word", "12345678", NULL), PDR_OK);
    cr_assert_str_eq(t.word, "12345678");
    cr_assert_eq(set(&t, "word", "secretive", &err), PDR_BAD_SETTING);
    cr_assert(strstr(err.message, "word has 9 bytes; at most 8"), "%s", err.message);
    cr_assert_null(strstr(err.message, "secret"));
    cr_assert_str_eq(t.word, "12345678", "it is as before");
    cr_assert_eq(set(&t, "word", "", NULL), PDR_OK);
    cr_assert_str_eq(t.word, "");
}

Test(config, bad_values_are_refused_and_change_nothing)
{
    static const char *const bad[][2] = {
        {"narrow.max", "0"},   {"narrow.max", "101"}, {"narrow.max", ""},
        {"narrow.max", "-1"},  {"narrow.max", "+1"},  {"narrow.max", " 1"},
        {"narrow.max", "1 "},  {"narrow.max", "1e2"}, {"narrow.max", "0x10"},
        {"narrow.max", "ten"}, {"narrow.max", "1.0"}, {"narrow.max", "4294967297"},
        {"wide", "-0"},        {"bytes", "1k"},       {"wide", "9223372036854775808"},
        {"age.ms", "0"},       {"age.ms", "5001"},    {"wide", "99999999999999999999999999"},
        {"on", "1"},           {"on", "TRUE"},        {"on", ""},
        {"on", "true "},       {"bytes", "15"},       {"narrow.max", "٣"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        target t, before;
        memset(&t, 0, sizeof t);
        pdr_config_defaults(&table, &t);
        before = t;
        pdr_error err;
        cr_assert_eq(set(&t, bad[i][0], bad[i][1], &err), PDR_BAD_SETTING, "%s=%s", bad[i][0], bad[i][1]);
        cr_assert(strstr(err.message, bad[i][0]), "%s", err.message);
        cr_assert_eq(memcmp(&t, &before, sizeof t), 0);
    }
}

Test(config, a_missing_name_or_value_is_refused)
{
    target t;
    cr_assert_eq(set(&t, NULL, "1", NULL), PDR_BAD_SETTING);
    cr_assert_eq(set(&t, "wide", NULL, NULL), PDR_BAD_SETTING);
    cr_assert_eq(set(&t, "", "1", NULL), PDR_BAD_SETTING);
}

Test(config, an_unknown_name_gets_the_nearest_suggested)
{
    target t;
    pdr_error err;
    cr_assert_eq(set(&t, "narow.max", "1", &err), PDR_BAD_SETTING);
    cr_assert(strstr(err.message, "did you mean narrow.max?"), "%s", err.message);
    cr_assert_eq(set(&t, "something else altogether", "1", &err), PDR_BAD_SETTING);
    cr_assert_not(strstr(err.message, "did you mean"), "%s", err.message);
    cr_assert_null(pdr_config_nearest(&table, "x"));
}

Test(config, names_however_long_are_survived)
{
    char name[5000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    target t;
    pdr_error err;
    cr_assert_eq(set(&t, name, "1", &err), PDR_BAD_SETTING);
    cr_assert_eq(set(&t, "wide", name, &err), PDR_BAD_SETTING);
}

Test(config, the_printed_table_has_every_row)
{
    pdr_buf out = PDR_BUF_INIT(65536);
    cr_assert_eq(pdr_config_print(&table, &out), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    for (size_t i = 0; i < table.count; i++)
        cr_assert(strstr((char *)out.data, rows[i].name));
    cr_assert(strstr((char *)out.data, "| `age.ms` | 1 – 5000 | 50 | ms | Age. |"));
    cr_assert(strstr((char *)out.data, "| `on` | true, false | true | | On. |"));
    pdr_buf_release(&out);
}
