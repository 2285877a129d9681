/* What is known of writer schemas that were met in the log and in the store: fingerprint -> JSON, and the
 * schema registry's id -> fingerprint. One per journal or tool; it only grows.
 *
 * Threads: any, at once. Looking up takes no lock. What it gives belongs to the book and stays until close.
 */
#ifndef PDR_JOURNAL_SCHEMA_BOOK_H
#define PDR_JOURNAL_SCHEMA_BOOK_H

#include "perdure/bytes.h"

enum {
    PDR_BOOK_MAX_SCHEMAS = 65536,           /* and as many ids of a registry */
    PDR_BOOK_MAX_BYTES = 256 * 1024 * 1024, /* of JSON, all together */
    PDR_BOOK_NO_ID = -1                     /* no id of a registry */
};

typedef struct pdr_schema_book pdr_schema_book;

PDR_CHECKED pdr_code pdr_schema_book_open(pdr_schema_book **out, pdr_error *err); /* PDR_NOMEM */
void pdr_schema_book_close(pdr_schema_book *book);                                /* NULL is fine */

/* Add a schema (copied), and the registry's id for it, or PDR_BOOK_NO_ID. One that is known already is fine:
 * the first JSON is kept (both have one canonical form), an id that is new is added. PDR_BAD_SCHEMA: it is no
 * schema, or has another fingerprint; PDR_CONFLICT: the id stands for another schema already (the schema is
 * added all the same, and from now on the id stands for neither: its events can't be read); PDR_TOO_LARGE: a
 * ceiling; PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_schema_book_add(pdr_schema_book *book, uint64_t fingerprint, pdr_string json,
                                         int32_t registry_id, pdr_error *err);

/* false: not known. `json` (may be NULL) ends with a NUL that isn't counted. */
bool pdr_schema_book_find(const pdr_schema_book *book, uint64_t fingerprint, pdr_string *json);
bool pdr_schema_book_by_id(const pdr_schema_book *book, int32_t registry_id, uint64_t *fingerprint);
/* The schema's Avro full name; data NULL: not known. */
pdr_string pdr_schema_book_name(const pdr_schema_book *book, uint64_t fingerprint);
/* The first id that the registry gave it, or PDR_BOOK_NO_ID. */
int32_t pdr_schema_book_id(const pdr_schema_book *book, uint64_t fingerprint);
/* How many schemas it knows, and the i-th's fingerprint in the order of adding; i below the count. */
size_t pdr_schema_book_count(const pdr_schema_book *book);
uint64_t pdr_schema_book_at(const pdr_schema_book *book, size_t i);

#endif
