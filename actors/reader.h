/* Inside readers: one connection, one queue of events, and what fills it. Only actors/ includes this. */
#ifndef PDR_ACTORS_READER_H
#define PDR_ACTORS_READER_H

#include "actors/event_queue.h"
#include "actors/shell.h"
#include "journal/commit_reader.h"
#include "journal/entity_reader.h"

typedef enum pdr_reader_step {
    PDR_READER_PARTITION, /* commits from `position` on */
    PDR_READER_HISTORY,   /* an entity's events */
    PDR_READER_DONE       /* history: no more */
} pdr_reader_step;

struct pdr_reader {
    pdr_journal *journal;
    pdr_log *log;
    pdr_store *store; /* of a history; else NULL */
    pdr_event_queue queue;
    pdr_error failure; /* code PDR_OK: none; else the reader is over once the queue is empty */
    pdr_reader_step step;
    int32_t partition;

    /* Reading commits. */
    pdr_position position; /* where to begin */
    pdr_log_reader *records;
    pdr_commit_reader commits;
    bool begun; /* `commits` is to be released */
    bool paused;
    bool ended;           /* `told_end` was told */
    int64_t told_end;     /* everything below was delivered */
    int64_t next_offset;  /* after the last record delivered */
    pdr_log_reader *look; /* asks where the log ends now */
    bool looked;
    int64_t seen_end;

    /* A history. */
    uint8_t key[PDR_MAX_ENTITY_ID];
    size_t key_size;
    uint64_t after_seq;
    pdr_entity_reader *history; /* NULL: not begun */

    /* The schema that the next event was written with, if nobody knows it. */
    pdr_schema_seek *seek; /* NULL: none is looked for */
    pdr_error seek_failed; /* code PDR_OK: it didn't */
};

PDR_CHECKED pdr_code pdr_reader_begin(pdr_reader *reader, const pdr_commit_sink *sink, pdr_error *err);
void pdr_reader_fail(pdr_reader *reader, pdr_code code, const pdr_error *why);
/* Schemas met on the way are remembered. For sinks. */
pdr_code pdr_reader_meet(void *context, pdr_verdict verdict, const pdr_log_record *record,
                         const pdr_header *header, pdr_error *err);
/* Reading waits while the queue is full. */
void pdr_reader_throttle(pdr_reader *reader);
/* Begin reading a history, if that isn't done yet. */
PDR_CHECKED pdr_code pdr_history_reader_begin(pdr_reader *reader, pdr_error *err);

#endif
