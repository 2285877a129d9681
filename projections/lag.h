/* How far a projection is behind its log, and whether that grows. Values; no clock. */
#ifndef PDR_PROJECTIONS_LAG_H
#define PDR_PROJECTIONS_LAG_H

#include "projections/projector.h"

/* Offsets between what is committed and the log's end: an upper bound of events. */
uint64_t pdr_lag_of(const pdr_projector_partition *partition);

/* The lag of the last minute, taken every few seconds. Zero-initialised. */
enum { PDR_LAG_SAMPLES = 13, PDR_LAG_EVERY_US = 5000000 };
typedef struct pdr_lag_trend {
    struct {
        int64_t at_us;
        uint64_t events;
    } samples[PDR_LAG_SAMPLES]; /* a ring */
    size_t count, next;
} pdr_lag_trend;

/* Events per second by which the lag grew since the oldest sample; 0 until there are two moments. `now_us`:
 * monotonic. */
double pdr_lag_trend_take(pdr_lag_trend *trend, int64_t now_us, uint64_t events);

#endif
