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
static const char dump_sql[] =
    "SELECT h.partition, NULL::int8, NULL::int8, NULL::int8,"
    " h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number,"
    " h.timer_us, h.ids, s.revision, s.seq, s.bytes"
    " FROM @head h LEFT JOIN @state s ON s.key = h.key"
    " ORDER BY h.key, s.revision # (-9223372036854775807 - 1)";

static pdr_code tell(const PGresult *result, pdr_store_dump_row row, void *context, pdr_error *err)
{
    pdr_head head;
    pdr_code code = pdr_pg_head_from_row(&head, result, 0, err);
    if (code != PDR_OK) return code;
    if (PQgetlength(result, 0, 0) != 4)
        return pdr_fail(err, PDR_CORRUPT, "PostgreSQL: table head's columns aren't of the store's types");
    return row(context, pdr_pg_get32(PQgetvalue(result, 0, 0)), &head, err);
}

static pdr_code stream(pdr_pg_session *session, const char *schema, pdr_store_dump_row row, void *context,
                       pdr_error *err)
{
    char *sql = pdr_pg_expand(dump_sql, schema);
    if (!sql) return pdr_fail(err, PDR_NOMEM, "out of memory");
    pdr_code code = pdr_pg_session_stream(session, sql, err);
    pdr_free(sql);
    while (code == PDR_OK) {
        PGresult *result = NULL;
        code = pdr_pg_session_next(session, &result, err);
        if (!result) return code;
        code = tell(result, row, context, err);
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
