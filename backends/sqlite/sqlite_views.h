/* The views seam on SQLite, in the journal's file or in one of its own. Format and types:
 * docs/formats/sqlite.md. One transaction per batch; rows are read, changed and written one by one, so that
 * sums, limits and NULLs are exactly those of projections/cell.h. */
#ifndef PDR_BACKENDS_SQLITE_VIEWS_H
#define PDR_BACKENDS_SQLITE_VIEWS_H

#include "backends/sqlite/sqlite_trace.h"
#include "projections/views.h"

/* Open or create the file; tables are made by ops->init. PDR_CORRUPT (not a database), PDR_EXISTS (a database
 * of another program), PDR_IO, PDR_LOCKED after some seconds. Operations that find the file locked by another
 * process try again in later polls, for five seconds; then they fail with PDR_LOCKED.
 *
 * The tables of a pdr_version_spec must outlive the operation's completion, or its being forgotten. */
PDR_CHECKED pdr_code pdr_sqlite_views_open(pdr_views **out, const char *path, pdr_error *err);

/* NULL, as at first: nobody is told. */
void pdr_sqlite_views_set_trace(pdr_views *views, pdr_sqlite_trace trace, void *context);

#endif
