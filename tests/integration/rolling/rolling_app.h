/* One program in four versions, as it would be deployed one after the other (ROLLING_PROGRAM, 1 to 4):
 *
 *   1  writes Added version 1: whole euros
 *   2  writes version 2: with a note, readable by older code; reads 1
 *   3  writes version 3: cents, not readable by older code; reads 1 and 2; its states are sums of cents, and
 *      those of before are brought forward
 *   4  as 3, with another revision of its states, which must be made anew */
#ifndef PDR_TESTS_ROLLING_APP_H
#define PDR_TESTS_ROLLING_APP_H

#include "rolling.gen.h"

#include "perdure/entity.h"

extern const pdr_app pdr_application;

/* What an event adds, in cents, and its nonce. */
int64_t rolling_cents_of(const pdr_event *event);
int64_t rolling_nonce_of(const pdr_event *event);
/* A state's sum in cents. */
int64_t rolling_sum_of(const rolling_total *total);

#endif
