/* Claims that a type made at run time is the one that the generator would have made. */
#include <criterion/criterion.h>

#include "every.gen.h"
#include "small.gen.h"
#include "tests/support/made_type.h"

enum { DEEP = 12 };

static void expect_layout(const pdr_layout *made, const pdr_layout *generated, const char *type,
                          unsigned depth)
{
    cr_assert_eq(made->kind, generated->kind, "%s", type);
    cr_assert_eq(made->count, generated->count, "%s", type);
    cr_expect_eq(made->size, generated->size, "%s: %zu, not %zu (kind %d)", type, made->size, generated->size,
                 (int)made->kind);
    cr_expect_eq(made->stride, generated->stride, "%s", type);
    cr_expect_eq(made->optional, generated->optional, "%s", type);
    cr_expect_eq(made->logical, generated->logical, "%s", type);
    cr_expect_eq(made->precision, generated->precision, "%s", type);
    cr_expect_eq(made->scale, generated->scale, "%s", type);
    if (generated->name) cr_expect_str_eq(made->name, generated->name);
    for (size_t i = 0; generated->symbols && i < generated->count; i++)
        cr_expect_str_eq(made->symbols[i], generated->symbols[i]);
    for (size_t i = 0; generated->members && i < generated->count; i++) {
        const pdr_layout_member *a = &made->members[i], *b = &generated->members[i];
        cr_expect_str_eq(a->name, b->name, "%s", type);
        cr_expect_eq(a->offset, b->offset, "%s.%s: at %zu, not %zu", type, a->name, a->offset, b->offset);
        cr_expect_eq(a->pointer, b->pointer, "%s.%s", type, a->name);
        if (depth < DEEP) expect_layout(a->type, b->type, type, depth + 1);
    }
}

static void expect_same(const pdr_type *generated)
{
    made_type made;
    pdr_error err = {.message = ""};
    cr_assert_eq(made_type_open(&made, pdr_string_of(generated->schema), &err), PDR_OK, "%s", err.message);
    cr_expect_str_eq(made.type.name, generated->name);
    cr_expect_eq(made.type.size, generated->size, "%s", generated->name);
    expect_layout(made.type.layout, generated->layout, generated->name, 0);
    made_type_close(&made);
}

Test(made_type, lies_in_memory_as_a_generated_one)
{
    for (size_t i = 0; i < EVERY_TYPE_COUNT; i++)
        expect_same(every_types[i]);
    for (size_t i = 0; i < SMALL_TYPE_COUNT; i++)
        expect_same(small_types[i]);
}

Test(made_type, is_made_of_records_only)
{
    made_type made;
    cr_expect_eq(made_type_open(&made, pdr_string_of("\"int\""), NULL), PDR_BAD_SCHEMA);
    made_type_close(&made);
    cr_expect_eq(made_type_open(&made, pdr_string_of("{"), NULL), PDR_BAD_SCHEMA);
    made_type_close(&made);
}
