/* The log seam on one SQLite file: WAL, synchronous=FULL, group commit in poll. Several processes may open
 * the file. Format: docs/formats/sqlite.md. */
#ifndef PDR_BACKENDS_SQLITE_LOG_H
#define PDR_BACKENDS_SQLITE_LOG_H

#include "backends/sqlite/sqlite_trace.h"
#include "journal/log.h"

/* Open the file's log. PDR_NOT_INITIALISED if the file or its tables are missing, PDR_TOO_NEW, PDR_CORRUPT
 * (not a database), PDR_EXISTS (a database of another program), PDR_LOCKED after some seconds. */
PDR_CHECKED pdr_code pdr_sqlite_log_open(pdr_log **out, const char *path, pdr_error *err);

/* Blocking: make the file and the log's tables; fine if they are there with the same name and number of
 * partitions, else PDR_EXISTS. */
PDR_CHECKED pdr_code pdr_sqlite_log_create(const char *path, const char *journal, int32_t partitions,
                                           pdr_error *err);

/* NULL, as at first: nobody is told. */
void pdr_sqlite_log_set_trace(pdr_log *log, pdr_sqlite_trace trace, void *context);

#endif
