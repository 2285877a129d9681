/* What differs between two JSON values: two states of an entity. */
#ifndef PDR_REPLAY_CHANGES_H
#define PDR_REPLAY_CHANGES_H

#include "perdure/bytes.h"

typedef struct pdr_changes pdr_changes;

/* One value that differs. `path` as jq writes it: ".offers[2].status". from/to: JSON text; data NULL: it
 * isn't there. */
typedef struct pdr_change {
    pdr_bytes path, from, to;
} pdr_change;

/* Compare by value: the order of an object's members means nothing, an array's does. *out is yours; its
 * changes are in the order of the second value's members, then what is missing there. PDR_BAD_DATA: no JSON.
 * PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_changes_open(pdr_changes **out, pdr_bytes from, pdr_bytes to, pdr_error *err);
void pdr_changes_close(pdr_changes *changes); /* NULL is fine */
size_t pdr_changes_count(const pdr_changes *changes);
pdr_change pdr_changes_at(const pdr_changes *changes, size_t i);

#endif
