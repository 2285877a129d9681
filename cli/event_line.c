#include "cli/event_line.h"

#include <inttypes.h>

#include "base/hex.h"
#include "cli/json.h"
#include "replay/moment.h"
#include "schemas/print.h"

enum { MAX_TEXT = 256 * 1024 * 1024, SCRATCH = 64 * PDR_MAX_EVENT };

void pdr_event_lines_init(pdr_event_lines *lines)
{
    lines->count = 0;
    lines->text = (pdr_buf)PDR_BUF_INIT(MAX_TEXT);
    lines->scratch = (pdr_arena)PDR_ARENA_INIT(SCRATCH);
}

void pdr_event_lines_release(pdr_event_lines *lines)
{
    pdr_buf_release(&lines->text);
    pdr_arena_release(&lines->scratch);
}

/* --- what it is today --- */

static pdr_code print_today(pdr_event_lines *lines, const pdr_event_list *events, pdr_error *err)
{
    size_t ends[PDR_MAX_UPCAST_EVENTS];
    for (size_t i = 0; i < events->count; i++) {
        const pdr_event *event = pdr_event_list_at(events, i);
        pdr_code code = pdr_layout_show(event->type->layout, event->value, &lines->text);
        if (code != PDR_OK) return pdr_fail(err, code, "an event %s can't be printed", event->type->name);
        ends[i] = lines->text.size;
    }
    for (size_t i = 0, at = 0; i < events->count; at = ends[i++]) { /* the text doesn't move any more */
        pdr_event_line *line = &lines->items[i];
        *line = lines->items[0];
        line->type = pdr_event_list_at(events, i)->type->name;
        line->event = pdr_bytes_of(lines->text.data + at, ends[i] - at);
        line->part = (uint32_t)i + 1;
        line->parts = (uint32_t)events->count;
    }
    lines->count = events->count;
    return PDR_OK;
}

/* --- what it was written as --- */

static bool is_about_the_event(pdr_code code)
{
    switch (code) {
    case PDR_UNKNOWN_TYPE:
    case PDR_UNKNOWN_SCHEMA:
    case PDR_BAD_SCHEMA:
    case PDR_BAD_DATA:
    case PDR_BAD_HANDLER:
    case PDR_INVALID_ARGUMENT: return true;
    default: return false;
    }
}

static pdr_code print_written(pdr_event_lines *lines, pdr_tool *tool, pdr_error *err)
{
    pdr_event_line *line = &lines->items[0];
    pdr_writer writer;
    pdr_error why;
    pdr_code code = pdr_tool_writer(tool, line->partition, line->record, line->header, &writer, &why);
    if (code == PDR_OK) {
        line->type = writer.name;
        code = pdr_tool_print_written(tool, line->partition, line->record, line->header, &lines->text, &why);
    }
    if (code == PDR_OK) {
        line->event = pdr_buf_bytes(&lines->text);
        return PDR_OK;
    }
    if (!is_about_the_event(code)) {
        if (err) *err = why;
        return code;
    }
    if (!line->problem) {
        lines->problem = why;
        line->problem = lines->problem.message;
    }
    return PDR_OK;
}

pdr_code pdr_event_lines_take(pdr_event_lines *lines, pdr_tool *tool, int32_t partition,
                              const pdr_log_record *record, const pdr_header *header,
                              const pdr_event_list *events, const pdr_error *problem, pdr_error *err)
{
    pdr_event_line *line = &lines->items[0];
    *line = (pdr_event_line){.partition = partition, .record = record, .header = header};
    pdr_buf_clear(&lines->text);
    if (!problem && events->count) return print_today(lines, events, err);
    line->part = line->parts = problem ? 1 : 0;
    lines->count = 1;
    if (problem && problem->code != PDR_UNKNOWN_TYPE) {
        lines->problem = *problem;
        line->problem = lines->problem.message;
    }
    return print_written(lines, tool, err);
}

pdr_code pdr_event_lines_read(pdr_event_lines *lines, pdr_tool *tool, int32_t partition,
                              const pdr_log_record *record, const pdr_header *header, pdr_error *err)
{
    pdr_event_list events;
    pdr_error why;
    pdr_arena_clear(&lines->scratch);
    pdr_code code = pdr_tool_read(tool, partition, record, header, &lines->scratch, &events, &why);
    if (code != PDR_OK && !is_about_the_event(code)) {
        if (err) *err = why;
        return code;
    }
    return pdr_event_lines_take(lines, tool, partition, record, header, &events, code == PDR_OK ? NULL : &why,
                                err);
}

/* --- JSON --- */

static bool is_printable(pdr_bytes id)
{
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] < 0x20 || id.data[i] >= 0x7f) return false;
    return true;
}

pdr_code pdr_event_line_id(pdr_bytes id, pdr_buf *out)
{
    if (is_printable(id)) return pdr_buf_append(out, id.data, id.size);
    pdr_code code = pdr_buf_reserve(out, 2 * id.size);
    if (code != PDR_OK) return code;
    pdr_hex_print((char *)out->data + out->size, id);
    out->size += 2 * id.size;
    return PDR_OK;
}

static pdr_code put_id(pdr_buf *out, const char *name, pdr_bytes id)
{
    if (!id.size) return PDR_OK;
    pdr_code code = pdr_buf_printf(out, ",\"%s\":", name);
    if (code == PDR_OK) code = is_printable(id) ? pdr_json_text(out, id) : pdr_json_hex(out, id);
    return code;
}

static pdr_code put_time(pdr_buf *out, const char *name, int64_t us)
{
    pdr_code code = pdr_buf_printf(out, ",\"%s\":\"", name);
    if (code == PDR_OK) code = pdr_moment_print(us, out);
    return code == PDR_OK ? pdr_buf_append(out, "\"", 1) : code;
}

static pdr_code put_event(pdr_buf *out, const pdr_event_line *line)
{
    pdr_code code = PDR_OK;
    if (line->type) code = pdr_buf_printf(out, ",\"type\":\"%s\"", line->type);
    if (code != PDR_OK || !line->event.data) return code;
    code = pdr_buf_printf(out, ",\"event\":");
    return code == PDR_OK ? pdr_buf_append(out, line->event.data, line->event.size) : code;
}

static pdr_code put_ids(pdr_buf *out, const pdr_header *header)
{
    pdr_code code = put_id(out, "command", header->id);
    if (code == PDR_OK) code = put_id(out, "causation", header->causation);
    if (code == PDR_OK) code = put_id(out, "correlation", header->correlation);
    return code;
}

static pdr_code put_problem(pdr_buf *out, const char *problem)
{
    pdr_code code = pdr_buf_printf(out, ",\"problem\":");
    return code == PDR_OK ? pdr_json_text(out, pdr_bytes_of(problem, strlen(problem))) : code;
}

pdr_code pdr_event_line_json(const pdr_event_line *line, pdr_buf *out)
{
    const pdr_header *header = line->header;
    pdr_code code = pdr_buf_printf(out, "{\"entity\":");
    if (code == PDR_OK) code = pdr_json_text(out, line->record->entry.key);
    if (code == PDR_OK) code = pdr_buf_printf(out, ",\"seq\":%" PRIu64, header->seq);
    if (code == PDR_OK) code = put_time(out, "time", header->time_us);
    if (code == PDR_OK) code = put_event(out, line);
    if (code == PDR_OK)
        code = pdr_buf_printf(out, ",\"partition\":%d,\"offset\":%" PRId64, (int)line->partition,
                              line->record->offset);
    if (code == PDR_OK) code = put_time(out, "appended", line->record->append_ms * 1000);
    if (code == PDR_OK) code = put_ids(out, header);
    if (code == PDR_OK && line->parts > 1) code = pdr_buf_printf(out, ",\"part\":%u", line->part);
    if (code == PDR_OK && line->parts != 1) code = pdr_buf_printf(out, ",\"parts\":%u", line->parts);
    if (code == PDR_OK && line->problem) code = put_problem(out, line->problem);
    if (code == PDR_OK && line->more.data) code = pdr_buf_append(out, line->more.data, line->more.size);
    return code == PDR_OK ? pdr_buf_append(out, "}", 1) : code;
}

/* --- for people --- */

static pdr_code say_time(pdr_out *out, int64_t us)
{
    pdr_buf text = PDR_BUF_INIT(64);
    pdr_code code = pdr_moment_print(us, &text);
    if (code == PDR_OK)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "%.*s", (int)text.size, (const char *)text.data);
    pdr_buf_release(&text);
    return code;
}

static pdr_code say_id(pdr_out *out, const char *name, pdr_bytes id)
{
    pdr_buf text = PDR_BUF_INIT(4 * PDR_MAX_CORRELATION);
    if (!id.size) return PDR_OK;
    pdr_code code = pdr_event_line_id(id, &text);
    if (code == PDR_OK)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "  %s=%.*s", name, (int)text.size, (const char *)text.data);
    pdr_buf_release(&text);
    return code;
}

static pdr_code say_event(pdr_out *out, const pdr_event_line *line)
{
    const char *dot = line->type ? strrchr(line->type, '.') : NULL;
    const char *name = dot ? dot + 1 : line->type ? line->type : "?";
    pdr_code code = pdr_out_put(out, PDR_COLOUR_BOLD, "  %s", name);
    if (code == PDR_OK && line->event.data)
        code = pdr_out_put(out, PDR_COLOUR_PLAIN, " %.*s", (int)line->event.size,
                           (const char *)line->event.data);
    if (code == PDR_OK && line->parts > 1)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "  part %u of %u", line->part, line->parts);
    if (code == PDR_OK && line->parts == 0)
        code = pdr_out_put(out, PDR_COLOUR_DIM, "  dropped by an upcaster");
    if (code == PDR_OK && line->problem) code = pdr_out_put(out, PDR_COLOUR_BAD, "  %s", line->problem);
    return code;
}

static pdr_code say(const pdr_event_line *line, bool with_entity, pdr_out *out)
{
    const pdr_header *header = line->header;
    pdr_bytes key = line->record->entry.key;
    pdr_code code = PDR_OK;
    if (with_entity) code = pdr_out_put(out, PDR_COLOUR_BOLD, "%.*s ", (int)key.size, (const char *)key.data);
    if (code == PDR_OK)
        code =
            pdr_out_put(out, PDR_COLOUR_PLAIN, with_entity ? "%" PRIu64 "  " : "%6" PRIu64 "  ", header->seq);
    if (code == PDR_OK) code = say_time(out, header->time_us);
    if (code == PDR_OK) code = say_event(out, line);
    if (code == PDR_OK) code = say_id(out, "command", header->id);
    if (code == PDR_OK) code = say_id(out, "causation", header->causation);
    if (code == PDR_OK) code = say_id(out, "correlation", header->correlation);
    return code;
}

pdr_code pdr_event_line_put(const pdr_event_line *line, bool with_entity, pdr_out *out, pdr_error *err)
{
    pdr_code code =
        pdr_out_is_json(out) ? pdr_event_line_json(line, pdr_out_line(out)) : say(line, with_entity, out);
    if (code != PDR_OK) return pdr_fail(err, code, "a line of output");
    return pdr_out_end(out, err);
}
