/* Swap: another version becomes the one that readers' views show. One transaction; it locks the positions of
 * both versions, so that neither moves meanwhile. */
#include <stdio.h>

#include "backends/postgres/binary.h"
#include "backends/postgres/views_admin.h"

enum { CONNECT_MS = 5000 };

/* Rows: partition, offset of the live version (NULL: there is none), offset of the other. */
static PGresult *lock_positions(pdr_pgv_work *w, const char *projection, uint32_t version, int lock_ms)
{
    const char *schema = w->v->names.schema;
    pdr_pgv_add(w, "SET lock_timeout = %d", lock_ms > 0 ? lock_ms : 1);
    pdr_pgv_run(w);
    pdr_pgv_begin_change(w);
    pdr_pgv_lock_positions(w, projection);
    pdr_pgv_add(
        w, "SELECT n.partition, l.\"offset\", n.\"offset\" FROM (SELECT * FROM %s.projection_position WHERE ",
        schema);
    pdr_pgv_add_version(w, projection, version);
    pdr_pgv_add(w,
                ") n LEFT JOIN (%s.projection_position l JOIN %s.projection_version v ON v.projection ="
                " l.projection AND v.version = l.version AND v.state = 1) ON l.projection = n.projection"
                " AND l.partition = n.partition ORDER BY 1",
                schema, schema);
    return pdr_pgv_query(w);
}

static void check_positions(pdr_pgv_work *w, PGresult *rows, const char *projection, uint32_t version)
{
    if (w->code != PDR_OK) return;
    if (PQntuples(rows) == 0) {
        w->code = pdr_fail(w->err, PDR_NOT_FOUND, "projection %s has no version %u", projection, version);
        return;
    }
    for (int i = 0; i < PQntuples(rows); i++) {
        if (PQgetisnull(rows, i, 1)) continue;
        int64_t live = pdr_pg_get64(PQgetvalue(rows, i, 1)), other = pdr_pg_get64(PQgetvalue(rows, i, 2));
        if (other >= live) continue;
        w->code = pdr_fail(
            w->err, PDR_CONFLICT,
            "version %u is behind the live one in partition %d: at offset %lld, not %lld; let it catch up",
            version, (int)pdr_pg_get32(PQgetvalue(rows, i, 0)), (long long)other, (long long)live);
        return;
    }
}

static void check_parked(pdr_pgv_work *w, const char *projection, uint32_t version)
{
    pdr_pgv_add(w, "SELECT count(*), count(DISTINCT entity), min(entity) FROM %s.dead_letter WHERE ",
                w->v->names.schema);
    pdr_pgv_add_version(w, projection, version);
    PGresult *rows = pdr_pgv_query(w);
    if (w->code == PDR_OK && pdr_pg_get64(PQgetvalue(rows, 0, 0)) > 0)
        w->code = pdr_fail(
            w->err, PDR_CONFLICT,
            "version %u has %lld parked events of %lld entities, the first of %s: see `perdure dlq list "
            "%s`, or give --force",
            version, (long long)pdr_pg_get64(PQgetvalue(rows, 0, 0)),
            (long long)pdr_pg_get64(PQgetvalue(rows, 0, 1)), PQgetvalue(rows, 0, 2), projection);
    PQclear(rows);
}

static void check_fault(pdr_pgv_work *w, const char *projection, uint32_t version)
{
    pdr_pgv_add(w, "SELECT fault FROM %s.projection_version WHERE ", w->v->names.schema);
    pdr_pgv_add_version(w, projection, version);
    PGresult *rows = pdr_pgv_query(w);
    if (w->code == PDR_OK && PQntuples(rows) > 0 && *PQgetvalue(rows, 0, 0))
        w->code =
            pdr_fail(w->err, PDR_CONFLICT, "version %u has stopped: %s", version, PQgetvalue(rows, 0, 0));
    PQclear(rows);
}

static PGresult *tables_of(pdr_pgv_work *w, const char *projection, const char *which)
{
    pdr_pgv_add(w,
                "SELECT unnest(tables) FROM %s.projection_version WHERE projection = ", w->v->names.schema);
    pdr_pgv_add_text(w, projection, strlen(projection));
    pdr_pgv_add(w, " AND %s ORDER BY 1", which);
    return pdr_pgv_query(w);
}

static bool is_among(const PGresult *rows, const char *table)
{
    for (int i = 0; i < PQntuples(rows); i++)
        if (strcmp(PQgetvalue(rows, i, 0), table) == 0) return true;
    return false;
}

static void replace_views(pdr_pgv_work *w, const char *projection, uint32_t version, const PGresult *old,
                          const PGresult *new)
{
    const char *schema = w->v->names.schema;
    pdr_pgv_add(w,
                "UPDATE %s.projection_version SET state = 2, changed = clock_timestamp() WHERE state = 1 AND "
                "projection"
                " = ",
                schema);
    pdr_pgv_add_text(w, projection, strlen(projection));
    pdr_pgv_add(w, ";\nUPDATE %s.projection_version SET state = 1, changed = clock_timestamp() WHERE ",
                schema);
    pdr_pgv_add_version(w, projection, version);
    pdr_pgv_add(w, ";\n");
    for (int i = 0; i < PQntuples(new); i++) {
        pdr_pgv_add(w, "SELECT %s.show_version(", schema);
        pdr_pgv_add_text(w, w->v->view_schema_name, strlen(w->v->view_schema_name));
        pdr_pgv_add(w, ", '%s', %u);\n", PQgetvalue(new, i, 0), version);
    }
    for (int i = 0; i < PQntuples(old); i++)
        if (!is_among(new, PQgetvalue(old, i, 0)))
            pdr_pgv_add(w, "DROP VIEW IF EXISTS %s.\"%s\";\n", w->v->names.view_schema,
                        PQgetvalue(old, i, 0));
    pdr_pgv_add(w, "COMMIT");
    pdr_pgv_run(w);
}

pdr_code pdr_pgv_swap(pdr_views *views, const char *projection, uint32_t version, bool force, int lock_ms,
                      pdr_error *err)
{
    char this_one[32];
    pdr_pgv_work w;
    if (pdr_pgv_begin(&w, views, lock_ms + CONNECT_MS, err) != PDR_OK) return pdr_pgv_end(&w);
    snprintf(this_one, sizeof this_one, "version = %u", version);
    PGresult *rows = lock_positions(&w, projection, version, lock_ms);
    check_positions(&w, rows, projection, version);
    PQclear(rows);
    if (!force) check_parked(&w, projection, version);
    if (!force) check_fault(&w, projection, version);
    PGresult *old = tables_of(&w, projection, "state = 1"), *new = tables_of(&w, projection, this_one);
    if (w.code == PDR_OK) replace_views(&w, projection, version, old, new);
    PQclear(old);
    PQclear(new);
    return pdr_pgv_end(&w);
}
