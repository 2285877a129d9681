/* perdure project list: which projections and versions a database has. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/json.h"
#include "cli/project_tool.h"

enum { MAX_REPORT = 64 * 1024 * 1024 };

typedef struct listing {
    pdr_project_tool tool;
    const char *name; /* NULL: all */
    bool json;
} listing;

static pdr_code put_text(pdr_buf *out, const pdr_version_row *row)
{
    pdr_code code = pdr_buf_printf(out, "%s v%" PRIu32 ": %s%s", row->projection, row->version,
                                   pdr_version_state_name(row->state), row->paused ? ", paused" : "");
    if (code == PDR_OK && row->throttle)
        code = pdr_buf_printf(out, ", at most %" PRIu32 " events/s while it is built", row->throttle);
    if (code == PDR_OK && row->fault[0]) code = pdr_buf_printf(out, ", stopped\n  %s", row->fault);
    return code == PDR_OK ? pdr_buf_printf(out, "\n") : code;
}

static pdr_code put_json(pdr_buf *out, const pdr_version_row *row)
{
    pdr_code code = pdr_buf_printf(
        out,
        "{\"projection\":\"%s\",\"version\":%" PRIu32 ",\"state\":\"%s\",\"paused\":%s,\"throttle\":%" PRIu32
        ",\"created_us\":%" PRId64 ",\"changed_us\":%" PRId64 ",\"fault\":",
        row->projection, row->version, pdr_version_state_name(row->state), row->paused ? "true" : "false",
        row->throttle, row->created_us, row->changed_us);
    if (code == PDR_OK)
        code = row->fault[0] ? pdr_json_text(out, pdr_bytes_of(row->fault, strlen(row->fault)))
                             : pdr_buf_printf(out, "null");
    return code == PDR_OK ? pdr_buf_printf(out, "}") : code;
}

static pdr_code put_all(const listing *l, const pdr_version_list *list, pdr_buf *out)
{
    pdr_code code = l->json ? pdr_buf_printf(out, "[") : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < list->count; i++) {
        if (l->json && i) code = pdr_buf_printf(out, ",\n ");
        if (code == PDR_OK) code = l->json ? put_json(out, &list->rows[i]) : put_text(out, &list->rows[i]);
    }
    return code == PDR_OK && l->json ? pdr_buf_printf(out, "]\n") : code;
}

static pdr_code work(listing *l, pdr_error *err)
{
    pdr_version_list list;
    pdr_code code = pdr_tool_open_views(&l->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&l->tool, l->name, &list, err);
    if (code != PDR_OK) return code;
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    return pdr_cli_print_made(&out, put_all(l, &list, &out), "the list", err);
}

static int run(int argc, char **argv)
{
    listing l = {.name = NULL};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORD, "[NAME]", NULL, "this projection only", &l.name, 0, 0},
        PDR_TOOL_FLAGS(l.tool),
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON array instead of text", &l.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_project_list, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&l, &err);
    pdr_tool_release(&l.tool);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_project_list, &err);
}

const pdr_cli_command pdr_cli_project_list = {
    .name = "project list",
    .summary = "projections and their versions",
    .about =
        "One line per version that the database has: building, live or former; paused; throttled; stopped "
        "and why.\n"
        "\n"
        "  perdure project list applications\n",
    .run = run};
