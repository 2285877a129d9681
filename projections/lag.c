#include "projections/lag.h"

uint64_t pdr_lag_of(const pdr_projector_partition *partition)
{
    int64_t end = partition->log_end;
    return end > partition->passed ? (uint64_t)(end - partition->passed) : 0;
}

double pdr_lag_trend_take(pdr_lag_trend *trend, int64_t now_us, uint64_t events)
{
    size_t last = (trend->next + PDR_LAG_SAMPLES - 1) % PDR_LAG_SAMPLES;
    if (trend->count == 0 || now_us - trend->samples[last].at_us >= PDR_LAG_EVERY_US) {
        trend->samples[trend->next].at_us = now_us;
        trend->samples[trend->next].events = events;
        trend->next = (trend->next + 1) % PDR_LAG_SAMPLES;
        if (trend->count < PDR_LAG_SAMPLES) trend->count++;
    }
    size_t oldest = (trend->next + PDR_LAG_SAMPLES - trend->count) % PDR_LAG_SAMPLES;
    int64_t passed_us = now_us - trend->samples[oldest].at_us;
    if (passed_us <= 0) return 0;
    return ((double)events - (double)trend->samples[oldest].events) * 1e6 / (double)passed_us;
}
