/* Reading a whole log, a few partitions at a time, up to where it ended when the walk began: owners may go on
 * beside it. */
#ifndef PDR_CLI_LOG_WALK_H
#define PDR_CLI_LOG_WALK_H

#include "journal/log.h"

typedef struct pdr_log_walk {
    const char *doing; /* for the progress line: "checking" */
    pdr_log *log;
    int32_t partitions;
    int timeout_ms; /* for a partition's end to be told */
    /* Each record, by ascending offset within its partition; anything but PDR_OK ends the walk. */
    pdr_code (*record)(void *context, int32_t partition, const pdr_log_record *record, pdr_error *err);
    void *context;
} pdr_log_walk;

/* Blocking. PDR_OUT_OF_RANGE: the log has lost its beginning. PDR_TIMEOUT, PDR_UNAVAILABLE, PDR_NOMEM, what
 * `record` gave. */
PDR_CHECKED pdr_code pdr_log_walk_run(const pdr_log_walk *walk, pdr_error *err);

#endif
