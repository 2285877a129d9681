/* A journal whose entities are all saved and not in memory: made once a run. */
#ifndef BENCH_SAVED_H
#define BENCH_SAVED_H

#include "journals.h"

enum { BENCH_SAVED_ENTITIES = 100000 };

/* Closed; open it for an arm. */
bench_journal *bench_saved(const bench_run *run);
const char *bench_schema(const bench_journal *j);

#endif
