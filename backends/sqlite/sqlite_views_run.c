/* A batch is one transaction: positions compared and moved, rows, dead letters, requests. */
#include <time.h>

#include "backends/sqlite/sqlite_views_internal.h"

int64_t pdr_sqv_wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int pdr_sqv_bind_position(sqlite3_stmt *s, int index, pdr_position position)
{
    int rc = sqlite3_bind_int64(s, index, position.offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, index + 1, position.term.offset);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, index + 2, (int64_t)position.term.incarnation);
    return rc == SQLITE_OK ? sqlite3_bind_int64(s, index + 3, (int64_t)position.number) : rc;
}

pdr_position pdr_sqv_column_position(sqlite3_stmt *s, int index)
{
    return (pdr_position){
        .offset = sqlite3_column_int64(s, index),
        .term = {sqlite3_column_int64(s, index + 1), (uint64_t)sqlite3_column_int64(s, index + 2)},
        .number = (uint64_t)sqlite3_column_int64(s, index + 3),
    };
}

static pdr_code kept(sqlite_views *v, const char *sql, sqlite3_stmt **out, pdr_error *err)
{
    int rc = pdr_sqv_statement(v, sql, out);
    return rc == SQLITE_OK ? PDR_OK : pdr_sqv_fail(v, rc, true, v->path, err);
}

/* Run a statement to which everything was bound: `bound` is what came of that. */
static pdr_code run(sqlite_views *v, sqlite3_stmt *s, int bound, pdr_error *err)
{
    int rc = bound == SQLITE_OK ? pdr_sqlite_run(s) : bound;
    return rc == SQLITE_DONE ? PDR_OK : pdr_sqv_fail(v, rc, true, v->path, err);
}

static int bind_version(sqlite3_stmt *s, const pdr_version_spec *spec)
{
    int rc = sqlite3_bind_text(s, 1, spec->projection, -1, SQLITE_STATIC);
    return rc == SQLITE_OK ? sqlite3_bind_int64(s, 2, spec->version) : rc;
}

/* --- Positions --- */

/* Where the partition stands instead. */
static pdr_code tell_stale(sqlite_views *v, views_op *op, const pdr_position_move *move, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = kept(v,
                         "SELECT \"offset\", term_offset, term_incarnation, number, worker, "
                         "generation FROM projection_position WHERE projection = ?1 AND version = ?2 AND "
                         "partition = ?3",
                         &s, err);
    if (code != PDR_OK) return code;
    int rc = bind_version(s, &op->spec);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 3, move->partition);
    if (rc == SQLITE_OK) rc = sqlite3_step(s);
    op->partition = move->partition;
    if (rc == SQLITE_ROW) {
        op->position = pdr_sqv_column_position(s, 0);
        if ((uint64_t)sqlite3_column_int64(s, 5) != move->generation)
            code = pdr_fail(err, PDR_STALE, "version %u of projection %s was emptied or made anew meanwhile",
                            op->spec.version, op->spec.projection);
        else
            code =
                pdr_fail(err, PDR_STALE, "the position of partition %d was moved to offset %lld by worker %s",
                         (int)move->partition, (long long)op->position.offset,
                         (const char *)sqlite3_column_text(s, 4));
    } else if (rc == SQLITE_DONE) {
        code = pdr_fail(err, PDR_STALE,
                        "version %u of projection %s has no position for partition %d (any more)",
                        op->spec.version, op->spec.projection, (int)move->partition);
    } else {
        code = pdr_sqv_fail(v, rc, true, v->path, err);
    }
    sqlite3_reset(s);
    return code;
}

static pdr_code move(sqlite_views *v, views_op *op, const pdr_position_move *m, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = kept(
        v,
        "UPDATE projection_position SET \"offset\" = ?8, term_offset = ?9, term_incarnation = ?10, "
        "number = ?11, event_time_us = coalesce(?12, event_time_us), events = events + ?13, updated_us = "
        "?14, worker = ?15 WHERE projection = ?1 AND version = ?2 AND partition = ?3 AND \"offset\" = ?4 AND "
        "term_offset = ?5 AND term_incarnation = ?6 AND number = ?7 AND generation = ?16",
        &s, err);
    if (code != PDR_OK) return code;
    int rc = bind_version(s, &op->spec);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 3, m->partition);
    if (rc == SQLITE_OK) rc = pdr_sqv_bind_position(s, 4, m->from);
    if (rc == SQLITE_OK) rc = pdr_sqv_bind_position(s, 8, m->to);
    if (rc == SQLITE_OK)
        rc = m->event_time_us == INT64_MIN ? sqlite3_bind_null(s, 12)
                                           : sqlite3_bind_int64(s, 12, m->event_time_us);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 13, (int64_t)m->events);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 14, pdr_sqv_wall_us());
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(s, 15, op->worker, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 16, (int64_t)m->generation);
    code = run(v, s, rc, err);
    if (code != PDR_OK || sqlite3_changes(v->db) == 1) return code;
    return tell_stale(v, op, m, err);
}

/* --- Dead letters and requests --- */

static pdr_code park(sqlite_views *v, const views_op *op, const pdr_dead_letter *l, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = kept(v,
                         "INSERT INTO dead_letter VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                         "?13, ?14, ?15) ON CONFLICT (projection, version, partition, \"offset\") DO UPDATE "
                         "SET behind = excluded.behind, attempts = excluded.attempts, last_us = "
                         "excluded.last_us, reason = excluded.reason",
                         &s, err);
    if (code != PDR_OK) return code;
    int rc = bind_version(s, &op->spec);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 3, l->partition);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 4, l->offset);
    if (rc == SQLITE_OK) rc = pdr_sqv_bind_position(s, 5, l->before);
    if (rc == SQLITE_OK) rc = pdr_sqlite_bind_text(s, 9, l->entity);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 10, (int64_t)l->seq);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 11, l->behind);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 12, l->attempts);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 13, l->first_us);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 14, l->last_us);
    if (rc == SQLITE_OK) rc = sqlite3_bind_text(s, 15, l->reason, -1, SQLITE_STATIC);
    return run(v, s, rc, err);
}

static pdr_code unpark(sqlite_views *v, views_op *op, const pdr_dead_letter *l, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = kept(v,
                         "DELETE FROM dead_letter WHERE projection = ?1 AND version = ?2 AND partition = ?3 "
                         "AND \"offset\" = ?4",
                         &s, err);
    if (code != PDR_OK) return code;
    int rc = bind_version(s, &op->spec);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int(s, 3, l->partition);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 4, l->offset);
    code = run(v, s, rc, err);
    if (code != PDR_OK || sqlite3_changes(v->db) == 1) return code;
    op->partition = l->partition;
    return pdr_fail(err, PDR_STALE, "partition %d: the event at offset %lld isn't parked any more",
                    (int)l->partition, (long long)l->offset);
}

static pdr_code end_request(sqlite_views *v, const views_op *op, uint64_t id, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code =
        kept(v, "DELETE FROM projection_request WHERE projection = ?1 AND version = ?2 AND id = ?3", &s, err);
    if (code != PDR_OK) return code;
    int rc = bind_version(s, &op->spec);
    if (rc == SQLITE_OK) rc = sqlite3_bind_int64(s, 3, (int64_t)id);
    return run(v, s, rc, err);
}

/* --- The whole --- */

static pdr_code run_batch(sqlite_views *v, views_op *op, pdr_error *err)
{
    const pdr_view_batch *b = &op->batch;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < b->move_count; i++)
        code = move(v, op, &b->moves[i], err);
    for (size_t i = 0; code == PDR_OK && i < b->step_count; i++) {
        const pdr_view_step *step = &b->steps[i];
        code =
            step->statement ? pdr_sqv_run_statement(v, op, step, err) : pdr_sqv_write_rows(v, op, step, err);
        if (code != PDR_OK) op->step = i;
    }
    for (size_t i = 0; code == PDR_OK && i < b->unpark_count; i++)
        code = unpark(v, op, &b->unpark[i], err);
    for (size_t i = 0; code == PDR_OK && i < b->park_count; i++)
        code = park(v, op, &b->park[i], err);
    for (size_t i = 0; code == PDR_OK && i < b->request_count; i++)
        code = end_request(v, op, b->requests_done[i], err);
    return code;
}

static pdr_code plain(sqlite_views *v, const char *sql, pdr_error *err)
{
    sqlite3_stmt *s;
    pdr_code code = kept(v, sql, &s, err);
    if (code != PDR_OK) return code;
    int rc = pdr_sqlite_run(s);
    return rc == SQLITE_DONE ? PDR_OK : pdr_sqv_fail(v, rc, false, v->path, err);
}

/* Give up the open transaction, if SQLite hasn't by itself. */
static void roll_back(sqlite_views *v)
{
    if (sqlite3_get_autocommit(v->db)) return;
    pdr_code undone = plain(v, "ROLLBACK", NULL);
    (void)undone; /* the first failure is the one to tell */
}

/* A commit whose sync failed may still be found in the file after a crash. */
static pdr_code commit(sqlite_views *v, pdr_error *err)
{
    pdr_code code = plain(v, "COMMIT", err);
    if (code != PDR_IO) return code;
    return pdr_fail_context(err, PDR_UNKNOWN_OUTCOME, "the end of a batch");
}

static pdr_code carry_out(sqlite_views *v, views_op *op, pdr_error *err)
{
    pdr_code code = plain(v, op->is_fetch ? "BEGIN" : "BEGIN IMMEDIATE", err);
    if (code != PDR_OK) return code;
    code = op->is_fetch ? pdr_sqv_fetch_rows(v, op, err) : run_batch(v, op, err);
    if (code == PDR_OK) code = commit(v, err);
    if (code != PDR_OK) roll_back(v);
    return code;
}

bool pdr_sqv_carry_out(sqlite_views *v, views_op *op)
{
    pdr_error err = {0};
    if (v->statement_count > VIEWS_STATEMENTS) pdr_sqv_forget_statements(v);
    if (!op->is_fetch) pdr_sqlite_lock(&v->member);
    pdr_code code = carry_out(v, op, &err);
    if (!op->is_fetch) pdr_sqlite_unlock(&v->member);
    if (code == PDR_LOCKED) {
        op->step = SIZE_MAX;
        return false;
    }
    if (code != PDR_OK) err.code = code;
    op->error = err;
    return true;
}
