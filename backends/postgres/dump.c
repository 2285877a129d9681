#include "backends/postgres/admin.h"
#include "backends/postgres/answer.h"
#include "backends/postgres/binary.h"
#include "backends/postgres/migrate.h"
#include "backends/postgres/session.h"
#include "backends/postgres/statements.h"
#include "base/mem.h"

enum { SILENCE_MS = 60000 }; /* how long the server may be silent */

/* One snapshot, in the order of the primary keys, so that rows come from the start and nothing is sorted but
 * one entity's states. Revisions are unsigned: the highest bit turned makes bigint's order theirs. The first
 * column, a look-up's store id, is the partition here. */
#define DUMPED(where)                                                                                        \
    "SELECT h.partition, NULL::int8, NULL::int8, NULL::int8,"                                                \
    " h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number,"              \
    " h.timer_us, h.ids, s.revision, s.seq, s.bytes"                                                         \
    " FROM @head h LEFT JOIN @state s ON s.key = h.key" where                                                \
    " ORDER BY h.key, s.revision # (-9223372036854775807 - 1)"

static pdr_code tell(const PGresult *result, int at, pdr_store_dump_row row, void *context, pdr_error *err)
{
    pdr_head head;
    pdr_code code = pdr_pg_head_from_row(&head, result, at, err);
    if (code != PDR_OK) return code;
    if (PQgetlength(result, at, 0) != 4)
        return pdr_fail(err, PDR_CORRUPT, "PostgreSQL: table head's columns aren't of the store's types");
    return row(context, pdr_pg_get32(PQgetvalue(result, at, 0)), &head, err);
}

static pdr_code stream(pdr_pg_session *session, const char *schema, pdr_store_dump_row row, void *context,
                       pdr_error *err)
{
    char *sql = pdr_pg_expand(DUMPED(""), schema);
    if (!sql) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_pg_session_stream(session, sql, err);
    pdr_free(sql);
    while (code == PDR_OK) {
        PGresult *result = NULL;
        code = pdr_pg_session_next(session, &result, err);
        if (!result) return code;
        code = tell(result, 0, row, context, err);
        PQclear(result);
    }
    return code;
}

pdr_code pdr_pg_admin_dump(const pdr_pg_admin *admin, pdr_store_dump_row row, void *context, pdr_error *err)
{
    pdr_pg_session session = {0};
    pdr_code code = pdr_pg_session_open(&session, admin->url, SILENCE_MS, err);
    if (code == PDR_OK) code = pdr_pg_migrations_check(&session, admin->schema, err);
    if (code == PDR_OK)
        code = pdr_pg_session_run(
            &session,
            "SET statement_timeout = 0; SET enable_hashjoin = off; SET enable_seqscan = off;"
            " SET enable_bitmapscan = off; SET enable_sort = off",
            err);
    if (code == PDR_OK) code = stream(&session, admin->schema, row, context, err);
    pdr_pg_session_close(&session);
    return code;
}

/* --- one entity --- */

static pdr_code query(pdr_pg_session *session, PGresult **out, const char *schema, const char *sql,
                      const pdr_pg_param *params, int count, pdr_error *err)
{
    *out = NULL;
    char *expanded = pdr_pg_expand(sql, schema);
    if (!expanded) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_pg_session_query(session, out, expanded, params, count, err);
    pdr_free(expanded);
    return code;
}

pdr_code pdr_pg_admin_dump_one(const pdr_pg_admin *admin, pdr_bytes key, pdr_store_dump_row row,
                               void *context, int timeout_ms, pdr_error *err)
{
    pdr_pg_session session = {0};
    PGresult *result = NULL;
    pdr_pg_param param = {PDR_PG_TEXT, key};
    pdr_code code = pdr_pg_session_open(&session, admin->url, timeout_ms, err);
    if (code == PDR_OK) code = pdr_pg_migrations_check(&session, admin->schema, err);
    if (code == PDR_OK)
        code = query(&session, &result, admin->schema, DUMPED(" WHERE h.key = $1"), &param, 1, err);
    for (int i = 0; code == PDR_OK && i < PQntuples(result); i++)
        code = tell(result, i, row, context, err);
    PQclear(result);
    pdr_pg_session_close(&session);
    return code;
}

/* --- dropping states --- */

/* Rows that a save has locked are passed over, and what is deleted is locked in one go: neither waits for the
 * other while it holds something. */
static const char drop_sql[] =
    "WITH gone AS (DELETE FROM @state WHERE (key, revision) IN (SELECT key, revision FROM @state"
    " WHERE ($1 = '' OR key = $1) AND starts_with(key, $2) AND (revision = ANY ($3)) <> $4::int4::boolean"
    " LIMIT $5 FOR UPDATE SKIP LOCKED) RETURNING 1) SELECT count(*) FROM gone";

static pdr_code drop(pdr_pg_session *session, const char *schema, const pdr_state_filter *which, size_t limit,
                     uint64_t *dropped, pdr_error *err)
{
    uint8_t revisions[PDR_PG_ARRAY_HEAD + PDR_STORE_MAX_REVISIONS * (8 + PDR_PG_ELEMENT_HEAD)], others[4],
        most[8], *at = revisions, *others_at = others, *most_at = most;
    pdr_pg_put_array(&at, PDR_PG_INT8, which->revision_count, false);
    for (size_t i = 0; i < which->revision_count; i++)
        pdr_pg_put64_element(&at, (int64_t)which->revisions[i]);
    pdr_pg_put32(&others_at, which->others);
    pdr_pg_put64(&most_at, limit > INT32_MAX ? INT32_MAX : (int64_t)limit);
    const pdr_pg_param params[] = {
        {PDR_PG_TEXT, which->key.size ? which->key : pdr_bytes_of("", 0)},
        {PDR_PG_TEXT, which->prefix.size ? which->prefix : pdr_bytes_of("", 0)},
        {PDR_PG_INT8_ARRAY, pdr_bytes_of(revisions, (size_t)(at - revisions))},
        {PDR_PG_INT4, pdr_bytes_of(others, sizeof others)},
        {PDR_PG_INT8, pdr_bytes_of(most, sizeof most)},
    };
    PGresult *result = NULL;
    pdr_code code = query(session, &result, schema, drop_sql, params, 5, err);
    if (code == PDR_OK) *dropped = (uint64_t)pdr_pg_get64(PQgetvalue(result, 0, 0));
    PQclear(result);
    return code;
}

pdr_code pdr_pg_admin_drop_states(const pdr_pg_admin *admin, const pdr_state_filter *which, size_t limit,
                                  uint64_t *dropped, int timeout_ms, pdr_error *err)
{
    pdr_pg_session session = {0};
    *dropped = 0;
    if (which->revision_count > PDR_STORE_MAX_REVISIONS || limit == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "%zu revisions, at most %zu states", which->revision_count,
                        limit);
    pdr_code code = pdr_pg_session_open(&session, admin->url, timeout_ms, err);
    if (code == PDR_OK) code = pdr_pg_migrations_check(&session, admin->schema, err);
    if (code == PDR_OK) code = drop(&session, admin->schema, which, limit, dropped, err);
    pdr_pg_session_close(&session);
    return code;
}
