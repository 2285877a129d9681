/* Claims about the generator: what it refuses, and that it can fail anywhere. What it makes is tested by the
 * codec tests. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/gen.h"
#include "schemas/gen.h"

static pdr_buf header = PDR_BUF_INIT(1 << 24), source = PDR_BUF_INIT(1 << 24);

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_buf_release(&header);
    pdr_buf_release(&source);
}

TestSuite(gen, .fini = release);

static pdr_code generate(const char *prefix, const char *json, pdr_error *err)
{
    pdr_schema_files *files = NULL;
    pdr_gen_options options = {prefix, "x.gen.h", "x.avsc"};
    pdr_buf_clear(&header);
    pdr_buf_clear(&source);
    pdr_code code = pdr_schema_files_open(&files, err);
    if (code == PDR_OK) code = pdr_schema_files_add(files, "f.avsc", pdr_string_of(json), err);
    if (code == PDR_OK) code = pdr_schema_files_finish(files, err);
    if (code == PDR_OK) code = pdr_gen(&options, files, &header, &source, err);
    pdr_schema_files_close(files);
    return code;
}

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ENUM(name, symbols) "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" symbols "]}"

static const struct {
    const char *json, *message;
} refused[] = {
    {"\"int\"", "f.avsc:1:1: /: a \"int\" has no name that C could use"},
    {"{\"type\":\"array\",\"items\":\"int\"}", "a \"array\" has no name"},
    {"[\"null\"," RECORD("R", "") "]", "/0: a \"null\" has no name"},
    {RECORD("R", FIELD("fooBar", "\"int\"") "," FIELD("foo_bar", "\"int\"")),
     "the fields \"fooBar\" and \"foo_bar\" would both be the C member foo_bar"},
    {"[" RECORD("a.Foo", "") "," RECORD("b.Foo", "") "]",
     "x_foo would be the C name of a.Foo and of b.Foo; rename one"},
    {"[" RECORD("FooBar", "") "," RECORD("foo_bar", "") "]",
     "x_foo_bar would be the C name of FooBar and of foo_bar"},
    {ENUM("E", "\"A\",\"a\""), "X_E_A would be the C name of symbol A of E and of symbol a of E"},
    {RECORD("TypeId", ""), "x_type_id would be the C name of the table of types and of TypeId"},
    {"[" RECORD("A", "") "," RECORD("AInit", "") "]",
     "x_a_init would be the C name of the init of A and of AInit"},
    {RECORD("R", FIELD("f", "[\"bytes\"," RECORD("Bytes", "") "]")), "X_R_F_IS_BYTES would be the C name of"},
    {RECORD("R", FIELD("f", "[\"int\"," RECORD("Int_", "") "]")),
     "the branches \"int\" and \"Int_\" of the union at /fields/0/type would have one C name"},
    {RECORD("R", FIELD("r", "\"R\"")), "\"R\" holds itself without end"},
    {RECORD("R", FIELD("s", RECORD("S", FIELD("r", "[\"R\"]")))), "holds itself without end"},
};

Test(gen, what_c_cannot_have_is_refused_with_its_place)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        pdr_error err = {.message = ""};
        cr_expect_eq(generate("x", refused[i].json, &err), PDR_BAD_SCHEMA, "%s", refused[i].json);
        cr_expect(strstr(err.message, refused[i].message), "says %s, wants %s", err.message,
                  refused[i].message);
    }
}

Test(gen, a_prefix_must_be_a_lower_case_name)
{
    static const char *const bad[] = {"", "X", "1x", "_x", "a-b", "a b", "\xc3\xa9"};
    pdr_error err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(generate(bad[i], RECORD("R", ""), &err), PDR_INVALID_ARGUMENT, "%s", bad[i]);
    cr_expect_eq(generate("a_1", RECORD("R", ""), &err), PDR_OK);
}

static bool header_has(const char *text)
{
    return memmem(header.data, header.size, text, strlen(text)) != NULL;
}

Test(gen, nested_types_and_branches_of_a_root_union_have_their_place)
{
    pdr_error err;
    cr_assert_eq(generate("x", "[" RECORD("A", FIELD("b", RECORD("B", ""))) "," RECORD("C", "") "]", &err),
                 PDR_OK);
    cr_expect(header_has("typedef enum x_type_id {\n    X_A,\n    X_C,\n} x_type_id;"));
    cr_expect(header_has("enum { X_TYPE_COUNT = 2 };"));
    cr_expect(header_has("extern const pdr_type x_b_type;"));
}

Test(gen, text_from_a_schema_cannot_leave_its_comment)
{
    pdr_error err;
    cr_assert_eq(
        generate("x",
                 "{\"type\":\"record\",\"name\":\"R\",\"doc\":\"a */ b /* c\\n\\nd\",\"fields\":[{\"name\":"
                 "\"f\",\"type\":{\"type\":\"int\",\"logicalType\":\"*/x\"},\"doc\":\"**//\"}]}",
                 &err),
        PDR_OK);
    cr_expect(header_has("/* R: a * / b / * c d */"));
    cr_expect(header_has("int32_t f; /* logicalType \"* /x\"; ** // */"));
}

Test(gen, the_same_schema_gives_the_same_text)
{
    pdr_error err;
    cr_assert_eq(generate("x", RECORD("A", FIELD("b", "[\"int\",\"string\"]")), &err), PDR_OK);
    pdr_buf first = source;
    source = (pdr_buf)PDR_BUF_INIT(1 << 24);
    cr_assert_eq(generate("x", RECORD("A", FIELD("b", "[\"int\",\"string\"]")), &err), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&first), pdr_buf_bytes(&source)));
    pdr_buf_release(&first);
}

Test(gen, every_allocation_may_fail)
{
    static const char json[] = "[" RECORD(
        "A",
        FIELD("b",
              "[\"int\",\"A\",\"null\"]") ",{\"name\":\"c\",\"type\":{\"type\":\"array\","
                                          "\"items\":\"string\"},\"default\":[\"x\"]}") "," ENUM("E",
                                                                                                 "\"X\"") "]";
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        release();
        pdr_mem_fail_at(n);
        code = generate("x", json, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 1000);
    }
}

/* ---- the command ---- */

static int command(const char *a, const char *b, const char *c, const char *d)
{
    char *argv[] = {(char *)"gen", (char *)a, (char *)b, (char *)c, (char *)d, NULL};
    int argc = 1;
    while (argc < 5 && argv[argc])
        argc++;
    return pdr_cli_gen(argc, argv);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void enter_folder(void)
{
    char folder[] = "/tmp/pdr-gen-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    cr_assert_not_null(freopen("/dev/null", "w", stderr));
    cr_assert_not_null(freopen("/dev/null", "w", stdout));
}

Test(gen_command, writes_two_files_named_after_the_prefix)
{
    enter_folder();
    write_text("Loan-Events.avsc", RECORD("R", ""));
    cr_expect_eq(command("Loan-Events.avsc", NULL, NULL, NULL), 0);
    cr_expect_eq(access("loan_events.gen.h", R_OK), 0);
    cr_expect_eq(access("loan_events.gen.c", R_OK), 0);
    cr_expect_eq(command("--prefix=own", "Loan-Events.avsc", NULL, NULL), 0);
    cr_expect_eq(access("own.gen.h", R_OK), 0);
    cr_expect_eq(mkdir("sub", 0700), 0);
    cr_expect_eq(command("--out", "sub", "Loan-Events.avsc", NULL), 0);
    cr_expect_eq(access("sub/loan_events.gen.c", R_OK), 0);
}

Test(gen_command, takes_a_folder_for_its_schemas)
{
    enter_folder();
    cr_assert_eq(mkdir("loan", 0700), 0);
    cr_expect_eq(command("loan", NULL, NULL, NULL), 1, "it is empty");
    write_text("loan/Made.v1.avsc", RECORD("Made", ""));
    write_text("loan/Made.v2.avsc", RECORD("Made", FIELD("a", "\"int\"")));
    write_text("loan/commands.avsc", RECORD("Make", ""));
    write_text("loan/notes.txt", "none of ours");
    write_text("loan/.hidden.avsc", "{");
    cr_expect_eq(command("loan/", "loan/commands.avsc", NULL, NULL), 1, "given twice");
    cr_assert_eq(command("./loan/", NULL, NULL, NULL), 0);
    cr_expect_eq(access("loan.gen.c", R_OK), 0);
    write_text("loan/Made.v4.avsc", RECORD("Made", FIELD("b", "\"int\"")));
    cr_expect_eq(command("loan", NULL, NULL, NULL), 1, "version 3 is missing");
}

Test(gen_command, exit_codes_say_what_went_wrong)
{
    enter_folder();
    write_text("bad.avsc", "{");
    write_text("good.avsc", RECORD("R", ""));
    cr_expect_eq(command("--help", NULL, NULL, NULL), 0);
    cr_expect_eq(command(NULL, NULL, NULL, NULL), 2);
    cr_expect_eq(command("--unknown", "good.avsc", NULL, NULL), 2);
    cr_expect_eq(command("--prefix", NULL, NULL, NULL), 2);
    cr_expect_eq(command("bad.avsc", NULL, NULL, NULL), 1);
    cr_expect_eq(command("missing.avsc", NULL, NULL, NULL), 1);
    cr_expect_eq(command("--out", "no/such/folder", "good.avsc", NULL), 1);
    cr_expect_eq(access("bad.gen.h", R_OK), -1, "a failed run writes nothing");
}
