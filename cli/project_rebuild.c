/* perdure project rebuild: a new version beside the live one, by several workers at once. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/out.h"
#include "cli/project_tool.h"

enum { MAX_WORKERS = 64, LOOK_MS = 200, LINE_US = 10000000, DRAIN_MS = 30000, CATCH_UP_MS = 2000 };

typedef struct rebuild {
    pdr_project_tool tool;
    const char *what;                 /* NAME or FILE */
    int64_t workers_wanted, throttle; /* throttle -1: not given */
    bool keep, json;
    const pdr_projection *projection;
    bool resumed;
    pdr_worker *workers[MAX_WORKERS];
    bool caught_up[MAX_WORKERS];
    size_t worker_count;
    int64_t began_us, line_us;
    uint64_t first_events; /* projected before this run */
    bool stopped;          /* by a signal */
} rebuild;

/* --- is there something to rebuild? --- */

/* The newest version that the application or the file defines. */
static pdr_code find_definition(rebuild *r, pdr_error *err)
{
    const pdr_projection_list *types;
    pdr_code code = pdr_tool_open_app(&r->tool, err);
    if (code == PDR_OK && pdr_tool_is_file(r->what))
        return pdr_tool_read_file(&r->tool, r->what, &r->projection, err);
    if (code == PDR_OK) code = pdr_project_types(&r->tool.app, &types, err);
    for (size_t i = 0; code == PDR_OK && i < types->count; i++) {
        pdr_projection *found;
        if (strcmp(types->items[i]->name, r->what) != 0) continue;
        if (r->projection && r->projection->version >= types->items[i]->version) continue;
        code = pdr_tool_find(&r->tool, r->what, types->items[i]->version, &found, err);
        r->projection = found;
    }
    if (code != PDR_OK || r->projection) return code;
    return pdr_fail(err, PDR_NOT_FOUND,
                    "the application has no projection %.100s in C; of one in a file name the file: rebuild "
                    "projections/%.100s.sql",
                    r->what, r->what);
}

static pdr_code check_versions(rebuild *r, pdr_error *err)
{
    pdr_version_list list;
    const pdr_projection *p = r->projection;
    pdr_code code = pdr_tool_versions(&r->tool, p->name, &list, err);
    if (code == PDR_NOT_FOUND)
        return pdr_fail(err, PDR_NOT_FOUND,
                        "projection %.100s isn't there: `perdure project run` makes its first version",
                        p->name);
    if (code != PDR_OK) return code;
    const pdr_version_row *live = pdr_version_in(&list, PDR_VERSION_LIVE);
    const pdr_version_row *own = pdr_version_find(&list, p->version);
    r->resumed = own != NULL;
    if (own && own->fingerprint != p->fingerprint)
        return pdr_fail(err, PDR_CONFLICT,
                        "version %" PRIu32
                        " of %.100s was made from another definition: give the changed one a "
                        "higher version",
                        p->version, p->name);
    if (own == live && own)
        return pdr_fail(err, PDR_CONFLICT,
                        "version %" PRIu32
                        " of %.100s is the live one: give the changed definition a higher version",
                        p->version, p->name);
    if (own && own->fault[0])
        return pdr_fail(err, PDR_CONFLICT,
                        "version %" PRIu32 " of %.100s has stopped: %.200s; see `perdure project reset`",
                        p->version, p->name, own->fault);
    if (live) return PDR_OK;
    return pdr_fail(err, PDR_CONFLICT,
                    "projection %.100s has no live version beside which another could be built", p->name);
}

static pdr_code make_version(rebuild *r, pdr_error *err)
{
    const pdr_projection *p = r->projection;
    const pdr_views_ops *ops = r->tool.views->ops;
    pdr_version_spec spec = {.projection = p->name,
                             .version = p->version,
                             .fingerprint = p->fingerprint,
                             .tables = p->tables,
                             .table_count = p->table_count,
                             .partitions = r->tool.info.partitions};
    memcpy(spec.journal_id, r->tool.journal_id, sizeof spec.journal_id);
    pdr_code code = ops->create(r->tool.views, &spec, PDR_TOOL_TIMEOUT_MS, err);
    if (code == PDR_EXISTS) code = PDR_OK;
    if (code == PDR_OK && r->throttle >= 0)
        code = ops->set_throttle(r->tool.views, p->name, p->version, (uint32_t)r->throttle,
                                 PDR_TOOL_TIMEOUT_MS, err);
    return code;
}

static pdr_code count_events(rebuild *r, uint64_t *events, pdr_error *err)
{
    static pdr_position_row rows[PDR_LOG_MAX_PARTITIONS];
    size_t count;
    pdr_code code = pdr_tool_positions(&r->tool, r->projection->name, r->projection->version, rows,
                                       PDR_LOG_MAX_PARTITIONS, &count, err);
    *events = 0;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        *events += rows[i].events;
    return code;
}

/* --- workers --- */

static size_t workers_of(const rebuild *r)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int64_t wanted = r->workers_wanted ? r->workers_wanted : cores > 0 ? cores : 1;
    if (wanted > r->tool.info.partitions) wanted = r->tool.info.partitions;
    return wanted > MAX_WORKERS ? MAX_WORKERS : (size_t)wanted;
}

/* A C projection of the application is given as its type. */
static const pdr_projection_type *type_of(const rebuild *r)
{
    const pdr_projection_list *types;
    if (pdr_tool_is_file(r->what) || pdr_project_types(&r->tool.app, &types, NULL) != PDR_OK) return NULL;
    for (size_t i = 0; i < types->count; i++)
        if (types->items[i]->version == r->projection->version &&
            strcmp(types->items[i]->name, r->projection->name) == 0)
            return types->items[i];
    return NULL;
}

static pdr_code open_worker(rebuild *r, size_t index, size_t count, int32_t *partitions, pdr_error *err)
{
    pdr_worker_options options = PDR_WORKER_OPTIONS_INIT;
    const pdr_projection_type *type = type_of(r);
    size_t own = 0;
    for (int32_t i = (int32_t)index; i < r->tool.info.partitions; i += (int32_t)count)
        partitions[own++] = i;
    options.journal = r->tool.target.base.journal;
    options.store = r->tool.target.base.store;
    options.views = r->tool.target.views;
    options.app = r->tool.app.app;
    options.files = &r->what;
    options.file_count = type ? 0 : 1;
    options.types = &type;
    options.type_count = type ? 1 : 0;
    options.partitions = partitions;
    options.partition_count = own;
    options.settings = r->tool.setting_list.items;
    options.setting_count = r->tool.setting_list.count;
    options.log_line = pdr_cli_log_line;
    options.context = (void *)(uintptr_t)&pdr_cli_project_rebuild;
    return pdr_worker_open(&r->workers[index], &options, err);
}

static pdr_code open_workers(rebuild *r, pdr_error *err)
{
    size_t count = workers_of(r);
    int32_t *partitions = pdr_calloc((size_t)r->tool.info.partitions, sizeof *partitions);
    if (!partitions) return pdr_fail(err, PDR_NOMEM, "partitions");
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        code = open_worker(r, i, count, partitions, err);
        r->worker_count = i + 1;
    }
    pdr_free(partitions);
    return code;
}

/* --- progress --- */

static void sum_up(const rebuild *r, pdr_worker_status *all)
{
    *all = (pdr_worker_status){.state = ""};
    for (size_t i = 0; i < r->worker_count; i++) {
        pdr_worker_status one;
        if (!r->workers[i] || pdr_worker_status_get(r->workers[i], &one, 1) != 1) continue;
        all->events += one.events;
        all->batches += one.batches;
        all->rows += one.rows;
        all->lag_events += one.lag_events;
        all->parked += one.parked;
    }
}

static double seconds_of(const rebuild *r)
{
    return (double)(pdr_mono_us() - r->began_us) / 1e6;
}

static void show(rebuild *r)
{
    char line[200];
    pdr_worker_status all;
    sum_up(r, &all);
    double seconds = seconds_of(r);
    double rate = seconds > 0 ? (double)all.events / seconds : 0;
    int size =
        snprintf(line, sizeof line, "%s v%" PRIu32 ": %" PRIu64 " events, %.0f a second, %" PRIu64 " to come",
                 r->projection->name, r->projection->version, all.events, rate, all.lag_events);
    if (rate > 0 && size > 0 && (size_t)size < sizeof line)
        snprintf(line + size, sizeof line - (size_t)size, ", %.0f s left", (double)all.lag_events / rate);
    pdr_cli_progress("%s", line);
    int64_t now = pdr_mono_us();
    if (isatty(STDERR_FILENO) == 1 || now - r->line_us < LINE_US) return;
    r->line_us = now;
    fprintf(stderr, "%s\n", line);
}

static pdr_code report(rebuild *r, pdr_error *err)
{
    pdr_worker_status all;
    uint64_t total;
    double seconds = seconds_of(r);
    sum_up(r, &all);
    pdr_code code = count_events(r, &total, err);
    if (code != PDR_OK) return code;
    const char *name = r->projection->name;
    uint32_t version = r->projection->version;
    pdr_cli_progress_end();
    if (r->json) {
        printf("{\"projection\":\"%s\",\"version\":%" PRIu32
               ",\"caught_up\":%s,\"resumed\":%s,\"events\":%" PRIu64 ",\"events_in_all\":%" PRIu64
               ",\"rows\":%" PRIu64 ",\"seconds\":%.3f,\"parked\":%" PRIu64 "}\n",
               name, version, r->stopped ? "false" : "true", r->resumed ? "true" : "false", all.events, total,
               all.rows, seconds, all.parked);
        return PDR_OK;
    }
    printf("%s v%" PRIu32 ": %" PRIu64 " events in %.1f s, %.0f a second, on %zu threads; %" PRIu64
           " rows written, %" PRIu64 " events parked\n",
           name, version, all.events, seconds, seconds > 0 ? (double)all.events / seconds : 0,
           r->worker_count, all.rows, all.parked);
    if (r->stopped)
        printf("stopped before it had caught up; run the same command again to go on\n");
    else
        printf(
            "compare it with `perdure project diff %s`; keep it fed (--keep, or `perdure project run`) for\n"
            "`perdure project swap %s --version %" PRIu32 "`\n",
            name, name, version);
    return PDR_OK;
}

/* --- work --- */

/* One worker that stopped ends them all: its error. */
static pdr_code look_for_stopped(const rebuild *r, pdr_error *err)
{
    for (size_t i = 0; i < r->worker_count; i++) {
        pdr_worker_status one;
        if (pdr_worker_status_get(r->workers[i], &one, 1) != 1 || strcmp(one.state, "stopped") != 0) continue;
        if (err) *err = one.error;
        return one.error.code;
    }
    return PDR_OK;
}

/* The ends of the log are asked for anew each time: PDR_TIMEOUT means that it isn't there yet. */
static pdr_code catch_up(rebuild *r, bool *all, pdr_error *err)
{
    *all = true;
    for (size_t i = 0; i < r->worker_count; i++) {
        pdr_worker_status one;
        if (r->caught_up[i]) continue;
        bool near = pdr_worker_status_get(r->workers[i], &one, 1) == 1 && one.lag_events < 1000;
        pdr_code code = near ? pdr_worker_catch_up(r->workers[i], CATCH_UP_MS, err) : PDR_TIMEOUT;
        r->caught_up[i] = code == PDR_OK;
        if (code == PDR_TIMEOUT || code == PDR_UNAVAILABLE)
            *all = false;
        else if (code != PDR_OK)
            return code;
    }
    return PDR_OK;
}

static pdr_code drive(rebuild *r, pdr_error *err)
{
    bool all = false;
    for (;;) {
        show(r);
        pdr_code code = look_for_stopped(r, err);
        if (code == PDR_OK && !all) code = catch_up(r, &all, err);
        if (code != PDR_OK || (all && !r->keep)) return code;
        if (!pdr_signal_comes(LOOK_MS)) continue;
        r->stopped = !all;
        return PDR_OK;
    }
}

static pdr_code work(rebuild *r, pdr_error *err)
{
    if (!r->what) return pdr_fail(err, PDR_INVALID_ARGUMENT, "give NAME or FILE");
    pdr_code code = find_definition(r, err);
    if (code == PDR_OK) code = pdr_tool_open_views(&r->tool, err);
    if (code == PDR_OK) code = check_versions(r, err);
    if (code == PDR_OK) code = pdr_tool_open_journal(&r->tool, err);
    if (code == PDR_OK) code = make_version(r, err);
    r->began_us = r->line_us = pdr_mono_us();
    if (code == PDR_OK) code = open_workers(r, err);
    if (code == PDR_OK) code = drive(r, err);
    pdr_error ignored;
    for (size_t i = 0; i < r->worker_count; i++) {
        if (!r->workers[i]) continue;
        pdr_code drained = pdr_worker_drain(r->workers[i], DRAIN_MS, code == PDR_OK ? err : &ignored);
        if (code == PDR_OK) code = drained;
    }
    return code == PDR_OK ? report(r, err) : code;
}

static int run(int argc, char **argv)
{
    rebuild r = {.throttle = -1};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "NAME|FILE", NULL, "the new definition's file, or a projection in C", &r.what, 0, 0},
        PDR_TOOL_FLAGS(r.tool),
        {PDR_FLAG_NUMBER, "--threads", "N",
         "projectors at once, each on partitions of its own; default one per core", &r.workers_wanted, 1,
         MAX_WORKERS},
        {PDR_FLAG_NUMBER, "--throttle", "N",
         "at most N events a second in all; 0: no limit; kept with the version", &r.throttle, 0, 1000000000},
        {PDR_FLAG_SWITCH, "--keep", NULL, "go on feeding it when it has caught up, until SIGTERM or SIGINT",
         &r.keep, 0, 0},
        {PDR_FLAG_SWITCH, "--json", NULL, "one JSON object instead of text", &r.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_project_rebuild, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_hold_signals();
    pdr_error err;
    pdr_code code = work(&r, &err);
    for (size_t i = 0; i < r.worker_count; i++)
        pdr_worker_close(r.workers[i]);
    pdr_tool_release(&r.tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_project_rebuild, &err);
}

const pdr_cli_command pdr_cli_project_rebuild = {
    .name = "project rebuild",
    .summary = "build a new version of a projection beside the live one",
    .about =
        "Projects the whole log into tables of the new version while readers see the live one, which its own "
        "workers go on\n"
        "feeding. Ends when the log's end is reached. Stopped or killed, it goes on where it was when it is "
        "run "
        "again;\n"
        "`perdure project pause` and `resume` hold it; `perdure project delete --version N` gives it up.\n"
        "\n"
        "  perdure project rebuild projections/applications.sql\n",
    .run = run};
