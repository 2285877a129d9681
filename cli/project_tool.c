#include "cli/project_tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "journal/log_id.h"
#include "journal/schema_load.h"
#include "projections/backends.h"
#include "projections/projection_file.h"
#include "projections/worker_plan.h"

enum { MAX_LISTED = 64 * 1024 * 1024 };

/* --- the database --- */

static pdr_code read_settings(pdr_project_tool *tool, pdr_error *err)
{
    pdr_code code = pdr_setting_list_init(&tool->setting_list, tool->settings, err);
    pdr_config_defaults(&pdr_project_settings_table, &tool->values);
    for (size_t i = 0; code == PDR_OK && i < tool->setting_list.count; i++)
        code = pdr_config_set(&pdr_project_settings_table, &tool->values, tool->setting_list.items[i].name,
                              tool->setting_list.items[i].value, err);
    return code;
}

pdr_code pdr_tool_views(const pdr_project_tool *tool, pdr_views **out, pdr_error *err)
{
    return pdr_views_of_url(out, &tool->url, tool->values.view_schema, err);
}

pdr_code pdr_tool_connect(pdr_project_tool *tool, pdr_error *err)
{
    const pdr_project_target *t = &tool->target;
    tool->arena = (pdr_arena)PDR_ARENA_INIT(MAX_LISTED);
    pdr_code code = read_settings(tool, err);
    if (code == PDR_OK) code = pdr_views_url(&tool->url, t->views, t->base.store, t->base.journal, err);
    return code == PDR_OK ? pdr_tool_views(tool, &tool->views, err) : code;
}

pdr_code pdr_tool_open_views(pdr_project_tool *tool, pdr_error *err)
{
    pdr_code code = pdr_tool_connect(tool, err);
    return code == PDR_OK ? tool->views->ops->init(tool->views, PDR_TOOL_TIMEOUT_MS, err) : code;
}

/* --- application and journal --- */

pdr_code pdr_tool_open_app(pdr_project_tool *tool, pdr_error *err)
{
    if (tool->app.app) return PDR_OK;
    pdr_code code = pdr_loaded_app_open(&tool->app, tool->target.base.app, err);
    return code == PDR_OK ? pdr_loaded_app_needed(&tool->app, err) : code;
}

static pdr_code read_store(pdr_project_tool *tool, pdr_error *err)
{
    pdr_store *store;
    pdr_store_meta meta;
    if (!tool->plan.backends.has_store) return PDR_OK;
    pdr_code code = pdr_backends_store_open(&tool->plan.backends, &store, err);
    if (code != PDR_OK) return code;
    code = store->ops->meta(store, &meta, PDR_TOOL_TIMEOUT_MS, err);
    if (code == PDR_OK) code = pdr_schema_book_load(tool->book, store, PDR_TOOL_TIMEOUT_MS, err);
    store->ops->close(store);
    return code;
}

pdr_code pdr_tool_open_journal(pdr_project_tool *tool, pdr_error *err)
{
    pdr_options options = PDR_OPTIONS_INIT;
    bool found;
    options.journal = tool->target.base.journal;
    options.store = tool->target.base.store;
    options.app = tool->app.app;
    options.own_nothing = true;
    pdr_code code = pdr_plan_init(&tool->plan, &options, err);
    if (code == PDR_OK) code = pdr_backends_log_open(&tool->plan.backends, &tool->log, err);
    if (code == PDR_OK) code = tool->log->ops->info(tool->log, &tool->info, PDR_TOOL_TIMEOUT_MS, err);
    if (code == PDR_OK)
        code = pdr_log_find_id(tool->log, 0, tool->info.partitions, PDR_TOOL_TIMEOUT_MS, &found,
                               tool->journal_id, err);
    if (code == PDR_OK && !found)
        code = pdr_fail(err, PDR_NOT_INITIALISED, "the journal has had no owner yet: there are no events");
    if (code == PDR_OK) code = pdr_schema_book_open(&tool->book, err);
    return code == PDR_OK ? read_store(tool, err) : code;
}

/* --- definitions --- */

bool pdr_tool_is_file(const char *word)
{
    size_t size = strlen(word);
    return strchr(word, '/') || (size > 4 && strcmp(word + size - 4, ".sql") == 0);
}

static pdr_code keep(pdr_project_tool *tool, pdr_projection *projection, pdr_error *err)
{
    if (tool->projection_count == PDR_TOOL_MAX_FILES) {
        pdr_projection_close(projection);
        return pdr_fail(err, PDR_TOO_LARGE, "more than %d definitions", PDR_TOOL_MAX_FILES);
    }
    tool->projections[tool->projection_count++] = projection;
    return PDR_OK;
}

pdr_code pdr_tool_read_file(pdr_project_tool *tool, const char *file, const pdr_projection **out,
                            pdr_error *err)
{
    pdr_projection *projection;
    pdr_code code = pdr_projection_read_file(&projection, file, tool->app.app, err);
    if (code == PDR_OK) code = keep(tool, projection, err);
    if (code == PDR_OK) *out = projection;
    return code;
}

pdr_code pdr_tool_find(pdr_project_tool *tool, const char *name, uint32_t version, pdr_projection **out,
                       pdr_error *err)
{
    const pdr_projection_list *types;
    *out = NULL;
    for (size_t i = 0; i < tool->projection_count; i++)
        if (tool->projections[i]->version == version && strcmp(tool->projections[i]->name, name) == 0)
            *out = tool->projections[i];
    if (*out) return PDR_OK;
    pdr_code code = pdr_project_types(&tool->app, &types, err);
    for (size_t i = 0; code == PDR_OK && i < types->count; i++) {
        const pdr_projection_type *type = types->items[i];
        if (type->version != version || strcmp(type->name, name) != 0) continue;
        pdr_projection *projection;
        code = pdr_projection_of(&projection, type, err);
        if (code == PDR_OK) code = keep(tool, projection, err);
        if (code == PDR_OK) *out = projection;
    }
    return code;
}

void pdr_tool_release(pdr_project_tool *tool)
{
    for (size_t i = 0; i < tool->projection_count; i++)
        pdr_projection_close(tool->projections[i]);
    if (tool->views) tool->views->ops->close(tool->views);
    if (tool->log) tool->log->ops->close(tool->log);
    pdr_schema_book_close(tool->book);
    pdr_plan_release(&tool->plan);
    pdr_url_release(&tool->url);
    pdr_setting_list_release(&tool->setting_list);
    pdr_arena_release(&tool->arena);
    pdr_loaded_app_close(&tool->app);
}

/* --- versions --- */

typedef struct listing {
    pdr_project_tool *tool;
    pdr_version_list *out;
    size_t room;
} listing;

static pdr_code take_version(void *context, const pdr_version_row *row, pdr_error *err)
{
    listing *l = context;
    pdr_arena *arena = &l->tool->arena;
    if (l->out->count == l->room) {
        size_t room = l->room ? 2 * l->room : 8;
        pdr_version_row *rows = pdr_arena_alloc(arena, room * sizeof *rows);
        if (!rows) return pdr_fail(err, PDR_NOMEM, "a list of versions");
        if (l->out->count) memcpy(rows, l->out->rows, l->out->count * sizeof *rows);
        l->out->rows = rows;
        l->room = room;
    }
    pdr_version_row copy = *row;
    copy.projection = pdr_arena_string(arena, pdr_string_of(row->projection)).data;
    copy.fault = pdr_arena_string(arena, pdr_string_of(row->fault)).data;
    copy.declared = pdr_arena_string(arena, pdr_string_of(row->declared ? row->declared : "")).data;
    if (!copy.projection || !copy.fault || !copy.declared)
        return pdr_fail(err, PDR_NOMEM, "a list of versions");
    l->out->rows[l->out->count++] = copy;
    return PDR_OK;
}

pdr_code pdr_tool_versions(pdr_project_tool *tool, const char *projection, pdr_version_list *out,
                           pdr_error *err)
{
    listing l = {.tool = tool, .out = out};
    *out = (pdr_version_list){NULL, 0};
    pdr_code code = tool->views->ops->versions(tool->views, projection, take_version, &l, err);
    if (code == PDR_OK && projection && out->count == 0)
        code = pdr_fail(err, PDR_NOT_FOUND, "there is no projection %.100s", projection);
    return code;
}

const pdr_version_row *pdr_version_find(const pdr_version_list *list, uint32_t version)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].version == version) return &list->rows[i];
    return NULL;
}

const pdr_version_row *pdr_version_in(const pdr_version_list *list, pdr_version_state state)
{
    const pdr_version_row *newest = NULL;
    for (size_t i = 0; i < list->count; i++)
        if (list->rows[i].state == state) newest = &list->rows[i];
    return newest;
}

pdr_code pdr_version_pick(const pdr_version_list *list, const char *projection, int64_t version,
                          const pdr_version_row **out, pdr_error *err)
{
    char names[200] = "";
    *out = version ? pdr_version_find(list, (uint32_t)version) : pdr_version_in(list, PDR_VERSION_LIVE);
    if (*out) return PDR_OK;
    for (size_t i = 0, used = 0; i < list->count && used < sizeof names - 16; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%" PRIu32, i ? ", " : "",
                                 list->rows[i].version);
    if (version == 0)
        return pdr_fail(err, PDR_NOT_FOUND, "projection %.100s has no live version, only %s: give --version",
                        projection, names);
    return pdr_fail(err, PDR_NOT_FOUND, "projection %.100s has no version %" PRId64 ", only %s", projection,
                    version, names);
}

const char *pdr_version_state_name(pdr_version_state state)
{
    static const char *const names[] = {"building", "live", "former", "stopped"};
    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

typedef struct taking {
    pdr_position_row *out;
    size_t room, count;
} taking;

static pdr_code take_position(void *context, const pdr_position_row *row, pdr_error *err)
{
    taking *t = context;
    if (t->count == t->room) return pdr_fail(err, PDR_TOO_LARGE, "more than %zu partitions", t->room);
    t->out[t->count] = *row;
    t->out[t->count++].worker = "";
    return PDR_OK;
}

pdr_code pdr_tool_positions(pdr_project_tool *tool, const char *projection, uint32_t version,
                            pdr_position_row *out, size_t room, size_t *count, pdr_error *err)
{
    taking t = {.out = out, .room = room};
    pdr_code code = tool->views->ops->positions(tool->views, projection, version, take_position, &t, err);
    *count = t.count;
    return code;
}
