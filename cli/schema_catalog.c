#include "cli/schema_catalog.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cli/schema_survey.h"
#include "journal/schema_load.h"
#include "schemas/version.h"

/* Counting needs no decoding: of each version only its first event is read. */
enum { SAMPLE = INT32_MAX };

static const pdr_app no_app = {sizeof(pdr_app), PDR_ABI_VERSION, "none", NULL, 0};

static pdr_code add(pdr_schema_catalog *c, const pdr_schema_entry *entry, pdr_error *err)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 64;
        pdr_schema_entry *entries = pdr_realloc(c->entries, capacity * sizeof *entries);
        if (!entries) return pdr_fail(err, PDR_NOMEM, "%zu schemas", capacity);
        c->entries = entries;
        c->capacity = capacity;
    }
    c->entries[c->count++] = *entry;
    return PDR_OK;
}

static pdr_schema_entry of_type(pdr_schema_role role, const pdr_entity_type *entity, const pdr_type *type)
{
    return (pdr_schema_entry){.role = role,
                              .entity = entity->name,
                              .name = type->name,
                              .version = type->version,
                              .readable_by_older = type->readable_by_older,
                              .fingerprint = type->fingerprint,
                              .json = type->schema};
}

/* --- the application's --- */

static bool leads_on(const pdr_entity_type *entity, const pdr_type *type)
{
    for (size_t i = 0; i < entity->event_count; i++)
        if (entity->events[i] == type) return true;
    for (size_t i = 0; i < entity->upcaster_count; i++)
        if (entity->upcasters[i].from == type) return true;
    return false;
}

/* A gap is listed once, however many steps lead to it. */
static bool is_listed(const pdr_schema_catalog *c, const pdr_entity_type *entity, const pdr_type *type)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->entries[i].entity == entity->name && c->entries[i].json == type->schema) return true;
    return false;
}

static pdr_code add_steps(pdr_schema_catalog *c, const pdr_entity_type *entity, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < entity->upcaster_count; i++) {
        const pdr_upcaster *step = &entity->upcasters[i];
        pdr_schema_entry entry = of_type(PDR_SCHEMA_OLDER, entity, step->from);
        entry.step = step;
        code = add(c, &entry, err);
        for (size_t t = 0; code == PDR_OK && t < step->to_count; t++) {
            entry = of_type(PDR_SCHEMA_GAP, entity, step->to[t]);
            if (!leads_on(entity, step->to[t]) && !is_listed(c, entity, step->to[t]))
                code = add(c, &entry, err);
        }
    }
    for (size_t i = 0; code == PDR_OK && i < entity->state_upcaster_count; i++) {
        pdr_schema_entry entry = of_type(PDR_SCHEMA_OLD_STATE, entity, entity->state_upcasters[i].from);
        entry.revision = entity->state_upcasters[i].from_revision;
        entry.state_step = &entity->state_upcasters[i];
        code = add(c, &entry, err);
    }
    return code;
}

static pdr_code add_entity(pdr_schema_catalog *c, const pdr_entity_type *entity, pdr_error *err)
{
    pdr_schema_entry state = of_type(PDR_SCHEMA_STATE, entity, entity->state);
    state.revision = entity->revision;
    pdr_code code = add(c, &state, err);
    for (size_t i = 0; code == PDR_OK && i < entity->event_count; i++) {
        pdr_schema_entry event = of_type(PDR_SCHEMA_EVENT, entity, entity->events[i]);
        code = add(c, &event, err);
    }
    for (size_t i = 0; code == PDR_OK && i < entity->command_count; i++) {
        pdr_schema_entry command = of_type(PDR_SCHEMA_COMMAND, entity, entity->commands[i]);
        code = add(c, &command, err);
    }
    return code == PDR_OK ? add_steps(c, entity, err) : code;
}

/* --- the log's --- */

static pdr_code read_log(pdr_schema_catalog *c, const pdr_plan *plan, pdr_error *err)
{
    pdr_log *log = NULL;
    pdr_log_info info;
    int timeout_ms = (int)plan->settings.open_timeout_ms;
    pdr_code code = pdr_backends_log_open(&plan->backends, &log, err);
    if (code != PDR_OK) return code;
    code = log->ops->info(log, &info, timeout_ms, err);
    if (code == PDR_OK) code = pdr_survey_open(&c->survey, c->app.app ? c->app.app : &no_app, SAMPLE, err);
    if (code == PDR_OK) code = pdr_survey_log(c->survey, log, info.partitions, timeout_ms, err);
    log->ops->close(log);
    pdr_cli_progress_end();
    return code;
}

static bool is_event(const pdr_schema_entry *entry)
{
    return entry->role == PDR_SCHEMA_EVENT || entry->role == PDR_SCHEMA_OLDER ||
           entry->role == PDR_SCHEMA_GAP || entry->role == PDR_SCHEMA_UNDECLARED;
}

/* The events of one fingerprint; if there is none, a new entry. */
static pdr_code mark(pdr_schema_catalog *c, const pdr_schema_entry *like, pdr_error *err)
{
    bool known = false;
    for (size_t i = 0; i < c->count; i++) {
        pdr_schema_entry *entry = &c->entries[i];
        if (!is_event(entry) || entry->fingerprint != like->fingerprint) continue;
        known = true;
        entry->in_log = entry->in_log || like->in_log;
        entry->in_store = entry->in_store || like->in_store;
    }
    return known ? PDR_OK : add(c, like, err);
}

static pdr_code add_schema(pdr_schema_catalog *c, const pdr_survey_schema *schema, pdr_error *err)
{
    pdr_schema_entry entry = {.role = PDR_SCHEMA_UNDECLARED,
                              .name = schema->name,
                              .version = schema->version,
                              .readable_by_older = schema->readable_by_older,
                              .fingerprint = schema->fingerprint,
                              .json = schema->json,
                              .in_log = true};
    return mark(c, &entry, err);
}

static void count_events(pdr_schema_catalog *c, const pdr_survey_group *group)
{
    for (size_t i = 0; i < c->count; i++) {
        pdr_schema_entry *entry = &c->entries[i];
        bool mine = !entry->entity || (group->entity_type && group->entity_type->name == entry->entity);
        if (is_event(entry) && mine && group->framed && entry->fingerprint == group->fingerprint)
            entry->events += group->count;
    }
}

static pdr_code add_log(pdr_schema_catalog *c, pdr_error *err)
{
    const pdr_survey_group *const *groups;
    size_t count, cursor = 0;
    pdr_survey_schema schema;
    pdr_code code = PDR_OK;
    while (code == PDR_OK && pdr_survey_next_schema(c->survey, &cursor, &schema))
        code = add_schema(c, &schema, err);
    if (code == PDR_OK) code = pdr_survey_groups(c->survey, &groups, &count, err);
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        count_events(c, groups[i]);
    return code;
}

/* --- the store's --- */

static pdr_code read_table(pdr_schema_catalog *c, const pdr_target *target, pdr_error *err)
{
    enum { TIMEOUT_MS = 10000 };
    pdr_store *store = NULL;
    pdr_store_meta meta;
    pdr_code code = pdr_schema_book_open(&c->book, err);
    if (code == PDR_OK) code = pdr_target_open_store(target, &store, err);
    if (code != PDR_OK) return code;
    code = store->ops->meta(store, &meta, TIMEOUT_MS, err);
    if (code == PDR_OK) code = pdr_schema_book_load(c->book, store, TIMEOUT_MS, err);
    store->ops->close(store);
    return code;
}

static pdr_code add_row(pdr_schema_catalog *c, uint64_t fingerprint, pdr_error *err)
{
    pdr_string json;
    pdr_schema_set *set;
    pdr_schema_version version = {0, false};
    if (!pdr_schema_book_find(c->book, fingerprint, &json)) return PDR_OK;
    pdr_code code = pdr_schema_read(&set, "store", json, err);
    if (code != PDR_OK) return code;
    code = pdr_schema_version_of(&version, pdr_schema_set_root(set, 0), NULL);
    pdr_schema_set_close(set);
    pdr_schema_entry entry = {.role = PDR_SCHEMA_UNDECLARED,
                              .name = pdr_schema_book_name(c->book, fingerprint).data,
                              .version = code == PDR_OK ? version.version : 0,
                              .readable_by_older = code == PDR_OK && version.readable_by_older,
                              .fingerprint = fingerprint,
                              .json = json.data,
                              .in_store = true};
    return mark(c, &entry, err);
}

static pdr_code add_table(pdr_schema_catalog *c, const pdr_target *target, pdr_error *err)
{
    pdr_code code = read_table(c, target, err);
    size_t count = code == PDR_OK ? pdr_schema_book_count(c->book) : 0;
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = add_row(c, pdr_schema_book_at(c->book, i), err);
    return code;
}

/* --- together --- */

static int order_of_texts(const char *a, const char *b)
{
    if (!a || !b) return (a == NULL) - (b == NULL);
    return strcmp(a, b);
}

static int order(const void *left, const void *right)
{
    const pdr_schema_entry *a = left, *b = right;
    int by = order_of_texts(a->entity, b->entity);
    if (!by) by = is_event(b) - is_event(a);
    if (!by && !is_event(a)) by = (int)a->role - (int)b->role;
    if (!by) by = order_of_texts(a->name, b->name);
    if (!by) by = (a->version > b->version) - (a->version < b->version);
    return by ? by : (a->fingerprint > b->fingerprint) - (a->fingerprint < b->fingerprint);
}

static pdr_code add_log_of(pdr_schema_catalog *c, const pdr_target *target, pdr_error *err)
{
    pdr_options options = PDR_OPTIONS_INIT;
    pdr_plan plan = {0};
    options.journal = target->journal;
    options.own_nothing = true;
    pdr_code code = pdr_plan_init(&plan, &options, err);
    if (code == PDR_OK) code = read_log(c, &plan, err);
    if (code == PDR_OK) code = add_log(c, err);
    pdr_plan_release(&plan);
    return code;
}

static pdr_code add_all(pdr_schema_catalog *c, const pdr_target *target, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && c->app.app && i < c->app.app->entity_count; i++)
        code = add_entity(c, c->app.app->entities[i], err);
    c->has_log = target->journal != NULL;
    c->has_store = target->store != NULL;
    if (code == PDR_OK && c->has_log) code = add_log_of(c, target, err);
    if (code == PDR_OK && c->has_store) code = add_table(c, target, err);
    return code;
}

pdr_code pdr_schema_catalog_open(pdr_schema_catalog *out, const pdr_target *target, pdr_error *err)
{
    *out = (pdr_schema_catalog){.count = 0};
    pdr_code code = pdr_loaded_app_open_tolerant(&out->app, target->app, err);
    if (code == PDR_OK && !out->app.app && !target->journal && !target->store)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "neither an application, a log nor a store: give --app, --journal or --store");
    if (code == PDR_OK) code = add_all(out, target, err);
    if (code == PDR_OK && out->count) qsort(out->entries, out->count, sizeof *out->entries, order);
    return code;
}

void pdr_schema_catalog_release(pdr_schema_catalog *catalog)
{
    pdr_survey_close(catalog->survey);
    pdr_schema_book_close(catalog->book);
    pdr_free(catalog->entries);
    pdr_loaded_app_close(&catalog->app);
}
