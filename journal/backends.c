#include "journal/backends.h"

#include "backends/kafka/group.h"
#include "backends/kafka/kafka_log.h"
#include "backends/postgres/postgres_store.h"
#include "backends/sqlite/sqlite_log.h"
#include "backends/sqlite/sqlite_store.h"
#include "base/mem.h"

void pdr_backends_release(pdr_backends *backends)
{
    pdr_url_release(&backends->log);
    pdr_url_release(&backends->store);
    for (size_t i = 0; i < backends->passed_count; i++) {
        pdr_free((char *)(uintptr_t)backends->passed[i].name);
        pdr_free((char *)(uintptr_t)backends->passed[i].value);
    }
    pdr_free(backends->passed);
    memset(backends, 0, sizeof *backends);
}

pdr_code pdr_backends_pass(pdr_backends *backends, const char *name, const char *value, pdr_error *err)
{
    size_t count = backends->passed_count;
    pdr_setting *grown = pdr_realloc(backends->passed, (count + 1) * sizeof *grown);
    if (!grown) return pdr_fail(err, PDR_NOMEM, "setting %s", name);
    backends->passed = grown;
    grown[count] = (pdr_setting){pdr_strdup(name), pdr_strdup(value)};
    backends->passed_count++;
    bool whole = grown[count].name && grown[count].value;
    return whole ? PDR_OK : pdr_fail(err, PDR_NOMEM, "setting %s", name);
}

/* --- kafka --- */

/* librdkafka's levels are syslog's: 0 emergency ... 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
static void kafka_line(void *context, int level, const char *message)
{
    const pdr_backends *backends = context;
    pdr_level ours = level <= 3   ? PDR_LEVEL_ERROR
                     : level == 4 ? PDR_LEVEL_WARN
                     : level <= 6 ? PDR_LEVEL_INFO
                                  : PDR_LEVEL_DEBUG;
    backends->line(backends->line_context, (int)ours, message);
}

/* *settings is to be freed. */
static pdr_code kafka_options(const pdr_backends *backends, pdr_kafka_options *out,
                              pdr_kafka_setting **settings, pdr_error *err)
{
    *settings = pdr_calloc(backends->passed_count + 1, sizeof **settings);
    if (!*settings) return pdr_fail(err, PDR_NOMEM, "settings");
    for (size_t i = 0; i < backends->passed_count; i++)
        (*settings)[i] = (pdr_kafka_setting){backends->passed[i].name, backends->passed[i].value};
    *out = (pdr_kafka_options){.brokers = backends->log.brokers,
                               .journal = backends->log.name,
                               .settings = *settings,
                               .setting_count = backends->passed_count,
                               .reads_only = backends->reads_only,
                               .trace = backends->line ? kafka_line : NULL,
                               .trace_context = (void *)(uintptr_t)backends};
    return PDR_OK;
}

static pdr_code kafka_open(const pdr_backends *backends, pdr_log **out, pdr_error *err)
{
    pdr_kafka_options options;
    pdr_kafka_setting *settings;
    pdr_code code = kafka_options(backends, &options, &settings, err);
    if (code == PDR_OK) code = pdr_kafka_log_open(out, &options, err);
    pdr_free(settings);
    return code;
}

static pdr_code kafka_create(const pdr_backends *backends, int32_t partitions, int timeout_ms, pdr_error *err)
{
    pdr_kafka_options options;
    pdr_kafka_setting *settings;
    pdr_kafka_topic topic = {partitions, backends->replication, -1};
    pdr_code code = kafka_options(backends, &options, &settings, err);
    if (code == PDR_OK) code = pdr_kafka_log_create(&options, &topic, timeout_ms, err);
    pdr_free(settings);
    return code;
}

static pdr_code kafka_group_open(const pdr_backends *backends, const char *name, pdr_group **out,
                                 pdr_error *err)
{
    pdr_kafka_options options;
    pdr_kafka_setting *settings;
    pdr_code code = kafka_options(backends, &options, &settings, err);
    if (code == PDR_OK) code = pdr_kafka_group_open(out, &options, name, err);
    pdr_free(settings);
    return code;
}

/* --- sqlite --- */

static void sqlite_line(void *context, pdr_level level, const char *message)
{
    const pdr_backends *backends = context;
    backends->line(backends->line_context, (int)level, message);
}

static pdr_code sqlite_log_open(const pdr_backends *backends, pdr_log **out, pdr_error *err)
{
    pdr_code code = pdr_sqlite_log_open(out, backends->log.path, err);
    if (code == PDR_OK && backends->line)
        pdr_sqlite_log_set_trace(*out, sqlite_line, (void *)(uintptr_t)backends);
    return code;
}

/* The journal is called as its file is, without folder and ending. */
static pdr_code sqlite_create(const pdr_backends *backends, int32_t partitions, int timeout_ms,
                              pdr_error *err)
{
    (void)timeout_ms;
    const char *path = backends->log.path, *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path, *dot = strrchr(base, '.');
    size_t size = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    char name[PDR_URL_MAX_NAME + 1];
    if (size > PDR_URL_MAX_NAME) size = PDR_URL_MAX_NAME;
    memcpy(name, base, size);
    name[size] = '\0';
    return pdr_sqlite_log_create(path, name, partitions, err);
}

static pdr_code sqlite_store_open(const pdr_backends *backends, pdr_store **out, pdr_error *err)
{
    pdr_code code = pdr_sqlite_store_open(out, backends->store.path, err);
    if (code == PDR_OK && backends->line)
        pdr_sqlite_store_set_trace(*out, sqlite_line, (void *)(uintptr_t)backends);
    return code;
}

/* --- postgres --- */

static pdr_code postgres_open(const pdr_backends *backends, pdr_store **out, pdr_error *err)
{
    pdr_postgres_options options = {.url = backends->store.libpq, .schema = backends->store.schema};
    return pdr_postgres_store_open(out, &options, err);
}

/* --- the table --- */

typedef struct backend {
    pdr_code (*log_open)(const pdr_backends *backends, pdr_log **out, pdr_error *err);
    pdr_code (*log_create)(const pdr_backends *backends, int32_t partitions, int timeout_ms, pdr_error *err);
    pdr_code (*store_open)(const pdr_backends *backends, pdr_store **out, pdr_error *err);
    pdr_code (*group_open)(const pdr_backends *backends, const char *name, pdr_group **out, pdr_error *err);
} backend;

static const backend table[] = {
    [PDR_URL_KAFKA] = {kafka_open, kafka_create, NULL, kafka_group_open},
    [PDR_URL_SQLITE] = {sqlite_log_open, sqlite_create, sqlite_store_open, NULL},
    [PDR_URL_POSTGRES] = {NULL, NULL, postgres_open, NULL},
};

pdr_code pdr_backends_log_open(const pdr_backends *backends, pdr_log **out, pdr_error *err)
{
    pdr_log *log;
    pdr_code code = table[backends->log.kind].log_open(backends, &log, err);
    if (code != PDR_OK) return code;
    code = pdr_log_ops_validate(log->ops, err);
    if (code == PDR_OK) *out = log;
    return code;
}

pdr_code pdr_backends_log_create(const pdr_backends *backends, int32_t partitions, int timeout_ms,
                                 pdr_error *err)
{
    return table[backends->log.kind].log_create(backends, partitions, timeout_ms, err);
}

pdr_code pdr_backends_store_open(const pdr_backends *backends, pdr_store **out, pdr_error *err)
{
    if (!backends->has_store)
        return pdr_fail(err, PDR_BAD_URL,
                        "no URL names the store: give postgres://... or sqlite:file, or set PERDURE_STORE");
    pdr_store *store;
    pdr_code code = table[backends->store.kind].store_open(backends, &store, err);
    if (code != PDR_OK) return code;
    code = pdr_store_ops_validate(store->ops, err);
    if (code == PDR_OK) *out = store;
    return code;
}

pdr_code pdr_backends_group_open(const pdr_backends *backends, const char *name, pdr_group **out,
                                 pdr_error *err)
{
    if (table[backends->log.kind].group_open)
        return table[backends->log.kind].group_open(backends, name, out, err);
    return pdr_fail(err, PDR_UNSUPPORTED,
                    "groups are Kafka's: workers of a SQLite journal are each given a list of partitions");
}
