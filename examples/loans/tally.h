/* What the journal holds, counted by reading its partitions. */
#ifndef LOANS_TALLY_H
#define LOANS_TALLY_H

#include "loan.h"

typedef struct loans_tally {
    uint64_t events, entities;
    uint64_t approved, declined, cancelled;
} loans_tally;

/* Each event of every partition, in the partition's order. Anything but PDR_OK stops it. */
typedef pdr_code (*loans_visit)(void *context, const pdr_logged_event *event, pdr_error *err);
PDR_CHECKED pdr_code loans_read_all(pdr_journal *journal, loans_visit visit, void *context, pdr_error *err);

PDR_CHECKED pdr_code loans_tally_read(loans_tally *out, pdr_journal *journal, pdr_error *err);
void loans_tally_add(loans_tally *tally, const pdr_logged_event *event);

#endif
