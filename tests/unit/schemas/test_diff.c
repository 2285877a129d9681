/* Claims about differences between schemas. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "schemas/diff.h"

typedef struct pair {
    const char *before, *after;
    const char *lines; /* each change as pdr_change_write has it, with a newline */
} pair;

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[" fields "]}"
#define WITH(rest) "{\"type\":\"record\",\"name\":\"n.R\",\"fields\":[]," rest "}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define MORE(name, type, rest) "{\"name\":\"" name "\",\"type\":" type "," rest "}"
#define ENUM(symbols) "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]}"
#define INT "\"int\""
#define LOGICAL(name, rest) "{\"type\":\"bytes\",\"logicalType\":\"" name "\"" rest "}"
#define LIST "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"next\",\"type\":[\"null\",\"L\"]},"

static const pair pairs[] = {
    {RECORD(FIELD("a", INT)), RECORD(FIELD("a", INT)), ""},
    {RECORD(FIELD("a", INT)), RECORD(""), "/a: field removed: int\n"},
    {RECORD(""), RECORD(MORE("a", INT, "\"default\":3")), "/a: field added: int, default 3\n"},
    {RECORD(FIELD("a", INT)), RECORD(MORE("b", INT, "\"aliases\":[\"a\"]")),
     "/b: name a is now b\n/b: aliases added: a\n"},
    {RECORD(FIELD("a", INT) "," FIELD("b", INT)), RECORD(MORE("b", INT, "\"aliases\":[\"a\"]")),
     "/a: field removed: int\n/b: aliases added: a\n"},
    {RECORD(FIELD("a", INT) "," FIELD("b", INT)), RECORD(FIELD("b", INT) "," FIELD("a", INT)),
     "/: order of fields a, b is now b, a\n"},
    {RECORD(FIELD("a", INT) "," FIELD("b", INT)),
     RECORD(FIELD("c", INT) "," FIELD("a", INT) "," FIELD("b", INT)), "/c: field added: int\n"},
    {RECORD(FIELD("a", INT)), RECORD(FIELD("a", "\"long\"")), "/a: type int is now long\n"},
    {RECORD(FIELD("a", INT)), RECORD(FIELD("a", "[\"null\",\"int\"]")), "/a: type int is now null | int\n"},
    {RECORD(FIELD("a", INT)), RECORD(FIELD("a", "{\"type\":\"array\",\"items\":\"int\"}")),
     "/a: type int is now array of int\n"},
    {RECORD(FIELD("a", "{\"type\":\"map\",\"values\":\"int\"}")),
     RECORD(FIELD("a", "{\"type\":\"map\",\"values\":\"long\"}")), "/a/{}: type int is now long\n"},
    {RECORD(MORE("a", INT, "\"default\":1")), RECORD(MORE("a", INT, "\"default\":2")),
     "/a: default 1 is now 2\n"},
    {RECORD(MORE("a", INT, "\"default\":1")), RECORD(FIELD("a", INT)), "/a: default removed: 1\n"},
    {RECORD(FIELD("a", INT)), RECORD(MORE("a", INT, "\"order\":\"ignore\"")),
     "/a: sort order ascending is now ignore\n"},
    {RECORD(FIELD("a", INT)), RECORD(MORE("a", INT, "\"doc\":\"cents\"")), "/a: doc added: cents\n"},
    {WITH("\"doc\":\"x\""), WITH("\"doc\":\"y\""), "/: doc x is now y\n"},
    {RECORD(FIELD("a", "\"bytes\"")), RECORD(FIELD("a", LOGICAL("decimal", ",\"precision\":9,\"scale\":2"))),
     "/a: logical type added: decimal(9,2)\n"},
    {RECORD(FIELD("a", LOGICAL("decimal", ",\"precision\":9,\"scale\":2"))),
     RECORD(FIELD("a", LOGICAL("decimal", ",\"precision\":9"))),
     "/a: logical type decimal(9,2) is now decimal(9,0)\n"},
    {RECORD(FIELD("a", LOGICAL("odd", ""))), RECORD(FIELD("a", LOGICAL("even", ""))),
     "/a: logical type odd is now even\n"},
    {ENUM("\"A\",\"B\""), ENUM("\"B\",\"C\""), "/: symbol A removed\n/: symbol C added\n"},
    {ENUM("\"A\",\"B\""), ENUM("\"B\",\"A\""), "/: order of symbols A, B is now B, A\n"},
    {ENUM("\"A\""), "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"A\"}",
     "/: default added: A\n"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}",
     "/: type fixed F of 2 bytes is now fixed F of 3 bytes\n"},
    {"[\"int\",\"null\"]", "[\"null\",\"string\",\"int\"]",
     "/: branch string added\n/: order of branches int, null is now null, string, int\n"},
    {"[\"int\",\"string\"]", "[\"int\"]", "/: branch string removed\n"},
    {"[\"int\",{\"type\":\"record\",\"name\":\"S\",\"fields\":[]}]",
     "[\"int\",{\"type\":\"record\",\"name\":\"S\",\"fields\":[" FIELD("x", INT) "]}]",
     "/S/x: field added: int\n"},
    {WITH("\"aliases\":[\"Q\"]"), WITH("\"aliases\":[\"Q\",\"P\"]"), "/: aliases n.Q is now n.Q, n.P\n"},
    {WITH("\"x\":{\"y\":1}"), WITH("\"x\":{\"y\":2}"), "/: attribute x {\"y\":1} is now {\"y\":2}\n"},
    {WITH("\"x\":1"), WITH("\"z\":1"), "/: attribute x removed: 1\n/: attribute z added: 1\n"},
    {RECORD(MORE("a", INT, "\"pii\":true")), RECORD(FIELD("a", INT)), "/a: attribute pii removed: true\n"},
    {RECORD(FIELD("a", "{\"type\":\"int\",\"unit\":\"m\"}")), RECORD(FIELD("a", INT)),
     "/a: attribute unit removed: \"m\"\n"},
    {WITH("\"perdure\":{\"version\":1,\"readableByOlder\":false}"), WITH("\"perdure\":{\"retired\":true}"),
     ""},
    {WITH("\"x\":1"), WITH("\"x\":1,\"perdure\":{\"readableByOlder\":true}"),
     "/: readableByOlder false is now true\n"},
    {RECORD(""), "{\"type\":\"record\",\"name\":\"m.R\",\"fields\":[]}", "/: type's name n.R is now m.R\n"},
    {LIST FIELD("v", INT) "]}", LIST FIELD("v", "\"long\"") "]}", "/v: type int is now long\n"},
    {RECORD(FIELD("a", ENUM("\"X\"")) "," FIELD("b", "\"E\"")),
     RECORD(FIELD("a", ENUM("\"X\",\"Y\"")) "," FIELD("b", "\"E\"")), "/a: symbol Y added\n"},
};

static pdr_code lines_of(const pair *p, pdr_buf *out, size_t *docs)
{
    pdr_schema_set *before = NULL, *after = NULL;
    pdr_schema_diff *diff = NULL;
    pdr_code code = pdr_schema_read(&before, "before", pdr_string_of(p->before), NULL);
    if (code == PDR_OK) code = pdr_schema_read(&after, "after", pdr_string_of(p->after), NULL);
    if (code == PDR_OK)
        code =
            pdr_schema_diff_open(&diff, pdr_schema_set_root(before, 0), pdr_schema_set_root(after, 0), NULL);
    pdr_schema_set_close(before);
    pdr_schema_set_close(after);
    for (const pdr_change *c = code == PDR_OK ? diff->first : NULL; c && code == PDR_OK; c = c->next) {
        code = pdr_change_write(c, out);
        if (code == PDR_OK) code = pdr_buf_append(out, "\n", 1);
    }
    if (code == PDR_OK) *docs = diff->docs;
    pdr_schema_diff_close(diff);
    return code == PDR_OK ? pdr_buf_append(out, "", 1) : code;
}

Test(diff, every_difference_is_told_with_its_path_and_nothing_else)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        pdr_buf lines = PDR_BUF_INIT(10000);
        size_t docs;
        cr_assert_eq(lines_of(&pairs[i], &lines, &docs), PDR_OK, "%s", pairs[i].before);
        cr_expect_str_eq((const char *)lines.data, pairs[i].lines);
        cr_expect_eq(docs > 0, strstr(pairs[i].lines, ": doc ") != NULL);
        pdr_buf_release(&lines);
    }
}

Test(diff, kinds_have_names_of_their_own)
{
    for (int i = 0; i < PDR_CHANGE_COUNT; i++)
        for (int j = 0; j < i; j++)
            cr_expect_str_neq(pdr_change_name((pdr_change_kind)i), pdr_change_name((pdr_change_kind)j));
}

Test(diff, every_allocation_may_fail)
{
    static const pair all = {RECORD(MORE("a", INT, "\"default\":1") "," FIELD("e", ENUM("\"A\""))),
                             RECORD(FIELD("b", "[\"null\",\"int\"]") "," FIELD("e", ENUM("\"B\""))), ""};
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_buf lines = PDR_BUF_INIT(10000);
        size_t docs;
        pdr_mem_fail_at(n);
        code = lines_of(&all, &lines, &docs);
        pdr_mem_fail_at(0);
        pdr_buf_release(&lines);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 1000);
    }
}
