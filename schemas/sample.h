/* Sample values made from a layout: what golden payloads hold. The same layout and variant give the same
 * value on every machine. */
#ifndef PDR_SCHEMAS_SAMPLE_H
#define PDR_SCHEMAS_SAMPLE_H

#include "perdure/arena.h"
#include "perdure/sys/layout.h"

enum { PDR_SAMPLE_MAX_VARIANTS = 8 };

/* How many variants show every branch of every union and every symbol of every enum, at most
 * PDR_SAMPLE_MAX_VARIANTS; at least 1. */
unsigned pdr_sample_variants(const pdr_layout *layout);

/* A value whose fields all differ from their defaults: strings are called as their field is, numbers count
 * on, lists have two items; unions and enums take the branch or symbol of that number, over and over. `value`
 * has room for layout->size bytes; the memory that it keeps comes from `arena`. PDR_INVALID_ARGUMENT: a
 * record that must hold itself; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_sample_fill(const pdr_layout *layout, unsigned variant, pdr_arena *arena,
                                     void *value, pdr_error *err);

#endif
