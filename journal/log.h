/* The log seam: what perdure asks of a log, and all it may rely on. Backends: kafka, sqlite, simulated; one
 * contract-test suite (tests/contract/) runs against each.
 *
 * A `pdr_log` is one connection of one worker thread to one journal's log. Threads: all calls on a log, its
 * writers and readers are made by one thread at a time; several pdr_log of one journal may live in several
 * threads and processes. Re-entrancy: a call never runs a callback before it returns; callbacks run only
 * inside `poll`. In a callback any operation may be called except `poll` and `close`; a reader or writer may
 * be closed in its own callback, and gets no further callbacks. Borrowed ranges handed to a callback are
 * valid until it returns. `append` copies what it is given. */
#ifndef PDR_JOURNAL_LOG_H
#define PDR_JOURNAL_LOG_H

#include "perdure/bytes.h"

struct pollfd;
typedef struct pdr_log pdr_log;
typedef struct pdr_log_writer pdr_log_writer;
typedef struct pdr_log_reader pdr_log_reader;

enum {
    PDR_LOG_MAX_KEY = 512, /* bytes of an entity id */
    PDR_LOG_MAX_PARTITIONS = 4096,
    PDR_LOG_MAX_VALUE = 16 * 1024 * 1024 /* bytes of one record's value; a backend may have a lower ceiling */
};

/* A record to append. data NULL means null (key, value) or absent (headers). */
typedef struct pdr_log_entry {
    pdr_bytes key;    /* entity id */
    pdr_bytes value;  /* framed Avro datum */
    pdr_bytes header; /* header "pdr": docs/formats/record.md */
    pdr_bytes schema; /* header "pdr-schema": a SCHEMA record's JSON */
    pdr_bytes trace;  /* header "traceparent" */
} pdr_log_entry;

/* A record as read. `header` data NULL: a foreign record without our header. */
typedef struct pdr_log_record {
    int64_t offset;
    int64_t append_ms; /* the log's own time of the append, milliseconds since 1970 UTC */
    pdr_log_entry entry;
} pdr_log_record;

/* What became of an append. code PDR_OK: the record is in the log (acks=all), at `offset`, or, when the
 * backend can't say where, with offset -1. Any other code: the append failed or its outcome is unknown; the
 * record may still be, or come to be, in the log. */
typedef struct pdr_log_report {
    uint64_t tag; /* the one given to append */
    pdr_code code;
    int32_t backend;
    int64_t offset;
} pdr_log_report;

typedef struct pdr_log_writer_events {
    /* Reports, at most one per append, normally in the order of the appends; a caller must survive any order,
     * losses and odd offsets. */
    void (*reports)(void *context, const pdr_log_report *reports, size_t count);
    /* The writer can't go on: no further reports will come for what was appended. Only renew or close help.
     */
    void (*broken)(void *context, const pdr_error *error);
} pdr_log_writer_events;

typedef struct pdr_log_reader_events {
    /* Records in ascending order of offset, each once; offsets may have gaps (void of ours: transaction
     * markers). */
    void (*records)(void *context, const pdr_log_record *records, size_t count);
    /* Every record below `end` that was in the log when the reader was opened, or when `end` was last told,
     * has been delivered. Told at least once after open, and again whenever the reader has caught up with new
     * records. */
    void (*end)(void *context, int64_t end);
    /* The reader is dead (close it): PDR_OUT_OF_RANGE (the log no longer, or not yet, holds `from`),
     * PDR_UNAVAILABLE, PDR_CORRUPT, ... */
    void (*failed)(void *context, const pdr_error *error);
} pdr_log_reader_events;

/* Where a reader starts: an offset >= 0, or the last `n` offsets before the end of the log (n = 0: only what
 * comes later, and `end`). */
#define PDR_LOG_TAIL(n) (-1 - (int64_t)(n))

typedef struct pdr_log_info {
    int32_t partitions;
    char name[250]; /* the journal's name in the log */
} pdr_log_info;

typedef struct pdr_log_ops {
    const char *name; /* "kafka", "sqlite", "sim" */

    /* Drop all resources; outstanding appends are given up (outcome unknown). Writers and readers must be
     * closed before. May block for a bounded time (seconds). */
    void (*close)(pdr_log *log);
    /* Blocking, at most timeout_ms: what the log is. PDR_NOT_INITIALISED when topic or tables are missing. */
    pdr_code (*info)(pdr_log *log, pdr_log_info *out, int timeout_ms, pdr_error *err);
    /* Blocking, at most timeout_ms: are the log's own settings safe (DESIGN: "Settings that this rests on")?
     * PDR_UNSAFE_SETTING names the setting, its value and the one wanted. */
    pdr_code (*check)(pdr_log *log, int timeout_ms, pdr_error *err);

    /* A writer of one partition. */
    pdr_code (*writer_open)(pdr_log *log, int32_t partition, const pdr_log_writer_events *events,
                            void *context, pdr_log_writer **out, pdr_error *err);
    void (*writer_close)(pdr_log_writer *writer); /* outstanding appends get no report; NULL is fine */
    /* Queue a record; the report comes in `poll`. Records of one writer that reach the log do so in the order
     * of the appends as far as the backend can (idempotent producer). PDR_QUEUE_FULL: nothing was queued, try
     * after `poll`. PDR_TOO_LARGE, PDR_NOMEM. After `broken`: PDR_FATAL. */
    pdr_code (*append)(pdr_log_writer *writer, const pdr_log_entry *entry, uint64_t tag, pdr_error *err);
    /* A fresh start after a failure: nothing appended before will be reported any more, and nothing of it
     * waits in a local queue ahead of what is appended next. Records already on their way may still land, at
     * any later time. */
    pdr_code (*writer_renew)(pdr_log_writer *writer, pdr_error *err);

    pdr_code (*reader_open)(pdr_log *log, int32_t partition, int64_t from,
                            const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                            pdr_error *err);
    void (*reader_close)(pdr_log_reader *reader); /* NULL is fine */
    /* While paused no callback comes, and the backend holds at most a bounded amount of read-ahead. */
    void (*reader_pause)(pdr_log_reader *reader, bool paused);

    /* Carry out queued work and run the callbacks that are due. Never waits for a server; sqlite's disk work
     * happens here. Returns how many callbacks ran: 0 means the caller may sleep. */
    size_t (*poll)(pdr_log *log);
    /* What to sleep on: fills at most `max` entries and returns how many; poll(2) waking on one of them, or
     * the time being reached that `due_us` gives (microseconds from now, INT64_MAX: none), means that `poll`
     * has work. */
    int (*wait_on)(pdr_log *log, struct pollfd *fds, int max, int64_t *due_us);
} pdr_log_ops;

/* A backend's log begins with this. */
struct pdr_log {
    const pdr_log_ops *ops;
};
struct pdr_log_writer {
    const pdr_log_ops *ops;
};
struct pdr_log_reader {
    const pdr_log_ops *ops;
};

/* PDR_INVALID_ARGUMENT unless every operation is there. */
PDR_CHECKED pdr_code pdr_log_ops_validate(const pdr_log_ops *ops, pdr_error *err);

#endif
