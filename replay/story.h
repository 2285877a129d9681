/* One entity's story: its stored events from the first to the newest, read by backlinks or by a scan,
 * whichever is cheaper, up to where the log ended when it began. */
#ifndef PDR_REPLAY_STORY_H
#define PDR_REPLAY_STORY_H

#include "replay/tool.h"

typedef struct pdr_story_event {
    int32_t partition;
    const pdr_log_record *record;
    const pdr_header *header; /* NULL: a void record whose header isn't ours, or can't be read */
    bool is_void;             /* a record of this entity that doesn't count; only if voids were asked for */
} pdr_story_event;

/* A state of the store's that the story may begin with. */
typedef struct pdr_story_state {
    uint64_t revision;
    uint64_t seq; /* of the last event in it */
    pdr_bytes packed;
} pdr_story_state;

typedef struct pdr_story_spec {
    pdr_bytes entity;
    uint64_t after_seq; /* begin after this one; 0: at the first */
    uint64_t to_seq;    /* end with this one; UINT64_MAX: the newest */
    bool voids;         /* void records too: reads the whole partition */
    bool follow;        /* go on with what is appended later, until `event` or the tool is stopped */
    /* The state of one of these revisions, the newest that isn't above to_seq, if the store has one: it is
     * told first, and the events begin after it. */
    const uint64_t *revisions;
    size_t revision_count;
    pdr_code (*state)(void *context, const pdr_story_state *state, pdr_error *err);
    /* Each event, by seq; void records as they are met. Borrowed until return; not in a callback of the log.
     * PDR_CANCELLED ends the story without being a failure; any other code is its failure. */
    pdr_code (*event)(void *context, const pdr_story_event *event, pdr_error *err);
    /* All that there is for now was told; again whenever what came later was. May be NULL. */
    pdr_code (*caught_up)(void *context, pdr_error *err);
    void *context;
} pdr_story_spec;

typedef struct pdr_story_told {
    uint64_t newest_seq; /* of the entity, as far as was read or the store knows; 0: it has no events */
    uint64_t events;     /* told */
    uint64_t voids;      /* told */
    uint64_t scanned;    /* records read one after the other past the checkpoint, or in all */
    int64_t append_ms;   /* of the newest event told */
} pdr_story_told;

/* Blocking. PDR_CORRUPT: an event is missing, or the log breaks its rules, naming the place. PDR_CANCELLED:
 * the tool was stopped. PDR_TIMEOUT, PDR_UNAVAILABLE, PDR_NOMEM. An entity without events is no failure.
 * *told (may be NULL) is filled in any case. */
PDR_CHECKED pdr_code pdr_story_run(pdr_tool *tool, const pdr_story_spec *spec, pdr_story_told *told,
                                   pdr_error *err);

#endif
