/* A worker's numbers as Prometheus reads them, and the HTTP port that gives them: /metrics, /healthz (its
 * threads turn), /readyz (all its projections are at work). */
#ifndef PDR_PROJECTIONS_METRICS_H
#define PDR_PROJECTIONS_METRICS_H

#include "projections/worker_core.h"

typedef struct pdr_metrics pdr_metrics;

/* Open the port; answers come from a thread of its own. `worker` must outlive it. PDR_BAD_SETTING: no such
 * address; PDR_UNAVAILABLE: the port can't be had. */
PDR_CHECKED pdr_code pdr_metrics_open(pdr_metrics **out, struct pdr_worker *worker, pdr_error *err);
void pdr_metrics_close(pdr_metrics *metrics); /* NULL is fine */

/* Append the numbers, in Prometheus' text format 0.0.4. PDR_NOMEM, PDR_TOO_LARGE. Any thread. */
PDR_CHECKED pdr_code pdr_metrics_print(struct pdr_worker *worker, pdr_buf *out);
/* Append what /healthz and /readyz say; *fine: 200, else 503. */
PDR_CHECKED pdr_code pdr_metrics_health(struct pdr_worker *worker, bool *fine, pdr_buf *out);
PDR_CHECKED pdr_code pdr_metrics_readiness(struct pdr_worker *worker, bool *fine, pdr_buf *out);

#endif
