/* How a projection is: asked of its projector and of the log's ends, copied for others to see. */
#include <string.h>

#include "projections/worker_core.h"

enum { ASK_EVERY_US = 1000000, SHOW_EVERY_US = 100000 };

/* --- where the log ends --- */

static bool is_behind(const pdr_runner *r, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!r->partitions[i].at_end) return true;
    return false;
}

static void take_ends(pdr_runner *r)
{
    for (int32_t i = 0; i < r->worker->partitions; i++) {
        int64_t end = pdr_log_ends_of(r->asking, i);
        if (end > r->ends[i]) r->ends[i] = end;
    }
    pdr_log_ends_close(r->asking);
    r->asking = NULL;
}

/* A projection that reads at the log's end is told by its own readers. */
static void ask_for_ends(pdr_runner *r, size_t count, int64_t now)
{
    if (r->asking && pdr_log_ends_all(r->asking)) take_ends(r);
    if (r->asking || now < r->ask_at || !is_behind(r, count)) return;
    r->ask_at = now + ASK_EVERY_US;
    int32_t behind[PDR_LOG_MAX_PARTITIONS];
    size_t behind_count = 0;
    for (size_t i = 0; i < count; i++)
        if (!r->partitions[i].at_end) behind[behind_count++] = r->partitions[i].partition;
    pdr_error ignored; /* the projector's own readers say what is wrong with the log */
    if (pdr_log_ends_open(&r->asking, r->log, behind, behind_count, &ignored) != PDR_OK) r->asking = NULL;
}

/* --- how it is --- */

void pdr_runner_show(pdr_runner *r, int64_t now)
{
    pdr_shown shown = {.partition_count = pdr_projector_partitions(r->projector, r->partitions,
                                                                   (size_t)r->worker->partitions),
                       .at_us = now,
                       .assigned = !r->group || r->joined};
    int64_t wall = r->env.env.ops->wall_us(&r->env.env);
    pdr_projector_numbers_get(r->projector, &shown.numbers);
    for (size_t i = 0; i < shown.partition_count; i++) {
        pdr_projector_partition *partition = &r->partitions[i];
        int64_t end = r->ends[partition->partition];
        if (end > partition->log_end) partition->log_end = end;
        uint64_t lag = pdr_lag_of(partition);
        shown.lag_events += lag;
        shown.parked += partition->parked;
        if (lag && partition->event_time_us != INT64_MIN && wall - partition->event_time_us > shown.lag_us)
            shown.lag_us = wall - partition->event_time_us;
    }
    shown.lag_trend = pdr_lag_trend_take(&r->trend, now, shown.lag_events);
    r->show_at = now + SHOW_EVERY_US;
    pthread_mutex_lock(&r->worker->lock);
    shown.partitions = r->shown.partitions;
    r->shown = shown;
    memcpy(r->shown.partitions, r->partitions, shown.partition_count * sizeof *r->partitions);
    pthread_cond_broadcast(&r->worker->changed);
    pthread_mutex_unlock(&r->worker->lock);
    ask_for_ends(r, shown.partition_count, now);
}

bool pdr_runner_is_still(const pdr_runner *r)
{
    pdr_projector_state state = r->shown.numbers.state;
    return state == PDR_PROJECTOR_IDLE || state == PDR_PROJECTOR_STOPPED || state == PDR_PROJECTOR_WAITING;
}
