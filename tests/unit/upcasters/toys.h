/* Event types for claims about chains: all of one shape (sim_fact), told apart by name, version, fingerprint.
 */
#ifndef PDR_TESTS_UPCASTERS_TOYS_H
#define PDR_TESTS_UPCASTERS_TOYS_H

#include "tests/sim/sim_entity.h"
#include "upcasters/chain.h"

enum { TOYS = 600 };

/* The same for the same name and version; lives as long as the program. */
const pdr_type *toy(const char *name, uint32_t version);
/* A list of types for `to` and `events`, in memory that is never used again. */
const pdr_type *const *toy_list(size_t count, ...);

/* Steps from Offer 1 to 2 and 2 to 3, as far as `steps` has none from there. */
void toy_fill(pdr_chain_spec *spec, pdr_upcaster *steps);
/* Steps: amount doubled into to[0]. */
void toy_double(const pdr_event *event, pdr_upcast *out);

#endif
