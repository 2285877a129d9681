/* One application's history, for people. */
#ifndef LOANS_STORY_H
#define LOANS_STORY_H

#include "loan.h"

/* Print every event and the state after it; then the state as the journal has it, and whether the two agree.
 * PDR_CORRUPT if they don't. */
PDR_CHECKED pdr_code loans_story_print(pdr_journal *journal, const char *entity, pdr_error *err);

#endif
