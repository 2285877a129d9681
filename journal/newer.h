/* Events that newer code wrote: schemas that this application doesn't declare, found in a book. One that is a
 * newer version of an event that is known, and says that older code may read it, is read by Avro's resolution
 * into the newest version known; anything else isn't read. What was found out about a schema is kept. */
#ifndef PDR_JOURNAL_NEWER_H
#define PDR_JOURNAL_NEWER_H

#include "journal/schema_book.h"
#include "upcasters/chain.h"

typedef struct pdr_newer pdr_newer;

/* How one such schema is read. */
typedef struct pdr_newer_route {
    uint64_t fingerprint;
    pdr_plan *plan;         /* into route->type */
    const pdr_route *route; /* of the newest version known; NULL: refused */
    pdr_error refusal;      /* PDR_UNKNOWN_SCHEMA: type, version, fingerprint, and what to do */
    struct pdr_newer_route *next;
} pdr_newer_route;

/* The chain and the book outlive it; `book` may be NULL. PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_newer_open(pdr_newer **out, const pdr_chain *chain, const pdr_schema_book *book,
                                    pdr_error *err);
void pdr_newer_close(pdr_newer *newer); /* NULL is fine */

/* Any thread; what is known is found without a lock. PDR_UNKNOWN_SCHEMA, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_newer_find(pdr_newer *newer, uint64_t fingerprint, const pdr_newer_route **out,
                                    pdr_error *err);
/* Nothing is known of this schema: neither declared nor in the book. */
bool pdr_newer_lacks(const pdr_newer *newer, uint64_t fingerprint);

#endif
