/* All history, or a part of it, folded again in processes of their own, so that code that crashes, never ends
 * or takes all memory costs no more than the event that it met. What `replay` and `bisect` run. */
#ifndef PDR_CLI_REPLAY_RUN_H
#define PDR_CLI_REPLAY_RUN_H

#include "cli/common.h"
#include "replay/refold.h"
#include "replay/tool.h"

typedef struct pdr_replay {
    const pdr_cli_command *command;
    const char *doing; /* for the progress line: "replaying" */
    pdr_target target;
    const pdr_app *app;
    const pdr_app *against; /* NULL: none */
    bool snapshots;
    const int32_t *partitions; /* which; NULL: all */
    size_t partition_count;
    uint32_t check_every;
    bool has_since;
    int64_t since_us;
    const pdr_choice *choice; /* NULL: all entities */
    const pdr_string *ignored;
    size_t ignored_count, samples;
    int64_t memory_mb;  /* of all processes together */
    int64_t patience_s; /* for one event's handlers; 0: for ever */
    int64_t processes;  /* 0: as many as fit this machine */
    const char *aside;  /* file to put work aside in, and to go on from; NULL: none */
    pdr_buf identity;   /* of what is folded, as lines: what was put aside must have the same */

    /* What came of it. */
    pdr_deviations *deviations;
    double seconds;
    int32_t partitions_read; /* to their ends */
    int32_t partitions_all;  /* wanted */
    unsigned restarts;       /* processes that were lost */
    bool resumed, put_aside;
} pdr_replay;

/* Blocking; before it no connection may be open in this process. Prints progress. PDR_CANCELLED: stopped by a
 * signal, `deviations` has what was found so far. PDR_CONFLICT: `aside` was made of something else. */
PDR_CHECKED pdr_code pdr_replay_run(pdr_replay *replay, pdr_error *err);
/* How many partitions the log has. This process never has a connection: its threads and locks wouldn't
 * survive the forks that come. */
PDR_CHECKED pdr_code pdr_replay_partitions(const pdr_replay *replay, int32_t *out, pdr_error *err);
void pdr_replay_release(pdr_replay *replay);

#endif
