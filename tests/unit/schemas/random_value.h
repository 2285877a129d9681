/* Random values of any generated type, by its layout. */
#ifndef PDR_TESTS_RANDOM_VALUE_H
#define PDR_TESTS_RANDOM_VALUE_H

#include "perdure/type.h"

/* Fill `value` of `type` with what the schema allows; the same seed gives the same value. Memory comes from
 * `arena`; false when it is out of memory. */
bool random_value(const pdr_type *type, void *value, uint64_t seed, pdr_arena *arena);

#endif
