/* Upcasters: how what was written by an older version of the code is read by today's. An event is never
 * rewritten; each read takes it from its own version's struct step by step to types that the entity declares
 * today. Steps are pure: no clock, no I/O, no memory of their own; the same event gives the same result.
 *
 * What an entity type declares is checked when the application is (pdr_app_validate): each older type has
 * exactly one step, every version below a declared one is declared, every chain of steps ends at today's
 * events, none comes back to where it was. */
#ifndef PERDURE_UPCAST_H
#define PERDURE_UPCAST_H

#include "perdure/arena.h"
#include "perdure/event.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PDR_MAX_UPCAST_EVENTS = 64, /* that one stored event may become */
    PDR_MAX_UPCAST_STEPS = 256  /* of one chain */
};

/* What a step says goes in here. A failure (a type that the step doesn't name in `to`, too many events, no
 * memory) is remembered: the event can't be read, and its entity is unavailable. */
typedef struct pdr_upcast pdr_upcast;

/* One event more. The struct is copied; what it points to must be part of the event that was read, constant,
 * or memory of pdr_upcast_arena. */
PDR_API void pdr_upcast_emit(pdr_upcast *out, const pdr_type *type, const void *value);
/* Memory that lives as long as the event that is being read. */
PDR_API pdr_arena *pdr_upcast_arena(pdr_upcast *out);
/* Nothing is left of this event. A step that neither emits nor drops has failed. */
PDR_API void pdr_upcast_drop(pdr_upcast *out);
/* The event can't be upcast, and why. */
PDR_API void pdr_upcast_fail(pdr_upcast *out, const char *format, ...) PDR_PRINTF(2, 3);

/* One step: from one version of one event to the next version, to another type, or to several. */
typedef struct pdr_upcaster {
    const pdr_type *from;      /* no event of today's */
    const pdr_type *const *to; /* what it may become: today's events, or the `from` of other steps */
    size_t to_count;           /* 0: events of this type are dropped, and `upcast` is NULL */
    /* Borrowed for the call. NULL: by Avro's schema resolution, into the one type in `to`. */
    void (*upcast)(const pdr_event *event, pdr_upcast *out);
} pdr_upcaster;

/* One step between versions of a state, so that snapshots needn't be rebuilt. */
typedef struct pdr_state_upcaster {
    const pdr_type *from; /* with the revision that the entity type declared then */
    uint32_t from_revision;
    const pdr_type *to; /* today's state and revision, or the `from` of another step */
    uint32_t to_revision;
    /* `to` is as its init left it; memory that it keeps comes from `arena`, or is borrowed from `from`. NULL:
     * by Avro's schema resolution. A failure: the snapshot isn't used, and the state is rebuilt from history.
     */
    pdr_code (*upcast)(const void *from, void *to, pdr_arena *arena);
} pdr_state_upcaster;

#ifdef __cplusplus
}
#endif
#endif
