/* perdure history and state of one entity, each in a process of its own. */
#include "lines.h"

#include "journals.h"
#include "run_program.h"
#include "scaled.h"

enum {
    LONG = 20000,
    OTHERS = 1000000,
    ACCOUNTS = 100000,
    TURNS = 20,
    WINDOW = 20000,
    ASKED = 51,
    OUTPUT = 64 << 20
};

static char out[OUTPUT];

static size_t lines_in(const char *text)
{
    size_t count = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

static double seconds_of(char *const words[])
{
    double start = bench_now();
    bench_run_program(words, false, out, sizeof out);
    return bench_now() - start;
}

/* One account with many events among those of others. */
static const bench_journal *with_long(const bench_run *run)
{
    static bench_journal j;
    if (j.log[0]) return &j;
    bench_journal_make(&j, run, false, 8);
    bench_journal_open(&j, NULL, 0);
    j.quiet = true;
    for (int i = 0; i < TURNS; i++) {
        bench_send(&j, LONG / TURNS, 1, WINDOW, 0);
        bench_send(&j, OTHERS / TURNS, ACCOUNTS, WINDOW, 1);
    }
    bench_journal_close(&j);
    return &j;
}

void bench_history_long(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    const bench_journal *j = with_long(run);
    char *words[] = {(char *)BENCH_PERDURE, (char *)"history", (char *)"acct/0",
                     (char *)"--journal",   (char *)j->log,    (char *)"--store",
                     (char *)j->store,      (char *)"--json",  NULL};
    bench_settle();
    *ours = seconds_of(words);
    if (lines_in(out) != LONG) bench_die("history told another number of events", NULL);
}

/* What any command takes, p50 in milliseconds: loading the program and its libraries. */
static double start_ms(void)
{
    double ms[ASKED];
    char *words[] = {(char *)BENCH_PERDURE, (char *)"--version", NULL};
    for (unsigned i = 0; i < ASKED; i++)
        ms[i] = seconds_of(words) * 1000;
    return bench_percentile(ms, ASKED, 0.5);
}

/* p50 in milliseconds. */
static double asked(const bench_scaled *s, const char *command)
{
    double ms[ASKED];
    bench_settle();
    for (unsigned i = 0; i < ASKED; i++) {
        char id[32];
        bench_scaled_id(s, i, id, sizeof id);
        char *words[] = {(char *)BENCH_PERDURE,
                         (char *)command,
                         id,
                         (char *)"--journal",
                         (char *)s->journal.log,
                         (char *)"--store",
                         (char *)s->journal.store,
                         (char *)"--app",
                         (char *)BENCH_LOANS_APP,
                         (char *)"--json",
                         NULL};
        ms[i] = seconds_of(words) * 1000;
        if (!strstr(out, id) || !strstr(out, "\"seq\":20,")) bench_die("the entity isn't told", NULL);
    }
    return bench_percentile(ms, ASKED, 0.5);
}

void bench_history(const bench_run *run, int round, double *ours, double *bare)
{
    (void)round;
    (void)bare;
    *ours = asked(bench_scaled_loans(run), "history");
    bench_note(run, "of which a process takes to start and end: %.1f ms", start_ms());
}

/* What the tail costs a history is noted beside it. */
void bench_state(const bench_run *run, int round, double *ours, double *bare)
{
    const bench_scaled *s = bench_scaled_tail(run);
    (void)round;
    (void)bare;
    *ours = asked(s, "state");
    bench_note(run, "of which a process takes to start and end: %.1f ms; history beside this tail: %.1f ms",
               start_ms(), asked(s, "history"));
}
