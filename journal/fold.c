#include "journal/fold.h"

#include "base/mem.h"
#include "schemas/framing.h"

typedef struct known_event {
    uint64_t fingerprint;
    const pdr_type *type; /* NULL: free slot */
} known_event;

struct pdr_folder {
    const pdr_entity_type *type;
    uint64_t revision;
    size_t mask; /* slots - 1; a power of two, at most half full */
    known_event slots[];
};

enum { FIRST_REPACK = 512 }; /* bytes of arena below which a state is never packed anew */

static known_event *slot_of(pdr_folder *folder, uint64_t fingerprint)
{
    size_t i = (size_t)fingerprint & folder->mask;
    while (folder->slots[i].type && folder->slots[i].fingerprint != fingerprint)
        i = (i + 1) & folder->mask;
    return &folder->slots[i];
}

pdr_code pdr_folder_open(pdr_folder **out, const pdr_entity_type *type, pdr_error *err)
{
    size_t slots = 4;
    while (slots < 2 * type->event_count)
        slots *= 2;
    pdr_folder *folder = pdr_calloc(1, sizeof *folder + slots * sizeof(known_event));
    if (!folder) return pdr_fail(err, PDR_NOMEM, "the event types of entity type %s", type->name);
    folder->type = type;
    folder->mask = slots - 1;
    folder->revision = (type->state->fingerprint ^ type->revision) * 0x9E3779B97F4A7C15u ^ type->revision;
    for (size_t i = 0; i < type->event_count; i++) {
        known_event *slot = slot_of(folder, type->events[i]->fingerprint);
        if (slot->type) {
            pdr_code code = pdr_fail(err, PDR_INVALID_ARGUMENT,
                                     "events %s and %s of entity type %s have equal fingerprints",
                                     slot->type->name, type->events[i]->name, type->name);
            pdr_free(folder);
            return code;
        }
        *slot = (known_event){type->events[i]->fingerprint, type->events[i]};
    }
    *out = folder;
    return PDR_OK;
}

void pdr_folder_close(pdr_folder *folder)
{
    pdr_free(folder);
}
const pdr_entity_type *pdr_folder_type(const pdr_folder *folder)
{
    return folder->type;
}
uint64_t pdr_folder_revision(const pdr_folder *folder)
{
    return folder->revision;
}

static const pdr_type *type_of(const pdr_folder *folder, uint64_t fingerprint)
{
    size_t i = (size_t)fingerprint & folder->mask;
    while (folder->slots[i].type && folder->slots[i].fingerprint != fingerprint)
        i = (i + 1) & folder->mask;
    return folder->slots[i].type;
}

bool pdr_folder_declares(const pdr_folder *folder, const pdr_type *event)
{
    return type_of(folder, event->fingerprint) == event;
}

const pdr_type *pdr_folder_event_type(const pdr_folder *folder, pdr_bytes value)
{
    uint64_t fingerprint;
    pdr_bytes datum;
    return pdr_frame_read(&fingerprint, &datum, value, NULL) == PDR_OK ? type_of(folder, fingerprint) : NULL;
}

pdr_code pdr_folder_read(const pdr_folder *folder, pdr_bytes value, uint64_t seq, int64_t time_us,
                         pdr_arena *scratch, pdr_event *event, pdr_error *err)
{
    uint64_t fingerprint;
    pdr_bytes datum;
    pdr_code code = pdr_frame_read(&fingerprint, &datum, value, err);
    if (code != PDR_OK) return code;
    const pdr_type *type = type_of(folder, fingerprint);
    if (!type)
        return pdr_fail(err, PDR_UNKNOWN_SCHEMA, "entity type %s has no event with fingerprint %016llx",
                        folder->type->name, (unsigned long long)fingerprint);
    void *decoded = pdr_arena_alloc(scratch, type->size);
    if (!decoded) return pdr_fail(err, PDR_NOMEM, "decoding an event %s", type->name);
    code = type->decode(datum, scratch, decoded, err);
    if (code != PDR_OK) return pdr_fail_context(err, code, "event %s", type->name);
    *event = (pdr_event){type, decoded, seq, time_us};
    return PDR_OK;
}

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
    const pdr_type *type = folder->type->state;
    start_arena(state);
    state->value = pdr_arena_alloc(&state->arena, type->size);
    if (!state->value) return pdr_fail(err, PDR_NOMEM, "a state %s", type->name);
    type->init(state->value);
    state->packed_used = state->arena.used;
    return PDR_OK;
}

pdr_code pdr_state_load(pdr_state *state, const pdr_folder *folder, pdr_bytes packed, pdr_error *err)
{
    const pdr_type *type = folder->type->state;
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
    const pdr_type *type = folder->type->state;
    pdr_code code = type->encode(state->value, out, err);
    if (code == PDR_INVALID_ARGUMENT)
        return pdr_fail_context(err, PDR_BAD_HANDLER, "apply of %s made a state %s", folder->type->name,
                                type->name);
    return code;
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
    pdr_code code = folder->type->apply(state->value, event, &state->arena);
    if (code == PDR_OK) return PDR_OK;
    if (code == PDR_NOMEM)
        return pdr_fail(err, PDR_NOMEM, "apply of %s at seq %llu", folder->type->name,
                        (unsigned long long)event->seq);
    return pdr_fail(err, PDR_BAD_HANDLER, "apply of %s gave %s for %s at seq %llu", folder->type->name,
                    pdr_code_name(code), event->type->name, (unsigned long long)event->seq);
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
                        folder->type->name, event->type->name, (unsigned long long)event->seq);
    pdr_buf_release(&before);
    pdr_buf_release(&one);
    pdr_buf_release(&two);
    pdr_state_release(&copy);
    return code;
}

pdr_code pdr_state_fold(pdr_state *state, const pdr_folder *folder, pdr_bytes value, uint64_t seq,
                        int64_t time_us, bool check, pdr_arena *scratch, pdr_error *err)
{
    pdr_event event;
    pdr_arena_clear(scratch);
    pdr_code code = pdr_folder_read(folder, value, seq, time_us, scratch, &event, err);
    if (code == PDR_OK)
        code = check ? apply_checked(state, folder, &event, err) : apply_once(state, folder, &event, err);
    if (code == PDR_OK && state->arena.used > FIRST_REPACK && state->arena.used > 2 * state->packed_used)
        code = repack(state, folder, err);
    if (code != PDR_OK) pdr_state_release(state);
    return code;
}
