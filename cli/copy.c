/* perdure copy: a journal's events into another, with as many partitions as that has. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/import_report.h"
#include "cli/out.h"
#include "replay/export_scan.h"

typedef struct copying {
    pdr_target source, target; /* the application is the target's */
    const char *entities;
    bool json;
    pdr_loaded_app app;
    pdr_choice *choice;
    pdr_tool *from, *to;
    pdr_import *import;
    pdr_import_counts counts;
    int64_t began_us;
    pdr_exported_event events[PDR_MAX_EVENTS_PER_COMMIT];
} copying;

static bool watch(void *context, const pdr_export_progress *p)
{
    const copying *c = context;
    pdr_cli_progress("copying partition %d of %d: %" PRId64 " of %" PRId64 " records, %.0f s left",
                     (int)p->partition + 1, (int)p->partitions, p->done, p->total,
                     pdr_cli_seconds_left(c->began_us, pdr_export_share(p)));
    return pdr_stopped();
}

static pdr_code on_commit(void *context, int32_t partition, const pdr_commit_event *events, size_t count,
                          pdr_error *err)
{
    copying *c = context;
    pdr_string json;
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = pdr_exported_from(c->from, partition, &events[i], &c->events[i], &json, err);
    return code == PDR_OK ? pdr_import_commit(c->import, c->events, count, err) : code;
}

static pdr_code open_both(copying *c, pdr_error *err)
{
    bool own_file = !c->target.store && strncmp(c->target.journal, "sqlite:", 7) == 0;
    pdr_tool_spec from = {.journal = c->source.journal, .store = c->source.store, .stopped = pdr_stopped};
    pdr_tool_spec to = {.journal = c->target.journal,
                        .store = own_file ? c->target.journal : c->target.store,
                        .app = c->app.app,
                        .needs_store = true,
                        .stopped = pdr_stopped};
    if (!to.store) return pdr_fail(err, PDR_BAD_URL, "no URL names the new journal's store: give --to-store");
    pdr_code code = pdr_tool_open(&c->from, &from, err);
    return code == PDR_OK ? pdr_tool_open(&c->to, &to, err) : code;
}

static pdr_code work(copying *c, pdr_error *err)
{
    pdr_import_spec spec = {.book = NULL};
    pdr_code code = c->entities ? pdr_choice_open(&c->choice, c->entities, err) : PDR_OK;
    if (code == PDR_OK) code = pdr_loaded_app_open(&c->app, c->target.app, err);
    if (code == PDR_OK) code = open_both(c, err);
    if (code == PDR_OK) code = pdr_export_journal_id(c->from, spec.from, err);
    if (code != PDR_OK) return code;
    spec.target = c->to;
    spec.book = pdr_tool_book(c->from);
    code = pdr_import_open(&c->import, &spec, err);
    c->began_us = pdr_mono_us();
    pdr_export_scan scan = {
        .tool = c->from, .entities = c->choice, .commit = on_commit, .context = c, .watch = watch};
    if (code == PDR_OK) code = pdr_export_scan_run(&scan, err);
    return pdr_import_settle(c->import, code, err);
}

static int run(int argc, char **argv)
{
    static copying c;
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(c.source),
        PDR_STORE_FLAG(c.source),
        {PDR_FLAG_TEXT, "--to", "URL", "the new journal, made by perdure init", &c.target.journal, 0, 0},
        {PDR_FLAG_TEXT, "--to-store", "URL", "its store; the new journal's own file if that is SQLite",
         &c.target.store, 0, 0},
        PDR_APP_FLAG(c.target),
        {PDR_FLAG_TEXT, "--entities", "LIST",
         "only these: ids, beginnings of ids with * behind them, or @FILE with one a line; commas between",
         &c.entities, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &c.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_copy, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = PDR_OK;
    if (!c.target.journal) code = pdr_fail(&err, PDR_BAD_URL, "no URL names the new journal: give --to");
    pdr_stop_on_signals();
    (void)signal(SIGXFSZ, SIG_IGN); /* a write tells instead */
    if (code == PDR_OK) code = work(&c, &err);
    if (c.import) pdr_import_counts_of(c.import, &c.counts);
    int result = pdr_import_report(&pdr_cli_copy, &c.counts, c.json, c.app.app != NULL,
                                   "the same command goes on with it", code, &err);
    pdr_import_close(c.import);
    pdr_tool_close(c.to);
    pdr_tool_close(c.from);
    pdr_choice_close(c.choice);
    pdr_loaded_app_close(&c.app);
    return result;
}

const pdr_cli_command pdr_cli_copy = {
    .name = "copy",
    .summary = "a journal's events, into another with another number of partitions",
    .about =
        "Reads a journal beside its owners and writes its history into one that perdure init has made: on "
        "another backend, or with more or fewer partitions, which no journal can change in place. What is "
        "kept and what isn't is as with perdure import.\n"
        "\n"
        "It ends where the log ended when it began. Run it again to bring over what came later, or to go on "
        "after it was stopped; the last time with the application stopped. Then perdure verify, and the "
        "application can move.\n"
        "\n"
        "  perdure init --journal kafka://host:9092/bank32 --store postgres:///bank32 --partitions 32\n"
        "  perdure copy --to kafka://host:9092/bank32 --to-store postgres:///bank32 --app ./libloans.so\n",
    .run = run};
