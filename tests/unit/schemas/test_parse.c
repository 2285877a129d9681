/* Claims about reading schemas. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "schemas/schema.h"

typedef struct bad_schema {
    const char *json;
    const char *message; /* a part of it: place and reason */
} bad_schema;

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, rest) "{\"name\":\"" name "\",\"type\":" rest "}"

static const bad_schema syntax[] = {
    {"", "f.avsc:1:1: the text ends where a JSON value must stand"},
    {"  \n  ", "f.avsc:2:3: the text ends"},
    {"{\"type\"", "f.avsc:1:8: a colon must stand here"},
    {"{\"type\":\n \"int\",}", "f.avsc:2:8: a key in quotes"},
    {"{\"type\":\"int\",\"type\":\"int\"}", "f.avsc:1:15: this key stands twice"},
    {"[\"int\" \"long\"]", "f.avsc:1:8: a comma or ]"},
    {"[\"int\",]", "f.avsc:1:8: a JSON value must stand here"},
    {"\"int", "f.avsc:1:1: a string has no end"},
    {"\"int\" 1", "f.avsc:1:7: something stands after"},
    {"\"\\x\"", "f.avsc:1:2: unknown escape"},
    {"\"\\u12\"", "f.avsc:1:2: \\u needs four"},
    {"\"\\ud800\"", "f.avsc:1:2: a high surrogate stands alone"},
    {"\"\\ud800\\u0041\"", "f.avsc:1:2: a high surrogate"},
    {"\"\\udc00\"", "f.avsc:1:2: a low surrogate"},
    {"\"a\tb\"", "f.avsc:1:3: a control character"},
    {"\"\xff\"", "f.avsc:1:1: a string is not valid UTF-8"},
    {"\"\xc0\xaf\"", "not valid UTF-8"},
    {"\"\xed\xa0\x80\"", "not valid UTF-8"},
    {"\"\xf4\x90\x80\x80\"", "not valid UTF-8"},
    {"01", "f.avsc:1:1: not a JSON number"},
    {"-", "not a JSON number"},
    {"1.", "not a JSON number"},
    {"1e", "not a JSON number"},
    {"nul", "f.avsc:1:1: a JSON value must stand here"},
    {"\xef\xbb\xbf\"int\"", "f.avsc:1:1: a JSON value"},
};

static const bad_schema meaning[] = {
    {"null", "f.avsc:1:1: /: a schema must stand here, not null"},
    {"3", "a schema must stand here, not a number"},
    {"true", "a schema must stand here, not a boolean"},
    {"[]", "f.avsc:1:1: /: a union needs a branch"},
    {"\"Unknown\"", "f.avsc:1:1: /: unknown type \"Unknown\""},
    {"\"array\"", "\"array\" must be written as an object"},
    {"\"record\"", "must be written as an object"},
    {"{}", "f.avsc:1:1: /: no \"type\""},
    {"{\"type\":3}", "f.avsc:1:9: /type: a type's name must stand here, not a number"},
    {"{\"type\":{\"type\":\"int\"}}", "/type: a type's name must stand here, not an object"},
    {"{\"type\":\"union\"}", "/type: a union is written as an array"},
    {"[\"int\",\"int\"]", "f.avsc:1:8: /1: the union has \"int\" twice"},
    {"[\"int\",{\"type\":\"int\",\"logicalType\":\"date\"}]", "/1: the union has \"int\" twice"},
    {"[{\"type\":\"array\",\"items\":\"int\"},{\"type\":\"array\",\"items\":\"long\"}]",
     "has \"array\" twice"},
    {"[\"int\",[\"long\"]]", "/1: a union may not hold a union"},
    {"[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},\"F\"]", "/1: the union has \"F\" twice"},
    {"{\"type\":\"array\"}", "/: an array without \"items\""},
    {"{\"type\":\"map\"}", "/: a map without \"values\""},
    {"{\"type\":\"array\",\"items\":\"no.such\"}", "f.avsc:1:25: /items: unknown type \"no.such\""},
    {"{\"type\":\"map\",\"values\":[\"null\",\"x\"]}", "/values/1: unknown type \"x\""},
    {"{\"type\":\"fixed\",\"name\":\"F\"}", "/: no \"size\""},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", "/size: must be a whole number from 0"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":1.5}", "/size: must be a whole number"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":\"4\"}", "/size: must be a whole number"},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":99999999999999999999}", "/size: must be a whole number"},
    {"{\"type\":\"fixed\",\"size\":4}", "/: a named type without \"name\""},
    {"{\"type\":\"fixed\",\"name\":7,\"size\":4}", "/name: a name must be a string, not a number"},
    {"{\"type\":\"fixed\",\"name\":\"\",\"size\":4}", "/name: bad name \"\""},
    {"{\"type\":\"fixed\",\"name\":\"4x\",\"size\":4}", "/name: bad name \"4x\""},
    {"{\"type\":\"fixed\",\"name\":\"a..b\",\"size\":4}", "bad name \"a..b\""},
    {"{\"type\":\"fixed\",\"name\":\".b\",\"size\":4}", "bad name \".b\""},
    {"{\"type\":\"fixed\",\"name\":\"b.\",\"size\":4}", "bad name \"b.\""},
    {"{\"type\":\"fixed\",\"name\":\"a-b\",\"size\":4}", "bad name \"a-b\""},
    {"{\"type\":\"fixed\",\"name\":\"\xc3\xa9\",\"size\":4}", "bad name"},
    {"{\"type\":\"fixed\",\"name\":\"a\",\"namespace\":\"x y\",\"size\":4}", "/namespace: bad name \"x y\""},
    {"{\"type\":\"fixed\",\"name\":\"a\",\"namespace\":3,\"size\":4}", "/namespace: a name must be a string"},
    {"{\"type\":\"fixed\",\"name\":\"int\",\"size\":4}", "\"int\" is Avro's own name"},
    {"{\"type\":\"fixed\",\"name\":\"n.string\",\"size\":4}", "\"string\" is Avro's own name"},
    {"{\"type\":\"fixed\",\"name\":\"a\",\"doc\":3,\"size\":4}", "/doc: must be a string, not a number"},
    {"{\"type\":\"fixed\",\"name\":\"a\",\"aliases\":\"b\",\"size\":4}",
     "/aliases: must be an array of names"},
    {"{\"type\":\"fixed\",\"name\":\"a\",\"aliases\":[\"b\",\"c d\"],\"size\":4}", "/aliases/1: bad name"},
    {"{\"type\":\"int\",\"logicalType\":3}", "/logicalType: must be a string"},
    {"{\"type\":\"enum\",\"name\":\"E\"}", "/: no \"symbols\""},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":{}}", "/symbols: must be an array, not an object"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", "/symbols: an enum needs a symbol"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"A\"]}",
     "/symbols/1: the enum has the symbol \"A\""},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"b c\"]}", "/symbols/1: a symbol must be a name"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",1]}", "/symbols/1: a symbol must be a name"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":\"B\"}",
     "/default: \"B\" is no symbol"},
    {"{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"],\"default\":0}", "/default: must be a string"},
    {"{\"type\":\"record\",\"name\":\"R\"}", "/: no \"fields\""},
    {"{\"type\":\"record\",\"name\":\"R\",\"fields\":3}", "/fields: must be an array, not a number"},
    {RECORD("3"), "/fields/0: a field must be an object, not a number"},
    {RECORD("{\"type\":\"int\"}"), "/fields/0: a field without \"name\""},
    {RECORD("{\"name\":\"a\"}"), "/fields/0: the field \"a\" has no \"type\""},
    {RECORD(FIELD("a.b", "\"int\"")), "/fields/0/name: bad name \"a.b\""},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("a", "\"int\"")), "/fields/1/name: the record has a field \"a\""},
    {RECORD(FIELD("a", "\"int\",\"order\":\"up\"")), "/fields/0/order: must be"},
    {RECORD(FIELD("a", "\"int\",\"aliases\":[\"x.y\"]")),
     "/fields/0/aliases/0: a field's alias is a simple name"},
    {RECORD(FIELD("a", "\"int\"") "," FIELD("b", "[\"null\",\"S\"]")),
     "f.avsc:1:92: /fields/1/type/1: unknown"},
    {RECORD(FIELD("a", "{\"type\":\"fixed\",\"name\":\"R\",\"size\":1}")),
     "\"R\" is defined twice; first at f.avsc:1:1"},
    {"[\"F\",{\"type\":\"fixed\",\"name\":\"F\",\"size\":1}]",
     "/1: \"F\" was used at 1:2, before its definition"},
};

#define DEFAULT(type, value) RECORD(FIELD("a", type ",\"default\":" value))
static const bad_schema defaults[] = {
    {DEFAULT("\"null\"", "0"), "/fields/0/default: a number is no value of \"null\""},
    {DEFAULT("\"boolean\"", "0"), "is no value of \"boolean\""},
    {DEFAULT("\"int\"", "\"1\""), "a string is no value of \"int\""},
    {DEFAULT("\"int\"", "1.0"), "1.0 is no whole number of 64 bits"},
    {DEFAULT("\"int\"", "2147483648"), "2147483648 is no whole number of 32 bits"},
    {DEFAULT("\"long\"", "9223372036854775808"), "is no whole number of 64 bits"},
    {DEFAULT("\"float\"", "1e39"), "1e39 is too large"},
    {DEFAULT("\"double\"", "1e309"), "1e309 is too large"},
    {DEFAULT("\"double\"", "\"NaN\""), "a string is no value of \"double\""},
    {DEFAULT("\"string\"", "null"), "null is no value of \"string\""},
    {DEFAULT("\"bytes\"", "\"\\u0100\""), "U+0000 to U+00FF"},
    {DEFAULT("\"bytes\"", "[1]"), "an array is no value of \"bytes\""},
    {DEFAULT("{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", "\"a\""), "\"F\" has 2 bytes, this has 1"},
    {DEFAULT("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "\"B\""),
     "\"B\" is no symbol of \"E\""},
    {DEFAULT("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"]}", "0"), "a number is no value of \"E\""},
    {DEFAULT("{\"type\":\"array\",\"items\":\"int\"}", "{}"), "an object is no value of \"array\""},
    {DEFAULT("{\"type\":\"array\",\"items\":\"int\"}", "[1,null]"),
     "/fields/0/default/1: null is no value of"},
    {DEFAULT("{\"type\":\"map\",\"values\":\"int\"}", "{\"k\":true}"),
     "/fields/0/default/k: a boolean is no value"},
    {DEFAULT("[\"null\",\"int\"]", "1"), "/fields/0/default: a number is no value of \"null\""},
    {DEFAULT("{\"type\":\"record\",\"name\":\"S\",\"fields\":[" FIELD("b", "\"int\"") "]}", "{}"),
     "the field \"b\" of \"S\" is missing"},
    {DEFAULT("{\"type\":\"record\",\"name\":\"S\",\"fields\":[]}", "{\"c\":1}"), "\"S\" has no field \"c\""},
    {DEFAULT("[\"R\",\"null\"]", "{}"), "the default of \"a\" holds itself without end"},
};

static void expect_bad(const bad_schema *bad)
{
    pdr_schema_set *set = NULL;
    pdr_error err = {.code = PDR_OK};
    pdr_code code = pdr_schema_read(&set, "f.avsc", pdr_string_of(bad->json), &err);
    cr_expect_eq(code, PDR_BAD_SCHEMA, "accepted: %s", bad->json);
    cr_expect(strstr(err.message, bad->message), "%s\n  says  %s\n  wants %s", bad->json, err.message,
              bad->message);
    if (code == PDR_OK) pdr_schema_set_close(set);
}

#define EXPECT_ALL(table)                                                                                    \
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)                                              \
    expect_bad(&table[i])

Test(parse, bad_json_is_refused_with_line_and_column)
{
    EXPECT_ALL(syntax);
}

Test(parse, a_bad_schema_is_refused_with_the_path_of_the_fault)
{
    EXPECT_ALL(meaning);
}

Test(parse, a_default_that_does_not_fit_its_type_is_refused)
{
    EXPECT_ALL(defaults);
}

static pdr_schema_set *read_good(const char *json)
{
    pdr_schema_set *set = NULL;
    pdr_error err = {.message = ""};
    cr_assert_eq(pdr_schema_read(&set, "f.avsc", pdr_string_of(json), &err), PDR_OK, "%s: %s", json,
                 err.message);
    return set;
}

Test(parse, attributes_are_kept)
{
    pdr_schema_set *set = read_good(
        "{\"type\":\"record\",\"name\":\"a.b.Loan\",\"namespace\":\"ignored\",\"doc\":\"A "
        "loan.\",\"aliases\":"
        "[\"Credit\",\"x.Lending\"],\"fields\":[{\"name\":\"id\",\"type\":\"string\",\"doc\":\"key\","
        "\"aliases\":"
        "[\"number\"],\"order\":\"descending\",\"default\":\"none\"},{\"name\":\"state\",\"type\":{\"type\":"
        "\"enum\","
        "\"name\":\"State\",\"symbols\":[\"OPEN\",\"SHUT\"],\"default\":\"SHUT\"},\"order\":\"ignore\"}]}");
    const pdr_schema *loan = pdr_schema_set_root(set, 0);
    cr_expect_str_eq(loan->name, "a.b.Loan");
    cr_expect_str_eq(loan->short_name, "Loan");
    cr_expect_str_eq(loan->space, "a.b");
    cr_expect_str_eq(loan->doc, "A loan.");
    cr_assert_eq(loan->alias_count, 2);
    cr_expect_str_eq(loan->aliases[0], "a.b.Credit");
    cr_expect_str_eq(loan->aliases[1], "x.Lending");
    cr_assert_eq(loan->count, 2);
    cr_expect_str_eq(loan->fields[0].doc, "key");
    cr_expect_str_eq(loan->fields[0].aliases[0], "number");
    cr_expect_eq(loan->fields[0].order, PDR_ORDER_DESCENDING);
    cr_expect(pdr_json_is(loan->fields[0].default_value, "none"));
    cr_expect_eq(loan->fields[1].order, PDR_ORDER_IGNORE);
    cr_expect_null(loan->fields[1].default_value);
    const pdr_schema *state = pdr_schema_set_find(set, "a.b.State");
    cr_assert_eq(state, loan->fields[1].type);
    cr_expect_eq(state->default_symbol, 1);
    cr_expect_null(pdr_schema_set_find(set, "State"));
    pdr_schema_set_close(set);
}

Test(parse, a_record_may_hold_itself)
{
    pdr_schema_set *set = read_good("{\"type\":\"record\",\"name\":\"n.List\",\"fields\":[{\"name\":\"next\","
                                    "\"type\":[\"null\",\"List\"]}]}");
    const pdr_schema *list = pdr_schema_set_root(set, 0);
    cr_expect_eq(list->fields[0].type->branches[1], list);
    pdr_schema_set_close(set);
}

Test(parse, error_is_a_record_and_a_name_may_stand_in_a_type_attribute)
{
    pdr_schema_set *set =
        read_good("[{\"type\":\"error\",\"name\":\"E\",\"fields\":[]},{\"type\":\"array\",\"items\":"
                  "{\"type\":\"E\"}}]");
    const pdr_schema *root = pdr_schema_set_root(set, 0);
    cr_expect_eq(root->branches[0]->kind, PDR_KIND_RECORD);
    cr_expect_eq(root->branches[1]->items, root->branches[0]);
    pdr_schema_set_close(set);
}

Test(parse, a_simple_name_means_its_namespace_first_and_then_none)
{
    pdr_schema_set *set = read_good(
        "[{\"type\":\"fixed\",\"name\":\"A\",\"size\":1},{\"type\":\"fixed\",\"name\":\"n.A\",\"size\":2},"
        "{\"type\":\"fixed\",\"name\":\"B\",\"size\":3},{\"type\":\"record\",\"name\":\"R\",\"namespace\":"
        "\"n\","
        "\"fields\":[{\"name\":\"a\",\"type\":\"A\"},{\"name\":\"b\",\"type\":\"B\"}]}]");
    const pdr_schema *record = pdr_schema_set_find(set, "n.R");
    cr_expect_eq(record->fields[0].type->count, 2);
    cr_expect_eq(record->fields[1].type->count, 3);
    pdr_schema_set_close(set);
}

Test(parse, files_of_a_set_use_each_others_types_in_any_order)
{
    pdr_schema_set *set;
    pdr_error err;
    cr_assert_eq(pdr_schema_set_open(&set, &err), PDR_OK);
    cr_assert_eq(pdr_schema_set_add(set, "1.avsc",
                                    pdr_string_of("{\"type\":\"record\",\"name\":\"n.A\",\"fields\":["
                                                  "{\"name\":\"b\",\"type\":\"B\",\"default\":\"Y\"}]}"),
                                    &err),
                 PDR_OK);
    cr_assert_eq(pdr_schema_set_add(set, "2.avsc",
                                    pdr_string_of("{\"type\":\"enum\",\"name\":\"n.B\",\"symbols\":"
                                                  "[\"X\",\"Y\"]}"),
                                    &err),
                 PDR_OK);
    cr_assert_eq(pdr_schema_set_finish(set, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(pdr_schema_set_count(set), 2);
    cr_expect_eq(pdr_schema_set_root(set, 0)->fields[0].type, pdr_schema_set_root(set, 1));
    cr_expect_str_eq(pdr_schema_set_file(set, 1), "2.avsc");
    cr_expect_null(pdr_schema_set_root(set, 2));
    pdr_schema_set_close(set);
}

Test(parse, an_error_in_a_set_names_the_right_file)
{
    pdr_schema_set *set;
    pdr_error err;
    cr_assert_eq(pdr_schema_set_open(&set, &err), PDR_OK);
    cr_assert_eq(
        pdr_schema_set_add(set, "1.avsc", pdr_string_of("{\"type\":\"array\",\"items\":\"Missing\"}"), &err),
        PDR_OK);
    cr_assert_eq(pdr_schema_set_add(set, "2.avsc", pdr_string_of("\"int\""), &err), PDR_OK);
    cr_assert_eq(pdr_schema_set_finish(set, &err), PDR_BAD_SCHEMA);
    cr_expect_str_eq(err.message, "1.avsc:1:25: /items: unknown type \"Missing\"");
    pdr_schema_set_close(set);
}

/* ---- logical types ---- */

typedef struct logical_case {
    const char *json;
    pdr_logical logical;
    int precision, scale;
    bool fault;
} logical_case;

static const logical_case logicals[] = {
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4,\"scale\":2}", PDR_LOGICAL_DECIMAL, 4,
     2, false},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":4}", PDR_LOGICAL_DECIMAL, 4, 0, false},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\"}", PDR_LOGICAL_NONE, 0, 0, true},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":0}", PDR_LOGICAL_NONE, 0, 0, true},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":3}", PDR_LOGICAL_NONE, 0, 0,
     true},
    {"{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":-1}", PDR_LOGICAL_NONE, 0, 0,
     true},
    {"{\"type\":\"string\",\"logicalType\":\"decimal\",\"precision\":2}", PDR_LOGICAL_NONE, 0, 0, true},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":4,\"logicalType\":\"decimal\",\"precision\":9}",
     PDR_LOGICAL_DECIMAL, 9, 0, false},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":4,\"logicalType\":\"decimal\",\"precision\":10}",
     PDR_LOGICAL_NONE, 0, 0, true},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":12,\"logicalType\":\"duration\"}", PDR_LOGICAL_DURATION, 0,
     0, false},
    {"{\"type\":\"fixed\",\"name\":\"F\",\"size\":11,\"logicalType\":\"duration\"}", PDR_LOGICAL_NONE, 0, 0,
     true},
    {"{\"type\":\"string\",\"logicalType\":\"uuid\"}", PDR_LOGICAL_UUID, 0, 0, false},
    {"{\"type\":\"int\",\"logicalType\":\"date\"}", PDR_LOGICAL_DATE, 0, 0, false},
    {"{\"type\":\"long\",\"logicalType\":\"date\"}", PDR_LOGICAL_NONE, 0, 0, true},
    {"{\"type\":\"int\",\"logicalType\":\"time-millis\"}", PDR_LOGICAL_TIME_MILLIS, 0, 0, false},
    {"{\"type\":\"long\",\"logicalType\":\"time-micros\"}", PDR_LOGICAL_TIME_MICROS, 0, 0, false},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", PDR_LOGICAL_TIMESTAMP_MILLIS, 0, 0, false},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", PDR_LOGICAL_TIMESTAMP_MICROS, 0, 0, false},
    {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", PDR_LOGICAL_LOCAL_TIMESTAMP_MILLIS, 0,
     0, false},
    {"{\"type\":\"long\",\"logicalType\":\"local-timestamp-micros\"}", PDR_LOGICAL_LOCAL_TIMESTAMP_MICROS, 0,
     0, false},
    {"{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", PDR_LOGICAL_NONE, 0, 0, false},
    {"{\"type\":\"int\"}", PDR_LOGICAL_NONE, 0, 0, false},
};

Test(parse, an_invalid_logical_type_is_ignored_and_noted)
{
    for (size_t i = 0; i < sizeof logicals / sizeof logicals[0]; i++) {
        const logical_case *c = &logicals[i];
        pdr_schema_set *set = read_good(c->json);
        const pdr_schema *schema = pdr_schema_set_root(set, 0);
        cr_expect_eq(schema->logical, c->logical, "%s", c->json);
        cr_expect_eq(schema->precision, c->precision, "%s", c->json);
        cr_expect_eq(schema->scale, c->scale, "%s", c->json);
        cr_expect_eq(schema->logical_fault != NULL, c->fault, "%s", c->json);
        cr_expect_eq(schema->logical_text != NULL, strstr(c->json, "logicalType") != NULL);
        pdr_schema_set_close(set);
    }
}

/* ---- ceilings ---- */

/* `head`, `piece` `count` times, `tail`. */
static char *repeated(const char *head, const char *piece, size_t count, const char *tail)
{
    size_t size = strlen(piece), total = strlen(head);
    char *text = malloc(total + size * count + strlen(tail) + 1);
    memcpy(text, head, total);
    for (size_t i = 0; i < count; i++, total += size)
        memcpy(text + total, piece, size);
    memcpy(text + total, tail, strlen(tail) + 1);
    return text;
}

static pdr_code read_text(const char *text)
{
    pdr_schema_set *set = NULL;
    pdr_code code = pdr_schema_read(&set, "f.avsc", pdr_string_of(text), NULL);
    if (code == PDR_OK) pdr_schema_set_close(set);
    return code;
}

Test(parse, a_depth_bomb_is_refused)
{
    char *open = repeated("", "[", 1000000, "");
    cr_expect_eq(read_text(open), PDR_TOO_LARGE);
    free(open);
    char *arrays = repeated("", "{\"type\":\"array\",\"items\":", 100000, "");
    cr_expect_eq(read_text(arrays), PDR_TOO_LARGE);
    free(arrays);
}

Test(parse, what_is_nested_too_deeply_is_refused_with_its_place)
{
    static const struct {
        const char *piece, *place;
    } bombs[] = {{"[", "f.avsc:1:257: nested more than 256 deep"},
                 {"{\"type\":\"array\",\"items\":", "f.avsc:1:6145: nested more than 256 deep"},
                 {"{\"default\":\n", "f.avsc:257:1: nested more than 256 deep"}};
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        pdr_schema_set *set = NULL;
        pdr_error err = {.message = ""};
        char *text = repeated("", bombs[i].piece, 1000, "");
        cr_expect_eq(pdr_schema_read(&set, "f.avsc", pdr_string_of(text), &err), PDR_TOO_LARGE);
        cr_expect(strstr(err.message, bombs[i].place), "says %s, wants %s", err.message, bombs[i].place);
        free(text);
    }
}

Test(parse, a_text_over_its_ceiling_is_refused)
{
    char *text = repeated("\"int\"", " ", PDR_SCHEMA_MAX_TEXT, "");
    cr_expect_eq(read_text(text), PDR_TOO_LARGE);
    free(text);
}

Test(parse, too_many_members_fields_symbols_or_branches_are_refused)
{
    char *items = repeated("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\"", ",\"A\"",
                           PDR_SCHEMA_MAX_FIELDS, "]}");
    cr_expect_eq(read_text(items), PDR_BAD_SCHEMA);
    free(items);
    items =
        repeated("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{}", ",{}", PDR_SCHEMA_MAX_FIELDS, "]}");
    cr_expect_eq(read_text(items), PDR_BAD_SCHEMA);
    free(items);
    items = repeated("[\"int\"", ",\"int\"", PDR_SCHEMA_MAX_BRANCHES, "]");
    cr_expect_eq(read_text(items), PDR_BAD_SCHEMA);
    free(items);
    pdr_buf members = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(pdr_buf_append(&members, "{\"type\":\"int\"", 13), PDR_OK);
    for (int i = 0; i < PDR_JSON_MAX_MEMBERS; i++)
        cr_assert_eq(pdr_buf_printf(&members, ",\"k%d\":1", i), PDR_OK);
    cr_assert_eq(pdr_buf_append(&members, "}", 2), PDR_OK);
    cr_expect_eq(read_text((const char *)members.data), PDR_TOO_LARGE);
    pdr_buf_release(&members);
}

Test(parse, hostile_megabytes_take_bounded_time_and_memory)
{
    char *text = repeated("[0", ",0", 2000000, "]"); /* many small values */
    cr_expect_eq(read_text(text), PDR_BAD_SCHEMA);
    free(text);
    text = repeated("\"", "\\u0061", 600000, "\"");
    cr_expect_eq(read_text(text), PDR_BAD_SCHEMA);
    free(text);
}

/* ---- allocations ---- */

static const char everything[] =
    "[{\"type\":\"record\",\"name\":\"n.R\",\"doc\":\"d\",\"aliases\":[\"Q\"],\"fields\":[{\"name\":\"a\","
    "\"type\":"
    "[\"null\",\"R\"],\"default\":null},{\"name\":\"b\",\"type\":{\"type\":\"enum\",\"name\":\"E\","
    "\"symbols\":[\"X\"]},"
    "\"default\":\"X\"},{\"name\":\"c\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":{"
    "\"type\":"
    "\"fixed\",\"name\":\"F\",\"size\":2}}},\"default\":{\"k\":[\"ab\"]}}]},\"n.E\"]";

Test(parse, every_allocation_may_fail)
{
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_schema_set *set = NULL;
        pdr_buf text = PDR_BUF_INIT(1 << 20);
        uint64_t fingerprint;
        pdr_mem_fail_at(n);
        code = pdr_schema_read(&set, "f.avsc", pdr_string_of(everything), NULL);
        if (code == PDR_OK) {
            const pdr_schema *root = pdr_schema_set_root(set, 0);
            code = pdr_schema_canonical(root, &text, NULL);
            if (code == PDR_OK) code = pdr_schema_write(root, &text, NULL);
            if (code == PDR_OK) code = pdr_schema_fingerprint(&fingerprint, root, NULL);
            pdr_schema_set_close(set);
        }
        pdr_mem_fail_at(0);
        pdr_buf_release(&text);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 1000);
    }
}
