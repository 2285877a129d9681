/* Sample values for golden payloads. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "every.gen.h"
#include "schemas/sample.h"

static pdr_arena arena = PDR_ARENA_INIT(16 * 1024 * 1024);
static pdr_buf one = PDR_BUF_INIT(1024 * 1024), two = PDR_BUF_INIT(1024 * 1024);
static pdr_error err;

static void release(void)
{
    pdr_arena_release(&arena);
    pdr_buf_release(&one);
    pdr_buf_release(&two);
}

TestSuite(sample, .fini = release);

static void encode(const pdr_type *type, unsigned variant, pdr_buf *out)
{
    void *value = pdr_arena_alloc(&arena, type->size);
    memset(value, 0xAA, type->size);
    pdr_buf_clear(out);
    cr_assert_eq(pdr_sample_fill(type->layout, variant, &arena, value, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(type->encode(value, out, &err), PDR_OK, "%s variant %u: %s", type->name, variant,
                 err.message);
}

Test(sample, every_type_has_values_that_its_schema_allows_and_that_come_back)
{
    for (int i = 0; i < EVERY_TYPE_COUNT; i++) {
        const pdr_type *type = every_types[i];
        for (unsigned variant = 0; variant < pdr_sample_variants(type->layout); variant++) {
            void *back = pdr_arena_alloc(&arena, type->size);
            encode(type, variant, &one);
            cr_assert_eq(type->decode(pdr_buf_bytes(&one), &arena, back, &err), PDR_OK, "%s", err.message);
            cr_assert_eq(type->encode(back, &two, NULL), PDR_OK);
            cr_expect(pdr_bytes_equal(pdr_buf_bytes(&one), pdr_buf_bytes(&two)), "%s", type->name);
            pdr_buf_clear(&two);
        }
    }
}

Test(sample, the_same_variant_is_the_same_value_and_another_is_another)
{
    encode(&every_everything_type, 0, &one);
    encode(&every_everything_type, 0, &two);
    cr_expect(pdr_bytes_equal(pdr_buf_bytes(&one), pdr_buf_bytes(&two)));
    encode(&every_everything_type, 1, &two);
    cr_expect_not(pdr_bytes_equal(pdr_buf_bytes(&one), pdr_buf_bytes(&two)));
}

Test(sample, the_variants_show_every_branch)
{
    bool seen[7] = {false};
    cr_assert_eq(pdr_sample_variants(every_everything_type.layout), 7);
    for (unsigned variant = 0; variant < 7; variant++) {
        every_everything value;
        cr_assert_eq(pdr_sample_fill(every_everything_type.layout, variant, &arena, &value, NULL), PDR_OK);
        seen[value.choice.tag] = true;
        cr_expect_eq(value.maybe.present, variant % 2 == 0);
    }
    for (int i = 0; i < 7; i++)
        cr_expect(seen[i], "branch %d", i);
}

Test(sample, no_field_is_its_default)
{
    every_everything value, initial;
    every_everything_init(&initial);
    cr_assert_eq(pdr_sample_fill(every_everything_type.layout, 0, &arena, &value, NULL), PDR_OK);
    cr_expect(pdr_string_equal(value.text, pdr_string_of("text")));
    cr_expect_neq(value.small, initial.small);
    cr_expect_neq(value.large, initial.large);
    cr_expect_neq(value.colour, initial.colour);
    cr_expect_eq(value.numbers.count, 2);
    cr_expect_gt(value.at, 1577836800000000);
}

Test(sample, running_out_of_memory_at_any_place_is_told)
{
    uint64_t failed = 0;
    for (pdr_code code = PDR_NOMEM; code != PDR_OK; failed++) {
        every_everything value;
        pdr_arena_release(&arena);
        pdr_mem_fail_at(failed + 1);
        code = pdr_sample_fill(every_everything_type.layout, 0, &arena, &value, NULL);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM);
    }
    cr_expect_gt(failed, 2u);
}
