/* The table of residents against a simple model. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/entity_table.h"

enum { KEYS = 700, STEPS = 40000 };

static pdr_bytes key_of(char *text, size_t size, unsigned i)
{
    return pdr_bytes_of(text, (size_t)snprintf(text, size, "acct/%u", i));
}

static void expect_like(const pdr_entity_table *table, pdr_entity *const *model)
{
    size_t here = 0, at = 0;
    char text[32];
    for (unsigned i = 0; i < KEYS; i++) {
        pdr_bytes key = key_of(text, sizeof text, i);
        cr_assert_eq(pdr_entity_find(table, key, pdr_key_hash(key)), model[i], "key %u", i);
        here += model[i] != NULL;
    }
    for (size_t i = 0; table->slots && i <= table->mask; i++)
        at += pdr_entity_at(table, i) != NULL;
    cr_assert_eq(table->count, here);
    cr_assert_eq(at, here);
}

/* Some hashes are made up, so that runs are long and go round the table's end. */
static uint64_t random_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

Test(entity_table, adds_finds_and_removes_like_a_model)
{
    static pdr_entity *model[KEYS];
    pdr_entity_table table;
    uint64_t random = 7;
    char text[32];
    pdr_entity_table_init(&table);
    expect_like(&table, model);
    for (int step = 0; step < STEPS; step++) {
        /* It fills and empties in turn. */
        unsigned i = (unsigned)(random_next(&random) % KEYS);
        bool fills = (step / 5000) % 2 == 0 ? random_next(&random) % 8 != 0 : random_next(&random) % 8 == 0;
        pdr_bytes key = key_of(text, sizeof text, i);
        if (fills && !model[i])
            cr_assert_eq(pdr_entity_add(&table, key, pdr_key_hash(key), &model[i]), PDR_OK);
        if (!fills && model[i]) {
            pdr_entity_remove(&table, model[i]);
            model[i] = NULL;
        }
        if (step % 500 == 0) expect_like(&table, model);
    }
    for (unsigned i = 0; i < KEYS; i++)
        if (model[i]) pdr_entity_remove(&table, model[i]);
    pdr_entity_table_release(&table);
}

Test(entity_table, a_run_that_goes_round_the_end_closes_its_holes)
{
    enum { MOST = 40 };
    pdr_entity_table table;
    pdr_entity *made[MOST];
    char text[32];
    unsigned count = 0;
    pdr_entity_table_init(&table);
    for (unsigned i = 0; count < MOST; i++) {
        pdr_bytes key = key_of(text, sizeof text, i);
        if ((pdr_key_hash(key) & 63) < 56) continue; /* home in the last slots of the smallest table */
        cr_assert_eq(pdr_entity_add(&table, key, pdr_key_hash(key), &made[count++]), PDR_OK);
    }
    cr_assert_eq(table.mask, 63u);
    for (unsigned first = 0; first < 3; first++)
        for (unsigned i = first; i < MOST; i += 3) {
            pdr_entity_remove(&table, made[i]);
            made[i] = NULL;
            for (unsigned j = 0; j < MOST; j++)
                if (made[j])
                    cr_assert_eq(pdr_entity_find(&table, pdr_entity_key(made[j]),
                                                 pdr_key_hash(pdr_entity_key(made[j]))),
                                 made[j]);
        }
    cr_expect_eq(table.count, 0u);
    pdr_entity_table_release(&table);
}

Test(entity_table, a_new_entity_is_all_zero_but_its_key)
{
    pdr_entity_table table;
    pdr_entity *e;
    static char longest[PDR_MAX_ENTITY_ID];
    memset(longest, 'k', sizeof longest);
    pdr_bytes key = pdr_bytes_of(longest, sizeof longest);
    pdr_entity_table_init(&table);
    cr_assert_eq(pdr_entity_add(&table, key, pdr_key_hash(key), &e), PDR_OK);
    cr_expect(pdr_bytes_equal(pdr_entity_key(e), key));
    cr_expect_eq(e->flags, 0u);
    cr_expect_eq(e->seq, 0u);
    cr_expect_null(e->state.value);
    cr_expect_leq(pdr_entity_shell_bytes(e), sizeof longest + 256);
    pdr_entity_remove(&table, e);
    pdr_entity_table_release(&table);
}

Test(entity_table, an_add_without_memory_changes_nothing)
{
    pdr_entity_table table;
    pdr_entity *e = NULL;
    pdr_bytes key = pdr_bytes_of("acct/1", 6);
    pdr_entity_table_init(&table);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        pdr_mem_fail_at(nth);
        cr_expect_eq(pdr_entity_add(&table, key, pdr_key_hash(key), &e), PDR_NOMEM);
        pdr_mem_fail_at(0);
        cr_expect_eq(table.count, 0u);
        cr_expect_null(pdr_entity_find(&table, key, pdr_key_hash(key)));
        pdr_entity_table_release(&table);
    }
}
