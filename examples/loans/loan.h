/* A loan application as a persistent entity: loan/173688. Its rules were read from the bank's real log: where
 * the log breaks a rule that one would think of, the log is right (README.md names those). */
#ifndef LOANS_LOAN_H
#define LOANS_LOAN_H

#include "loans.gen.h"
#include "perdure/perdure.h"

enum {
    LOANS_MAX_OFFERS = 64,     /* of one application: the next one is refused */
    LOANS_MAX_EMPLOYEES = 64,  /* remembered by one application */
    LOANS_ID_WINDOW = 256,     /* more than any application has rows: the whole file can be sent again */
    LOANS_MAX_EURO = 100000000 /* of an amount */
};

extern const pdr_entity_type loans_entity;
extern const pdr_app pdr_application; /* the name by which `perdure --app` finds it */

/* NULL: the command makes sense in this state. Otherwise why it doesn't; `text` has room for it. */
enum { LOANS_OBJECTION_ROOM = 160 };
const char *loans_objection(const loans_application *state, const pdr_command *command, char *text);

/* The number of the offer that a step is about: the log doesn't say which. 0: there is none. */
int32_t loans_offer_for(const loans_application *state, loans_offer_step step);

/* An event that was decided. Today it is written as it is; history/ writes it as older versions did. */
void loans_happened(pdr_decision *out, const pdr_type *type, const void *event, int64_t at);

/* pdr_entity_type's functions. */
void loans_decide(const void *state, const pdr_command *command, int64_t now_us, pdr_decision *out);
pdr_code loans_apply(void *state, const pdr_event *event, pdr_arena *arena);

#endif
