/* The projector: one version of one projection on some partitions, as a state machine over the log seam and
 * the views seam. It reads, applies the void rule (journal/commit_reader.h), upcasts (journal/fold.h), folds
 * (rows.h), and commits rows and positions together. No clock, thread or socket of its own: the worker's
 * shell drives it.
 *
 * Invariant `position-with-rows`: a version's rows are exactly the fold of the events up to its positions,
 * but for parked entities, whose rows stop at their first parked event. */
#ifndef PDR_PROJECTIONS_PROJECTOR_H
#define PDR_PROJECTIONS_PROJECTOR_H

#include "journal/env.h"
#include "journal/log.h"
#include "projections/projection.h"

typedef struct pdr_projector pdr_projector;
struct pdr_schema_book; /* journal/schema_book.h */

typedef struct pdr_projector_settings {
    size_t batch_events;     /* a batch ends at the first whole commit at or past this many events, ... */
    size_t batch_bytes;      /* ... or this many bytes of folded rows, ... */
    int64_t batch_wait_us;   /* ... or when its first event has waited so long */
    size_t read_ahead_bytes; /* records held per partition before its reader is paused */
    int32_t attempts;        /* of an event before it is parked */
    uint64_t parked_max;     /* dead letters of a partition; one more stops the projection */
    int64_t retry_min_us, retry_max_us; /* back-off after failures of log or database */
    uint32_t throttle;                  /* events per second; 0: none */
} pdr_projector_settings;

typedef struct pdr_projector_spec {
    pdr_projection *projection; /* must outlive it, as must all else here */
    const pdr_app *app;
    pdr_log *log;
    pdr_views *views;
    pdr_env *env;
    struct pdr_schema_book *book;
    uint8_t journal_id[16];
    int32_t partitions; /* of the journal */
    const char *worker; /* name for people */
    bool unpaused;      /* an operator's pause doesn't hold it: a tool that brings a paused version forward */
    pdr_projector_settings settings;
} pdr_projector_spec;

typedef enum pdr_projector_state {
    PDR_PROJECTOR_IDLE,    /* no partition assigned */
    PDR_PROJECTOR_LOADING, /* positions and parked entities are being read */
    PDR_PROJECTOR_RUNNING,
    PDR_PROJECTOR_WAITING, /* database or log away: backs off, then tries again */
    PDR_PROJECTOR_DRAINING,
    PDR_PROJECTOR_STOPPED /* for good, until an operator acts: the error says why */
} pdr_projector_state;

typedef struct pdr_projector_partition {
    int32_t partition;
    bool beaten;           /* another worker moved its position, and no batch went through since */
    pdr_position position; /* committed */
    int64_t log_end;       /* newest end known; -1: not known yet */
    int64_t passed;        /* all that counts below this offset is committed */
    bool at_end;           /* its reader has told the log's end, and nothing came since */
    int64_t event_time_us; /* of the newest event committed; INT64_MIN: none */
    uint64_t events;       /* committed by this projector */
    uint64_t parked;
} pdr_projector_partition;

typedef struct pdr_projector_numbers {
    pdr_projector_state state;
    uint64_t events, batches, rows, statements; /* committed */
    uint64_t stale, retries, parked, voids;
    uint64_t fetches;          /* rows asked for */
    uint64_t ahead;            /* batches handed over before the answer to the one before */
    uint64_t discards;         /* batches that were folded on top of one that failed, and were forgotten */
    uint64_t unknown_outcomes; /* of batches */
    uint64_t refused;          /* batches whose values the database refuses, until the event was found */
    uint64_t seeks;            /* schemas looked for in the log */
    int64_t last_commit_us;
    pdr_error error; /* last one; code PDR_OK: none */
} pdr_projector_numbers;

PDR_CHECKED pdr_code pdr_projector_open(pdr_projector **out, const pdr_projector_spec *spec, pdr_error *err);
/* What isn't committed is forgotten. NULL is fine. */
void pdr_projector_close(pdr_projector *projector);
/* These partitions, and no others, from now on. What was given up is committed first if its batch is on its
 * way. */
PDR_CHECKED pdr_code pdr_projector_assign(pdr_projector *projector, const int32_t *partitions, size_t count,
                                          pdr_error *err);
/* No more reading; commit what was folded, then IDLE. */
void pdr_projector_drain(pdr_projector *projector);
/* One turn: polls views and log, folds, commits. Gives how much was done; 0: sleep until *due_us (env's
 * monotonic time) or until log or views have something. */
size_t pdr_projector_turn(pdr_projector *projector, int64_t *due_us);
void pdr_projector_numbers_get(const pdr_projector *projector, pdr_projector_numbers *out);
/* `out` has room for `max`; gives how many there are. */
size_t pdr_projector_partitions(const pdr_projector *projector, pdr_projector_partition *out, size_t max);

#endif
