#include "backends/postgres/migrate.h"

#include <stdio.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/statements.h"
#include "base/mem.h"

enum { MAX_MIGRATION = 1024 * 1024 }; /* bytes */

/* Run a text in which '@' stands for the schema. */
static pdr_code run(pdr_pg_session *session, const char *schema, const char *sql, pdr_error *err)
{
    char *expanded = pdr_pg_expand(sql, schema);
    if (!expanded) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_pg_session_run(session, expanded, err);
    pdr_free(expanded);
    return code;
}

static pdr_code check_row(int position, const PGresult *result, pdr_error *err)
{
    int32_t number = pdr_pg_get32(PQgetvalue(result, position, 0));
    if (number > pdr_pg_migration_count)
        return pdr_fail(err, PDR_TOO_NEW, "the store has migration %d; this version of perdure knows %d",
                        (int)number, pdr_pg_migration_count);
    if (number != position + 1)
        return pdr_fail(err, PDR_CORRUPT, "the store's table migration lacks number %d", position + 1);
    if (strcmp(PQgetvalue(result, position, 1), pdr_pg_migrations[position].checksum) != 0)
        return pdr_fail(err, PDR_CORRUPT,
                        "migration %d of the store isn't the one that this version of perdure has",
                        (int)number);
    return PDR_OK;
}

pdr_code pdr_pg_migrations_applied(int *out, pdr_pg_session *session, const char *schema, pdr_error *err)
{
    *out = 0;
    char *sql = pdr_pg_expand("SELECT number, checksum FROM @migration ORDER BY number", schema);
    if (!sql) return pdr_fail(err, PDR_NOMEM, "out of memory");
    PGresult *result = NULL;
    pdr_error why = {0};
    pdr_code code = pdr_pg_session_query(session, &result, sql, NULL, 0, &why);
    pdr_free(sql);
    if (code == PDR_NOT_INITIALISED) return PDR_OK;
    if (code != PDR_OK) {
        if (err) *err = why;
        return code;
    }
    int rows = PQntuples(result);
    /* A later one first: a newer version may have changed what an older one would call corrupt. */
    if (rows > pdr_pg_migration_count) code = check_row(rows - 1, result, err);
    for (int i = 0; code == PDR_OK && i < rows; i++)
        code = check_row(i, result, err);
    *out = rows;
    PQclear(result);
    return code;
}

pdr_code pdr_pg_migrations_check(pdr_pg_session *session, const char *schema, pdr_error *err)
{
    int applied;
    pdr_code code = pdr_pg_migrations_applied(&applied, session, schema, err);
    if (code != PDR_OK || applied == pdr_pg_migration_count) return code;
    if (applied == 0)
        return pdr_fail(err, PDR_NOT_INITIALISED, "the database has no store in schema %s; run perdure init",
                        schema);
    return pdr_fail(err, PDR_NOT_INITIALISED,
                    "the store in schema %s has migrations up to %d of %d; run perdure init", schema, applied,
                    pdr_pg_migration_count);
}

/* Only one at a time; the lock is the session's. */
static pdr_code lock(pdr_pg_session *session, const char *schema, pdr_error *err)
{
    pdr_pg_param name = {PDR_PG_TEXT, pdr_bytes_of(schema, strlen(schema))};
    PGresult *result = NULL;
    pdr_code code = pdr_pg_session_query(
        session, &result, "SELECT pg_advisory_lock(hashtextextended('perdure ' || $1, 0))", &name, 1, err);
    PQclear(result);
    return code;
}

/* CREATE SCHEMA asks for a right on the database even where the schema exists, so look first. */
static pdr_code make_schema(pdr_pg_session *session, const char *schema, pdr_error *err)
{
    pdr_pg_param name = {PDR_PG_TEXT, pdr_bytes_of(schema, strlen(schema))};
    PGresult *result = NULL;
    pdr_code code =
        pdr_pg_session_query(session, &result, "SELECT to_regnamespace($1) IS NULL", &name, 1, err);
    bool missing = code == PDR_OK && PQntuples(result) == 1 && *PQgetvalue(result, 0, 0);
    PQclear(result);
    if (code != PDR_OK || !missing) return code;
    char sql[200];
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s", schema);
    return pdr_pg_session_run(session, sql, err);
}

static pdr_code apply(pdr_pg_session *session, const char *schema, const pdr_pg_migration *migration,
                      pdr_error *err)
{
    pdr_buf sql = PDR_BUF_INIT(MAX_MIGRATION);
    pdr_code code =
        pdr_buf_printf(&sql,
                       "BEGIN; SET LOCAL search_path = %s;\n%s\n;"
                       "INSERT INTO migration (number, name, checksum) VALUES (%d, '%s', '%s'); COMMIT",
                       schema, migration->sql, migration->number, migration->name, migration->checksum);
    if (code == PDR_OK) code = pdr_buf_append(&sql, "", 1);
    if (code == PDR_OK)
        code = pdr_pg_session_run(session, (const char *)sql.data, err);
    else
        code = pdr_fail(err, code, "%s", pdr_code_text(code));
    pdr_buf_release(&sql);
    return code == PDR_OK ? code : pdr_fail_context(err, code, "migration %d", migration->number);
}

pdr_code pdr_pg_migrate(pdr_pg_session *session, const char *schema, pdr_error *err)
{
    int applied = 0;
    pdr_code code = lock(session, schema, err);
    if (code == PDR_OK) code = make_schema(session, schema, err);
    if (code == PDR_OK)
        code = run(session, schema,
                   "CREATE TABLE IF NOT EXISTS @migration (number integer PRIMARY KEY, name text NOT NULL,"
                   " checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
                   err);
    if (code == PDR_OK) code = pdr_pg_migrations_applied(&applied, session, schema, err);
    for (int i = applied; code == PDR_OK && i < pdr_pg_migration_count; i++)
        code = apply(session, schema, &pdr_pg_migrations[i], err);
    return code;
}
