#include "projections/worker_plan.h"

#include "base/mem.h"
#include "journal/options.h"

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A journal's URL may carry settings of those who own it: they aren't ours. */
static bool is_ours(const char *name)
{
    return begins(name, PDR_PASSED_THROUGH) || begins(name, PDR_WORKERS_OWN);
}

static pdr_code read_settings(pdr_worker_plan *out, const pdr_worker_options *options, pdr_error *err)
{
    pdr_options_settings to = {&pdr_project_settings_table, &out->settings, &out->backends, is_ours};
    pdr_code code = pdr_options_set(&to, options->settings, options->setting_count, err);
    if (code != PDR_OK) return code;
    const pdr_projector_settings *s = &out->settings.projector;
    if (s->retry_min_us > s->retry_max_us)
        return pdr_fail(err, PDR_BAD_SETTING, "project.retry.min.ms is above project.retry.max.ms");
    return PDR_OK;
}

pdr_code pdr_views_url(pdr_url *out, const char *views, const char *store, const char *journal,
                       pdr_error *err)
{
    memset(out, 0, sizeof *out);
    const char *url = pdr_options_text(views, "PERDURE_VIEWS");
    if (!url) url = pdr_options_text(store, "PERDURE_STORE");
    if (!url) {
        const char *log = pdr_options_text(journal, "PERDURE_JOURNAL");
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
    pdr_code code = pdr_options_urls(&out->backends, options->journal, options->store, err);
    return code == PDR_OK ? pdr_views_url(&out->views, options->views, options->store, options->journal, err)
                          : code;
}

static pdr_code read_partitions(pdr_worker_plan *out, const pdr_worker_options *options, pdr_error *err)
{
    out->group = options->group;
    if (options->group && options->partitions)
        return pdr_fail(err, PDR_INVALID_ARGUMENT, "a group and a list of partitions exclude each other");
    if (options->group && out->backends.log.kind != PDR_URL_KAFKA)
        return pdr_fail(
            err, PDR_INVALID_ARGUMENT,
            "groups are Kafka's: workers of a SQLite journal are each given a list of partitions");
    return pdr_options_partitions(&out->partitions, &out->partition_count, options->partitions,
                                  options->partition_count, err);
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
    pdr_code code = pdr_options_read(&options, sizeof options, given, "PDR_WORKER_OPTIONS_INIT", err);
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
    if (code == PDR_OK) code = pdr_options_name(out->name, sizeof out->name, options.name, "name", err);
    return code;
}

void pdr_worker_plan_release(pdr_worker_plan *plan)
{
    pdr_backends_release(&plan->backends);
    pdr_url_release(&plan->views);
    pdr_free(plan->partitions);
    memset(plan, 0, sizeof *plan);
}
