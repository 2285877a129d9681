/* The simulation's random numbers: xoshiro256** seeded by splitmix64 (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2019). The same on every machine, so that a seed is a test. */
#ifndef PDR_BACKENDS_SIM_RANDOM_H
#define PDR_BACKENDS_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sim_random {
    uint64_t s[4];
} sim_random;

void sim_random_init(sim_random *random, uint64_t seed);
uint64_t sim_random_next(sim_random *random);
uint64_t sim_random_below(sim_random *random, uint64_t limit); /* 0 .. limit - 1; limit > 0 */

#endif
