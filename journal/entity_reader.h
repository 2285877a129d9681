/* One entity's events, from the first or from after a state, to the newest that the log holds: the store says
 * where the newest saved one is, the log has the rest. What readers of histories and tools both run on. */
#ifndef PDR_JOURNAL_ENTITY_READER_H
#define PDR_JOURNAL_ENTITY_READER_H

#include "journal/commit_reader.h"
#include "journal/store.h"

typedef struct pdr_entity_reader pdr_entity_reader;

typedef struct pdr_entity_reader_spec {
    int32_t partition;
    pdr_bytes key;      /* copied */
    uint64_t after_seq; /* events with seq > after_seq ... */
    uint64_t to_seq;    /* ... up to and with this one; UINT64_MAX: the newest */
    /* Which states are looked up with the head, as in pdr_lookup_key. Borrowed for the call. */
    const uint64_t *revisions;
    size_t revision_count;
} pdr_entity_reader_spec;

/* Callbacks come in the polls of log and store. Borrowed ranges are valid until return. The reader may be
 * paused in them, but not closed. A code that isn't PDR_OK is the reader's failure. */
typedef struct pdr_entity_reader_events {
    /* Once, before the first event, if there is a store: its head, NULL if it has none. Whoever takes the
     * state in it raises *after_seq to the state's seq. May be NULL. */
    pdr_code (*head)(void *context, const pdr_head *head, uint64_t *after_seq, pdr_error *err);
    /* The next event that counts, seq ascending without a gap. Its offset may be that of a repeat. */
    pdr_code (*event)(void *context, const pdr_log_record *record, const pdr_header *header, pdr_error *err);
    /* As pdr_commit_sink.other, of what is read in order, whatever its key. May be NULL. */
    pdr_code (*other)(void *context, pdr_verdict verdict, const pdr_log_record *record,
                      const pdr_header *header, pdr_error *err);
    /* All is told up to `to_seq`, or up to where the log ends for now; again whenever what came later is. */
    void (*caught_up)(void *context);
    /* Once, last. PDR_CORRUPT: an event is missing or not where it must be; PDR_STALE: the store was changed
     * while it was read, begin again; else what log, store or a callback said. */
    void (*failed)(void *context, pdr_code code, const pdr_error *error);
} pdr_entity_reader_events;

/* `store` NULL: the whole partition is read in order. PDR_INVALID_ARGUMENT, PDR_NOMEM, or what log or store
 * said. */
PDR_CHECKED pdr_code pdr_entity_reader_open(pdr_entity_reader **out, pdr_log *log, pdr_store *store,
                                            const pdr_entity_reader_spec *spec,
                                            const pdr_entity_reader_events *events, void *context,
                                            pdr_error *err);
void pdr_entity_reader_close(pdr_entity_reader *reader); /* NULL is fine */
/* While paused what is read in order waits; a walk by backlinks is bounded and goes on. */
void pdr_entity_reader_pause(pdr_entity_reader *reader, bool paused);
uint64_t pdr_entity_reader_scanned(const pdr_entity_reader *reader); /* records read in order so far */

#endif
