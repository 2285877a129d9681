#include "cli/state_changes.h"

#include "cli/json.h"

enum { MAX_TEXT = 256 * 1024 * 1024 };

void pdr_state_pair_init(pdr_state_pair *pair)
{
    *pair = (pdr_state_pair){PDR_BUF_INIT(MAX_TEXT), PDR_BUF_INIT(MAX_TEXT)};
}

void pdr_state_pair_release(pdr_state_pair *pair)
{
    pdr_buf_release(&pair->before);
    pdr_buf_release(&pair->after);
}

pdr_code pdr_state_pair_next(pdr_state_pair *pair, const pdr_folding *folding, pdr_error *err)
{
    pdr_buf older = pair->before;
    pair->before = pair->after;
    pair->after = older;
    pdr_buf_clear(&pair->after);
    return pdr_folding_print(folding, &pair->after, err);
}

const char *pdr_folding_type(const pdr_folding *folding)
{
    return folding->events.count ? pdr_event_list_at(&folding->events, 0)->type->name : NULL;
}

static pdr_code put_value(pdr_out *out, pdr_colour colour, pdr_bytes value)
{
    return pdr_out_put(out, colour, "%.*s", (int)value.size, (const char *)value.data);
}

pdr_code pdr_change_put(const pdr_change *change, pdr_out *out)
{
    pdr_code code = put_value(out, PDR_COLOUR_CHANGED, change->path);
    if (code == PDR_OK) code = pdr_out_put(out, PDR_COLOUR_PLAIN, change->from.data ? " " : " + ");
    if (code == PDR_OK && change->from.data) code = put_value(out, PDR_COLOUR_BAD, change->from);
    if (code == PDR_OK && change->from.data)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, change->to.data ? " -> " : " removed");
    if (code == PDR_OK && change->to.data) code = put_value(out, PDR_COLOUR_GOOD, change->to);
    return code;
}

pdr_code pdr_change_json(const pdr_change *change, pdr_buf *out)
{
    pdr_code code = pdr_buf_printf(out, "{\"path\":");
    if (code == PDR_OK) code = pdr_json_text(out, change->path);
    if (code == PDR_OK && change->from.data) {
        code = pdr_buf_printf(out, ",\"from\":");
        if (code == PDR_OK) code = pdr_buf_append(out, change->from.data, change->from.size);
    }
    if (code == PDR_OK && change->to.data) {
        code = pdr_buf_printf(out, ",\"to\":");
        if (code == PDR_OK) code = pdr_buf_append(out, change->to.data, change->to.size);
    }
    return code;
}

/* --- an event and what it changed --- */

static pdr_code add_changes(pdr_buf *more, const pdr_changes *changes, pdr_bytes state)
{
    pdr_code code = pdr_buf_printf(more, ",\"changes\":[");
    for (size_t i = 0; code == PDR_OK && i < pdr_changes_count(changes); i++) {
        pdr_change change = pdr_changes_at(changes, i);
        if (i) code = pdr_buf_append(more, ",", 1);
        if (code == PDR_OK) code = pdr_change_json(&change, more);
        if (code == PDR_OK) code = pdr_buf_append(more, "}", 1);
    }
    if (code == PDR_OK) code = pdr_buf_printf(more, "],\"state\":");
    return code == PDR_OK ? pdr_buf_append(more, state.data, state.size) : code;
}

static pdr_code put_changes(const pdr_changes *changes, pdr_out *out, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < pdr_changes_count(changes); i++) {
        pdr_change change = pdr_changes_at(changes, i);
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, "        ");
        if (code == PDR_OK) code = pdr_change_put(&change, out);
        code = code == PDR_OK ? pdr_out_end(out, err) : pdr_fail(err, code, "the changes");
    }
    return code;
}

/* An event that is several today is one: the changes stand behind the last. */
static pdr_code put_lines(pdr_event_lines *lines, const pdr_changes *changes, pdr_bytes state, pdr_out *out,
                          pdr_error *err)
{
    pdr_buf more = PDR_BUF_INIT(MAX_TEXT);
    pdr_code code = changes && pdr_out_is_json(out) ? add_changes(&more, changes, state) : PDR_OK;
    if (code != PDR_OK) code = pdr_fail(err, code, "the state");
    for (size_t i = 0; code == PDR_OK && i < lines->count; i++) {
        if (more.size && i + 1 == lines->count) lines->items[i].more = pdr_buf_bytes(&more);
        code = pdr_event_line_put(&lines->items[i], false, out, err);
    }
    if (code == PDR_OK && changes && !pdr_out_is_json(out)) code = put_changes(changes, out, err);
    pdr_buf_release(&more);
    return code;
}

pdr_code pdr_changed_put(const pdr_changed *changed, pdr_out *out, pdr_error *err)
{
    pdr_event_lines lines;
    pdr_changes *changes = NULL;
    pdr_bytes before = pdr_buf_bytes(&changed->pair->before), after = pdr_buf_bytes(&changed->pair->after);
    pdr_event_lines_init(&lines);
    pdr_code code = pdr_event_lines_take(&lines, changed->tool, changed->partition, changed->record,
                                         changed->header, changed->events, changed->problem, err);
    if (code == PDR_OK && !changed->problem) code = pdr_changes_open(&changes, before, after, err);
    if (code == PDR_OK) code = put_lines(&lines, changes, after, out, err);
    pdr_changes_close(changes);
    pdr_event_lines_release(&lines);
    return code;
}
