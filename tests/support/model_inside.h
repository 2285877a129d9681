/* What the files of the model share. */
#ifndef PDR_TESTS_MODEL_INSIDE_H
#define PDR_TESTS_MODEL_INSIDE_H

#include "tests/support/model_resolve.h"

enum { MODEL_DEEP = 200, MODEL_WORK = 100000 };

static inline void model_met(model *m, int difference)
{
    m->differences |= 1u << difference;
}

/* Do the two types match by kind, name and size, or can the one be promoted to the other? Unions never. */
bool model_match(model *m, const pdr_schema *w, const pdr_schema *r);
/* The branch of `r` that takes `w`, which is no union; -1: none. */
int model_branch(model *m, const pdr_schema *w, const pdr_schema *r);
/* Is it forbidden to read one logical type as the other? */
bool model_other_meaning(model *m, const pdr_schema *w, const pdr_schema *r);
/* The writer's field that the reader's field i is read from; -1: none, -2: several. */
int model_field(model *m, const pdr_schema *w, const pdr_schema *r, size_t i);
/* The reader's symbol for the writer's; -1: none. */
int model_symbol(const pdr_schema *w, const pdr_schema *r, size_t i);

#endif
