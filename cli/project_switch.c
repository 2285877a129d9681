/* perdure project pause, resume, throttle: switches that workers look at once a second. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/project_tool.h"

typedef struct project_switch {
    const pdr_cli_command *command;
    pdr_project_tool tool;
    const char *name;
    int64_t version; /* 0: not given */
    int64_t per_second;
    bool json;
} project_switch;

typedef pdr_code (*turn)(project_switch *s, const pdr_version_row *row, pdr_error *err);

static pdr_code pause_one(project_switch *s, const pdr_version_row *row, pdr_error *err)
{
    return s->tool.views->ops->set_paused(s->tool.views, s->name, row->version, true, PDR_TOOL_TIMEOUT_MS,
                                          err);
}

static pdr_code resume_one(project_switch *s, const pdr_version_row *row, pdr_error *err)
{
    const pdr_views_ops *ops = s->tool.views->ops;
    pdr_code code = ops->set_paused(s->tool.views, s->name, row->version, false, PDR_TOOL_TIMEOUT_MS, err);
    if (code != PDR_OK || !row->fault[0]) return code;
    return ops->set_fault(s->tool.views, s->name, row->version, NULL, PDR_TOOL_TIMEOUT_MS, err);
}

static pdr_code throttle_one(project_switch *s, const pdr_version_row *row, pdr_error *err)
{
    return s->tool.views->ops->set_throttle(s->tool.views, s->name, row->version, (uint32_t)s->per_second,
                                            PDR_TOOL_TIMEOUT_MS, err);
}

static pdr_code work(project_switch *s, turn one, pdr_error *err)
{
    pdr_version_list list;
    const pdr_version_row *row;
    if (!s->name) return pdr_fail(err, PDR_INVALID_ARGUMENT, "give the projection's NAME");
    if (s->per_second < 0) return pdr_fail(err, PDR_INVALID_ARGUMENT, "give --events N");
    pdr_code code = pdr_tool_open_views(&s->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&s->tool, s->name, &list, err);
    if (code == PDR_OK && s->version) code = pdr_version_pick(&list, s->name, s->version, &row, err);
    for (size_t i = 0; code == PDR_OK && i < list.count; i++)
        if (!s->version || list.rows[i].version == (uint32_t)s->version) code = one(s, &list.rows[i], err);
    return code;
}

static int end(project_switch *s, turn one)
{
    pdr_error err;
    pdr_code code = work(s, one, &err);
    pdr_tool_release(&s->tool);
    if (code != PDR_OK) return pdr_cli_fail(s->command, &err);
    if (s->json)
        printf("{\"projection\":\"%s\"}\n", s->name);
    else
        printf("done; workers see it within a second or two\n");
    return PDR_EXIT_DONE;
}

#define COMMON_FLAGS(s)                                                                                      \
    {PDR_FLAG_WORD, "NAME", NULL, "the projection", &(s).name, 0, 0},                                        \
        {PDR_FLAG_NUMBER, "--version", "N",       "only this version; default all that there are",           \
         &(s).version,    1,           UINT32_MAX},                                                          \
        PDR_TOOL_FLAGS((s).tool),                                                                            \
    {                                                                                                        \
        PDR_FLAG_SWITCH, "--json", NULL, "a JSON object instead of text", &(s).json, 0, 0                    \
    }
#define NO_MORE_FLAGS                                                                                        \
    {                                                                                                        \
        PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0                                                           \
    }

static int run_simple(const pdr_cli_command *command, turn one, int argc, char **argv)
{
    project_switch s = {.command = command};
    const pdr_flag flags[] = {COMMON_FLAGS(s), NO_MORE_FLAGS};
    pdr_flags_outcome parsed = pdr_flags_parse(command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    return end(&s, one);
}

static int run_pause(int argc, char **argv)
{
    return run_simple(&pdr_cli_project_pause, pause_one, argc, argv);
}

static int run_resume(int argc, char **argv)
{
    return run_simple(&pdr_cli_project_resume, resume_one, argc, argv);
}

static int run_throttle(int argc, char **argv)
{
    project_switch s = {.command = &pdr_cli_project_throttle, .per_second = -1};
    const pdr_flag flags[] = {{PDR_FLAG_NUMBER, "--events", "N",
                               "events per second, shared out over its partitions; 0: no limit",
                               &s.per_second, 0, INT32_MAX},
                              COMMON_FLAGS(s),
                              NO_MORE_FLAGS};
    pdr_flags_outcome parsed = pdr_flags_parse(s.command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    return end(&s, throttle_one);
}

const pdr_cli_command pdr_cli_project_pause = {
    .name = "project pause",
    .summary = "let a projection stand still",
    .about = "Its workers go on running, commit what they have, and project nothing more until `perdure "
             "project resume`.\n"
             "\n"
             "  perdure project pause applications\n",
    .run = run_pause};

const pdr_cli_command pdr_cli_project_resume = {
    .name = "project resume",
    .summary = "let a paused or stopped projection go on",
    .about = "What stopped it must have been mended: a version that an error stopped is tried again from its "
             "position, which\n"
             "only ever covers what is in its rows.\n"
             "\n"
             "  perdure project resume applications\n",
    .run = run_resume};

const pdr_cli_command pdr_cli_project_throttle = {
    .name = "project throttle",
    .summary = "limit how fast a version is built",
    .about =
        "Counts while the version is being built beside the live one, so that the database has air for its "
        "readers.\n"
        "Workers have a limit of their own, setting project.throttle.\n"
        "\n"
        "  perdure project throttle applications --events 5000\n",
    .run = run_throttle};
