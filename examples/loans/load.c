/* Sends the log from its first row. Keeps no position of its own: end it at any moment and start it again.
 * For people and for the tests that kill it. */
#include <stdio.h>
#include <time.h>

#include "flags.h"
#include "loading.h"

enum { PARTITIONS = 8, OPEN_MS = 120000 };

typedef struct load {
    const char *journal_url, *store_url, *data;
    uint64_t rate, stop_after, window, retry_s;
    pdr_options options;
} load;

static const char about[] = "usage: loans_load [FLAGS]\n"
                            "\n"
                            "Sends the rows of the log from the first one, each with its number as command "
                            "id: rows that the journal has\n"
                            "already get their first answer again. Prints a line about ten times a second,\n"
                            "  sent N answered N in-flight N fresh N repeated N refused N\n"
                            "and at the end `done` and the same. Exit code 0: every row is answered; 1: "
                            "failed; 2: a flag is wrong.\n";

static void print_counts(const char *word, const loans_counts *c)
{
    printf("%ssent %llu answered %llu in-flight %llu fresh %llu repeated %llu refused %llu\n", word,
           (unsigned long long)c->sent, (unsigned long long)c->answered,
           (unsigned long long)(c->sent - c->answered), (unsigned long long)c->fresh,
           (unsigned long long)c->repeated, (unsigned long long)c->refused);
    (void)fflush(stdout);
}

static void progress(void *context, const loans_counts *counts)
{
    (void)context;
    print_counts("", counts);
}

static void complaint(void *context, const char *message)
{
    (void)context;
    fprintf(stderr, "loans_load: %s\n", message);
}

/* What is there is opened with the partitions that it has; where there is nothing, it is made. */
static pdr_code open_once(const load *l, pdr_journal **journal, pdr_error *err)
{
    pdr_code code = pdr_journal_open(journal, &l->options, err);
    if (code != PDR_NOT_INITIALISED) return code;
    code = pdr_journal_init(&l->options, PARTITIONS, err);
    return code == PDR_OK ? pdr_journal_open(journal, &l->options, err) : code;
}

/* A server may be away for a while, another process may hold the file. */
static pdr_code open_patiently(const load *l, pdr_journal **journal, pdr_error *err)
{
    const struct timespec pause = {0, 100 * 1000 * 1000};
    time_t until = time(NULL) + (time_t)l->retry_s;
    for (;;) {
        pdr_code code = open_once(l, journal, err);
        if (code == PDR_OK || !pdr_code_retry(code) || time(NULL) >= until) return code;
        (void)nanosleep(&pause, NULL);
    }
}

static pdr_code run(const load *l, loans_counts *counts, pdr_error *err)
{
    pdr_journal *journal = NULL;
    pdr_code code = open_patiently(l, &journal, err);
    if (code == PDR_OK) code = pdr_journal_wait(journal, OPEN_MS, err);
    if (code == PDR_TIMEOUT) code = PDR_OK; /* partitions that serve later take their rows later */
    loans_loading loading = {.journal = journal,
                             .path = l->data,
                             .window = l->window,
                             .rate = l->rate,
                             .stop_after = l->stop_after,
                             .retry_ms = (int)l->retry_s * 1000,
                             .progress = progress,
                             .complaint = complaint};
    if (code == PDR_OK) code = loans_load(&loading, counts, err);
    pdr_journal_close(journal);
    return code;
}

int main(int argc, char **argv)
{
    load l = {.data = LOANS_DATA, .window = 8192, .retry_s = 120, .options = PDR_OPTIONS_INIT};
    const loans_flag flags[] = {
        LOANS_JOURNAL_FLAGS(l),
        {"--data", "FILE", "the log, as CSV, also compressed by gzip; default: the example's own", &l.data,
         NULL, NULL},
        {"--rate", "N", "new rows per second at most; default 0: as fast as it goes", NULL, &l.rate, NULL},
        {"--stop-after", "N", "send only the first N rows; default 0: all", NULL, &l.stop_after, NULL},
        {"--window", "N", "commands in flight at most; default 8192", NULL, &l.window, NULL},
        {"--patience", "SECONDS", "give up when nothing goes through for so long; default 120", NULL,
         &l.retry_s, NULL},
        {NULL, NULL, NULL, NULL, NULL, NULL},
    };
    int wrong = loans_flags_parse(flags, about, argc, argv);
    if (wrong) return wrong == 1 ? 0 : 2;
    if (l.window < 1 || l.window > 1000000 || l.retry_s > 86400 || l.rate > 100000000) {
        fprintf(stderr,
                "loans_load: --window is 1 to 1000000, --patience at most 86400, --rate at most 100000000\n");
        return 2;
    }
    loans_counts counts = {0};
    pdr_error err;
    loans_options(&l.options, l.journal_url, l.store_url);
    pdr_code code = run(&l, &counts, &err);
    if (code == PDR_OK) {
        print_counts("done ", &counts);
        return 0;
    }
    fprintf(stderr, "loans_load: %s\n  %s\n", err.message, pdr_code_advice(code));
    return 1;
}
