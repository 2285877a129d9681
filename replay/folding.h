/* An entity's state while its story is told: one stored event after the other. */
#ifndef PDR_REPLAY_FOLDING_H
#define PDR_REPLAY_FOLDING_H

#include "journal/fold.h"
#include "replay/story.h"

/* A value; zero-initialised it can be released. One thread. */
typedef struct pdr_folding {
    pdr_tool *tool;
    const pdr_folder *folder;
    pdr_state state;
    uint64_t seq;               /* of the newest event in the state; 0: it is as `init` leaves it */
    int64_t time_us, append_ms; /* of that event; of a state from the store 0 */
    pdr_arena scratch;          /* of the event that was read last */
    pdr_event_list events;      /* what that event is today; empty if it couldn't be read */
} pdr_folding;

/* Before the first event. PDR_UNKNOWN_TYPE: there is no application, or it doesn't know the entity's type.
 * PDR_BAD_HANDLER, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folding_init(pdr_folding *folding, pdr_tool *tool, pdr_bytes entity, pdr_error *err);
void pdr_folding_release(pdr_folding *folding);

/* Take the store's state: for pdr_story_spec.state. PDR_NOT_FOUND: it can't be used, begin at the first
 * event.
 */
PDR_CHECKED pdr_code pdr_folding_load(pdr_folding *folding, const pdr_story_state *state, pdr_error *err);
/* Read the event without applying it: `events` then has it. Any failure of pdr_tool_read. */
PDR_CHECKED pdr_code pdr_folding_read(pdr_folding *folding, const pdr_story_event *event, pdr_error *err);
/* Read and apply it. A failure names the seq and the place in the log; there is no state any more then. */
PDR_CHECKED pdr_code pdr_folding_take(pdr_folding *folding, const pdr_story_event *event, pdr_error *err);
/* Append the state as one line of JSON. PDR_NOMEM, PDR_TOO_LARGE; PDR_BAD_HANDLER: its schema forbids it. */
PDR_CHECKED pdr_code pdr_folding_print(const pdr_folding *folding, pdr_buf *out, pdr_error *err);

#endif
