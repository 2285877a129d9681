/* What the store knows of writer schemas. */
#ifndef PDR_JOURNAL_SCHEMA_LOAD_H
#define PDR_JOURNAL_SCHEMA_LOAD_H

#include "journal/schema_book.h"
#include "journal/store.h"

/* Put all schemas of the store and the ids that they have into the book; a row that makes no sense is passed
 * over. Blocking, at most timeout_ms; errors of the store, PDR_NOMEM. */
PDR_CHECKED pdr_code pdr_schema_book_load(pdr_schema_book *book, pdr_store *store, int timeout_ms,
                                          pdr_error *err);

#endif
