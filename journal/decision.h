/* What decide said about one command: events encoded as they were emitted, an answer, or a refusal. Reused
 * from command to command. */
#ifndef PDR_JOURNAL_DECISION_H
#define PDR_JOURNAL_DECISION_H

#include "journal/fold.h"
#include "journal/schema_book.h"

typedef struct pdr_decided_event {
    const pdr_type *type;
    size_t offset, size; /* of the framed value in `values` */
    int64_t time_us;
} pdr_decided_event;

struct pdr_decision {
    const pdr_folder *folder;   /* NULL: an append to an entity type that isn't declared */
    const pdr_schema_book *ids; /* values carry a schema registry's ids out of it; NULL: fingerprints */
    int64_t now_us;
    pdr_buf values;
    pdr_decided_event *events;
    size_t count, capacity;
    bool answered, refused;
    uint8_t answer[PDR_MAX_REPLY + 1]; /* answer or refusal's text, with a NUL */
    size_t answer_size;
    pdr_code code; /* PDR_OK, or the first failure of an emit */
    pdr_error error;
};

void pdr_decision_init(pdr_decision *decision);
void pdr_decision_release(pdr_decision *decision);
/* Forget the last command's. */
void pdr_decision_begin(pdr_decision *decision, const pdr_folder *folder, int64_t now_us);
/* An event that is a datum already. */
void pdr_decision_emit_datum(pdr_decision *decision, const pdr_type *type, pdr_bytes datum, int64_t time_us);
/* What decide may not do: events and a refusal at once. PDR_BAD_HANDLER, or the first failure of an emit. */
PDR_CHECKED pdr_code pdr_decision_check(pdr_decision *decision, const pdr_error **error);
static inline pdr_bytes pdr_decision_value(const pdr_decision *d, size_t i)
{
    return pdr_bytes_of(d->values.data + d->events[i].offset, d->events[i].size);
}

#endif
