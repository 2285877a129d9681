/* Every allocation of an owner's life made to fail in turn: nothing is lost, wrong or done twice, and it
 * serves again. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/owner_core.h"
#include "tests/unit/journal/owner_probe.h"

enum { ENTITIES = 3, COMMANDS = 4, TRIES = 4 };

/* Encoded before, so that only the owner's own allocations are counted. */
static uint8_t payload_bytes[64];
static pdr_bytes payload;

static void encode_payload(void)
{
    sim_fact fact = {1, 5, 2, {"note", 4}};
    pdr_buf buf = PDR_BUF_INIT(64);
    cr_assert_eq(sim_deposit_type.encode(&fact, &buf, NULL), PDR_OK);
    memcpy(payload_bytes, buf.data, buf.size);
    payload = pdr_bytes_of(payload_bytes, buf.size);
    pdr_buf_release(&buf);
}

static void serve(probe *p)
{
    pdr_code code = probe_open(p);
    if (code == PDR_NOMEM) code = probe_open(p);
    cr_assert_eq(code, PDR_OK);
    pdr_owner_assign(p->owner, 0);
    cr_assert(probe_until_state(p, PDR_OWNER_SERVING));
}

/* Asked until it is answered as it should be; only memory may be short, and only once. */
static void ask(probe *p, const pdr_cmd_spec *spec, int *shortages)
{
    probe_answer *a = spec->context;
    for (int tries = 0; tries < TRIES; tries++) {
        a->count = 0;
        pdr_code code = probe_submit(p, spec);
        if (code == PDR_OK) {
            cr_assert(probe_until_answered(p, a));
            code = a->code;
        }
        cr_assert_leq(a->count, 1);
        if (code == PDR_OK) return;
        cr_assert_eq(code, PDR_NOMEM);
        ++*shortages;
        probe_run(p, 200000); /* an entity that found no memory has left */
    }
    cr_assert_fail("still without memory");
}

static void command(probe *p, int entity, int number, bool known, int *shortages)
{
    static probe_answer a;
    char key[16], id[16], balance[16];
    snprintf(key, sizeof key, "acct/%d", entity);
    snprintf(id, sizeof id, "id-%d", number);
    snprintf(balance, sizeof balance, "%d", 10 * number);
    pdr_cmd_spec spec = probe_spec(key, id, &a);
    spec.request = PDR_REQUEST_DECIDE;
    spec.type = &sim_deposit_type;
    spec.payload = payload;
    ask(p, &spec, shortages);
    cr_assert_eq(a.seq, 2u * (uint64_t)number);
    cr_assert_eq(a.events, 2u);
    cr_assert_str_eq(a.text, balance);
    cr_assert_eq(a.repeated, known);
}

static void expect_all(probe *p, int *shortages)
{
    static probe_answer a;
    for (int entity = 0; entity < ENTITIES; entity++) {
        char key[16];
        snprintf(key, sizeof key, "acct/%d", entity);
        pdr_cmd_spec spec = probe_spec(key, NULL, &a);
        ask(p, &spec, shortages);
        cr_assert_eq(a.seq, 2u * COMMANDS);
        cr_assert(a.has_state);
    }
}

static void live(probe *p, uint64_t nth, int *shortages)
{
    pdr_mem_fail_at(nth);
    serve(p);
    for (int number = 1; number <= COMMANDS; number++)
        for (int entity = 0; entity < ENTITIES; entity++)
            command(p, entity, number, false, shortages);
    cr_assert(probe_until_clean(p));
    probe_run(p, 200000);
    command(p, 0, COMMANDS, true, shortages);
    pdr_own_recover(p->owner, PDR_IO, "for the test");
    cr_assert(probe_until_state(p, PDR_OWNER_SERVING));
    expect_all(p, shortages);
    /* Other handlers: states come from histories. */
    pdr_owner_close(p->owner);
    p->owner = NULL;
    p->app = sim_app(2);
    serve(p);
    expect_all(p, shortages);
    command(p, 1, COMMANDS, true, shortages);
}

/* A takeover with unsaved events. */
static void take_over(probe *p, uint64_t nth, int *shortages)
{
    p->settings.checkpointing = false;
    p->settings.tail_bytes = p->settings.check_handlers ? 0 : p->settings.tail_bytes;
    serve(p);
    for (int number = 1; number <= COMMANDS; number++)
        for (int entity = 0; entity < ENTITIES; entity++)
            command(p, entity, number, false, shortages);
    pdr_owner_close(p->owner);
    p->owner = NULL;
    pdr_mem_fail_at(nth);
    p->settings.checkpointing = true; /* an entity that found no memory leaves after its save */
    serve(p);
    expect_all(p, shortages);
    command(p, 2, COMMANDS, true, shortages);
    pdr_owner_resign(p->owner);
    cr_assert(probe_until_state(p, PDR_OWNER_IDLE));
}

/* How many allocations there are, or were until the failure. */
static uint64_t once(void (*scenario)(probe *p, uint64_t nth, int *shortages), bool check_handlers,
                     uint64_t nth)
{
    probe p;
    int shortages = 0;
    probe_init(&p);
    p.settings.idle_us = 0;
    p.settings.snapshot_age_us = 20000;
    p.settings.backoff_max_us = 100000;
    p.settings.check_handlers = check_handlers;
    scenario(&p, nth, &shortages);
    uint64_t counted = pdr_mem_count();
    pdr_mem_fail_at(0);
    cr_assert_leq(shortages, 1 + COMMANDS);
    probe_release(&p);
    return counted;
}

static void fail_each(void (*scenario)(probe *p, uint64_t nth, int *shortages), bool check_handlers)
{
    encode_payload();
    uint64_t nth = 1;
    while (once(scenario, check_handlers, nth) >= nth)
        nth++;
    cr_expect_gt(nth, 50u, "only %d allocations", (int)nth);
}

Test(owner_memory, each_allocation_may_fail_while_serving_saving_passivating_recovering)
{
    fail_each(live, false);
}

Test(owner_memory, each_allocation_may_fail_while_checking_handlers)
{
    fail_each(live, true);
}

Test(owner_memory, each_allocation_may_fail_in_a_takeover_with_unsaved_events)
{
    fail_each(take_over, false);
}

Test(owner_memory, each_allocation_may_fail_in_a_takeover_that_saves_as_it_reads)
{
    fail_each(take_over, true);
}
