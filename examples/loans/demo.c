/* Loads the log of a bank's loan applications, counts what came of them, opens everything anew and tells one
 * application's history. */
#include <stdio.h>

#include "csv.h"
#include "flags.h"
#include "loading.h"
#include "progress.h"
#include "story.h"
#include "tally.h"

enum { PARTITIONS = 8, WINDOW = 32768, OPEN_MS = 120000, RETRY_MS = 60000, COMPLAINTS = 10 };

typedef struct demo {
    const char *journal_url, *store_url, *data, *entity;
    bool json;
    pdr_options options;
    pdr_journal *journal;
    loans_bar bar;
    int complaints;
    loans_tally before, after;
    loans_counts counts;
    double load_seconds, reopen_seconds;
} demo;

static const char about[] = "usage: loans_demo [FLAGS]\n"
                            "\n"
                            "Loads the log of a Dutch bank's loan applications (262,200 rows, 13,087 "
                            "applications) into a journal, counts\n"
                            "the outcomes, opens everything anew and shows one application's history. Run it "
                            "again: rows that are there\n"
                            "already get their first answer once more, and nothing is counted twice.\n";

#define SAY(...)                                                                                             \
    do {                                                                                                     \
        if (!d->json) printf(__VA_ARGS__);                                                                   \
    } while (0)

static void progress(void *context, const loans_counts *counts)
{
    demo *d = context;
    loans_bar_show(&d->bar, counts->fresh + counts->repeated);
}

static void complaint(void *context, const char *message)
{
    demo *d = context;
    if (d->complaints++ >= COMPLAINTS) return;
    loans_bar_end(&d->bar);
    fprintf(stderr, "loans_demo: %s%s\n", message, d->complaints == COMPLAINTS ? " (and so on)" : "");
}

/* How many rows there are to load, for the bar. */
static pdr_code count_rows(const char *path, uint64_t *rows, pdr_error *err)
{
    loans_csv *csv;
    loans_row row;
    bool end = false;
    pdr_code code = loans_csv_open(&csv, path, err);
    if (code != PDR_OK) return code;
    while ((code == PDR_OK || code == PDR_BAD_DATA) && !end) {
        code = loans_csv_next(csv, &row, &end, err);
        if (!end) *rows = row.number;
    }
    loans_csv_close(csv);
    return code;
}

static pdr_code open_journal(demo *d, pdr_error *err)
{
    pdr_code code = pdr_journal_open(&d->journal, &d->options, err);
    return code == PDR_OK ? pdr_journal_wait(d->journal, OPEN_MS, err) : code;
}

static pdr_code prepare(demo *d, pdr_error *err)
{
    pdr_code code = pdr_journal_init(&d->options, PARTITIONS, err);
    if (code == PDR_OK) code = open_journal(d, err);
    if (code == PDR_OK) code = loans_tally_read(&d->before, d->journal, err);
    if (code == PDR_OK && d->before.events)
        SAY("The journal has %llu events already. All rows are sent again; those that it has don't count "
            "twice.\n",
            (unsigned long long)d->before.events);
    return code;
}

static pdr_code load(demo *d, pdr_error *err)
{
    uint64_t rows = 0;
    pdr_code code = count_rows(d->data, &rows, err);
    if (code != PDR_OK) return code;
    SAY("Loading %llu rows into %s\n", (unsigned long long)rows, d->options.journal);
    (void)fflush(stdout);
    loans_loading loading = {.journal = d->journal,
                             .path = d->data,
                             .window = WINDOW,
                             .retry_ms = RETRY_MS,
                             .progress = progress,
                             .complaint = complaint,
                             .context = d};
    loans_bar_begin(&d->bar, rows);
    code = loans_load(&loading, &d->counts, err);
    d->load_seconds = loans_bar_seconds(&d->bar);
    loans_bar_end(&d->bar);
    return code;
}

static double rate(const demo *d)
{
    return d->load_seconds > 0 ? (double)d->counts.answered / d->load_seconds : 0;
}

static pdr_code count(demo *d, pdr_error *err)
{
    pdr_code code = loans_tally_read(&d->after, d->journal, err);
    if (code != PDR_OK) return code;
    SAY("events %llu\nentities %llu\napproved %llu\ndeclined %llu\ncancelled %llu\n",
        (unsigned long long)d->after.events, (unsigned long long)d->after.entities,
        (unsigned long long)d->after.approved, (unsigned long long)d->after.declined,
        (unsigned long long)d->after.cancelled);
    if (d->counts.repeated) SAY("repeated %llu\n", (unsigned long long)d->counts.repeated);
    SAY("events/s %.0f\n", rate(d));
    return PDR_OK;
}

static pdr_code reopen(demo *d, pdr_error *err)
{
    loans_bar clock;
    pdr_journal_close(d->journal);
    d->journal = NULL;
    loans_bar_begin(&clock, 0);
    pdr_code code = open_journal(d, err);
    d->reopen_seconds = loans_bar_seconds(&clock);
    if (code == PDR_OK)
        SAY("\nClosed, and opened anew in %.2f s. The history of %s:\n\n", d->reopen_seconds, d->entity);
    return code == PDR_OK && !d->json ? loans_story_print(d->journal, d->entity, err) : code;
}

static void print_end(const demo *d)
{
    if (!d->json) {
        printf("\nWhat to try next:\n"
               "  ./dev demo again, or loans_demo by itself: the rows are known, their first answers come "
               "again\n"
               "  ./dev perdure store dump | head        what the store holds: a cache, made from the log\n"
               "  ./dev perdure rebuild-store --yes      throw it away and make it anew\n"
               "  ./dev demo --kafka                     the same on Kafka and PostgreSQL\n"
               "  examples/loans/README.md               how the bank's log broke the rules one would think "
               "of\n");
        return;
    }
    printf(
        "{\"events\":%llu,\"entities\":%llu,\"approved\":%llu,\"declined\":%llu,\"cancelled\":%llu,"
        "\"repeated\":%llu,\"refused\":%llu,\"malformed\":%llu,\"seconds\":%.3f,\"events_per_second\":%.0f,"
        "\"reopen_seconds\":%.3f}\n",
        (unsigned long long)d->after.events, (unsigned long long)d->after.entities,
        (unsigned long long)d->after.approved, (unsigned long long)d->after.declined,
        (unsigned long long)d->after.cancelled, (unsigned long long)d->counts.repeated,
        (unsigned long long)d->counts.refused, (unsigned long long)d->counts.malformed, d->load_seconds,
        rate(d), d->reopen_seconds);
}

static int run(demo *d)
{
    pdr_error err;
    pdr_code code = prepare(d, &err);
    if (code == PDR_OK) code = load(d, &err);
    if (code == PDR_OK) code = count(d, &err);
    if (code == PDR_OK) code = reopen(d, &err);
    pdr_journal_close(d->journal);
    if (code == PDR_OK) {
        print_end(d);
        return 0;
    }
    (void)fflush(stdout);
    fprintf(stderr, "loans_demo: %s\n  %s\n", err.message, pdr_code_advice(code));
    return 1;
}

int main(int argc, char **argv)
{
    demo d = {.data = LOANS_DATA, .entity = "loan/173688", .options = PDR_OPTIONS_INIT};
    const loans_flag flags[] = {
        LOANS_JOURNAL_FLAGS(d),
        {"--data", "FILE", "the log, as CSV, also compressed by gzip; default: the example's own", &d.data,
         NULL, NULL},
        {"--entity", "ID", "whose history is shown; default loan/173688", &d.entity, NULL, NULL},
        {"--json", NULL, "one object instead of text", NULL, NULL, &d.json},
        {NULL, NULL, NULL, NULL, NULL, NULL},
    };
    int wrong = loans_flags_parse(flags, about, argc, argv);
    if (wrong) return wrong == 1 ? 0 : 2;
    loans_options(&d.options, d.journal_url, d.store_url);
    return run(&d);
}
