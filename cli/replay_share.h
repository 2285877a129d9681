/* One process's share of a replay: what it does, and how it tells. */
#ifndef PDR_CLI_REPLAY_SHARE_H
#define PDR_CLI_REPLAY_SHARE_H

#include "cli/replay_aside.h"
#include "cli/replay_run.h"

enum {
    PDR_SHARE_MAX_FATALS = 64,
    PDR_SHARE_LOST = 77 /* exit code: ended on purpose, `mark` says at what */
};

/* In memory that all processes share. */
typedef struct pdr_share_board {
    pdr_refold_mark mark;
    atomic_llong done, total; /* records */
    atomic_bool stop;         /* by the parent */
} pdr_share_board;

typedef struct pdr_share {
    const pdr_replay *replay;
    const pdr_aside *aside; /* to go on from; NULL: from the beginning */
    bool put_aside;         /* if it is stopped */
    pdr_share_board *board;
    int32_t *partitions; /* its own that aren't read yet */
    size_t count;
    size_t memory; /* bytes */
    int out;       /* where it tells */
    pdr_refold_fatal fatals[PDR_SHARE_MAX_FATALS];
    size_t fatal_count;
} pdr_share;

/* What a process tells, one after the other: this, then `size` bytes. */
typedef enum pdr_share_kind {
    PDR_SHARE_ENDED = 1, /* a partition's deviations: it is done */
    PDR_SHARE_SO_FAR,    /* a partition's deviations: it was stopped */
    PDR_SHARE_ASIDE,     /* pdr_refold_save of a partition */
    PDR_SHARE_SCHEMAS,   /* schemas that were met */
    PDR_SHARE_FAILED     /* pdr_error: it can't go on */
} pdr_share_kind;

typedef struct pdr_share_message {
    uint32_t kind;
    int32_t partition;
    uint64_t size;
} pdr_share_message;

/* In the process of its own; never returns. */
_Noreturn void pdr_share_work(pdr_share *share);

#endif
