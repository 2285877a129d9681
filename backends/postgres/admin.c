#include "backends/postgres/admin.h"

#include "backends/postgres/binary.h"
#include "backends/postgres/migrate.h"
#include "backends/postgres/session.h"
#include "backends/postgres/statements.h"
#include "base/mem.h"

enum { MIN_SERVER_VERSION = 140000 };

pdr_code pdr_pg_admin_init_at(pdr_pg_admin *out, const char *url, const char *schema, pdr_error *err)
{
    out->url = pdr_strdup(url);
    out->schema = NULL;
    if (!out->url) return pdr_fail(err, PDR_NOMEM, "out of memory");
    return pdr_pg_quote_schema(&out->schema, schema, err);
}

void pdr_pg_admin_release(pdr_pg_admin *admin)
{
    pdr_free(admin->url);
    pdr_free(admin->schema);
    admin->url = admin->schema = NULL;
}

/* A server without fsync may, after a power cut, keep a checkpoint and lose the heads that it covers; nothing
 * in the store would show it. */
static pdr_code check_server(pdr_pg_session *session, pdr_error *err)
{
    int version = PQserverVersion(session->pg);
    if (version < MIN_SERVER_VERSION)
        return pdr_fail(err, PDR_UNSUPPORTED, "PostgreSQL is of version %d; the store needs 14 or newer",
                        version / 10000);
    const char *encoding = PQparameterStatus(session->pg, "server_encoding");
    if (!encoding || strcmp(encoding, "UTF8") != 0)
        return pdr_fail(err, PDR_UNSAFE_SETTING, "the database's encoding is %s; the store needs UTF8",
                        encoding ? encoding : "unknown");
    PGresult *result = NULL;
    pdr_code code = pdr_pg_session_query(session, &result, "SELECT current_setting('fsync')", NULL, 0, err);
    if (code == PDR_OK && strcmp(PQgetvalue(result, 0, 0), "on") != 0)
        code = pdr_fail(err, PDR_UNSAFE_SETTING, "PostgreSQL's setting fsync is %s; the store needs on",
                        PQgetvalue(result, 0, 0));
    PQclear(result);
    return code;
}

static pdr_code open_checked(pdr_pg_session *out, const pdr_pg_admin *admin, int timeout_ms, pdr_error *err)
{
    pdr_code code = pdr_pg_session_open(out, admin->url, timeout_ms, err);
    return code == PDR_OK ? check_server(out, err) : code;
}

static pdr_code run(pdr_pg_session *session, const pdr_pg_admin *admin, const char *sql, pdr_error *err)
{
    char *expanded = pdr_pg_expand(sql, admin->schema);
    if (!expanded) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_pg_session_run(session, expanded, err);
    pdr_free(expanded);
    return code;
}

static pdr_code query(pdr_pg_session *session, PGresult **out, const pdr_pg_admin *admin, const char *sql,
                      const pdr_pg_param *params, int count, pdr_error *err)
{
    char *expanded = pdr_pg_expand(sql, admin->schema);
    if (!expanded) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_pg_session_query(session, out, expanded, params, count, err);
    pdr_free(expanded);
    return code;
}

/* PDR_NOT_INITIALISED: the table is there and empty, or isn't there. */
static pdr_code read_meta(pdr_pg_session *session, const pdr_pg_admin *admin, pdr_store_meta *out,
                          pdr_error *err)
{
    PGresult *result = NULL;
    pdr_code code = query(session, &result, admin, "SELECT journal_id, partitions FROM @meta", NULL, 0, err);
    if (code != PDR_OK) return code;
    if (PQntuples(result) != 1)
        code = pdr_fail(err, PDR_NOT_INITIALISED, "the store in schema %s names no journal; run perdure init",
                        admin->schema);
    else if (PQgetlength(result, 0, 0) != PDR_ID_SIZE || PQgetlength(result, 0, 1) != 4)
        code = pdr_fail(err, PDR_CORRUPT, "PostgreSQL: table meta's columns aren't of the store's types");
    if (code == PDR_OK) {
        memcpy(out->journal_id, PQgetvalue(result, 0, 0), PDR_ID_SIZE);
        out->partitions = pdr_pg_get32(PQgetvalue(result, 0, 1));
    }
    PQclear(result);
    return code;
}

static pdr_code compare_meta(const pdr_store_meta *mine, const pdr_store_meta *stored,
                             const pdr_pg_admin *admin, pdr_error *err)
{
    if (memcmp(mine->journal_id, stored->journal_id, PDR_ID_SIZE) != 0)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the store in schema %s belongs to another journal",
                        admin->schema);
    if (mine->partitions != stored->partitions)
        return pdr_fail(err, PDR_WRONG_JOURNAL, "the store in schema %s has %d partitions, the journal %d",
                        admin->schema, (int)stored->partitions, (int)mine->partitions);
    return PDR_OK;
}

/* PDR_WRONG_JOURNAL if the store has a meta that differs; a store without one is fine. */
static pdr_code check_meta(pdr_pg_session *session, const pdr_pg_admin *admin, const pdr_store_meta *meta,
                           pdr_error *err)
{
    pdr_store_meta stored;
    pdr_error why = {0};
    int applied;
    pdr_code code = pdr_pg_migrations_applied(&applied, session, admin->schema, err);
    if (code != PDR_OK || applied == 0) return code;
    code = read_meta(session, admin, &stored, &why);
    if (code == PDR_OK) return compare_meta(meta, &stored, admin, err);
    if (code == PDR_NOT_INITIALISED) return PDR_OK;
    if (err) *err = why;
    return code;
}

/* What a new store's partitions start from; one store id for all of them. */
#define NEW_ROWS                                                                                             \
    "INSERT INTO @partition (partition, store_id)"                                                           \
    " SELECT number, made.id FROM (SELECT gen_random_uuid() AS id) AS made, generate_series(0, $1 - 1) AS "  \
    "number"

static pdr_code write_meta(pdr_pg_session *session, const pdr_pg_admin *admin, const pdr_store_meta *meta,
                           const char *partitions_sql, pdr_error *err)
{
    uint8_t partitions[4], *at = partitions;
    pdr_pg_put32(&at, meta->partitions);
    pdr_pg_param params[] = {{PDR_PG_INT4, pdr_bytes_of(partitions, sizeof partitions)},
                             {PDR_PG_UUID, pdr_bytes_of(meta->journal_id, PDR_ID_SIZE)}};
    PGresult *result = NULL;
    pdr_code code = query(session, &result, admin,
                          "INSERT INTO @meta (partitions, journal_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                          params, 2, err);
    PQclear(result);
    if (code != PDR_OK) return code;
    code = query(session, &result, admin, partitions_sql, params, 1, err);
    PQclear(result);
    return code;
}

static pdr_code init_in(pdr_pg_session *session, const pdr_pg_admin *admin, const pdr_store_meta *meta,
                        pdr_error *err)
{
    pdr_code code = check_meta(session, admin, meta, err);
    if (code == PDR_OK) code = pdr_pg_migrate(session, admin->schema, err);
    if (code == PDR_OK) code = run(session, admin, "BEGIN", err);
    if (code == PDR_OK) code = write_meta(session, admin, meta, NEW_ROWS " ON CONFLICT DO NOTHING", err);
    /* Again, behind the lock: another init of another journal may have been first. */
    if (code == PDR_OK) code = check_meta(session, admin, meta, err);
    return code == PDR_OK ? run(session, admin, "COMMIT", err) : code;
}

/* The tables are emptied before the rows are touched: a save locks in that order too. */
static pdr_code reset_in(pdr_pg_session *session, const pdr_pg_admin *admin, const pdr_store_meta *meta,
                         pdr_error *err)
{
    pdr_code code = check_meta(session, admin, meta, err);
    if (code == PDR_OK) code = pdr_pg_migrate(session, admin->schema, err);
    if (code == PDR_OK) code = run(session, admin, "BEGIN; TRUNCATE @head, @state, @takeover", err);
    if (code == PDR_OK)
        code = write_meta(
            session, admin, meta,
            NEW_ROWS " ON CONFLICT (partition) DO UPDATE SET store_id = excluded.store_id,"
                     " term_offset = -1, term_incarnation = 0, saves = 0, checkpoint_offset = -1,"
                     " checkpoint_term_offset = -1, checkpoint_term_incarnation = 0, checkpoint_number = 0,"
                     " seen_offset = -1, seen_term_offset = -1, seen_term_incarnation = 0, seen_number = 0",
            err);
    if (code == PDR_OK) code = check_meta(session, admin, meta, err);
    return code == PDR_OK ? run(session, admin, "COMMIT", err) : code;
}

static pdr_code check_given(const pdr_store_meta *meta, pdr_error *err)
{
    return meta->partitions > 0
               ? PDR_OK
               : pdr_fail(err, PDR_INVALID_ARGUMENT, "a store of %d partitions", (int)meta->partitions);
}

pdr_code pdr_pg_admin_init(const pdr_pg_admin *admin, const pdr_store_meta *meta, int timeout_ms,
                           pdr_error *err)
{
    pdr_pg_session session = {0};
    pdr_code code = check_given(meta, err);
    if (code == PDR_OK) code = open_checked(&session, admin, timeout_ms, err);
    if (code == PDR_OK) code = init_in(&session, admin, meta, err);
    pdr_pg_session_close(&session);
    return code;
}

pdr_code pdr_pg_admin_meta(const pdr_pg_admin *admin, pdr_store_meta *out, int timeout_ms, pdr_error *err)
{
    pdr_pg_session session = {0};
    pdr_code code = open_checked(&session, admin, timeout_ms, err);
    if (code == PDR_OK) code = pdr_pg_migrations_check(&session, admin->schema, err);
    if (code == PDR_OK) code = read_meta(&session, admin, out, err);
    pdr_pg_session_close(&session);
    return code;
}

pdr_code pdr_pg_admin_reset(const pdr_pg_admin *admin, const pdr_store_meta *meta, int timeout_ms,
                            pdr_error *err)
{
    pdr_pg_session session = {0};
    pdr_code code = check_given(meta, err);
    if (code == PDR_OK) code = open_checked(&session, admin, timeout_ms, err);
    if (code == PDR_OK) code = reset_in(&session, admin, meta, err);
    pdr_pg_session_close(&session);
    return code;
}
