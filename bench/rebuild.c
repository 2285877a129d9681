/* The loans example's three views from its log in Kafka, all at once; and memory over a long log. */
#include "lines.h"

#include <time.h>

#include "loan.h"
#include "run_program.h"
#include "viewing.h"

enum { ROWS = 262200, LONG = 5000000, EARLY = 1000000, ACCOUNTS = 100000, OUTPUT = 1 << 20 };

static const char *const views[] = {BENCH_LOANS_VIEWS "/applications.sql",
                                    BENCH_LOANS_VIEWS "/work_items.sql", BENCH_LOANS_VIEWS "/workload.sql"};
static const char *const accounts[] = {BENCH_ACCOUNTS_SQL};

static const bench_journal *loans(const bench_run *run)
{
    static bench_journal j;
    static char out[OUTPUT];
    if (j.log[0]) return &j;
    bench_journal_make(&j, run, false, 8);
    char *words[] = {(char *)BENCH_LOANS_LOAD, (char *)"--journal", j.log, (char *)"--store", j.store, NULL};
    bench_run_program(words, false, out, sizeof out);
    return &j;
}

void bench_project_rebuild(const bench_run *run, int round, double *ours, double *bare)
{
    bench_viewing v;
    (void)round;
    (void)bare;
    const bench_journal *j = loans(run);
    bench_viewing_make(&v, run);
    bench_settle();
    bench_viewed viewed = bench_viewing_run(&v, j, &pdr_application, views, 3, NULL, 0);
    if (viewed.events != 3 * ROWS) bench_die("events are missing", NULL);
    bench_note(run, "three views of %d events each: %.0f events/s", ROWS, 3 * ROWS / viewed.seconds);
    *ours = viewed.seconds;
    bench_viewing_drop(&v, run);
}

static double resident_mib(void)
{
    unsigned long long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%llu %llu", &size, &resident) != 2) bench_die("no /proc/self/statm", NULL);
    fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

static uint64_t projected(const bench_viewing *v)
{
    pdr_worker_status status;
    const struct timespec pause = {0, 20 * 1000 * 1000};
    nanosleep(&pause, NULL);
    if (pdr_worker_status_get(v->worker, &status, 1) != 1) bench_die("no projection", NULL);
    if (strcmp(status.state, "stopped") == 0) bench_die("stopped", &status.error);
    return status.events;
}

/* MiB that a worker has more after 5,000,000 events than after 1,000,000, at most, at any moment. */
void bench_project_memory(const bench_run *run, int round, double *ours, double *bare)
{
    static double grown = -1;
    bench_viewing v;
    bench_journal j;
    (void)round;
    (void)bare;
    if (grown >= 0) { /* long, and hardly differs */
        *ours = grown;
        return;
    }
    pdr_setting unsaved[] = {{"checkpointing", "false"}};
    bench_journal_make(&j, run, false, 8);
    bench_journal_open(&j, unsaved, 1);
    j.quiet = true;
    bench_send(&j, LONG, ACCOUNTS, 20000, 0);
    bench_journal_close(&j);
    bench_viewing_make(&v, run);
    bench_viewing_open(&v, &j, &bench_app, accounts, 1, NULL, 0);
    double early = 0, most = 0;
    for (uint64_t events = 0; events < LONG;) {
        events = projected(&v);
        double now = resident_mib();
        if (events < EARLY)
            early = now > early ? now : early;
        else
            most = now > most ? now : most;
    }
    grown = most > early ? most - early : 0;
    bench_note(run, "%.1f MiB at most before %d events, %.1f MiB after", early, EARLY, most);
    *ours = grown;
    bench_viewing_drop(&v, run);
    bench_journal_drop(&j, run);
}
