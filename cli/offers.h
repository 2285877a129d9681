/* What a shell may offer where a command wants a value or a word, told by what the command's table calls it
 * (cli/flags.h has the rule). */
#ifndef PDR_CLI_OFFERS_H
#define PDR_CLI_OFFERS_H

#include "cli/flags.h"
#include "perdure/bytes.h"

enum {
    PDR_OFFER_FILES = 1,
    PDR_OFFER_FOLDERS = 2,
    PDR_OFFER_TYPES = 4,   /* entity types */
    PDR_OFFER_ENTITIES = 8 /* entity ids, by type */
};

enum { PDR_MAX_OFFERED = 16, PDR_MAX_PLACES = 8 };

typedef struct pdr_offer {
    unsigned kinds;
    pdr_string words[PDR_MAX_OFFERED]; /* borrowed from the table */
    size_t word_count;
} pdr_offer;

/* "FILE|FOLDER...", "newest|longest". What says nothing is an empty offer. */
void pdr_offer_of(pdr_offer *out, pdr_string name);

/* The places of a command's words, in their order. */
typedef struct pdr_places {
    pdr_offer offers[PDR_MAX_PLACES];
    size_t count;
    bool repeats; /* the last one, any number of times */
} pdr_places;

void pdr_places_of(pdr_places *out, const pdr_flag *flags);

#endif
