/* One entity's history, read from the log without an index: backwards by backlinks, or forwards by a scan,
 * whichever is cheaper. */
#ifndef PDR_JOURNAL_HISTORY_H
#define PDR_JOURNAL_HISTORY_H

#include "journal/commit_reader.h"

typedef struct pdr_history pdr_history;

typedef struct pdr_history_spec {
    int32_t partition;
    pdr_bytes key;      /* copied */
    uint64_t after_seq; /* events with seq > after_seq ... */
    uint64_t to_seq;    /* ... up to and with this one */
    pdr_position last;  /* of the event `to_seq`: a position known to be valid */
    size_t max_bytes;   /* ceiling of what a walk may hold; it falls back to scanning beyond */
} pdr_history_spec;

typedef struct pdr_history_events {
    /* The next event, seq ascending without a gap. Borrowed until return. A non-OK code ends the history with
     * that code. The record's offset may be that of a repeat of the event, which has the same bytes. */
    pdr_code (*event)(void *context, const pdr_log_record *record, const pdr_header *header, pdr_error *err);
    /* Once, last: PDR_OK after `to_seq` was delivered; PDR_CORRUPT when an event is missing or not where it
     * must be; else what the log or `event` said. The history may be closed in here. */
    void (*done)(void *context, pdr_code code, const pdr_error *error);
} pdr_history_events;

/* Starts reading; everything comes in the log's poll, on its thread. A log that for now ends before `last` is
 * waited for. PDR_INVALID_ARGUMENT (after_seq must be below to_seq), PDR_NOMEM, or what the log said. */
PDR_CHECKED pdr_code pdr_history_open(pdr_history **out, pdr_log *log, const pdr_history_spec *spec,
                                      const pdr_history_events *events, void *context, pdr_error *err);
/* At any time, also in the history's own callbacks; no callback comes after it. NULL is fine. */
void pdr_history_close(pdr_history *history);

#endif
