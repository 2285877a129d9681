/* The seam between a writer's schema and a reader's struct: what turns the pair into a way to decode. Made
 * once per pair, then used for every datum.
 *
 * A pair with equal fingerprints takes the generated straight decode. Any other is resolved by Avro's rules
 * (schemas/resolve.h) into steps that write straight into the reader's struct. A pair that doesn't match is
 * refused when the plan is opened, never in the middle of a log; so are equal fingerprints whose logical
 * types or scales differ. Only a branch of the writer's union, or a symbol of its enum, that the reader can't
 * take is found when it comes. */
#ifndef PDR_SCHEMAS_PLAN_H
#define PDR_SCHEMAS_PLAN_H

#include "perdure/type.h"

typedef struct pdr_plan pdr_plan;

/* Make a plan that reads what was written with `writer` (a schema as JSON; copied) into the struct of
 * `reader` (constant; must outlive the plan). PDR_UNKNOWN_SCHEMA: this code can't read it, the message names
 * both schemas and the path in the reader's; PDR_BAD_SCHEMA, PDR_TOO_LARGE: `writer` is no schema, or over a
 * ceiling; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_plan_open(pdr_plan **out, pdr_string writer, const pdr_type *reader, pdr_error *err);
/* NULL is fine. */
void pdr_plan_close(pdr_plan *plan);

/* Decode one whole datum (no framing); as pdr_type.decode. What a default points to is the plan's: texts,
 * arrays and maps of fields that weren't written live as long as it does. PDR_UNKNOWN_SCHEMA: the datum is
 * fine, but has a branch or a symbol that the reader can't take. A plan doesn't change: any number of threads
 * may use it at once, each with its own arena. */
PDR_CHECKED pdr_code pdr_plan_decode(const pdr_plan *plan, pdr_bytes datum, pdr_arena *arena, void *value,
                                     pdr_error *err);
uint64_t pdr_plan_writer(const pdr_plan *plan); /* the writer schema's fingerprint */
const pdr_type *pdr_plan_reader(const pdr_plan *plan);

#endif
