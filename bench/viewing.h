/* A projection worker in this process, with tables in a schema of its own. */
#ifndef BENCH_VIEWING_H
#define BENCH_VIEWING_H

#include "journals.h"
#include "perdure/worker.h"

typedef struct bench_viewing {
    char schema[64];
    char views[400];
    pdr_worker *worker;
} bench_viewing;

typedef struct bench_viewed {
    double seconds; /* from nothing to the log's end */
    uint64_t events, batches, rows;
} bench_viewed;

/* A new schema, empty. */
void bench_viewing_make(bench_viewing *v, const bench_run *run);
/* Workers of these files on the journal's log. `settings` may be NULL. */
void bench_viewing_open(bench_viewing *v, const bench_journal *j, const pdr_app *app,
                        const char *const *files, size_t file_count, const pdr_setting *settings,
                        size_t count);
/* To the log's end, timed from before the workers were opened. */
bench_viewed bench_viewing_run(bench_viewing *v, const bench_journal *j, const pdr_app *app,
                               const char *const *files, size_t file_count, const pdr_setting *settings,
                               size_t count);
/* Closes, and drops the schema. */
void bench_viewing_drop(bench_viewing *v, const bench_run *run);

/* libpq with nothing around it: the rows of a log in which each of `visits` times `window` accounts get
 * `adds` events each, in the same batches, into schema.bare_accounts. Seconds. */
typedef struct bench_bare_views {
    const char *schema;
    uint32_t accounts, window, adds, visits, batch_events;
    const char *note;
} bench_bare_views;
double bench_bare_upserts(const bench_run *run, const bench_bare_views *b, uint64_t *batches, uint64_t *rows);
/* A number out of the database. */
double bench_query(const bench_run *run, const char *sql);

#endif
