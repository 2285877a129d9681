/* perdure project status: how far each projection is, how far behind, and whether that grows. */
#include "cli/project_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

enum { MAX_REPORT = 256 * 1024 * 1024, DEFAULT_OVER_MS = 1000 };

typedef struct status {
    pdr_project_tool tool;
    const char *name; /* NULL: all */
    int64_t over_ms;
    bool json;
    pdr_standing *standings;
    size_t count;
} status;

/* Without a journal's URL positions can be told, but not how far behind they are. */
static pdr_code open_log(status *s, pdr_log **out, pdr_error *err)
{
    const char *variable = getenv("PERDURE_JOURNAL");
    const char *url = s->tool.target.base.journal ? s->tool.target.base.journal : variable;
    *out = NULL;
    if (!url || !*url) return PDR_OK;
    pdr_backends backends;
    memset(&backends, 0, sizeof backends);
    pdr_code code = pdr_url_parse_journal(&backends.log, url, err);
    if (code == PDR_OK) code = pdr_backends_log_open(&backends, out, err);
    pdr_backends_release(&backends);
    return code;
}

static void set_trends(const pdr_standing *before, pdr_standing *after, size_t count, int64_t us)
{
    for (size_t i = 0; i < count && us > 0; i++)
        after[i].trend = ((double)after[i].lag - (double)before[i].lag) * 1e6 / (double)us;
}

/* Two looks, for the trend. */
static pdr_code look(status *s, pdr_log *log, const pdr_version_list *list, pdr_error *err)
{
    pdr_standing *first = pdr_arena_alloc(&s->tool.arena, (list->count + 1) * sizeof *first);
    pdr_standing *second = pdr_arena_alloc(&s->tool.arena, (list->count + 1) * sizeof *second);
    if (!first || !second) return pdr_fail(err, PDR_NOMEM, "%zu versions", list->count);
    int64_t began = pdr_mono_us();
    s->standings = first;
    s->count = list->count;
    pdr_code code = pdr_standing_look(&s->tool, log, list, first, err);
    if (code != PDR_OK || !log || s->over_ms == 0 || list->count == 0) return code;
    struct timespec pause = {s->over_ms / 1000, (long)(s->over_ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
    code = pdr_standing_look(&s->tool, log, list, second, err);
    set_trends(first, second, list->count, pdr_mono_us() - began);
    s->standings = second;
    return code;
}

static pdr_code put_all(const status *s, pdr_buf *out)
{
    int64_t wall_us = pdr_wall_us();
    pdr_code code = s->json ? pdr_buf_printf(out, "[") : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < s->count; i++) {
        if (i) code = pdr_buf_printf(out, s->json ? ",\n " : "\n");
        if (code == PDR_OK)
            code = s->json ? pdr_standing_json(out, &s->standings[i])
                           : pdr_standing_text(out, &s->standings[i], wall_us);
    }
    return code == PDR_OK && s->json ? pdr_buf_printf(out, "]\n") : code;
}

static pdr_code work(status *s, pdr_error *err)
{
    pdr_log *log;
    pdr_version_list list;
    pdr_code code = pdr_tool_open_views(&s->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&s->tool, s->name, &list, err);
    if (code == PDR_OK) code = open_log(s, &log, err);
    if (code != PDR_OK) return code;
    code = look(s, log, &list, err);
    if (log) log->ops->close(log);
    if (code != PDR_OK) return code;
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    return pdr_cli_print_made(&out, put_all(s, &out), "the report", err);
}

static int run(int argc, char **argv)
{
    status s = {.over_ms = DEFAULT_OVER_MS};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "[NAME]", NULL, "this projection only", &s.name, 0, 0},
        PDR_TOOL_FLAGS(s.tool),
        {PDR_FLAG_NUMBER, "--over", "MS",
         "time between the two looks that tell the trend; default 1000; 0: one look", &s.over_ms, 0, 600000},
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON array instead of text", &s.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_project_status, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&s, &err);
    pdr_tool_release(&s.tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_project_status, &err);
}

const pdr_cli_command pdr_cli_project_status = {
    .name = "project status",
    .summary = "positions, lag, who works, what is parked",
    .about =
        "Per version and partition: the committed position, the log's end, offsets between them (an upper "
        "bound of\n"
        "events), parked events, and which worker moved the position last and when. In all: lag in events "
        "and in\n"
        "seconds of event time, and whether it grows.\n"
        "\n"
        "  perdure project status applications\n",
    .run = run};
