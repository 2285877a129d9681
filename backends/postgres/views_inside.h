/* Inside the views on PostgreSQL. Only views*.c include this.
 *
 *   views.c         the connection: what waits, what is under way, completions
 *   views_batch.c   a batch as statements
 *   views_upsert.c  rows as statements
 *   views_values.c  cells in binary
 *   views_sql.c     names, constants
 *   views_op.c      prepared statements
 *   views_admin.c, views_swap.c, views_list.c   versions, swap, lists: blocking */
#ifndef PDR_BACKENDS_POSTGRES_VIEWS_INSIDE_H
#define PDR_BACKENDS_POSTGRES_VIEWS_INSIDE_H

#include "backends/postgres/link.h"
#include "backends/postgres/postgres_views.h"
#include "backends/postgres/session.h"
#include "backends/postgres/views_op.h"

typedef struct pdr_pg_views {
    pdr_views base;
    char *url;
    char *view_schema_name; /* not quoted */
    pdr_pgv_names names;
    pdr_pg_link link;
    int64_t wait_us, limit_us;
    pdr_pgv_prepared_set prepared;
    pdr_pgv_op *first, **last; /* in order of submission: those sent stand before those that wait */
    size_t sent;
    uint64_t batches;      /* submitted */
    int64_t head_since_us; /* since when the first is the first of those sent */
    PGconn *idle;          /* of the last blocking operation, for the next one; NULL: none */
} pdr_pg_views;

/* Until every operation has ended: blocking ones see what was submitted before them. Completions still come
 * in poll. false: `timeout_ms` passed. */
bool pdr_pgv_settle(pdr_pg_views *v, int timeout_ms);
/* The code of the projections' world for what the server refused. */
pdr_code pdr_pgv_code_of(const PGresult *result);
pdr_code pdr_pgv_fail(pdr_error *err, const PGresult *result);
void pdr_pgv_without_advice(pdr_error *err); /* to init: tables are there */

/* views_admin.c, views_swap.c, views_list.c: the seam's blocking operations. */
pdr_code pdr_pgv_init(pdr_views *views, int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_create(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_drop(pdr_views *views, const char *projection, uint32_t version, bool live_too,
                      int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_reset(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_swap(pdr_views *views, const char *projection, uint32_t version, bool force, int lock_ms,
                      pdr_error *err);
pdr_code pdr_pgv_set_paused(pdr_views *views, const char *projection, uint32_t version, bool paused,
                            int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_set_throttle(pdr_views *views, const char *projection, uint32_t version, uint32_t per_second,
                              int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_set_fault(pdr_views *views, const char *projection, uint32_t version, const char *fault,
                           int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_versions(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                          pdr_error *err);
pdr_code pdr_pgv_positions(pdr_views *views, const char *projection, uint32_t version, pdr_position_each each,
                           void *context, pdr_error *err);
pdr_code pdr_pgv_dead_letters(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                              pdr_dead_letter_each each, void *context, pdr_error *err);
pdr_code pdr_pgv_request(pdr_views *views, const char *projection, uint32_t version,
                         const pdr_request_row *request, int timeout_ms, pdr_error *err);
pdr_code pdr_pgv_requests(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                          pdr_request_each each, void *context, pdr_error *err);
pdr_code pdr_pgv_scan(pdr_views *views, const pdr_version_spec *spec, size_t table,
                      pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err);
pdr_code pdr_pgv_verify(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);

#endif
