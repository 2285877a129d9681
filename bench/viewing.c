#include "viewing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"

enum { LIMIT_MS = 300000 };

void bench_viewing_make(bench_viewing *v, const bench_run *run)
{
    static int made;
    char sql[200];
    memset(v, 0, sizeof *v);
    snprintf(v->schema, sizeof v->schema, "bench_views_%d_%d", (int)getpid(), ++made);
    snprintf(v->views, sizeof v->views, "%.300s%sschema=%s", run->postgres,
             strchr(run->postgres, '?') ? "&" : "?", v->schema);
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s", v->schema);
    bare_postgres_run(run->postgres, sql);
}

void bench_viewing_open(bench_viewing *v, const bench_journal *j, const pdr_app *app,
                        const char *const *files, size_t file_count, const pdr_setting *settings,
                        size_t count)
{
    enum { MOST = 16 };
    pdr_setting all[MOST];
    pdr_error err;
    if (count >= MOST) bench_die("too many settings", NULL);
    if (count) memcpy(all, settings, count * sizeof *settings);
    all[count] = (pdr_setting){"project.view.schema", v->schema};
    pdr_worker_options options = PDR_WORKER_OPTIONS_INIT;
    options.journal = j->log;
    options.store = j->store;
    options.views = v->views;
    options.app = app;
    options.files = files;
    options.file_count = file_count;
    options.settings = all;
    options.setting_count = count + 1;
    bench_must(pdr_worker_open(&v->worker, &options, &err), &err, "worker");
}

bench_viewed bench_viewing_run(bench_viewing *v, const bench_journal *j, const pdr_app *app,
                               const char *const *files, size_t file_count, const pdr_setting *settings,
                               size_t count)
{
    enum { MOST = 16 };
    pdr_error err;
    pdr_worker_status status[MOST];
    bench_viewed viewed = {0};
    double start = bench_now();
    bench_viewing_open(v, j, app, files, file_count, settings, count);
    bench_must(pdr_worker_catch_up(v->worker, LIMIT_MS, &err), &err, "catch up");
    viewed.seconds = bench_now() - start;
    size_t got = pdr_worker_status_get(v->worker, status, MOST);
    for (size_t i = 0; i < got && i < MOST; i++) {
        viewed.events += status[i].events;
        viewed.batches += status[i].batches;
        viewed.rows += status[i].rows;
    }
    return viewed;
}

void bench_viewing_drop(bench_viewing *v, const bench_run *run)
{
    char sql[200];
    pdr_worker_close(v->worker);
    v->worker = NULL;
    snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", v->schema);
    bare_postgres_run(run->postgres, sql);
}
