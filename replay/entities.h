/* All entities of a journal: from the store's heads and what the log has past them, or from all of the log.
 */
#ifndef PDR_REPLAY_ENTITIES_H
#define PDR_REPLAY_ENTITIES_H

#include "replay/scan.h"
#include "replay/tally.h"

typedef struct pdr_entity_row {
    uint64_t seq; /* of its newest event */
    int32_t partition;
    int64_t offset; /* of that event's record */
    /* Only from the log: */
    uint64_t bytes;  /* of its events' values as they are stored */
    int64_t last_us; /* time of the newest event */
    pdr_state state; /* if it was asked for */
    bool bad;        /* there is no state: its `apply` failed, or an event can't be read */
} pdr_entity_row;

typedef struct pdr_entities_spec {
    pdr_bytes prefix; /* which ids; size 0: all */
    bool from_log;    /* bytes and times too; without a store it is so anyway */
    bool states;      /* fold each one's state: from_log, and an application; see pdr_guard_install */
    bool (*watch)(void *context, const pdr_scan_progress *progress); /* as a scan's; may be NULL */
    void *context;
} pdr_entities_spec;

/* What went wrong with entities' states. */
typedef struct pdr_entities_bad {
    uint64_t count;  /* entities */
    pdr_error first; /* of the lowest partition and offset; the message names entity and place */
} pdr_entities_bad;

typedef struct pdr_entities pdr_entities;

/* Blocking. *out is yours. As pdr_scan_run, and errors of the store; an entity whose state can't be folded is
 * no failure. */
PDR_CHECKED pdr_code pdr_entities_open(pdr_entities **out, pdr_tool *tool, const pdr_entities_spec *spec,
                                       pdr_error *err);
void pdr_entities_close(pdr_entities *entities);          /* NULL is fine */
bool pdr_entities_from_log(const pdr_entities *entities); /* are bytes and times there? */
size_t pdr_entities_count(const pdr_entities *entities);
/* In no order. Borrowed. */
const pdr_entity_row *pdr_entities_at(const pdr_entities *entities, size_t i, pdr_bytes *id);
pdr_entities_bad pdr_entities_bad_of(const pdr_entities *entities);

#endif
