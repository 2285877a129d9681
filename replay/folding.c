#include "replay/folding.h"

#include <inttypes.h>

#include "schemas/print.h"

enum { SCRATCH = 64 * PDR_MAX_EVENT };

pdr_code pdr_folding_init(pdr_folding *f, pdr_tool *tool, pdr_bytes entity, pdr_error *err)
{
    *f = (pdr_folding){.tool = tool, .scratch = PDR_ARENA_INIT(SCRATCH)};
    f->folder = pdr_tool_folder(tool, entity);
    if (!pdr_tool_app(tool))
        return pdr_fail(err, PDR_UNKNOWN_TYPE, "states need the application: give --app, or set PERDURE_APP");
    if (!f->folder)
        return pdr_fail(err, PDR_UNKNOWN_TYPE, "the application declares no entity type of %.*s",
                        (int)entity.size, (const char *)entity.data);
    return pdr_state_init(&f->state, f->folder, err);
}

void pdr_folding_release(pdr_folding *f)
{
    pdr_state_release(&f->state);
    pdr_arena_release(&f->scratch);
}

pdr_code pdr_folding_load(pdr_folding *f, const pdr_story_state *state, pdr_error *err)
{
    pdr_state loaded = {0};
    pdr_code code = pdr_state_load_as(&loaded, f->folder, state->revision, state->packed, err);
    if (code == PDR_NOMEM) return code;
    if (code != PDR_OK) return PDR_NOT_FOUND;
    pdr_state_release(&f->state);
    f->state = loaded;
    f->seq = state->seq;
    f->time_us = f->append_ms = 0;
    return PDR_OK;
}

static pdr_code say_where(const pdr_story_event *event, pdr_code code, pdr_error *err)
{
    return pdr_fail_context(err, code, "seq %" PRIu64 " (partition %d, offset %" PRId64 ")",
                            event->header->seq, (int)event->partition, event->record->offset);
}

pdr_code pdr_folding_read(pdr_folding *f, const pdr_story_event *event, pdr_error *err)
{
    pdr_arena_clear(&f->scratch);
    f->events.count = 0;
    pdr_code code =
        pdr_tool_read(f->tool, event->partition, event->record, event->header, &f->scratch, &f->events, err);
    if (code != PDR_OK) f->events.count = 0;
    return code;
}

pdr_code pdr_folding_take(pdr_folding *f, const pdr_story_event *event, pdr_error *err)
{
    pdr_code code = pdr_folding_read(f, event, err);
    for (size_t i = 0; code == PDR_OK && i < f->events.count; i++)
        code = pdr_state_apply(&f->state, f->folder, pdr_event_list_at(&f->events, i), err);
    if (code != PDR_OK) return say_where(event, code, err);
    f->seq = event->header->seq;
    f->time_us = event->header->time_us;
    f->append_ms = event->record->append_ms;
    return PDR_OK;
}

pdr_code pdr_folding_print(const pdr_folding *f, pdr_buf *out, pdr_error *err)
{
    const pdr_type *type = pdr_folder_type(f->folder)->state;
    pdr_code code = pdr_layout_show(type->layout, f->state.value, out);
    if (code == PDR_INVALID_ARGUMENT) code = PDR_BAD_HANDLER;
    if (code == PDR_OK) return code;
    return pdr_fail(err, code, "the state %s after seq %" PRIu64 " can't be printed", type->name, f->seq);
}
