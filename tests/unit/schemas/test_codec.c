/* Claims about generated structs: defaults, encode, decode, printing. */
#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "every.gen.h"
#include "perdure/sys/layout.h"
#include "perdure/sys/wire.h"
#include "schemas/schema.h"
#include "small.gen.h"

static pdr_buf out = PDR_BUF_INIT(1 << 24);
static pdr_arena arena = PDR_ARENA_INIT(1 << 24);

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_buf_release(&out);
    pdr_arena_release(&arena);
}

TestSuite(codec, .fini = release);

static void expect_print(const pdr_type *type, const void *value, const char *expected)
{
    pdr_buf_clear(&out);
    cr_assert_eq(type->print(value, &out), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)out.data, expected);
}

/* ---- defaults ---- */

static const char everything_of_init[] =
    "{\"nothing\":null,\"truth\":true,\"small\":-2147483648,\"large\":-9223372036854775808,\"single\":1.5,"
    "\"real\":-0.0025,\"raw\":\"\\u0000\\u00ff?\",\"text\":\"h\xc3\xa9llo \\\"quoted\\\" ?\?=\",\"colour\":"
    "\"GREEN\",\"digest\":\"\\u0001\\u0002\\u0003\\u00ff\",\"numbers\":[1,0,-3],\"pairs\":{\"one\":1,"
    "\"two\":2},\"maybe\":null,\"perhaps\":7,\"inner\":{\"id\":\"none\",\"tags\":[\"a\",\"b\"],\"class\":4},"
    "\"choice\":\"first\",\"inners\":[{\"id\":\"x\",\"tags\":[],\"class\":3},{\"id\":\"none\",\"tags\":"
    "[\"a\",\"b\"],\"class\":3}],\"index\":{\"k\":[{\"n\":null}]},\"at\":0,\"price\":\"\",\"broken\":\"\","
    "\"odd\":\"\",\"day\":null,\"voids\":[],\"lonely\":null,\"empty\":{}}";

Test(codec, init_sets_every_default_also_nested_ones)
{
    every_everything e;
    every_tree tree;
    small_twice twice;
    memset(&e, 0x55, sizeof e);
    memset(&tree, 0x55, sizeof tree);
    memset(&twice, 0x55, sizeof twice);
    every_everything_init(&e);
    every_tree_init(&tree);
    small_twice_init(&twice);
    expect_print(&every_everything_type, &e, everything_of_init);
    expect_print(&every_tree_type, &tree,
                 "{\"value\":9,\"left\":null,\"right\":null,\"children\":[],\"named\":{}}");
    expect_print(&small_twice_type, &twice,
                 "{\"a\":\"C\",\"b\":\"\\u0001\\u0002\\u0003\",\"c\":null,\"d\":{\"v\":null}}");
}

Test(codec, words_that_c_keeps_are_members_with_an_underscore)
{
    small_words w;
    small_words_init(&w);
    cr_expect_eq(w.int_, 0);
    cr_expect_eq(w.class_, 1);
    cr_expect_eq(w.errno_, 4);
    cr_expect_eq(w.linux_, 5);
    cr_expect_eq(w.camel_case, 7);
    cr_expect_eq(w.http_server, 8);
    cr_expect_eq(w.x2_y, 9);
}

/* ---- the type table ---- */

Test(codec, types_know_their_name_number_schema_and_fingerprint)
{
    cr_expect_eq(EVERY_TYPE_COUNT, 3);
    for (int i = 0; i < EVERY_TYPE_COUNT; i++) {
        const pdr_type *type = every_types[i];
        pdr_schema_set *set = NULL;
        uint64_t fingerprint = 0;
        cr_expect_eq(type->id, i);
        cr_expect_eq(type->abi_size, sizeof(pdr_type));
        cr_assert_eq(pdr_schema_read(&set, type->name, pdr_string_of(type->schema), NULL), PDR_OK);
        cr_expect_str_eq(pdr_schema_set_root(set, 0)->name, type->name);
        cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
        cr_expect_eq(type->fingerprint, fingerprint);
        pdr_schema_set_close(set);
    }
    cr_expect_eq(every_types[EVERY_TREE], &every_tree_type);
    cr_expect_eq(every_tree_type.size, sizeof(every_tree));
    cr_expect_eq(every_inner_type.id, -1);
    cr_expect_str_eq(every_everything_type.name, "test.every.Everything");
}

/* ---- round trips: bytes and value ---- */

/* Encode, compare with `bytes`, decode, encode again, compare again. */
static void expect_bytes(const pdr_type *type, const void *value, const char *bytes, size_t size)
{
    union {
        max_align_t align;
        char bytes[256];
    } back;
    pdr_error err;
    cr_assert_leq(type->size, sizeof back);
    pdr_buf_clear(&out);
    cr_assert_eq(type->encode(value, &out, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(out.size, size, "%s: %zu bytes, not %zu", type->name, out.size, size);
    cr_expect_arr_eq(out.data, bytes, size, "%s", type->name);
    cr_assert_eq(type->decode(pdr_bytes_of(bytes, size), &arena, &back, &err), PDR_OK, "%s", err.message);
    pdr_buf_clear(&out);
    cr_assert_eq(type->encode(&back, &out, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(out.size, size);
    cr_expect_arr_eq(out.data, bytes, size);
}

#define EXPECT(name, literal, ...)                                                                           \
    do {                                                                                                     \
        small_##name value = __VA_ARGS__;                                                                    \
        expect_bytes(&small_##name##_type, &value, literal, sizeof(literal) - 1);                            \
    } while (0)

Test(codec, scalars_have_the_specifications_bytes)
{
    EXPECT(null, "", {{0}});
    EXPECT(boolean, "\x00", {false});
    EXPECT(boolean, "\x01", {true});
    EXPECT(int, "\x00", {0});
    EXPECT(int, "\x01", {-1});
    EXPECT(int, "\x02", {1});
    EXPECT(int, "\x7f", {-64});
    EXPECT(int, "\x80\x01", {64});
    EXPECT(int, "\xfe\xff\xff\xff\x0f", {INT32_MAX});
    EXPECT(int, "\xff\xff\xff\xff\x0f", {INT32_MIN});
    EXPECT(long, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", {INT64_MAX});
    EXPECT(long, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", {INT64_MIN});
    EXPECT(float, "\x00\x00\xc0\x3f", {1.5f});
    EXPECT(double, "\x00\x00\x00\x00\x00\x00\x04\xc0", {-2.5});
    EXPECT(bytes, "\x04\x00\xff", {pdr_bytes_of("\x00\xff", 2)});
    EXPECT(bytes, "\x00", {pdr_bytes_of(NULL, 0)});
    EXPECT(string,
           "\x06"
           "foo",
           {pdr_string_of("foo")});
    EXPECT(string, "\x00", {pdr_string_of(NULL)});
    EXPECT(fixed, "abc", {{{'a', 'b', 'c'}}});
    EXPECT(no_fixed, "", {{{0}}});
    EXPECT(enum, "\x04", {SMALL_THREE_C});
    EXPECT(wide_enum, "\x7e", {SMALL_WIDE_S63});
    EXPECT(wide_enum, "\x80\x01", {SMALL_WIDE_S64});
    EXPECT(wide_enum, "\xc6\x01", {SMALL_WIDE_S99});
}

Test(codec, unions_have_the_specifications_bytes)
{
    EXPECT(optional, "\x00", {{false, 0}});
    EXPECT(optional, "\x02\x0e", {{true, 7}});
    EXPECT(choice, "\x00\x01", {{SMALL_CHOICE_V_IS_INT, {.int_ = -1}}});
    EXPECT(choice,
           "\x02\x02"
           "a",
           {{SMALL_CHOICE_V_IS_STRING, {.string = {"a", 1}}}});
    EXPECT(choice, "\x04", {{SMALL_CHOICE_V_IS_NULL, {0}}});
    EXPECT(wide_choice, "\x7ez", {{SMALL_WIDE_CHOICE_V_IS_W62, {.w62 = {{'z'}}}}});
    EXPECT(wide_choice, "\x80\x01z", {{SMALL_WIDE_CHOICE_V_IS_W63, {.w63 = {{'z'}}}}});
    EXPECT(wide_choice, "\x8c\x01\x00", {{SMALL_WIDE_CHOICE_V_IS_STRING, {.string = {"", 0}}}});
}

Test(codec, arrays_and_maps_have_the_specifications_bytes)
{
    EXPECT(ints, "\x00", {{0, NULL}});
    EXPECT(ints, "\x04\x06\x36\x00", {{2, (int32_t[]){3, 27}}});
    EXPECT(strings,
           "\x04\x02"
           "a\x00\x00",
           {{2, (pdr_string[]){{"a", 1}, {NULL, 0}}}});
    EXPECT(nulls, "\x06\x00", {{3, (pdr_null[3]){{0}}}});
    small_longs map = {{0, NULL}};
    expect_bytes(&small_longs_type, &map, "", 1);
    map.v.count = 1;
    map.v.entries = pdr_arena_calloc(&arena, 1, sizeof *map.v.entries);
    map.v.entries[0].key = pdr_string_of("k");
    map.v.entries[0].value = 5;
    expect_bytes(&small_longs_type, &map, "\x02\x02k\x0a", 5);
}

static void expect_long(uint64_t bits)
{
    small_long value = {(int64_t)bits}, back;
    pdr_buf_clear(&out);
    cr_assert_eq(small_long_encode(&value, &out, NULL), PDR_OK);
    cr_assert_eq(small_long_decode(pdr_buf_bytes(&out), NULL, &back, NULL), PDR_OK);
    cr_expect_eq(back.v, value.v);
}

Test(codec, every_length_of_varint_survives)
{
    for (int shift = 0; shift < 64; shift++) {
        for (uint64_t delta = 0; delta < 5; delta++) {
            expect_long((UINT64_C(1) << shift) + delta - 2);
            expect_long(0 - ((UINT64_C(1) << shift) + delta - 2));
        }
    }
}

Test(codec, every_length_of_text_survives)
{
    char text[100];
    memset(text, 'x', sizeof text);
    for (size_t size = 0; size <= sizeof text; size++) {
        small_string value = {{text, size}}, back;
        pdr_buf_clear(&out);
        cr_assert_eq(small_string_encode(&value, &out, NULL), PDR_OK);
        cr_assert_eq(small_string_decode(pdr_buf_bytes(&out), NULL, &back, NULL), PDR_OK);
        cr_expect(pdr_string_equal(back.v, value.v));
    }
}

Test(codec, strings_and_bytes_borrow_from_the_datum)
{
    small_string value = {pdr_string_of("abc")}, back;
    cr_assert_eq(small_string_encode(&value, &out, NULL), PDR_OK);
    cr_assert_eq(small_string_decode(pdr_buf_bytes(&out), NULL, &back, NULL), PDR_OK);
    cr_expect_eq((const void *)back.v.data, (const void *)(out.data + 1));
}

Test(codec, recursive_values_survive)
{
    every_tree leaf, root, back;
    every_ping ping = {{EVERY_PING_PONG_IS_STRING, {.string = {"end", 3}}}}, outer;
    every_pong pong = {{true, &ping}, {0, NULL}};
    pdr_error err;
    every_tree_init(&leaf);
    every_tree_init(&root);
    root.left.present = true;
    root.left.value = &leaf;
    root.children.count = 1;
    root.children.items = &leaf;
    cr_assert_eq(every_tree_encode(&root, &out, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(every_tree_decode(pdr_buf_bytes(&out), &arena, &back, &err), PDR_OK, "%s", err.message);
    expect_print(
        &every_tree_type, &back,
        "{\"value\":9,\"left\":{\"value\":9,\"left\":null,\"right\":null,\"children\":[],\"named\":{}},"
        "\"right\":null,\"children\":[{\"value\":9,\"left\":null,\"right\":null,\"children\":[],\"named\":{}}"
        "],"
        "\"named\":{}}");
    outer.pong.tag = EVERY_PING_PONG_IS_PONG;
    outer.pong.as.pong = &pong;
    expect_print(&every_ping_type, &outer, "{\"pong\":{\"ping\":{\"pong\":\"end\"},\"pings\":[]}}");
}

/* ---- printing ---- */

Test(codec, numbers_print_with_the_digits_that_read_back)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.1, "{\"v\":0.1}"},
                 {1e300, "{\"v\":1e+300}"},
                 {1.0 / 3, "{\"v\":0.3333333333333333}"},
                 {-0.0, "{\"v\":-0}"},
                 {NAN, "{\"v\":\"NaN\"}"},
                 {INFINITY, "{\"v\":\"Infinity\"}"},
                 {-INFINITY, "{\"v\":\"-Infinity\"}"},
                 {5e-324, "{\"v\":4.94065645841247e-324}"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        small_double value = {cases[i].number};
        expect_print(&small_double_type, &value, cases[i].text);
    }
    small_float single = {0.1f};
    expect_print(&small_float_type, &single, "{\"v\":0.1}");
}

Test(codec, printing_does_not_follow_the_programs_locale)
{
    small_double value = {2.5};
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        return; /* not installed */
    expect_print(&small_double_type, &value, "{\"v\":2.5}");
    setlocale(LC_NUMERIC, "C");
}

Test(codec, text_is_escaped)
{
    small_string value = {{"\"\\\n\r\t\0\x1f\x7f/\xe2\x82\xac", 12}};
    expect_print(&small_string_type, &value,
                 "{\"v\":\"\\\"\\\\\\n\\r\\t\\u0000\\u001f\\u007f/\xe2\x82\xac\"}");
}

Test(codec, a_failed_print_leaves_the_buffer_as_it_was)
{
    small_string bad = {pdr_string_of("\xff")};
    cr_assert_eq(pdr_buf_append(&out, "kept", 4), PDR_OK);
    cr_expect_eq(small_string_print(&bad, &out), PDR_INVALID_ARGUMENT);
    cr_expect_eq(out.size, 4);
}

/* ---- layouts ---- */

Test(codec, the_layout_says_where_each_member_lies)
{
    const pdr_layout *layout = every_everything_type.layout;
    cr_expect_eq(layout->kind, PDR_KIND_RECORD);
    cr_expect_eq(layout->size, sizeof(every_everything));
    cr_expect_str_eq(layout->members[1].name, "truth");
    cr_expect_eq(layout->members[1].offset, offsetof(every_everything, truth));
    const pdr_layout *inners = layout->members[16].type;
    cr_expect_eq(inners->kind, PDR_KIND_ARRAY);
    cr_expect_eq(inners->stride, sizeof(every_inner));
    cr_expect_eq(inners->members[0].type, every_inner_type.layout);
    cr_expect_eq(layout->members[18].type->logical, PDR_LOGICAL_TIMESTAMP_MICROS);
    cr_expect_eq(layout->members[19].type->precision, 9);
    const pdr_layout *left = every_tree_type.layout->members[1].type;
    cr_expect(left->optional);
    cr_expect(left->members[1].pointer);
    cr_expect_eq(left->members[1].type, every_tree_type.layout);
}

/* ---- allocations ---- */

static pdr_code round_trip(const every_everything *e, pdr_buf *bytes, pdr_buf *text, pdr_arena *memory)
{
    every_everything back;
    pdr_code code = every_everything_encode(e, bytes, NULL);
    if (code == PDR_OK) code = every_everything_decode(pdr_buf_bytes(bytes), memory, &back, NULL);
    return code == PDR_OK ? every_everything_print(&back, text) : code;
}

Test(codec, every_allocation_may_fail)
{
    every_everything e;
    every_everything_init(&e);
    pdr_code code = PDR_NOMEM;
    for (uint64_t n = 1; code != PDR_OK; n++) {
        pdr_buf bytes = PDR_BUF_INIT(1 << 20), text = PDR_BUF_INIT(1 << 20);
        pdr_arena memory = PDR_ARENA_INIT(1 << 20);
        pdr_mem_fail_at(n);
        code = round_trip(&e, &bytes, &text, &memory);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM, "allocation %d: %s", (int)n, pdr_code_name(code));
        cr_assert_lt(n, 100);
        pdr_buf_release(&bytes);
        pdr_buf_release(&text);
        pdr_arena_release(&memory);
    }
}
