/* From records to whole commits: applies the void rule and holds back an open commit's events until its last
 * record is in sequence. */
#ifndef PDR_JOURNAL_COMMIT_READER_H
#define PDR_JOURNAL_COMMIT_READER_H

#include "journal/held.h"
#include "journal/term.h"

/* One event that counts. Borrowed until the callback returns. */
typedef struct pdr_commit_event {
    const pdr_log_record *record;
    const pdr_header *header;
} pdr_commit_event;

typedef struct pdr_commit_sink {
    /* A whole commit, in order. `before` is the position before its first record; the walk's `at` is the
     * position of its last. */
    pdr_code (*commit)(void *context, const pdr_commit_event *events, size_t count, pdr_position before,
                       pdr_error *err);
    /* Everything else, each record once, as it is met (an open commit's events are told here as
     * PDR_VERDICT_EVENT too). May be NULL. */
    pdr_code (*other)(void *context, pdr_verdict verdict, const pdr_log_record *record,
                      const pdr_header *header, pdr_error *err);
} pdr_commit_sink;

typedef struct pdr_commit_reader {
    pdr_walk walk;
    const pdr_commit_sink *sink;
    void *context;
    pdr_held_list held; /* the open commit's records */
    size_t held_bytes;
    uint64_t voids, foreigns, malformeds; /* counted since init */
} pdr_commit_reader;

enum { PDR_MAX_OPEN_COMMIT = 64 * 1024 * 1024 }; /* bytes held back at most: more is PDR_TOO_LARGE */

void pdr_commit_reader_init(pdr_commit_reader *reader, pdr_position position, const pdr_commit_sink *sink,
                            void *context);
void pdr_commit_reader_release(pdr_commit_reader *reader);

/* Take the next record. PDR_CORRUPT, PDR_TOO_NEW (stop for good), PDR_NOMEM, or what the sink returned; after
 * a failure the reader must be released. */
PDR_CHECKED pdr_code pdr_commit_reader_take(pdr_commit_reader *reader, const pdr_log_record *record,
                                            pdr_error *err);

#endif
