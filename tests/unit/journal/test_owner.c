/* The owner on simulated log and store without faults: what the simulation's random commands don't ask. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/mem.h"
#include "journal/owner_core.h"
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

TestSuite(owner, .init = init, .fini = release);

/* --- Seams with one operation replaced --- */

static const pdr_log_ops *real_log;
static pdr_log_ops odd_log;
static const pdr_store_ops *real_store;
static pdr_store_ops odd_store;

static void replace_ops(void)
{
    real_log = p.log->ops;
    odd_log = *real_log;
    p.log->ops = &odd_log;
    real_store = p.store->ops;
    odd_store = *real_store;
    p.store->ops = &odd_store;
}

static pdr_code refuse_long_values(pdr_log_writer *writer, const pdr_log_entry *entry, uint64_t tag,
                                   pdr_error *err)
{
    if (entry->value.size > 200) return pdr_fail(err, PDR_TOO_LARGE, "more than this log takes");
    return real_log->append(writer, entry, tag, err);
}

static int busy_times;

static pdr_code busy_reader(pdr_log *log, int32_t partition, int64_t from,
                            const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                            pdr_error *err)
{
    if (busy_times > 0) {
        busy_times--;
        return pdr_fail(err, PDR_BUSY, "too many readers");
    }
    return real_log->reader_open(log, partition, from, events, context, out, err);
}

static bool tables_gone;
static pdr_store_done real_found;

/* As a database answers whose tables were dropped. */
static void found_nothing(void *context, uint64_t tag, const pdr_store_result *result)
{
    pdr_error error;
    pdr_store_result none = *result;
    none.code = pdr_fail(&error, PDR_NOT_INITIALISED, "no tables");
    none.error = &error;
    real_found(context, tag, tables_gone ? &none : result);
}

static pdr_code lookup_in_dropped_tables(pdr_store *store, int32_t partition, const pdr_lookup_key *keys,
                                         size_t count, pdr_store_done done, void *context, uint64_t tag,
                                         pdr_error *err)
{
    real_found = done;
    return real_store->lookup(store, partition, keys, count, found_nothing, context, tag, err);
}

static size_t largest_save;

static pdr_code measure_save(pdr_store *store, int32_t partition, const pdr_save *save, pdr_store_done done,
                             void *context, uint64_t tag, pdr_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < save->head_count; i++)
        bytes += save->heads[i].state.size + save->heads[i].ids.size;
    if (bytes > largest_save) largest_save = bytes;
    return real_store->save(store, partition, save, done, context, tag, err);
}

/* --- Commands and answers --- */

static uint64_t seq_of(const char *key)
{
    probe_answer read;
    pdr_cmd_spec spec = probe_spec(key, NULL, &read);
    probe_ask(&p, &spec);
    cr_assert_eq(read.code, PDR_OK);
    return read.seq;
}

Test(owner, repeats_the_first_answer_with_a_position_that_is_acknowledged)
{
    probe_answer first, busy, again;
    probe_serve(&p);
    cr_assert_eq(probe_ask_deposit(&p, "acct/1", "a", 5, &first), PDR_OK);
    pdr_buf payload = PDR_BUF_INIT(1024), same = PDR_BUF_INIT(1024);
    pdr_cmd_spec flying = probe_deposit("acct/1", NULL, 7, 1, "", &payload, &busy);
    pdr_cmd_spec repeat = probe_deposit("acct/1", "a", 5, 1, "", &same, &again);
    cr_assert_eq(probe_submit(&p, &flying), PDR_OK);
    cr_assert_eq(probe_submit(&p, &repeat), PDR_OK);
    (void)pdr_owner_turn(p.owner);
    cr_expect_eq(busy.count, 0);
    cr_expect_eq(again.count, 1);
    cr_expect(again.repeated);
    cr_expect_eq(again.seq, first.seq);
    cr_expect_eq(again.position.offset, first.position.offset);
    cr_expect_eq(again.position.number, first.position.number);
    cr_assert(probe_until_answered(&p, &busy));
    pdr_buf_release(&payload);
    pdr_buf_release(&same);
}

Test(owner, an_id_in_flight_joins_and_an_id_of_another_command_is_misuse)
{
    probe_answer first, joined, other;
    probe_serve(&p);
    pdr_buf a = PDR_BUF_INIT(1024), b = PDR_BUF_INIT(1024), c = PDR_BUF_INIT(1024);
    pdr_cmd_spec one = probe_deposit("acct/1", "a", 5, 2, "", &a, &first);
    pdr_cmd_spec two = probe_deposit("acct/1", "a", 5, 2, "", &b, &joined);
    pdr_cmd_spec three = probe_deposit("acct/1", "a", 6, 2, "", &c, &other);
    cr_assert_eq(probe_submit(&p, &one), PDR_OK);
    cr_assert_eq(probe_submit(&p, &two), PDR_OK);
    cr_assert_eq(probe_submit(&p, &three), PDR_OK);
    cr_assert(probe_until_answered(&p, &other));
    cr_expect_eq(first.code, PDR_OK);
    cr_expect_not(first.repeated);
    cr_expect_eq(joined.code, PDR_OK);
    cr_expect(joined.repeated);
    cr_expect_eq(joined.seq, 2u);
    cr_expect_eq(joined.events, 2u);
    cr_expect_str_eq(joined.text, first.text);
    cr_expect_eq(other.code, PDR_ID_REUSED);
    cr_expect_eq(seq_of("acct/1"), 2u);
    pdr_buf_release(&a);
    pdr_buf_release(&b);
    pdr_buf_release(&c);
}

Test(owner, another_expected_seq_is_a_conflict)
{
    probe_answer a;
    probe_serve(&p);
    pdr_buf payload = PDR_BUF_INIT(1024);
    pdr_cmd_spec spec = probe_deposit("acct/1", NULL, 5, 1, "", &payload, &a);
    spec.expected_seq = 1;
    probe_ask(&p, &spec);
    cr_expect_eq(a.code, PDR_CONFLICT);
    cr_expect_eq(a.seq, 0u);
    spec.expected_seq = 0;
    a.count = 0;
    probe_ask(&p, &spec);
    cr_expect_eq(a.code, PDR_OK);
    cr_expect_eq(a.seq, 1u);
    pdr_buf_release(&payload);
}

typedef struct again_and_again {
    probe_answer answer; /* first: probe_note's context */
    pdr_cmd_spec spec;
    pdr_code refused;
} again_and_again;

static void submit_again(void *context, const pdr_reply *reply)
{
    again_and_again *a = context;
    probe_note(&a->answer, reply);
    if (a->answer.count < 100000 && a->refused == PDR_OK) a->refused = probe_submit(&p, &a->spec);
}

Test(owner, a_completion_that_submits_again_at_once_doesn_t_hold_the_turn)
{
    probe_answer made;
    static again_and_again a; /* close answers what is left of it */
    probe_serve(&p);
    cr_assert_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &made), PDR_OK);
    a.spec = probe_spec("acct/1", NULL, &a.answer);
    a.spec.stale_ok = true;
    a.spec.done = submit_again;
    cr_assert_eq(probe_submit(&p, &a.spec), PDR_OK);
    int64_t due = pdr_owner_turn(p.owner);
    cr_expect_eq(a.answer.count, 1);
    cr_expect_leq(due, p.env->ops->mono_us(p.env), "what was submitted in the turn is due at once");
    (void)pdr_owner_turn(p.owner);
    cr_expect_eq(a.answer.count, 2);
    a.refused = PDR_BUSY; /* enough */
}

Test(owner, close_answers_what_is_open_once_and_turns_away_what_its_completions_submit)
{
    again_and_again a = {0};
    probe_serve(&p);
    a.spec = probe_spec("acct/1", NULL, &a.answer);
    a.spec.done = submit_again;
    cr_assert_eq(probe_submit(&p, &a.spec), PDR_OK);
    pdr_owner_close(p.owner);
    p.owner = NULL;
    cr_expect_eq(a.answer.count, 1);
    cr_expect_eq(a.answer.code, PDR_CANCELLED);
    cr_expect_eq(a.refused, PDR_NOT_OWNER);
}

/* --- Ceilings --- */

Test(owner, more_open_commands_than_allowed_are_busy)
{
    probe_answer a[3];
    p.settings.max_commands = 2;
    probe_serve(&p);
    pdr_cmd_spec specs[3];
    for (int i = 0; i < 3; i++)
        specs[i] = probe_spec("acct/1", NULL, &a[i]);
    cr_expect_eq(probe_submit(&p, &specs[0]), PDR_OK);
    cr_expect_eq(probe_submit(&p, &specs[1]), PDR_OK);
    cr_expect_eq(probe_submit(&p, &specs[2]), PDR_BUSY);
    cr_assert(probe_until_answered(&p, &a[1]));
    cr_expect_eq(probe_submit(&p, &specs[2]), PDR_OK);
    cr_assert(probe_until_answered(&p, &a[2]));
}

Test(owner, more_open_commands_at_one_entity_than_allowed_are_busy)
{
    probe_answer a[3];
    p.settings.max_entity_commands = 2;
    probe_serve(&p);
    for (int i = 0; i < 3; i++) {
        pdr_cmd_spec spec = probe_spec("acct/1", NULL, &a[i]);
        cr_assert_eq(probe_submit(&p, &spec), PDR_OK);
    }
    (void)pdr_owner_turn(p.owner);
    cr_expect_eq(a[2].code, PDR_BUSY);
    cr_expect_eq(a[0].count, 0);
    cr_assert(probe_until_answered(&p, &a[1]));
    cr_expect_eq(a[0].code, PDR_OK);
    cr_expect_eq(a[1].code, PDR_OK);
}

Test(owner, the_smallest_scan_limit_still_lets_one_command_through_after_each_save)
{
    probe_answer a;
    p.settings.scan_limit = 1;
    p.settings.checkpointing = false;
    probe_serve(&p);
    pdr_cmd_spec read = probe_spec("acct/1", NULL, &a);
    for (int i = 0; i < 3; i++) {
        a.count = 0;
        probe_ask(&p, &read); /* its MARK goes on for as long as there are reads */
    }
    probe_run(&p, 1000000);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_BUSY);
    probe_run(&p, 1000000);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
}

Test(owner, a_record_that_the_log_refuses_for_its_size_fails_its_command_alone)
{
    static char long_note[400];
    memset(long_note, 'x', sizeof long_note - 1);
    probe_answer before, large, joined, after;
    replace_ops();
    odd_log.append = refuse_long_values;
    probe_serve(&p);
    pdr_buf a = PDR_BUF_INIT(2048), b = PDR_BUF_INIT(2048), c = PDR_BUF_INIT(2048), d = PDR_BUF_INIT(2048);
    pdr_cmd_spec one = probe_deposit("acct/1", "b", 1, 1, "", &a, &before);
    pdr_cmd_spec two = probe_deposit("acct/1", "l", 1, 3, long_note, &b, &large);
    pdr_cmd_spec three = probe_deposit("acct/1", "l", 1, 3, long_note, &c, &joined);
    pdr_cmd_spec four = probe_deposit("acct/2", "a", 1, 1, "", &d, &after);
    cr_assert_eq(probe_submit(&p, &one), PDR_OK);
    cr_assert_eq(probe_submit(&p, &two), PDR_OK);
    cr_assert_eq(probe_submit(&p, &three), PDR_OK);
    cr_assert_eq(probe_submit(&p, &four), PDR_OK);
    cr_assert(probe_until_answered(&p, &large));
    cr_expect_eq(large.code, PDR_TOO_LARGE);
    cr_assert(probe_until_answered(&p, &joined));
    cr_expect_eq(joined.code, PDR_TOO_LARGE);
    cr_assert(probe_until_answered(&p, &after));
    cr_expect_eq(before.code, PDR_OK);
    cr_expect_eq(after.code, PDR_OK);
    cr_expect_eq(seq_of("acct/1"), 1u);
    pdr_buf_release(&a);
    pdr_buf_release(&b);
    pdr_buf_release(&c);
    pdr_buf_release(&d);
}

Test(owner, one_save_has_a_bounded_number_of_bytes)
{
    enum { NOTE = 900000, ENTITIES = 90 };
    char *note = pdr_alloc(NOTE + 1);
    memset(note, 'n', NOTE);
    note[NOTE] = 0;
    replace_ops();
    odd_store.save = measure_save;
    largest_save = 0;
    probe_serve(&p);
    for (int i = 0; i < ENTITIES; i++) {
        char key[32];
        probe_answer a;
        pdr_buf payload = PDR_BUF_INIT(NOTE + 100);
        snprintf(key, sizeof key, "acct/%d", i);
        pdr_cmd_spec spec = probe_deposit(key, NULL, 1, 1, note, &payload, &a);
        probe_ask(&p, &spec);
        cr_assert_eq(a.code, PDR_OK);
        pdr_buf_release(&payload);
    }
    cr_assert(probe_until_clean(&p));
    cr_expect_gt(largest_save, (size_t)0);
    cr_expect_lt(largest_save, (size_t)66 << 20);
    cr_expect_eq(probe_counters(&p).saved_heads, (uint64_t)ENTITIES);
    pdr_free(note);
}

/* --- Handlers --- */

static pdr_code apply_result;

static pdr_code odd_apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    const sim_fact *fact = event->value;
    if (fact->amount == 13) return apply_result;
    return sim_app(1)->entities[0]->apply(state, event, arena);
}

static void odd_decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out)
{
    sim_app(1)->entities[0]->decide(state, command, now_us, out);
    const sim_fact *asked = command->value;
    if (asked->amount == 17) pdr_refuse(out, "both");
    if (asked->amount == 18) pdr_emit(out, &sim_touch_type, asked);
    if (asked->amount == 19) pdr_answer(out, "", PDR_MAX_REPLY + 1);
}

static pdr_entity_type odd_type;
static const pdr_entity_type *const odd_types[] = {&odd_type};
static const pdr_app odd_app = {sizeof(pdr_app), PDR_ABI_VERSION, "odd", odd_types, 1};

static void use_odd_app(void)
{
    odd_type = *sim_app(1)->entities[0];
    odd_type.apply = odd_apply;
    odd_type.decide = odd_decide;
    p.app = &odd_app;
}

Test(owner, a_handler_that_breaks_its_contract_fails_the_command_and_nothing_else)
{
    probe_answer a;
    use_odd_app();
    apply_result = PDR_CONFLICT;
    probe_serve(&p);
    for (int amount = 17; amount <= 19; amount++)
        cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, amount, &a), PDR_BAD_HANDLER, "amount %d", amount);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 13, &a), PDR_BAD_HANDLER);
    apply_result = (pdr_code)9999;
    cr_expect_eq(probe_ask_deposit(&p, "acct/2", NULL, 13, &a), PDR_BAD_HANDLER);
    probe_run(&p, 1000000);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 1, &a), PDR_OK);
    cr_expect_eq(a.seq, 1u);
    cr_expect_eq(probe_counters(&p).recoveries, 1u);
}

static void reopen(void)
{
    pdr_owner_close(p.owner);
    p.owner = NULL;
    probe_serve(&p);
}

/* With events of it unsaved, and once more when its head is saved. */
static void expect_only_one_unavailable(pdr_code code)
{
    probe_answer a;
    p.settings.checkpointing = false;
    probe_serve(&p);
    cr_assert_eq(probe_ask_deposit(&p, "acct/bad", NULL, 13, &a), PDR_OK);
    cr_assert_eq(probe_ask_deposit(&p, "acct/good", NULL, 14, &a), PDR_OK);
    use_odd_app();
    if (code == PDR_UNKNOWN_SCHEMA) odd_type.event_count = 0;
    odd_type.revision = 2; /* states of the other code aren't used */
    for (int saved = 0; saved < 2; saved++) {
        reopen();
        cr_expect_eq(probe_ask_deposit(&p, "acct/bad", NULL, 1, &a), code);
        if (code != PDR_UNKNOWN_SCHEMA) {
            cr_expect_eq(probe_ask_deposit(&p, "acct/good", NULL, 1, &a), PDR_OK);
            cr_expect_eq(a.seq, 2u + (uint64_t)saved);
        }
        cr_assert(probe_until_clean(&p), "the checkpoint moves on");
        cr_expect_eq(probe_counters(&p).recoveries, 1u);
    }
}

Test(owner, an_entity_whose_event_apply_refuses_is_unavailable_alone_and_its_head_is_saved)
{
    apply_result = PDR_INVALID_ARGUMENT;
    expect_only_one_unavailable(PDR_BAD_HANDLER);
}

Test(owner, an_entity_whose_state_finds_no_memory_is_unavailable_alone_and_its_head_is_saved)
{
    apply_result = PDR_NOMEM;
    expect_only_one_unavailable(PDR_NOMEM);
}

Test(owner, an_entity_with_events_of_unknown_type_is_unavailable_and_its_head_is_saved)
{
    expect_only_one_unavailable(PDR_UNKNOWN_SCHEMA);
}

/* --- Activation --- */

Test(owner, a_history_that_can_t_be_read_now_is_read_later_without_a_recovery)
{
    probe_answer a;
    probe_serve(&p);
    cr_assert_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
    cr_assert(probe_until_clean(&p));
    p.app = sim_app(2);
    replace_ops();
    odd_log.reader_open = busy_reader;
    reopen();
    busy_times = 3;
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
    cr_expect_eq(a.seq, 2u);
    cr_expect_str_eq(a.text, "10");
    cr_expect_eq(busy_times, 0);
    cr_expect_eq(probe_counters(&p).recoveries, 1u);
}

Test(owner, a_store_whose_tables_are_gone_is_away_for_the_moment)
{
    probe_answer lost, back;
    probe_serve(&p);
    replace_ops();
    odd_store.lookup = lookup_in_dropped_tables;
    tables_gone = true;
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", "a", 5, &lost), PDR_UNAVAILABLE);
    cr_expect(pdr_code_retry(lost.code));
    tables_gone = false;
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", "a", 5, &back), PDR_OK);
    cr_expect_eq(back.seq, 1);
}

Test(owner, keeps_each_term_once_however_often_heads_name_it)
{
    enum { TERMS = 20 };
    probe_answer a;
    char key[32];
    p.settings.idle_us = 0;
    probe_serve(&p);
    for (int i = 0; i < TERMS; i++) {
        snprintf(key, sizeof key, "acct/%d", i);
        cr_assert_eq(probe_ask_deposit(&p, key, NULL, 1, &a), PDR_OK);
        pdr_owner_resign(p.owner);
        cr_assert(probe_until_state(&p, PDR_OWNER_IDLE));
        pdr_owner_assign(p.owner, 0);
        cr_assert(probe_until_state(&p, PDR_OWNER_SERVING));
    }
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < TERMS; i++) {
            snprintf(key, sizeof key, "acct/%d", i);
            cr_assert_eq(seq_of(key), 1u);
        }
        probe_run(&p, 1000000);
        cr_expect_eq(probe_gauges(&p).residents, 0u);
    }
    cr_expect_leq(p.owner->term_count, (size_t)TERMS + 1);
}

/* --- Assignment --- */

Test(owner, who_resigned_and_is_deposed_stands_down)
{
    probe_answer a;
    probe_serve(&p);
    cr_assert_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
    pdr_owner_resign(p.owner);
    probe other = p;
    probe_serve(&other);
    cr_expect(probe_until_state(&p, PDR_OWNER_IDLE));
    probe_run(&p, 60000000);
    cr_expect_eq(pdr_owner_state_of(p.owner), PDR_OWNER_IDLE);
    cr_expect_eq(probe_ask_deposit(&other, "acct/1", NULL, 5, &a), PDR_OK);
    cr_expect_eq(a.seq, 2u);
    cr_expect_eq(probe_counters(&other).recoveries, 1u, "nobody came in between");
    pdr_owner_close(other.owner);
}

Test(owner, an_assignment_ends_a_rebuild)
{
    probe_answer a;
    cr_assert_eq(probe_open(&p), PDR_OK);
    pdr_owner_rebuild(p.owner);
    (void)pdr_owner_turn(p.owner);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_NOT_OWNER);
    pdr_owner_assign(p.owner, 0);
    cr_assert(probe_until_state(&p, PDR_OWNER_SERVING));
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
}

Test(owner, a_failed_owner_answers_what_is_open_and_serves_when_assigned_again)
{
    probe_answer open, a;
    probe_serve(&p);
    pdr_cmd_spec spec = probe_spec("acct/1", NULL, &open);
    cr_assert_eq(probe_submit(&p, &spec), PDR_OK);
    pdr_error why;
    (void)pdr_fail(&why, PDR_CORRUPT, "for the test");
    pdr_own_fail(p.owner, &why);
    cr_assert(probe_until_answered(&p, &open));
    cr_expect_eq(open.code, PDR_CORRUPT);
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_CORRUPT);
    pdr_owner_assign(p.owner, 0);
    cr_assert(probe_until_state(&p, PDR_OWNER_SERVING));
    cr_expect_eq(probe_ask_deposit(&p, "acct/1", NULL, 5, &a), PDR_OK);
    cr_expect_eq(open.count, 1);
}
