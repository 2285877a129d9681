/* The loans' history many times over: made once a run. */
#ifndef BENCH_SCALED_H
#define BENCH_SCALED_H

#include "journals.h"

enum { BENCH_LOANS_ROWS = 262200, BENCH_TAIL = 78000, BENCH_ASKED_EVENTS = 20 };

typedef struct bench_scaled {
    bench_journal journal; /* closed */
    int copies;            /* 20; PERDURE_BENCH_COPIES says another number */
    uint64_t events;       /* in all: the copies, saved, then BENCH_TAIL first events, above the checkpoint */
    uint64_t longest_tail; /* events above the checkpoint of the partition that has most */
} bench_scaled;

const bench_scaled *bench_scaled_loans(const bench_run *run);
/* The id of one of the applications with BENCH_ASKED_EVENTS events, the i-th that is asked for. */
void bench_scaled_id(const bench_scaled *scaled, unsigned i, char *out, size_t room);

#endif
