/* Claims about bytes that no encoder writes, and values that no schema allows. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>

#include "base/mem.h"
#include "every.gen.h"
#include "perdure/sys/wire.h"
#include "small.gen.h"

static pdr_arena arena = PDR_ARENA_INIT(1 << 20);
static pdr_buf out = PDR_BUF_INIT(1 << 20);

static void release(void)
{
    pdr_mem_fail_at(0);
    pdr_arena_release(&arena);
    pdr_buf_release(&out);
}

TestSuite(hostile, .fini = release);

typedef struct hostile_datum {
    const pdr_type *type;
    const char *bytes;
    size_t size;
    const char *message; /* NULL: it is fine */
} hostile_datum;

#define DATUM(name, literal, message)                                                                        \
    {                                                                                                        \
        &small_##name##_type, literal, sizeof(literal) - 1, message                                          \
    }

static const hostile_datum table[] = {
    DATUM(boolean, "", "test.small.Boolean.v: byte 0: the datum ends early"),
    DATUM(boolean, "\x02", "neither 0 nor 1"),
    DATUM(boolean, "\xff", "neither 0 nor 1"),
    DATUM(boolean, "\x01\x00", "test.small.Boolean: byte 1: bytes are left over"),
    DATUM(null, "", NULL),
    DATUM(null, "\x00", "bytes are left over"),
    DATUM(int, "", "the datum ends inside a number"),
    DATUM(int, "\x80", "the datum ends inside a number"),
    DATUM(int, "\xff\xff\xff\xff\x0f", NULL),
    DATUM(int, "\x80\x80\x80\x80\x10", "an int has more than 32 bits"),
    DATUM(int, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "an int has more than 32 bits"),
    DATUM(int, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", "a number has more than 64 bits"),
    DATUM(long, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", NULL),
    DATUM(long, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "a number has more than 64 bits"),
    DATUM(long, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", "a number has more than 64 bits"),
    DATUM(long, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", "the datum ends inside a number"),
    DATUM(long, "\x80\x00", NULL), /* longer than it need be, as other decoders accept */
    DATUM(float, "\x00\x00\x00", "the datum ends early"),
    DATUM(double, "\x00\x00\x00\x00\x00\x00\x00", "the datum ends early"),
    DATUM(bytes, "\x01", "a length is negative"),
    DATUM(bytes, "\x02", "a length goes beyond the end"),
    DATUM(bytes, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", "a length goes beyond the end"),
    DATUM(bytes, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "a length goes beyond the end"),
    DATUM(string,
          "\x04"
          "a",
          "a length goes beyond the end"),
    DATUM(string, "\x02\x80", "not valid UTF-8"),
    DATUM(string, "\x04\xc0\x80", "not valid UTF-8"),
    DATUM(string, "\x04\xc3\x28", "not valid UTF-8"),
    DATUM(string, "\x06\xe0\x80\x80", "not valid UTF-8"),
    DATUM(string, "\x06\xed\xa0\x80", "not valid UTF-8"),
    DATUM(string, "\x08\xf0\x80\x80\x80", "not valid UTF-8"),
    DATUM(string, "\x08\xf4\x90\x80\x80", "not valid UTF-8"),
    DATUM(string, "\x02\xf8", "not valid UTF-8"),
    DATUM(string,
          "\x12"
          "12345678\xc3",
          "not valid UTF-8"),
    DATUM(string,
          "\x14"
          "12345678\xc3\xa9",
          NULL),
    DATUM(string,
          "\x16"
          "\xc3\xa9"
          "123456789",
          NULL),
    DATUM(string, "\x06\xe2\x82\xac", NULL),
    DATUM(string, "\x08\xf0\x9f\x98\x80", NULL),
    DATUM(string, "\x02\x00", NULL),
    DATUM(fixed, "ab", "the datum ends early"),
    DATUM(no_fixed, "", NULL),
    DATUM(no_fixed, "a", "bytes are left over"),
    DATUM(enum, "\x06", "an enum's index is out of range"),
    DATUM(enum, "\x01", "an enum's index is out of range"),
    DATUM(enum, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", "an enum's index is out of range"),
    DATUM(enum, "", "the datum ends inside a number"),
    DATUM(wide_enum, "\xc6\x01", NULL),
    DATUM(wide_enum, "\xc8\x01", "an enum's index is out of range"),
    DATUM(optional, "\x04", "a union's index is out of range"),
    DATUM(optional, "\x01", "a union's index is out of range"),
    DATUM(optional, "\x02", "the datum ends inside a number"),
    DATUM(choice, "\x06", "a union's index is out of range"),
    DATUM(choice, "", "the datum ends inside a number"),
    DATUM(wide_choice, "\x8c\x01\x00", NULL),
    DATUM(wide_choice, "\x8e\x01\x00", "a union's index is out of range"),
    DATUM(ints, "", "the datum ends inside a number"),
    DATUM(ints, "\x02\x02", "the datum ends inside a number"),
    DATUM(ints, "\x02\x02\x00", NULL),
    DATUM(ints, "\x02\x02\x02\x04\x00", NULL), /* two blocks */
    DATUM(ints, "\x01\x02\x02\x00", NULL),     /* a block with its size */
    DATUM(ints, "\x01\x02\x80\x01\x00", "a block's size is not the size of its items"),
    DATUM(ints, "\x01\x04\x02\x00", "a block's size is not the size of its items"),
    DATUM(ints, "\x01\x01\x02\x00", "a block's size is negative"),
    DATUM(ints, "\x01\x10\x02\x00", "a block's size goes beyond the end"),
    DATUM(ints, "\x01", "the datum ends inside a number"),
    DATUM(ints, "\x10\x02\x00", "a block has more items than the datum can hold"),
    DATUM(ints, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x00", "more items than the datum can hold"),
    DATUM(ints, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x02\x00", "more items than the datum can hold"),
    DATUM(nulls, "\x80\x80\x08\x00", NULL), /* 65,536 */
    DATUM(nulls, "\x82\x80\x08\x00", "more items than the datum can hold"),
    DATUM(nulls, "\xc0\x84\x3d\x00", "more items than the datum can hold"), /* 500,000 */
    DATUM(nulls, "\x80\x80\x08\x02\x00", "more items than the datum can hold"),
    DATUM(nulls, "\x02\x02\x02\x00", NULL),
    DATUM(longs,
          "\x02\x02"
          "k\x02\x00",
          NULL),
    DATUM(longs, "\x02\x02\xff\x02\x00", "not valid UTF-8"),
    DATUM(longs,
          "\x02\x02"
          "k\x00",
          "the datum ends inside a number"),
    DATUM(nested, "\x02\x02\x02\x08\x00\x00\x00", NULL),
    DATUM(nested, "\x02\x02\x02\x08\x00\x00", "the datum ends inside a number"),
    DATUM(list, "\x02\x02\x04\x00", NULL),
    DATUM(list, "\x02\x02\x04\x02", "the datum ends inside a number"),
};

static pdr_code decode(const hostile_datum *d, pdr_error *err)
{
    /* A copy of the exact size, so that the sanitizer sees a read past its end. */
    union {
        max_align_t align;
        char bytes[1024];
    } value;
    uint8_t *copy = pdr_memdup(d->bytes, d->size);
    pdr_arena_clear(&arena);
    pdr_code code = d->type->decode(pdr_bytes_of(copy, d->size), &arena, &value, err);
    if (code == PDR_OK) {
        pdr_buf_clear(&out);
        cr_expect_eq(d->type->print(&value, &out), PDR_OK, "%s", d->type->name);
        cr_expect_eq(d->type->encode(&value, &out, err), PDR_OK, "%s", d->type->name);
    }
    pdr_free(copy);
    return code;
}

Test(hostile, every_datum_of_the_table_gets_its_verdict_and_its_reason)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        pdr_error err = {.message = ""};
        pdr_code code = decode(&table[i], &err);
        cr_expect_eq(code, table[i].message ? PDR_BAD_DATA : PDR_OK, "%zu: %s %s", i, table[i].type->name,
                     err.message);
        if (table[i].message)
            cr_expect(strstr(err.message, table[i].message), "%zu: says %s, wants %s", i, err.message,
                      table[i].message);
    }
}

static void small_everything(every_everything *e)
{
    every_everything_init(e);
    e->day.present = true;
    e->price = pdr_bytes_of("123", 3);
    pdr_buf_clear(&out);
    cr_assert_eq(every_everything_encode(e, &out, NULL), PDR_OK);
}

Test(hostile, a_datum_cut_at_any_byte_is_refused)
{
    every_everything e;
    small_everything(&e);
    for (size_t size = 0; size < out.size; size++) {
        uint8_t *copy = pdr_memdup(out.data, size);
        pdr_arena_clear(&arena);
        cr_expect_eq(every_everything_decode(pdr_bytes_of(copy, size), &arena, &e, NULL), PDR_BAD_DATA, "%zu",
                     size);
        pdr_free(copy);
    }
}

Test(hostile, a_datum_with_any_byte_changed_is_refused_or_prints)
{
    every_everything e;
    pdr_buf text = PDR_BUF_INIT(1 << 24);
    small_everything(&e);
    for (size_t at = 0; at < out.size; at++) {
        for (unsigned byte = 0; byte < 256; byte += 5) {
            uint8_t *copy = pdr_memdup(out.data, out.size);
            copy[at] = (uint8_t)byte;
            pdr_arena_clear(&arena);
            pdr_buf_clear(&text);
            if (every_everything_decode(pdr_bytes_of(copy, out.size), &arena, &e, NULL) == PDR_OK)
                cr_expect_eq(every_everything_print(&e, &text), PDR_OK);
            pdr_free(copy);
        }
    }
    pdr_buf_release(&text);
}

/* ---- ceilings ---- */

static void list_of(unsigned depth)
{
    pdr_buf_clear(&out);
    for (unsigned i = 1; i < depth; i++)
        cr_assert_eq(pdr_buf_append(&out, "\x00\x02", 2), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "\x00\x00", 2), PDR_OK);
}

Test(hostile, recursion_is_decoded_and_encoded_up_to_its_ceiling)
{
    small_list list, one = {0, {true, NULL}};
    pdr_error err;
    list_of(PDR_WIRE_MAX_DEPTH);
    cr_assert_eq(small_list_decode(pdr_buf_bytes(&out), &arena, &list, &err), PDR_OK, "%s", err.message);
    pdr_buf again = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(small_list_encode(&list, &again, &err), PDR_OK, "%s", err.message);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&out), pdr_buf_bytes(&again)));
    one.next.value = &list;
    cr_expect_eq(small_list_encode(&one, &again, &err), PDR_INVALID_ARGUMENT);
    cr_expect(strstr(err.message, "nested too deeply"), "%s", err.message);
    pdr_buf_release(&again);
    list_of(PDR_WIRE_MAX_DEPTH + 1);
    cr_expect_eq(small_list_decode(pdr_buf_bytes(&out), &arena, &list, &err), PDR_BAD_DATA);
    cr_expect(strstr(err.message, "nested too deeply"), "%s", err.message);
}

Test(hostile, a_value_that_holds_itself_is_refused)
{
    small_list loop = {1, {true, &loop}};
    small_wood wood = {{1, &wood}};
    pdr_error err;
    cr_expect_eq(small_list_encode(&loop, &out, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(small_wood_encode(&wood, &out, &err), PDR_INVALID_ARGUMENT);
    cr_expect_eq(small_list_print(&loop, &out), PDR_INVALID_ARGUMENT);
    cr_expect_eq(out.size, 0);
}

Test(hostile, the_arenas_ceiling_bounds_a_decode)
{
    pdr_arena tight = PDR_ARENA_INIT(4096);
    small_strings strings;
    pdr_error err;
    pdr_buf_clear(&out);
    cr_assert_eq(pdr_buf_append(&out, "\xd0\x0f", 2),
                 PDR_OK); /* 1,000 empty strings: 16 bytes each in memory */
    for (int i = 0; i < 1001; i++)
        cr_assert_eq(pdr_buf_append(&out, "\x00", 1), PDR_OK);
    cr_expect_eq(small_strings_decode(pdr_buf_bytes(&out), &tight, &strings, &err), PDR_TOO_LARGE);
    cr_expect(strstr(err.message, "test.small.Strings.v: over the arena's ceiling of 4096"), "%s",
              err.message);
    cr_expect_leq(tight.held, 4096);
    cr_expect_eq(small_strings_decode(pdr_buf_bytes(&out), &arena, &strings, &err), PDR_OK);
    cr_expect_eq(strings.v.count, 1000);
    cr_expect_eq(small_strings_decode(pdr_buf_bytes(&out), NULL, &strings, &err), PDR_INVALID_ARGUMENT);
    pdr_arena_release(&tight);
}

Test(hostile, many_blocks_take_memory_in_proportion)
{
    small_ints ints;
    pdr_buf_clear(&out);
    for (int i = 0; i < 20000; i++)
        cr_assert_eq(pdr_buf_append(&out, "\x02\x02", 2), PDR_OK);
    cr_assert_eq(pdr_buf_append(&out, "\x00", 1), PDR_OK);
    cr_assert_eq(small_ints_decode(pdr_buf_bytes(&out), &arena, &ints, NULL), PDR_OK);
    cr_expect_eq(ints.v.count, 20000);
    cr_expect_eq(ints.v.items[19999], 1);
    cr_expect_lt(arena.used, 20000 * 4 * 4);
}

/* ---- values that may not be encoded ---- */

static void expect_refused(const pdr_type *type, const void *value, const char *message)
{
    pdr_error err = {.message = ""};
    pdr_buf_clear(&out);
    cr_assert_eq(pdr_buf_append(&out, "kept", 4), PDR_OK);
    cr_expect_eq(type->encode(value, &out, &err), PDR_INVALID_ARGUMENT, "%s", type->name);
    cr_expect(strstr(err.message, message), "says %s, wants %s", err.message, message);
    cr_expect_eq(out.size, 4);
    cr_expect_eq(type->encode(value, &out, NULL), PDR_INVALID_ARGUMENT);
}

Test(hostile, strings_that_are_not_utf8_are_not_encoded)
{
    static const char *const bad[] = {"\xff", "ab\xc3", "abcd\xc3", "abcdefgh\x80",
                                      "abcdefghijklmnopq\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        small_string s = {pdr_string_of(bad[i])};
        expect_refused(&small_string_type, &s, "test.small.String.v: a string must be valid UTF-8");
    }
    small_string none = {{NULL, 3}};
    expect_refused(&small_string_type, &none, "test.small.String.v");
    small_bytes no_bytes = {{NULL, 3}};
    expect_refused(&small_bytes_type, &no_bytes, "test.small.Bytes.v: bytes with a size have no data");
}

Test(hostile, indexes_out_of_range_are_not_encoded)
{
    small_enum e;
    small_choice c = {{0}};
    int three = 3, minus = -1;
    memcpy(&e.v, &three, sizeof e.v);
    expect_refused(&small_enum_type, &e, "no symbol has this value");
    memcpy(&e.v, &minus, sizeof e.v);
    expect_refused(&small_enum_type, &e, "no symbol has this value");
    cr_expect_eq(small_enum_print(&e, &out), PDR_INVALID_ARGUMENT);
    memcpy(&c.v.tag, &three, sizeof c.v.tag);
    expect_refused(&small_choice_type, &c, "no branch has this tag");
    cr_expect_eq(small_choice_print(&c, &out), PDR_INVALID_ARGUMENT);
}

Test(hostile, counts_without_items_are_not_encoded)
{
    small_ints ints = {{2, NULL}};
    small_longs longs = {{2, NULL}};
    small_nulls nulls = {{PDR_WIRE_MAX_EMPTY_ITEMS + 1, (pdr_null *)&ints}};
    small_list list = {0, {true, NULL}};
    expect_refused(&small_ints_type, &ints, "a pointer to a value is NULL");
    expect_refused(&small_longs_type, &longs, "a pointer to a value is NULL");
    expect_refused(&small_list_type, &list, "test.small.List.next: a pointer to a value is NULL");
    expect_refused(&small_nulls_type, &nulls, "too many items that take no bytes");
    cr_expect_eq(small_ints_print(&ints, &out), PDR_INVALID_ARGUMENT);
    cr_expect_eq(small_list_print(&list, &out), PDR_INVALID_ARGUMENT);
}

Test(hostile, sizes_beyond_all_bounds_are_refused_before_anything_is_read)
{
    char byte = 'x';
    small_bytes huge = {{(uint8_t *)&byte, SIZE_MAX}};
    small_ints many = {{SIZE_MAX / 2, (int32_t *)&byte}};
    pdr_error err;
    cr_expect_eq(small_bytes_encode(&huge, &out, &err), PDR_TOO_LARGE);
    cr_expect_eq(small_ints_encode(&many, &out, &err), PDR_TOO_LARGE);
}

Test(hostile, a_buffers_ceiling_is_kept_but_the_bound_does_not_count_against_it)
{
    small_string s = {pdr_string_of("12345678901234567890")}; /* 21 bytes; the bound is more */
    pdr_buf fits = PDR_BUF_INIT(21), tight = PDR_BUF_INIT(20);
    pdr_error err;
    cr_expect_eq(small_string_encode(&s, &fits, &err), PDR_OK, "%s", err.message);
    cr_expect_eq(fits.size, 21);
    cr_expect_eq(small_string_encode(&s, &tight, &err), PDR_TOO_LARGE);
    cr_expect_eq(tight.size, 0);
    pdr_buf_release(&fits);
    pdr_buf_release(&tight);
}
