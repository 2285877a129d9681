/* How events of older versions are read. Also for the programs in history/, which write as older versions
 * did. */
#ifndef LOANS_UPCASTERS_H
#define LOANS_UPCASTERS_H

#include "loans.gen.h"
#include "perdure/perdure.h"

enum { LOANS_UPCASTERS = 11 };
extern const pdr_upcaster loans_upcasters[LOANS_UPCASTERS];

/* An amount is a decimal with two places. */
loans_amount loans_amount_of(int64_t cents);
int64_t loans_cents_of(const loans_amount *amount);

/* "User_112" is employee 112, an empty text nobody; false: anything else. */
bool loans_by_of(loans_by *by, pdr_string resource);

/* The steps that lead from version 1 to version 2. */
void loans_up_submitted_v1(const pdr_event *event, pdr_upcast *out);
void loans_up_declined_v1(const pdr_event *event, pdr_upcast *out);
void loans_up_mailed_v1(const pdr_event *event, pdr_upcast *out);
void loans_up_scheduled_v1(const pdr_event *event, pdr_upcast *out);

#endif
