/* The thread of one projection: turns, sleeps, looks where the log ends, shows how it is. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/schema_load.h"
#include "projections/backends.h"
#include "projections/worker_core.h"

enum {
    MAX_FDS = 32,
    MAX_SLEEP_US = 1000000,
    ASK_EVERY_US = 1000000,
    SHOW_EVERY_US = 100000,
    RESUME_EVERY_US = 1000000,
    SCHEMAS_EVERY_US = 3000000,
    SCHEMAS_MS = 3000
};

/* --- open --- */

static pdr_version_spec version_of(const pdr_runner *r)
{
    const pdr_projection *projection = r->projection;
    pdr_version_spec spec = {.projection = projection->name,
                             .version = projection->version,
                             .fingerprint = projection->fingerprint,
                             .tables = projection->tables,
                             .table_count = projection->table_count,
                             .partitions = r->worker->partitions};
    memcpy(spec.journal_id, r->worker->journal_id, sizeof spec.journal_id);
    return spec;
}

static pdr_code make_version(pdr_runner *r, pdr_error *err)
{
    const pdr_views_ops *ops = r->views->ops;
    int timeout = (int)r->worker->plan.settings.open_timeout_ms;
    pdr_version_spec spec = version_of(r);
    pdr_code code = ops->init(r->views, timeout, err);
    if (code == PDR_OK) code = ops->create(r->views, &spec, timeout, err);
    if (code == PDR_EXISTS) code = PDR_OK;
    return code;
}

static pdr_code open_projector(pdr_runner *r, pdr_error *err)
{
    const pdr_worker_plan *plan = &r->worker->plan;
    pdr_projector_spec spec = {.projection = r->projection,
                               .app = plan->app,
                               .log = r->log,
                               .views = r->views,
                               .env = &r->env.env,
                               .book = r->worker->book,
                               .partitions = r->worker->partitions,
                               .worker = plan->name,
                               .settings = plan->settings.projector};
    memcpy(spec.journal_id, r->worker->journal_id, sizeof spec.journal_id);
    return pdr_projector_open(&r->projector, &spec, err);
}

static pdr_code join_group(pdr_runner *r, pdr_error *err)
{
    char name[PDR_URL_MAX_NAME + PDR_VIEW_MAX_NAME + 32];
    const pdr_backends *backends = &r->worker->plan.backends;
    snprintf(name, sizeof name, "perdure.%s.%s.v%u", backends->log.name, r->projection->name,
             r->projection->version);
    return pdr_backends_group_open(backends, name, &r->group, err);
}

static pdr_code assign_listed(pdr_runner *r, pdr_error *err)
{
    const pdr_worker_plan *plan = &r->worker->plan;
    size_t count = (size_t)r->worker->partitions;
    if (plan->partitions)
        return pdr_projector_assign(r->projector, plan->partitions, plan->partition_count, err);
    int32_t *all = pdr_calloc(count, sizeof *all);
    if (!all) return pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    for (size_t i = 0; i < count; i++)
        all[i] = (int32_t)i;
    pdr_code code = pdr_projector_assign(r->projector, all, count, err);
    pdr_free(all);
    return code;
}

static pdr_code alloc_places(pdr_runner *r, pdr_error *err)
{
    size_t count = (size_t)r->worker->partitions;
    r->partitions = pdr_calloc(count, sizeof *r->partitions);
    r->shown.partitions = pdr_calloc(count, sizeof *r->shown.partitions);
    r->ends = pdr_calloc(count, sizeof *r->ends);
    if (!r->partitions || !r->shown.partitions || !r->ends)
        return pdr_fail(err, PDR_NOMEM, "%zu partitions", count);
    for (size_t i = 0; i < count; i++)
        r->ends[i] = -1;
    return PDR_OK;
}

/* With a registry all of a topic's values are framed by its ids, else none. */
static pdr_code aim(pdr_runner *r, pdr_error *err)
{
    const pdr_schema_book *book = r->worker->book;
    if (!r->projection->topic) return PDR_OK;
    for (size_t i = 0; i < pdr_schema_book_count(book) && !r->projection->ids; i++)
        if (pdr_schema_book_id(book, pdr_schema_book_at(book, i)) != PDR_BOOK_NO_ID)
            r->projection->ids = book;
    return pdr_views_to_topic(&r->views, &r->worker->plan.backends, r->projection->topic,
                              r->projection->exactly_once, err);
}

pdr_code pdr_runner_open(pdr_runner *r, struct pdr_worker *worker, pdr_error *err)
{
    const pdr_worker_plan *plan = &worker->plan;
    r->worker = worker;
    pdr_system_env_init(&r->env, plan->line, plan->line_context);
    pdr_code code = alloc_places(r, err);
    if (code == PDR_OK) code = pdr_backends_log_open(&plan->backends, &r->log, err);
    if (code == PDR_OK) code = pdr_views_of_url(&r->views, &plan->views, plan->settings.view_schema, err);
    if (code == PDR_OK) code = aim(r, err);
    if (code == PDR_OK) code = make_version(r, err);
    if (code == PDR_OK) code = open_projector(r, err);
    if (code == PDR_OK) code = plan->group ? join_group(r, err) : assign_listed(r, err);
    if (code != PDR_OK)
        return pdr_fail_context(err, code, "projection %s v%u", r->projection->name, r->projection->version);
    return PDR_OK;
}

/* --- the thread --- */

static void PDR_PRINTF(3, 4) say(pdr_runner *r, pdr_level level, const char *format, ...)
{
    char message[700];
    int size =
        snprintf(message, sizeof message, "projection %s v%u: ", r->projection->name, r->projection->version);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message + size, sizeof message - (size_t)size, format, args);
    va_end(args);
    r->env.env.ops->trace(&r->env.env, level, message);
}

static int ms_of(int64_t us)
{
    if (us <= 0) return 0;
    return (int)(((us < MAX_SLEEP_US ? us : MAX_SLEEP_US) + 999) / 1000);
}

static void sleep_until(pdr_runner *r, int64_t due_us)
{
    struct pollfd fds[MAX_FDS + 1];
    int64_t log_us = INT64_MAX, views_us = INT64_MAX;
    int64_t us = due_us == INT64_MAX ? INT64_MAX : due_us - pdr_mono_us();
    int count = r->log->ops->wait_on(r->log, fds, MAX_FDS, &log_us);
    count += r->views->ops->wait_on(r->views, fds + count, MAX_FDS - count, &views_us);
    if (r->group) count += r->group->ops->wait_on(r->group, fds + count, MAX_FDS - count);
    fds[count++] = (struct pollfd){.fd = r->alarm.fd, .events = POLLIN};
    if (log_us < us) us = log_us;
    if (views_us < us) us = views_us;
    (void)poll(fds, (nfds_t)count, ms_of(us)); /* whatever woke it: what is due is looked at */
}

/* What was given up and is on its way is carried out all the same, or finds the position moved. */
static void follow_group(pdr_runner *r)
{
    const int32_t *partitions;
    pdr_error err;
    if (!r->group || !r->group->ops->poll(r->group) || r->told_to_drain) return;
    size_t count = r->group->ops->partitions(r->group, &partitions, &r->joined);
    if (pdr_projector_assign(r->projector, partitions, count, &err) != PDR_OK)
        say(r, PDR_LEVEL_ERROR, "what the group gives can't be taken: %s", err.message);
    else
        say(r, PDR_LEVEL_INFO, "the group gives %zu partitions", count);
    r->show_at = 0;
}

/* --- going on after an error --- */

typedef struct switches {
    const pdr_runner *runner;
    bool goes_on;
} switches;

static pdr_code look_at_fault(void *context, const pdr_version_row *row, pdr_error *err)
{
    switches *s = context;
    (void)err;
    if (row->version == s->runner->projection->version) s->goes_on = !row->fault[0];
    return PDR_OK;
}

/* An operator who mended what stopped it takes the fault away from the version's row: `perdure project
 * resume`, or reset. A worker with a wrong definition, or whose version was deleted, stays as it is. */
static bool may_go_on(pdr_runner *r, int64_t now)
{
    pdr_projector_numbers numbers;
    pdr_error ignored;
    switches s = {.runner = r};
    if (now < r->resume_at || r->told_to_drain) return false;
    pdr_projector_numbers_get(r->projector, &numbers);
    if (numbers.state != PDR_PROJECTOR_STOPPED) return false;
    bool first = r->resume_at == 0;
    r->resume_at = now + RESUME_EVERY_US;
    if (first || numbers.error.code == PDR_CONFLICT || numbers.error.code == PDR_NOT_FOUND) return false;
    return r->views->ops->versions(r->views, r->projection->name, look_at_fault, &s, &ignored) == PDR_OK &&
           s.goes_on;
}

static void go_on(pdr_runner *r)
{
    pdr_error err;
    const int32_t *partitions;
    pdr_projector *stopped = r->projector;
    if (open_projector(r, &err) != PDR_OK) {
        r->projector = stopped;
        return;
    }
    pdr_projector_close(stopped);
    r->resume_at = 0;
    say(r, PDR_LEVEL_INFO, "goes on: its fault was taken away");
    pdr_code code = PDR_OK;
    if (r->group) {
        size_t count = r->group->ops->partitions(r->group, &partitions, &r->joined);
        code = pdr_projector_assign(r->projector, partitions, count, &err);
    } else {
        code = assign_listed(r, &err);
    }
    if (code != PDR_OK) say(r, PDR_LEVEL_ERROR, "its partitions can't be taken: %s", err.message);
}

/* A topic's messages carry the registry's ids of today's types. One that wasn't known when the worker began
 * comes into the store with the owner that asked for it. */
static void look_for_ids(pdr_runner *r, int64_t now)
{
    pdr_projector_numbers numbers;
    pdr_store *store;
    pdr_error ignored; /* the projector says what it lacks */
    const pdr_backends *backends = &r->worker->plan.backends;
    if (!r->projection->ids || !backends->has_store || now < r->schemas_at) return;
    pdr_projector_numbers_get(r->projector, &numbers);
    if (numbers.state != PDR_PROJECTOR_WAITING) return;
    r->schemas_at = now + SCHEMAS_EVERY_US;
    if (pdr_backends_store_open(backends, &store, &ignored) != PDR_OK) return;
    (void)!pdr_schema_book_load(r->worker->book, store, SCHEMAS_MS, &ignored);
    store->ops->close(store);
}

static void *run(void *context)
{
    pdr_runner *r = context;
    while (!atomic_load(&r->ending)) {
        int64_t due_us;
        if (atomic_load(&r->draining) && !r->told_to_drain) {
            r->told_to_drain = true;
            pdr_projector_drain(r->projector);
        }
        follow_group(r);
        size_t done = pdr_projector_turn(r->projector, &due_us);
        int64_t now = pdr_mono_us();
        if (done == 0 || now >= r->show_at) pdr_runner_show(r, now);
        if (done == 0 && may_go_on(r, now)) go_on(r);
        if (done == 0) look_for_ids(r, now);
        if (done > 0) continue;
        pdr_alarm_set(&r->alarm);
        if (!atomic_load(&r->ending) && atomic_load(&r->draining) == r->told_to_drain) sleep_until(r, due_us);
        pdr_alarm_clear(&r->alarm);
    }
    return NULL;
}

pdr_code pdr_runner_start(pdr_runner *r, pdr_error *err)
{
    pdr_code code = pdr_alarm_open(&r->alarm, err);
    if (code != PDR_OK) return code;
    sigset_t all, before; /* the application's signals are its own threads' */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&r->thread, NULL, run, r);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        pdr_alarm_close(&r->alarm);
        return pdr_fail_backend(err, PDR_UNAVAILABLE, failed, "no thread");
    }
    char name[16];
    snprintf(name, sizeof name, "pdr-%.11s", r->projection->name);
    pthread_setname_np(r->thread, name);
    r->started = true;
    return PDR_OK;
}

void pdr_runner_drain(pdr_runner *r)
{
    atomic_store(&r->draining, true);
    if (r->started) pdr_alarm_ring(&r->alarm);
}

void pdr_runner_end(pdr_runner *r)
{
    atomic_store(&r->ending, true);
    if (r->started) pdr_alarm_ring(&r->alarm);
}

void pdr_runner_close(pdr_runner *r)
{
    if (r->started) {
        pdr_runner_end(r);
        pthread_join(r->thread, NULL);
        pdr_alarm_close(&r->alarm);
    }
    if (r->group) r->group->ops->close(r->group);
    pdr_log_ends_close(r->asking);
    pdr_projector_close(r->projector);
    if (r->views) r->views->ops->close(r->views);
    if (r->log) r->log->ops->close(r->log);
    pdr_projection_close(r->projection);
    pdr_free(r->ends);
    pdr_free(r->partitions);
    pdr_free(r->shown.partitions);
}
