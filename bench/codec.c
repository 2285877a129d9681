#include "lines.h"
void bench_encode(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    *ours = *bare = 1;
}
void bench_decode(const bench_run *run, int round, double *ours, double *bare)
{
    (void)run;
    (void)round;
    *ours = *bare = 1;
}
