#include "journal/fold.h"

#include "base/mem.h"

enum { FIRST_REPACK = 512 }; /* bytes of arena below which a state is never packed anew */

static void start_arena(pdr_state *state)
{
    state->value = NULL;
    state->arena = (pdr_arena)PDR_ARENA_INIT(PDR_MAX_STATE * (size_t)4);
    state->packed_used = 0;
}

void pdr_state_release(pdr_state *state)
{
    pdr_arena_release(&state->arena);
    state->value = NULL;
}

pdr_code pdr_state_init(pdr_state *state, const pdr_folder *folder, pdr_error *err)
{
    const pdr_type *type = pdr_folder_type(folder)->state;
    start_arena(state);
    state->value = pdr_arena_alloc(&state->arena, type->size);
    if (!state->value) return pdr_fail(err, PDR_NOMEM, "a state %s", type->name);
    type->init(state->value);
    state->packed_used = state->arena.used;
    return PDR_OK;
}

pdr_code pdr_state_load(pdr_state *state, const pdr_folder *folder, pdr_bytes packed, pdr_error *err)
{
    const pdr_type *type = pdr_folder_type(folder)->state;
    start_arena(state);
    void *value = pdr_arena_alloc(&state->arena, type->size);
    pdr_bytes copy = value ? pdr_arena_bytes(&state->arena, packed) : packed;
    pdr_code code = value && copy.data
                        ? PDR_OK
                        : pdr_fail(err, PDR_NOMEM, "a state %s of %zu bytes", type->name, packed.size);
    if (code == PDR_OK) code = type->decode(copy, &state->arena, value, err);
    if (code != PDR_OK) {
        pdr_state_release(state);
        return code == PDR_NOMEM ? code : pdr_fail_context(err, code, "state %s", type->name);
    }
    state->value = value;
    state->packed_used = state->arena.used;
    return PDR_OK;
}

pdr_code pdr_state_pack(const pdr_state *state, const pdr_folder *folder, pdr_buf *out, pdr_error *err)
{
    const pdr_type *type = pdr_folder_type(folder)->state;
    pdr_code code = type->encode(state->value, out, err);
    if (code == PDR_INVALID_ARGUMENT)
        return pdr_fail_context(err, PDR_BAD_HANDLER, "apply of %s made a state %s",
                                pdr_folder_type(folder)->name, type->name);
    return code;
}

/* What was brought forward borrows from memory of every step: it is packed anew. */
static pdr_code bring_forward(pdr_state *state, const pdr_folder *folder, uint64_t revision, pdr_bytes packed,
                              pdr_error *err)
{
    pdr_buf fresh = PDR_BUF_INIT(PDR_MAX_STATE);
    start_arena(state);
    pdr_code code =
        pdr_state_chain_read(pdr_folder_states(folder), revision, packed, &state->arena, &state->value, err);
    if (code == PDR_OK) code = pdr_state_pack(state, folder, &fresh, err);
    pdr_state_release(state);
    if (code == PDR_OK) code = pdr_state_load(state, folder, pdr_buf_bytes(&fresh), err);
    pdr_buf_release(&fresh);
    return code;
}

pdr_code pdr_state_load_as(pdr_state *state, const pdr_folder *folder, uint64_t revision, pdr_bytes packed,
                           pdr_error *err)
{
    if (revision == pdr_folder_revision(folder)) return pdr_state_load(state, folder, packed, err);
    return bring_forward(state, folder, revision, packed, err);
}

static pdr_code repack(pdr_state *state, const pdr_folder *folder, pdr_error *err)
{
    pdr_buf packed = PDR_BUF_INIT(PDR_MAX_STATE);
    pdr_state fresh;
    pdr_code code = pdr_state_pack(state, folder, &packed, err);
    if (code == PDR_OK) code = pdr_state_load(&fresh, folder, pdr_buf_bytes(&packed), err);
    pdr_buf_release(&packed);
    if (code != PDR_OK) return code;
    pdr_arena_release(&state->arena);
    *state = fresh;
    return PDR_OK;
}

static pdr_code apply_once(pdr_state *state, const pdr_folder *folder, const pdr_event *event, pdr_error *err)
{
    pdr_code code = pdr_folder_type(folder)->apply(state->value, event, &state->arena);
    if (code == PDR_OK) return PDR_OK;
    if (code == PDR_NOMEM)
        return pdr_fail(err, PDR_NOMEM, "apply of %s at seq %llu", pdr_folder_type(folder)->name,
                        (unsigned long long)event->seq);
    return pdr_fail(err, PDR_BAD_HANDLER, "apply of %s gave %s for %s at seq %llu",
                    pdr_folder_type(folder)->name, pdr_code_name(code), event->type->name,
                    (unsigned long long)event->seq);
}

/* Apply to a copy as well and compare the packed results. */
static pdr_code apply_checked(pdr_state *state, const pdr_folder *folder, const pdr_event *event,
                              pdr_error *err)
{
    pdr_buf before = PDR_BUF_INIT(PDR_MAX_STATE), one = PDR_BUF_INIT(PDR_MAX_STATE),
            two = PDR_BUF_INIT(PDR_MAX_STATE);
    pdr_state copy = {0};
    pdr_code code = pdr_state_pack(state, folder, &before, err);
    if (code == PDR_OK) code = pdr_state_load(&copy, folder, pdr_buf_bytes(&before), err);
    if (code == PDR_OK) code = apply_once(state, folder, event, err);
    if (code == PDR_OK) code = apply_once(&copy, folder, event, err);
    if (code == PDR_OK) code = pdr_state_pack(state, folder, &one, err);
    if (code == PDR_OK) code = pdr_state_pack(&copy, folder, &two, err);
    if (code == PDR_OK && !pdr_bytes_equal(pdr_buf_bytes(&one), pdr_buf_bytes(&two)))
        code = pdr_fail(err, PDR_BAD_HANDLER,
                        "apply of %s isn't deterministic: %s at seq %llu gave two different states",
                        pdr_folder_type(folder)->name, event->type->name, (unsigned long long)event->seq);
    pdr_buf_release(&before);
    pdr_buf_release(&one);
    pdr_buf_release(&two);
    pdr_state_release(&copy);
    return code;
}

/* --- reading twice --- */

static pdr_code encode(const pdr_folder *folder, const pdr_event *event, pdr_buf *out, pdr_error *err)
{
    pdr_code code = event->type->encode(event->value, out, err);
    if (code != PDR_INVALID_ARGUMENT) return code;
    return pdr_fail_context(err, PDR_BAD_HANDLER, "an upcaster of %s made an event %s at seq %llu",
                            pdr_folder_type(folder)->name, event->type->name, (unsigned long long)event->seq);
}

static pdr_code compare(const pdr_folder *folder, const pdr_event_list *one, const pdr_event_list *two,
                        uint64_t seq, pdr_error *err)
{
    pdr_buf a = PDR_BUF_INIT(2 * PDR_MAX_EVENT), b = PDR_BUF_INIT(2 * PDR_MAX_EVENT);
    pdr_code code = PDR_OK;
    bool same = one->count == two->count;
    for (size_t i = 0; code == PDR_OK && same && i < one->count; i++) {
        const pdr_event *x = pdr_event_list_at(one, i), *y = pdr_event_list_at(two, i);
        pdr_buf_clear(&a);
        pdr_buf_clear(&b);
        code = encode(folder, x, &a, err);
        if (code == PDR_OK) code = encode(folder, y, &b, err);
        same = x->type == y->type && pdr_bytes_equal(pdr_buf_bytes(&a), pdr_buf_bytes(&b));
    }
    pdr_buf_release(&a);
    pdr_buf_release(&b);
    if (code != PDR_OK || same) return code;
    return pdr_fail(err, PDR_BAD_HANDLER,
                    "an upcaster of %s isn't deterministic: reading the event at seq %llu twice gave two "
                    "different results",
                    pdr_folder_type(folder)->name, (unsigned long long)seq);
}

pdr_code pdr_folder_read_checked(const pdr_folder *folder, pdr_bytes value, uint64_t seq, int64_t time_us,
                                 pdr_arena *scratch, pdr_event_list *events, pdr_error *err)
{
    pdr_event_list again;
    pdr_code code = pdr_folder_read(folder, value, seq, time_us, scratch, events, err);
    if (code == PDR_OK) code = pdr_folder_read(folder, value, seq, time_us, scratch, &again, err);
    return code == PDR_OK ? compare(folder, events, &again, seq, err) : code;
}

/* --- folding --- */

static pdr_code apply(pdr_state *state, const pdr_folder *folder, const pdr_event *event, bool check,
                      pdr_error *err)
{
    pdr_code code = check ? apply_checked(state, folder, event, err) : apply_once(state, folder, event, err);
    if (code == PDR_OK && state->arena.used > FIRST_REPACK && state->arena.used > 2 * state->packed_used)
        code = repack(state, folder, err);
    return code;
}

pdr_code pdr_state_fold(pdr_state *state, const pdr_folder *folder, pdr_bytes value, uint64_t seq,
                        int64_t time_us, bool check, pdr_arena *scratch, pdr_error *err)
{
    pdr_event_list events;
    pdr_arena_clear(scratch);
    pdr_code code = check ? pdr_folder_read_checked(folder, value, seq, time_us, scratch, &events, err)
                          : pdr_folder_read(folder, value, seq, time_us, scratch, &events, err);
    for (size_t i = 0; code == PDR_OK && i < events.count; i++)
        code = apply(state, folder, pdr_event_list_at(&events, i), check, err);
    if (code != PDR_OK) pdr_state_release(state);
    return code;
}

pdr_code pdr_state_apply(pdr_state *state, const pdr_folder *folder, const pdr_event *event, pdr_error *err)
{
    pdr_code code = apply(state, folder, event, false, err);
    if (code != PDR_OK) pdr_state_release(state);
    return code;
}
