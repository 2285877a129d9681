/* Sends the log's rows as commands, many at once. The row's number is the command's id, so the whole file may
 * be sent again at any time: rows that are in the journal already get their first answer once more. */
#ifndef LOANS_LOADING_H
#define LOANS_LOADING_H

#include "loan.h"

typedef struct loans_counts {
    uint64_t rows;      /* read from the file */
    uint64_t sent;      /* commands, those sent again included */
    uint64_t answered;  /* of `sent` */
    uint64_t fresh;     /* rows that made their event now */
    uint64_t repeated;  /* rows whose first answer came again */
    uint64_t refused;   /* rows that the entity refused */
    uint64_t malformed; /* lines that are no rows of this log */
    uint64_t retries;   /* times that sending went back to a row that failed for the moment */
} loans_counts;

typedef struct loans_loading {
    pdr_journal *journal;
    const char *path;
    uint64_t window; /* commands in flight at most */
    uint64_t rate;   /* new rows per second at most; 0: as fast as it goes. Repeated ones aren't held up */
    uint64_t stop_after; /* rows; 0: all */
    int retry_ms;        /* how long to go on while the journal can't take a row at all */
    /* Told about ten times a second, and at the end. May be NULL. */
    void (*progress)(void *context, const loans_counts *counts);
    /* Told of each line that was malformed or refused. May be NULL. */
    void (*complaint)(void *context, const char *message);
    void *context;
} loans_loading;

/* Blocking; PDR_OK when every row is answered. Drives pdr_poll: the only thread that does. */
PDR_CHECKED pdr_code loans_load(const loans_loading *loading, loans_counts *counts, pdr_error *err);

#endif
