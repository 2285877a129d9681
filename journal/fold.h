/* Folding: how a stored event becomes a struct, and how it changes a state. One function, pdr_folder_read,
 * that every read path goes through: activation, recovery, histories, readers, rebuilds, later projections.
 * Upcasters hook in here. */
#ifndef PDR_JOURNAL_FOLD_H
#define PDR_JOURNAL_FOLD_H

#include "perdure/entity.h"

/* What is known about one entity type's events. Immutable after open: any thread may use it. */
typedef struct pdr_folder pdr_folder;

PDR_CHECKED pdr_code pdr_folder_open(pdr_folder **out, const pdr_entity_type *type, pdr_error *err);
void pdr_folder_close(pdr_folder *folder); /* NULL is fine */
const pdr_entity_type *pdr_folder_type(const pdr_folder *folder);
/* Which states fit today's code: from the state schema's fingerprint and the declared revision. */
uint64_t pdr_folder_revision(const pdr_folder *folder);
bool pdr_folder_declares(const pdr_folder *folder, const pdr_type *event);
/* The declared event type that a framed value was written as; NULL: none. */
const pdr_type *pdr_folder_event_type(const pdr_folder *folder, pdr_bytes value);

/* A framed value as an event of today's types. `event->value` lives in `scratch` and borrows from `value`.
 * PDR_UNKNOWN_SCHEMA, PDR_BAD_DATA, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folder_read(const pdr_folder *folder, pdr_bytes value, uint64_t seq, int64_t time_us,
                                     pdr_arena *scratch, pdr_event *event, pdr_error *err);

/* A state and the memory it rests on. Zero-initialised: none. */
typedef struct pdr_state {
    void *value; /* the generated struct, in the arena; NULL: none */
    pdr_arena arena;
    size_t packed_used; /* arena bytes in use when it was last packed anew */
} pdr_state;

PDR_CHECKED pdr_code pdr_state_init(pdr_state *state, const pdr_folder *folder,
                                    pdr_error *err); /* as the type's init leaves it */
PDR_CHECKED pdr_code pdr_state_load(pdr_state *state, const pdr_folder *folder, pdr_bytes packed,
                                    pdr_error *err);
/* Append the packed state (Avro datum). A state that its schema forbids: PDR_BAD_HANDLER. */
PDR_CHECKED pdr_code pdr_state_pack(const pdr_state *state, const pdr_folder *folder, pdr_buf *out,
                                    pdr_error *err);
void pdr_state_release(pdr_state *state);

/* Read one event and fold it. When the arena has doubled the state is packed anew. `check`: apply twice from
 * the same state and compare (a handler that isn't deterministic: PDR_BAD_HANDLER). After a failure the state
 * is released: rebuild it. `scratch` is cleared. */
PDR_CHECKED pdr_code pdr_state_fold(pdr_state *state, const pdr_folder *folder, pdr_bytes value, uint64_t seq,
                                    int64_t time_us, bool check, pdr_arena *scratch, pdr_error *err);

#endif
