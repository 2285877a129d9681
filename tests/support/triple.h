/* Triples of a writer's schema, a reader's schema and a datum. One line for a pair of schemas with some data,
 * tabs between:
 *
 *   CHANGES  what made_pair.h changed, by commas; "-": nothing
 *   WRITER   a schema
 *   READER   a schema whose root is a record
 *   DATA     in hexadecimal, spaces between; "-": no bytes
 *   ANSWERS  what Avro's Java library makes of each datum, spaces between: a value in the notation of
 * made_text.h, "refused", or "overflow" where the library calls itself without end */
#ifndef PDR_TESTS_TRIPLE_H
#define PDR_TESTS_TRIPLE_H

#include "schemas/plan.h"
#include "tests/support/made_type.h"
#include "tests/support/model_resolve.h"

typedef struct triple_answer {
    model_verdict
        verdict;  /* MODEL_REFUSES_PAIR: the plan wasn't made; MODEL_BAD_DATA, MODEL_REFUSES: no datum */
    pdr_buf text; /* of a value; ended by a NUL, which counts */
    unsigned differences; /* of the model */
    bool loose;
} triple_answer;

/* A plan's answer, and the model's. Anything that neither is meant to say fails with `err`. */
PDR_CHECKED pdr_code triple_plan(triple_answer *out, const pdr_schema *writer, const made_type *reader,
                                 pdr_bytes datum, pdr_error *err);
/* What a plan says of a datum. */
PDR_CHECKED pdr_code triple_decode(triple_answer *out, const pdr_plan *plan, const made_type *reader,
                                   pdr_bytes datum, pdr_error *err);
PDR_CHECKED pdr_code triple_model(triple_answer *out, const pdr_schema *writer, const pdr_schema *reader,
                                  pdr_bytes datum, pdr_error *err);
void triple_answer_release(triple_answer *answer);

/* How many triples of a file there were, by verdict and by change. */
typedef struct triple_counts {
    size_t pairs, all, same, values, refused;
    size_t different[MODEL_DIFFERENCE_COUNT];
    size_t changes[64];
} triple_counts;

/* One line with all five columns. NULL: perdure, the model and Java agree, or Java differs where that is
 * listed; else what is wrong, valid until the next call. The line is taken apart in place. */
const char *triple_check(triple_counts *counts, char *line);

#endif
