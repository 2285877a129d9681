/* The loans' history many times over: made once a run. */
#ifndef BENCH_SCALED_H
#define BENCH_SCALED_H

#include "journals.h"

enum { BENCH_LOANS_ROWS = 262200, BENCH_TAIL = 78000, BENCH_ASKED_EVENTS = 20 };

typedef struct bench_scaled {
    bench_journal journal; /* closed */
    int copies;            /* 20; PERDURE_BENCH_COPIES says another number */
    uint64_t events;       /* in all: the copies, saved, then BENCH_TAIL first events if there is a tail */
    uint64_t longest_tail; /* events above the checkpoint of the partition that has most; 0: no tail */
} bench_scaled;

const bench_scaled *bench_scaled_loans(const bench_run *run);
/* The same, from now on with a tail above the checkpoint. */
const bench_scaled *bench_scaled_tail(const bench_run *run);
/* The id of one of the applications with BENCH_ASKED_EVENTS events, the i-th that is asked for. */
void bench_scaled_id(const bench_scaled *scaled, unsigned i, char *out, size_t room);

#endif
