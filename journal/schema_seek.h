/* Looking for one writer schema that is neither declared nor in the book: in the store's table first, then in
 * the log, where the SCHEMA record of the event's term must stand. What is found goes into the book, with
 * whatever else is met on the way. */
#ifndef PDR_JOURNAL_SCHEMA_SEEK_H
#define PDR_JOURNAL_SCHEMA_SEEK_H

#include "journal/log.h"
#include "journal/schema_book.h"
#include "journal/store.h"

typedef struct pdr_schema_seek pdr_schema_seek;

typedef struct pdr_schema_seek_spec {
    int32_t partition;
    uint64_t fingerprint; /* as pdr_folder_lacks gave it; 0: the value has only an id */
    int32_t registry_id;  /* that of the value, or PDR_BOOK_NO_ID */
    int64_t from, to;     /* where the log would have it, both included; from > to: nowhere */
} pdr_schema_seek_spec;

/* What a value needs that pdr_folder_lacks says can't be read. */
pdr_schema_seek_spec pdr_schema_seek_for(int32_t partition, pdr_bytes value, uint64_t fingerprint,
                                         int64_t from, int64_t to);
static inline bool pdr_schema_seek_same(const pdr_schema_seek_spec *a, const pdr_schema_seek_spec *b)
{
    return a->fingerprint == b->fingerprint && a->registry_id == b->registry_id;
}

/* Once, inside the store's or the log's poll. PDR_OK: the book has it. PDR_NOT_FOUND: it is in neither place.
 * Else what store or log said: it may be there. The seek may be closed in here. */
typedef void (*pdr_schema_seek_done)(void *context, pdr_code code, const pdr_error *error);

/* `store` NULL: only the log. PDR_NOMEM, or what store or log said. */
PDR_CHECKED pdr_code pdr_schema_seek_open(pdr_schema_seek **out, pdr_log *log, pdr_store *store,
                                          pdr_schema_book *book, const pdr_schema_seek_spec *spec,
                                          pdr_schema_seek_done done, void *context, pdr_error *err);
/* At any time; no completion comes after it. NULL is fine. */
void pdr_schema_seek_close(pdr_schema_seek *seek);

/* Add a SCHEMA record's schema to the book, and say whose it is. PDR_NOT_FOUND: the record isn't a SCHEMA;
 * else as pdr_schema_book_add. */
PDR_CHECKED pdr_code pdr_schema_book_take(pdr_schema_book *book, const pdr_log_record *record,
                                          uint64_t *fingerprint, pdr_error *err);
/* The same with a row of the store. */
PDR_CHECKED pdr_code pdr_schema_book_take_row(pdr_schema_book *book, const pdr_schema_row *row,
                                              pdr_error *err);

#endif
