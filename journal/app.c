#include "journal/app.h"

#include "schemas/type.h"
#include "upcasters/chain.h"
#include "upcasters/state_chain.h"

/* Names appear before a '/' in entity ids and in messages. */
static bool is_name(const char *name)
{
    if (!name || !*name || strlen(name) >= PDR_MAX_ENTITY_ID) return false;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        if (*c <= 0x20 || *c == 0x7f || *c == '/') return false;
    return true;
}

static pdr_code check_type(const pdr_type *type, const char *entity, const char *what, pdr_error *err)
{
    pdr_code code = pdr_type_check(type, err);
    return code == PDR_OK ? code : pdr_fail_context(err, code, "entity type %s: a %s", entity, what);
}

static pdr_code check_types(const pdr_type *const *types, size_t count, const char *entity, const char *what,
                            pdr_error *err)
{
    if (count && !types)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s: its %ss are NULL", entity, what);
    for (size_t i = 0; i < count; i++) {
        pdr_code code = check_type(types[i], entity, what, err);
        if (code != PDR_OK) return code;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(types[i]->name, types[j]->name) == 0)
                return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s: %s %s is declared twice", entity,
                                what, types[i]->name);
            if (types[i]->fingerprint == types[j]->fingerprint)
                return pdr_fail(
                    err, PDR_INVALID_ARGUMENT,
                    "entity type %s: %ss %s and %s have equal fingerprints; rename a field of one", entity,
                    what, types[i]->name, types[j]->name);
        }
    }
    return PDR_OK;
}

/* The chain is made to see whether it can be. */
static pdr_code check_upcasters(const pdr_entity_type *type, bool tolerant, pdr_error *err)
{
    pdr_chain *chain = NULL;
    pdr_chain_spec spec = {type->name,      type->events,         type->event_count,
                           type->upcasters, type->upcaster_count, tolerant};
    pdr_code code = pdr_chain_open(&chain, &spec, err);
    pdr_chain_close(chain);
    return code;
}

static pdr_code check_state_upcasters(const pdr_entity_type *type, pdr_error *err)
{
    pdr_state_chain *chain = NULL;
    pdr_state_chain_spec spec = {type->name, type->state, type->revision, type->state_upcasters,
                                 type->state_upcaster_count};
    pdr_code code = pdr_state_chain_open(&chain, &spec, err);
    pdr_state_chain_close(chain);
    return code;
}

static pdr_code check_entity(const pdr_entity_type *type, bool tolerant, pdr_error *err)
{
    if (!type) return pdr_fail(err, PDR_INVALID_ARGUMENT, "an entity type is NULL");
    if (type->abi_size != sizeof *type)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "an entity type's abi_size is %zu, not %zu: was it compiled "
                        "with another version's headers?",
                        type->abi_size, sizeof *type);
    if (!is_name(type->name))
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "an entity type's name is 1 to %d bytes without '/', space or control characters",
                        PDR_MAX_ENTITY_ID - 1);
    if (!type->apply) return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s has no apply", type->name);
    if (type->id_window > PDR_MAX_ID_WINDOW)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s remembers %u command ids; at most %d",
                        type->name, type->id_window, PDR_MAX_ID_WINDOW);
    if (type->command_count && !type->decide)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "entity type %s has commands but no decide", type->name);
    pdr_code code = check_type(type->state, type->name, "state", err);
    if (code == PDR_OK) code = check_types(type->events, type->event_count, type->name, "event", err);
    if (code == PDR_OK) code = check_types(type->commands, type->command_count, type->name, "command", err);
    if (code == PDR_OK) code = check_upcasters(type, tolerant, err);
    if (code == PDR_OK) code = check_state_upcasters(type, err);
    return code;
}

static pdr_code check_app(const pdr_app *app, bool tolerant, pdr_error *err)
{
    if (!app) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the application is NULL");
    if (app->abi_size < sizeof *app || app->abi_version != PDR_ABI_VERSION)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "the application was compiled for ABI version %u (size %zu), this library has %u (size "
            "%zu)",
            app->abi_version, app->abi_size, PDR_ABI_VERSION, sizeof *app);
    if (!is_name(app->name)) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the application has no name");
    if (app->entity_count && !app->entities)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "the application's entities are NULL");
    for (size_t i = 0; i < app->entity_count; i++) {
        pdr_code code = check_entity(app->entities[i], tolerant, err);
        if (code != PDR_OK) return code;
        for (size_t j = 0; j < i; j++)
            if (strcmp(app->entities[i]->name, app->entities[j]->name) == 0)
                return pdr_fail(err, PDR_INVALID_ARGUMENT, "two entity types are called %s",
                                app->entities[i]->name);
    }
    return PDR_OK;
}

pdr_code pdr_app_validate(const pdr_app *app, pdr_error *err)
{
    return check_app(app, false, err);
}

pdr_code pdr_app_validate_tolerant(const pdr_app *app, pdr_error *err)
{
    return check_app(app, true, err);
}

size_t pdr_app_entity_of(const pdr_app *app, pdr_bytes entity)
{
    const uint8_t *slash = entity.size ? memchr(entity.data, '/', entity.size) : NULL;
    size_t size = slash ? (size_t)(slash - entity.data) : entity.size;
    for (size_t i = 0; app && size && i < app->entity_count; i++) {
        const char *name = app->entities[i]->name;
        if (strlen(name) == size && memcmp(name, entity.data, size) == 0) return i;
    }
    return SIZE_MAX;
}
