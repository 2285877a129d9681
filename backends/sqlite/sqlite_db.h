/* What both seams on SQLite share: opening a file with the settings that perdure rests on, statements, and
 * SQLite's results as pdr codes. Internal to backends/sqlite. Threads: a connection belongs to one thread at
 * a time. */
#ifndef PDR_BACKENDS_SQLITE_DB_H
#define PDR_BACKENDS_SQLITE_DB_H

#include <sqlite3.h>

#include "perdure/bytes.h"

enum {
    PDR_SQLITE_APPLICATION_ID = 0x70647231, /* "pdr1": docs/formats/sqlite.md */
    PDR_SQLITE_OPEN_WAIT_MS = 5000,         /* how long a blocking call waits for another process's lock */
};

/* The pdr code for SQLite's result. */
pdr_code pdr_sqlite_code(int rc);
/* Fill *err from the connection's last error (or the bare result when db is NULL): "doing: SQLite's words".
 */
pdr_code pdr_sqlite_fail(pdr_error *err, sqlite3 *db, int rc, const char *doing);

/* Open `path` in WAL mode with synchronous=FULL. With `create` the file is made if it is missing, else
 * PDR_NOT_INITIALISED. PDR_CORRUPT: not a database. PDR_EXISTS: a database of another program. The connection
 * waits up to PDR_SQLITE_OPEN_WAIT_MS for locks until sqlite3_busy_timeout says otherwise. */
PDR_CHECKED pdr_code pdr_sqlite_open(sqlite3 **out, const char *path, bool create, pdr_error *err);
void pdr_sqlite_close(sqlite3 *db); /* NULL is fine */

/* Run statements that give no rows. */
PDR_CHECKED pdr_code pdr_sqlite_exec(sqlite3 *db, const char *sql, pdr_error *err);
/* Prepare a statement that is kept. */
PDR_CHECKED pdr_code pdr_sqlite_prepare(sqlite3 *db, sqlite3_stmt **out, const char *sql, pdr_error *err);
/* Step a statement that gives no rows and reset it: SQLITE_DONE or SQLite's error. */
int pdr_sqlite_run(sqlite3_stmt *statement);
/* Does a table or view of this name exist? */
PDR_CHECKED pdr_code pdr_sqlite_has(sqlite3 *db, const char *name, bool *out, pdr_error *err);
/* The single integer that `sql` gives. PDR_CORRUPT if it gives no row. */
PDR_CHECKED pdr_code pdr_sqlite_integer(sqlite3 *db, const char *sql, int64_t *out, pdr_error *err);

/* Bind a range that outlives the statement's run; data NULL binds NULL (SQLite's own rule). */
int pdr_sqlite_bind_text(sqlite3_stmt *statement, int index, pdr_bytes bytes);
int pdr_sqlite_bind_blob(sqlite3_stmt *statement, int index, pdr_bytes bytes);
/* A column's bytes: absent for NULL, non-NULL and empty for an empty value; valid until the next step. */
pdr_bytes pdr_sqlite_column(sqlite3_stmt *statement, int column);

#endif
