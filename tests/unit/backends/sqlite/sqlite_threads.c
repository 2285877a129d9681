/* Claim: threads of one process, each with a connection of its own, append and follow each other; no record
 * is lost, shared or out of order. A program of its own, so that the thread sanitizer can watch it. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/sqlite/sqlite_log.h"

enum { THREADS = 4, EACH = 500 };

static char folder[] = "/tmp/perdure-sqlite-XXXXXX";
static char file[64];

typedef struct worker {
    pthread_t thread;
    size_t reported, wrong;
    int64_t last;
    size_t read;
    pdr_code code;
} worker;

static void count_reports(void *context, const pdr_log_report *reports, size_t count)
{
    worker *w = context;
    for (size_t i = 0; i < count; i++) {
        if (reports[i].code != PDR_OK || reports[i].offset <= w->last) w->wrong++;
        w->last = reports[i].offset;
    }
    w->reported += count;
}

static void count_records(void *context, const pdr_log_record *records, size_t count)
{
    worker *w = context;
    if (records[0].offset != (int64_t)w->read) w->wrong++;
    w->read += count;
}

static void ignore_end(void *context, int64_t end)
{
    (void)context;
    (void)end;
}

static void count_failure(void *context, const pdr_error *error)
{
    (void)error;
    ((worker *)context)->wrong++;
}

static void turn(pdr_log *log)
{
    struct pollfd fds[4];
    int64_t due;
    if (log->ops->poll(log)) return;
    int count = log->ops->wait_on(log, fds, 4, &due);
    if (due > 50000) due = 50000;
    poll(fds, (nfds_t)count, (int)((due + 999) / 1000));
}

static void append_and_follow(worker *w, pdr_log *log)
{
    static const pdr_log_writer_events writes = {.reports = count_reports, .broken = count_failure};
    static const pdr_log_reader_events reads = {
        .records = count_records, .end = ignore_end, .failed = count_failure};
    pdr_log_writer *writer = NULL;
    pdr_log_reader *reader = NULL;
    w->code = log->ops->writer_open(log, 0, &writes, w, &writer, NULL);
    if (w->code == PDR_OK) w->code = log->ops->reader_open(log, 0, 0, &reads, w, &reader, NULL);
    pdr_log_entry entry = {.key = pdr_bytes_of("key", 3), .value = pdr_bytes_of("value", 5)};
    for (size_t sent = 0; w->code == PDR_OK && sent < EACH;) {
        for (int i = 0; i < 10 && w->code == PDR_OK; i++)
            w->code = log->ops->append(writer, &entry, sent++, NULL);
        while (w->code == PDR_OK && w->reported < sent)
            turn(log);
    }
    while (w->code == PDR_OK && w->read < THREADS * EACH && !w->wrong)
        turn(log);
    log->ops->reader_close(reader);
    log->ops->writer_close(writer);
}

static void *work(void *context)
{
    worker *w = context;
    pdr_log *log;
    w->last = -1;
    w->code = pdr_sqlite_log_open(&log, file, NULL);
    if (w->code != PDR_OK) return NULL;
    append_and_follow(w, log);
    log->ops->close(log);
    return NULL;
}

static int fails(const worker *w)
{
    if (w->code == PDR_OK && !w->wrong && w->reported == EACH && w->read == THREADS * EACH) return 0;
    fprintf(stderr, "%s: %zu wrong, %zu reported, %zu read\n", pdr_code_name(w->code), w->wrong, w->reported,
            w->read);
    return 1;
}

static void remove_file(const char *suffix)
{
    char path[80];
    snprintf(path, sizeof path, "%s%s", file, suffix);
    unlink(path);
}

int main(void)
{
    static worker workers[THREADS];
    int failed = 0;
    if (!mkdtemp(folder)) return 1;
    snprintf(file, sizeof file, "%s/x.db", folder);
    if (pdr_sqlite_log_create(file, "threads", 1, NULL) != PDR_OK) return 1;
    for (int i = 0; i < THREADS; i++)
        failed |= pthread_create(&workers[i].thread, NULL, work, &workers[i]);
    for (int i = 0; i < THREADS && !failed; i++)
        pthread_join(workers[i].thread, NULL);
    for (int i = 0; i < THREADS; i++)
        failed |= fails(&workers[i]);
    remove_file("");
    remove_file("-wal");
    remove_file("-shm");
    rmdir(folder);
    return failed;
}
