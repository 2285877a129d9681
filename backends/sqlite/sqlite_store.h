/* The store seam on SQLite, in the log's file or in one of its own. Format: docs/formats/sqlite.md. */
#ifndef PDR_BACKENDS_SQLITE_STORE_H
#define PDR_BACKENDS_SQLITE_STORE_H

#include "backends/sqlite/sqlite_trace.h"
#include "journal/store.h"

/* Open or create the file; tables are made by ops->init. PDR_CORRUPT (not a database), PDR_EXISTS (a database
 * of another program), PDR_IO, PDR_LOCKED after some seconds. Operations that find the file locked by another
 * process try again in later polls, for five seconds; then they fail with PDR_LOCKED. */
PDR_CHECKED pdr_code pdr_sqlite_store_open(pdr_store **out, const char *path, pdr_error *err);

/* NULL, as at first: nobody is told. */
void pdr_sqlite_store_set_trace(pdr_store *store, pdr_sqlite_trace trace, void *context);

#endif
