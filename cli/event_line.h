/* An event as the commands show it: one line of JSON, or a line for people. All commands show it alike.
 *
 *   {"entity":"loan/1","seq":1,"time":"2011-10-01T00:38:44.546Z","type":"loans.ApplicationSubmitted",
 *    "event":{...},"partition":0,"offset":5,"appended":"...","command":"...","causation":"...",
 *    "correlation":"...","part":1,"parts":2,"problem":"..."}
 *
 * What isn't there is left out: ids; part and parts unless an upcaster has made several events of the stored
 * one, or dropped it ("parts":0: the event is then shown as it was written); problem unless it can't be read
 * (the event is then shown as it was written if that can be told, else left out with its type). */
#ifndef PDR_CLI_EVENT_LINE_H
#define PDR_CLI_EVENT_LINE_H

#include "cli/out.h"
#include "replay/tool.h"

/* Ranges borrow from the record and from pdr_event_lines. */
typedef struct pdr_event_line {
    int32_t partition;
    const pdr_log_record *record;
    const pdr_header *header;
    const char *type;     /* Avro full name; NULL: unknown */
    pdr_bytes event;      /* its JSON; data NULL: it can't be shown */
    uint32_t part, parts; /* from 1; 0 of 0: dropped */
    const char *problem;  /* why it can't be read; NULL: it can */
    pdr_bytes more;       /* members that the command adds to the JSON: `,"name":value...`; data NULL: none */
} pdr_event_line;

/* The lines of one stored event: as many as it is events today, at least one. One thread. */
typedef struct pdr_event_lines {
    pdr_event_line items[PDR_MAX_UPCAST_EVENTS];
    size_t count;
    pdr_buf text;
    pdr_arena scratch;
    pdr_error problem;
} pdr_event_lines;

void pdr_event_lines_init(pdr_event_lines *lines);
void pdr_event_lines_release(pdr_event_lines *lines);
/* Read a stored event. One that can't be read is no failure. PDR_NOMEM, PDR_TOO_LARGE, PDR_CANCELLED, or what
 * kept its schema from being looked for. */
PDR_CHECKED pdr_code pdr_event_lines_read(pdr_event_lines *lines, pdr_tool *tool, int32_t partition,
                                          const pdr_log_record *record, const pdr_header *header,
                                          pdr_error *err);
/* The same of one that was read already: `events`, or `problem`, the error that pdr_tool_read gave. */
PDR_CHECKED pdr_code pdr_event_lines_take(pdr_event_lines *lines, pdr_tool *tool, int32_t partition,
                                          const pdr_log_record *record, const pdr_header *header,
                                          const pdr_event_list *events, const pdr_error *problem,
                                          pdr_error *err);

/* Append the JSON object, without a line's end. PDR_NOMEM, PDR_TOO_LARGE. Any thread. */
PDR_CHECKED pdr_code pdr_event_line_json(const pdr_event_line *line, pdr_buf *out);
/* Put the whole line, JSON or for people, and end it. `with_entity`: the line for people names it. As
 * pdr_out_end. */
PDR_CHECKED pdr_code pdr_event_line_put(const pdr_event_line *line, bool with_entity, pdr_out *out,
                                        pdr_error *err);
/* An id as text: as it is if that is printable, else in hexadecimal digits. Without quotes. */
PDR_CHECKED pdr_code pdr_event_line_id(pdr_bytes id, pdr_buf *out);

#endif
