#include "scaled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "journal/partitioner.h"
#include "loan.h"
#include "run_program.h"

enum { COPIES = 20, MAX_LINE = 512, NEW_IDS = 900000000, STEP = 1000000, OUTPUT = 1 << 20, IDS = 1000 };

static unsigned ids[IDS]; /* of the example's file: applications with BENCH_ASKED_EVENTS events */
static unsigned id_count;
static uint16_t rows_of[STEP];

static void choose_ids(void)
{
    for (unsigned number = 0; number < STEP && id_count < IDS; number++)
        if (rows_of[number] == BENCH_ASKED_EVENTS) ids[id_count++] = number;
    if (!id_count) bench_die("no application has so many events", NULL);
}

/* Each row `copies` times, the copies with application numbers of their own. */
static void scale(const char *path, int copies)
{
    char line[MAX_LINE];
    gzFile in = gzopen(BENCH_LOANS_DATA, "rb"), out = gzopen(path, "wb1");
    if (!in || !out || !gzgets(in, line, sizeof line) || gzputs(out, line) < 0)
        bench_die("the loans' rows can't be copied", NULL);
    while (gzgets(in, line, sizeof line)) {
        char *application = strchr(line, ','), *rest;
        if (!application) bench_die("a row without an application", NULL);
        *application++ = '\0';
        unsigned long number = strtoul(application, &rest, 10);
        if (number >= STEP) bench_die("an application's number is too large", NULL);
        rows_of[number]++;
        for (int i = 0; i < copies; i++)
            if (gzprintf(out, "%s,%lu%s", line, number + (unsigned long)i * STEP, rest) <= 0)
                bench_die("the copies can't be written", NULL);
    }
    gzclose(in);
    if (gzclose(out) != Z_OK) bench_die("the copies can't be written", NULL);
    choose_ids();
}

static void load(const bench_scaled *s)
{
    static char text[OUTPUT];
    char path[] = "/tmp/perdure-bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) bench_die("no temporary file", NULL);
    close(fd);
    scale(path, s->copies);
    char *words[] = {(char *)BENCH_LOANS_LOAD,
                     (char *)"--journal",
                     (char *)s->journal.log,
                     (char *)"--store",
                     (char *)s->journal.store,
                     (char *)"--data",
                     path,
                     NULL};
    bench_run_program(words, false, text, sizeof text);
    unlink(path);
}

typedef struct counts {
    unsigned open;
} counts;

static void on_reply(void *context, const pdr_reply *reply)
{
    counts *c = context;
    if (reply->code != PDR_OK) bench_die("a command failed", reply->error);
    c->open--;
}

static void submit(pdr_journal *journal, unsigned number, counts *c)
{
    char id[32];
    pdr_error err;
    loans_submit_application command = {.at = 1400000000000000 + (int64_t)number, .amount_requested = 20000};
    (void)snprintf(id, sizeof id, "loan/%u", NEW_IDS + number);
    pdr_request_spec spec = {
        .entity = pdr_string_of(id), .type = &loans_submit_application_type, .command = &command};
    pdr_code code;
    while ((code = pdr_send(journal, &spec, on_reply, c, &err)) == PDR_BUSY)
        pdr_poll(journal, 10);
    bench_must(code, &err, "send");
    c->open++;
}

/* In a process that ends without a close: nothing of it is saved. */
static void append_tail(bench_scaled *s)
{
    pid_t child = fork();
    if (child == 0) {
        pdr_error err;
        counts c = {0};
        pdr_setting settings[] = {{"checkpointing", "false"}, {"scan.limit", "100000000"}};
        pdr_options options = bench_journal_options(&s->journal);
        options.app = &pdr_application;
        options.settings = settings;
        options.setting_count = 2;
        bench_must(pdr_journal_open(&s->journal.journal, &options, &err), &err, "open");
        bench_must(pdr_journal_wait(s->journal.journal, 60000, &err), &err, "wait");
        for (unsigned i = 0; i < BENCH_TAIL; i++)
            submit(s->journal.journal, i, &c);
        while (c.open)
            pdr_poll(s->journal.journal, 100);
        _exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status) bench_die("making the tail failed", NULL);
}

static uint64_t longest_tail(int32_t partitions)
{
    uint64_t count[64] = {0}, longest = 0;
    for (unsigned i = 0; i < BENCH_TAIL; i++) {
        char id[32];
        int size = snprintf(id, sizeof id, "loan/%u", NEW_IDS + i);
        uint64_t *of = &count[pdr_partition_of(pdr_bytes_of(id, (size_t)size), partitions)];
        if (++*of > longest) longest = *of;
    }
    return longest;
}

static bench_scaled scaled;

const bench_scaled *bench_scaled_loans(const bench_run *run)
{
    bench_scaled *s = &scaled;
    if (s->events) return s;
    const char *copies = getenv("PERDURE_BENCH_COPIES");
    s->copies = copies && atoi(copies) > 0 ? atoi(copies) : COPIES;
    bench_journal_make(&s->journal, run, false, 8);
    load(s);
    s->events = (uint64_t)s->copies * BENCH_LOANS_ROWS;
    bench_note(run, "%llu events, all below the checkpoint", (unsigned long long)s->events);
    return s;
}

const bench_scaled *bench_scaled_tail(const bench_run *run)
{
    bench_scaled *s = &scaled;
    (void)bench_scaled_loans(run);
    if (s->longest_tail) return s;
    append_tail(s);
    s->events += BENCH_TAIL;
    s->longest_tail = longest_tail(s->journal.partitions);
    bench_note(run, "%llu events; at most %llu of a partition above the checkpoint",
               (unsigned long long)s->events, (unsigned long long)s->longest_tail);
    return s;
}

void bench_scaled_id(const bench_scaled *s, unsigned i, char *out, size_t room)
{
    unsigned copy = i % (unsigned)s->copies;
    (void)snprintf(out, room, "loan/%u", ids[(i * 7919u) % id_count] + copy * STEP);
}
