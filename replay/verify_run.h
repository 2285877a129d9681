/* A journal's verification, driven: reads store, views and log in the order that lets it run beside owners,
 * pass by pass, all partitions in parallel. */
#ifndef PDR_REPLAY_VERIFY_RUN_H
#define PDR_REPLAY_VERIFY_RUN_H

#include "projections/views.h"
#include "replay/scan.h"
#include "replay/verify.h"

typedef struct pdr_verify_progress {
    unsigned pass;    /* from 1 */
    bool reading_log; /* else the store */
    uint64_t heads;   /* read in this pass */
    pdr_scan_progress log;
} pdr_verify_progress;

typedef struct pdr_verify_run_spec {
    pdr_views *views; /* NULL: there are none */
    size_t memory;
    unsigned threads; /* 0: as many as fit this machine */
    /* From several threads, but never from two at once. */
    void (*finding)(void *context, const pdr_finding *finding);
    /* Now and then, on the caller's thread; never at the same time as `finding`. true: stop (PDR_CANCELLED).
     */
    bool (*watch)(void *context, const pdr_verify_progress *progress);
    void *context;
} pdr_verify_run_spec;

/* Blocking. *totals tells what was looked at, also after a failure. Damage is no failure, but a finding.
 * PDR_CANCELLED; PDR_UNAVAILABLE: a server went away, or the store was made anew meanwhile; PDR_TIMEOUT,
 * PDR_NOMEM, and what store or views say that can't be read at all. */
PDR_CHECKED pdr_code pdr_verify_run(pdr_tool *tool, const pdr_verify_run_spec *spec,
                                    pdr_verify_totals *totals, pdr_error *err);

#endif
