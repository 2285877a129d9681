/* Claims that a plan agrees with the generated decode where both can read: the writer's schema is the
 * reader's in another namespace, so that the fingerprints differ and the plan has to take the long way. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/mem.h"
#include "every.gen.h"
#include "random_value.h"
#include "schemas/plan.h"
#include "small.gen.h"

enum { VALUES = 60, CEILING = 1 << 22 };

static pdr_arena made = PDR_ARENA_INIT(1 << 26), arena = PDR_ARENA_INIT(CEILING);
static pdr_buf datum = PDR_BUF_INIT(1 << 20), again = PDR_BUF_INIT(1 << 20), wanted = PDR_BUF_INIT(1 << 20);

static void release(void)
{
    pdr_arena_release(&made);
    pdr_arena_release(&arena);
    pdr_buf_release(&datum);
    pdr_buf_release(&again);
    pdr_buf_release(&wanted);
}

TestSuite(plan_same, .fini = release);

static pdr_plan *plan_of(const pdr_type *type)
{
    pdr_plan *plan = NULL;
    pdr_error err = {.message = ""};
    char *writer = pdr_strdup(type->schema);
    for (char *c = strstr(writer, "test."); c; c = strstr(c, "test."))
        memcpy(c, "past.", 5);
    cr_assert_eq(pdr_plan_open(&plan, pdr_string_of(writer), type, &err), PDR_OK, "%s", err.message);
    cr_assert_neq(pdr_plan_writer(plan), type->fingerprint);
    pdr_free(writer);
    return plan;
}

/* Both read a copy of the exact size, and say the same. */
static pdr_code expect_same(const pdr_plan *plan, const uint8_t *bytes, size_t size, void *value)
{
    const pdr_type *type = pdr_plan_reader(plan);
    pdr_error straight_err = {.message = ""}, err = {.message = ""};
    uint8_t *copy = pdr_memdup(bytes, size);
    pdr_arena_clear(&arena);
    pdr_code straight = type->decode(pdr_bytes_of(copy, size), &arena, value, &straight_err);
    pdr_buf_clear(&wanted);
    if (straight == PDR_OK) cr_assert_eq(type->encode(value, &wanted, NULL), PDR_OK);
    pdr_arena_clear(&arena);
    memset(value, 0xA5, type->size);
    pdr_code code = pdr_plan_decode(plan, pdr_bytes_of(copy, size), &arena, value, &err);
    cr_assert_eq(code, straight, "%s: %s (%s), straight %s (%s)", type->name, pdr_code_name(code),
                 err.message, pdr_code_name(straight), straight_err.message);
    pdr_buf_clear(&again);
    if (code == PDR_OK) cr_assert_eq(type->encode(value, &again, NULL), PDR_OK);
    cr_assert(pdr_bytes_equal(pdr_buf_bytes(&again), pdr_buf_bytes(&wanted)), "%s: another value",
              type->name);
    pdr_free(copy);
    return code;
}

static void expect_type_same(const pdr_type *type)
{
    pdr_plan *plan = plan_of(type);
    void *value = malloc(type->size);
    for (uint64_t seed = 0; seed < VALUES; seed++) {
        pdr_arena_clear(&made);
        pdr_buf_clear(&datum);
        cr_assert(random_value(type, value, seed, &made));
        cr_assert_eq(type->encode(value, &datum, NULL), PDR_OK);
        cr_expect_eq(expect_same(plan, datum.data, datum.size, value), PDR_OK);
        for (size_t size = seed % 7; size < datum.size; size += 1 + datum.size / 64)
            (void)expect_same(plan, datum.data, size, value);
        for (size_t at = seed % 5; at < datum.size; at += 1 + datum.size / 64) {
            uint8_t was = datum.data[at];
            datum.data[at] = (uint8_t)(was * 31 + seed + at);
            (void)expect_same(plan, datum.data, datum.size, value);
            datum.data[at] = was;
        }
    }
    free(value);
    pdr_plan_close(plan);
}

Test(plan_same, as_the_generated_decode_for_random_values_cut_and_changed)
{
    for (int i = 0; i < EVERY_TYPE_COUNT; i++)
        expect_type_same(every_types[i]);
    for (int i = 0; i < SMALL_TYPE_COUNT; i++)
        expect_type_same(small_types[i]);
}
