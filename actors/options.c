#include "actors/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "schemas/registry.h"

static const pdr_app no_app = {sizeof(pdr_app), PDR_ABI_VERSION, "none", NULL, 0};

void pdr_options_init(pdr_options *options)
{
    *options = (pdr_options)PDR_OPTIONS_INIT;
}

/* A caller built with an older header gives fewer members; one built with a newer header may use only what
 * this library knows: the rest must be zero. */
static pdr_code read_options(pdr_options *out, const pdr_options *given, pdr_error *err)
{
    enum { OLDEST = sizeof(pdr_options) }; /* of the first released version */
    pdr_options_init(out);
    if (!given) return pdr_fail(err, PDR_INVALID_ARGUMENT, "options are NULL");
    if (given->abi_size < OLDEST || given->abi_size > 64 * sizeof *given)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "options.abi_size is %zu: begin with PDR_OPTIONS_INIT or pdr_options_init",
                        given->abi_size);
    const uint8_t *bytes = (const uint8_t *)given;
    for (size_t i = sizeof *out; i < given->abi_size; i++)
        if (bytes[i])
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "options has members that this version doesn't know");
    memcpy(out, given, sizeof *out);
    return PDR_OK;
}

static pdr_code set_one(pdr_plan *out, const char *name, const char *value, pdr_error *err)
{
    size_t prefix = strlen(PDR_PASSED_THROUGH);
    if (name && value && strncmp(name, PDR_PASSED_THROUGH, prefix) == 0 && name[prefix])
        return pdr_backends_pass(&out->backends, name + prefix, value, err);
    return pdr_config_set(&pdr_settings_table, &out->settings, name, value, err);
}

static pdr_code check_settings(const pdr_settings *settings, pdr_error *err)
{
    const pdr_owner_settings *owner = &settings->owner;
    if (owner->backoff_min_us > owner->backoff_max_us)
        return pdr_fail(err, PDR_BAD_SETTING, "backoff.min.ms is above backoff.max.ms");
    const pdr_registry_settings *registry = &settings->registry;
    if (registry->backoff_min_ms > registry->backoff_max_ms)
        return pdr_fail(err, PDR_BAD_SETTING, "registry.backoff.min.ms is above registry.backoff.max.ms");
    pdr_subject_naming naming;
    if (*registry->subject && !pdr_subject_naming_of(registry->subject, &naming))
        return pdr_fail(err, PDR_BAD_SETTING, "registry.subject is topic-record, record or topic, not \"%s\"",
                        registry->subject);
    return PDR_OK;
}

static pdr_code read_settings(pdr_plan *out, const pdr_options *options, pdr_error *err)
{
    pdr_code code = PDR_OK;
    pdr_config_defaults(&pdr_settings_table, &out->settings);
    const pdr_url *url = &out->backends.log;
    for (size_t i = 0; code == PDR_OK && i < url->setting_count; i++)
        if (strncmp(url->settings[i].name, PDR_WORKERS_OWN, strlen(PDR_WORKERS_OWN)) != 0)
            code = set_one(out, url->settings[i].name, url->settings[i].value, err);
    if (options->setting_count && !options->settings)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.settings is NULL, setting_count is not 0");
    for (size_t i = 0; code == PDR_OK && i < options->setting_count; i++)
        code = set_one(out, options->settings[i].name, options->settings[i].value, err);
    if (code != PDR_OK) return code;
    out->backends.replication = (int32_t)out->settings.topic_replication;
    return check_settings(&out->settings, err);
}

static const char *or_environment(const char *given, const char *variable)
{
    if (given) return given;
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

static pdr_code read_urls(pdr_plan *out, const pdr_options *options, pdr_error *err)
{
    const char *log = or_environment(options->journal, "PERDURE_JOURNAL");
    const char *store = or_environment(options->store, "PERDURE_STORE");
    if (!log)
        return pdr_fail(err, PDR_BAD_URL,
                        "no URL names the journal: give kafka://host:9092/name or sqlite:file, or set "
                        "PERDURE_JOURNAL");
    pdr_code code = pdr_url_parse_journal(&out->backends.log, log, err);
    if (code != PDR_OK) return code;
    if (!store && out->backends.log.kind == PDR_URL_SQLITE) store = log;
    if (!store) return PDR_OK;
    out->backends.has_store = true;
    return pdr_url_parse_store(&out->backends.store, store, err);
}

static pdr_code read_partitions(pdr_plan *out, const pdr_options *options, pdr_error *err)
{
    out->own_all = !options->partitions && !options->own_nothing;
    if (options->partition_count && !options->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.partitions is NULL, partition_count is not 0");
    if (options->own_nothing && options->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "own_nothing and a list of partitions exclude each other");
    if (options->partition_count > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.partitions has %zu entries; at most %d",
                        options->partition_count, PDR_LOG_MAX_PARTITIONS);
    if (!options->partitions) return PDR_OK;
    out->partitions = pdr_memdup(options->partitions, options->partition_count * sizeof(int32_t));
    if (!out->partitions) return pdr_fail(err, PDR_NOMEM, "partitions");
    out->partition_count = options->partition_count;
    return PDR_OK;
}

static pdr_code read_address(pdr_plan *out, const char *given, pdr_error *err)
{
    if (!given) {
        char host[100] = "";
        if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
        int size = snprintf(out->address, sizeof out->address, "%s/%ld", host, (long)getpid());
        return size > 0 ? PDR_OK : pdr_fail(err, PDR_FATAL, "the address of this process");
    }
    size_t size = strlen(given);
    if (size == 0 || size > PDR_MAX_ADDRESS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.address has %zu bytes; 1 to %d", size,
                        PDR_MAX_ADDRESS);
    memcpy(out->address, given, size + 1);
    return PDR_OK;
}

pdr_code pdr_plan_init(pdr_plan *out, const pdr_options *given, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    pdr_options options;
    pdr_code code = read_options(&options, given, err);
    if (code != PDR_OK) return code;
    if (options.workers > PDR_MAX_WORKERS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.workers is %u; at most %d", options.workers,
                        PDR_MAX_WORKERS);
    out->app = options.app ? options.app : &no_app;
    out->workers = options.workers;
    out->complete_on_worker = options.complete_on_worker;
    out->own_nothing = options.own_nothing;
    out->failed_tell = options.failed_tell;
    out->log_line = options.log_line;
    out->context = options.context;
    out->backends.line = options.log_line;
    out->backends.line_context = options.context;
    if (options.app) code = pdr_app_validate(options.app, err);
    if (code == PDR_OK) code = read_urls(out, &options, err);
    if (code == PDR_OK) code = read_settings(out, &options, err);
    if (code == PDR_OK) code = read_partitions(out, &options, err);
    if (code == PDR_OK) code = read_address(out, options.address, err);
    return code;
}

void pdr_plan_release(pdr_plan *plan)
{
    pdr_backends_release(&plan->backends);
    pdr_free(plan->partitions);
    memset(plan, 0, sizeof *plan);
}

pdr_code pdr_plan_check_partitions(const pdr_plan *plan, int32_t partitions, pdr_error *err)
{
    for (size_t i = 0; i < plan->partition_count; i++) {
        int32_t partition = plan->partitions[i];
        if (partition < 0 || partition >= partitions)
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d: the journal has 0 to %d",
                            (int)partition, (int)partitions - 1);
        for (size_t j = 0; j < i; j++)
            if (plan->partitions[j] == partition)
                return pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d is listed twice", (int)partition);
    }
    return PDR_OK;
}
