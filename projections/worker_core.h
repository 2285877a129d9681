/* Inside the projection worker: what the files of the shell share. Only worker*.c, runner*.c, metrics*.c and
 * cli/project_run.c include this.
 *
 *   worker_plan.c  options, checked and copied      worker.c       open, close, drain, status
 *   worker_wait.c  catch up                         log_ends.c     where the log ends now
 *   runner.c       the thread of one projection:    runner_show.c  what others see of it
 *                  group, going on after an error   lag.c          how far behind, and whether it grows
 *   metrics*.c     what Prometheus is told
 *
 * Threads: a runner's members below `shown` belong to its thread; what others may see is copied to `shown`
 * under the worker's lock. */
#ifndef PDR_PROJECTIONS_WORKER_CORE_H
#define PDR_PROJECTIONS_WORKER_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/alarm.h"
#include "journal/schema_book.h"
#include "journal/system_env.h"
#include "projections/lag.h"
#include "projections/log_ends.h"
#include "projections/projection.h"
#include "projections/worker_plan.h"

/* One projection as its thread last told. */
typedef struct pdr_shown {
    pdr_projector_numbers numbers;
    pdr_projector_partition *partitions; /* room for the journal's */
    size_t partition_count;
    uint64_t lag_events;
    int64_t lag_us;
    double lag_trend;
    uint64_t parked;
    int64_t at_us; /* monotonic time of this */
    bool assigned; /* it knows which partitions are its own */
} pdr_shown;

typedef struct pdr_runner {
    struct pdr_worker *worker;
    pdr_projection *projection;
    pthread_t thread;
    bool started;
    pdr_alarm alarm;
    atomic_bool ending;   /* the thread is to end */
    atomic_bool draining; /* it is to stand still */
    pdr_shown shown;      /* under the worker's lock */

    pdr_log *log;
    pdr_views *views;
    pdr_system_env env;
    pdr_projector *projector;
    pdr_group *group; /* NULL: the partitions are listed */
    bool told_to_drain, joined;
    pdr_log_ends *asking; /* NULL: not now */
    int64_t ask_at, show_at;
    int64_t schemas_at; /* when to look for schemas of the store that are new */
    int64_t resume_at;  /* of a stopped one: when to look whether it may go on; 0: it wasn't looked at yet */
    int64_t *ends;      /* of the journal's partitions; -1: not known */
    pdr_lag_trend trend;
    pdr_projector_partition *partitions; /* room for the journal's */
} pdr_runner;

struct pdr_worker {
    pdr_worker_plan plan;
    pdr_schema_book *book;
    uint8_t journal_id[PDR_ID_SIZE];
    int32_t partitions; /* of the journal */
    pdr_runner *runners;
    size_t runner_count;
    pthread_mutex_t lock; /* of what is shown */
    pthread_cond_t changed;
    struct pdr_metrics *metrics; /* NULL: no port */
};

/* worker_wait.c. Where the log's partitions end now: `ends` has room for all of them. Blocking, at most
 * timeout_ms. PDR_UNAVAILABLE, ... */
PDR_CHECKED pdr_code pdr_worker_ends(const struct pdr_worker *worker, int64_t *ends, int timeout_ms,
                                     pdr_error *err);
/* Wait until every projection has passed them on its partitions. PDR_TIMEOUT, or why one stopped. */
PDR_CHECKED pdr_code pdr_worker_pass(struct pdr_worker *worker, const int64_t *ends, int timeout_ms,
                                     pdr_error *err);

/* runner.c. `runner->projection` is there already. *_open connects, makes the version if it isn't there and
 * assigns; *_start begins the thread; *_close is fine at any stage. */
PDR_CHECKED pdr_code pdr_runner_open(pdr_runner *runner, struct pdr_worker *worker, pdr_error *err);
PDR_CHECKED pdr_code pdr_runner_start(pdr_runner *runner, pdr_error *err);
void pdr_runner_end(pdr_runner *runner); /* tell the thread to end; don't wait */
void pdr_runner_close(pdr_runner *runner);
void pdr_runner_drain(pdr_runner *runner);
/* runner_show.c. By the runner's thread: tell how it is, and ask where the log ends. */
void pdr_runner_show(pdr_runner *runner, int64_t now_us);
bool pdr_runner_is_still(const pdr_runner *runner); /* nothing is under way; the lock is held */

#endif
