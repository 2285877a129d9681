/* perdure project run: a worker until it is told to end, or until it has caught up. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/json.h"
#include "cli/out.h"
#include "cli/project_common.h"
#include "projections/worker_core.h"

enum { MAX_FILES = 256, MAX_SHOWN = 256, LOOK_MS = 200, DRAIN_MS = 30000 };

typedef struct project_run {
    pdr_project_target target;
    pdr_words files;
    const char *partitions, *settings, *name;
    bool group, until_caught_up, json;
    pdr_loaded_app app;
    int32_t *partition_list;
    size_t partition_count;
    pdr_setting_list setting_list;
    pdr_worker *worker;
    int64_t *ends;
} project_run;

/* --- what is shown --- */

static void show_progress(const project_run *r)
{
    pdr_worker_status status[MAX_SHOWN];
    size_t count = pdr_worker_status_get(r->worker, status, MAX_SHOWN);
    uint64_t events = 0, behind = 0, parked = 0;
    for (size_t i = 0; i < count && i < MAX_SHOWN; i++) {
        events += status[i].events;
        behind += status[i].lag_events;
        parked += status[i].parked;
    }
    pdr_cli_progress("%zu projections: %" PRIu64 " events projected, %" PRIu64 " behind, %" PRIu64 " parked",
                     count, events, behind, parked);
}

static pdr_code add_text(pdr_buf *out, const pdr_worker_status *s)
{
    pdr_code code = pdr_buf_printf(out,
                                   "%s v%u: %s; %" PRIu64 " events in %" PRIu64 " batches, %" PRIu64
                                   " rows; %" PRIu64 " behind, %" PRIu64 " parked\n",
                                   s->projection, s->version, s->state, s->events, s->batches, s->rows,
                                   s->lag_events, s->parked);
    if (code == PDR_OK && s->error.code != PDR_OK)
        code = pdr_buf_printf(out, "  last failure: %s\n", s->error.message);
    return code;
}

static pdr_code add_json(pdr_buf *out, const pdr_worker_status *s, bool first)
{
    pdr_code code =
        pdr_buf_printf(out,
                       "%s{\"projection\":\"%s\",\"version\":%u,\"state\":\"%s\",\"events\":%" PRIu64
                       ",\"batches\":%" PRIu64 ",\"rows\":%" PRIu64
                       ",\"partitions\":%zu,\"lag_events\":%" PRIu64 ",\"parked\":%" PRIu64 ",\"error\":",
                       first ? "" : ",", s->projection, s->version, s->state, s->events, s->batches, s->rows,
                       s->partitions, s->lag_events, s->parked);
    if (code != PDR_OK) return code;
    if (s->error.code == PDR_OK) return pdr_buf_printf(out, "null}");
    code = pdr_json_text(out, pdr_bytes_of(s->error.message, strlen(s->error.message)));
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

static pdr_code report(const project_run *r, pdr_error *err)
{
    pdr_worker_status status[MAX_SHOWN];
    size_t count = pdr_worker_status_get(r->worker, status, MAX_SHOWN);
    pdr_buf out = PDR_BUF_INIT(4 * 1024 * 1024);
    pdr_code code = r->json ? pdr_buf_printf(&out, "{\"projections\":[") : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count && i < MAX_SHOWN; i++)
        code = r->json ? add_json(&out, &status[i], i == 0) : add_text(&out, &status[i]);
    if (code == PDR_OK && r->json) code = pdr_buf_printf(&out, "]}\n");
    return pdr_cli_print_made(&out, code, "the report", err);
}

/* --- work --- */

static pdr_code open_worker(project_run *r, pdr_error *err)
{
    const pdr_projection_list *types;
    pdr_worker_options options = PDR_WORKER_OPTIONS_INIT;
    pdr_code code = pdr_loaded_app_open(&r->app, r->target.base.app, err);
    if (code == PDR_OK) code = pdr_loaded_app_needed(&r->app, err);
    if (code == PDR_OK) code = pdr_project_types(&r->app, &types, err);
    if (code == PDR_OK) code = pdr_setting_list_init(&r->setting_list, r->settings, err);
    if (code == PDR_OK && r->partitions)
        code = pdr_partition_list(r->partitions, &r->partition_list, &r->partition_count, err);
    if (code != PDR_OK) return code;
    options.journal = r->target.base.journal;
    options.store = r->target.base.store;
    options.views = r->target.views;
    options.app = r->app.app;
    options.files = (const char *const *)r->files.items;
    options.file_count = (size_t)r->files.count;
    options.types = types->items;
    options.type_count = types->count;
    options.partitions = r->partition_list;
    options.partition_count = r->partition_count;
    options.group = r->group;
    options.name = r->name;
    options.settings = r->setting_list.items;
    options.setting_count = r->setting_list.count;
    options.log_line = pdr_cli_log_line;
    options.context = (void *)(uintptr_t)&pdr_cli_project_run;
    return pdr_worker_open(&r->worker, &options, err);
}

static bool all_stopped(const project_run *r, pdr_error *why)
{
    pdr_worker_status status[MAX_SHOWN];
    size_t count = pdr_worker_status_get(r->worker, status, MAX_SHOWN);
    for (size_t i = 0; i < count && i < MAX_SHOWN; i++) {
        if (strcmp(status[i].state, "stopped") != 0) return false;
        *why = status[i].error;
    }
    return true;
}

/* The log's end as it is now is asked for once. PDR_TIMEOUT means only that it isn't passed yet. */
static pdr_code ask_for_ends(project_run *r, pdr_error *err)
{
    r->ends = pdr_calloc((size_t)r->worker->partitions, sizeof *r->ends);
    if (!r->ends) return pdr_fail(err, PDR_NOMEM, "the log's ends");
    return pdr_worker_ends(r->worker, r->ends, (int)r->worker->plan.settings.open_timeout_ms, err);
}

static pdr_code work(project_run *r, pdr_error *err)
{
    pdr_code code = r->until_caught_up ? ask_for_ends(r, err) : PDR_OK;
    if (code != PDR_OK) return code;
    while (!pdr_signal_comes(r->until_caught_up ? 0 : LOOK_MS)) {
        show_progress(r);
        if (all_stopped(r, err)) return err->code;
        if (!r->until_caught_up) continue;
        code = pdr_worker_pass(r->worker, r->ends, LOOK_MS, err);
        if (code != PDR_TIMEOUT) return code;
    }
    return PDR_OK;
}

static pdr_code run_worker(project_run *r, pdr_error *err)
{
    pdr_error ignored;
    pdr_code code = open_worker(r, err);
    if (code != PDR_OK) return code;
    code = work(r, err);
    pdr_code drained = pdr_worker_drain(r->worker, DRAIN_MS, code == PDR_OK ? err : &ignored);
    if (code == PDR_OK) code = drained;
    pdr_code reported = report(r, code == PDR_OK ? err : &ignored);
    return code == PDR_OK ? reported : code;
}

static int run(int argc, char **argv)
{
    project_run r = {.group = false};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "[FILES...]", NULL, "", &r.files, 0, MAX_FILES},
        PDR_JOURNAL_FLAG(r.target.base),
        PDR_STORE_FLAG(r.target.base),
        PDR_VIEWS_FLAG(r.target),
        PDR_APP_FLAG(r.target.base),
        {PDR_FLAG_TEXT, "--partitions", "LIST", "work on these only, like 0,3,5-7; default all",
         &r.partitions, 0, 0},
        {PDR_FLAG_SWITCH, "--group", NULL, "Kafka: share the partitions with the other workers of a group",
         &r.group, 0, 0},
        {PDR_FLAG_SWITCH, "--until-caught-up", NULL, "end when the log's end, as it is now, is projected",
         &r.until_caught_up, 0, 0},
        {PDR_FLAG_TEXT, "--settings", "LIST",
         "NAME=VALUE,NAME=VALUE: project.* and kafka.* (docs/settings.md); a comma in a value: ,,",
         &r.settings, 0, 0},
        {PDR_FLAG_TEXT, "--name", "NAME", "this worker's, for people; default HOST/PID", &r.name, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object at the end instead of text", &r.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_project_run, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_hold_signals();
    pdr_error err;
    pdr_code code = run_worker(&r, &err);
    pdr_worker_close(r.worker);
    pdr_setting_list_release(&r.setting_list);
    pdr_free(r.partition_list);
    pdr_free(r.ends);
    pdr_loaded_app_close(&r.app);
    if (code == PDR_CONFLICT)
        return pdr_cli_refuse(&pdr_cli_project_run, err.message,
                              "a version's rows must all come from one definition; `perdure project check` "
                              "compares them");
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_project_run, &err);
}

const pdr_cli_command pdr_cli_project_run = {
    .name = "project run",
    .summary = "project events into read views",
    .about = "Reads the log and keeps the views of FILES, and of the projections in C that the application "
             "exports, up to\n"
             "date, until SIGTERM or SIGINT: then what was folded is committed. Makes versions that aren't "
             "there yet. Any\n"
             "number of workers may run; two on one partition can't both win a batch.\n"
             "\n"
             "  perdure project run projections/applications.sql --views postgres://localhost/views\n",
    .run = run};
