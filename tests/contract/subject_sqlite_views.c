/* Views on SQLite under the views seam's contract: each place is a file of its own. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/sqlite/sqlite_views.h"
#include "tests/contract/subject_file.h"
#include "tests/contract/views_contract.h"

typedef struct place {
    pdr_subject_file file;
    sqlite3 *locker;
} place;

const char *pdr_contract_skip(void)
{
    return NULL;
}

static pdr_code create(void **out, pdr_error *err)
{
    place *p = calloc(1, sizeof *p);
    if (!p) return pdr_fail(err, PDR_NOMEM, "place");
    *out = p;
    return pdr_subject_file_make(&p->file, "views.db", err);
}

static void unlock(void *context)
{
    place *p = context;
    sqlite3_close(p->locker);
    p->locker = NULL;
}

static void destroy(void *context)
{
    place *p = context;
    unlock(p);
    pdr_subject_file_remove(&p->file);
    free(p);
}

static pdr_code open_views(void *context, pdr_views **out, pdr_error *err)
{
    return pdr_sqlite_views_open(out, ((place *)context)->file.path, err);
}

static pdr_code open_file(const place *p, sqlite3 **db, pdr_error *err)
{
    int rc = sqlite3_open(p->file.path, db);
    if (rc == SQLITE_OK) rc = sqlite3_busy_timeout(*db, 60000);
    return rc == SQLITE_OK ? PDR_OK : pdr_fail_backend(err, PDR_IO, rc, "%s", p->file.path);
}

static pdr_code run(const place *p, const char *sql, pdr_error *err)
{
    sqlite3 *db;
    pdr_code code = open_file(p, &db, err);
    if (code != PDR_OK) return code;
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        code = pdr_fail(err, PDR_IO, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    return code;
}

static pdr_code make_too_new(void *context, pdr_error *err)
{
    return run(context, "UPDATE projection_meta SET format = 3", err);
}

static pdr_code read_view(void *context, const char *view, size_t *rows, char *columns, size_t size,
                          pdr_error *err)
{
    char sql[200];
    size_t used = 0;
    sqlite3 *db;
    sqlite3_stmt *s;
    pdr_code code = open_file(context, &db, err);
    if (code != PDR_OK) return code;
    snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"", view);
    *rows = 0;
    *columns = '\0';
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) {
        code = pdr_fail(err, PDR_NOT_FOUND, "%s", sqlite3_errmsg(db));
    } else {
        for (int i = 0; i < sqlite3_column_count(s); i++)
            used += (size_t)snprintf(columns + used, size - used, "%s%s", i ? "," : "",
                                     sqlite3_column_name(s, i));
        while (sqlite3_step(s) == SQLITE_ROW)
            ++*rows;
        sqlite3_finalize(s);
    }
    sqlite3_close(db);
    return code;
}

static pdr_code lock(void *context, pdr_error *err)
{
    place *p = context;
    pdr_code code = open_file(p, &p->locker, err);
    if (code == PDR_OK && sqlite3_exec(p->locker, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        code = pdr_fail(err, PDR_IO, "%s", sqlite3_errmsg(p->locker));
    return code;
}

static pdr_code do_damage(void *context, damage what, pdr_error *err)
{
    static const char *const statements[] = {
        [DAMAGE_DROP_COLUMN] = "DROP VIEW \"order\"; ALTER TABLE order__v1 DROP COLUMN amount",
        [DAMAGE_DROP_TABLE] = "DROP TABLE order__v1",
        [DAMAGE_RETYPE] = ("DROP VIEW IF EXISTS \"order\"; ALTER TABLE order__v1 RENAME amount TO old;"
                           "ALTER TABLE order__v1 ADD COLUMN amount text; UPDATE order__v1 SET amount = old"),
        [DAMAGE_FOREIGN_VIEW] = "CREATE VIEW \"order\" AS SELECT 1 AS one",
    };
    return run(context, statements[what], err);
}

const pdr_views_subject *pdr_views_subject_get(void)
{
    static const pdr_views_subject subject = {
        .create = create,
        .destroy = destroy,
        .open = open_views,
        .make_too_new = make_too_new,
        .read = read_view,
        .lock = lock,
        .unlock = unlock,
        .damage = do_damage,
        .has_no_minus_zero = true,
    };
    return &subject;
}
