/* One entity's story: its stored events from the first to the newest, read by backlinks or by a scan,
 * whichever is cheaper, up to where the log ended when it began. */
#ifndef PDR_REPLAY_STORY_H
#define PDR_REPLAY_STORY_H

#include "replay/tool.h"

typedef struct pdr_story_event {
    int32_t partition;
    const pdr_log_record *record;
    const pdr_header *header;
    bool is_void; /* a record of this entity that doesn't count; only if voids were asked for */
} pdr_story_event;

typedef struct pdr_story_spec {
    pdr_bytes entity;
    uint64_t after_seq; /* begin after this one; 0: at the first */
    uint64_t to_seq;    /* end with this one; UINT64_MAX: the newest */
    bool voids;         /* void records too: reads the whole partition */
    /* Each event, by seq (void records where they stand); borrowed until return. PDR_CANCELLED ends the story
     * without being a failure; any other code is its failure. */
    pdr_code (*event)(void *context, const pdr_story_event *event, pdr_error *err);
    void *context;
} pdr_story_spec;

typedef struct pdr_story_told {
    uint64_t newest_seq; /* of the entity, as far as was read; 0: it has no events */
    uint64_t events;     /* told */
    uint64_t scanned;    /* records read one after the other past the checkpoint, or in all */
    int64_t append_ms;   /* of the newest event told */
} pdr_story_told;

/* Blocking; ^C: see pdr_tool's caller (`stop` of the command). PDR_CORRUPT: an event is missing, or the log
 * breaks its rules, naming the place. An entity without events is no failure. */
PDR_CHECKED pdr_code pdr_story_run(pdr_tool *tool, const pdr_story_spec *spec, pdr_story_told *told,
                                   pdr_error *err);

#endif
