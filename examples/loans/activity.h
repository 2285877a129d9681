/* What a row of the log asks of its application. */
#ifndef LOANS_ACTIVITY_H
#define LOANS_ACTIVITY_H

#include "csv.h"
#include "loans.gen.h"

typedef struct loans_command {
    const pdr_type *type;
    union {
        loans_submit_application submit;
        loans_move_application application;
        loans_move_offer offer;
        loans_move_work work;
    } as;
} loans_command;

/* PDR_BAD_DATA for an activity or a transition that the log of this bank doesn't have. */
PDR_CHECKED pdr_code loans_command_of(const loans_row *row, loans_command *out, pdr_error *err);

#endif
