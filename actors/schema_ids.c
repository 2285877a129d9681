#include "actors/schema_ids.h"

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
