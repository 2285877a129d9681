/* What `perdure schema check` found, and telling it. Only cli/schema_check*.c includes this. */
#ifndef PDR_CLI_SCHEMA_CHECK_H
#define PDR_CLI_SCHEMA_CHECK_H

#include "cli/common.h"
#include "journal/survey.h"

/* What the store has of an entity, from best to worst. */
typedef enum pdr_snapshot {
    PDR_SNAPSHOT_FITS,    /* a state of today's revision that decodes */
    PDR_SNAPSHOT_UPCAST,  /* an older one that the declared steps lead on from */
    PDR_SNAPSHOT_OTHER,   /* only states of revisions that no step leads on from: rebuilt from history when it
                             is used */
    PDR_SNAPSHOT_DAMAGED, /* one that can't be read: rebuilt too */
    PDR_SNAPSHOT_NONE,    /* no state at all: the same */
    PDR_SNAPSHOT_UNKNOWN, /* its entity type isn't declared by the application */
    PDR_SNAPSHOT_KINDS
} pdr_snapshot;

typedef struct pdr_snapshots {
    bool looked; /* false: no URL names a store */
    uint64_t entities;
    uint64_t counts[PDR_SNAPSHOT_KINDS]; /* entities */
} pdr_snapshots;

/* Reads the store; writes nothing. */
PDR_CHECKED pdr_code pdr_snapshots_count(pdr_snapshots *out, pdr_store *store, const pdr_app *app,
                                         pdr_error *err);

typedef struct pdr_schema_findings {
    const char *journal;
    int32_t partitions;
    uint64_t sample;
    double seconds;
    pdr_survey_totals totals;
    const pdr_survey_group *const *groups;
    size_t group_count;
    bool readable;
    pdr_snapshots snapshots;
} pdr_schema_findings;

/* Append the report. PDR_NOMEM, PDR_TOO_LARGE. */
PDR_CHECKED pdr_code pdr_schema_report_text(const pdr_schema_findings *findings, pdr_buf *out);
PDR_CHECKED pdr_code pdr_schema_report_json(const pdr_schema_findings *findings, pdr_buf *out);

#endif
