#include "cli/step_walk.h"

#include "base/mem.h"

enum { EVERY = 64 }; /* events from one packed state to the next */

uint64_t pdr_step_walk_newest(const pdr_step_walk *w)
{
    return w->events.count;
}

bool pdr_step_walk_has_state(const pdr_step_walk *w)
{
    return !w->broken || w->at < w->broken;
}

static pdr_story_event event_at(const pdr_step_walk *w, uint64_t seq)
{
    const pdr_held *held = w->events.items[seq - 1];
    int32_t partition = pdr_tool_partition_of(w->command->tool, pdr_entity_command_id(w->command));
    return (pdr_story_event){partition, &held->record, &held->header, false};
}

/* --- loading --- */

static pdr_code pack(pdr_step_walk *w, pdr_error *err)
{
    pdr_buf *packed = pdr_realloc(w->packed, (w->packed_count + 1) * sizeof *packed);
    if (!packed) return pdr_fail(err, PDR_NOMEM, "%zu states", w->packed_count);
    w->packed = packed;
    w->packed[w->packed_count] = (pdr_buf)PDR_BUF_INIT(PDR_MAX_STATE);
    return pdr_state_pack(&w->folding.state, w->folding.folder, &w->packed[w->packed_count++], err);
}

static bool is_for_all(pdr_code code)
{
    return code == PDR_NOMEM || code == PDR_CANCELLED;
}

static pdr_code fold(pdr_step_walk *w, const pdr_story_event *event, pdr_error *err)
{
    pdr_error why;
    pdr_code code = PDR_OK;
    if (w->broken) return PDR_OK;
    if (w->events.count % EVERY == 1) code = pack(w, &why);
    if (code == PDR_OK) code = pdr_folding_take(&w->folding, event, &why);
    if (code == PDR_OK) return PDR_OK;
    w->broken = event->header->seq;
    w->why = why;
    if (!is_for_all(code)) return PDR_OK;
    if (err) *err = why;
    return code;
}

static pdr_code take(void *context, const pdr_story_event *event, pdr_error *err)
{
    pdr_step_walk *w = context;
    pdr_held *held = pdr_held_list_reserve(&w->events, 1) ? pdr_held_copy(event->record) : NULL;
    if (!held) return pdr_fail(err, PDR_NOMEM, "event %zu of the entity", w->events.count + 1);
    w->events.items[w->events.count++] = held;
    return fold(w, event, err);
}

pdr_code pdr_step_walk_load(pdr_step_walk *w, pdr_entity_command *command, pdr_error *err)
{
    w->command = command;
    pdr_state_pair_init(&w->pair);
    pdr_bytes entity = pdr_entity_command_id(command);
    pdr_story_spec spec = {.entity = entity, .to_seq = UINT64_MAX, .event = take, .context = w};
    pdr_code code = pdr_folding_init(&w->folding, command->tool, entity, err);
    if (code == PDR_OK) code = pdr_entity_command_story(command, &spec, NULL, err);
    if (code == PDR_OK && w->events.count == 0) code = pdr_entity_command_unknown(command, err);
    return code;
}

void pdr_step_walk_release(pdr_step_walk *w)
{
    for (size_t i = 0; i < w->events.count; i++)
        pdr_free(w->events.items[i]);
    pdr_free(w->events.items);
    for (size_t i = 0; i < w->packed_count; i++)
        pdr_buf_release(&w->packed[i]);
    pdr_free(w->packed);
    pdr_folding_release(&w->folding);
    pdr_state_pair_release(&w->pair);
}

/* --- going --- */

/* The state after event `seq`, from the packed one before it. */
static pdr_code rebuild(pdr_step_walk *w, uint64_t seq, pdr_error *err)
{
    pdr_folding *f = &w->folding;
    size_t place = (size_t)(seq / EVERY);
    if (place >= w->packed_count) place = w->packed_count - 1;
    pdr_story_state state = {pdr_folder_revision(f->folder), place * EVERY, pdr_buf_bytes(&w->packed[place])};
    pdr_code code = pdr_folding_load(f, &state, err);
    if (code == PDR_NOT_FOUND) code = pdr_fail(err, PDR_BAD_HANDLER, "the state can't be read back");
    while (code == PDR_OK && f->seq < seq) {
        pdr_story_event event = event_at(w, f->seq + 1);
        code = pdr_folding_take(f, &event, err);
    }
    return code;
}

/* Both states around the event: the one before is folded first. */
static pdr_code find_states(pdr_step_walk *w, pdr_error *err)
{
    uint64_t before = w->at ? w->at - 1 : 0;
    pdr_code code = rebuild(w, before, err);
    if (code == PDR_OK) code = pdr_state_pair_next(&w->pair, &w->folding, err);
    if (code != PDR_OK) return code;
    if (w->at) {
        pdr_story_event event = event_at(w, w->at);
        code = pdr_folding_take(&w->folding, &event, err);
    }
    return code == PDR_OK ? pdr_state_pair_next(&w->pair, &w->folding, err) : code;
}

pdr_code pdr_step_walk_go(pdr_step_walk *w, uint64_t seq, pdr_error *err)
{
    w->at = seq < pdr_step_walk_newest(w) ? seq : pdr_step_walk_newest(w);
    if (pdr_step_walk_has_state(w)) return find_states(w, err);
    pdr_story_event event = event_at(w, w->at);
    pdr_code code = pdr_folding_read(&w->folding, &event, err);
    return is_for_all(code) ? code : PDR_OK;
}

uint64_t pdr_step_walk_seq_at(const pdr_step_walk *w, int64_t us)
{
    uint64_t found = 0;
    for (uint64_t seq = 1; seq <= pdr_step_walk_newest(w); seq++) {
        pdr_story_event event = event_at(w, seq);
        if (pdr_entity_command_is_by(w->command, &event, us)) found = seq;
    }
    return found;
}
