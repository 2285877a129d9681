#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/app.h"
#include "journal/log_id.h"
#include "journal/partitioner.h"
#include "journal/sleep.h"
#include "replay/tool_inside.h"

enum { MAX_SLEEP_US = 100000 };

static void free_known(pdr_known_schema *known)
{
    while (known) {
        pdr_known_schema *next = known->next;
        pdr_schema_set_close(known->set);
        pdr_free(known);
        known = next;
    }
}

void pdr_tool_close(pdr_tool *tool)
{
    if (!tool) return;
    if (tool->log) tool->log->ops->close(tool->log);
    if (tool->store) tool->store->ops->close(tool->store);
    if (tool->seek_log) tool->seek_log->ops->close(tool->seek_log);
    if (tool->seek_store) tool->seek_store->ops->close(tool->seek_store);
    for (size_t i = 0; tool->folders && tool->app && i < tool->app->entity_count; i++)
        pdr_folder_close(tool->folders[i]);
    pdr_free(tool->folders);
    pdr_schema_book_close(tool->book);
    free_known(tool->parsed);
    free_known(tool->missing);
    pdr_plan_release(&tool->plan);
    pthread_mutex_destroy(&tool->seeking);
    pdr_free(tool);
}

static pdr_code open_folders(pdr_tool *tool, pdr_error *err)
{
    size_t count = tool->app ? tool->app->entity_count : 0;
    tool->folders = pdr_calloc(count + 1, sizeof(pdr_folder *));
    if (!tool->folders) return pdr_fail(err, PDR_NOMEM, "%zu entity types", count);
    pdr_code code = pdr_schema_book_open(&tool->book, err);
    for (size_t i = 0; code == PDR_OK && i < count; i++)
        code = pdr_folder_open_tolerant(&tool->folders[i], tool->app->entities[i], tool->book, err);
    return code;
}

/* --- the store --- */

static pdr_code check_meta(const pdr_tool *tool, pdr_store_meta *meta, pdr_error *err)
{
    pdr_code code = tool->store->ops->meta(tool->store, meta, tool->timeout_ms, err);
    if (code == PDR_OK && meta->partitions != tool->partitions)
        code = pdr_fail(err, PDR_WRONG_JOURNAL, "the log has %d partitions, the store is for one of %d",
                        (int)tool->partitions, (int)meta->partitions);
    return code;
}

pdr_code pdr_tool_check_store(pdr_tool *tool, pdr_error *err)
{
    pdr_store_meta meta;
    uint8_t id[PDR_ID_SIZE];
    bool found = false;
    if (!tool->store) return PDR_OK;
    pdr_code code = check_meta(tool, &meta, err);
    if (code == PDR_NOT_INITIALISED) return PDR_OK;
    if (code == PDR_OK)
        code = pdr_log_find_id(tool->log, 0, tool->partitions, tool->timeout_ms, &found, id, err);
    if (code != PDR_OK || !found || memcmp(id, meta.journal_id, sizeof id) == 0) return code;
    return pdr_fail(err, PDR_WRONG_JOURNAL, "log and store belong to two different journals");
}

/* A store without tables is as good as none, unless it is needed. Who is brief sees that when it is asked
 * something. */
static pdr_code open_store(pdr_tool *tool, const pdr_tool_spec *spec, pdr_error *err)
{
    if (!tool->plan.backends.has_store) {
        if (!spec->needs_store) return PDR_OK;
        return pdr_fail(err, PDR_BAD_URL, "no URL names the store: give --store, or set PERDURE_STORE");
    }
    pdr_store_meta meta;
    const pdr_url *url = &tool->plan.backends.store;
    pdr_code code = pdr_url_is_missing_file(url)
                        ? pdr_fail(err, PDR_NOT_INITIALISED, "%.300s: no such file", url->path)
                        : pdr_backends_store_open(&tool->plan.backends, &tool->store, err);
    if (code == PDR_OK && !spec->brief) code = check_meta(tool, &meta, err);
    if (code != PDR_NOT_INITIALISED || spec->needs_store) return code;
    if (tool->store) tool->store->ops->close(tool->store);
    tool->store = NULL;
    return PDR_OK;
}

/* --- the log --- */

typedef struct opening {
    pdr_tool *tool;
    pdr_code code;
    pdr_error err;
    atomic_bool done;
} opening;

static void *open_log(void *context)
{
    opening *o = context;
    pdr_log_info info;
    pdr_tool *tool = o->tool;
    o->code = pdr_backends_log_open(&tool->plan.backends, &tool->log, &o->err);
    if (o->code == PDR_OK) o->code = tool->log->ops->info(tool->log, &info, tool->timeout_ms, &o->err);
    if (o->code == PDR_OK) tool->partitions = info.partitions;
    atomic_store(&o->done, true);
    return NULL;
}

static void ignore(void *context, uint64_t tag, const pdr_store_result *result)
{
    (void)context;
    (void)tag;
    (void)result;
}

/* Whatever is asked makes a store connect; what it answers doesn't matter. */
static void connect_store_until(pdr_store *store, const atomic_bool *done)
{
    enum { LOOK_US = 1000 };
    int context; /* its address tells the question from others */
    if (store->ops->load(store, 0, ignore, &context, 0, NULL) != PDR_OK) return;
    while (!atomic_load(done))
        if (store->ops->poll(store) == 0) pdr_sleep_on(NULL, store, LOOK_US);
    store->ops->forget(store, &context);
}

/* Both servers are connected to at once, if that is worth a thread. */
static pdr_code open_both(pdr_tool *tool, const pdr_tool_spec *spec, pdr_error *err)
{
    opening o = {.tool = tool};
    pthread_t thread;
    bool remote = tool->plan.backends.log.kind == PDR_URL_KAFKA && tool->plan.backends.has_store;
    bool beside = spec->brief && remote && pthread_create(&thread, NULL, open_log, &o) == 0;
    if (!beside) (void)open_log(&o);
    pdr_code code = beside || o.code == PDR_OK ? open_store(tool, spec, err) : PDR_OK;
    if (beside && tool->store) connect_store_until(tool->store, &o.done);
    if (beside) (void)pthread_join(thread, NULL);
    if (o.code == PDR_OK) return code;
    if (err) *err = o.err;
    return o.code;
}

/* What the URL says stands. */
static pdr_code prefer(pdr_backends *backends, const char *name, const char *value, pdr_error *err)
{
    if (backends->log.kind != PDR_URL_KAFKA) return PDR_OK;
    for (size_t i = 0; i < backends->passed_count; i++)
        if (strcmp(backends->passed[i].name, name) == 0) return PDR_OK;
    return pdr_backends_pass(backends, name, value, err);
}

/* Who reads all reads few records ahead: librdkafka's own default is ten times that. Who is brief doesn't
 * wait for what there may be later; who jumps would parse a thousand records for each that it wants. */
static pdr_code tune(pdr_tool *tool, const pdr_tool_spec *spec, pdr_error *err)
{
    pdr_backends *backends = &tool->plan.backends;
    backends->reads_only = true;
    pdr_code code = spec->reads_all ? prefer(backends, "queued.min.messages", "10000", err) : PDR_OK;
    if (code == PDR_OK && spec->brief) code = prefer(backends, "fetch.wait.max.ms", "1", err);
    if (code == PDR_OK && spec->jumps) code = prefer(backends, "fetch.message.max.bytes", "131072", err);
    return code;
}

static pdr_code open_connections(pdr_tool *tool, const pdr_tool_spec *spec, pdr_error *err)
{
    pdr_options options = PDR_OPTIONS_INIT;
    options.journal = spec->journal;
    options.store = spec->store;
    options.own_nothing = true;
    pdr_code code = pdr_plan_init(&tool->plan, &options, err);
    tool->timeout_ms = spec->timeout_ms > 0 ? spec->timeout_ms : (int)tool->plan.settings.open_timeout_ms;
    if (code == PDR_OK) code = tune(tool, spec, err);
    return code == PDR_OK ? open_both(tool, spec, err) : code;
}

pdr_code pdr_tool_open(pdr_tool **out, const pdr_tool_spec *spec, pdr_error *err)
{
    *out = NULL;
    pdr_tool *tool = pdr_calloc(1, sizeof *tool);
    if (!tool) return pdr_fail(err, PDR_NOMEM, "what the command works on");
    if (pthread_mutex_init(&tool->seeking, NULL) != 0) {
        pdr_free(tool);
        return pdr_fail(err, PDR_NOMEM, "a lock");
    }
    tool->app = spec->app;
    tool->stopped = spec->stopped;
    pdr_code code = open_folders(tool, err);
    if (code == PDR_OK) code = open_connections(tool, spec, err);
    if (code == PDR_OK)
        *out = tool;
    else
        pdr_tool_close(tool);
    return code;
}

const pdr_app *pdr_tool_app(const pdr_tool *tool)
{
    return tool->app;
}

int32_t pdr_tool_partitions(const pdr_tool *tool)
{
    return tool->partitions;
}

int32_t pdr_tool_partition_of(const pdr_tool *tool, pdr_bytes entity)
{
    return pdr_partition_of(entity, tool->partitions);
}

pdr_log *pdr_tool_log(pdr_tool *tool)
{
    return tool->log;
}

pdr_store *pdr_tool_store(pdr_tool *tool)
{
    return tool->store;
}

pdr_code pdr_tool_log_open(const pdr_tool *tool, pdr_log **out, pdr_error *err)
{
    return pdr_backends_log_open(&tool->plan.backends, out, err);
}

const pdr_folder *pdr_tool_folder(const pdr_tool *tool, pdr_bytes entity)
{
    size_t i = pdr_app_entity_of(tool->app, entity);
    return i == SIZE_MAX ? NULL : tool->folders[i];
}

pdr_schema_book *pdr_tool_book(pdr_tool *tool)
{
    return tool->book;
}

/* --- driving connections --- */

int64_t pdr_tool_deadline_us(const pdr_tool *tool)
{
    return pdr_deadline_us(tool->timeout_ms);
}

bool pdr_tool_is_stopped(const pdr_tool *tool)
{
    return tool->stopped && tool->stopped();
}

pdr_code pdr_tool_turn(const pdr_tool *tool, pdr_log *log, pdr_store *store, int64_t until_us, bool *came,
                       pdr_error *err)
{
    bool ignored;
    if (!came) came = &ignored;
    if (pdr_tool_is_stopped(tool)) return pdr_fail(err, PDR_CANCELLED, "it was stopped");
    *came = (log && log->ops->poll(log) > 0);
    if (store && store->ops->poll(store) > 0) *came = true;
    if (*came) return PDR_OK;
    int64_t left = until_us == INT64_MAX ? INT64_MAX : until_us - pdr_mono_us();
    if (left <= 0) return pdr_fail(err, PDR_TIMEOUT, "no answer within %d ms", tool->timeout_ms);
    pdr_sleep_on(log, store, left < MAX_SLEEP_US ? left : MAX_SLEEP_US);
    return PDR_OK;
}

void pdr_tool_answered(pdr_tool_answer *answer, const pdr_store_result *result)
{
    answer->came = true;
    answer->error.code = PDR_OK;
    if (result->code != PDR_OK) answer->error = *result->error;
}

/* Nothing comes before the first turn. */
pdr_code pdr_tool_await(pdr_tool *tool, pdr_code asked, pdr_tool_answer *answer, void *context,
                        pdr_error *err)
{
    int64_t until = pdr_tool_deadline_us(tool);
    pdr_code code = asked;
    answer->came = false;
    while (code == PDR_OK && !answer->came)
        code = pdr_tool_turn(tool, NULL, tool->store, until, NULL, err);
    if (code != PDR_OK) {
        tool->store->ops->forget(tool->store, context);
        return code;
    }
    if (answer->error.code != PDR_OK && err) *err = answer->error;
    return answer->error.code;
}
