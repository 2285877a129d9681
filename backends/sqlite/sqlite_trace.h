/* What the SQLite backends tell people beside their results. */
#ifndef PDR_BACKENDS_SQLITE_TRACE_H
#define PDR_BACKENDS_SQLITE_TRACE_H

#include "journal/env.h"

/* Called in `poll`: when another process's lock has been waited for for a second (again every ten), when that
 * wait is over, and why a group of appends failed. Must not call back. `message` is borrowed until return. */
typedef void (*pdr_sqlite_trace)(void *context, pdr_level level, const char *message);

#endif
