#include "projections/worker_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

#define PASSED_THROUGH "kafka." /* settings that begin so are librdkafka's, without the prefix */

/* A caller built with an older header gives fewer members; one built with a newer header may use only what
 * this library knows: the rest must be zero. */
static pdr_code read_options(pdr_worker_options *out, const pdr_worker_options *given, pdr_error *err)
{
    enum { OLDEST = sizeof(pdr_worker_options) }; /* of the first released version */
    if (!given) return pdr_fail(err, PDR_INVALID_ARGUMENT, "options are NULL");
    if (given->abi_size < OLDEST || given->abi_size > 64 * sizeof *given)
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "options.abi_size is %zu: begin with PDR_WORKER_OPTIONS_INIT", given->abi_size);
    const uint8_t *bytes = (const uint8_t *)given;
    for (size_t i = sizeof *out; i < given->abi_size; i++)
        if (bytes[i])
            return pdr_fail(err, PDR_INVALID_ARGUMENT, "options has members that this version doesn't know");
    memcpy(out, given, sizeof *out);
    return PDR_OK;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static pdr_code set_one(pdr_worker_plan *out, const char *name, const char *value, pdr_error *err)
{
    if (!name || !value) return pdr_fail(err, PDR_BAD_SETTING, "a setting without name or value");
    if (begins(name, PASSED_THROUGH) && name[strlen(PASSED_THROUGH)])
        return pdr_backends_pass(&out->backends, name + strlen(PASSED_THROUGH), value, err);
    return pdr_config_set(&pdr_project_settings_table, &out->settings, name, value, err);
}

/* A journal's URL may carry settings of those who own it: they aren't ours. */
static bool is_ours(const char *name)
{
    return begins(name, PASSED_THROUGH) || begins(name, PDR_PROJECT_SETTINGS);
}

static pdr_code read_settings(pdr_worker_plan *out, const pdr_worker_options *options, pdr_error *err)
{
    pdr_code code = PDR_OK;
    pdr_config_defaults(&pdr_project_settings_table, &out->settings);
    const pdr_url *url = &out->backends.log;
    for (size_t i = 0; code == PDR_OK && i < url->setting_count; i++)
        if (is_ours(url->settings[i].name))
            code = set_one(out, url->settings[i].name, url->settings[i].value, err);
    if (options->setting_count && !options->settings)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.settings is NULL, setting_count is not 0");
    for (size_t i = 0; code == PDR_OK && i < options->setting_count; i++)
        code = set_one(out, options->settings[i].name, options->settings[i].value, err);
    if (code != PDR_OK) return code;
    const pdr_projector_settings *s = &out->settings.projector;
    if (s->retry_min_us > s->retry_max_us)
        return pdr_fail(err, PDR_BAD_SETTING, "project.retry.min.ms is above project.retry.max.ms");
    return PDR_OK;
}

static const char *or_environment(const char *given, const char *variable)
{
    if (given) return given;
    const char *value = getenv(variable);
    return value && *value ? value : NULL;
}

pdr_code pdr_views_url(pdr_url *out, const char *views, const char *store, const char *journal,
                       pdr_error *err)
{
    memset(out, 0, sizeof *out);
    const char *url = or_environment(views, "PERDURE_VIEWS");
    if (!url) url = or_environment(store, "PERDURE_STORE");
    if (!url) {
        const char *log = or_environment(journal, "PERDURE_JOURNAL");
        if (log && begins(log, "sqlite:")) url = log;
    }
    if (!url)
        return pdr_fail(err, PDR_BAD_URL,
                        "no URL names the views: give postgres://... or sqlite:file, or set PERDURE_VIEWS");
    pdr_code code = pdr_url_parse_store(out, url, err);
    return code == PDR_OK ? code : pdr_fail_context(err, code, "the views' URL");
}

static pdr_code read_urls(pdr_worker_plan *out, const pdr_worker_options *options, pdr_error *err)
{
    const char *log = or_environment(options->journal, "PERDURE_JOURNAL");
    const char *store = or_environment(options->store, "PERDURE_STORE");
    if (!log)
        return pdr_fail(err, PDR_BAD_URL,
                        "no URL names the journal: give kafka://host:9092/name or sqlite:file, or set "
                        "PERDURE_JOURNAL");
    pdr_code code = pdr_url_parse_journal(&out->backends.log, log, err);
    if (code != PDR_OK) return code;
    code = pdr_views_url(&out->views, options->views, options->store, log, err);
    if (!store && out->backends.log.kind == PDR_URL_SQLITE) store = log;
    if (code != PDR_OK || !store) return code;
    out->backends.has_store = true;
    return pdr_url_parse_store(&out->backends.store, store, err);
}

static pdr_code read_partitions(pdr_worker_plan *out, const pdr_worker_options *options, pdr_error *err)
{
    out->group = options->group;
    if (options->partition_count && !options->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.partitions is NULL, partition_count is not 0");
    if (options->group && options->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a group and a list of partitions exclude each other");
    if (options->group && out->backends.log.kind != PDR_URL_KAFKA)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "groups are Kafka's: workers of a SQLite journal are each given a list of partitions");
    if (options->partition_count > PDR_LOG_MAX_PARTITIONS)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.partitions has %zu entries; at most %d",
                        options->partition_count, PDR_LOG_MAX_PARTITIONS);
    if (!options->partitions) return PDR_OK;
    out->partitions = pdr_memdup(options->partitions, options->partition_count * sizeof(int32_t));
    if (!out->partitions) return pdr_fail(err, PDR_NOMEM, "partitions");
    out->partition_count = options->partition_count;
    return PDR_OK;
}

static pdr_code read_name(pdr_worker_plan *out, const char *given, pdr_error *err)
{
    if (!given) {
        char host[100] = "";
        if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
        int size = snprintf(out->name, sizeof out->name, "%s/%ld", host, (long)getpid());
        return size > 0 ? PDR_OK : pdr_fail(err, PDR_FATAL, "the name of this process");
    }
    size_t size = strlen(given);
    if (size == 0 || size > PDR_MAX_WORKER_NAME)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "options.name has %zu bytes; 1 to %d", size,
                        PDR_MAX_WORKER_NAME);
    memcpy(out->name, given, size + 1);
    return PDR_OK;
}

static pdr_code check_projections(const pdr_worker_options *options, pdr_error *err)
{
    if ((options->file_count && !options->files) || (options->type_count && !options->types))
        return pdr_fail(err, PDR_INVALID_ARGUMENT,
                        "options.files or options.types is NULL, its count isn't 0");
    if (options->file_count + options->type_count == 0)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "no projection is given");
    if (options->file_count > PDR_MAX_PROJECTIONS ||
        options->type_count > PDR_MAX_PROJECTIONS - options->file_count)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "more than %d projections", PDR_MAX_PROJECTIONS);
    return PDR_OK;
}

pdr_code pdr_worker_plan_init(pdr_worker_plan *out, const pdr_worker_options *given, pdr_error *err)
{
    memset(out, 0, sizeof *out);
    pdr_worker_options options;
    pdr_code code = read_options(&options, given, err);
    if (code != PDR_OK) return code;
    out->app = options.app;
    out->line = options.log_line;
    out->line_context = options.context;
    out->backends.line = options.log_line;
    out->backends.line_context = options.context;
    code = check_projections(&options, err);
    if (code == PDR_OK) code = pdr_app_validate(options.app, err);
    if (code == PDR_OK) code = read_urls(out, &options, err);
    if (code == PDR_OK) code = read_settings(out, &options, err);
    if (code == PDR_OK) code = read_partitions(out, &options, err);
    if (code == PDR_OK) code = read_name(out, options.name, err);
    return code;
}

void pdr_worker_plan_release(pdr_worker_plan *plan)
{
    pdr_backends_release(&plan->backends);
    pdr_url_release(&plan->views);
    pdr_free(plan->partitions);
    memset(plan, 0, sizeof *plan);
}
