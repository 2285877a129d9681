/* How states of older revisions are brought forward: the chain that an entity type declares for its snapshots
 * (perdure/upcast.h, pdr_state_upcaster). Compiled once; from then on any thread may use it. */
#ifndef PDR_UPCASTERS_STATE_CHAIN_H
#define PDR_UPCASTERS_STATE_CHAIN_H

#include "perdure/upcast.h"

enum { PDR_MAX_STATE_STEPS = 63 };

typedef struct pdr_state_chain pdr_state_chain;

typedef struct pdr_state_chain_spec {
    const char *entity; /* the entity type's name, for messages */
    const pdr_type *state;
    uint32_t revision;
    const pdr_state_upcaster *steps;
    size_t step_count;
} pdr_state_chain_spec;

/* The 64 bits under which the store keeps states of this type and declared revision (docs/formats/store.md).
 */
uint64_t pdr_state_revision(const pdr_type *state, uint32_t declared);

/* `spec` is copied, what it points to must live as long as the chain. PDR_INVALID_ARGUMENT naming entity type
 * and state: a step without a type; two steps from one state; a step from today's; a step that leads nowhere;
 * a cycle; too many. PDR_UNKNOWN_SCHEMA, PDR_BAD_SCHEMA: a step without a function whose schemas don't
 * resolve. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_state_chain_open(pdr_state_chain **out, const pdr_state_chain_spec *spec,
                                          pdr_error *err);
void pdr_state_chain_close(pdr_state_chain *chain); /* NULL is fine */

/* The revisions that can be read: today's first, then those with fewer steps to it. Borrowed. */
const uint64_t *pdr_state_chain_revisions(const pdr_state_chain *chain, size_t *count);

/* A packed state of one of these revisions as today's struct, in `arena`; it borrows from `packed` and from
 * the arena. PDR_UNKNOWN_SCHEMA: no such revision; PDR_BAD_DATA, PDR_TOO_LARGE; PDR_BAD_HANDLER: a step
 * failed; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_state_chain_read(const pdr_state_chain *chain, uint64_t revision, pdr_bytes packed,
                                          pdr_arena *arena, void **value, pdr_error *err);

#endif
