/* The entity type of the simulation: an account with a note, written by hand so that the simulation depends
 * on no generator. Two revisions of its handler, whose states differ, so that nodes can run different ones: a
 * rolling deploy, for the second one writes deposits as a newer version, and each reads what the other wrote.
 */
#ifndef PDR_TESTS_SIM_ENTITY_H
#define PDR_TESTS_SIM_ENTITY_H

#include "perdure/entity.h"

typedef struct sim_account {
    int64_t balance;
    int64_t ops; /* events folded times the handler's revision: tells the states of two revisions apart */
    pdr_string note;
} sim_account;

/* Both events and all commands. The nonce is unique per request, so that the reference knows whose events it
 * sees even where there is no command id. */
typedef struct sim_fact {
    int64_t nonce;
    int64_t amount;
    int64_t parts; /* commands: how many events to make; events: which of them it is, from 0 */
    pdr_string note;
} sim_fact;

extern const pdr_type sim_state_type;
extern const pdr_type sim_deposited_type, sim_withdrew_type; /* events */
extern const pdr_type
    sim_deposited_v2_type;               /* of revision 2: other fields' order, one more; readable by older */
extern const pdr_type sim_credited_type; /* as a deposit, appended without a command; of both revisions */
extern const pdr_type sim_deposit_type, sim_withdraw_type, sim_touch_type; /* commands */

enum { SIM_REVISIONS = 2, SIM_ID_WINDOW = 16 };

/* The application with handlers of this revision, 1 .. SIM_REVISIONS. */
const pdr_app *sim_app(uint32_t revision);

#endif
