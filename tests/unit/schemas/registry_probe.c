#include "registry_probe.h"

#include <criterion/criterion.h>

#include "schemas/schema.h"

fake_registry fake;
pdr_registry *registry;
pdr_error err;
uint32_t waits[64];
size_t wait_count;

static void keep_wait(void *context, uint32_t ms)
{
    (void)context;
    if (wait_count < 64) waits[wait_count++] = ms;
}

pdr_registry_config config_of(const char *url)
{
    pdr_registry_config config = PDR_REGISTRY_CONFIG_INIT;
    config.url = url;
    config.topic = "loans.events";
    config.wait = keep_wait;
    return config;
}

void open_with(pdr_registry_config config)
{
    cr_assert_eq(pdr_registry_open(&registry, &config, &err), PDR_OK, "%s", err.message);
}

void begin(const char *const *script)
{
    fake_registry_open(&fake, script);
    open_with(config_of(fake.url));
}

void end(void)
{
    pdr_registry_close(registry);
    registry = NULL;
    if (fake.listener) fake_registry_close(&fake);
    fake = (fake_registry){0};
}

pdr_registry_schema offer(void)
{
    pdr_schema_set *set = NULL;
    uint64_t fingerprint = 0;
    cr_assert_eq(pdr_schema_read(&set, "offer", pdr_string_of(OFFER), &err), PDR_OK, "%s", err.message);
    cr_assert_eq(pdr_schema_fingerprint(&fingerprint, pdr_schema_set_root(set, 0), &err), PDR_OK);
    pdr_schema_set_close(set);
    return (pdr_registry_schema){"loans.OfferMade", OFFER, fingerprint};
}

pdr_code register_offer(int32_t *id)
{
    pdr_registry_schema schema = offer();
    return pdr_registry_register(registry, id, &schema, &err);
}

void expect_message(const char *part)
{
    cr_assert(strstr(err.message, part), "\"%s\" isn't in: %s", part, err.message);
}

void expect_request(size_t i, const char *part)
{
    cr_assert_gt(fake.count, i, "there were %zu requests", fake.count);
    cr_assert(strstr(fake.requests[i], part), "\"%s\" isn't in: %s", part, fake.requests[i]);
}
