#include "actors/schema_ids.h"

#include <poll.h>

#include "actors/waiter.h"

pdr_code pdr_schema_ids_client(pdr_registry **out, const pdr_registry_settings *settings, const char *topic,
                               pdr_error *err)
{
    pdr_registry_config config = PDR_REGISTRY_CONFIG_INIT;
    config.url = settings->url;
    config.user = settings->user;
    config.password = settings->password;
    config.ca_file = settings->ca;
    config.certificate_file = settings->certificate;
    config.key_file = settings->key;
    config.key_password = settings->key_password;
    config.topic = topic;
    config.skip_check = !settings->check;
    config.timeout_ms = settings->timeout_ms;
    config.attempts = settings->attempts;
    config.backoff_min_ms = settings->backoff_min_ms;
    config.backoff_max_ms = settings->backoff_max_ms;
    if (*settings->subject && !pdr_subject_naming_of(settings->subject, &config.naming))
        return pdr_fail(err, PDR_BAD_SETTING, "registry.subject is \"%s\"", settings->subject);
    return pdr_registry_open(out, &config, err);
}

/* --- what the store knows --- */

typedef struct reading {
    pdr_schema_book *book;
    bool done;
    pdr_code code;
    pdr_error *err;
} reading;

static void took(void *context, uint64_t tag, const pdr_store_result *result)
{
    reading *r = context;
    (void)tag;
    r->done = true;
    r->code = result->code;
    if (result->error && r->err) *r->err = *result->error;
    for (size_t i = 0; r->code == PDR_OK && i < result->schema_count; i++) {
        const pdr_schema_row *row = &result->schemas[i];
        pdr_string json = {(const char *)row->json.data, row->json.size};
        pdr_code code = pdr_schema_book_add(r->book, row->fingerprint, json, row->registry_id, r->err);
        if (code == PDR_NOMEM) r->code = code;
    }
}

static void wait_for(pdr_store *store, const reading *r, int64_t until)
{
    while (!r->done && pdr_mono_us() < until) {
        if (store->ops->poll(store)) continue;
        struct pollfd fds[16];
        int64_t due_us = INT64_MAX;
        int count = store->ops->wait_on(store, fds, 16, &due_us);
        int64_t ms = due_us < 10000 ? (due_us + 999) / 1000 : 10;
        if (poll(fds, (nfds_t)count, (int)ms) < 0) continue; /* a signal */
    }
}

pdr_code pdr_schema_ids_load(pdr_schema_book *book, pdr_store *store, int timeout_ms, pdr_error *err)
{
    reading r = {.book = book, .err = err};
    pdr_code code = store->ops->schemas(store, NULL, 0, took, &r, 0, err);
    if (code != PDR_OK) return code;
    wait_for(store, &r, pdr_deadline_us(timeout_ms));
    if (!r.done) store->ops->forget(store, &r);
    return r.done ? r.code
                  : pdr_fail(err, PDR_UNAVAILABLE, "the store's schemas could not be read within %d ms",
                             timeout_ms);
}

/* --- what the registry says --- */

static pdr_code learn_one(pdr_schema_book *book, pdr_registry *registry, const pdr_type *type, pdr_error *err)
{
    int32_t id = 0;
    pdr_registry_schema schema = {type->name, type->schema, type->fingerprint};
    pdr_code code = pdr_registry_register(registry, &id, &schema, err);
    if (code == PDR_UNAVAILABLE)
        return pdr_fail_context(
            err, code,
            "the schema registry is needed once for each new event type, and has given no id for "
            "%.150s yet",
            type->name);
    if (code == PDR_OK)
        code = pdr_schema_book_add(book, type->fingerprint, pdr_string_of(type->schema), id, err);
    if (code != PDR_CONFLICT) return code;
    return pdr_fail_context(
        err, code, "%.150s: another registry, or one that lost its data? Ids are for good", type->name);
}

static bool is_known(const pdr_schema_book *book, const pdr_type *type)
{
    return pdr_schema_book_id(book, type->fingerprint) != PDR_BOOK_NO_ID;
}

pdr_code pdr_schema_ids_learn(pdr_schema_book *book, bool *asked, const pdr_registry_settings *settings,
                              const char *topic, const pdr_app *app, pdr_error *err)
{
    pdr_registry *registry = NULL;
    pdr_code code = pdr_schema_ids_client(&registry, settings, topic, err);
    *asked = false;
    for (size_t i = 0; code == PDR_OK && i < app->entity_count; i++) {
        const pdr_entity_type *entity = app->entities[i];
        for (size_t j = 0; code == PDR_OK && j < entity->event_count; j++) {
            if (is_known(book, entity->events[j])) continue;
            *asked = true;
            code = learn_one(book, registry, entity->events[j], err);
        }
    }
    pdr_registry_close(registry);
    return code;
}
