/* Claims about which schemas can be read with which: the rules of Avro's schema resolution. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "schemas/resolve.h"

static pdr_schema_set *writer_set, *reader_set;
static pdr_buf problems = PDR_BUF_INIT(1 << 20);

static void forget(void)
{
    pdr_schema_set_close(writer_set);
    pdr_schema_set_close(reader_set);
    writer_set = reader_set = NULL;
    pdr_buf_clear(&problems);
}

static void release(void)
{
    pdr_mem_fail_at(0);
    forget();
    pdr_buf_release(&problems);
}

TestSuite(resolve, .fini = release);

static pdr_readable can_read(const char *writer, const char *reader)
{
    pdr_readable readable = PDR_READABLE_NEVER;
    pdr_error err = {.message = ""};
    forget();
    cr_assert_eq(pdr_schema_read(&writer_set, "writer", pdr_string_of(writer), &err), PDR_OK, "%s: %s",
                 writer, err.message);
    cr_assert_eq(pdr_schema_read(&reader_set, "reader", pdr_string_of(reader), &err), PDR_OK, "%s: %s",
                 reader, err.message);
    cr_assert_eq(pdr_schema_can_read(&readable, pdr_schema_set_root(writer_set, 0),
                                     pdr_schema_set_root(reader_set, 0), &problems, &err),
                 PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_buf_append(&problems, "", 1), PDR_OK);
    return readable;
}

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define MORE(name, type, more) "{\"name\":\"" name "\",\"type\":" type "," more "}"
#define LOGICAL(kind, logical) "{\"type\":\"" kind "\",\"logicalType\":\"" logical "\"}"
#define DECIMAL(precision, scale)                                                                            \
    "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":" #precision ",\"scale\":" #scale "}"
#define ENUM(name, symbols) "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" symbols "]}"
#define FIXED(name, size) "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" #size "}"
#define ARRAY(items) "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values) "{\"type\":\"map\",\"values\":" values "}"

typedef struct pair_case {
    const char *writer, *reader;
    pdr_readable readable;
    const char *problem; /* NULL: none */
} pair_case;

static const pair_case table[] = {
    {"\"int\"", "\"string\"", PDR_READABLE_NEVER, "/: written as int, read as string\n"},
    {"\"string\"", "\"bytes\"", PDR_READABLE_ALL, NULL},
    {"\"bytes\"", "\"string\"", PDR_READABLE_ALL, NULL},
    {"\"null\"", "[\"null\",\"int\"]", PDR_READABLE_ALL, NULL},
    {ARRAY("\"int\""), ARRAY("\"long\""), PDR_READABLE_ALL, NULL},
    {ARRAY("\"long\""), ARRAY("\"int\""), PDR_READABLE_NEVER, "/items: written as long, read as int\n"},
    {MAP("\"string\""), MAP("\"int\""), PDR_READABLE_NEVER, "/values: written as string, read as int\n"},
    {ARRAY("\"int\""), MAP("\"int\""), PDR_READABLE_NEVER, "/: written as array, read as map\n"},
    /* names */
    {RECORD("a.X", ""), RECORD("b.X", ""), PDR_READABLE_ALL, NULL},
    {RECORD("a.X", ""), RECORD("a.Y", ""), PDR_READABLE_NEVER,
     "/: written as record \"a.X\", read as \"a.Y\", which has no such alias\n"},
    {RECORD("a.X", ""), "{\"type\":\"record\",\"name\":\"b.Y\",\"aliases\":[\"a.X\"],\"fields\":[]}",
     PDR_READABLE_ALL, NULL},
    {RECORD("a.X", ""), "{\"type\":\"record\",\"name\":\"b.Y\",\"aliases\":[\"X\"],\"fields\":[]}",
     PDR_READABLE_NEVER, "no such alias"},
    {RECORD("b.X", ""), "{\"type\":\"record\",\"name\":\"b.Y\",\"aliases\":[\"X\"],\"fields\":[]}",
     PDR_READABLE_ALL, NULL},
    {ENUM("a.E", "\"A\""), "{\"type\":\"enum\",\"name\":\"F\",\"aliases\":[\"a.E\"],\"symbols\":[\"A\"]}",
     PDR_READABLE_ALL, NULL},
    {ENUM("a.E", "\"A\""), ENUM("a.F", "\"A\""), PDR_READABLE_NEVER, "written as enum \"a.E\""},
    {FIXED("a.F", 4), FIXED("b.F", 4), PDR_READABLE_ALL, NULL},
    {FIXED("a.F", 4), FIXED("a.F", 5), PDR_READABLE_NEVER,
     "/: written as a fixed of 4 bytes, read as one of 5\n"},
    {FIXED("a.F", 4), "{\"type\":\"fixed\",\"name\":\"G\",\"aliases\":[\"a.F\"],\"size\":4}",
     PDR_READABLE_ALL, NULL},
    /* fields */
    {RECORD("R", FIELD("a", "\"int\"")), RECORD("R", FIELD("b", "\"int\"")), PDR_READABLE_NEVER,
     "/fields/0: \"b\" of \"R\" wasn't written, and has no default\n"},
    {RECORD("R", FIELD("a", "\"int\"")), RECORD("R", MORE("b", "\"int\"", "\"default\":1")), PDR_READABLE_ALL,
     NULL},
    {RECORD("R", FIELD("a", "\"int\"")), RECORD("R", MORE("b", "\"long\"", "\"aliases\":[\"a\"]")),
     PDR_READABLE_ALL, NULL},
    {RECORD("R", FIELD("x", "\"int\"") "," FIELD("y", "\"string\"")),
     RECORD("R", MORE("y", "\"int\"", "\"aliases\":[\"x\"]")), PDR_READABLE_NEVER,
     "/: two of the writer's fields are \"y\" by name or alias; one is \"y\"\n"},
    {RECORD("R", FIELD("x", "\"int\"") "," FIELD("y", "\"string\"")),
     RECORD("R",
            MORE("y", "\"int\"", "\"aliases\":[\"x\"]") "," MORE("x", "\"string\"", "\"aliases\":[\"y\"]")),
     PDR_READABLE_ALL, NULL}, /* they change places */
    {RECORD("R", FIELD("x", "\"int\"")),
     RECORD("R", MORE("y", "\"int\"", "\"aliases\":[\"x\"]") "," MORE("z", "\"int\"", "\"aliases\":[\"x\"]")),
     PDR_READABLE_NEVER, "\"x\" is an alias of both \"y\" and \"z\""},
    {RECORD("R", MORE("y", "\"int\"", "\"aliases\":[\"x\"]") "," FIELD("x", "\"int\"")),
     RECORD("R", MORE("y", "\"int\"", "\"aliases\":[\"x\"]") "," FIELD("x", "\"int\"")), PDR_READABLE_ALL,
     NULL}, /* the same schema: no aliases */
    {RECORD("R", FIELD("a", "\"int\"") "," FIELD("b", RECORD("S", FIELD("c", ARRAY("\"string\""))))),
     RECORD("R", FIELD("b", RECORD("S", FIELD("c", ARRAY("\"int\""))))), PDR_READABLE_NEVER,
     "/fields/0/type/fields/0/type/items: written as string, read as int\n"},
    /* enums */
    {ENUM("E", "\"A\",\"B\""), ENUM("E", "\"B\",\"A\""), PDR_READABLE_ALL, NULL},
    {ENUM("E", "\"A\",\"B\",\"C\""), ENUM("E", "\"B\""), PDR_READABLE_SOME,
     "/: the reader's enum \"E\" has no symbol \"A\" and 1 more, and no default\n"},
    {ENUM("E", "\"A\",\"B\""), ENUM("E", "\"C\""), PDR_READABLE_NEVER, "no symbol \"A\" and 1 more"},
    {ENUM("E", "\"A\",\"B\""),
     "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"C\",\"B\"],\"default\":\"C\"}", PDR_READABLE_ALL,
     NULL},
    /* unions */
    {"[\"null\",\"int\"]", "\"int\"", PDR_READABLE_SOME,
     "/ (branch 0 of the writer's union): written as null, read as int\n"},
    {"[\"null\",\"string\"]", "\"int\"", PDR_READABLE_NEVER, "(branch 1 of the writer's union)"},
    {"\"int\"", "[\"null\",\"string\"]", PDR_READABLE_NEVER,
     "/: written as int; no branch of the reader's union takes it\n"},
    {"\"int\"", "[\"null\",\"double\"]", PDR_READABLE_ALL, NULL},
    {"[\"null\",\"int\",\"string\"]", "[\"string\",\"null\"]", PDR_READABLE_SOME,
     "(branch 1 of the writer's union): written as int; no branch"},
    {RECORD("R", FIELD("a", ARRAY("[\"null\",\"string\"]"))),
     RECORD("R", FIELD("a", ARRAY("[\"null\",\"int\"]"))), PDR_READABLE_SOME,
     "/fields/0/type/items (branch 1 of the writer's union): written as string; no branch"},
    {"[\"null\"," ARRAY("\"string\"") "]", "[\"null\"," ARRAY("\"int\"") "]", PDR_READABLE_SOME,
     "/ (branch 1 of the writer's union)/1/items: written as string, read as int\n"},
    /* logical types */
    {DECIMAL(9, 2), DECIMAL(9, 2), PDR_READABLE_ALL, NULL},
    {DECIMAL(9, 2), DECIMAL(9, 4), PDR_READABLE_NEVER,
     "/: written as bytes (decimal of precision 9, scale 2), read as bytes (decimal of precision 9, scale "
     "4), "
     "another meaning of the bytes: use an upcaster\n"},
    {DECIMAL(9, 2), DECIMAL(12, 2), PDR_READABLE_NEVER, "precision 12"},
    {DECIMAL(9, 2), "\"bytes\"", PDR_READABLE_ALL, NULL},
    {"\"bytes\"", DECIMAL(9, 2), PDR_READABLE_ALL, NULL},
    {"\"string\"", DECIMAL(9, 2), PDR_READABLE_NEVER, "written as string, read as bytes (decimal"},
    {LOGICAL("long", "timestamp-millis"), LOGICAL("long", "timestamp-micros"), PDR_READABLE_NEVER,
     "written as long (timestamp-millis), read as long (timestamp-micros)"},
    {LOGICAL("long", "timestamp-millis"), LOGICAL("long", "local-timestamp-millis"), PDR_READABLE_NEVER,
     "use an upcaster"},
    {LOGICAL("long", "timestamp-millis"), "\"long\"", PDR_READABLE_ALL, NULL},
    {LOGICAL("long", "timestamp-millis"), "\"double\"", PDR_READABLE_ALL, NULL},
    {"\"long\"", LOGICAL("long", "timestamp-millis"), PDR_READABLE_ALL, NULL},
    {"\"int\"", LOGICAL("long", "timestamp-millis"), PDR_READABLE_NEVER, "use an upcaster"},
    {LOGICAL("int", "date"), LOGICAL("int", "time-millis"), PDR_READABLE_NEVER, "use an upcaster"},
    {LOGICAL("int", "date"), LOGICAL("int", "date"), PDR_READABLE_ALL, NULL},
    {LOGICAL("int", "date"), "\"long\"", PDR_READABLE_ALL, NULL},
    {LOGICAL("string", "uuid"), "\"string\"", PDR_READABLE_ALL, NULL},
    {LOGICAL("string", "colour"), LOGICAL("string", "uuid"), PDR_READABLE_ALL, NULL},
    {"[\"null\"," DECIMAL(9, 2) "]", "[\"null\"," DECIMAL(9, 3) "]", PDR_READABLE_SOME, "scale 3"},
};

Test(resolve, every_pair_of_the_table_gets_its_verdict_and_its_path)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        pdr_readable readable = can_read(table[i].writer, table[i].reader);
        const char *said = (const char *)problems.data;
        cr_expect_eq(readable, table[i].readable, "%zu: %s read as %s: %d %s", i, table[i].writer,
                     table[i].reader, (int)readable, said);
        if (table[i].problem)
            cr_expect(strstr(said, table[i].problem), "%zu: says %s, wants %s", i, said, table[i].problem);
        else
            cr_expect_str_eq(said, "", "%zu: says %s", i, said);
    }
}

Test(resolve, promotions_are_those_of_the_specification_and_no_others)
{
    static const char *const kinds[] = {"null",  "boolean", "int",   "long",
                                        "float", "double",  "bytes", "string"};
    static const char *const allowed[] = {"int long",    "int float",    "int double",   "long float",
                                          "long double", "float double", "bytes string", "string bytes"};
    enum { KINDS = sizeof kinds / sizeof kinds[0], ALLOWED = sizeof allowed / sizeof allowed[0] };
    for (size_t w = 0; w < KINDS; w++)
        for (size_t r = 0; r < KINDS; r++) {
            char writer[40], reader[40], both[80];
            (void)snprintf(writer, sizeof writer, "\"%s\"", kinds[w]);
            (void)snprintf(reader, sizeof reader, "\"%s\"", kinds[r]);
            (void)snprintf(both, sizeof both, "%s %s", kinds[w], kinds[r]);
            bool wanted = w == r;
            for (size_t i = 0; i < ALLOWED; i++)
                wanted |= strcmp(both, allowed[i]) == 0;
            cr_expect_eq(can_read(writer, reader), wanted ? PDR_READABLE_ALL : PDR_READABLE_NEVER, "%s",
                         both);
        }
}

static const pdr_match *root_of(const char *writer, const char *reader, pdr_resolution **all)
{
    (void)can_read(writer, reader);
    cr_assert_eq(pdr_resolution_open(all, pdr_schema_set_root(writer_set, 0),
                                     pdr_schema_set_root(reader_set, 0), NULL),
                 PDR_OK);
    return (*all)->root;
}

static void expect_branch(const char *writer, const char *reader, int32_t branch)
{
    pdr_resolution *all = NULL;
    const pdr_match *root = root_of(writer, reader, &all);
    cr_expect_eq(root->count, 1);
    if (root->count) cr_expect_eq(root->targets[0], branch, "%s in %s", writer, reader);
    pdr_resolution_close(all);
}

Test(resolve, the_branch_of_the_readers_union_is_of_the_same_type_or_else_the_first_promotion)
{
    expect_branch("\"long\"", "[\"double\",\"long\"]", 1);
    expect_branch("\"int\"", "[\"string\",\"double\",\"long\"]", 1);
    expect_branch("\"string\"", "[\"null\",\"bytes\",\"string\"]", 2);
    expect_branch(RECORD("b.X", ""), "[" RECORD("a.X", "") "," RECORD("b.X", "") "]", 1);
    expect_branch(RECORD("c.X", ""), "[" RECORD("a.X", "") "," RECORD("b.X", "") "]", 0);
    expect_branch(
        RECORD("c.X", ""),
        "[" RECORD("a.X", "") ",{\"type\":\"record\",\"name\":\"Y\",\"aliases\":[\"c.X\"],\"fields\":[]}]",
        1);
    expect_branch(FIXED("F", 2), "[" FIXED("a.F", 3) "," FIXED("b.F", 2) "]", 1);
}

Test(resolve, the_reason_of_a_recursive_pair_is_found_and_is_not_itself)
{
    /* The first part that can't be read holds the record again. */
    const char *writer = RECORD("R", FIELD("f", "[\"R\",\"null\"]") "," FIELD("g", "\"int\""));
    const char *reader = RECORD("R", FIELD("f", "[\"R\",\"int\"]") "," FIELD("g", "\"boolean\""));
    pdr_resolution *all = NULL;
    const pdr_match *root = root_of(writer, reader, &all);
    cr_assert(root->never);
    cr_expect_str_eq(pdr_match_why(root), "/fields/1/type: written as int, read as boolean");
    pdr_resolution_close(all);
}

Test(resolve, recursive_types_come_back_to_the_same_pair)
{
    pdr_resolution *all = NULL;
    const pdr_match *root =
        root_of(RECORD("L", FIELD("v", "\"int\"") "," FIELD("n", "[\"null\",\"L\"]")),
                RECORD("L", FIELD("n", "[\"null\",\"L\"]") "," FIELD("v", "\"long\"")), &all);
    cr_assert_not(root->never);
    cr_expect_eq(root->parts[1]->parts[1]->parts[0], root);
    cr_expect_eq(root->targets[0], 1);
    pdr_resolution_close(all);
}

Test(resolve, a_recursive_type_that_fails_inside_itself_fails_as_a_whole)
{
    cr_expect_eq(can_read(RECORD("L", FIELD("n", "[\"null\",\"L\"]") "," FIELD("v", "\"string\"")),
                          RECORD("L", FIELD("n", "[\"null\",\"L\"]") "," FIELD("v", "\"int\""))),
                 PDR_READABLE_NEVER);
    cr_expect_str_eq((const char *)problems.data, "/fields/1/type: written as string, read as int\n");
}

/* "A<n>" holds "A<n-1>" twice: 2^n paths, n pairs. */
static char *ladder(unsigned steps, const char *last)
{
    char *text = malloc(200u * steps + 1000);
    size_t size = (size_t)sprintf(text, "[" RECORD("A0", FIELD("v", "\"%s\"")), last);
    for (unsigned i = 1; i <= steps; i++)
        size += (size_t)sprintf(
            text + size, "," RECORD("A%u", FIELD("a", "\"A%u\"") "," FIELD("b", "\"A%u\"")), i, i - 1, i - 1);
    sprintf(text + size, "]");
    return text;
}

Test(resolve, pairs_are_met_once_however_many_paths_lead_to_them)
{
    char *writer = ladder(200, "int"), *reader = ladder(200, "long");
    cr_expect_eq(can_read(writer, reader), PDR_READABLE_ALL);
    free(writer);
    free(reader);
}

Test(resolve, nesting_beyond_the_ceiling_is_refused)
{
    pdr_readable readable;
    pdr_error err;
    forget();
    pdr_buf text = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(pdr_buf_printf(&text, "[" RECORD("A0", "")), PDR_OK);
    for (int i = 1; i < 400; i++)
        cr_assert_eq(pdr_buf_printf(&text, "," RECORD("A%d", FIELD("a", "[\"null\",\"A%d\"]")), i, i - 1),
                     PDR_OK);
    cr_assert_eq(pdr_buf_printf(&text, "]"), PDR_OK);
    pdr_string json = {(const char *)text.data, text.size};
    cr_assert_eq(pdr_schema_read(&writer_set, "deep", json, &err), PDR_OK, "%s", err.message);
    const pdr_schema *last = pdr_schema_set_find(writer_set, "A399");
    cr_expect_eq(pdr_schema_can_read(&readable, last, last, NULL, &err), PDR_TOO_LARGE);
    cr_expect(strstr(err.message, "nested"), "%s", err.message);
    pdr_buf_release(&text);
}

Test(resolve, work_beyond_the_ceiling_is_refused)
{
    /* Every record of the writer's is named X, in its own namespace, with 2,000 fields that the reader
     * hasn't. */
    pdr_buf text = PDR_BUF_INIT(4 << 20);
    pdr_readable readable;
    pdr_error err;
    forget();
    cr_assert_eq(pdr_buf_printf(&text, "["), PDR_OK);
    for (int i = 0; i < 40; i++) {
        cr_assert_eq(
            pdr_buf_printf(&text, "%s{\"type\":\"record\",\"name\":\"n%d.X\",\"fields\":[", i ? "," : "", i),
            PDR_OK);
        for (int f = 0; f < 2000; f++)
            cr_assert_eq(pdr_buf_printf(&text, "%s" FIELD("w%d", "\"int\""), f ? "," : "", f), PDR_OK);
        cr_assert_eq(pdr_buf_printf(&text, "]}"), PDR_OK);
    }
    cr_assert_eq(pdr_buf_printf(&text, "]"), PDR_OK);
    pdr_string json = {(const char *)text.data, text.size};
    cr_assert_eq(pdr_schema_read(&writer_set, "wide", json, &err), PDR_OK, "%s", err.message);
    pdr_buf_clear(&text);
    cr_assert_eq(pdr_buf_printf(&text, "{\"type\":\"record\",\"name\":\"X\",\"fields\":["), PDR_OK);
    for (int f = 0; f < 2000; f++)
        cr_assert_eq(pdr_buf_printf(&text, "%s" MORE("r%d", "\"int\"", "\"default\":0"), f ? "," : "", f),
                     PDR_OK);
    cr_assert_eq(pdr_buf_printf(&text, "]}"), PDR_OK);
    json = (pdr_string){(const char *)text.data, text.size};
    cr_assert_eq(pdr_schema_read(&reader_set, "wide", json, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(pdr_schema_can_read(&readable, pdr_schema_set_root(writer_set, 0),
                                     pdr_schema_set_root(reader_set, 0), NULL, &err),
                 PDR_TOO_LARGE);
    cr_expect(strstr(err.message, "comparisons"), "%s", err.message);
    pdr_buf_release(&text);
}

Test(resolve, every_allocation_may_fail)
{
    const char *writer = RECORD("R", FIELD("a", "[\"null\",\"string\"]") "," FIELD("x", "\"int\""));
    const char *reader = RECORD("R", FIELD("a", "[\"null\",\"int\"]") "," FIELD("y", "\"int\""));
    (void)can_read(writer, reader);
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_readable readable;
        pdr_buf_release(&problems);
        pdr_mem_fail_at(n);
        code = pdr_schema_can_read(&readable, pdr_schema_set_root(writer_set, 0),
                                   pdr_schema_set_root(reader_set, 0), &problems, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 1000);
    }
}
