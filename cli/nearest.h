/* Names as people write them: short ones, and "did you mean ...?", the word of a list that is written most
 * alike. */
#ifndef PDR_CLI_NEAREST_H
#define PDR_CLI_NEAREST_H

#include "perdure/bytes.h"

/* Is it the type's name, in full ("loans.OfferSent") or the part behind its last dot ("OfferSent")? */
bool pdr_is_named(const char *type, pdr_string name);

/* How many letters must be put in, taken out, changed, or swapped with their neighbour, to make `b` of `a`.
 * Texts are compared up to 63 bytes. */
int pdr_letters_between(const char *a, const char *b);

typedef struct pdr_nearest {
    const char *wanted; /* borrowed */
    const char *found;  /* borrowed from what was offered; NULL: nothing is near enough */
    int distance;
} pdr_nearest;

/* Offer one after the other; the first of the nearest stays. Near enough is a third of the letters, at least
 * one; what only begins like `wanted` counts as one letter away. */
void pdr_nearest_offer(pdr_nearest *n, const char *word);

#endif
