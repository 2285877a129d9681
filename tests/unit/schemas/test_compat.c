/* Claims about rules of compatibility: which histories keep which of the six. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "schemas/compat.h"

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define GIVEN(name, type, value) "{\"name\":\"" name "\",\"type\":" type ",\"default\":" value "}"
#define ENUM(symbols, rest)                                                                                  \
    RECORD(FIELD("e", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[" symbols "]" rest "}"))
#define INT "\"int\""
#define LONG "\"long\""
#define STRING "\"string\""

enum { B = 1, BT = 2, F = 4, FT = 8, FU = 16, FUT = 32, ALL = 63, BACK = B | BT, FORTH = F | FT };

static const struct {
    const char *versions[4];
    unsigned kept; /* bits */
    const char *what;
} histories[] = {
    {{RECORD(FIELD("a", INT))}, ALL, "one version"},
    {{RECORD(FIELD("a", INT)), RECORD(FIELD("a", INT))}, ALL, "no difference"},
    {{RECORD(FIELD("a", INT)), RECORD(FIELD("a", INT) "," GIVEN("b", INT, "0"))},
     ALL,
     "a field with a default"},
    {{RECORD(FIELD("a", INT)), RECORD(FIELD("a", INT) "," FIELD("b", INT))}, FORTH, "a field without one"},
    {{RECORD(FIELD("a", INT) "," FIELD("b", INT)), RECORD(FIELD("a", INT))}, BACK, "a field fewer"},
    {{RECORD(GIVEN("b", INT, "0")), RECORD("")}, ALL, "a field fewer that had a default"},
    {{RECORD(FIELD("a", INT)), RECORD(FIELD("a", LONG))}, BACK, "promoted"},
    {{RECORD(FIELD("a", LONG)), RECORD(FIELD("a", INT))}, FORTH, "narrowed"},
    {{RECORD(FIELD("a", INT)), RECORD(FIELD("a", STRING))}, 0, "another type"},
    {{RECORD(FIELD("a", STRING)), RECORD(FIELD("a", "\"bytes\""))}, ALL, "string and bytes"},
    {{RECORD(FIELD("a", INT)), RECORD("{\"name\":\"b\",\"type\":\"int\",\"aliases\":[\"a\"]}")},
     BACK,
     "alias"},
    {{RECORD(FIELD("a", INT)), RECORD(FIELD("a", "[\"null\",\"int\"]"))}, BACK, "into a union"},
    {{RECORD(FIELD("a", "[\"null\",\"int\"]")), RECORD(FIELD("a", INT))}, FORTH, "out of a union"},
    {{ENUM("\"A\"", ""), ENUM("\"A\",\"B\"", "")}, BACK, "a symbol more"},
    {{ENUM("\"A\",\"B\"", ""), ENUM("\"A\"", "")}, FORTH, "a symbol fewer"},
    {{ENUM("\"A\"", ",\"default\":\"A\""), ENUM("\"A\",\"B\"", "")},
     ALL,
     "a symbol more, and a default before"},
    {{ENUM("\"A\",\"B\"", ""), ENUM("\"A\"", ",\"default\":\"A\"")},
     ALL,
     "a symbol fewer, and a default now"},
    /* Only the transitive rules see the first version. */
    {{RECORD(FIELD("a", INT)), RECORD(GIVEN("a", INT, "1")), RECORD("")},
     BACK | F | FU,
     "default, then removed"},
    {{RECORD(""), RECORD(GIVEN("a", INT, "1")), RECORD(FIELD("a", INT))},
     B | FORTH | FU,
     "added, then no default"},
    {{RECORD(FIELD("a", INT)), RECORD(""), RECORD(FIELD("a", INT))}, FORTH, "removed and back"},
    {{RECORD(FIELD("a", INT)), RECORD(""), RECORD(GIVEN("a", STRING, "\"\""))},
     B | F | FU,
     "removed, back as another type"},
    {{ENUM("\"A\"", ""), ENUM("\"A\",\"B\"", ",\"default\":\"A\""),
      ENUM("\"A\",\"B\",\"C\"", ",\"default\":\"A\"")},
     BACK | F | FU,
     "a default for symbols came late"},
};

static pdr_schema_set *sets[4];
static const pdr_schema *roots[4];

static size_t read_all(const char *const *versions)
{
    size_t count = 0;
    for (; count < 4 && versions[count]; count++) {
        cr_assert_eq(pdr_schema_read(&sets[count], "f", pdr_string_of(versions[count]), NULL), PDR_OK);
        roots[count] = pdr_schema_set_root(sets[count], 0);
    }
    return count;
}

static void release(size_t count)
{
    for (size_t i = 0; i < count; i++)
        pdr_schema_set_close(sets[i]);
}

static void count_problem(void *context, const pdr_compat_problem *problem)
{
    cr_expect_eq(problem->text.data[0], '/', "each has its path");
    cr_expect_null(memchr(problem->text.data, '\n', problem->text.size));
    ++*(int *)context;
}

Test(compat, each_rule_is_kept_by_what_it_says_and_broken_by_the_rest)
{
    for (size_t i = 0; i < sizeof histories / sizeof histories[0]; i++) {
        size_t count = read_all(histories[i].versions);
        for (unsigned rule = 0; rule < PDR_COMPAT_COUNT; rule++) {
            bool kept;
            int problems = 0;
            unsigned bit = (unsigned[]){B, BT, F, FT, FU, FUT}[rule];
            cr_assert_eq(
                pdr_compat_check(&kept, (pdr_compat_rule)rule, roots, count, count_problem, &problems, NULL),
                PDR_OK);
            cr_expect_eq(kept, (histories[i].kept & bit) != 0, "%s: %s", histories[i].what,
                         pdr_compat_name((pdr_compat_rule)rule));
            cr_expect_eq(kept, problems == 0, "%s", histories[i].what);
        }
        release(count);
    }
}

typedef struct seen {
    size_t older[8];
    bool forward[8];
    size_t count;
} seen;

static void note(void *context, const pdr_compat_problem *problem)
{
    seen *s = context;
    cr_assert_lt(s->count, 8);
    s->older[s->count] = problem->older;
    s->forward[s->count++] = problem->forward;
}

Test(compat, a_problem_says_between_which_versions_and_which_way)
{
    static const char *const versions[] = {RECORD(FIELD("a", INT)), RECORD(FIELD("a", STRING)),
                                           RECORD(FIELD("a", STRING) "," FIELD("b", INT)), NULL};
    size_t count = read_all(versions);
    seen s = {.count = 0};
    bool kept;
    cr_assert_eq(pdr_compat_check(&kept, PDR_COMPAT_FULL_TRANSITIVE, roots, count, note, &s, NULL), PDR_OK);
    cr_expect_not(kept);
    cr_assert_eq(s.count, 4, "%zu", s.count);
    static const size_t older[] = {0, 0, 0, 1};
    static const bool forward[] = {false, false, true, false};
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(s.older[i], older[i], "%zu", i);
        cr_expect_eq(s.forward[i], forward[i], "%zu", i);
    }
    release(count);
}

Test(compat, rules_are_found_by_their_names_only)
{
    pdr_compat_rule rule;
    for (int i = 0; i < PDR_COMPAT_COUNT; i++) {
        cr_expect(pdr_compat_find(pdr_compat_name((pdr_compat_rule)i), &rule));
        cr_expect_eq((int)rule, i);
    }
    cr_expect_not(pdr_compat_find("", &rule));
    cr_expect_not(pdr_compat_find("backward", &rule));
    cr_expect_not(pdr_compat_find("FULL_", &rule));
    cr_expect_not(pdr_compat_find("NONE", &rule));
}
