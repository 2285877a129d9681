/* How many events each application must have before a row: as many as it has rows before that. */
#ifndef LOANS_SEQS_H
#define LOANS_SEQS_H

#include "perdure/error.h"

/* Zero-initialised: empty. One thread at a time. */
typedef struct loans_seqs {
    struct loans_seq *slots; /* open addressing; application 0: free */
    size_t mask, count;
} loans_seqs;

/* The place of an application's count, 0 at first; valid until the next call. PDR_NOMEM. `application`: its
 * digits.
 */
PDR_CHECKED pdr_code loans_seqs_of(loans_seqs *seqs, const char *application, uint64_t **count,
                                   pdr_error *err);
void loans_seqs_clear(loans_seqs *seqs); /* all counts to 0 */
void loans_seqs_release(loans_seqs *seqs);

#endif
