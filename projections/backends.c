#include "projections/backends.h"

#include "backends/kafka/target.h"
#include "backends/postgres/postgres_views.h"
#include "backends/sqlite/sqlite_views.h"
#include "base/mem.h"

static pdr_code open_postgres(pdr_views **out, const pdr_url *url, const char *view_schema, pdr_error *err)
{
    pdr_postgres_views_options options = {
        .url = url->libpq, .schema = url->schema, .view_schema = *view_schema ? view_schema : NULL};
    return pdr_postgres_views_open(out, &options, err);
}

pdr_code pdr_views_of_url(pdr_views **out, const pdr_url *url, const char *view_schema, pdr_error *err)
{
    pdr_views *views;
    pdr_code code;
    if (url->kind == PDR_URL_POSTGRES)
        code = open_postgres(&views, url, view_schema, err);
    else if (url->kind == PDR_URL_SQLITE)
        code = pdr_sqlite_views_open(&views, url->path, err);
    else
        code = pdr_fail(err, PDR_UNSUPPORTED,
                        "views are kept in PostgreSQL or SQLite: postgres://... or sqlite:file");
    if (code != PDR_OK) return code;
    code = pdr_views_ops_validate(views->ops, err);
    if (code == PDR_OK) *out = views;
    return code;
}

/* --- Topics --- */

static void tell_line(void *context, int level, const char *message)
{
    const pdr_backends *journal = context;
    journal->line(journal->line_context,
                  level <= 3   ? PDR_LEVEL_ERROR
                  : level == 4 ? PDR_LEVEL_WARN
                               : PDR_LEVEL_INFO,
                  message);
}

/* The worker's settings, then the URL's own. */
static size_t gather(pdr_kafka_setting *out, const pdr_backends *journal, const pdr_url *url)
{
    static const char prefix[] = "kafka.";
    size_t count = 0;
    for (size_t i = 0; i < journal->passed_count; i++)
        out[count++] = (pdr_kafka_setting){journal->passed[i].name, journal->passed[i].value};
    for (size_t i = 0; i < url->setting_count; i++)
        if (strncmp(url->settings[i].name, prefix, strlen(prefix)) == 0)
            out[count++] =
                (pdr_kafka_setting){url->settings[i].name + strlen(prefix), url->settings[i].value};
    return count;
}

static pdr_code open_target(pdr_views **views, const pdr_backends *journal, const pdr_url *url,
                            const char *brokers, const char *topic, bool exactly_once, pdr_error *err)
{
    pdr_kafka_setting *settings =
        pdr_calloc(journal->passed_count + url->setting_count + 1, sizeof *settings);
    if (!settings) {
        (*views)->ops->close(*views);
        return pdr_fail(err, PDR_NOMEM, "topic %s", topic);
    }
    pdr_kafka_options options = {.brokers = brokers,
                                 .journal = topic,
                                 .settings = settings,
                                 .setting_count = gather(settings, journal, url),
                                 .trace = journal->line ? tell_line : NULL,
                                 .trace_context = (void *)(uintptr_t)journal};
    pdr_code code = pdr_kafka_target_open(views, *views, &options, topic, exactly_once, err);
    pdr_free(settings);
    return code;
}

pdr_code pdr_views_to_topic(pdr_views **views, const pdr_backends *journal, const char *topic,
                            bool exactly_once, pdr_error *err)
{
    pdr_url url = {0};
    pdr_code code = PDR_OK;
    bool own = strncmp(topic, "kafka://", 8) != 0;
    if (!own)
        code = pdr_url_parse_journal(&url, topic, err);
    else if (journal->log.kind != PDR_URL_KAFKA)
        code = pdr_fail(err, PDR_BAD_SETTING, "topic %s: on which brokers? Give kafka://host:9092/%s", topic,
                        topic);
    if (code != PDR_OK)
        (*views)->ops->close(*views);
    else
        code = open_target(views, journal, &url, own ? journal->log.brokers : url.brokers,
                           own ? topic : url.name, exactly_once, err);
    if (code != PDR_OK) *views = NULL;
    pdr_url_release(&url);
    return code;
}
