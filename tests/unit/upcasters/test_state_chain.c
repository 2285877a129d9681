/* States of older revisions are brought forward along what the entity type declares, or that is refused. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "tests/sim/sim_entity.h"
#include "upcasters/state_chain.h"

static pdr_type old, older; /* the simulation's account under other fingerprints */
static pdr_state_upcaster steps[80];
static pdr_state_chain_spec spec;
static pdr_state_chain *chain;
static pdr_arena arena;

static void init(void)
{
    old = older = sim_state_type;
    old.fingerprint = 11;
    older.fingerprint = 12;
    spec = (pdr_state_chain_spec){"acct", &sim_state_type, 3, steps, 0};
    chain = NULL;
    arena = (pdr_arena)PDR_ARENA_INIT(1024 * 1024);
}

static void release(void)
{
    pdr_state_chain_close(chain);
    pdr_arena_release(&arena);
}

TestSuite(state_chain, .init = init, .fini = release);

static pdr_code double_it(const void *from, void *to, pdr_arena *memory)
{
    (void)memory;
    const sim_account *account = from;
    sim_account *next = to;
    cr_assert_eq(next->balance, 0, "it is as init left it");
    *next = (sim_account){2 * account->balance, account->ops + 1, account->note};
    return PDR_OK;
}

static pdr_code refuse_it(const void *from, void *to, pdr_arena *memory)
{
    (void)from;
    (void)to;
    (void)memory;
    return PDR_REFUSED;
}

static void step(const pdr_type *from, uint32_t from_revision, const pdr_type *to, uint32_t to_revision)
{
    steps[spec.step_count++] = (pdr_state_upcaster){from, from_revision, to, to_revision, double_it};
}

static void made(void)
{
    pdr_error err = {0};
    cr_assert_eq(pdr_state_chain_open(&chain, &spec, &err), PDR_OK, "%s", err.message);
}

static void refused(const char *words)
{
    pdr_error err = {0};
    cr_expect_eq(pdr_state_chain_open(&chain, &spec, &err), PDR_INVALID_ARGUMENT, "%s", words);
    cr_expect_not_null(strstr(err.message, words), "\"%s\" isn't in \"%s\"", words, err.message);
    cr_expect_not_null(strstr(err.message, "entity type acct"), "%s", err.message);
    chain = NULL;
}

static pdr_code read_as(uint64_t revision, int64_t balance, const sim_account **out, pdr_error *err)
{
    sim_account account = {balance, 1, {"note", 4}};
    pdr_buf packed = PDR_BUF_INIT(1000);
    cr_assert_eq(sim_state_type.encode(&account, &packed, NULL), PDR_OK);
    pdr_bytes copy = pdr_arena_bytes(&arena, pdr_buf_bytes(&packed));
    pdr_buf_release(&packed);
    void *value = NULL;
    pdr_code code = pdr_state_chain_read(chain, revision, copy, &arena, &value, err);
    *out = value;
    return code;
}

Test(state_chain, without_steps_reads_only_todays_revision)
{
    const sim_account *account;
    size_t count;
    pdr_error err;
    made();
    uint64_t today = pdr_state_revision(&sim_state_type, 3);
    cr_assert_eq(pdr_state_chain_revisions(chain, &count)[0], today);
    cr_assert_eq(count, 1);
    cr_assert_eq(read_as(today, 7, &account, &err), PDR_OK);
    cr_assert_eq(account->balance, 7);
    cr_assert_eq(read_as(today + 1, 7, &account, &err), PDR_UNKNOWN_SCHEMA);
}

Test(state_chain, takes_every_step_and_lists_nearer_revisions_first)
{
    step(&older, 0, &old, 9);
    step(&sim_state_type, 2, &sim_state_type, 3);
    step(&old, 9, &sim_state_type, 2);
    made();
    const uint64_t expected[] = {pdr_state_revision(&sim_state_type, 3),
                                 pdr_state_revision(&sim_state_type, 2), pdr_state_revision(&old, 9),
                                 pdr_state_revision(&older, 0)};
    size_t count;
    const uint64_t *revisions = pdr_state_chain_revisions(chain, &count);
    cr_assert_eq(count, 4);
    int64_t balance = 5;
    for (size_t i = 0; i < 4; i++, balance *= 2) {
        const sim_account *account;
        cr_assert_eq(revisions[i], expected[i]);
        cr_assert_eq(read_as(revisions[i], 5, &account, NULL), PDR_OK);
        cr_assert_eq(account->balance, balance);
        cr_assert_eq(account->ops, 1 + (int64_t)i);
        cr_assert(pdr_string_equal(account->note, pdr_string_of("note")));
    }
}

Test(state_chain, two_steps_from_one_state_are_refused)
{
    step(&old, 1, &sim_state_type, 3);
    step(&old, 1, &sim_state_type, 3);
    refused("there are two");
}

Test(state_chain, a_step_from_todays_state_is_refused)
{
    step(&sim_state_type, 3, &old, 1);
    refused("that is today's");
}

Test(state_chain, a_step_that_leads_nowhere_is_refused)
{
    step(&old, 1, &sim_state_type, 2);
    refused("neither to today's state nor to another step");
}

Test(state_chain, a_circle_is_refused)
{
    step(&old, 1, &older, 1);
    step(&older, 1, &old, 1);
    refused("back to itself");
}

Test(state_chain, a_step_without_a_type_or_too_many_are_refused)
{
    step(&old, 1, NULL, 0);
    refused("a step between states");
    spec.step_count = PDR_MAX_STATE_STEPS + 1;
    refused("at most 63");
    spec.step_count = 1;
    spec.steps = NULL;
    refused("1 steps between states");
}

Test(state_chain, a_step_that_fails_names_itself)
{
    const sim_account *account;
    pdr_error err;
    step(&old, 1, &sim_state_type, 3);
    steps[0].upcast = refuse_it;
    made();
    cr_assert_eq(read_as(pdr_state_revision(&old, 1), 5, &account, &err), PDR_BAD_HANDLER);
    cr_assert_not_null(strstr(err.message, "revision 1"), "%s", err.message);
}

Test(state_chain, bytes_that_are_no_state_are_refused)
{
    void *value;
    pdr_error err;
    step(&old, 1, &sim_state_type, 3);
    made();
    cr_assert_eq(pdr_state_chain_read(chain, pdr_state_revision(&old, 1), pdr_bytes_of("\xff", 1), &arena,
                                      &value, &err),
                 PDR_BAD_DATA);
}

Test(state_chain, every_allocation_may_fail)
{
    step(&old, 1, &sim_state_type, 3);
    for (uint64_t nth = 1;; nth++) {
        pdr_mem_fail_at(nth);
        pdr_code code = pdr_state_chain_open(&chain, &spec, NULL);
        pdr_mem_fail_at(0);
        if (code == PDR_OK) break;
        cr_assert_eq(code, PDR_NOMEM);
        chain = NULL;
    }
}
