/* What an event changed in a state, and showing it. */
#ifndef PDR_CLI_STATE_CHANGES_H
#define PDR_CLI_STATE_CHANGES_H

#include "cli/event_line.h"
#include "replay/changes.h"
#include "replay/folding.h"

/* A state's JSON after each event, with that of the event before. Zero-initialised; one thread. */
typedef struct pdr_state_pair {
    pdr_buf before, after;
} pdr_state_pair;

void pdr_state_pair_init(pdr_state_pair *pair);
void pdr_state_pair_release(pdr_state_pair *pair);
/* What was `after` is `before` now, and the folding's state is `after`. As pdr_folding_print. */
PDR_CHECKED pdr_code pdr_state_pair_next(pdr_state_pair *pair, const pdr_folding *folding, pdr_error *err);

/* What the newest event is today: "loans.OfferSent", of several the first; NULL: nothing, it is dropped. */
const char *pdr_folding_type(const pdr_folding *folding);

/* Put `.status "SENT" -> "ACCEPTED"` on the line under way. */
PDR_CHECKED pdr_code pdr_change_put(const pdr_change *change, pdr_out *out);
/* Append `{"path":".status","from":"SENT","to":"ACCEPTED"`, without the end; what isn't there is left out. */
PDR_CHECKED pdr_code pdr_change_json(const pdr_change *change, pdr_buf *out);

/* An event and what it changed. */
typedef struct pdr_changed {
    pdr_tool *tool;
    int32_t partition;
    const pdr_log_record *record;
    const pdr_header *header;
    const pdr_event_list *events; /* what it is today */
    const pdr_error *problem;     /* why it can't be read or applied; NULL: it was */
    const pdr_state_pair *pair;   /* around the event; without a problem */
} pdr_changed;

/* Put the event's lines (cli/event_line.h) and, below them, a line for each change. As JSON the last line has
 * "changes":[{"path","from","to"}] and "state":{...}. As pdr_out_end. */
PDR_CHECKED pdr_code pdr_changed_put(const pdr_changed *changed, pdr_out *out, pdr_error *err);

#endif
