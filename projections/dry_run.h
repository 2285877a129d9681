/* Parked events once more, through today's code, without writing anything: what `perdure dlq show` does. */
#ifndef PDR_PROJECTIONS_DRY_RUN_H
#define PDR_PROJECTIONS_DRY_RUN_H

#include "journal/fold.h"
#include "journal/log.h"
#include "projections/projection.h"

typedef struct pdr_dry_run_spec {
    pdr_projection *projection; /* NULL: events are read only */
    const pdr_app *app;
    pdr_log *log;
    pdr_views *views;
    struct pdr_schema_book *book;
    pdr_version_spec version;
    int timeout_ms; /* for each event to be read, and for the rows that it wants */
} pdr_dry_run_spec;

/* One dead letter read again. Borrowed until the next one. */
typedef struct pdr_dry_event {
    const pdr_event_list *today; /* what it is read as; NULL: it can't be read */
    const pdr_type *stored;      /* type that it was written as; NULL: not declared */
    int64_t time_us;
    pdr_code code; /* PDR_OK: it would be projected */
    pdr_error why; /* else */
} pdr_dry_event;

typedef struct pdr_dry_run pdr_dry_run;
PDR_CHECKED pdr_code pdr_dry_run_open(pdr_dry_run **out, const pdr_dry_run_spec *spec, pdr_error *err);
void pdr_dry_run_close(pdr_dry_run *run); /* NULL is fine */
/* The next letter of one entity, in order. PDR_CORRUPT: the event isn't in the log; PDR_TIMEOUT, what log and
 * database say. That it can't be projected is *out's. */
PDR_CHECKED pdr_code pdr_dry_run_next(pdr_dry_run *run, const pdr_dead_letter *letter, pdr_dry_event *out,
                                      pdr_error *err);
/* What all those that would be projected would write; valid until close. */
PDR_CHECKED pdr_code pdr_dry_run_steps(pdr_dry_run *run, const pdr_view_step **steps, size_t *count,
                                       pdr_error *err);

#endif
