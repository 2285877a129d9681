#include "backends/postgres/statements.h"

#include <string.h>

#include "backends/postgres/binary.h"
#include "base/mem.h"

#define STAMP "store_id, term_offset, term_incarnation, saves"
#define LAST "last_offset, last_term_offset, last_term_incarnation, last_number"

static const char load_sql[] =
    "SELECT " STAMP ", checkpoint_offset, checkpoint_term_offset, checkpoint_term_incarnation,"
    " checkpoint_number, seen_offset, seen_term_offset, seen_term_incarnation, seen_number"
    " FROM @partition WHERE partition = $1";

/* A refused claim shows the row by a LOAD in the same transaction: this statement's own snapshot may be older
 * than the claim that it waited for. The list of takeovers keeps the newest thousand of a partition. */
static const char claim_sql[] =
    "WITH p AS (UPDATE @partition SET term_offset = $2, term_incarnation = $3 WHERE partition = $1"
    " AND (term_offset < $2 OR (term_offset = $2 AND term_incarnation = $3)) RETURNING partition),"
    " t AS (INSERT INTO @takeover (partition, term_offset, term_incarnation, at_us, address)"
    " SELECT partition, $2, $3, $4, $5 FROM p ON CONFLICT DO NOTHING),"
    " d AS (DELETE FROM @takeover WHERE partition IN (SELECT partition FROM p) AND term_offset <"
    " (SELECT term_offset FROM @takeover WHERE partition = $1 ORDER BY term_offset DESC OFFSET 999 LIMIT 1))"
    " SELECT count(*) FROM p";

static const char lookup_one_sql[] =
    "SELECT p.store_id, p.term_offset, p.term_incarnation, p.saves,"
    " h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number,"
    " h.timer_us, h.ids, $3, s.seq, s.bytes"
    " FROM @partition p LEFT JOIN @head h ON h.key = $2"
    " LEFT JOIN @state s ON s.key = $2 AND s.revision = $3 WHERE p.partition = $1";

/* One statement, so that stamp and heads are of one snapshot. */
static const char lookup_sql[] =
    "SELECT " STAMP ", NULL::text, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8,"
    " NULL::bytea, NULL::int8, NULL::int8, NULL::bytea FROM @partition WHERE partition = $1"
    " UNION ALL"
    " SELECT NULL, NULL, NULL, NULL,"
    " h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number,"
    " h.timer_us, h.ids, k.revision, s.seq, s.bytes"
    " FROM unnest($2, $3) AS k (key, revision) JOIN @head h ON h.key = k.key"
    " LEFT JOIN @state s ON s.key = k.key AND s.revision = k.revision";

/* A key's rows stand together, the wanted revisions in order of preference. */
static const char lookup_any_sql[] =
    "SELECT " STAMP ", NULL::text, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8,"
    " NULL::bytea, NULL::int8, NULL::int8, NULL::bytea FROM @partition WHERE partition = $1"
    " UNION ALL"
    " (SELECT DISTINCT ON (h.key) NULL::uuid, NULL::int8, NULL::int8, NULL::int8,"
    " h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number,"
    " h.timer_us, h.ids, k.revision, s.seq, s.bytes"
    " FROM unnest($2, $3) WITH ORDINALITY AS k (key, revision, rank) JOIN @head h ON h.key = k.key"
    " LEFT JOIN @state s ON s.key = k.key AND s.revision = k.revision"
    " ORDER BY h.key, s.seq DESC NULLS LAST, k.rank)";

static const char schemas_sql[] = "SELECT fingerprint, name, json, registry_id FROM @schema"
                                  " WHERE cardinality($1) = 0 OR fingerprint = ANY ($1)";

/* In the columns of a look-up; the bytes of ids and state stay where they are. */
static const char heads_sql[] =
    "SELECT NULL::uuid, NULL::int8, NULL::int8, NULL::int8,"
    " h.key, h.seq, h.last_offset, h.last_term_offset, h.last_term_incarnation, h.last_number,"
    " h.timer_us, ''::bytea, $3, s.seq, CASE WHEN s.seq IS NULL THEN NULL ELSE ''::bytea END"
    " FROM @head h LEFT JOIN @state s ON s.key = h.key AND s.revision = $3"
    " WHERE h.key > $1 ORDER BY h.key LIMIT $2";

/* The row isn't locked, so that no owner waits: the fold of a log's events stays right whatever happens to
 * the store meanwhile. */
static const char put_states_sql[] =
    "WITH p AS (SELECT partition FROM @partition WHERE partition = $1 AND store_id = $2),"
    " s AS (INSERT INTO @state AS t (key, revision, seq, bytes)"
    " SELECT n.key, n.revision, n.seq, n.bytes FROM p,"
    " unnest($3, $4, $5, $6) AS n (key, revision, seq, bytes) JOIN @head h ON h.key = n.key AND h.seq >= "
    "n.seq"
    " ON CONFLICT (key, revision) DO UPDATE SET seq = excluded.seq, bytes = excluded.bytes"
    " WHERE t.seq < excluded.seq)"
    " SELECT (SELECT count(*) FROM p), EXISTS (SELECT FROM @partition WHERE partition = $1)";

/* Everything hangs on p: its UPDATE locks the partition's row before any head is written, and after waiting
 * for another save or claim it compares the row again as that one left it. So of two saves with one stamp the
 * second finds no row, and then no head either. */
static const char save_sql[] =
    "WITH p AS (UPDATE @partition SET saves = saves + 1, checkpoint_offset = $6, checkpoint_term_offset = $7,"
    " checkpoint_term_incarnation = $8, checkpoint_number = $9,"
    " seen_offset = greatest(seen_offset, $10),"
    " seen_term_offset = CASE WHEN $10 > seen_offset THEN $11 ELSE seen_term_offset END,"
    " seen_term_incarnation = CASE WHEN $10 > seen_offset THEN $12 ELSE seen_term_incarnation END,"
    " seen_number = CASE WHEN $10 > seen_offset THEN $13 ELSE seen_number END"
    " WHERE partition = $1 AND store_id = $2 AND term_offset = $3 AND term_incarnation = $4 AND saves = $5"
    " RETURNING saves),"
    " h AS (INSERT INTO @head (key, partition, seq, " LAST ", timer_us, ids)"
    " SELECT n.key, $1, n.seq, n.a, n.b, n.c, n.d, n.timer_us, n.ids FROM p,"
    " unnest($14, $15, $16, $17, $18, $19, $20, $21) AS n (key, seq, a, b, c, d, timer_us, ids)"
    " ON CONFLICT (key) DO UPDATE SET partition = excluded.partition, seq = excluded.seq,"
    " last_offset = excluded.last_offset, last_term_offset = excluded.last_term_offset,"
    " last_term_incarnation = excluded.last_term_incarnation, last_number = excluded.last_number,"
    " timer_us = excluded.timer_us, ids = excluded.ids),"
    " s AS (INSERT INTO @state (key, revision, seq, bytes)"
    " SELECT n.key, n.revision, n.seq, n.bytes FROM p,"
    " unnest($22, $23, $24, $25) AS n (key, revision, seq, bytes)"
    " ON CONFLICT (key, revision) DO UPDATE SET seq = excluded.seq, bytes = excluded.bytes),"
    " c AS (INSERT INTO @schema AS t (fingerprint, name, json, registry_id)"
    " SELECT DISTINCT ON (n.fingerprint) n.fingerprint, n.name, n.json, n.registry_id FROM p,"
    " unnest($26, $27, $28, $29) AS n (fingerprint, name, json, registry_id)"
    " ORDER BY n.fingerprint, n.registry_id"
    " ON CONFLICT (fingerprint) DO UPDATE SET registry_id = excluded.registry_id"
    " WHERE t.registry_id IS NULL AND excluded.registry_id IS NOT NULL)"
    " SELECT (SELECT saves FROM p), EXISTS (SELECT FROM @partition WHERE partition = $1)";

#define T4 PDR_PG_INT4
#define T8 PDR_PG_INT8
#define A8 PDR_PG_INT8_ARRAY
#define AT PDR_PG_TEXT_ARRAY
#define AB PDR_PG_BYTEA_ARRAY

const pdr_pg_statement_info pdr_pg_statements[PDR_PG_STATEMENTS] = {
    [PDR_PG_LOAD] = {"pdr_load", load_sql, 1, {T4}},
    [PDR_PG_CLAIM] = {"pdr_claim", claim_sql, 5, {T4, T8, T8, T8, PDR_PG_TEXT}},
    [PDR_PG_LOOKUP_ONE] = {"pdr_lookup_one", lookup_one_sql, 3, {T4, PDR_PG_TEXT, T8}},
    [PDR_PG_LOOKUP] = {"pdr_lookup", lookup_sql, 3, {T4, AT, A8}},
    [PDR_PG_LOOKUP_ANY] = {"pdr_lookup_any", lookup_any_sql, 3, {T4, AT, A8}},
    [PDR_PG_SCHEMAS] = {"pdr_schemas", schemas_sql, 1, {A8}},
    [PDR_PG_HEADS] = {"pdr_heads", heads_sql, 3, {PDR_PG_TEXT, T8, T8}},
    [PDR_PG_PUT_STATES] = {"pdr_put_states", put_states_sql, 6, {T4, PDR_PG_UUID, AT, A8, A8, AB}},
    [PDR_PG_SAVE] = {"pdr_save", save_sql, 29, {T4, PDR_PG_UUID, T8, T8, T8, T8, T8, T8, T8, T8,
                                                T8, T8,          T8, AT, A8, A8, A8, A8, A8, A8,
                                                AB, AT,          A8, A8, AB, A8, AT, AT, A8}},
};

/* Each look-up and save goes by the primary keys however small or unanalysed the tables are just now: a plan
 * made for an empty table must not scan a full one later. Saves that are told to be done shall survive a
 * crash of the server; losing one would do no harm but a recovery. */
const char pdr_pg_setup_sql[] =
    "SELECT set_config('search_path', 'pg_catalog', false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false),"
    " set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false),"
    " set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),"
    " set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),"
    " CASE WHEN current_setting('synchronous_commit') = 'off'"
    " THEN set_config('synchronous_commit', 'on', false) END";

pdr_code pdr_pg_quote_schema(char **out, const char *schema, pdr_error *err)
{
    size_t length = strlen(schema);
    if (length == 0 || length > 63)
        return pdr_fail(err, PDR_BAD_SETTING, "a schema's name has 1 to 63 bytes, not %zu", length);
    if (strncmp(schema, "pg_", 3) == 0)
        return pdr_fail(err, PDR_BAD_SETTING, "schema %s: names with pg_ are PostgreSQL's own", schema);
    char *quoted = pdr_alloc(2 * length + 3);
    if (!quoted) return pdr_fail(err, PDR_NOMEM, "out of memory");
    char *at = quoted;
    *at++ = '"';
    for (; *schema; schema++) {
        if (*schema == '"') *at++ = '"';
        *at++ = *schema;
    }
    *at++ = '"';
    *at = '\0';
    *out = quoted;
    return PDR_OK;
}

char *pdr_pg_expand(const char *sql, const char *quoted_schema)
{
    size_t places = 0, length = strlen(quoted_schema);
    for (const char *c = sql; *c; c++)
        places += *c == '@';
    char *out = pdr_alloc(strlen(sql) + places * length + 1);
    if (!out) return NULL;
    char *at = out;
    for (; *sql; sql++) {
        if (*sql != '@') {
            *at++ = *sql;
            continue;
        }
        memcpy(at, quoted_schema, length);
        at += length;
        *at++ = '.';
    }
    *at = '\0';
    return out;
}
