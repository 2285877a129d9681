/* What both contract suites share: the guard against hanging and the word that a subject may say instead of
 * running. */
#ifndef PDR_TESTS_CONTRACT_H
#define PDR_TESTS_CONTRACT_H

#include "perdure/error.h"

/* Each program defines it: NULL, or why its backend can't be tested here ("PERDURE_TEST_KAFKA isn't set"). */
const char *pdr_contract_skip(void);

/* Seconds that a claim may wait for something before it is taken for lost. Never part of a claim. */
enum { PDR_CONTRACT_GUARD_S = 600 };

#endif
