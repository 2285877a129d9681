#include "cli/registry.h"

#include <inttypes.h>
#include <stdio.h>

#include "schemas/registry.h"

enum { MAX_SUBJECT = 1024 };

static pdr_subject_naming naming_of(const pdr_cli_registry *registry)
{
    pdr_subject_naming naming = PDR_SUBJECT_TOPIC_RECORD;
    if (registry->subject) (void)pdr_subject_naming_of(registry->subject, &naming);
    return naming;
}

pdr_code pdr_cli_registry_check(const pdr_cli_registry *registry, pdr_error *err)
{
    pdr_subject_naming naming;
    if (!registry->url && (registry->topic || registry->subject || registry->ca))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--topic, --subject and --registry-ca go with --registry");
    if (registry->subject && !pdr_subject_naming_of(registry->subject, &naming))
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "--subject is topic-record, record or topic, not %s",
                        registry->subject);
    if (registry->url && !registry->topic && naming_of(registry) != PDR_SUBJECT_RECORD)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "--topic is needed for the subjects (that of journal loans is loans.events); or "
                        "--subject record");
    return PDR_OK;
}

static pdr_code print(const pdr_cli_registry *registry, const pdr_versioned *v, int32_t id, bool json,
                      pdr_error *err)
{
    pdr_buf subject = PDR_BUF_INIT(MAX_SUBJECT);
    pdr_code code = pdr_registry_subject(&subject, naming_of(registry), registry->topic, v->root->name, err);
    if (code == PDR_OK)
        printf(json ? "{\"subject\":\"%.*s\",\"version\":%" PRIu32 ",\"id\":%d}\n"
                    : "in the registry: subject %.*s has version %" PRIu32 " with id %d\n",
               (int)subject.size, (const char *)subject.data, v->version, (int)id);
    pdr_buf_release(&subject);
    return code;
}

static pdr_code put_one(const pdr_cli_registry *registry, pdr_registry *client, const pdr_versioned *v,
                        bool json, pdr_error *err)
{
    int32_t id = 0;
    pdr_buf text = PDR_BUF_INIT(PDR_SCHEMA_MAX_TEXT);
    pdr_code code = pdr_versioned_write(v, &text, err);
    if (code == PDR_OK && pdr_buf_append(&text, "", 1) != PDR_OK) code = pdr_fail(err, PDR_NOMEM, "a schema");
    pdr_registry_schema schema = {v->root->name, (const char *)text.data, v->fingerprint};
    if (code == PDR_OK) code = pdr_registry_register(client, &id, &schema, err);
    pdr_buf_release(&text);
    return code == PDR_OK ? print(registry, v, id, json, err) : pdr_fail_context(err, code, "%s", v->path);
}

pdr_code pdr_cli_registry_put(const pdr_cli_registry *registry, const pdr_schema_files *files, bool json,
                              pdr_error *err)
{
    pdr_registry *client = NULL;
    pdr_registry_config config = PDR_REGISTRY_CONFIG_INIT;
    config.url = registry->url;
    config.topic = registry->topic;
    config.ca_file = registry->ca;
    config.naming = naming_of(registry);
    pdr_code code = pdr_registry_open(&client, &config, err);
    for (size_t i = 0; code == PDR_OK && i < pdr_schema_files_count(files); i++)
        code = put_one(registry, client, pdr_schema_files_at(files, i), json, err);
    pdr_registry_close(client);
    return code;
}
