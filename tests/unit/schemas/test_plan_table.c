/* Claims about decoding through a plan: each rule of Avro's schema resolution, with the bytes. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "plans.gen.h"
#include "schemas/plan.h"
#include "small.gen.h"

static pdr_arena arena = PDR_ARENA_INIT(1 << 20);
static pdr_buf out = PDR_BUF_INIT(1 << 20);

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_arena_release(&arena);
    pdr_buf_release(&out);
}

TestSuite(plan_table, .fini = release);

#define RECORD(name, fields) "{\"type\":\"record\",\"name\":\"" name "\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"
#define ONE(name, type) RECORD(name, FIELD("v", type))
#define ARRAY(items) "{\"type\":\"array\",\"items\":" items "}"
#define MAP(values) "{\"type\":\"map\",\"values\":" values "}"
#define ENUM(name, symbols) "{\"type\":\"enum\",\"name\":\"" name "\",\"symbols\":[" symbols "]}"
#define FIXED(name, size) "{\"type\":\"fixed\",\"name\":\"" name "\",\"size\":" #size "}"
#define EMPTY(name) RECORD(name, "")

typedef struct plan_case {
    const pdr_type *reader;
    const char *writer;
    const char *bytes;
    size_t size;
    const char *json; /* NULL: refused */
    const char *message;
} plan_case;

#define READS(reader, writer, literal, json)                                                                 \
    {                                                                                                        \
        &reader##_type, writer, literal, sizeof(literal) - 1, json, NULL                                     \
    }
#define FAILS(reader, writer, literal, message)                                                              \
    {                                                                                                        \
        &reader##_type, writer, literal, sizeof(literal) - 1, NULL, message                                  \
    }

#define LINE RECORD("Line", FIELD("gone", "\"string\"") "," FIELD("amount", "\"int\""))
#define ORDER                                                                                                \
    RECORD(                                                                                                  \
        "Order",                                                                                             \
        FIELD("note", "\"bytes\"") "," FIELD("lines", ARRAY(LINE)) "," FIELD(                                \
            "by",                                                                                            \
            "[" RECORD(                                                                                      \
                "Person",                                                                                    \
                FIELD("name",                                                                                \
                      "\"string\"")) ",\"null\"]") "," FIELD("old",                                          \
                                                             MAP(ARRAY("\"long\""))) "," FIELD("id",         \
                                                                                               "\"int\""))
#define PERSON                                                                                               \
    RECORD("Person",                                                                                         \
           FIELD("name", "\"string\"") "," FIELD("age", "[\"null\",\"int\"]") "," FIELD("gone", "\"int\""))
#define GONE                                                                                                 \
    RECORD("Order",                                                                                          \
           FIELD("id", "\"int\"") "," FIELD("note", "\"string\"") "," FIELD("lines", ARRAY(LINE)) "," FIELD( \
               "by", "[\"null\"," PERSON "]") "," FIELD("gone", "\"int\""))
#define RING RECORD("Ring", FIELD("next", "[\"null\",\"Ring\"]") "," FIELD("v", "\"int\""))
#define SKIPPED(type) RECORD("Int", FIELD("gone", type) "," FIELD("v", "\"int\""))

static const plan_case table[] = {
    /* promotions */
    READS(small_long, ONE("Long", "\"int\""), "\x05", "{\"v\":-3}"),
    READS(small_float, ONE("Float", "\"int\""), "\x06", "{\"v\":3}"),
    READS(small_double, ONE("Double", "\"int\""), "\x06", "{\"v\":3}"),
    READS(small_float, ONE("Float", "\"long\""), "\x80\x80\x80\x80\x80\x80\x80\x02", "{\"v\":5.6294995e+14}"),
    READS(small_double, ONE("Double", "\"long\""), "\x05", "{\"v\":-3}"),
    READS(small_double, ONE("Double", "\"float\""), "\x00\x00\xc0\x3f", "{\"v\":1.5}"),
    READS(small_bytes, ONE("Bytes", "\"string\""), "\x04\xc3\xa9", "{\"v\":\"\\u00c3\\u00a9\"}"),
    READS(small_string, ONE("String", "\"bytes\""), "\x04\xc3\xa9", "{\"v\":\"\xc3\xa9\"}"),
    FAILS(small_string, ONE("String", "\"bytes\""), "\x02\xff",
          "String.v: byte 0: a string is not valid UTF-8"),
    FAILS(small_bytes, ONE("Bytes", "\"string\""), "\x02\xff", "not valid UTF-8"),
    FAILS(small_long, ONE("Long", "\"int\""), "\x80\x80\x80\x80\x10",
          "Long.v: byte 0: an int has more than 32"),
    FAILS(small_long, ONE("Long", "\"int\""), "\x02\x02", "bytes are left over"),
    FAILS(small_double, ONE("Double", "\"float\""), "\x00\x00\xc0", "Double.v: byte 0: the datum ends early"),
    /* fields: order, skipped, missing */
    READS(small_int,
          RECORD("Int", FIELD("a", "\"string\"") "," FIELD("v", "\"int\"") "," FIELD("z", "\"long\"")),
          "\x04hi\x0e\xff\x01", "{\"v\":7}"),
    READS(
        plans_order, ORDER,
        "\x04ok\x04\x00\x02\x02x\x06\x00\x00\x06"
        "Ann\x02\x02k\x04\x02\x04\x00\x00\x54",
        "{\"id\":42,\"note\":\"ok\",\"lines\":[{\"amount\":1,\"currency\":\"EUR\",\"tags\":{}},{\"amount\":3,"
        "\"currency\":\"EUR\",\"tags\":{}}],\"by\":{\"name\":\"Ann\",\"age\":null}}"),
    READS(plans_order, ORDER, "\x00\x00\x02\x00\x01", "{\"id\":-1,\"note\":\"\",\"lines\":[],\"by\":null}"),
    READS(plans_order, GONE, "\x02\x00\x00\x00\x07", "{\"id\":1,\"note\":\"\",\"lines\":[],\"by\":null}"),
    READS(plans_order, GONE,
          "\x02\x00\x00\x02\x02"
          "A\x00\x05\x07",
          "{\"id\":1,\"note\":\"\",\"lines\":[],\"by\":{\"name\":\"A\",\"age\":null}}"),
    FAILS(plans_order, ORDER, "\x00\x02\x00\x80", "Line.amount: byte 3: the datum ends inside a number"),
    FAILS(plans_order, ORDER, "\x00\x00\x04", "Order.by: byte 2: a union's index is out of range"),
    /* what is skipped is bounded all the same */
    READS(small_int, SKIPPED(ARRAY("\"long\"")), "\x03\x04\x80\x01\x00\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED(ARRAY("\"long\"")), "\x02\x80\x01\x02\x05\x00\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED(MAP("\"double\"")), "\x02\x02k\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02",
          "{\"v\":1}"),
    READS(small_int, SKIPPED(MAP("\"int\"")), "\x01\x06\x02k\x02\x00\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED(ARRAY("\"null\"")), "\x80\x80\x08\x00\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED("[\"null\",\"string\",\"boolean\"]"), "\x02\x02x\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED("[\"null\",\"string\",\"boolean\"]"), "\x00\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED("[\"null\",\"string\",\"boolean\"]"), "\x04\x01\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED(FIXED("F", 3)), "abc\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED(ENUM("E", "\"A\"")), "\x00\x02", "{\"v\":1}"),
    READS(small_int, SKIPPED(RECORD("L", FIELD("n", "[\"null\",\"L\"]") "," FIELD("f", "\"float\""))),
          "\x02\x02\x00"
          "fff1"
          "fff2"
          "fff3"
          "\x02",
          "{\"v\":1}"),
    READS(small_int, SKIPPED(RECORD("L", FIELD("t", ARRAY("\"L\"")))), "\x04\x00\x02\x00\x00\x00\x02",
          "{\"v\":1}"),
    FAILS(small_int, SKIPPED(ARRAY("\"null\"")), "\x82\x80\x08\x00\x02",
          "more items than the datum can hold"),
    FAILS(small_int, SKIPPED(ARRAY("\"null\"")), "\x80\x80\x08\x02\x00\x02",
          "more items than the datum can hold"),
    FAILS(small_int, SKIPPED(ARRAY("\"long\"")), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x00\x02",
          "Int.gone: byte 0: a block has more items"),
    FAILS(small_int, SKIPPED(ARRAY("\"long\"")), "\x01\x01\x00\x02",
          "Int.gone: byte 0: a block's size is negative"),
    FAILS(small_int, SKIPPED(ARRAY("\"long\"")), "\x01\x20\x00\x02", "a block's size goes beyond the end"),
    FAILS(small_int, SKIPPED("\"string\""), "\x01\x02", "Int.gone: byte 0: a length is negative"),
    FAILS(small_int, SKIPPED("\"bytes\""), "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02",
          "goes beyond the end"),
    FAILS(small_int, SKIPPED("\"long\""), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\x02",
          "more than 64 bits"),
    FAILS(small_int, SKIPPED("[\"null\",\"string\"]"), "\x04\x02",
          "Int.gone: byte 0: a union's index is out"),
    FAILS(small_int, SKIPPED("[\"null\",\"string\"]"), "\x01\x02", "a union's index is out of range"),
    FAILS(small_int, SKIPPED(FIXED("F", 300)), "abc\x02", "Int.gone: byte 0: the datum ends early"),
    /* arrays and maps */
    READS(small_longs, ONE("Longs", MAP("\"int\"")), "\x02\x02k\x05\x01\x06\x02l\x06\x00",
          "{\"v\":{\"k\":-3,\"l\":3}}"),
    FAILS(small_longs, ONE("Longs", MAP("\"int\"")), "\x02\x02\xff\x05\x00",
          "Longs.v: byte 1: a string is not valid"),
    FAILS(small_longs, ONE("Longs", MAP("\"int\"")), "\x01\x08\x02k\x02\x00\x00",
          "not the size of its items"),
    FAILS(small_longs, ONE("Longs", MAP("\"int\"")), "\x10\x02k\x02\x00",
          "more items than the datum can hold"),
    /* enums */
    READS(plans_shade, ONE("Shade", ENUM("Level", "\"HIGH\",\"LOW\",\"EXTREME\"")), "\x00",
          "{\"v\":\"HIGH\"}"),
    READS(plans_shade, ONE("Shade", ENUM("Level", "\"HIGH\",\"LOW\",\"EXTREME\"")), "\x02",
          "{\"v\":\"LOW\"}"),
    READS(plans_shade, ONE("Shade", ENUM("Level", "\"HIGH\",\"LOW\",\"EXTREME\"")), "\x04",
          "{\"v\":\"NONE\"}"),
    FAILS(plans_shade, ONE("Shade", ENUM("Level", "\"HIGH\",\"LOW\",\"EXTREME\"")), "\x06",
          "an enum's index"),
    FAILS(plans_shade, ONE("Shade", ENUM("Level", "\"HIGH\",\"LOW\"")), "\x01",
          "an enum's index is out of range"),
    READS(plans_shade,
          RECORD("Shade", FIELD("v", ENUM("Level", "\"NONE\",\"LOW\"")) "," FIELD("x", "\"int\"")),
          "\x02\x00", "{\"v\":\"LOW\"}"),
    FAILS(plans_shade,
          RECORD("Shade", FIELD("v", ENUM("Level", "\"NONE\",\"LOW\"")) "," FIELD("x", "\"int\"")),
          "\x04\x00", "an enum's index is out of range"),
    READS(plans_strict, ONE("Strict", ENUM("Colour", "\"BLUE\",\"PINK\"")), "\x00", "{\"v\":\"BLUE\"}"),
    FAILS(plans_strict, ONE("Strict", ENUM("Colour", "\"BLUE\",\"PINK\"")), "\x02",
          "Strict.v: byte 0: the symbol \"PINK\" is none of the reader's, and it has no default"),
    /* names */
    READS(plans_renamed,
          "{\"type\":\"record\",\"name\":\"old.Former\",\"fields\":[" FIELD(
              "mark", ENUM("Mark", "\"B\",\"A\"")) "," FIELD("key", FIXED("Key", 2)) "]}",
          "\x00"
          "hi",
          "{\"id\":\"hi\",\"level\":\"B\"}"),
    READS(plans_renamed,
          RECORD("test.plans.Earlier",
                 FIELD("id", FIXED("Id", 2)) "," FIELD("level", ENUM("Grade", "\"B\",\"A\""))),
          "hi\x02", "{\"id\":\"hi\",\"level\":\"A\"}"),
    /* unions */
    READS(small_int, ONE("Int", "[\"null\",\"int\"]"), "\x02\x06", "{\"v\":3}"),
    FAILS(small_int, ONE("Int", "[\"null\",\"int\"]"), "\x00",
          "Int.v: byte 1: /fields/0/type (branch 0 of the writer's union): written as null, read as int"),
    FAILS(small_int, ONE("Int", "[\"null\",\"int\"]"), "\x04\x06", "a union's index is out of range"),
    READS(small_optional, ONE("Optional", "\"int\""), "\x06", "{\"v\":3}"),
    READS(small_optional, ONE("Optional", "\"null\""), "", "{\"v\":null}"),
    READS(small_optional, ONE("Optional", "[\"int\",\"null\"]"), "\x00\x06", "{\"v\":3}"),
    READS(small_optional, ONE("Optional", "[\"int\",\"null\"]"), "\x02", "{\"v\":null}"),
    READS(small_optional, ONE("Optional", "[\"string\",\"int\",\"null\"]"), "\x02\x06", "{\"v\":3}"),
    READS(small_optional, ONE("Optional", "[\"string\",\"int\",\"null\"]"), "\x04", "{\"v\":null}"),
    FAILS(small_optional, ONE("Optional", "[\"string\",\"int\",\"null\"]"), "\x00\x02x",
          "written as string; no branch of the reader's union takes it"),
    READS(plans_whole, ONE("Whole", "[\"null\",\"int\"]"), "\x02\x06", "{\"v\":3}"),
    READS(plans_whole, ONE("Whole", "[\"int\",\"long\"]"), "\x00\x06", "{\"v\":3}"),
    READS(plans_either, ONE("Either", "\"int\""), "\x06", "{\"v\":3}"),
    READS(plans_either, ONE("Either", "[\"string\",\"null\"]"), "\x00\x02x", "{\"v\":\"x\"}"),
    READS(plans_either, ONE("Either", "[\"string\",\"null\"]"), "\x02", "{\"v\":null}"),
    READS(plans_either, ONE("Either", RECORD("Inner", FIELD("size", "\"int\""))), "\x10",
          "{\"v\":{\"id\":\"none\",\"tags\":[\"a\",\"b\"],\"size\":8}}"),
    READS(plans_either, ONE("Either", FIXED("Digest", 3)), "abc", "{\"v\":\"abc\"}"),
    READS(plans_either, ONE("Either", "\"bytes\""), "\x02x", "{\"v\":\"x\"}"),
    /* logical types */
    READS(plans_amount, ONE("Amount", "\"bytes\""), "\x02x", "{\"v\":\"x\"}"),
    READS(plans_when, ONE("When", "\"long\""), "\x06", "{\"v\":3}"),
    READS(small_long, ONE("Long", "{\"type\":\"int\",\"logicalType\":\"date\"}"), "\x06", "{\"v\":3}"),
    /* recursion */
    READS(plans_ring, RING, "\x02\x02\x00\x02\x04\x06",
          "{\"v\":3,\"more\":5,\"next\":{\"v\":2,\"more\":5,\"next\":{\"v\":1,\"more\":5,\"next\":null}}}"),
    FAILS(plans_ring, RING, "\x02\x02\x02", "Ring.next: byte 3: the datum ends inside a number"),
    /* the writer's root is a union of records */
    READS(small_int, "[" ONE("String", "\"string\"") "," ONE("Int", "\"int\"") "]", "\x02\x06", "{\"v\":3}"),
    FAILS(small_int, "[" ONE("String", "\"string\"") "," ONE("Int", "\"int\"") "]", "\x00\x02x",
          "written as record \"String\", read as \"test.small.Int\""),
};
enum { CASES = sizeof table / sizeof table[0] };

/* A copy of the exact size, so that the sanitizer sees a read past its end. */
static pdr_code decode(const pdr_plan *plan, const char *bytes, size_t size, void *value, pdr_error *err)
{
    uint8_t *copy = pdr_memdup(bytes, size);
    pdr_arena_clear(&arena);
    pdr_code code = pdr_plan_decode(plan, pdr_bytes_of(copy, size), &arena, value, err);
    if (code == PDR_OK) {
        pdr_buf_clear(&out);
        cr_assert_eq(pdr_plan_reader(plan)->print(value, &out), PDR_OK);
        cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    }
    pdr_free(copy);
    return code;
}

static void check(const plan_case *c, size_t i)
{
    pdr_plan *plan = NULL;
    pdr_error err = {.message = ""};
    void *value = malloc(c->reader->size);
    memset(value, 0xA5, c->reader->size); /* what a plan forgets shows */
    cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(c->writer), c->reader, &err), PDR_OK, "%zu: %s", i,
                 err.message);
    pdr_code code = decode(plan, c->bytes, c->size, value, &err);
    if (c->json) {
        cr_expect_eq(code, PDR_OK, "%zu: %s", i, err.message);
        if (code == PDR_OK)
            cr_expect_str_eq((const char *)out.data, c->json, "%zu: %s", i, (const char *)out.data);
    } else {
        cr_expect(code == PDR_BAD_DATA || code == PDR_UNKNOWN_SCHEMA, "%zu: %s", i, pdr_code_name(code));
        cr_expect(strstr(err.message, c->message), "%zu: says %s, wants %s", i, err.message, c->message);
    }
    pdr_plan_close(plan);
    free(value);
}

Test(plan_table, every_datum_is_read_as_the_rules_say)
{
    for (size_t i = 0; i < CASES; i++)
        check(&table[i], i);
}

Test(plan_table, a_datum_cut_at_any_byte_is_refused)
{
    for (size_t i = 0; i < CASES; i++) {
        pdr_plan *plan = NULL;
        void *value = malloc(table[i].reader->size);
        cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(table[i].writer), table[i].reader, NULL), PDR_OK);
        for (size_t size = 0; table[i].json && size < table[i].size; size++)
            cr_expect_neq(decode(plan, table[i].bytes, size, value, NULL), PDR_OK, "%zu cut at %zu", i, size);
        pdr_plan_close(plan);
        free(value);
    }
}

Test(plan_table, a_datum_with_any_byte_changed_is_refused_or_prints)
{
    for (size_t i = 0; i < CASES; i++) {
        pdr_plan *plan = NULL;
        void *value = malloc(table[i].reader->size);
        char bytes[64];
        memcpy(bytes, table[i].bytes, table[i].size);
        cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(table[i].writer), table[i].reader, NULL), PDR_OK);
        for (size_t at = 0; at < table[i].size; at++) {
            for (int byte = 0; byte < 256; byte++) {
                bytes[at] = (char)byte;
                (void)!decode(plan, bytes, table[i].size, value, NULL);
            }
            bytes[at] = table[i].bytes[at];
        }
        pdr_plan_close(plan);
        free(value);
    }
}

Test(plan_table, every_default_is_the_one_that_init_sets)
{
    plans_defaults read, made;
    pdr_buf wanted = PDR_BUF_INIT(1 << 16);
    pdr_plan *plan = NULL;
    pdr_error err = {.message = ""};
    memset(&read, 0xA5, sizeof read);
    plans_defaults_init(&made);
    cr_assert_eq(plans_defaults_print(&made, &wanted), PDR_OK);
    cr_assert_eq(pdr_buf_append(&wanted, "", 1), PDR_OK);
    cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(EMPTY("Defaults")), &plans_defaults_type, &err), PDR_OK,
                 "%s", err.message);
    cr_assert_eq(decode(plan, "", 0, &read, &err), PDR_OK, "%s", err.message);
    cr_expect_str_eq((const char *)out.data, (const char *)wanted.data);
    pdr_plan_close(plan);
    pdr_buf_release(&wanted);
}

/* Each field alone is written, by its own type; the others have their defaults. */
Test(plan_table, a_default_never_covers_a_field_that_was_written)
{
    static const char *const written[][4] = {
        {"truth", "\"boolean\"", "\x00", "\"truth\":false"},
        {"small", "\"int\"", "\x02", "\"small\":1"},
        {"real", "\"double\"", "\x01\x01\x01\x01\x01\x01\xf0\x3f", "\"real\":1.000"},
        {"text", "\"string\"", "\x02z", "\"text\":\"z\""},
        {"maybe", "\"string\"", "\x02z", "\"maybe\":\"z\""},
        {"choice", "\"int\"", "\x02", "\"choice\":1"},
        {"at", "\"long\"", "\x02", "\"at\":1"},
    };
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        char writer[200];
        pdr_plan *plan = NULL;
        plans_defaults value;
        (void)snprintf(writer, sizeof writer, RECORD("Defaults", FIELD("%s", "%s")), written[i][0],
                       written[i][1]);
        cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(writer), &plans_defaults_type, NULL), PDR_OK);
        size_t size = written[i][2][0] ? strlen(written[i][2]) : 1;
        cr_assert_eq(decode(plan, written[i][2], size, &value, NULL), PDR_OK, "%s", writer);
        cr_expect(strstr((const char *)out.data, written[i][3]), "%s in %s", written[i][3],
                  (const char *)out.data);
        pdr_plan_close(plan);
    }
}

/* ---- ceilings ---- */

static void rings(unsigned depth, bool skipped)
{
    pdr_buf_clear(&out);
    for (unsigned i = 1; i < depth; i++)
        cr_assert_eq(pdr_buf_append(&out, "\x02", 1), PDR_OK);
    for (unsigned i = 0; i <= depth; i++)
        cr_assert_eq(pdr_buf_append(&out, i ? "\x02" : "\x00", 1), PDR_OK);
    if (skipped) cr_assert_eq(pdr_buf_append(&out, "\x02", 1), PDR_OK);
}

Test(plan_table, recursion_is_read_and_skipped_up_to_its_ceiling)
{
    union {
        plans_ring ring;
        small_int skipped;
    } value;
    pdr_error err = {.message = ""};
    pdr_plan *read = NULL, *skip = NULL;
    cr_assert_eq(pdr_plan_open(&read, pdr_string_of(RING), &plans_ring_type, NULL), PDR_OK);
    cr_assert_eq(pdr_plan_open(&skip, pdr_string_of(SKIPPED(RING)), &small_int_type, NULL), PDR_OK);
    rings(256, false);
    cr_expect_eq(pdr_plan_decode(read, pdr_buf_bytes(&out), &arena, &value, &err), PDR_OK, "%s", err.message);
    rings(257, false);
    cr_expect_eq(pdr_plan_decode(read, pdr_buf_bytes(&out), &arena, &value, &err), PDR_BAD_DATA);
    cr_expect(strstr(err.message, "Ring.next: byte 256: nested too deeply"), "%s", err.message);
    rings(256, true);
    cr_expect_eq(pdr_plan_decode(skip, pdr_buf_bytes(&out), NULL, &value, &err), PDR_OK, "%s", err.message);
    rings(257, true);
    cr_expect_eq(pdr_plan_decode(skip, pdr_buf_bytes(&out), NULL, &value, &err), PDR_BAD_DATA);
    cr_expect(strstr(err.message, "nested too deeply"), "%s", err.message);
    pdr_plan_close(read);
    pdr_plan_close(skip);
}

/* A record that holds itself nine arrays deep: lists count towards a ceiling of their own. */
#define FOLDED RECORD("L", FIELD("t", ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY(ARRAY("\"L\"")))))))))))

static pdr_code read_folded(const pdr_plan *plan, unsigned depth, pdr_error *err)
{
    small_int value;
    pdr_buf_clear(&out);
    for (unsigned i = 0; i < 9 * (depth - 1); i++)
        cr_assert_eq(pdr_buf_append(&out, "\x02", 1), PDR_OK);
    for (unsigned i = 0; i <= 9 * (depth - 1); i++)
        cr_assert_eq(pdr_buf_append(&out, "\x00", 1), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "\x0e", 1), PDR_OK);
    return pdr_plan_decode(plan, pdr_buf_bytes(&out), NULL, &value, err);
}

Test(plan_table, lists_are_nested_up_to_a_ceiling)
{
    pdr_plan *plan = NULL;
    pdr_error err = {.message = ""};
    cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(SKIPPED(FOLDED)), &small_int_type, NULL), PDR_OK);
    cr_expect_eq(read_folded(plan, 200, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(read_folded(plan, 210, &err), PDR_BAD_DATA);
    cr_expect(strstr(err.message, "nested too deeply"), "%s", err.message);
    pdr_plan_close(plan);
}

Test(plan_table, the_arenas_ceiling_bounds_a_decode)
{
    pdr_arena tight = PDR_ARENA_INIT(4096);
    pdr_plan *plan = NULL;
    pdr_error err = {.message = ""};
    plans_order order;
    cr_assert_eq(
        pdr_plan_open(
            &plan,
            pdr_string_of(RECORD(
                "Order",
                FIELD("id", "\"long\"") "," FIELD("note", "\"string\"") "," FIELD(
                    "lines", ARRAY(RECORD("Line", FIELD("amount", "\"int\"")))) "," FIELD("by", "\"null\""))),
            &plans_order_type, &err),
        PDR_OK, "%s", err.message);
    pdr_buf_clear(&out);
    cr_assert_eq(pdr_buf_append(&out, "\x00\x00\x90\x03", 4), PDR_OK); /* 200 lines */
    for (int i = 0; i < 201; i++)
        cr_assert_eq(pdr_buf_append(&out, "\x00", 1), PDR_OK);
    cr_expect_eq(pdr_plan_decode(plan, pdr_buf_bytes(&out), &tight, &order, &err), PDR_TOO_LARGE);
    cr_expect(strstr(err.message, "Order.lines: over the arena's ceiling of 4096"), "%s", err.message);
    cr_expect_eq(pdr_plan_decode(plan, pdr_buf_bytes(&out), NULL, &order, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(pdr_plan_decode(plan, pdr_buf_bytes(&out), &arena, &order, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(order.lines.count, 200);
    pdr_arena_release(&tight);
    pdr_plan_close(plan);
}

/* Writer-only types that are large when written out, deep, or both. */
static pdr_code open_with(const char *first, const char *each, unsigned count, const char *last,
                          pdr_error *err)
{
    pdr_plan *plan = NULL;
    pdr_buf text = PDR_BUF_INIT(4 << 20);
    cr_assert_eq(pdr_buf_printf(&text, "{\"type\":\"record\",\"name\":\"Int\",\"fields\":[%s", first),
                 PDR_OK);
    for (unsigned i = 1; i <= count; i++)
        for (const char *c = each; *c; c++)
            cr_assert_eq(*c == '#'   ? pdr_buf_printf(&text, "%u", i)
                         : *c == '$' ? pdr_buf_printf(&text, "%u", i - 1)
                                     : pdr_buf_append(&text, c, 1),
                         PDR_OK);
    cr_assert_eq(pdr_buf_printf(&text, "%s]}", last), PDR_OK);
    pdr_code code =
        pdr_plan_open(&plan, (pdr_string){(const char *)text.data, text.size}, &small_int_type, err);
    pdr_plan_close(plan);
    pdr_buf_release(&text);
    return code;
}

Test(plan_table, hostile_writers_are_planned_or_refused_in_little_time)
{
    pdr_error err = {.message = ""};
    const char *v = "," FIELD("v", "\"int\"");
    /* 2^n paths */
    cr_expect_eq(open_with(FIELD("f0", RECORD("A0", FIELD("x", "\"int\""))),
                           "," FIELD("f#", RECORD("A#", FIELD("a", "\"A$\"") "," FIELD("b", "\"A$\""))), 300,
                           v, &err),
                 PDR_OK, "%s", err.message);
    cr_expect_eq(
        open_with(FIELD("f0", RECORD("A0", "")),
                  "," FIELD("f#", RECORD("A#", FIELD("a", ARRAY("\"A$\"")) "," FIELD("b", ARRAY("\"A$\"")))),
                  300, v, &err),
        PDR_OK, "%s", err.message);
    /* a chain */
    cr_expect_eq(open_with(FIELD("f0", RECORD("A0", "")), "," FIELD("f#", RECORD("A#", FIELD("a", "\"A$\""))),
                           500, v, &err),
                 PDR_OK, "%s", err.message);
    cr_expect_eq(open_with(FIELD("f0", RECORD("A0", "")), "," FIELD("f#", RECORD("A#", FIELD("a", "\"A$\""))),
                           2040, v, &err),
                 PDR_OK, "%s", err.message); /* met from its end: each is known when the next is weighed */
    cr_expect_eq(
        open_with(FIELD("u", "[" RECORD("A0", "")), "," RECORD("A#", FIELD("a", "\"A$\"")), 1023, "]}", &err),
        PDR_BAD_SCHEMA);
}

Test(plan_table, what_never_resolves_is_refused_at_open_with_its_path)
{
    static const struct {
        const pdr_type *reader;
        const char *writer, *message;
    } cases[] = {
        {&plans_order_type,
         RECORD(
             "Order",
             FIELD("id", "\"long\"") "," FIELD("note", "\"string\"") "," FIELD(
                 "lines", ARRAY(RECORD("Line", FIELD("amount", "\"string\"")))) "," FIELD("by", "\"null\"")),
         "/fields/2/type/items/fields/0/type: written as string, read as double"},
        {&plans_order_type, EMPTY("Order"), "/fields/0: \"id\" of \"test.plans.Order\" wasn't written"},
        {&plans_amount_type,
         ONE("Amount", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":4}"),
         "/fields/0/type: written as bytes (decimal of precision 9, scale 4), read as bytes (decimal of "
         "precision 9, "
         "scale 2)"},
        {&plans_when_type, /* the same fingerprint */
         ONE("test.plans.When", "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}"),
         "/fields/0/type: written as long (timestamp-millis), read as long (timestamp-micros)"},
        {&small_int_type, "\"int\"", "/: written as int, read as record"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pdr_plan *plan = NULL;
        pdr_error err = {.message = ""};
        cr_expect_eq(pdr_plan_open(&plan, pdr_string_of(cases[i].writer), cases[i].reader, &err),
                     PDR_UNKNOWN_SCHEMA);
        cr_expect(strstr(err.message, cases[i].message), "%zu: %s", i, err.message);
    }
}

Test(plan_table, every_allocation_of_open_and_decode_may_fail)
{
    static const char bytes[] = "\x04ok\x04\x00\x02\x02x\x06\x00\x00\x06"
                                "Ann\x02\x02k\x04\x02\x04\x00\x00\x54";
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_arena small = PDR_ARENA_INIT(1 << 20);
        pdr_plan *plan = NULL;
        plans_order order;
        pdr_mem_fail_at(n);
        code = pdr_plan_open(&plan, pdr_string_of(ORDER), &plans_order_type, NULL);
        if (code == PDR_OK)
            code = pdr_plan_decode(plan, pdr_bytes_of(bytes, sizeof bytes - 1), &small, &order, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        pdr_plan_close(plan);
        pdr_arena_release(&small);
        cr_assert_lt(n, 1000);
    }
    code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_plan *plan = NULL;
        pdr_mem_fail_at(n);
        code = pdr_plan_open(&plan, pdr_string_of(EMPTY("Defaults")), &plans_defaults_type, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        pdr_plan_close(plan);
        cr_assert_lt(n, 1000);
    }
}
