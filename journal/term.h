/* The void rule: which records of a log count. The same code for recovery, readers, projections, replay and
 * tools.
 *
 * Walking the log, a FENCE at offset f makes (f, its incarnation) the term in force and the count 0. A record
 * is in sequence if and only if its term is in force and its number is the count plus 1; everything else is
 * void. A commit's events count when its last record is in sequence; a FENCE before that voids it. Source:
 * docs/ARCHITECTURE.md, "The log: terms and the void rule". */
#ifndef PDR_JOURNAL_TERM_H
#define PDR_JOURNAL_TERM_H

#include "journal/log.h"
#include "journal/record.h"

typedef enum pdr_verdict {
    PDR_VERDICT_FOREIGN,   /* no header of ours: void */
    PDR_VERDICT_MALFORMED, /* a header of ours that can't be read: void, to be counted and reported */
    PDR_VERDICT_VOID,      /* not in sequence */
    PDR_VERDICT_FENCE,
    PDR_VERDICT_SCHEMA,
    PDR_VERDICT_MARK,
    PDR_VERDICT_EVENT,   /* in sequence, its commit still open */
    PDR_VERDICT_COMMIT,  /* in sequence, and the last of its commit: its events count now */
    PDR_VERDICT_TOO_NEW, /* stop */
    PDR_VERDICT_CORRUPT, /* in sequence, but breaks the rules of commits: stop */
} pdr_verdict;

typedef struct pdr_walk {
    pdr_position at; /* the last record in sequence outside an open commit: where a reader may start again */
    pdr_term term;   /* in force */
    uint64_t count;  /* number of the last record in sequence */
    int64_t offset;  /* of the last record looked at */
    uint32_t open;   /* records of the open commit so far; 0: none is open */
    uint32_t open_count;
    uint16_t key_size; /* the open commit's entity */
    uint8_t key[PDR_LOG_MAX_KEY];
} pdr_walk;

/* Start after `position`. */
void pdr_walk_init(pdr_walk *walk, pdr_position position);

/* Look at the next record (ascending offsets). `header` is filled for every verdict but FOREIGN, MALFORMED
 * and TOO_NEW, and borrows from the record. On CORRUPT and TOO_NEW the walk stays where it was and `err` says
 * why. A FENCE that voids an open commit: *voided = its records (else 0). */
pdr_verdict pdr_walk_step(pdr_walk *walk, const pdr_log_record *record, pdr_header *header, uint32_t *voided,
                          pdr_error *err);

#endif
