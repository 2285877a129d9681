/* The parts of views on SQLite. Internal to backends/sqlite.
 *
 *   sqlite_views.c        open, close, the queue, poll
 *   sqlite_views_copy.c   what an operation is given is copied
 *   sqlite_views_run.c    a batch or a fetch is carried out
 *   sqlite_views_row.c    one row read, changed, written
 *   sqlite_views_sql.c    statements: their text, and the ones that are kept prepared
 *   sqlite_views_admin.c  blocking: versions made, dropped, reset
 *   sqlite_views_swap.c   blocking: switches, swap
 *   sqlite_views_list.c   blocking: what there is */
#ifndef PDR_BACKENDS_SQLITE_VIEWS_INTERNAL_H
#define PDR_BACKENDS_SQLITE_VIEWS_INTERNAL_H

#include "backends/sqlite/sqlite_db.h"
#include "backends/sqlite/sqlite_shared.h"
#include "backends/sqlite/sqlite_views.h"
#include "backends/sqlite/sqlite_wait.h"
#include "perdure/arena.h"

enum {
    PDR_SQLITE_VIEWS_FORMAT = 2,
    VIEWS_QUEUE_OPS = 1024,
    VIEWS_QUEUE_BYTES = 1024 * 1024 * 1024,
    VIEWS_LOCKED_US = 5000000,
    VIEWS_STATEMENTS = 256, /* kept prepared */
    VIEWS_SLOTS = 64
};

typedef struct views_op {
    struct views_op *next;
    bool is_fetch, forgotten;
    pdr_view_done done;
    pdr_view_fetched fetched;
    void *context;
    uint64_t tag;
    pdr_arena arena;
    size_t size; /* bytes counted against the queue */
    pdr_version_spec spec;
    const char *worker;
    pdr_view_batch batch;
    size_t table; /* of a fetch */
    const pdr_cell *const *keys;
    size_t key_count;
    /* the outcome */
    pdr_error error; /* code PDR_OK: it went through */
    size_t step;
    int32_t partition;
    pdr_position position;
    const pdr_cell **rows;
    size_t row_count;
} views_op;

typedef struct views_statement {
    struct views_statement *next;
    uint64_t hash;
    sqlite3_stmt *statement;
    char sql[];
} views_statement;

typedef struct sqlite_views {
    pdr_views base;
    sqlite3 *db;
    char *path;
    pdr_sqlite_member member;
    pdr_sqlite_wait wait;
    views_op *first, **last; /* not carried out */
    size_t waiting, waiting_bytes;
    views_op *ended, **last_ended; /* whose completions are due */
    views_statement *statements[VIEWS_SLOTS];
    size_t statement_count;
} sqlite_views;

static inline sqlite_views *views_of(pdr_views *views)
{
    return (sqlite_views *)views;
}

/* sqlite_views.c */
/* Carry out what waits, before a blocking operation; completions come in the next poll. */
void pdr_sqv_settle(sqlite_views *v);
void pdr_sqv_op_free(views_op *op);

/* sqlite_views_copy.c: NULL: no memory. */
views_op *pdr_sqv_copy_batch(const pdr_version_spec *spec, const char *worker, const pdr_view_batch *batch);
views_op *pdr_sqv_copy_keys(const pdr_version_spec *spec, size_t table, const pdr_cell *const *keys,
                            size_t count);

/* sqlite_views_run.c: false: the file is locked, nothing was done. */
bool pdr_sqv_carry_out(sqlite_views *v, views_op *op);

/* SQL as it grows; the first failure stays. */
typedef struct views_sql {
    pdr_buf text;
    pdr_code code;
} views_sql;
#define VIEWS_SQL_INIT                                                                                       \
    {                                                                                                        \
        PDR_BUF_INIT(4 * 1024 * 1024), PDR_OK                                                                \
    }
void pdr_sqv_add(views_sql *sql, const char *format, ...) PDR_PRINTF(2, 3);
/* "applications__v2", quoted. */
void pdr_sqv_add_table(views_sql *sql, const pdr_version_spec *spec, size_t table);
/* "a", "b": columns from..to - 1, each between `before` and `after`. */
void pdr_sqv_add_columns(views_sql *sql, const pdr_table *table, size_t from, size_t to, const char *before);
void pdr_sqv_add_type(views_sql *sql, const pdr_column *column);
/* CREATE TABLE, and the column list of the view that shows it. */
void pdr_sqv_add_create(views_sql *sql, const pdr_version_spec *spec, size_t table);
void pdr_sqv_add_view(views_sql *sql, const pdr_version_spec *spec, size_t table);
/* Replaces "{name}" by the versioned table's name. `own`: what {table} stands for; SIZE_MAX: nothing. */
PDR_CHECKED pdr_code pdr_sqv_expand(views_sql *sql, const char *text, const pdr_version_spec *spec,
                                    size_t own, pdr_error *err);
/* Is it one statement that may run inside a batch? PDR_BAD_VIEW: no, or it names a table that isn't there. */
PDR_CHECKED pdr_code pdr_sqv_check_statement(const pdr_version_spec *spec, const char *text, pdr_error *err);
/* The text as a string; NULL: it failed. */
const char *pdr_sqv_text(views_sql *sql);
void pdr_sqv_sql_release(views_sql *sql);
/* Prepared, kept. SQLite's result; the statement is reset and belongs to the connection. */
int pdr_sqv_statement(sqlite_views *v, const char *sql, sqlite3_stmt **out);
void pdr_sqv_forget_statements(sqlite_views *v);
/* A result of SQLite as the views seam tells it. `preparing`: the statement could not be compiled. */
pdr_code pdr_sqv_fail(sqlite_views *v, int rc, bool preparing, const char *doing, pdr_error *err);

/* sqlite_views_row.c */
int pdr_sqv_bind(sqlite3_stmt *statement, int index, pdr_column_type type, const pdr_cell *cell);
/* Bytes are valid until the statement's next step. */
PDR_CHECKED pdr_code pdr_sqv_column(sqlite3_stmt *statement, int index, const pdr_column *column,
                                    pdr_cell *out, pdr_error *err);
/* One step's rows, inside a transaction. */
PDR_CHECKED pdr_code pdr_sqv_write_rows(sqlite_views *v, views_op *op, const pdr_view_step *step,
                                        pdr_error *err);
PDR_CHECKED pdr_code pdr_sqv_run_statement(sqlite_views *v, views_op *op, const pdr_view_step *step,
                                           pdr_error *err);
PDR_CHECKED pdr_code pdr_sqv_fetch_rows(sqlite_views *v, views_op *op, pdr_error *err);

/* Positions: four columns with a common beginning. */
int pdr_sqv_bind_position(sqlite3_stmt *statement, int index, pdr_position position);
pdr_position pdr_sqv_column_position(sqlite3_stmt *statement, int index);
int64_t pdr_sqv_wall_us(void);

/* sqlite_views_admin.c, sqlite_views_list.c */
/* A transaction of a blocking operation: what waits is carried out first. */
PDR_CHECKED pdr_code pdr_sqv_enter(sqlite_views *v, bool write, int timeout_ms, pdr_error *err);
PDR_CHECKED pdr_code pdr_sqv_leave(sqlite_views *v, pdr_code code, pdr_error *err);
/* Prepare a statement and bind projection to ?1, version to ?2 (if it has them). */
PDR_CHECKED pdr_code pdr_sqv_prepare_for(sqlite_views *v, sqlite3_stmt **out, const char *sql,
                                         const char *projection, uint32_t version, pdr_error *err);
/* Run a statement for one version; further integers are bound from ?3 on. */
PDR_CHECKED pdr_code pdr_sqv_run_for(sqlite_views *v, const char *sql, const char *projection,
                                     uint32_t version, const int64_t *numbers, int count, pdr_error *err);
/* Run the text, and empty it. */
PDR_CHECKED pdr_code pdr_sqv_exec(sqlite_views *v, views_sql *sql, pdr_error *err);
/* PDR_NOT_FOUND: there is no such version. */
PDR_CHECKED pdr_code pdr_sqv_state_of(sqlite_views *v, const char *projection, uint32_t version, int64_t *out,
                                      pdr_error *err);
/* Drop the tables, or the views, that `sql` lists: name, version. */
PDR_CHECKED pdr_code pdr_sqv_drop_listed(sqlite_views *v, const char *sql, const char *projection,
                                         uint32_t version, bool views, pdr_error *err);
pdr_code pdr_sqv_init(pdr_views *views, int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_create(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_drop(pdr_views *views, const char *projection, uint32_t version, bool live_too,
                      int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_reset(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_swap(pdr_views *views, const char *projection, uint32_t version, bool force, int lock_ms,
                      pdr_error *err);
pdr_code pdr_sqv_set_paused(pdr_views *views, const char *projection, uint32_t version, bool paused,
                            int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_set_throttle(pdr_views *views, const char *projection, uint32_t version, uint32_t per_second,
                              int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_set_fault(pdr_views *views, const char *projection, uint32_t version, const char *fault,
                           int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_versions(pdr_views *views, const char *projection, pdr_version_each each, void *context,
                          pdr_error *err);
pdr_code pdr_sqv_positions(pdr_views *views, const char *projection, uint32_t version, pdr_position_each each,
                           void *context, pdr_error *err);
pdr_code pdr_sqv_dead_letters(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                              pdr_dead_letter_each each, void *context, pdr_error *err);
pdr_code pdr_sqv_request(pdr_views *views, const char *projection, uint32_t version,
                         const pdr_request_row *request, int timeout_ms, pdr_error *err);
pdr_code pdr_sqv_requests(pdr_views *views, const char *projection, uint32_t version, int32_t partition,
                          pdr_request_each each, void *context, pdr_error *err);
pdr_code pdr_sqv_scan(pdr_views *views, const pdr_version_spec *spec, size_t table,
                      pdr_position_each positions, pdr_view_row_each each, void *context, pdr_error *err);
pdr_code pdr_sqv_verify(pdr_views *views, const pdr_version_spec *spec, int timeout_ms, pdr_error *err);

#endif
