/* The store seam on SQLite, in the log's file or in one of its own. */
#ifndef PDR_BACKENDS_SQLITE_STORE_H
#define PDR_BACKENDS_SQLITE_STORE_H

#include "journal/store.h"

/* Open or create the file; tables are made by ops->init. */
PDR_CHECKED pdr_code pdr_sqlite_store_open(pdr_store **out, const char *path, pdr_error *err);

#endif
