#include "tests/unit/upcasters/toys.h"

#include <criterion/criterion.h>
#include <stdarg.h>

static pdr_type toys[TOYS];
static char names[TOYS][40];
static size_t count;

const pdr_type *toy(const char *name, uint32_t version)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(toys[i].name, name) == 0 && toys[i].version == version) return &toys[i];
    cr_assert_lt(count, TOYS);
    pdr_type *type = &toys[count];
    *type = sim_deposited_type;
    strncpy(names[count], name, sizeof names[0] - 1);
    type->name = names[count];
    type->version = version;
    type->fingerprint = 0x7011000000000000u + 8 * count++; /* they meet in few slots of the table */
    return type;
}

const pdr_type *const *toy_list(size_t size, ...)
{
    static const pdr_type *all[TOYS];
    static size_t used;
    va_list args;
    const pdr_type **list = all + used;
    cr_assert_leq(used + size, TOYS);
    va_start(args, size);
    for (size_t i = 0; i < size; i++)
        list[i] = va_arg(args, const pdr_type *);
    va_end(args);
    used += size;
    return list;
}

void toy_fill(pdr_chain_spec *spec, pdr_upcaster *steps)
{
    for (uint32_t version = 1; version <= 2; version++) {
        bool is_there = false;
        for (size_t i = 0; i < spec->upcaster_count; i++)
            is_there |= steps[i].from == toy("Offer", version);
        if (!is_there)
            steps[spec->upcaster_count++] =
                (pdr_upcaster){toy("Offer", version), toy_list(1, toy("Offer", version + 1)), 1, toy_double};
    }
}

void toy_double(const pdr_event *event, pdr_upcast *out)
{
    sim_fact fact = *(const sim_fact *)event->value;
    fact.amount *= 2;
    pdr_upcast_emit(out, toy(event->type->name, event->type->version + 1), &fact);
}
