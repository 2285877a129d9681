/* A declarative projection from Kafka into PostgreSQL, exactly once, against the bare upserts of the same
 * rows in the same batches. */
#include "lines.h"

#include "viewing.h"

enum {
    ACCOUNTS = 100000,
    WINDOW = 2000, /* accounts that are at work at the same time ... */
    ADDS = 2,      /* ... each with so many events, before the next ones are */
    VISITS = 450,
    EVENTS = WINDOW * ADDS * VISITS,
    BATCH = 8000
};

static const char *const files[] = {BENCH_ACCOUNTS_SQL};
static const pdr_setting settings[] = {{"project.batch.events", "8000"}, {"project.batch.wait.ms", "1000"}};

static const bench_journal *log_of(const bench_run *run)
{
    static bench_journal j;
    if (j.log[0]) return &j;
    bench_journal_make(&j, run, false, 1);
    j.quiet = true;
    pdr_setting unsaved[] = {{"checkpointing", "false"}};
    bench_journal_open(&j, unsaved, 1);
    for (uint32_t visit = 0; visit < VISITS; visit++)
        bench_send(&j, WINDOW * ADDS, WINDOW, WINDOW, visit * WINDOW % ACCOUNTS);
    bench_journal_close(&j);
    return &j;
}

/* Both tables hold the same. */
static void compare(const bench_run *run, const bench_viewing *v)
{
    char sql[400];
    snprintf(sql, sizeof sql,
             "SELECT count(*) FROM (SELECT account, total, adds, note FROM %s.bench_accounts EXCEPT SELECT "
             "account, "
             "total, adds, note FROM %s.bare_accounts) AS d",
             v->schema, v->schema);
    if (bench_query(run, sql) != 0) bench_die("the two arms' rows differ", NULL);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s.bench_accounts", v->schema);
    if (bench_query(run, sql) != ACCOUNTS) bench_die("rows are missing", NULL);
}

static double our_arm(const bench_run *run, bench_viewing *v)
{
    const bench_journal *j = log_of(run);
    bench_settle();
    bench_viewed viewed =
        bench_viewing_run(v, j, &bench_app, files, 1, settings, sizeof settings / sizeof settings[0]);
    if (viewed.events != EVENTS) bench_die("events are missing", NULL);
    bench_note(run, "ours: %.0f events and %.0f distinct keys a batch", EVENTS / (double)viewed.batches,
               (double)viewed.rows / (double)viewed.batches);
    return EVENTS / viewed.seconds;
}

static void pair(const bench_run *run, double *ours, double *bare)
{
    bench_viewing v;
    uint64_t batches, rows;
    bench_viewing_make(&v, run);
    bench_bare_views b = {.schema = v.schema,
                          .accounts = ACCOUNTS,
                          .window = WINDOW,
                          .adds = ADDS,
                          .visits = VISITS,
                          .batch_events = BATCH,
                          .note = BENCH_NOTE};
    *ours = our_arm(run, &v);
    if (bare) {
        *bare = EVENTS / bench_bare_upserts(run, &b, &batches, &rows);
        bench_note(run, "bare: %.0f events and %.0f distinct keys a batch", EVENTS / (double)batches,
                   (double)rows / (double)batches);
        compare(run, &v);
    }
    bench_viewing_drop(&v, run);
}

void bench_project(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    pair(run, ours, bare);
}

void bench_project_rate(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    pair(run, ours, NULL);
}
