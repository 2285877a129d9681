/* Claims about schema files: which versions they are, what they see of each other, what is refused. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/files.h"

static pdr_schema_files *files;

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_schema_files_close(files);
    files = NULL;
}

TestSuite(files, .fini = release);

typedef struct given {
    const char *path, *text;
} given;

enum { MAX_GIVEN = 6 };

static pdr_code read_all(const given *all, pdr_error *err)
{
    release();
    pdr_code code = pdr_schema_files_open(&files, err);
    for (size_t i = 0; i < MAX_GIVEN && all[i].path && code == PDR_OK; i++)
        code = pdr_schema_files_add(files, all[i].path, pdr_string_of(all[i].text), err);
    return code == PDR_OK ? pdr_schema_files_finish(files, err) : code;
}

#define RECORD(name, rest, fields)                                                                           \
    "{\"type\":\"record\",\"name\":\"" name "\"" rest ",\"fields\":[" fields "]}"
#define PERDURE(text) ",\"perdure\":" text
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ENUM(name, symbols) "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" symbols "]}"
#define MADE1                                                                                                \
    {                                                                                                        \
        "x/Made.v1.avsc", RECORD("b.Made", "", FIELD("a", "\"int\""))                                        \
    }
#define MADE2                                                                                                \
    {                                                                                                        \
        "x/Made.v2.avsc", RECORD("b.Made", "", FIELD("b", "\"int\""))                                        \
    }

static void is(size_t index, const char *path, const char *event, uint32_t version, bool newest)
{
    const pdr_versioned *v = pdr_schema_files_at(files, index);
    cr_expect_str_eq(v->path, path);
    cr_expect_str_eq(v->event, event);
    cr_expect_eq(v->version, version, "%s", path);
    cr_expect_eq(v->newest, newest, "%s", path);
}

Test(files, versions_are_sorted_by_folder_event_and_number_whatever_the_order)
{
    static const given all[MAX_GIVEN] = {MADE2,
                                         {"x/Made.v3.avsc", RECORD("b.Made", "", "")},
                                         {"x/Lost.v1.avsc", RECORD("b.Lost", "", "")},
                                         {"Made.v1.avsc", RECORD("Made", "", "")},
                                         MADE1,
                                         {"x/commands.avsc", RECORD("b.Do", "", "")}};
    cr_assert_eq(read_all(all, NULL), PDR_OK);
    cr_assert_eq(pdr_schema_files_count(files), 5);
    is(0, "Made.v1.avsc", "Made", 1, true);
    is(1, "x/Lost.v1.avsc", "Lost", 1, true);
    is(2, "x/Made.v1.avsc", "Made", 1, false);
    is(3, "x/Made.v2.avsc", "Made", 2, false);
    is(4, "x/Made.v3.avsc", "Made", 3, true);
    cr_expect_str_eq(pdr_schema_files_at(files, 0)->folder, ".");
    cr_expect_str_eq(pdr_schema_files_at(files, 4)->folder, "x");
    cr_expect_eq(pdr_schema_set_count(pdr_schema_files_shared(files)), 1);
}

Test(files, ten_comes_after_nine)
{
    char path[32], text[120];
    cr_assert_eq(pdr_schema_files_open(&files, NULL), PDR_OK);
    for (int i = 12; i > 0; i--) {
        snprintf(path, sizeof path, "E.v%d.avsc", i);
        snprintf(text, sizeof text, RECORD("E", "", "{\"name\":\"f%d\",\"type\":\"int\"}"), i);
        cr_assert_eq(pdr_schema_files_add(files, path, pdr_string_of(text), NULL), PDR_OK);
    }
    cr_assert_eq(pdr_schema_files_finish(files, NULL), PDR_OK);
    for (size_t i = 0; i < 12; i++)
        cr_expect_eq(pdr_schema_files_at(files, i)->version, i + 1);
}

Test(files, names_that_only_look_alike_are_unversioned)
{
    static const given all[MAX_GIVEN] = {{"commands.avsc", RECORD("A", "", "")},
                                         {"a.views.avsc", RECORD("B", "", "")},
                                         {"v1.avsc", RECORD("C", "", "")},
                                         {"a.v1.json", RECORD("D", "", "")},
                                         {"x.v1/e.avsc", RECORD("E", "", "")}};
    cr_assert_eq(read_all(all, NULL), PDR_OK);
    cr_expect_eq(pdr_schema_files_count(files), 0);
    cr_expect_eq(pdr_schema_set_count(pdr_schema_files_shared(files)), 5);
}

Test(files, a_version_sees_shared_types_but_no_other_version)
{
    static const given all[MAX_GIVEN] = {
        {"A.v1.avsc", RECORD("n.A", "", FIELD("e", ENUM("E", "\"X\"")) "," FIELD("m", "\"Money\""))},
        {"A.v2.avsc", RECORD("n.A", "", FIELD("e", ENUM("E", "\"Y\"")) "," FIELD("m", "\"Plain\""))},
        {"money.avsc", RECORD("n.Money", "", FIELD("u", "\"n.Unit\""))},
        {"unit.avsc", ENUM("n.Unit", "\"U\"")},
        {"plain.avsc", RECORD("Plain", "", "")}};
    cr_assert_eq(read_all(all, NULL), PDR_OK);
    cr_expect_eq(pdr_schema_set_named_count(pdr_schema_files_at(files, 0)->root->set), 4);
    cr_expect_eq(pdr_schema_set_named_count(pdr_schema_files_at(files, 1)->root->set), 3,
                 "what it doesn't refer to isn't there");
    static const given other[MAX_GIVEN] = {{"A.v1.avsc", RECORD("A", "", FIELD("e", ENUM("E", "\"X\"")))},
                                           {"B.v1.avsc", RECORD("B", "", FIELD("e", "\"E\""))}};
    pdr_error err;
    cr_assert_eq(read_all(other, &err), PDR_BAD_SCHEMA);
    cr_expect_not_null(strstr(err.message, "B.v1.avsc:1:"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "unknown type \"E\""), "%s", err.message);
}

Test(files, an_old_version_may_keep_what_a_shared_type_was)
{
    static const given all[MAX_GIVEN] = {{"A.v1.avsc", RECORD("A", "", FIELD("e", ENUM("E", "\"OLD\"")))},
                                         {"A.v2.avsc", RECORD("A", "", FIELD("e", "\"E\""))},
                                         {"e.avsc", ENUM("E", "\"OLD\",\"NEW\"")}};
    cr_assert_eq(read_all(all, NULL), PDR_OK);
    cr_expect_eq(pdr_schema_files_at(files, 0)->root->fields[0].type->count, 1);
    cr_expect_eq(pdr_schema_files_at(files, 1)->root->fields[0].type->count, 2);
}

Test(files, attributes_are_taken_and_the_version_is_written)
{
    static const given all[MAX_GIVEN] = {
        MADE1,
        {"x/Made.v2.avsc",
         RECORD(
             "b.Made", PERDURE("{\"retired\":true,\"readableByOlder\":true,\"version\":2}") ",\"owner\":1",
             FIELD("r",
                   "{\"type\":\"int\",\"perdure\":1}") ",{\"name\":\"s\",\"type\":\"int\",\"perdure\":2}")}};
    pdr_buf text = PDR_BUF_INIT(1 << 16);
    cr_assert_eq(read_all(all, NULL), PDR_OK);
    cr_expect_not(pdr_schema_files_at(files, 0)->readable_by_older || pdr_schema_files_at(files, 0)->retired);
    cr_expect(pdr_schema_files_at(files, 1)->readable_by_older && pdr_schema_files_at(files, 1)->retired);
    cr_assert_eq(pdr_versioned_write(pdr_schema_files_at(files, 1), &text, NULL), PDR_OK);
    cr_assert_eq(pdr_buf_append(&text, "", 1), PDR_OK);
    cr_expect_str_eq(
        (const char *)text.data,
        "{\"name\":\"Made\",\"namespace\":\"b\",\"type\":\"record\",\"fields\":[{\"name\":\"r\","
        "\"type\":{\"type\":\"int\",\"perdure\":1}},{\"name\":\"s\",\"type\":\"int\",\"perdure\":2}],"
        "\"owner\":1,\"perdure\":{\"version\":2,\"readableByOlder\":true}}");
    pdr_buf_release(&text);
}

static const struct {
    given all[MAX_GIVEN];
    const char *message;
} refused[] = {
    {{{"Made.v0.avsc", "{}"}},
     "Made.v0.avsc: a version is .v1.avsc, .v2.avsc and so on to 9999, without leading zeros"},
    {{{"Made.v01.avsc", "{}"}}, "Made.v01.avsc: a version is"},
    {{{"Made.v.avsc", "{}"}}, "Made.v.avsc: a version is"},
    {{{"Made.v-1.avsc", "{}"}}, "Made.v-1.avsc: a version is"},
    {{{"Made.V1.avsc", "{}"}}, "Made.V1.avsc: a version is"},
    {{{"Made.v1a.avsc", "{}"}}, "Made.v1a.avsc: a version is"},
    {{{"Made.v10000.avsc", "{}"}}, "Made.v10000.avsc: a version is"},
    {{{"Made.v99999999999999999999.avsc", "{}"}}, "a version is"},
    {{MADE1, {"x/Made.v3.avsc", RECORD("b.Made", "", "")}},
     "x/Made.v3.avsc is there, but not Made.v2.avsc: every version from 1 on is kept"},
    {{MADE2}, "x/Made.v2.avsc is there, but not Made.v1.avsc"},
    {{{"Made.v1.avsc", RECORD("b.Mode", "", "")}},
     "Made.v1.avsc: its record is \"b.Mode\"; by the file's name it must be \"Made\""},
    {{{"made.v1.avsc", RECORD("Made", "", "")}}, "made.v1.avsc: its record is \"Made\""},
    {{{"E.v1.avsc", ENUM("E", "\"A\"")}}, "E.v1.avsc: a versioned file holds one record, not a \"enum\""},
    {{{"E.v1.avsc", "[" RECORD("E", "", "") "]"}},
     "E.v1.avsc: a versioned file holds one record, not a \"union\""},
    {{{"E.v1.avsc", "\"E\""}, {"e.avsc", RECORD("E", "", "")}}, "E.v1.avsc: its record is \"E\""},
    {{MADE1, {"x/Made.v2.avsc", RECORD("c.Made", "", "")}},
     "x/Made.v2.avsc: its record is \"c.Made\", and that of version 1 is \"b.Made\"; another name is another "
     "event"},
    {{MADE1, {"x/Made.v2.avsc", RECORD("b.Made", "", "{\"name\":\"a\",\"type\":\"int\",\"default\":1}")}},
     "x/Made.v2.avsc has the fingerprint of version 1"},
    {{MADE1,
      MADE2,
      {"x/Made.v3.avsc", RECORD("b.Made", "", FIELD("a", "{\"type\":\"int\",\"logicalType\":\"date\"}"))}},
     "x/Made.v3.avsc has the fingerprint of version 1, so nobody could tell them apart"},
    {{{"Made.v1.avsc", RECORD("Made", PERDURE("true"), "")}},
     "Made.v1.avsc:1:42: attribute \"perdure\" of Made"},
    {{{"Made.v1.avsc", RECORD("Made", PERDURE("{\"readableByOlder\":1}"), "")}},
     "readableByOlder is true or false"},
    {{{"Made.v1.avsc", RECORD("Made", PERDURE("{\"retired\":\"yes\"}"), "")}},
     "Made.v1.avsc:1:53: /perdure: \"retired\" must be true or false"},
    {{{"Made.v1.avsc", RECORD("Made", PERDURE("{\"readableByolder\":true}"), "")}},
     "/perdure: it may have \"readableByOlder\", \"retired\" and \"version\""},
    {{{"Made.v1.avsc", RECORD("Made", PERDURE("{\"version\":2}"), "")}},
     "\"version\" isn't the number in the file's"},
    {{{"x/Made.v1.avsc", RECORD("b.Made", PERDURE("{\"retired\":true}"), "")}, MADE2},
     "x/Made.v1.avsc: \"retired\" stands only in an event's newest version"},
    {{{"c.avsc", RECORD("C", PERDURE("{\"readableByOlder\":true}"), "")}},
     "c.avsc:1:39: /: the attribute \"perdure\" stands only at the root of a versioned file"},
    {{{"A.v1.avsc", RECORD("A", "", FIELD("f", RECORD("F", PERDURE("{}"), "")))}},
     "/fields/0/type: the attribute \"perdure\" stands only"},
    {{{"A.v1.avsc", RECORD("A", "", FIELD("e", ENUM("E", "\"OLD\"")) "," FIELD("h", "\"H\""))},
      {"e.avsc", ENUM("E", "\"OLD\",\"NEW\"")},
      {"h.avsc", RECORD("H", "", FIELD("e", "\"E\""))}},
     "A.v1.avsc defines a type that \"H\" of h.avsc refers to"},
    {{{"c.avsc", RECORD("C", "", FIELD("e", "\"E\""))},
      {"A.v1.avsc", RECORD("A", "", FIELD("e", ENUM("E", "\"X\"")))}},
     "c.avsc:1:58: /fields/0/type: unknown type \"E\""},
    {{{"A.v1.avsc", "{"}}, "A.v1.avsc:1:2: "},
};

Test(files, what_is_wrong_on_disk_is_refused_by_file)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        pdr_error err = {.message = ""};
        cr_expect_eq(read_all(refused[i].all, &err), PDR_BAD_SCHEMA, "%s", refused[i].message);
        cr_expect(strstr(err.message, refused[i].message), "says %s, wants %s", err.message,
                  refused[i].message);
    }
}

Test(files, given_twice_or_not_at_all_are_no_files)
{
    static const given twice[MAX_GIVEN] = {MADE1, MADE1}, none[MAX_GIVEN] = {{NULL, NULL}};
    cr_expect_eq(read_all(twice, NULL), PDR_INVALID_ARGUMENT);
    cr_expect_eq(read_all(none, NULL), PDR_INVALID_ARGUMENT);
}

Test(files, every_allocation_may_fail)
{
    static const given all[MAX_GIVEN] = {MADE1,
                                         {"x/Made.v2.avsc", RECORD("b.Made", "", FIELD("m", "\"Money\""))},
                                         {"m.avsc", RECORD("b.Money", "", "")}};
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        release();
        pdr_mem_fail_at(n);
        code = read_all(all, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 1000);
    }
}
