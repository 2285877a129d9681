/* All of a log, or a part of it, in parallel over partitions: whole commits that count, in their partition's
 * order, up to where each partition ended when the scan began, or for ever (follow). */
#ifndef PDR_REPLAY_SCAN_H
#define PDR_REPLAY_SCAN_H

#include "journal/commit_reader.h"
#include "replay/tool.h"

enum { PDR_SCAN_AHEAD = 16 };

/* What one thread hands over. All calls for one partition come from one thread, in its order; `thread` is 0
 * .. threads - 1. */
typedef struct pdr_scan_sink {
    /* `at`: position after the commit, where a later scan may go on. PDR_CANCELLED ends that partition
     * without being a failure. */
    pdr_code (*commit)(void *context, unsigned thread, int32_t partition, const pdr_commit_event *events,
                       size_t count, pdr_position at, pdr_error *err);
    /* Any other record (void, FENCE, ...); may be NULL. */
    pdr_code (*other)(void *context, unsigned thread, int32_t partition, pdr_verdict verdict,
                      const pdr_log_record *record, const pdr_header *header, pdr_error *err);
    /* A partition is at its end; of one that is followed, each time that all there is was told. May be NULL.
     */
    pdr_code (*ended)(void *context, unsigned thread, int32_t partition, pdr_position at, pdr_error *err);
    /* A record with this key comes PDR_SCAN_AHEAD records later, if it counts: what it needs may be fetched
     * from memory meanwhile. May be NULL. */
    void (*coming)(void *context, unsigned thread, int32_t partition, pdr_bytes key);
} pdr_scan_sink;

/* For who applies the void rule himself, and goes on where a partition is damaged. Calls as those of a sink.
 */
typedef struct pdr_scan_raw {
    /* Each record as it lies. PDR_CANCELLED ends that partition without being a failure. */
    pdr_code (*record)(void *context, unsigned thread, int32_t partition, const pdr_log_record *record,
                       pdr_error *err);
    /* The partition was read to its end: the offset behind its last record. */
    void (*ended)(void *context, unsigned thread, int32_t partition, int64_t end);
    /* The partition can't be read on, and that won't pass: damage, records that are gone. The others go on.
     */
    void (*lost)(void *context, unsigned thread, int32_t partition, const pdr_error *why);
} pdr_scan_raw;

typedef struct pdr_scan_progress {
    int64_t done, total; /* records, as far as offsets tell */
    int32_t partitions_done, partitions;
} pdr_scan_progress;

typedef struct pdr_scan_spec {
    const int32_t *partitions; /* which; NULL: all */
    size_t partition_count;
    const pdr_position *from; /* one per partition of the log; NULL: all from the beginning */
    unsigned threads;         /* at most; 0: as many as fit this machine */
    bool follow;              /* go on with what is appended later */
    int timeout_ms;           /* for the partitions' ends to be told; 0: 30 s */
    const pdr_scan_sink *sink;
    const pdr_scan_raw *raw; /* not NULL: instead of the sink; not to be followed */
    void *context;
    /* Called by the calling thread some ten times a second; true: stop (PDR_CANCELLED). It leaves the tool's
     * own log alone, which a thread of the scan reads. May be NULL. */
    bool (*watch)(void *context, const pdr_scan_progress *progress);
} pdr_scan_spec;

unsigned pdr_scan_threads(const pdr_tool *tool, const pdr_scan_spec *spec); /* that the scan will have */

/* Blocking. PDR_CANCELLED, PDR_CORRUPT and PDR_TOO_NEW (naming the place), PDR_OUT_OF_RANGE, PDR_UNAVAILABLE,
 * PDR_TIMEOUT, PDR_NOMEM, or what the sink gave. SCHEMA records that are met go into the tool's book. */
PDR_CHECKED pdr_code pdr_scan_run(pdr_tool *tool, const pdr_scan_spec *spec, pdr_error *err);
/* The same by one thread over a log of `partitions`, which its caller leaves alone meanwhile; no book takes
 * the SCHEMA records. */
PDR_CHECKED pdr_code pdr_scan_log(pdr_log *log, int32_t partitions, const pdr_scan_spec *spec,
                                  pdr_error *err);

#endif
