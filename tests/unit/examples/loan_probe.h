/* One loan application without a journal: commands decided, events folded. */
#ifndef PDR_TESTS_LOAN_PROBE_H
#define PDR_TESTS_LOAN_PROBE_H

#include "journal/decision.h"
#include "loan.h"

typedef struct loan_probe {
    pdr_folder *folder;
    pdr_decision decision;
    pdr_arena scratch;
} loan_probe;

void loan_probe_open(loan_probe *probe);
void loan_probe_close(loan_probe *probe);
/* Decide; if it isn't refused, fold. Gives the only event's type; NULL: refused, and the decision's answer
 * says why. Anything else stops the program. */
const pdr_type *loan_probe_tell(loan_probe *probe, pdr_state *state, const pdr_type *type,
                                const void *command);
const loans_application *loan_probe_state(const pdr_state *state);

#endif
