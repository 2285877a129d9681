/* Are two states of an entity the same, and what differs? Each may have been made by another version of the
 * code, with another schema. */
#ifndef PDR_REPLAY_COMPARE_H
#define PDR_REPLAY_COMPARE_H

#include "journal/fold.h"

typedef struct pdr_comparison pdr_comparison;

/* For states of these two types; from: the older code's. `ignored`: paths as replay/changes.h writes them,
 * whose values (and what lies below) don't count; borrowed. Members that only one of the two schemas has
 * don't count either. PDR_NOMEM, PDR_BAD_DATA. */
PDR_CHECKED pdr_code pdr_comparison_open(pdr_comparison **out, const pdr_type *from, const pdr_type *to,
                                         const pdr_string *ignored, size_t ignored_count, pdr_error *err);
void pdr_comparison_close(pdr_comparison *comparison); /* NULL is fine */

/* Packed states of `from` and `to`. States with one schema are compared as bytes; only what differs is looked
 * at closer. PDR_BAD_DATA: one of them is no such state; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_comparison_run(pdr_comparison *comparison, pdr_bytes from, pdr_bytes to, bool *same,
                                        pdr_error *err);
/* What made the last one not the same, as a JSON array of {"path":".a","from":1,"to":2}; a value that isn't
 * there is left out. At most `max` changes; appended. */
PDR_CHECKED pdr_code pdr_comparison_tell(const pdr_comparison *comparison, size_t max, pdr_buf *out,
                                         pdr_error *err);

#endif
