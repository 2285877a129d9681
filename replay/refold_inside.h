/* Inside a refold: what its files share. */
#ifndef PDR_REPLAY_REFOLD_INSIDE_H
#define PDR_REPLAY_REFOLD_INSIDE_H

#include "replay/compare.h"
#include "replay/refold.h"

typedef struct pdr_refold_kind {
    const pdr_entity_type *type;
    const pdr_folder *folder;
    const pdr_folder *before;   /* NULL: the other code doesn't declare it, or there is none */
    pdr_comparison *comparison; /* with the other code's states, or with snapshots; NULL: neither */
} pdr_refold_kind;

typedef struct pdr_refold_part {
    pdr_folded_table entities;
    pdr_deviations *deviations;
    pdr_position at;
    bool begun, ended;
} pdr_refold_part;

enum { PDR_REFOLD_AHEAD = 16 }; /* a power of two */

typedef struct pdr_refold_coming_one {
    const pdr_refold_part *part;
    uint64_t hash;
} pdr_refold_coming_one;

struct pdr_refold {
    pdr_refold_spec spec;
    pdr_refold_kind *kinds; /* of spec.app's entity types */
    pdr_refold_part *parts; /* of all partitions */
    pdr_folded_room room;
    pdr_arena scratch;
    pdr_buf now, before, told;
    pdr_refold_coming_one coming[PDR_REFOLD_AHEAD]; /* a ring */
    unsigned coming_count;
};

/* The stored event that is looked at. */
typedef struct pdr_refold_event {
    int32_t partition;
    pdr_refold_part *part;
    const pdr_log_record *record; /* NULL: none, the entity as a whole is meant */
    const pdr_header *header;
} pdr_refold_event;

PDR_CHECKED pdr_code pdr_refold_part_of(pdr_refold *r, int32_t partition, pdr_refold_part **out,
                                        pdr_error *err);
/* Call the application's code; gives the signal that it ended by, or 0. */
int pdr_refold_guarded(pdr_refold *r, void (*work)(void *context), void *context);
/* The entity, made when it is met. *out NULL: it isn't wanted. */
PDR_CHECKED pdr_code pdr_refold_meet(pdr_refold *r, pdr_refold_part *part, pdr_bytes key, pdr_folded **out,
                                     pdr_error *err);
PDR_CHECKED pdr_code pdr_refold_note(pdr_refold *r, const pdr_refold_event *event, pdr_folded *entity,
                                     pdr_deviation_kind kind, const char *why, bool with_changes,
                                     const pdr_comparison *comparison, pdr_error *err);
/* What was found of it counts only from now on. */
PDR_CHECKED pdr_code pdr_refold_tell_waiting(pdr_refold *r, pdr_refold_part *part, pdr_folded *entity,
                                             pdr_error *err);
/* Compare with the other code's state, or with the snapshot at this seq. */
PDR_CHECKED pdr_code pdr_refold_compare(pdr_refold *r, const pdr_refold_event *event, pdr_folded *entity,
                                        pdr_error *err);
/* Nothing more is folded of it. leaked: see pdr_folded_forget. */
void pdr_refold_finish(pdr_refold_part *part, pdr_folded *entity, bool leaked);

#endif
