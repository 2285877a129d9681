#include "seqs.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 1024 };

typedef struct loans_seq {
    uint64_t application; /* its number + 1; 0: the slot is free */
    uint64_t count;
} loans_seq;

static loans_seq *place_of(loans_seq *slots, size_t mask, uint64_t application)
{
    size_t at = (size_t)((application * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & mask;
    while (slots[at].application && slots[at].application != application)
        at = (at + 1) & mask;
    return &slots[at];
}

static pdr_code grow(loans_seqs *seqs, pdr_error *err)
{
    size_t size = seqs->slots ? 2 * (seqs->mask + 1) : FIRST_SLOTS;
    loans_seq *slots = calloc(size, sizeof *slots);
    if (!slots) return pdr_fail(err, PDR_NOMEM, "%zu applications", size);
    for (size_t i = 0; seqs->slots && i <= seqs->mask; i++)
        if (seqs->slots[i].application)
            *place_of(slots, size - 1, seqs->slots[i].application) = seqs->slots[i];
    free(seqs->slots);
    seqs->slots = slots;
    seqs->mask = size - 1;
    return PDR_OK;
}

pdr_code loans_seqs_of(loans_seqs *seqs, const char *application, uint64_t **count, pdr_error *err)
{
    if (!seqs->slots || 2 * seqs->count > seqs->mask) {
        pdr_code code = grow(seqs, err);
        if (code != PDR_OK) return code;
    }
    uint64_t number = (uint64_t)strtoull(application, NULL, 10) + 1;
    loans_seq *place = place_of(seqs->slots, seqs->mask, number);
    seqs->count += place->application == 0;
    place->application = number;
    *count = &place->count;
    return PDR_OK;
}

void loans_seqs_clear(loans_seqs *seqs)
{
    for (size_t i = 0; seqs->slots && i <= seqs->mask; i++)
        seqs->slots[i].count = 0;
}

void loans_seqs_release(loans_seqs *seqs)
{
    free(seqs->slots);
    *seqs = (loans_seqs){NULL, 0, 0};
}
