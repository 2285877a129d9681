/* perdure project reset, perdure project delete: rows go, events stay. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/project_tool.h"

typedef struct removal {
    const pdr_cli_command *command;
    pdr_project_tool tool;
    const char *name;
    int64_t version; /* 0: not given */
    bool all, yes, json;
} removal;

typedef pdr_code (*removing)(removal *r, pdr_error *err);

static pdr_code pick(removal *r, const pdr_version_row **row, pdr_error *err)
{
    pdr_version_list list;
    pdr_code code = pdr_tool_open_views(&r->tool, err);
    if (code == PDR_OK) code = pdr_tool_versions(&r->tool, r->name, &list, err);
    *row = NULL;
    if (code == PDR_OK && r->version) code = pdr_version_pick(&list, r->name, r->version, row, err);
    return code;
}

/* --- reset --- */

typedef struct placing {
    int32_t partitions;
} placing;

static pdr_code count_partition(void *context, const pdr_position_row *row, pdr_error *err)
{
    placing *p = context;
    (void)err;
    if (row->partition >= p->partitions) p->partitions = row->partition + 1;
    return PDR_OK;
}

/* The tables are those that the version's row declares: no definition is needed. */
static pdr_code reset(removal *r, pdr_error *err)
{
    const pdr_version_row *row;
    placing p = {0};
    const pdr_views_ops *ops;
    pdr_code code = pick(r, &row, err);
    if (code != PDR_OK) return code;
    ops = r->tool.views->ops;
    pdr_version_spec spec = {.projection = r->name, .version = row->version, .fingerprint = row->fingerprint};
    memcpy(spec.journal_id, row->journal_id, sizeof spec.journal_id);
    if (!row->declared[0])
        return pdr_fail(err, PDR_UNSUPPORTED, "version %" PRIu32 " was made by an older perdure; rebuild it",
                        row->version);
    code = pdr_view_tables_parse(&spec.tables, &spec.table_count, &r->tool.arena, row->declared, err);
    if (code == PDR_OK) code = ops->positions(r->tool.views, r->name, row->version, count_partition, &p, err);
    spec.partitions = p.partitions;
    if (code == PDR_OK) code = ops->verify(r->tool.views, &spec, PDR_TOOL_TIMEOUT_MS, err);
    if (code == PDR_BAD_VIEW)
        return pdr_fail_context(
            err, code,
            "it can't be emptied (`perdure project delete %s --all` drops what is left of "
            "it, and the next run makes it anew)",
            r->name);
    if (code == PDR_OK && r->yes) code = ops->reset(r->tool.views, &spec, PDR_TOOL_TIMEOUT_MS, err);
    return code;
}

/* --- delete --- */

static pdr_code erase(removal *r, pdr_error *err)
{
    const pdr_version_row *row;
    pdr_code code = pick(r, &row, err);
    if (code != PDR_OK) return code;
    if (row && row->state == PDR_VERSION_LIVE)
        return pdr_fail(err, PDR_CONFLICT,
                        "version %" PRIu32
                        " is the live one; swap first, or delete the projection with --all",
                        row->version);
    if (!r->yes) return PDR_OK;
    return r->tool.views->ops->drop(r->tool.views, r->name, row ? row->version : 0, r->all,
                                    PDR_TOOL_TIMEOUT_MS, err);
}

/* --- both --- */

static pdr_code check(const removal *r, pdr_error *err)
{
    if (!r->name) return pdr_fail(err, PDR_INVALID_ARGUMENT, "give the projection's NAME");
    if (r->all && r->version)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--all and --version exclude each other");
    if (r->all || r->version) return PDR_OK;
    return pdr_fail(err, PDR_INVALID_ARGUMENT, "give --version N%s",
                    r->command == &pdr_cli_project_delete ? ", or --all" : "");
}

static int end(removal *r, removing one, const char *done, const char *advice)
{
    pdr_error err;
    pdr_code code = check(r, &err);
    if (code == PDR_OK) code = one(r, &err);
    pdr_tool_release(&r->tool);
    if (code == PDR_CONFLICT)
        return pdr_cli_refuse(r->command, err.message,
                              "`perdure project list` shows which versions there are");
    if (code != PDR_OK) return pdr_cli_fail(r->command, &err);
    if (!r->yes) return pdr_cli_refuse(r->command, "nothing was done", advice);
    if (r->json)
        printf("{\"projection\":\"%s\",\"version\":%" PRId64 "}\n", r->name, r->version);
    else
        printf("%s\n", done);
    return PDR_EXIT_DONE;
}

#define COMMON_FLAGS(r)                                                                                      \
    {PDR_FLAG_WORD, "NAME", NULL, "the projection", &(r).name, 0, 0},                                        \
        {PDR_FLAG_NUMBER, "--version", "N", "which version", &(r).version, 1, UINT32_MAX},                   \
        PDR_TOOL_FLAGS((r).tool), {PDR_FLAG_SWITCH, "--yes", NULL, "do it", &(r).yes, 0, 0},                 \
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON object instead of text", &(r).json, 0, 0},                 \
    {                                                                                                        \
        PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0                                                           \
    }

static int run_reset(int argc, char **argv)
{
    removal r = {.command = &pdr_cli_project_reset};
    const pdr_flag flags[] = {COMMON_FLAGS(r)};
    pdr_flags_outcome parsed = pdr_flags_parse(r.command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    return end(&r, reset, "emptied; its workers begin at the start of the log",
               "--yes empties the version's tables; readers of a live one see them fill again, so `perdure "
               "project rebuild` is mostly what you want");
}

static int run_delete(int argc, char **argv)
{
    removal r = {.command = &pdr_cli_project_delete};
    const pdr_flag flags[] = {{PDR_FLAG_SWITCH, "--all", NULL,
                               "the whole projection, its views and live tables included", &r.all, 0, 0},
                              COMMON_FLAGS(r)};
    pdr_flags_outcome parsed = pdr_flags_parse(r.command, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    return end(&r, erase, "deleted; the events are where they were",
               "--yes drops the tables; end the workers of this version first, or they say that it is gone");
}

const pdr_cli_command pdr_cli_project_reset = {
    .name = "project reset",
    .summary = "empty a version and begin at the start of the log",
    .about =
        "Its tables are emptied, its positions go to the start, nothing is parked any more, and an error "
        "that stopped it\n"
        "is forgotten. Running workers notice and begin again.\n"
        "\n"
        "  perdure project reset applications --version 2 --yes\n",
    .run = run_reset};

const pdr_cli_command pdr_cli_project_delete = {
    .name = "project delete",
    .summary = "drop a version that isn't live, or a whole projection",
    .about =
        "Tables, positions and dead letters of the version go; with --all those of every version, and the "
        "views.\n"
        "\n"
        "  perdure project delete applications --version 1 --yes\n",
    .run = run_delete};
