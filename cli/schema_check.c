/* perdure schema check: is everything that is in the log read by today's code? */
#include "cli/schema_check.h"

#include <stdlib.h>

#include "base/clock.h"
#include "cli/schema_survey.h"
#include "journal/log_id.h"

enum { MAX_REPORT = 256 * 1024 * 1024 };

typedef struct check {
    pdr_target target;
    int64_t sample;
    bool json;
    pdr_loaded_app app;
    pdr_plan plan;
    pdr_log *log;
    pdr_log_info info;
    pdr_survey *survey;
    pdr_schema_findings found;
} check;

static pdr_code read_log(check *c, pdr_error *err)
{
    int timeout_ms = (int)c->plan.settings.open_timeout_ms;
    pdr_code code = pdr_backends_log_open(&c->plan.backends, &c->log, err);
    if (code == PDR_OK) code = c->log->ops->info(c->log, &c->info, timeout_ms, err);
    if (code == PDR_OK) code = pdr_survey_open(&c->survey, c->app.app, (uint64_t)c->sample, err);
    if (code != PDR_OK) return code;
    int64_t began_us = pdr_mono_us();
    code = pdr_survey_log(c->survey, c->log, c->info.partitions, timeout_ms, err);
    c->found.seconds = (double)(pdr_mono_us() - began_us) / 1e6;
    return code;
}

/* A log in which nobody ever owned anything names no journal; then any store goes with it. */
static pdr_code check_pair(check *c, pdr_store *store, pdr_error *err)
{
    int timeout_ms = (int)c->plan.settings.open_timeout_ms;
    pdr_store_meta meta;
    uint8_t id[PDR_ID_SIZE];
    bool found = false;
    pdr_code code = store->ops->meta(store, &meta, timeout_ms, err);
    if (code == PDR_OK) code = pdr_log_find_id(c->log, 0, c->info.partitions, timeout_ms, &found, id, err);
    if (code != PDR_OK || !found || memcmp(id, meta.journal_id, sizeof id) == 0) return code;
    return pdr_fail(err, PDR_WRONG_JOURNAL, "the store belongs to another journal than log %.200s",
                    c->info.name);
}

/* Else the store is the journal's own file, if that has one. */
static bool names_store(const check *c)
{
    const char *url = c->target.store ? c->target.store : getenv("PERDURE_STORE");
    return url && *url;
}

static pdr_code read_store(check *c, pdr_error *err)
{
    pdr_store *store = NULL;
    if (!c->plan.backends.has_store) return PDR_OK;
    pdr_code code = pdr_backends_store_open(&c->plan.backends, &store, err);
    if (code != PDR_OK) return code;
    code = check_pair(c, store, err);
    if (code == PDR_NOT_INITIALISED && !names_store(c)) {
        store->ops->close(store);
        return PDR_OK;
    }
    if (code == PDR_OK) code = pdr_snapshots_count(&c->found.snapshots, store, c->app.app, err);
    store->ops->close(store);
    return code;
}

/* Without the application, which may lack upcasters. The log alone is enough: without a store no snapshots
 * are looked at. */
static pdr_code make_plan(check *c, pdr_error *err)
{
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = c->target.journal;
    options.store = c->target.store;
    options.own_nothing = true;
    return pdr_plan_init(&c->plan, &options, err);
}

static pdr_code print(check *c, pdr_error *err)
{
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    pdr_code made =
        c->json ? pdr_schema_report_json(&c->found, &out) : pdr_schema_report_text(&c->found, &out);
    return pdr_cli_print_made(&out, made, "the report", err);
}

static pdr_code work(check *c, pdr_error *err)
{
    pdr_code code = pdr_loaded_app_open_tolerant(&c->app, c->target.app, err);
    if (code == PDR_OK) code = make_plan(c, err);
    if (code == PDR_OK) code = pdr_loaded_app_needed(&c->app, err);
    if (code == PDR_OK) code = read_log(c, err);
    if (code == PDR_OK) code = pdr_survey_groups(c->survey, &c->found.groups, &c->found.group_count, err);
    if (code == PDR_OK) code = read_store(c, err);
    if (code != PDR_OK) return code;
    c->found.journal = c->info.name;
    c->found.partitions = c->info.partitions;
    c->found.sample = (uint64_t)c->sample;
    c->found.totals = pdr_survey_totals_of(c->survey);
    c->found.readable = pdr_survey_is_readable(c->survey);
    return print(c, err);
}

static int run(int argc, char **argv)
{
    check c = {.sample = 1};
    const pdr_flag flags[] = {
        PDR_JOURNAL_FLAG(c.target),
        PDR_STORE_FLAG(c.target),
        PDR_APP_FLAG(c.target),
        {PDR_FLAG_NUMBER, "--sample", "N", "decode one event in N of each version, not all", &c.sample, 1,
         1000000000},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &c.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_check, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&c, &err);
    bool readable = c.found.readable;
    pdr_survey_close(c.survey);
    if (c.log) c.log->ops->close(c.log);
    pdr_plan_release(&c.plan);
    pdr_loaded_app_close(&c.app);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_schema_check, &err);
    return readable ? PDR_EXIT_DONE : PDR_EXIT_FAILED;
}

const pdr_cli_command pdr_cli_schema_check = {
    .name = "schema check",
    .summary = "is everything in the log read by today's code?",
    .about =
        "What to run before a deploy: reads the whole log, lists every version of every event in it, and "
        "decodes and\n"
        "upcasts them all with the application's code. Exit code 1 if there is one that it doesn't read; "
        "the report names\n"
        "the first of each. It also counts the store's snapshots that the code can use and those that "
        "will be rebuilt.\n"
        "Reads only; owners may be at work.\n"
        "\n"
        "  perdure schema check --app new.so\n",
    .run = run};
