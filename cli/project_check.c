/* perdure project check: definitions against schemas and database, without running them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/json.h"
#include "cli/project_tool.h"
#include "projections/backends.h"
#include "projections/worker_plan.h"

enum { MAX_REPORT = 4 * 1024 * 1024 };

typedef struct checking {
    pdr_project_tool tool;
    pdr_words files;
    bool json;
    size_t faults;
    pdr_error fault; /* the last */
    pdr_buf out;
} checking;

static pdr_code put(checking *c, const char *what, const pdr_projection *projection, const char *said)
{
    bool first = c->out.size <= 1;
    if (!c->json)
        return projection ? pdr_buf_printf(&c->out, "%s: %s v%" PRIu32 ", %s\n", what, projection->name,
                                           projection->version, said)
                          : pdr_buf_printf(&c->out, "%s\n", said);
    pdr_code code = pdr_buf_printf(&c->out, "%s{\"definition\":", first ? "" : ",\n ");
    if (code == PDR_OK) code = pdr_json_text(&c->out, pdr_bytes_of(what, strlen(what)));
    if (code == PDR_OK && projection)
        code = pdr_buf_printf(&c->out, ",\"projection\":\"%s\",\"version\":%" PRIu32, projection->name,
                              projection->version);
    if (code == PDR_OK) code = pdr_buf_printf(&c->out, ",\"says\":");
    if (code == PDR_OK) code = pdr_json_text(&c->out, pdr_bytes_of(said, strlen(said)));
    return code == PDR_OK ? pdr_buf_printf(&c->out, "}") : code;
}

static pdr_code put_fault(checking *c, const char *what, const pdr_projection *projection,
                          const pdr_error *fault)
{
    c->faults++;
    c->fault = *fault;
    return put(c, what, projection, fault->message);
}

/* --- against the database --- */

static bool is_class_of_findings(pdr_code code)
{
    return code == PDR_BAD_VIEW || code == PDR_CONFLICT || code == PDR_WRONG_JOURNAL;
}

static pdr_code compare(checking *c, const pdr_projection *projection, const char **said, pdr_error *err)
{
    pdr_version_list list;
    pdr_version_spec spec = {.projection = projection->name,
                             .version = projection->version,
                             .fingerprint = projection->fingerprint,
                             .tables = projection->tables,
                             .table_count = projection->table_count};
    pdr_code code = pdr_tool_versions(&c->tool, NULL, &list, err);
    if (code == PDR_NOT_INITIALISED) {
        list.count = 0;
        code = PDR_OK;
    }
    if (code != PDR_OK) return code;
    const pdr_version_row *row = NULL;
    bool live = false;
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.rows[i].projection, projection->name) != 0) continue;
        live = live || list.rows[i].state == PDR_VERSION_LIVE;
        if (list.rows[i].version == projection->version) row = &list.rows[i];
    }
    *said =
        live ? "fine; this version isn't there yet: `perdure project rebuild` builds it beside the live one"
             : "fine; the database doesn't have it yet: `perdure project run` makes it";
    if (!row) return PDR_OK;
    *said = "fine; the database has it as it is";
    if (row->fingerprint != projection->fingerprint)
        return pdr_fail(err, PDR_CONFLICT,
                        "version %" PRIu32
                        " was made from another definition: give the changed one a higher version and run "
                        "`perdure project rebuild %s`",
                        row->version, row->projection);
    return c->tool.views->ops->verify(c->tool.views, &spec, PDR_TOOL_TIMEOUT_MS, err);
}

static pdr_code check_one(checking *c, const char *what, const pdr_projection *projection, pdr_error *err)
{
    const char *said = "fine";
    pdr_code code = c->tool.views ? compare(c, projection, &said, err) : PDR_OK;
    if (is_class_of_findings(code)) return put_fault(c, what, projection, err);
    return code == PDR_OK ? put(c, what, projection, said) : code;
}

/* --- definitions --- */

static pdr_code check_file(checking *c, const char *file, pdr_error *err)
{
    const pdr_projection *projection;
    pdr_code code = pdr_tool_read_file(&c->tool, file, &projection, err);
    if (code == PDR_NOMEM) return code;
    return code == PDR_OK ? check_one(c, file, projection, err) : put_fault(c, file, NULL, err);
}

static pdr_code check_type(checking *c, const pdr_projection_type *type, pdr_error *err)
{
    pdr_projection *projection;
    const char *what = type && type->name ? type->name : "a projection in C";
    pdr_code code = pdr_projection_of(&projection, type, err);
    if (code == PDR_NOMEM) return code;
    if (code != PDR_OK) return put_fault(c, what, NULL, err);
    code = check_one(c, what, projection, err);
    pdr_projection_close(projection);
    return code;
}

/* Nothing is made in the database. Without a URL only the definitions are looked at. */
static pdr_code open_views(checking *c, pdr_error *err)
{
    const char *variable = getenv("PERDURE_VIEWS");
    if (!c->tool.target.views && !(variable && *variable)) return PDR_OK;
    return pdr_tool_connect(&c->tool, err);
}

static pdr_code work(checking *c, pdr_error *err)
{
    const pdr_projection_list *types;
    pdr_code code = pdr_tool_open_app(&c->tool, err);
    if (code == PDR_OK) code = pdr_project_types(&c->tool.app, &types, err);
    if (code == PDR_OK) code = open_views(c, err);
    if (code == PDR_OK && c->json) code = pdr_buf_printf(&c->out, "[");
    for (int i = 0; code == PDR_OK && i < c->files.count; i++)
        code = check_file(c, c->files.items[i], err);
    for (size_t i = 0; code == PDR_OK && i < types->count; i++)
        code = check_type(c, types->items[i], err);
    if (code == PDR_OK && c->json) code = pdr_buf_printf(&c->out, "]\n");
    if (code == PDR_OK) code = pdr_cli_print(&c->out, err);
    return code;
}

static int run(int argc, char **argv)
{
    checking c = {.out = PDR_BUF_INIT(MAX_REPORT)};
    const pdr_flag flags[] = {
        {PDR_FLAG_WORDS, "[FILES...]", NULL, "", &c.files, 0, PDR_TOOL_MAX_FILES},
        PDR_TOOL_FLAGS(c.tool),
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON array instead of text", &c.json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_project_check, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = work(&c, &err);
    pdr_buf_release(&c.out);
    pdr_tool_release(&c.tool);
    if (code != PDR_OK) return pdr_cli_fail(&pdr_cli_project_check, &err);
    return c.faults ? pdr_exit_of(c.fault.code) : PDR_EXIT_DONE;
}

const pdr_cli_command pdr_cli_project_check = {
    .name = "project check",
    .summary = "definitions against schemas and database, without running them",
    .about = "Each of FILES, and each projection in C that the application exports: does it fit the events' "
             "schemas; and, with\n"
             "--views, is its version there, made from this definition, and do the tables stand as declared? "
             "Changes\n"
             "nothing.\n"
             "\n"
             "  perdure project check projections/applications.sql\n",
    .run = run};
