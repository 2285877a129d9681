/* The store's numbered migrations: what the library has, what a database has, and bringing the second up. */
#ifndef PDR_BACKENDS_POSTGRES_MIGRATE_H
#define PDR_BACKENDS_POSTGRES_MIGRATE_H

#include "backends/postgres/session.h"

typedef struct pdr_pg_migration {
    int number; /* 1, 2, 3, ... */
    const char *name;
    const char *checksum; /* SHA-256 of the file in hex */
    const char *sql;
} pdr_pg_migration;

/* Made at build time from migrations/NNNN_name.sql. */
extern const pdr_pg_migration pdr_pg_migrations[];
extern const int pdr_pg_migration_count;

/* How many migrations the database has, all known here and unchanged. PDR_TOO_NEW: it has later ones;
 * PDR_CORRUPT: another text went by the same number; a schema or table that is missing counts as none. */
PDR_CHECKED pdr_code pdr_pg_migrations_applied(int *out, pdr_pg_session *session, const char *schema,
                                               pdr_error *err);
/* PDR_NOT_INITIALISED unless the database has them all. */
PDR_CHECKED pdr_code pdr_pg_migrations_check(pdr_pg_session *session, const char *schema, pdr_error *err);
/* Applies what is missing, each in a transaction of its own. Holds, until the session ends, the lock that
 * keeps others from doing the same. */
PDR_CHECKED pdr_code pdr_pg_migrate(pdr_pg_session *session, const char *schema, pdr_error *err);

#endif
