/* Folding stored events into states. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "journal/fold.h"
#include "schemas/framing.h"
#include "tests/sim/sim_entity.h"

static pdr_folder *folder;
static pdr_entity_type type;
static pdr_state state;
static pdr_arena scratch = PDR_ARENA_INIT(1024 * 1024);
static pdr_buf value = PDR_BUF_INIT(1024 * 1024);

static void init(void)
{
    type = *sim_app(1)->entities[0];
    cr_assert_eq(pdr_folder_open(&folder, &type, NULL, NULL), PDR_OK);
    cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
}

static void release(void)
{
    pdr_state_release(&state);
    pdr_folder_close(folder);
    pdr_arena_release(&scratch);
    pdr_buf_release(&value);
}

TestSuite(fold, .init = init, .fini = release);

static pdr_bytes framed(const pdr_type *event, int64_t amount, const char *note)
{
    sim_fact fact = {1, amount, 0, {note, strlen(note)}};
    pdr_buf_clear(&value);
    cr_assert_eq(pdr_frame_write(&value, event->fingerprint), PDR_OK);
    cr_assert_eq(event->encode(&fact, &value, NULL), PDR_OK);
    return pdr_buf_bytes(&value);
}

static pdr_code fold(pdr_bytes bytes, bool check)
{
    pdr_error err = {0};
    pdr_code code = pdr_state_fold(&state, folder, bytes, 1, 0, check, &scratch, &err);
    cr_expect_eq(err.code, code);
    cr_expect_eq(state.value == NULL, code != PDR_OK, "after a failure there is no state");
    return code;
}

Test(fold, folds_events_in_order)
{
    cr_expect_eq(fold(framed(&sim_deposited_type, 5, "note"), false), PDR_OK);
    cr_expect_eq(fold(framed(&sim_withdrew_type, 2, ""), false), PDR_OK);
    const sim_account *account = state.value;
    cr_expect_eq(account->balance, 3);
    cr_expect_eq(account->ops, 2);
    cr_expect(pdr_string_equal(account->note, pdr_string_of("no")));
}

Test(fold, an_event_of_unknown_schema_isn_t_folded)
{
    cr_expect_eq(fold(framed(&sim_touch_type, 5, ""), false), PDR_UNKNOWN_SCHEMA);
}

Test(fold, a_value_without_our_frame_isn_t_folded)
{
    cr_expect_neq(fold(pdr_bytes_of("\xC3\x02plain bytes", 12), false), PDR_OK);
}

Test(fold, a_value_cut_anywhere_isn_t_folded)
{
    pdr_bytes whole = framed(&sim_deposited_type, 5, "note");
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *exact = pdr_memdup(whole.data, size);
        cr_expect_neq(fold(pdr_bytes_of(exact, size), false), PDR_OK, "%zu bytes", size);
        pdr_free(exact);
        cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
    }
}

static pdr_code odd_result;
static pdr_code odd_apply(void *of, const pdr_event *event, pdr_arena *arena)
{
    (void)of;
    (void)event;
    (void)arena;
    return odd_result;
}

Test(fold, apply_may_say_that_memory_is_out_and_anything_else_is_its_fault)
{
    type.apply = odd_apply;
    odd_result = PDR_NOMEM;
    cr_expect_eq(fold(framed(&sim_deposited_type, 5, ""), false), PDR_NOMEM);
    cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
    odd_result = PDR_TOO_NEW;
    cr_expect_eq(fold(framed(&sim_deposited_type, 5, ""), false), PDR_BAD_HANDLER);
}

static pdr_code restless_apply(void *of, const pdr_event *event, pdr_arena *arena)
{
    static int64_t calls;
    (void)event;
    (void)arena;
    ((sim_account *)of)->balance += ++calls;
    return PDR_OK;
}

Test(fold, checking_finds_an_apply_that_isn_t_deterministic)
{
    cr_expect_eq(fold(framed(&sim_deposited_type, 5, "same"), true), PDR_OK);
    cr_expect_eq(((const sim_account *)state.value)->balance, 5, "it was applied once");
    type.apply = restless_apply;
    cr_expect_eq(fold(framed(&sim_deposited_type, 5, ""), false), PDR_OK);
    cr_expect_eq(fold(framed(&sim_deposited_type, 5, ""), true), PDR_BAD_HANDLER);
}

Test(fold, garbage_in_the_arena_is_bounded_and_the_state_is_kept)
{
    char note[101];
    for (int i = 1; i <= 5000; i++) {
        memset(note, 'a' + i % 26, 100);
        note[100] = 0;
        cr_assert_eq(fold(framed(&sim_deposited_type, 1, note), i % 50 == 0), PDR_OK);
        const sim_account *account = state.value;
        cr_assert_eq(account->balance, i);
        cr_assert(pdr_string_equal(account->note, pdr_string_of(note)));
        cr_assert_leq(state.arena.held, 8192u);
    }
}

Test(fold, a_packed_state_comes_back_and_bad_bytes_don_t)
{
    pdr_buf packed = PDR_BUF_INIT(PDR_MAX_STATE);
    pdr_state loaded;
    cr_assert_eq(fold(framed(&sim_deposited_type, 5, "kept"), false), PDR_OK);
    cr_assert_eq(pdr_state_pack(&state, folder, &packed, NULL), PDR_OK);
    cr_assert_eq(pdr_state_load(&loaded, folder, pdr_buf_bytes(&packed), NULL), PDR_OK);
    memset(packed.data, 0xFF, packed.size); /* it borrows nothing */
    cr_expect_eq(((const sim_account *)loaded.value)->balance, 5);
    cr_expect(pdr_string_equal(((const sim_account *)loaded.value)->note, pdr_string_of("kept")));
    pdr_state_release(&loaded);
    cr_expect_eq(pdr_state_load(&loaded, folder, pdr_buf_bytes(&packed), NULL), PDR_BAD_DATA);
    cr_expect_null(loaded.value);
    pdr_buf_release(&packed);
}

Test(fold, running_out_of_memory_at_any_place_leaves_no_state)
{
    char note[3001];
    memset(note, 'x', sizeof note - 1);
    note[sizeof note - 1] = 0;
    pdr_bytes event = framed(&sim_deposited_type, 5, note);
    uint64_t failed = 0;
    for (pdr_code code = PDR_NOMEM; code != PDR_OK;) {
        pdr_arena_release(&scratch);
        pdr_state_release(&state);
        cr_assert_eq(pdr_state_init(&state, folder, NULL), PDR_OK);
        pdr_mem_fail_at(failed + 1);
        code = fold(event, true);
        pdr_mem_fail_at(0);
        cr_assert(code == PDR_OK || code == PDR_NOMEM);
        failed += code != PDR_OK;
    }
    cr_expect_gt(failed, 5u);
}

Test(fold, two_events_of_one_fingerprint_are_refused)
{
    static pdr_type twin;
    static const pdr_type *const events[] = {&sim_deposited_type, &twin};
    pdr_folder *refused;
    twin = sim_withdrew_type;
    twin.fingerprint = sim_deposited_type.fingerprint;
    pdr_entity_type twins = type;
    twins.events = events;
    cr_expect_eq(pdr_folder_open(&refused, &twins, NULL, NULL), PDR_INVALID_ARGUMENT);
}

Test(fold, another_revision_or_state_schema_is_another_revision)
{
    pdr_folder *other;
    cr_assert_eq(pdr_folder_open(&other, sim_app(2)->entities[0], NULL, NULL), PDR_OK);
    cr_expect_neq(pdr_folder_revision(other), pdr_folder_revision(folder));
    pdr_folder_close(other);
}
