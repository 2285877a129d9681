#include "journals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"

static int made;

pdr_options bench_journal_options(const bench_journal *j)
{
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = j->log;
    options.store = j->store;
    options.app = &bench_app;
    return options;
}

void bench_journal_make(bench_journal *j, const bench_run *run, bool sqlite, int32_t partitions)
{
    pdr_error err;
    memset(j, 0, sizeof *j);
    j->partitions = partitions;
    j->batch = 256; /* as many as the bare producer sends between two polls */
    snprintf(j->topic, sizeof j->topic, "bench-%d-%d.events", (int)getpid(), ++made);
    if (sqlite) {
        const char *tmp = getenv("TMPDIR");
        snprintf(j->log, sizeof j->log, "sqlite:%.100s/perdure-bench-%d-%d.db", tmp ? tmp : "/tmp",
                 (int)getpid(), made);
        snprintf(j->store, sizeof j->store, "%s", j->log);
    } else {
        snprintf(j->log, sizeof j->log, "kafka://%.100s/bench-%d-%d", run->kafka, (int)getpid(), made);
        snprintf(j->store, sizeof j->store, "%.200s%sschema=bench_%d_%d", run->postgres,
                 strchr(run->postgres, '?') ? "&" : "?", (int)getpid(), made);
    }
    pdr_options options = bench_journal_options(j);
    bench_must(pdr_journal_init(&options, partitions, &err), &err, "init");
}

void bench_journal_open(bench_journal *j, const pdr_setting *settings, size_t count)
{
    pdr_error err;
    pdr_options options = bench_journal_options(j);
    options.settings = settings;
    options.setting_count = count;
    bench_must(pdr_journal_open(&j->journal, &options, &err), &err, "open");
    bench_must(pdr_journal_wait(j->journal, 60000, &err), &err, "wait");
}

void bench_journal_close(bench_journal *j)
{
    pdr_journal_close(j->journal);
    j->journal = NULL;
}

void bench_journal_drop(bench_journal *j, const bench_run *run)
{
    bench_journal_close(j);
    if (strncmp(j->log, "sqlite:", 7) == 0) {
        char path[320];
        const char *const tails[] = {"", "-wal", "-shm"};
        for (size_t i = 0; i < 3; i++) {
            snprintf(path, sizeof path, "%s%s", j->log + 7, tails[i]);
            unlink(path);
        }
        return;
    }
    bare_kafka_delete(run->kafka, j->topic);
    char statement[200];
    const char *schema = strstr(j->store, "schema=") + 7;
    snprintf(statement, sizeof statement, "DROP SCHEMA IF EXISTS %s CASCADE", schema);
    bare_postgres_run(run->postgres, statement);
}

typedef struct counts {
    uint64_t open, done;
} counts;

static void on_reply(void *context, const pdr_reply *reply)
{
    counts *c = context;
    if (reply->code != PDR_OK) bench_die("a command failed", reply->error);
    c->open--;
    c->done++;
}

enum { LARGEST_BATCH = 1000 };

/* Prepared once: the arms measure the journal, not snprintf. */
static char (*make_names(uint32_t entities))[16]
{
    char(*names)[16] = malloc(entities * sizeof *names);
    if (!names) bench_die("out of memory", NULL);
    for (uint32_t i = 0; i < entities; i++)
        snprintf(names[i], sizeof *names, "acct/%u", i);
    return names;
}

double bench_send(bench_journal *j, uint64_t count, uint32_t entities, uint32_t window, uint32_t first)
{
    pdr_error err;
    counts c = {0, 0};
    char(*names)[16] = make_names(entities + first);
    bench_add add = {.amount = 7, .note = pdr_string_of(BENCH_NOTE)};
    pdr_request_spec specs[LARGEST_BATCH];
    void *contexts[LARGEST_BATCH];
    uint64_t sent = 0;
    uint32_t next = first;
    memset(specs, 0, sizeof specs);
    for (size_t i = 0; i < LARGEST_BATCH; i++) {
        specs[i].type = &bench_add_type;
        specs[i].command = &add;
        contexts[i] = &c;
    }
    double start = bench_now(), cpu = bench_cpu();
    while (c.done < count) {
        if (sent < count && c.open < window) {
            size_t n = j->batch, taken = 0;
            if (n > count - sent) n = (size_t)(count - sent);
            if (n > window - c.open) n = (size_t)(window - c.open);
            for (size_t i = 0; i < n; i++) {
                specs[i].entity = pdr_string_of(names[next]);
                if (++next == entities + first) next = first;
            }
            pdr_code code = pdr_send_batch(j->journal, specs, n, on_reply, contexts, &taken, &err);
            sent += taken;
            c.open += taken;
            if (code == PDR_BUSY) {
                next = next >= first + (uint32_t)(n - taken) ? next - (uint32_t)(n - taken)
                                                             : next + entities - (uint32_t)(n - taken);
            } else {
                bench_must(code, &err, "send");
            }
        }
        pdr_poll(j->journal, c.open >= window || sent == count ? 100 : 0);
    }
    double seconds = bench_now() - start;
    if (!j->quiet)
        fprintf(stderr, "  ours: %.2f us of CPU a command\n", (bench_cpu() - cpu) * 1e6 / (double)count);
    free(names);
    return (double)count / seconds;
}
