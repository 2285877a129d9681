/* The owner and commits of another journal: kept as they were, told apart by their seqs alone. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "journal/stored_commit.h"
#include "schemas/schema.h"
#include "tests/unit/journal/owner_probe.h"

static probe p;

static void init(void)
{
    probe_init(&p);
}

static void release(void)
{
    probe_release(&p);
}

TestSuite(owner_import, .init = init, .fini = release);

/* A type that nobody declares. */
static const char strange_schema[] =
    "{\"type\":\"record\",\"name\":\"Strange\",\"namespace\":\"sim\",\"fields\":[]}";
static pdr_type strange = {.name = "sim.Strange", .schema = strange_schema};

/* The deposit that the owner itself would have decided: the same command's fingerprint, the same event. */
static uint64_t fingerprint_of(int64_t amount)
{
    probe_answer none;
    pdr_buf payload = PDR_BUF_INIT(1024);
    pdr_cmd *cmd;
    pdr_cmd_spec spec = probe_deposit("acct/1", "id", amount, 1, "", &payload, &none);
    cr_assert_eq(pdr_cmd_make(&cmd, &spec, NULL), PDR_OK);
    uint64_t fingerprint = cmd->fingerprint;
    pdr_cmd_free(cmd);
    pdr_buf_release(&payload);
    return fingerprint;
}

/* One event after `seq`. `type` NULL: a deposit. */
static pdr_code import(uint64_t seq, const char *id, int64_t amount, const pdr_type *type,
                       probe_answer *answer)
{
    pdr_buf payload = PDR_BUF_INIT(4096), datum = PDR_BUF_INIT(1024);
    sim_fact fact = {1, amount, 0, {"", 0}};
    if (!type) cr_assert_eq(sim_deposited_type.encode(&fact, &datum, NULL), PDR_OK);
    pdr_append_event event = {type ? type : &sim_deposited_type, pdr_buf_bytes(&datum), 1000};
    pdr_stored_commit commit = {.fingerprint = fingerprint_of(amount),
                                .has_reply = true,
                                .reply = pdr_bytes_of("first", 5),
                                .events = &event,
                                .count = 1};
    cr_assert_eq(pdr_stored_commit_encode(&commit, &payload, NULL), PDR_OK);
    pdr_cmd_spec spec = probe_spec("acct/1", id, answer);
    spec.request = PDR_REQUEST_IMPORT;
    spec.expected_seq = seq;
    spec.payload = pdr_buf_bytes(&payload);
    probe_ask(&p, &spec);
    pdr_buf_release(&payload);
    pdr_buf_release(&datum);
    return answer->code;
}

Test(owner_import, a_command_that_is_sent_again_gets_the_answer_that_came_along)
{
    probe_answer answer;
    probe_serve(&p);
    cr_assert_eq(import(0, "id-1", 70, NULL, &answer), PDR_OK);
    cr_expect_eq(answer.seq, 1);
    cr_expect_not(answer.repeated);
    cr_assert_eq(probe_ask_deposit(&p, "acct/1", "id-1", 70, &answer), PDR_OK);
    cr_expect(answer.repeated);
    cr_expect_eq(answer.seq, 1);
    cr_expect_str_eq(answer.text, "first");
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", "id-1", 71, &answer), PDR_ID_REUSED);
    cr_assert_eq(probe_ask_deposit(&p, "acct/1", "id-2", 5, &answer), PDR_OK);
    cr_expect_eq(answer.seq, 2);
}

Test(owner_import, what_is_there_comes_no_second_time_and_nothing_comes_before_its_turn)
{
    probe_answer answer;
    probe_serve(&p);
    cr_expect_eq(import(1, "id-2", 1, NULL, &answer), PDR_CONFLICT);
    cr_assert_eq(import(0, "id-1", 1, NULL, &answer), PDR_OK);
    cr_assert_eq(import(1, "id-2", 1, NULL, &answer), PDR_OK);
    uint64_t events = probe_counters(&p).events;
    for (uint64_t seq = 0; seq < 2; seq++) {
        cr_assert_eq(import(seq, "id-1", 1, NULL, &answer), PDR_OK);
        cr_expect(answer.repeated);
        cr_expect_eq(answer.seq, seq + 1);
    }
    cr_expect_eq(probe_counters(&p).events, events);
    /* An id that came out of its window in the other journal may come twice: seq alone decides. */
    cr_assert_eq(import(2, "id-1", 1, NULL, &answer), PDR_OK);
    cr_expect_not(answer.repeated);
}

Test(owner_import, events_that_can_t_be_folded_come_too_and_only_commands_are_turned_away)
{
    probe_answer answer;
    pdr_schema_set *set = NULL;
    cr_assert_eq(pdr_schema_read(&set, "strange", pdr_string_of(strange_schema), NULL), PDR_OK);
    cr_assert_eq(pdr_schema_fingerprint(&strange.fingerprint, pdr_schema_set_root(set, 0), NULL), PDR_OK);
    pdr_schema_set_close(set);
    probe_serve(&p);
    cr_assert_eq(import(0, "id-1", 1, NULL, &answer), PDR_OK);
    cr_assert_eq(import(1, "id-2", 1, &strange, &answer), PDR_OK);
    cr_assert_eq(import(2, "id-3", 1, NULL, &answer), PDR_OK);
    cr_expect_eq(answer.seq, 3);
    cr_expect_eq(probe_counters(&p).broken, 1);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", "id-4", 5, &answer), PDR_UNKNOWN_SCHEMA);
    pdr_owner_flush(p.owner);
    cr_assert(probe_until_clean(&p), "its head is saved");
    cr_expect_geq(probe_counters(&p).saved_heads, 1);
}
