/* perdure schema list: every schema that the application declares, and those of a log. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/json.h"
#include "cli/schema_catalog.h"

enum { MAX_REPORT = 256 * 1024 * 1024 };

#define TRY(call)                                                                                            \
    do {                                                                                                     \
        pdr_code try_code = (call);                                                                          \
        if (try_code != PDR_OK) return try_code;                                                             \
    } while (0)

static const char *const roles[] = {[PDR_SCHEMA_EVENT] = "event",
                                    [PDR_SCHEMA_OLDER] = "older event",
                                    [PDR_SCHEMA_GAP] = "gap",
                                    [PDR_SCHEMA_STATE] = "state",
                                    [PDR_SCHEMA_OLD_STATE] = "older state",
                                    [PDR_SCHEMA_COMMAND] = "command",
                                    [PDR_SCHEMA_UNDECLARED] = "not declared"};

/* --- text --- */

static pdr_code put_name(pdr_buf *out, const char *name, uint32_t version)
{
    TRY(pdr_buf_printf(out, "%s", name ? name : "(unreadable)"));
    return version ? pdr_buf_printf(out, " version %" PRIu32, version) : PDR_OK;
}

static pdr_code put_step(pdr_buf *out, const pdr_upcaster *step)
{
    if (step->to_count == 0) return pdr_buf_printf(out, ", dropped");
    TRY(pdr_buf_printf(out, step->upcast ? ", upcast to " : ", resolved to "));
    for (size_t i = 0; i < step->to_count; i++) {
        TRY(pdr_buf_printf(out, i ? " or " : ""));
        TRY(put_name(out, step->to[i]->name, step->to[i]->version));
    }
    return PDR_OK;
}

static pdr_code put_state_step(pdr_buf *out, const pdr_state_upcaster *step)
{
    TRY(pdr_buf_printf(out, step->upcast ? ", upcast to " : ", resolved to "));
    TRY(put_name(out, step->to->name, step->to->version));
    return pdr_buf_printf(out, ", revision %" PRIu32, step->to_revision);
}

static pdr_code put_entry(pdr_buf *out, const pdr_schema_entry *e)
{
    TRY(pdr_buf_printf(out, "  %-12s  ", roles[e->role]));
    TRY(put_name(out, e->name, e->version));
    TRY(pdr_buf_printf(out, ", fingerprint %016" PRIx64, e->fingerprint));
    if (e->role == PDR_SCHEMA_STATE || e->role == PDR_SCHEMA_OLD_STATE)
        TRY(pdr_buf_printf(out, ", revision %" PRIu32, e->revision));
    if (e->readable_by_older) TRY(pdr_buf_printf(out, ", readable by older code"));
    if (e->step) TRY(put_step(out, e->step));
    if (e->state_step) TRY(put_state_step(out, e->state_step));
    if (e->role == PDR_SCHEMA_GAP) TRY(pdr_buf_printf(out, ", MISSING: a step leads here and none leads on"));
    if (e->in_log) TRY(pdr_buf_printf(out, ", %" PRIu64 " in the log", e->events));
    if (e->in_store) TRY(pdr_buf_printf(out, ", in the store's table"));
    return pdr_buf_printf(out, "\n");
}

static pdr_code put_text(pdr_buf *out, const pdr_schema_catalog *c)
{
    const char *entity = "";
    for (size_t i = 0; i < c->count; i++) {
        const pdr_schema_entry *e = &c->entries[i];
        if (e->entity != entity && e->entity) TRY(pdr_buf_printf(out, "entity type %s\n", e->entity));
        if (e->entity != entity && !e->entity) TRY(pdr_buf_printf(out, "not declared\n"));
        entity = e->entity;
        TRY(put_entry(out, e));
    }
    return PDR_OK;
}

/* --- JSON --- */

static pdr_code json_text(pdr_buf *out, const char *key, const char *text)
{
    TRY(pdr_buf_printf(out, "\"%s\":", key));
    return text ? pdr_json_text(out, pdr_bytes_of(text, strlen(text))) : pdr_buf_printf(out, "null");
}

static pdr_code json_type(pdr_buf *out, const char *name, uint32_t version)
{
    TRY(json_text(out, "type", name));
    return version ? pdr_buf_printf(out, ",\"version\":%" PRIu32, version)
                   : pdr_buf_printf(out, ",\"version\":null");
}

static pdr_code json_step(pdr_buf *out, const pdr_upcaster *step)
{
    TRY(pdr_buf_printf(out, ",\"step\":\"%s\",\"to\":[",
                       step->to_count == 0 ? "drop"
                       : step->upcast      ? "function"
                                           : "resolution"));
    for (size_t i = 0; i < step->to_count; i++) {
        TRY(pdr_buf_printf(out, i ? ",{" : "{"));
        TRY(json_type(out, step->to[i]->name, step->to[i]->version));
        TRY(pdr_buf_printf(out, "}"));
    }
    return pdr_buf_printf(out, "]");
}

static pdr_code json_state_step(pdr_buf *out, const pdr_state_upcaster *step)
{
    TRY(pdr_buf_printf(out, ",\"step\":\"%s\",\"to\":[{", step->upcast ? "function" : "resolution"));
    TRY(json_type(out, step->to->name, step->to->version));
    return pdr_buf_printf(out, ",\"revision\":%" PRIu32 "}]", step->to_revision);
}

static pdr_code json_entry(pdr_buf *out, const pdr_schema_entry *e, const pdr_schema_catalog *c)
{
    TRY(pdr_buf_printf(out, "{"));
    TRY(json_text(out, "entity_type", e->entity));
    TRY(pdr_buf_printf(out, ",\"role\":\"%s\",", roles[e->role]));
    TRY(json_type(out, e->name, e->version));
    TRY(pdr_buf_printf(out, ",\"fingerprint\":\"%016" PRIx64 "\",\"readable_by_older\":%s", e->fingerprint,
                       e->readable_by_older ? "true" : "false"));
    if (e->role == PDR_SCHEMA_STATE || e->role == PDR_SCHEMA_OLD_STATE)
        TRY(pdr_buf_printf(out, ",\"revision\":%" PRIu32, e->revision));
    if (e->step) TRY(json_step(out, e->step));
    if (e->state_step) TRY(json_state_step(out, e->state_step));
    if (c->has_log)
        TRY(pdr_buf_printf(out, ",\"in_log\":%s,\"events\":%" PRIu64, e->in_log ? "true" : "false",
                           e->events));
    if (c->has_store) TRY(pdr_buf_printf(out, ",\"in_store\":%s", e->in_store ? "true" : "false"));
    return pdr_buf_printf(out, "}");
}

static pdr_code put_json(pdr_buf *out, const pdr_schema_catalog *c)
{
    TRY(pdr_buf_printf(out, "["));
    for (size_t i = 0; i < c->count; i++) {
        TRY(pdr_buf_printf(out, i ? ",\n " : ""));
        TRY(json_entry(out, &c->entries[i], c));
    }
    return pdr_buf_printf(out, "]\n");
}

/* --- the command --- */

static pdr_code print(const pdr_schema_catalog *catalog, bool json, pdr_error *err)
{
    pdr_buf out = PDR_BUF_INIT(MAX_REPORT);
    pdr_code made = json ? put_json(&out, catalog) : put_text(&out, catalog);
    return pdr_cli_print_made(&out, made, "the list", err);
}

static int run(int argc, char **argv)
{
    pdr_target target = {NULL, NULL, NULL};
    bool json = false;
    pdr_schema_catalog catalog;
    const pdr_flag flags[] = {
        PDR_APP_FLAG(target),
        {PDR_FLAG_TEXT, "--store", "URL", "also those of this store's table", &target.store, 0, 0},
        {PDR_FLAG_TEXT, "--journal", "URL", "also those of this log, which is read whole", &target.journal, 0,
         0},
        {PDR_FLAG_SWITCH, "--json", NULL, "a JSON array instead of text", &json, 0, 0},
        {PDR_FLAG_END, NULL, NULL, NULL, NULL, 0, 0},
    };
    pdr_flags_outcome parsed = pdr_flags_parse(&pdr_cli_schema_list, flags, argc, argv);
    if (parsed != PDR_FLAGS_RUN) return parsed == PDR_FLAGS_HELPED ? PDR_EXIT_DONE : PDR_EXIT_USAGE;
    pdr_error err;
    pdr_code code = pdr_schema_catalog_open(&catalog, &target, &err);
    if (code == PDR_OK) code = print(&catalog, json, &err);
    pdr_schema_catalog_release(&catalog);
    return code == PDR_OK ? PDR_EXIT_DONE : pdr_cli_fail(&pdr_cli_schema_list, &err);
}

const pdr_cli_command pdr_cli_schema_list = {
    .name = "schema list",
    .summary = "the schemas that an application declares, a log's, a store's",
    .about =
        "One line per schema: what it is for, its type and version, its fingerprint, whether older code "
        "may read it, and\n"
        "what the step that leads on from an older version does. With --journal also those that only the "
        "log knows, and\n"
        "how many events there are of each; with --store those of a store's table.\n"
        "\n"
        "  perdure schema list --app loans_app.so --journal sqlite:loans.db\n",
    .run = run};
