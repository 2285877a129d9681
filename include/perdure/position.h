/* Terms and positions: the places of a log from which a reader can start. DESIGN: "The one idea", "The log is
 * everything". */
#ifndef PERDURE_POSITION_H
#define PERDURE_POSITION_H

#include "perdure/bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An owner's term: the offset that the log gave its FENCE record and the random number drawn for that FENCE.
 * Two terms are equal only if both are. offset -1: no term (an empty log). */
typedef struct pdr_term {
    int64_t offset;
    uint64_t incarnation;
} pdr_term;

/* A position names the last record that it covers, one known to be in sequence; reading goes on at offset
 * + 1. A FENCE has number 0 and is its own term. offset -1: before the first record. Never inside an open
 * commit. */
typedef struct pdr_position {
    int64_t offset;
    pdr_term term;
    uint64_t number;
} pdr_position;

#define PDR_TERM_NONE ((pdr_term){-1, 0})
#define PDR_POSITION_START ((pdr_position){-1, {-1, 0}, 0})

static inline bool pdr_term_equal(pdr_term a, pdr_term b)
{
    return a.offset == b.offset && a.incarnation == b.incarnation;
}

static inline bool pdr_position_equal(pdr_position a, pdr_position b)
{
    return a.offset == b.offset && pdr_term_equal(a.term, b.term) && a.number == b.number;
}

#ifdef __cplusplus
}
#endif
#endif
