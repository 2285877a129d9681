/* Fresh journals for the arms, and driving them. */
#ifndef BENCH_JOURNALS_H
#define BENCH_JOURNALS_H

#include "app.h"
#include "harness.h"

typedef struct bench_journal {
    char log[300], store[400], topic[100];
    int32_t partitions;
    uint32_t batch; /* commands that bench_send sends between two polls; at most 1000 */
    bool quiet;     /* bench_send says nothing */
    pdr_journal *journal;
} bench_journal;

/* A new topic and a new schema (or one SQLite file), opened and serving; `settings` may be NULL. The caller
 * drives it: no workers. */
void bench_journal_make(bench_journal *j, const bench_run *run, bool sqlite, int32_t partitions);
pdr_options bench_journal_options(const bench_journal *j);
void bench_journal_open(bench_journal *j, const pdr_setting *settings, size_t count);
void bench_journal_close(bench_journal *j);
void bench_journal_drop(bench_journal *j, const bench_run *run); /* closes, deletes topic, schema or file */

/* Send adds to `entities` entities in turn, `count` in all, at most `window` open; until every reply has
 * come. Events a second. */
double bench_send(bench_journal *j, uint64_t count, uint32_t entities, uint32_t window, uint32_t first);

#endif
