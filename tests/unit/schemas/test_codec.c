/* Claims about generated structs: defaults, encode, decode, printing. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "every.gen.h"
#include "perdure/sys/wire.h"

static pdr_buf out = PDR_BUF_INIT(1 << 20);
static pdr_arena arena = PDR_ARENA_INIT(1 << 20);

static void release(void)
{
    pdr_buf_release(&out);
    pdr_arena_release(&arena);
    pdr_mem_fail_at(0);
}

TestSuite(codec, .fini = release);

static void cr_text(const char *expected)
{
    cr_assert_eq(pdr_buf_append(&out, "", 1), PDR_OK);
    cr_expect_str_eq((const char *)out.data, expected);
}

static void filled(every_everything *e)
{
    every_everything_init(e);
    e->at = 1322697600000000;
    e->price = pdr_bytes_of("\x01\x00", 2);
    e->broken = pdr_string_of("\xe2\x82\xac");
    e->odd = pdr_string_of("");
    e->day.present = true;
    e->day.value = -1;
    e->choice.tag = EVERY_EVERYTHING_CHOICE_IS_STRING;
}

static void encode(const every_everything *e)
{
    pdr_error err;
    pdr_buf_clear(&out);
    cr_assert_eq(every_everything_encode(e, &out, &err), PDR_OK, "%s", err.message);
}

Test(codec, init_sets_every_default_also_nested_ones)
{
    every_everything e;
    every_everything_init(&e);
    pdr_buf_clear(&out);
    cr_assert_eq(every_everything_print(&e, &out), PDR_OK);
    cr_text(
        "{\"nothing\":null,\"truth\":true,\"small\":-2147483648,\"large\":-9223372036854775808,\"single\":1."
        "5,"
        "\"real\":-0.0025,\"raw\":\"\\u0000\\u00ff?\",\"text\":\"h\xc3\xa9llo \\\"quoted\\\" "
        "?\?=\",\"colour\":"
        "\"GREEN\",\"digest\":\"\\u0001\\u0002\\u0003\\u00ff\",\"numbers\":[1,0,-3],\"pairs\":{\"one\":1,"
        "\"two\":2},\"maybe\":null,\"perhaps\":7,\"inner\":{\"id\":\"none\",\"tags\":[\"a\",\"b\"],\"class\":"
        "4},"
        "\"choice\":\"first\",\"inners\":[{\"id\":\"x\",\"tags\":[],\"class\":3},{\"id\":\"none\",\"tags\":"
        "[\"a\",\"b\"],\"class\":3}],\"index\":{\"k\":[{\"n\":null}]},\"at\":0,\"price\":\"\",\"broken\":"
        "\"\","
        "\"odd\":\"\",\"day\":null,\"voids\":[],\"lonely\":null,\"empty\":{}}");
}

Test(codec, what_was_encoded_decodes_to_the_same_value)
{
    every_everything e, back;
    pdr_error err;
    filled(&e);
    encode(&e);
    cr_assert_eq(every_everything_decode(pdr_buf_bytes(&out), &arena, &back, &err), PDR_OK, "%s",
                 err.message);
    pdr_buf first = PDR_BUF_INIT(1 << 20), second = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(every_everything_print(&e, &first), PDR_OK);
    cr_assert_eq(every_everything_print(&back, &second), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&first), pdr_buf_bytes(&second)));
    pdr_buf_release(&first);
    pdr_buf_release(&second);
}
