/* The parts of the SQLite log. Internal to backends/sqlite. */
#ifndef PDR_BACKENDS_SQLITE_LOG_INTERNAL_H
#define PDR_BACKENDS_SQLITE_LOG_INTERNAL_H

#include "backends/sqlite/sqlite_db.h"
#include "backends/sqlite/sqlite_log.h"
#include "backends/sqlite/sqlite_shared.h"
#include "backends/sqlite/sqlite_wait.h"
#include "perdure/arena.h"

enum {
    PDR_SQLITE_LOG_FORMAT = 1,
    QUEUE_ENTRIES = 65536,          /* per log, all writers */
    QUEUE_BYTES = 64 * 1024 * 1024, /* the same */
    QUEUE_KEPT = 1024 * 1024,       /* a writer keeps at most this much memory when idle */
    BATCH_RECORDS = 1000,           /* per reader and poll */
    FIRST_BATCH_RECORDS = 32,       /* ... at first: who reads a single record pays for few */
    BATCH_BYTES = 1024 * 1024,      /* the same; one record may go over it */
    FOLLOW_US = 5000,               /* how often other processes' appends are looked for */
    INSERT_ROWS = 8,                /* of one statement: about a tenth faster than one by one */
    READ_RETRY_US = 500,            /* a reader that met a lock */
};

/* One appended record that waits: its parts lie one after the other in the writer's bytes. */
typedef struct queued {
    uint64_t tag;
    uint32_t sizes[5]; /* key, value, header, schema, trace; ABSENT for NULL */
} queued;
#define ABSENT UINT32_MAX

/* Records on their way, and once they are written or failed, their reports. */
typedef struct batch {
    queued *entries;
    pdr_log_report *reports;
    size_t count, capacity; /* of both arrays */
    pdr_buf bytes;
} batch;

typedef struct writer {
    pdr_log_writer base;
    struct sqlite_log *log;
    struct writer *next;
    int32_t partition;
    bool closed; /* freed when poll has ended */
    const pdr_log_writer_events *events;
    void *context;
    batch queue;                               /* what append fills */
    batch done;                                /* whose reports are due */
    sqlite3_stmt *insert, *insert_rows, *last; /* one row, INSERT_ROWS rows, the greatest offset */
} writer;

typedef struct reader {
    pdr_log_reader base;
    struct sqlite_log *log;
    struct reader *next;
    int32_t partition;
    bool closed; /* freed when poll has ended */
    bool paused;
    bool failed;
    bool checked;   /* `at` was found to lie inside the log */
    bool caught_up; /* and `end` was told; something new must be heard of before it looks again */
    int64_t at;     /* next offset wanted */
    size_t batch;   /* records of the next batch, at most */
    const pdr_log_reader_events *events;
    void *context;
    sqlite3_stmt *select, *range;
} reader;

typedef struct sqlite_log {
    pdr_log base;
    sqlite3 *db;
    char *path;
    pdr_log_info info;
    pdr_sqlite_member member;
    sqlite3_stmt *begin, *commit, *rollback, *version;
    bool polling;
    writer *writers;
    reader *readers;
    size_t queued_entries, queued_bytes; /* in all writers' queues */
    pdr_sqlite_wait wait;                /* for another process's lock, to write */
    /* following */
    int64_t seen_version, next_look_us;
    int64_t read_after_us;   /* a reader met a lock; 0: none */
    pdr_log_record *records; /* BATCH_RECORDS */
    pdr_arena arena;         /* their bytes */
} sqlite_log;

extern const pdr_log_ops pdr_sqlite_log_ops;

/* sqlite_log_tables.c: read and check what the file says about itself. */
PDR_CHECKED pdr_code pdr_sqlite_log_read_info(sqlite3 *db, pdr_log_info *out, pdr_error *err);

/* sqlite_writer.c */
pdr_code pdr_sqlite_writer_open(pdr_log *base, int32_t partition, const pdr_log_writer_events *events,
                                void *context, pdr_log_writer **out, pdr_error *err);
void pdr_sqlite_writer_close(pdr_log_writer *base);
pdr_code pdr_sqlite_append(pdr_log_writer *base, const pdr_log_entry *entry, uint64_t tag, pdr_error *err);
pdr_code pdr_sqlite_writer_renew(pdr_log_writer *base, pdr_error *err);
/* Write what is queued in one transaction, unless another process holds the lock. */
void pdr_sqlite_write_queues(sqlite_log *log);
size_t pdr_sqlite_tell_reports(sqlite_log *log); /* callbacks run */
void pdr_sqlite_sweep_writers(sqlite_log *log);  /* free the closed ones */

/* sqlite_reader.c */
pdr_code pdr_sqlite_reader_open(pdr_log *base, int32_t partition, int64_t from,
                                const pdr_log_reader_events *events, void *context, pdr_log_reader **out,
                                pdr_error *err);
void pdr_sqlite_reader_close(pdr_log_reader *base);
void pdr_sqlite_reader_pause(pdr_log_reader *base, bool paused);
/* Wake the readers of one partition, or of all (-1), that had caught up. */
void pdr_sqlite_wake_readers(sqlite_log *log, int32_t partition);
size_t pdr_sqlite_read_on(sqlite_log *log); /* callbacks run */
bool pdr_sqlite_reader_has_work(const reader *r);
void pdr_sqlite_sweep_readers(sqlite_log *log);

#endif
