/* Folding: how a stored event becomes today's events, and how those change a state. One function,
 * pdr_folder_read, that every read path goes through: activation, recovery, histories, readers, rebuilds,
 * projections. Upcasters run in there, and nowhere else. */
#ifndef PDR_JOURNAL_FOLD_H
#define PDR_JOURNAL_FOLD_H

#include "journal/schema_book.h"
#include "perdure/entity.h"
#include "upcasters/chain.h"
#include "upcasters/state_chain.h"

/* What is known about one entity type's events, of today and of before. Any thread may use it at once. */
typedef struct pdr_folder pdr_folder;

/* `book`: where schemas that the entity type doesn't declare are looked up; it outlives the folder; NULL:
 * nowhere. What pdr_chain_open refuses, and PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folder_open(pdr_folder **out, const pdr_entity_type *type,
                                     const pdr_schema_book *book, pdr_error *err);
/* The same for tools that say what can't be read: over a tolerant chain. */
PDR_CHECKED pdr_code pdr_folder_open_tolerant(pdr_folder **out, const pdr_entity_type *type,
                                              const pdr_schema_book *book, pdr_error *err);
void pdr_folder_close(pdr_folder *folder); /* NULL is fine */
const pdr_entity_type *pdr_folder_type(const pdr_folder *folder);
const pdr_chain *pdr_folder_chain(const pdr_folder *folder);
/* Which states fit today's code: from the state schema's fingerprint and the declared revision. */
uint64_t pdr_folder_revision(const pdr_folder *folder);
/* How states of older revisions are brought forward, and which there are. */
const pdr_state_chain *pdr_folder_states(const pdr_folder *folder);
bool pdr_folder_declares(const pdr_folder *folder, const pdr_type *event); /* as one of today's events */
/* The type, of today or of before, that a framed value was written as; NULL: it isn't declared. */
const pdr_type *pdr_folder_event_type(const pdr_folder *folder, pdr_bytes value);

/* A framed value as events of today's types: 0 to PDR_MAX_UPCAST_EVENTS. Their values live in `scratch` and
 * borrow from `value`. PDR_UNKNOWN_SCHEMA (naming what is known: type, version, fingerprint), PDR_BAD_DATA,
 * PDR_BAD_HANDLER (an upcaster failed), PDR_TOO_LARGE, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_folder_read(const pdr_folder *folder, pdr_bytes value, uint64_t seq, int64_t time_us,
                                     pdr_arena *scratch, pdr_event_list *events, pdr_error *err);
/* The same twice, and compared: an upcaster that isn't deterministic, or makes an event that its schema
 * forbids, is PDR_BAD_HANDLER. */
PDR_CHECKED pdr_code pdr_folder_read_checked(const pdr_folder *folder, pdr_bytes value, uint64_t seq,
                                             int64_t time_us, pdr_arena *scratch, pdr_event_list *events,
                                             pdr_error *err);
/* pdr_folder_read gave PDR_UNKNOWN_SCHEMA because nothing at all is known of the writer's schema: find the
 * SCHEMA record, add it to the book, read again. `*fingerprint` is 0 where the value has only a schema
 * registry's id, which the record explains too. false: the book would make no difference. */
bool pdr_folder_lacks(const pdr_folder *folder, pdr_bytes value, uint64_t *fingerprint);

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
/* The same with a state of any revision of pdr_folder_states. PDR_UNKNOWN_SCHEMA: of none; PDR_BAD_HANDLER: a
 * step failed. */
PDR_CHECKED pdr_code pdr_state_load_as(pdr_state *state, const pdr_folder *folder, uint64_t revision,
                                       pdr_bytes packed, pdr_error *err);
/* Append the packed state (Avro datum). A state that its schema forbids: PDR_BAD_HANDLER. */
PDR_CHECKED pdr_code pdr_state_pack(const pdr_state *state, const pdr_folder *folder, pdr_buf *out,
                                    pdr_error *err);
void pdr_state_release(pdr_state *state);

/* Read one stored event and fold all that it is today. When the arena has doubled the state is packed anew.
 * `check`: upcast twice, apply twice from the same state, and compare (what isn't deterministic, and an
 * upcast event that its schema forbids: PDR_BAD_HANDLER). After a failure the state is released: rebuild it.
 * `scratch` is cleared. */
PDR_CHECKED pdr_code pdr_state_fold(pdr_state *state, const pdr_folder *folder, pdr_bytes value, uint64_t seq,
                                    int64_t time_us, bool check, pdr_arena *scratch, pdr_error *err);
/* Fold one event that was read already. As above. */
PDR_CHECKED pdr_code pdr_state_apply(pdr_state *state, const pdr_folder *folder, const pdr_event *event,
                                     pdr_error *err);

#endif
