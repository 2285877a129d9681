#include "perdure/journal.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "actors/schema_ids.h"
#include "actors/shell.h"
#include "actors/waiter.h"
#include "base/mem.h"
#include "journal/log_id.h"
#include "journal/partitioner.h"
#include "journal/schema_load.h"

/* --- open --- */

static int timeout_of(const pdr_journal *journal)
{
    return (int)journal->plan.settings.open_timeout_ms;
}

/* An owner with another journal's store would depose the right one before it noticed. */
static pdr_code check_id(pdr_journal *journal, pdr_log *log, pdr_error *err)
{
    uint8_t id[PDR_ID_SIZE];
    bool found;
    int32_t first = journal->plan.partition_count ? journal->plan.partitions[0] : 0;
    pdr_code code = pdr_log_find_id(log, first, 1, timeout_of(journal), &found, id, err);
    if (code == PDR_OUT_OF_RANGE)
        return PDR_OK; /* its beginning is gone; the scan of a recovery checks too */
    if (code != PDR_OK || !found || memcmp(id, journal->id, sizeof id) == 0) return code;
    return pdr_fail(err, PDR_WRONG_JOURNAL, "the log and the store belong to two different journals");
}

/* Log and store are there, safe, and of one journal. `store` NULL: only a reader of partitions. */
static pdr_code check_connections(pdr_journal *journal, pdr_log *log, pdr_store *store, pdr_error *err)
{
    pdr_log_info info;
    pdr_store_meta meta;
    int timeout = timeout_of(journal);
    pdr_code code = log->ops->info(log, &info, timeout, err);
    if (code == PDR_OK) code = log->ops->check(log, timeout, err);
    if (code == PDR_OK) code = pdr_plan_check_partitions(&journal->plan, info.partitions, err);
    if (code != PDR_OK) return code;
    journal->partitions = info.partitions;
    snprintf(journal->topic, sizeof journal->topic, "%s.events", info.name);
    if (!store) return PDR_OK;
    code = store->ops->meta(store, &meta, timeout, err);
    if (code != PDR_OK) return code;
    memcpy(journal->id, meta.journal_id, sizeof journal->id);
    if (meta.partitions == info.partitions) return check_id(journal, log, err);
    return pdr_fail(
        err, PDR_UNSAFE_SETTING,
        "the log has %d partitions, the journal was initialised with %d: entities would be looked "
        "for in the wrong ones; `perdure copy` moves a journal to another number",
        (int)info.partitions, (int)meta.partitions);
}

static pdr_code connect(pdr_journal *journal, pdr_log **log, pdr_store **store, pdr_error *err)
{
    const pdr_backends *backends = &journal->plan.backends;
    bool owns = journal->plan.own_all || journal->plan.partition_count;
    pdr_code code = pdr_backends_log_open(backends, log, err);
    if (code == PDR_OK && (owns || backends->has_store)) code = pdr_backends_store_open(backends, store, err);
    return code != PDR_OK ? code : check_connections(journal, *log, *store, err);
}

static bool has_registry(const pdr_journal *journal)
{
    return *journal->plan.settings.registry.url;
}

static void told_change(void *context, pdr_owner *owner, pdr_owner_state state, const pdr_error *error)
{
    (void)owner;
    pdr_place *place = context;
    pdr_journal *journal = place->worker->journal;
    pthread_mutex_lock(&journal->lock);
    place->state = state;
    place->error.code = PDR_OK;
    if (error) place->error = *error;
    pthread_cond_broadcast(&journal->changed);
    pthread_mutex_unlock(&journal->lock);
}

static pdr_code open_place(pdr_journal *journal, pdr_place *place, pdr_actor_worker *worker, pdr_error *err)
{
    pdr_owner_config config = {.partition = place->partition,
                               .partitions = journal->partitions,
                               .address = pdr_bytes_of(journal->plan.address, strlen(journal->plan.address)),
                               .app = journal->plan.app,
                               .settings = journal->plan.settings.owner,
                               .book = journal->book,
                               .ids = has_registry(journal) ? journal->book : NULL,
                               .ids_are_new = journal->ids_are_new,
                               .changed = told_change,
                               .context = place};
    memcpy(config.journal_id, journal->id, sizeof config.journal_id);
    place->worker = worker;
    pdr_code code = pdr_owner_open(&place->owner, &config, worker->log, worker->store, &worker->env.env, err);
    if (code != PDR_OK) return code;
    worker->places[worker->place_count++] = place;
    journal->by_partition[place->partition] = place;
    pdr_owner_assign(place->owner, 0);
    return PDR_OK;
}

/* Takes log and store over. */
static pdr_code open_workers(pdr_journal *journal, pdr_log *log, pdr_store *store, pdr_error *err)
{
    size_t count = journal->plan.workers ? journal->plan.workers : 1;
    if (count > journal->place_count) count = journal->place_count;
    journal->workers = pdr_calloc(count, sizeof *journal->workers);
    if (!journal->workers) {
        store->ops->close(store);
        log->ops->close(log);
        return pdr_fail(err, PDR_NOMEM, "%zu workers", count);
    }
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < count; i++) {
        journal->worker_count++;
        code = pdr_actor_worker_open(&journal->workers[i], journal, i ? NULL : log, i ? NULL : store, err);
    }
    return code;
}

static pdr_code open_places(pdr_journal *journal, pdr_error *err)
{
    pdr_code code = PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < journal->place_count; i++) {
        pdr_place *place = &journal->places[i];
        place->partition = journal->plan.own_all ? (int32_t)i : journal->plan.partitions[i];
        code = open_place(journal, place, &journal->workers[i % journal->worker_count], err);
    }
    for (size_t i = 0; code == PDR_OK && journal->plan.workers && i < journal->worker_count; i++)
        code = pdr_actor_worker_start(&journal->workers[i], err);
    return code;
}

static pdr_code alloc_places(pdr_journal *journal, pdr_error *err)
{
    size_t all = (size_t)journal->partitions;
    size_t count = journal->plan.own_all ? all : journal->plan.partition_count;
    journal->by_partition = pdr_calloc(all, sizeof(pdr_place *));
    journal->places = pdr_calloc(count, sizeof *journal->places);
    if (!journal->by_partition || !journal->places) return pdr_fail(err, PDR_NOMEM, "%zu partitions", all);
    journal->place_count = count;
    return PDR_OK;
}

/* Who may write must know the registry's ids of all that it writes. */
static pdr_code learn_ids(pdr_journal *journal, pdr_store *store, pdr_error *err)
{
    const pdr_plan *plan = &journal->plan;
    if (!has_registry(journal) || !journal->place_count) return PDR_OK;
    pdr_code code = pdr_schema_book_load(journal->book, store, timeout_of(journal), err);
    if (code != PDR_OK) return code;
    return pdr_schema_ids_learn(journal->book, &journal->ids_are_new, &plan->settings.registry,
                                journal->topic, plan->app, err);
}

static pdr_code open_all(pdr_journal *journal, pdr_error *err)
{
    pdr_log *log = NULL;
    pdr_store *store = NULL;
    pdr_code code = connect(journal, &log, &store, err);
    if (code == PDR_OK) code = alloc_places(journal, err);
    if (code == PDR_OK) code = learn_ids(journal, store, err);
    if (code == PDR_OK && journal->place_count) {
        code = open_workers(journal, log, store, err);
        return code != PDR_OK ? code : open_places(journal, err);
    }
    if (store) store->ops->close(store);
    if (log) log->ops->close(log);
    return code;
}

/* What can't fail, or fails as a whole. */
static pdr_code make_journal(pdr_journal **out, pdr_error *err)
{
    pdr_journal *journal = pdr_calloc(1, sizeof *journal);
    if (!journal) return pdr_fail(err, PDR_NOMEM, "a journal");
    journal->family = pdr_guard_family();
    journal->epoll = -1;
    pdr_code code = pdr_alarm_open(&journal->poller, err);
    if (code == PDR_OK) {
        code = pdr_cond_open(&journal->changed, err);
        if (code != PDR_OK) pdr_alarm_close(&journal->poller);
    }
    if (code != PDR_OK) {
        pdr_free(journal);
        return code;
    }
    code = pdr_schema_book_open(&journal->book, err);
    if (code != PDR_OK) {
        pdr_alarm_close(&journal->poller);
        pthread_cond_destroy(&journal->changed);
        pdr_free(journal);
        return code;
    }
    int failed = pthread_mutex_init(&journal->lock, NULL) | pthread_mutex_init(&journal->drive, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
    *out = journal;
    return PDR_OK;
}

pdr_code pdr_journal_open(pdr_journal **out, const pdr_options *options, pdr_error *err)
{
    if (!out) return pdr_fail(err, PDR_INVALID_ARGUMENT, "out is NULL");
    *out = NULL;
    pdr_journal *journal = NULL;
    pdr_code code = make_journal(&journal, err);
    if (code != PDR_OK) return code;
    code = pdr_plan_init(&journal->plan, options, err);
    journal->queues_replies = journal->plan.workers && !journal->plan.complete_on_worker;
    if (code == PDR_OK) code = open_all(journal, err);
    if (code == PDR_OK) {
        pdr_directory_init(&journal->directory, &journal->plan.backends, journal->partitions);
        *out = journal;
    } else {
        pdr_journal_close(journal);
    }
    return code;
}

/* --- close --- */

static void release(pdr_journal *journal)
{
    pdr_directory_release(&journal->directory);
    pdr_alarm_close(&journal->poller);
    if (journal->epoll >= 0) close(journal->epoll);
    pthread_mutex_destroy(&journal->lock);
    pthread_mutex_destroy(&journal->drive);
    pthread_cond_destroy(&journal->changed);
    pdr_free(journal->workers);
    pdr_free(journal->by_partition);
    pdr_free(journal->places);
    pdr_schema_book_close(journal->book);
    pdr_plan_release(&journal->plan);
    pdr_free(journal);
}

/* In a completion there is a worker, or a poller, up the stack: closing would take the ground from it. */
void pdr_journal_close(pdr_journal *journal)
{
    if (!journal || pdr_guard_is_parents(journal)) return;
    if (pdr_guard_in_completion(journal)) {
        if (journal->plan.log_line)
            journal->plan.log_line(journal->plan.context, PDR_LEVEL_ERROR,
                                   "pdr_journal_close in a completion: nothing done");
        return;
    }
    atomic_store(&journal->closing, true);
    pthread_mutex_lock(&journal->lock);
    pthread_cond_broadcast(&journal->changed);
    pthread_mutex_unlock(&journal->lock);
    for (size_t i = 0; i < journal->worker_count; i++)
        pdr_actor_worker_resign(&journal->workers[i]);
    for (size_t i = 0; i < journal->worker_count; i++)
        pdr_actor_worker_close(&journal->workers[i]);
    while (atomic_load(&journal->blocked)) {
        pdr_alarm_wake(&journal->poller);
        sched_yield(); /* woken, on their way out */
    }
    size_t ran = pdr_replies_run(journal);
    (void)ran;
    release(journal);
}

/* --- small questions --- */

int32_t pdr_journal_partitions(const pdr_journal *journal)
{
    return journal ? journal->partitions : 0;
}

int32_t pdr_journal_partition_of(const pdr_journal *journal, pdr_string entity)
{
    if (!journal || !entity.data) return -1;
    return pdr_partition_of(pdr_bytes_of(entity.data, entity.size), journal->partitions);
}

pdr_code pdr_journal_owner_of(pdr_journal *journal, int32_t partition, int timeout_ms, char *address,
                              size_t size, pdr_error *err)
{
    char found[PDR_MAX_ADDRESS + 1];
    pdr_code code = pdr_guard_block(journal, err);
    if (code != PDR_OK) return code;
    if (partition < 0 || partition >= journal->partitions || !address || !size)
        code = pdr_fail(err, PDR_INVALID_ARGUMENT, "partition %d, or no room for an address", (int)partition);
    else
        code = pdr_directory_look(&journal->directory, partition, timeout_ms, found, err);
    if (code == PDR_OK) snprintf(address, size, "%s", found);
    pdr_guard_unblock(journal);
    return code;
}

pdr_code pdr_name_owner(pdr_journal *journal, pdr_string entity, int timeout_ms, pdr_code code,
                        pdr_error *err)
{
    char address[PDR_MAX_ADDRESS + 1];
    int32_t partition = pdr_journal_partition_of(journal, entity);
    if (code != PDR_NOT_OWNER || !err || journal->by_partition[partition]) return code;
    if (pdr_directory_look(&journal->directory, partition, timeout_ms, address, NULL) != PDR_OK) return code;
    return pdr_fail(err, code, "partition %d isn't owned by this process, but by %s", (int)partition,
                    address);
}
