/* The log seam on one SQLite file: WAL, synchronous=FULL, group commit in poll. Several processes may open
 * the file. */
#ifndef PDR_BACKENDS_SQLITE_LOG_H
#define PDR_BACKENDS_SQLITE_LOG_H

#include "journal/log.h"

/* Open the file's log. PDR_NOT_INITIALISED if the file or its tables are missing, PDR_TOO_NEW, PDR_CORRUPT
 * (not a database). */
PDR_CHECKED pdr_code pdr_sqlite_log_open(pdr_log **out, const char *path, pdr_error *err);

/* Blocking: make the file and the log's tables; fine if they are there with the same number of partitions,
 * else PDR_EXISTS. */
PDR_CHECKED pdr_code pdr_sqlite_log_create(const char *path, const char *journal, int32_t partitions,
                                           pdr_error *err);

#endif
