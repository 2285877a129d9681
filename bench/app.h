/* The benched application: counters. */
#ifndef BENCH_APP_H
#define BENCH_APP_H

#include "bench.gen.h"
#include "perdure/perdure.h"

extern const pdr_app bench_app;

/* 74 characters: with it an event has about 100 bytes in all. */
#define BENCH_NOTE "a note of some seventy characters that makes an event as long as usual ones"

#endif
