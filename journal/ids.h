/* The window of an entity's newest command ids, each with the fingerprint of its command, what it made and
 * its reply: packed, oldest first, the same bytes in memory and in the store's head row
 * (docs/formats/store.md). Invariant served: once-per-command-id. */
#ifndef PDR_JOURNAL_IDS_H
#define PDR_JOURNAL_IDS_H

#include "perdure/entity.h"

enum { PDR_ID_WINDOW = 64 }; /* ids remembered when the entity type declares no number */

typedef struct pdr_ids {
    uint32_t begin; /* first byte in use */
    uint32_t end;   /* after the last byte in use */
    uint32_t capacity;
    uint32_t count; /* entries */
    uint8_t bytes[];
} pdr_ids;

typedef struct pdr_id_entry {
    pdr_bytes id;
    uint64_t fingerprint; /* of the command */
    uint64_t seq;         /* of the last event it made */
    uint32_t events;
    bool has_reply;
    pdr_bytes reply;
} pdr_id_entry;

/* Find an id; `out` borrows from the window. NULL window: nothing is known. */
bool pdr_ids_find(const pdr_ids *ids, pdr_bytes id, pdr_id_entry *out);
/* Walk packed bytes, oldest first: read the entry at *at and move *at behind it. false: malformed. */
bool pdr_ids_next(const uint8_t **at, const uint8_t *end, pdr_id_entry *out);
/* Make room for one entry of any size, so that the next add can't fail. */
PDR_CHECKED pdr_code pdr_ids_reserve(pdr_ids **ids);
/* Add the newest entry, dropping the oldest beyond `window` entries. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_ids_add(pdr_ids **ids, uint32_t window, const pdr_id_entry *entry);
/* From packed bytes; PDR_CORRUPT if they aren't such. Empty bytes give NULL. */
PDR_CHECKED pdr_code pdr_ids_load(pdr_ids **out, pdr_bytes packed, pdr_error *err);
pdr_bytes pdr_ids_packed(const pdr_ids *ids); /* NULL window: size 0 */
void pdr_ids_free(pdr_ids *ids);
static inline size_t pdr_ids_held(const pdr_ids *ids)
{
    return ids ? sizeof *ids + ids->capacity : 0;
}

#endif
