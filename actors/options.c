#include "actors/options.h"

#include "base/mem.h"
#include "journal/options.h"
#include "schemas/registry.h"

static const pdr_app no_app = {sizeof(pdr_app), PDR_ABI_VERSION, "none", NULL, 0};

void pdr_options_init(pdr_options *options)
{
    *options = (pdr_options)PDR_OPTIONS_INIT;
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

static bool is_ours(const char *name)
{
    return strncmp(name, PDR_WORKERS_OWN, strlen(PDR_WORKERS_OWN)) != 0;
}

static pdr_code read_settings(pdr_plan *out, const pdr_options *options, pdr_error *err)
{
    pdr_options_settings to = {&pdr_settings_table, &out->settings, &out->backends, is_ours};
    pdr_code code = pdr_options_set(&to, options->settings, options->setting_count, err);
    if (code != PDR_OK) return code;
    out->backends.replication = (int32_t)out->settings.topic_replication;
    return check_settings(&out->settings, err);
}

static pdr_code read_partitions(pdr_plan *out, const pdr_options *options, pdr_error *err)
{
    out->own_all = !options->partitions && !options->own_nothing;
    if (options->own_nothing && options->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "own_nothing and a list of partitions exclude each other");
    return pdr_options_partitions(&out->partitions, &out->partition_count, options->partitions,
                                  options->partition_count, err);
}

pdr_code pdr_plan_init(pdr_plan *out, const pdr_options *given, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    pdr_options options;
    pdr_code code =
        pdr_options_read(&options, sizeof options, given, "PDR_OPTIONS_INIT or pdr_options_init", err);
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
    if (code == PDR_OK) code = pdr_options_urls(&out->backends, options.journal, options.store, err);
    if (code == PDR_OK) code = read_settings(out, &options, err);
    if (code == PDR_OK) code = read_partitions(out, &options, err);
    if (code == PDR_OK)
        code = pdr_options_name(out->address, sizeof out->address, options.address, "address", err);
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
