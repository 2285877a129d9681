/* An event as the application sees it: one that its entity type declares today. */
#ifndef PERDURE_EVENT_H
#define PERDURE_EVENT_H

#include "perdure/type.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An event on its way into apply, or into an upcaster. Borrowed for the call: copy what the state keeps into
 * the arena. */
typedef struct pdr_event {
    const pdr_type *type;
    const void *value; /* the generated struct of `type` */
    uint64_t seq;    /* 1, 2, 3, ... in its entity; one stored event that became several: all have its seq */
    int64_t time_us; /* event time, microseconds since 1970 UTC */
} pdr_event;

#ifdef __cplusplus
}
#endif
#endif
