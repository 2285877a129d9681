/* From sending a command until its row is visible to another connection, at 1,000 commands a second. */
#include "lines.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "viewing.h"

enum { RATE = 1000, SECONDS = 10, COMMANDS = RATE * SECONDS, ACCOUNTS = 500, LEAST = 300 };

static const char *const files[] = {BENCH_ACCOUNTS_SQL};

typedef struct watching {
    const bench_run *run;
    const char *schema;
    double sent_at[COMMANDS];
    _Atomic int sent; /* commands whose time is there */
    _Atomic bool over;
    double taken[COMMANDS]; /* milliseconds */
    size_t count;
} watching;

static void pause_us(long us)
{
    struct timespec t = {0, us * 1000};
    nanosleep(&t, NULL);
}

static bool is_visible(PGconn *c, int command)
{
    char account[16], adds[16];
    const char *values[2] = {account, adds};
    snprintf(account, sizeof account, "%d", command % ACCOUNTS);
    snprintf(adds, sizeof adds, "%d", command / ACCOUNTS + 1);
    PGresult *r = PQexecPrepared(c, "look", 2, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_TUPLES_OK) bench_die(PQerrorMessage(c), NULL);
    bool visible = PQntuples(r) == 1;
    PQclear(r);
    return visible;
}

/* One command after another: the newest that was sent, until its row is there. */
static void *watch(void *context)
{
    watching *w = context;
    char sql[200];
    PGconn *c = PQconnectdb(w->run->postgres);
    snprintf(sql, sizeof sql,
             "SELECT 1 FROM %s.bench_accounts WHERE account = $1::text AND adds >= $2::bigint", w->schema);
    PGresult *r = PQprepare(c, "look", sql, 2, NULL);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) bench_die(PQerrorMessage(c), NULL);
    PQclear(r);
    for (int newest = 0, seen = 0; !w->over;) {
        newest = w->sent;
        if (newest == seen) {
            pause_us(100);
            continue;
        }
        seen = newest;
        while (!w->over && !is_visible(c, newest - 1))
            pause_us(300);
        if (!w->over && newest > RATE) /* the first second warms up */
            w->taken[w->count++] = (bench_now() - w->sent_at[newest - 1]) * 1e3;
    }
    PQfinish(c);
    return NULL;
}

static void on_reply(void *context, const pdr_reply *reply)
{
    uint64_t *done = context;
    if (reply->code != PDR_OK) bench_die("a command failed", reply->error);
    (*done)++;
}

static void send_one(const bench_journal *j, watching *w, int i, uint64_t *done)
{
    char entity[24];
    pdr_error err;
    bench_add add = {.amount = 7, .note = pdr_string_of(BENCH_NOTE)};
    snprintf(entity, sizeof entity, "acct/%d", i % ACCOUNTS);
    pdr_request_spec spec = {.entity = pdr_string_of(entity), .type = &bench_add_type, .command = &add};
    void *contexts[1] = {done};
    size_t taken;
    w->sent_at[i] = bench_now();
    bench_must(pdr_send_batch(j->journal, &spec, 1, on_reply, contexts, &taken, &err), &err, "send");
    w->sent = i + 1;
}

static void send_all(const bench_journal *j, watching *w)
{
    uint64_t done = 0;
    double start = bench_now();
    for (int i = 0; done < COMMANDS;) {
        while (i < COMMANDS && bench_now() >= start + (double)i / RATE)
            send_one(j, w, i++, &done);
        pdr_poll(j->journal, 0);
        pause_us(100);
    }
    pause_us(500000);
    w->over = true;
}

static void measure(const bench_run *run, double *p50, double *p99)
{
    static watching w;
    bench_viewing v;
    bench_journal j;
    pthread_t watcher;
    memset(&w, 0, sizeof w);
    bench_journal_make(&j, run, false, 8);
    bench_journal_open(&j, NULL, 0);
    bench_viewing_make(&v, run);
    bench_viewing_open(&v, &j, &bench_app, files, 1, NULL, 0);
    w.run = run;
    w.schema = v.schema;
    bench_settle();
    if (pthread_create(&watcher, NULL, watch, &w)) bench_die("no thread", NULL);
    send_all(&j, &w);
    pthread_join(watcher, NULL);
    if (w.count < LEAST) bench_die("hardly a row was seen", NULL);
    *p50 = bench_percentile(w.taken, w.count, 0.5);
    *p99 = bench_percentile(w.taken, w.count, 0.99);
    bench_note(run, "%zu rows seen: p50 %.2f ms, p99 %.2f ms, most %.2f ms", w.count, *p50, *p99,
               w.taken[w.count - 1]);
    bench_viewing_drop(&v, run);
    bench_journal_drop(&j, run);
}

void bench_project_p50(const bench_run *run, int round, double *ours, double *bare)
{
    double p99;
    (void)round;
    (void)bare;
    measure(run, ours, &p99);
}

void bench_project_p99(const bench_run *run, int round, double *ours, double *bare)
{
    double p50;
    (void)round;
    (void)bare;
    measure(run, &p50, ours);
}
