/* Append with replies on SQLite, against prepared INSERTs of the same records in groups of the same size. */
#include "lines.h"

#include <sqlite3.h>

#include "bare.h"
#include "journals.h"

enum { GROUP = 1000, ENTITIES = 10000 };
static const uint64_t COUNT = 300000;

static double our_arm(const bench_run *run)
{
    bench_journal j;
    pdr_setting settings[] = {{"checkpointing", "false"}};
    bench_journal_make(&j, run, true, 1);
    j.batch = GROUP;
    bench_journal_open(&j, settings, 1);
    bench_send(&j, ENTITIES, ENTITIES, GROUP, 0);
    bench_settle();
    double rate = bench_send(&j, COUNT, ENTITIES, GROUP, 0);
    bench_journal_drop(&j, run);
    return rate;
}

static void run_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) bench_die(sqlite3_errmsg(db), NULL);
}

static double bare_arm(void)
{
    char path[300], key[32];
    const char *tmp = getenv("TMPDIR");
    bare_record record;
    sqlite3 *db;
    sqlite3_stmt *insert;
    bare_record_make(&record);
    snprintf(path, sizeof path, "%.200s/perdure-bare-%d.db", tmp ? tmp : "/tmp", (int)getpid());
    unlink(path);
    if (sqlite3_open(path, &db) != SQLITE_OK) bench_die(sqlite3_errmsg(db), NULL);
    run_sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                "CREATE TABLE record (offset INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, key TEXT, value "
                "BLOB, header BLOB, schema TEXT, trace TEXT)");
    sqlite3_prepare_v2(db, "INSERT INTO record (offset, time_ms, key, value, header) VALUES (?, ?, ?, ?, ?)",
                       -1, &insert, NULL);
    bench_settle();
    double start = bench_now();
    for (uint64_t i = 0; i < COUNT; i++) {
        if (i % GROUP == 0) run_sql(db, "BEGIN IMMEDIATE");
        int size = snprintf(key, sizeof key, "acct/%u", (unsigned)(i % ENTITIES));
        sqlite3_bind_int64(insert, 1, (int64_t)i);
        sqlite3_bind_int64(insert, 2, 1700000000000);
        sqlite3_bind_text(insert, 3, key, size, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 4, record.value, (int)record.value_size, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 5, record.header, (int)record.header_size, SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE) bench_die(sqlite3_errmsg(db), NULL);
        sqlite3_reset(insert);
        if (i % GROUP == GROUP - 1) run_sql(db, "COMMIT");
    }
    double seconds = bench_now() - start;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    unlink(path);
    return (double)COUNT / seconds;
}

void bench_sqlite(const bench_run *run, int round, double *ours, double *bare)
{
    if (round % 2) *bare = bare_arm();
    *ours = our_arm(run);
    if (round % 2 == 0) *bare = bare_arm();
}
