/* Folding history again: what is found, and what isn't. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "replay/guard.h"
#include "replay/refold.h"
#include "schemas/framing.h"
#include "tests/sim/sim_entity.h"

enum { PARTITIONS = 2, MAX_EVENTS = 400, PLENTY = 64 * 1024 * 1024 };

/* A history: events of entities, in their partition's order. */
typedef struct told_event {
    char key[16], value_bytes[64];
    pdr_log_record record;
    pdr_header header;
    int32_t partition;
} told_event;

static told_event history[MAX_EVENTS];
static size_t told;
static pdr_app app, other;
static pdr_entity_type type, other_type;
static const pdr_entity_type *types[1], *other_types[1];
static pdr_folder *folder, *other_folder;
static const pdr_folder *folders[1], *other_folders[1];
static pdr_refold_spec spec;
static pdr_refold *refold;

static pdr_code (*true_apply)(void *state, const pdr_event *event, pdr_arena *arena);
static uint64_t bad_seq; /* the changed apply misbehaves at this one */

static pdr_code wrong_apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    pdr_code code = true_apply(state, event, arena);
    if (event->seq == bad_seq) ((sim_account *)state)->balance++;
    return code;
}

static pdr_code failing_apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    return event->seq == bad_seq ? PDR_BAD_DATA : true_apply(state, event, arena);
}

static pdr_code unsteady_apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    static int64_t calls;
    pdr_code code = true_apply(state, event, arena);
    ((sim_account *)state)->balance = calls++;
    return code;
}

static void open_codes(void)
{
    pdr_folder_close(folder);
    pdr_folder_close(other_folder);
    folder = other_folder = NULL;
    cr_assert_eq(pdr_folder_open(&folder, &type, NULL, NULL), PDR_OK);
    cr_assert_eq(pdr_folder_open(&other_folder, &other_type, NULL, NULL), PDR_OK);
    folders[0] = folder;
    other_folders[0] = other_folder;
}

static void init(void)
{
    app = other = *sim_app(1);
    type = other_type = *app.entities[0];
    true_apply = type.apply;
    types[0] = &type;
    other_types[0] = &other_type;
    app.entities = types;
    other.entities = other_types;
    app.entity_count = other.entity_count = 1;
    told = 0;
    bad_seq = 0;
    open_codes();
    spec = (pdr_refold_spec){
        .app = &app, .folders = folders, .partitions = PARTITIONS, .samples = 1000, .memory = PLENTY};
}

static void release(void)
{
    pdr_refold_close(refold);
    refold = NULL;
    pdr_folder_close(folder);
    pdr_folder_close(other_folder);
}

TestSuite(refold, .init = init, .fini = release);

/* --- history --- */

static void happens(int entity, uint64_t seq, int64_t amount)
{
    told_event *e = &history[told++];
    pdr_buf value = {(uint8_t *)e->value_bytes, 0, sizeof e->value_bytes, sizeof e->value_bytes};
    sim_fact fact = {.amount = amount, .note = {"", 0}};
    cr_assert_eq(pdr_frame_write(&value, sim_deposited_type.fingerprint), PDR_OK);
    cr_assert_eq(sim_deposited_type.encode(&fact, &value, NULL), PDR_OK);
    (void)snprintf(e->key, sizeof e->key, "%s/%d", type.name, entity);
    e->partition = entity % PARTITIONS;
    e->header = (pdr_header){.kind = PDR_RECORD_EVENT, .seq = seq, .time_us = (int64_t)told * 1000};
    e->record = (pdr_log_record){.offset = (int64_t)told,
                                 .append_ms = (int64_t)told,
                                 .entry = {.key = pdr_bytes_of(e->key, strlen(e->key)),
                                           .value = pdr_bytes_of(e->value_bytes, value.size)}};
}

/* `entities` entities with `events` events each, in turn. */
static void many_happen(int entities, uint64_t events)
{
    for (uint64_t seq = 1; seq <= events; seq++)
        for (int entity = 0; entity < entities; entity++)
            happens(entity, seq, entity + (int64_t)seq);
}

/* --- folding it --- */

static pdr_code take(size_t from, size_t to, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = from; code == PDR_OK && i < to; i++) {
        pdr_commit_event event = {&history[i].record, &history[i].header};
        pdr_position at = {history[i].record.offset, {0, 7}, (uint64_t)history[i].record.offset};
        code = pdr_refold_take(refold, history[i].partition, &event, 1, at, err);
    }
    return code;
}

static pdr_code end(pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (int32_t i = 0; code == PDR_OK && i < PARTITIONS; i++)
        code = pdr_refold_end(refold, i, err);
    return code;
}

static void open(void)
{
    pdr_error err;
    pdr_refold_close(refold);
    refold = NULL;
    cr_assert_eq(pdr_refold_open(&refold, &spec, &err), PDR_OK, "%s", err.message);
}

/* All partitions' findings. The caller closes them. */
static pdr_deviations *found(void)
{
    pdr_deviations *all;
    cr_assert_eq(pdr_deviations_open(&all, spec.samples, NULL), PDR_OK);
    for (int32_t i = 0; i < PARTITIONS; i++)
        if (pdr_refold_deviations(refold, i))
            cr_assert_eq(pdr_deviations_merge(all, pdr_refold_deviations(refold, i), NULL), PDR_OK);
    return all;
}

static pdr_deviations *fold_all(void)
{
    pdr_error err = {0};
    open();
    cr_assert_eq(take(0, told, &err), PDR_OK, "%s", err.message);
    cr_assert_eq(end(&err), PDR_OK, "%s", err.message);
    return found();
}

static uint64_t count_of(pdr_deviations *all, pdr_deviation_kind kind)
{
    return pdr_deviations_counts_of(all)->found[kind];
}

static void compare_with_other(void)
{
    spec.against = &other;
    spec.against_folders = other_folders;
}

static bool holds(pdr_bytes text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* --- against another version of the code --- */

Test(refold, the_same_code_differs_nowhere)
{
    many_happen(10, 5);
    compare_with_other();
    pdr_deviations *all = fold_all();
    cr_expect(pdr_deviations_is_clean(all));
    cr_expect_eq(pdr_deviations_counts_of(all)->events, 50);
    cr_expect_eq(pdr_deviations_counts_of(all)->entities, 10);
    cr_expect_eq(pdr_deviations_counts_of(all)->compared, 10);
    pdr_deviations_close(all);
}

Test(refold, a_difference_is_found_at_its_first_event)
{
    many_happen(10, 5);
    other_type.apply = wrong_apply;
    bad_seq = 3;
    compare_with_other();
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_DIFFERS), 10);
    cr_expect_eq(pdr_deviations_sample_count(all, PDR_FOUND_DIFFERS), 10);
    for (size_t i = 0; i < 10; i++) {
        const pdr_deviation *d = pdr_deviations_sample(all, PDR_FOUND_DIFFERS, i);
        cr_expect_eq(d->seq, 3);
        cr_expect_eq(d->offset, (int64_t)(21 + i), "by time of appends, over all partitions");
        cr_expect(holds(d->changes, "{\"path\":\".balance\",\"from\":"));
        cr_expect(holds(d->type, sim_deposited_type.name));
    }
    pdr_deviations_close(all);
}

Test(refold, only_the_earliest_are_kept_and_all_are_counted)
{
    many_happen(10, 5);
    other_type.apply = wrong_apply;
    bad_seq = 2;
    spec.samples = 3;
    compare_with_other();
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_DIFFERS), 10);
    cr_expect_eq(pdr_deviations_sample_count(all, PDR_FOUND_DIFFERS), 3);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(pdr_deviations_sample(all, PDR_FOUND_DIFFERS, i)->offset, (int64_t)(11 + i));
    cr_expect_eq(pdr_deviations_group_count(all), 1);
    cr_expect_eq(pdr_deviations_group(all, 0).count, 10);
    pdr_deviations_close(all);
}

Test(refold, what_is_ignored_is_no_difference)
{
    const pdr_string ignored[] = {{".balance", 8}};
    many_happen(4, 3);
    other_type.apply = wrong_apply;
    bad_seq = 1;
    compare_with_other();
    spec.ignored = ignored;
    spec.ignored_count = 1;
    pdr_deviations *all = fold_all();
    cr_expect(pdr_deviations_is_clean(all));
    pdr_deviations_close(all);
}

Test(refold, the_old_code_s_failure_leaves_the_new_one_to_be_folded_alone)
{
    many_happen(2, 4);
    other_type.apply = failing_apply;
    bad_seq = 2;
    compare_with_other();
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_OLD_FAILS), 2);
    cr_expect_eq(pdr_deviations_counts_of(all)->events, 8);
    pdr_deviations_close(all);
}

/* --- against snapshots --- */

static void expect(int entity, uint64_t revision, uint64_t seq, int64_t balance, int64_t ops)
{
    char key[16];
    pdr_buf packed = PDR_BUF_INIT(1024);
    sim_account account = {.balance = balance, .ops = ops, .note = {"", 0}};
    (void)snprintf(key, sizeof key, "%s/%d", type.name, entity);
    cr_assert_eq(type.state->encode(&account, &packed, NULL), PDR_OK);
    pdr_head head = {.key = pdr_bytes_of(key, strlen(key)),
                     .revision = revision,
                     .state_seq = seq,
                     .state = pdr_buf_bytes(&packed)};
    cr_assert_eq(pdr_refold_expect(refold, entity % PARTITIONS, &head, NULL), PDR_OK);
    pdr_buf_release(&packed);
}

Test(refold, a_snapshot_is_compared_at_its_seq)
{
    spec.snapshots = true;
    many_happen(4, 3);
    open();
    uint64_t today = pdr_folder_revision(folder);
    expect(0, today, 2, 3, 2);                                              /* as it is: 1 + 2 */
    expect(1, today, 2, 4, 2);                                              /* one less than it is */
    expect(2, pdr_state_revision(type.state, type.revision + 1), 3, 12, 3); /* its schema is today's */
    expect(3, 12345, 3, 0, 0); /* of a revision that nobody knows */
    cr_assert_eq(take(0, told, NULL), PDR_OK);
    cr_assert_eq(end(NULL), PDR_OK);
    pdr_deviations *all = found();
    cr_assert_eq(count_of(all, PDR_FOUND_DIFFERS), 1);
    const pdr_deviation *d = pdr_deviations_sample(all, PDR_FOUND_DIFFERS, 0);
    cr_expect(holds(d->entity, "/1"));
    cr_expect_eq(d->seq, 2);
    cr_expect(holds(d->changes, "{\"path\":\".balance\",\"from\":4,\"to\":5}"));
    cr_expect_eq(pdr_deviations_counts_of(all)->compared, 3);
    cr_expect_eq(pdr_deviations_counts_of(all)->uncompared, 1);
    pdr_deviations_close(all);
}

Test(refold, a_snapshot_of_today_is_preferred)
{
    spec.snapshots = true;
    many_happen(1, 3);
    open();
    uint64_t today = pdr_folder_revision(folder), near = pdr_state_revision(type.state, type.revision + 1);
    expect(0, near, 1, 777, 1);
    expect(0, today, 3, 6, 3);
    expect(0, near, 2, 777, 1);
    cr_assert_eq(take(0, told, NULL), PDR_OK);
    cr_assert_eq(end(NULL), PDR_OK);
    pdr_deviations *all = found();
    cr_expect(pdr_deviations_is_clean(all));
    pdr_deviations_close(all);
}

Test(refold, a_log_that_ends_before_the_snapshot_is_damaged)
{
    spec.snapshots = true;
    many_happen(1, 3);
    open();
    expect(0, pdr_folder_revision(folder), 4, 6, 3);
    expect(2, pdr_folder_revision(folder), 1, 6, 3); /* not a single event */
    cr_assert_eq(take(0, told, NULL), PDR_OK);
    cr_assert_eq(end(NULL), PDR_OK);
    pdr_deviations *all = found();
    cr_expect_eq(count_of(all, PDR_FOUND_DAMAGED), 2);
    pdr_deviations_close(all);
}

/* --- what fails --- */

Test(refold, a_gap_is_damage_and_costs_its_entity_only)
{
    happens(0, 1, 1);
    happens(1, 1, 1);
    happens(0, 3, 1);
    happens(0, 4, 1);
    happens(1, 2, 1);
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_DAMAGED), 1);
    cr_expect_eq(pdr_deviations_sample(all, PDR_FOUND_DAMAGED, 0)->seq, 3);
    pdr_deviations_close(all);
}

Test(refold, an_event_that_cannot_be_read_is_told_with_its_place)
{
    many_happen(3, 3);
    history[4].record.entry.value = pdr_bytes_of("\xC3\x01 nobody knows it", 16);
    history[5].record.entry.value.size -= 1;
    pdr_deviations *all = fold_all();
    cr_assert_eq(count_of(all, PDR_FOUND_UNREADABLE), 2);
    const pdr_deviation *d = pdr_deviations_sample(all, PDR_FOUND_UNREADABLE, 0);
    cr_expect_eq(d->seq, 2);
    cr_expect_eq(d->offset, 5);
    cr_expect_gt(d->why.size, 0);
    cr_expect_eq(pdr_deviations_counts_of(all)->events, 9, "the others are folded");
    pdr_deviations_close(all);
}

Test(refold, entities_of_an_unknown_type_are_unreadable)
{
    many_happen(1, 1);
    history[0].record.entry.key = pdr_bytes_of("stranger/1", 10);
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_UNREADABLE), 1);
    pdr_deviations_close(all);
}

Test(refold, an_apply_that_fails_is_told)
{
    many_happen(3, 3);
    type.apply = failing_apply;
    bad_seq = 2;
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_FAILS), 3);
    pdr_deviations_close(all);
}

Test(refold, an_apply_that_is_not_deterministic_is_told_of_those_that_are_folded_twice)
{
    many_happen(3, 3);
    type.apply = unsteady_apply;
    pdr_deviations *all = fold_all();
    cr_expect(pdr_deviations_is_clean(all));
    pdr_deviations_close(all);
    spec.check_every = 1;
    all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_FAILS), 3);
    cr_expect_eq(pdr_deviations_counts_of(all)->checked, 3);
    pdr_deviations_close(all);
}

#ifndef __SANITIZE_ADDRESS__ /* what a crash leaves is leaked on purpose */
static pdr_code crashing_apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    if (event->seq == bad_seq) (void)raise(SIGSEGV);
    return true_apply(state, event, arena);
}

Test(refold, a_crash_is_told_and_the_others_are_folded)
{
    many_happen(4, 3);
    happens(1, 4, 1);
    type.apply = crashing_apply;
    bad_seq = 4;
    cr_assert_eq(pdr_guard_install(NULL), PDR_OK);
    pdr_deviations *all = fold_all();
    cr_expect_eq(count_of(all, PDR_FOUND_CRASHES), 1);
    const pdr_deviation *d = pdr_deviations_sample(all, PDR_FOUND_CRASHES, 0);
    cr_expect_eq(d->seq, 4);
    cr_expect(holds(d->why, "SIGSEGV"));
    cr_expect_eq(pdr_deviations_counts_of(all)->entities, 4);
    pdr_deviations_close(all);
}

#endif

Test(refold, what_ended_a_process_before_is_not_folded_again)
{
    pdr_refold_fatal fatal = {.seq = 2, .key_size = (uint32_t)strlen(type.name) + 2, .why = "was ended"};
    (void)snprintf((char *)fatal.key, sizeof fatal.key, "%s/1", type.name);
    many_happen(3, 3);
    spec.fatals = &fatal;
    spec.fatal_count = 1;
    pdr_deviations *all = fold_all();
    cr_assert_eq(count_of(all, PDR_FOUND_CRASHES), 1);
    cr_expect(holds(pdr_deviations_sample(all, PDR_FOUND_CRASHES, 0)->why, "was ended"));
    pdr_deviations_close(all);
}

/* --- which entities --- */

Test(refold, only_chosen_entities_are_folded_and_absent_ones_are_told)
{
    char text[64];
    pdr_choice *choice;
    many_happen(12, 2);
    (void)snprintf(text, sizeof text, "%s/1*,%s/4,%s/77", type.name, type.name, type.name);
    cr_assert_eq(pdr_choice_open(&choice, text, NULL), PDR_OK);
    spec.choice = choice;
    pdr_deviations *all = fold_all();
    cr_expect_eq(pdr_deviations_counts_of(all)->entities, 4, "1, 10, 11, 4");
    cr_expect_eq(pdr_deviations_counts_of(all)->events, 8);
    cr_expect_eq(count_of(all, PDR_FOUND_ABSENT), 1);
    pdr_deviations_close(all);
    pdr_choice_close(choice);
}

Test(refold, a_difference_counts_only_of_entities_with_recent_events)
{
    many_happen(4, 2);
    happens(2, 3, 1);
    other_type.apply = wrong_apply;
    bad_seq = 1;
    compare_with_other();
    spec.has_since = true;
    spec.since_us = history[told - 1].header.time_us;
    pdr_deviations *all = fold_all();
    cr_assert_eq(count_of(all, PDR_FOUND_DIFFERS), 1);
    const pdr_deviation *d = pdr_deviations_sample(all, PDR_FOUND_DIFFERS, 0);
    cr_expect_eq(d->seq, 1, "it is told where it began");
    cr_expect(holds(d->changes, ".balance"));
    cr_expect_eq(pdr_deviations_counts_of(all)->entities, 1);
    pdr_deviations_close(all);
}

/* --- memory --- */

static bool same(const pdr_deviations *a, const pdr_deviations *b)
{
    pdr_buf x = PDR_BUF_INIT(1 << 20), y = PDR_BUF_INIT(1 << 20);
    cr_assert_eq(pdr_deviations_write(a, &x), PDR_OK);
    cr_assert_eq(pdr_deviations_write(b, &y), PDR_OK);
    bool equal = pdr_bytes_equal(pdr_buf_bytes(&x), pdr_buf_bytes(&y));
    pdr_buf_release(&x);
    pdr_buf_release(&y);
    return equal;
}

static void prepare_differences(void)
{
    many_happen(30, 8);
    other_type.apply = wrong_apply;
    bad_seq = 7;
    compare_with_other();
}

Test(refold, little_memory_packs_states_and_finds_the_same)
{
    prepare_differences();
    pdr_deviations *loose = fold_all();
    cr_expect_eq(count_of(loose, PDR_FOUND_DIFFERS), 30);
    spec.memory = 13 * 1024; /* shells and packed states of 30 entities, and not much more */
    pdr_error err = {0};
    open();
    for (size_t i = 0; i < told; i++) {
        cr_assert_eq(take(i, i + 1, &err), PDR_OK, "%s", err.message);
        cr_assert_leq(pdr_refold_memory(refold), spec.memory);
    }
    cr_assert_eq(end(&err), PDR_OK);
    pdr_deviations *tight = found();
    cr_expect(same(loose, tight));
    cr_expect_eq(pdr_refold_memory(refold), 0, "all is given back at the ends");
    pdr_deviations_close(loose);
    pdr_deviations_close(tight);
}

Test(refold, too_little_memory_is_said)
{
    pdr_error err = {0};
    prepare_differences();
    spec.memory = 4 * 1024;
    open();
    cr_expect_eq(take(0, told, &err), PDR_NOMEM);
    cr_expect(strstr(err.message, "--memory"));
}

Test(refold, each_allocation_that_fails_is_a_clean_end)
{
    prepare_differences();
    spec.memory = 13 * 1024;
    pdr_deviations_close(fold_all());
    for (uint64_t nth = 1;; nth++) {
        pdr_error err = {0};
        pdr_refold_close(refold);
        refold = NULL;
        pdr_mem_fail_at(nth);
        pdr_code code = pdr_refold_open(&refold, &spec, &err);
        if (code == PDR_OK) code = take(0, 90, &err);
        if (code == PDR_OK) code = end(&err);
        bool all = pdr_mem_count() < nth;
        pdr_mem_fail_at(0);
        if (all) break;
        /* A handler that finds no memory is a finding of its own. */
        cr_assert(code == PDR_NOMEM || code == PDR_OK, "%s", err.message);
    }
}

/* --- put aside --- */

Test(refold, what_is_put_aside_anywhere_goes_on_to_the_same_end)
{
    prepare_differences();
    spec.has_since = true;
    spec.since_us = history[200].header.time_us;
    pdr_deviations *whole = fold_all();
    cr_expect_gt(count_of(whole, PDR_FOUND_DIFFERS), 0);
    for (size_t cut = 0; cut <= told; cut += 7) {
        pdr_buf parts[PARTITIONS];
        open();
        cr_assert_eq(take(0, cut, NULL), PDR_OK);
        for (int32_t i = 0; i < PARTITIONS; i++) {
            parts[i] = (pdr_buf)PDR_BUF_INIT(1 << 20);
            cr_assert_eq(pdr_refold_save(refold, i, &parts[i], NULL), PDR_OK);
        }
        open();
        for (int32_t i = 0; i < PARTITIONS; i++) {
            cr_assert_eq(pdr_refold_load(refold, i, pdr_buf_bytes(&parts[i]), NULL), PDR_OK);
            cr_expect_leq(pdr_refold_position(refold, i).offset, (int64_t)cut);
            pdr_buf_release(&parts[i]);
        }
        cr_assert_eq(take(cut, told, NULL), PDR_OK);
        cr_assert_eq(end(NULL), PDR_OK);
        pdr_deviations *again = found();
        cr_assert(same(whole, again), "cut at %zu", cut);
        pdr_deviations_close(again);
    }
    pdr_deviations_close(whole);
}

Test(refold, what_was_put_aside_and_cut_short_is_refused)
{
    pdr_buf part = PDR_BUF_INIT(1 << 20);
    prepare_differences();
    open();
    cr_assert_eq(take(0, 60, NULL), PDR_OK);
    cr_assert_eq(pdr_refold_save(refold, 0, &part, NULL), PDR_OK);
    for (size_t size = 0; size < part.size; size++) {
        uint8_t *exact = pdr_memdup(part.data, size);
        open();
        cr_assert_eq(pdr_refold_load(refold, 0, pdr_bytes_of(exact, size), NULL), PDR_BAD_DATA, "%zu", size);
        pdr_free(exact);
    }
    pdr_buf_release(&part);
}
