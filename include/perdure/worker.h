/* Projection workers: they read the log, fold events into rows of read views, and commit rows and positions
 * together. One worker runs any number of projections on the partitions that it is given, by a list or by a
 * consumer group; whatever that says, two on one partition can't both win a batch. docs/projections.md is the
 * guide.
 *
 * Threads: a worker has one thread for each projection. Its functions may be called from any thread, except
 * that close is the last call. Nothing here runs in a completion of a journal. */
#ifndef PERDURE_WORKER_H
#define PERDURE_WORKER_H

#include "perdure/projection.h"
#include "perdure/setting.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pdr_worker pdr_worker;

/* Everything is borrowed until pdr_worker_open returns, except `app` and `types`, which must live as long as
 * the worker. */
typedef struct pdr_worker_options {
    size_t abi_size;     /* sizeof(pdr_worker_options); set by PDR_WORKER_OPTIONS_INIT */
    const char *journal; /* as in pdr_options; NULL: $PERDURE_JOURNAL */
    const char *store;   /* of the journal; only its identity and schemas are read. NULL: as in pdr_options */
    const char *views;   /* "postgres://...", "sqlite:file"; NULL: $PERDURE_VIEWS, else the store's */
    const pdr_app *app;  /* event types and upcasters */
    const char *const *files; /* declarative projections */
    size_t file_count;
    const pdr_projection_type *const *types; /* projections in C */
    size_t type_count;
    const int32_t *partitions; /* which to work on; NULL: all, or what the group gives */
    size_t partition_count;
    bool group;                  /* Kafka: share the partitions with other workers of each projection */
    const char *name;            /* for people; NULL: "hostname/pid" */
    const pdr_setting *settings; /* project.* and kafka.*: docs/settings.md */
    size_t setting_count;
    pdr_log_line log_line; /* NULL: none */
    void *context;
} pdr_worker_options;

/* clang-format off */
#define PDR_WORKER_OPTIONS_INIT {sizeof(pdr_worker_options), NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, false, NULL, NULL, 0, NULL, NULL}
/* clang-format on */

/* Read and check the projections, connect, make versions that aren't there. Blocking (setting
 * project.open.timeout.ms). *out is yours. PDR_BAD_PROJECTION with file:line:column; PDR_CONFLICT: a
 * definition was changed under its version, the message names the command to use instead; PDR_WRONG_JOURNAL,
 * PDR_UNAVAILABLE, ... */
PDR_API PDR_CHECKED pdr_code pdr_worker_open(pdr_worker **out, const pdr_worker_options *options,
                                             pdr_error *err);
/* Commits what was folded, for at most the setting project.close.timeout.ms, then frees everything. NULL is
 * fine. */
PDR_API void pdr_worker_close(pdr_worker *worker);

/* Wait until every projection has passed the log's end as it is now, on this worker's partitions; or
 * timeout_ms (PDR_TIMEOUT), or one stopped (its error). */
PDR_API PDR_CHECKED pdr_code pdr_worker_catch_up(pdr_worker *worker, int timeout_ms, pdr_error *err);
/* No more reading: commit what was folded, then stand still. What SIGTERM does to `perdure project run`.
 * Blocking. */
PDR_API PDR_CHECKED pdr_code pdr_worker_drain(pdr_worker *worker, int timeout_ms, pdr_error *err);

/* One projection of this worker, as of a moment ago. */
typedef struct pdr_worker_status {
    const char *projection; /* borrowed from the worker */
    uint32_t version;
    const char *state;              /* "running", "waiting", "stopped", ... */
    uint64_t events, batches, rows; /* committed by this worker */
    uint64_t lag_events; /* offsets between position and log's end, summed: an upper bound of events */
    int64_t lag_us;      /* event time of the newest event projected, behind now; 0: nothing is behind */
    double lag_trend;    /* lag_events per second, over the last minute: above 0 it grows */
    uint64_t parked;
    size_t partitions; /* worked on */
    pdr_error error;   /* last one; code PDR_OK: none */
} pdr_worker_status;
/* Gives how many projections there are; fills at most `max`. */
PDR_API size_t pdr_worker_status_get(pdr_worker *worker, pdr_worker_status *out, size_t max);

#ifdef __cplusplus
}
#endif
#endif
