#include <inttypes.h>

#include "base/clock.h"
#include "projections/metrics.h"

enum { MUTE_US = 60000000 }; /* a thread that has shown nothing for so long hangs */

/* --- of a projection --- */

typedef struct metric {
    const char *name, *type, *help;
    double (*of)(const pdr_shown *shown);
} metric;

static double events_of(const pdr_shown *s)
{
    return (double)s->numbers.events;
}
static double batches_of(const pdr_shown *s)
{
    return (double)s->numbers.batches;
}
static double rows_of(const pdr_shown *s)
{
    return (double)s->numbers.rows;
}
static double statements_of(const pdr_shown *s)
{
    return (double)s->numbers.statements;
}
static double retries_of(const pdr_shown *s)
{
    return (double)s->numbers.retries;
}
static double stale_of(const pdr_shown *s)
{
    return (double)s->numbers.stale;
}
static double parked_of(const pdr_shown *s)
{
    return (double)s->numbers.parked;
}
static double voids_of(const pdr_shown *s)
{
    return (double)s->numbers.voids;
}
static double commit_of(const pdr_shown *s)
{
    return (double)s->numbers.last_commit_us / 1e6;
}
static double trend_of(const pdr_shown *s)
{
    return s->lag_trend;
}
static double stopped_of(const pdr_shown *s)
{
    return s->numbers.state == PDR_PROJECTOR_STOPPED;
}

static const metric metrics[] = {
    {"events_total", "counter", "Events committed by this worker.", events_of},
    {"batches_total", "counter", "Batches committed.", batches_of},
    {"rows_total", "counter", "Rows written.", rows_of},
    {"statements_total", "counter", "Raw statements run.", statements_of},
    {"retries_total", "counter", "Attempts after a failure, of events and of batches.", retries_of},
    {"stale_total", "counter", "Batches that another worker won.", stale_of},
    {"parked_total", "counter", "Events parked by this worker.", parked_of},
    {"voids_total", "counter", "Records passed over that don't count.", voids_of},
    {"last_commit_timestamp_seconds", "gauge", "When the last batch was committed; 0: none yet.", commit_of},
    {"lag_trend_events_per_second", "gauge", "How fast the lag grows; negative: it shrinks.", trend_of},
    {"stopped", "gauge", "1: an error stopped it, an operator has to act.", stopped_of},
};

/* --- of one of its partitions --- */

typedef struct part_metric {
    const char *name, *type, *help;
    double (*of)(const pdr_projector_partition *partition, int64_t wall_us);
} part_metric;

static double part_events(const pdr_projector_partition *p, int64_t wall_us)
{
    (void)wall_us;
    return (double)p->events;
}
static double part_offset(const pdr_projector_partition *p, int64_t wall_us)
{
    (void)wall_us;
    return (double)p->position.offset;
}
static double part_end(const pdr_projector_partition *p, int64_t wall_us)
{
    (void)wall_us;
    return (double)p->log_end;
}
static double part_lag(const pdr_projector_partition *p, int64_t wall_us)
{
    (void)wall_us;
    return (double)pdr_lag_of(p);
}
static double part_seconds(const pdr_projector_partition *p, int64_t wall_us)
{
    bool behind = pdr_lag_of(p) > 0 && p->event_time_us != INT64_MIN && wall_us > p->event_time_us;
    return behind ? (double)(wall_us - p->event_time_us) / 1e6 : 0;
}
static double part_parked(const pdr_projector_partition *p, int64_t wall_us)
{
    (void)wall_us;
    return (double)p->parked;
}
static double part_beaten(const pdr_projector_partition *p, int64_t wall_us)
{
    (void)wall_us;
    return p->beaten;
}

static const part_metric part_metrics[] = {
    {"partition_events_total", "counter", "Events committed since the partition was given.", part_events},
    {"position_offset", "gauge", "Offset of the committed position; -1: the start.", part_offset},
    {"log_end_offset", "gauge", "Newest end of the log that is known; -1: none.", part_end},
    {"lag_events", "gauge", "Offsets between position and end: an upper bound of events.", part_lag},
    {"lag_seconds", "gauge", "Age of the newest event projected, if anything is behind it; else 0.",
     part_seconds},
    {"parked_events", "gauge", "Dead letters.", part_parked},
    {"beaten", "gauge", "1: another worker moved the position, and no batch went through since.",
     part_beaten},
};

/* --- printing; the worker's lock is held --- */

static pdr_code head(pdr_buf *out, const char *name, const char *type, const char *help)
{
    return pdr_buf_printf(out, "# HELP perdure_projection_%s %s\n# TYPE perdure_projection_%s %s\n", name,
                          help, name, type);
}

static pdr_code print_metric(const struct pdr_worker *worker, const metric *m, pdr_buf *out)
{
    pdr_code code = head(out, m->name, m->type, m->help);
    for (size_t i = 0; code == PDR_OK && i < worker->runner_count; i++) {
        const pdr_runner *r = &worker->runners[i];
        code = pdr_buf_printf(out, "perdure_projection_%s{projection=\"%s\",version=\"%u\"} %.17g\n", m->name,
                              r->projection->name, r->projection->version, m->of(&r->shown));
    }
    return code;
}

static pdr_code print_part_metric(const struct pdr_worker *worker, const part_metric *m, int64_t wall_us,
                                  pdr_buf *out)
{
    pdr_code code = head(out, m->name, m->type, m->help);
    for (size_t i = 0; code == PDR_OK && i < worker->runner_count; i++) {
        const pdr_runner *r = &worker->runners[i];
        for (size_t j = 0; code == PDR_OK && j < r->shown.partition_count; j++) {
            const pdr_projector_partition *p = &r->shown.partitions[j];
            code = pdr_buf_printf(
                out,
                "perdure_projection_%s{projection=\"%s\",version=\"%u\",partition=\"%" PRId32 "\"} %.17g\n",
                m->name, r->projection->name, r->projection->version, p->partition, m->of(p, wall_us));
        }
    }
    return code;
}

pdr_code pdr_metrics_print(struct pdr_worker *worker, pdr_buf *out)
{
    pdr_system_env env;
    pdr_code code = PDR_OK;
    pdr_system_env_init(&env, NULL, NULL);
    int64_t wall_us = env.env.ops->wall_us(&env.env);
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; code == PDR_OK && i < sizeof metrics / sizeof metrics[0]; i++)
        code = print_metric(worker, &metrics[i], out);
    for (size_t i = 0; code == PDR_OK && i < sizeof part_metrics / sizeof part_metrics[0]; i++)
        code = print_part_metric(worker, &part_metrics[i], wall_us, out);
    pthread_mutex_unlock(&worker->lock);
    return code;
}

/* --- health --- */

typedef const char *(*complaint)(const pdr_runner *r, int64_t now);

static const char *is_mute(const pdr_runner *r, int64_t now)
{
    return now - r->shown.at_us > MUTE_US ? "its thread has shown nothing for a minute" : NULL;
}

static const char *is_idle(const pdr_runner *r, int64_t now)
{
    if (is_mute(r, now)) return is_mute(r, now);
    if (!r->shown.assigned) return "the group has given it no partitions yet";
    switch (r->shown.numbers.state) {
    case PDR_PROJECTOR_IDLE: return r->shown.partition_count ? "idle" : NULL;
    case PDR_PROJECTOR_LOADING: return "loading";
    case PDR_PROJECTOR_RUNNING: return NULL;
    case PDR_PROJECTOR_WAITING: return "waiting for log or database";
    case PDR_PROJECTOR_DRAINING: return "draining";
    case PDR_PROJECTOR_STOPPED: return "stopped";
    }
    return "in no known state";
}

static pdr_code ask_all(struct pdr_worker *worker, complaint ask, bool *fine, pdr_buf *out)
{
    int64_t now = pdr_mono_us();
    pdr_code code = PDR_OK;
    *fine = true;
    pthread_mutex_lock(&worker->lock);
    for (size_t i = 0; code == PDR_OK && i < worker->runner_count; i++) {
        const pdr_runner *r = &worker->runners[i];
        const char *why = ask(r, now);
        if (!why) continue;
        *fine = false;
        code = pdr_buf_printf(out, "%s v%u: %s\n", r->projection->name, r->projection->version, why);
    }
    pthread_mutex_unlock(&worker->lock);
    return code == PDR_OK && *fine ? pdr_buf_printf(out, "ok\n") : code;
}

pdr_code pdr_metrics_health(struct pdr_worker *worker, bool *fine, pdr_buf *out)
{
    return ask_all(worker, is_mute, fine, out);
}

pdr_code pdr_metrics_readiness(struct pdr_worker *worker, bool *fine, pdr_buf *out)
{
    return ask_all(worker, is_idle, fine, out);
}
