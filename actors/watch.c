/* Waiting for a journal as a whole, and its numbers. */
#include <string.h>

#include "actors/shell.h"
#include "actors/waiter.h"

/* --- wait until all places serve --- */

typedef struct readiness {
    pdr_journal *journal;
    pdr_place *missing; /* the first that doesn't serve; NULL: all do */
    pdr_place *failed;  /* for good */
} readiness;

static bool look(readiness *ready)
{
    pdr_journal *journal = ready->journal;
    ready->missing = ready->failed = NULL;
    for (size_t i = 0; i < journal->place_count; i++) {
        pdr_place *place = &journal->places[i];
        if (place->state == PDR_OWNER_FAILED && !ready->failed) ready->failed = place;
        if (place->state != PDR_OWNER_SERVING && !ready->missing) ready->missing = place;
    }
    return ready->failed || !ready->missing;
}

static bool is_ready(void *context)
{
    readiness *ready = context;
    pthread_mutex_lock(&ready->journal->lock);
    bool done = look(ready);
    pthread_mutex_unlock(&ready->journal->lock);
    return done;
}

static void wait_with_workers(readiness *ready, int64_t until)
{
    pdr_journal *journal = ready->journal;
    pthread_mutex_lock(&journal->lock);
    while (!look(ready) && !atomic_load(&journal->closing) &&
           pdr_cond_wait_until(&journal->changed, &journal->lock, until))
        continue;
    pthread_mutex_unlock(&journal->lock);
}

static pdr_code say_missing(readiness *ready, pdr_error *err)
{
    pdr_journal *journal = ready->journal;
    pthread_mutex_lock(&journal->lock);
    const pdr_place *place = ready->missing;
    const char *why = place->error.code == PDR_OK ? "" : place->error.message;
    pdr_code code = pdr_fail(err, PDR_TIMEOUT, "partition %d is still %s%s%.300s", (int)place->partition,
                             pdr_owner_state_name(place->state), *why ? ": " : "", why);
    pthread_mutex_unlock(&journal->lock);
    return code;
}

static pdr_code say_failed(readiness *ready, pdr_error *err)
{
    pthread_mutex_lock(&ready->journal->lock);
    pdr_error why = ready->failed->error;
    pthread_mutex_unlock(&ready->journal->lock);
    if (err) *err = why;
    pdr_code code = why.code == PDR_OK ? PDR_FATAL : why.code;
    return pdr_fail_context(err, code, "partition %d", (int)ready->failed->partition);
}

pdr_code pdr_journal_wait(pdr_journal *journal, int timeout_ms, pdr_error *err)
{
    pdr_code code = pdr_guard_block(journal, err);
    if (code != PDR_OK) return code;
    readiness ready = {journal, NULL, NULL};
    int64_t until = pdr_deadline_us(timeout_ms);
    if (journal->plan.workers)
        wait_with_workers(&ready, until);
    else if (journal->place_count)
        (void)pdr_drive_until(journal, until, is_ready, &ready);
    if (ready.failed)
        code = say_failed(&ready, err);
    else if (ready.missing)
        code = atomic_load(&journal->closing) ? pdr_guard_closing(err) : say_missing(&ready, err);
    pdr_guard_unblock(journal);
    return code;
}

/* --- drain --- */

typedef struct cleanness {
    pdr_journal *journal;
    uint64_t unclean;
    pdr_place *failed; /* the first that did for good */
} cleanness;

static void flush(pdr_actor_worker *worker, void *context)
{
    (void)context;
    for (size_t i = 0; i < worker->place_count; i++) {
        pdr_owner_flush(worker->places[i]->owner);
        worker->places[i]->due = 0;
    }
}

static void count_unclean(pdr_actor_worker *worker, void *context)
{
    cleanness *clean = context;
    for (size_t i = 0; i < worker->place_count; i++) {
        pdr_place *place = worker->places[i];
        pdr_owner_state state = pdr_owner_state_of(place->owner);
        bool is_clean = place->taken == atomic_load(&place->sent) && pdr_owner_is_clean(place->owner);
        if (state == PDR_OWNER_FAILED && !clean->failed) clean->failed = place;
        if (!is_clean && state != PDR_OWNER_IDLE) clean->unclean++;
    }
}

static bool is_clean(void *context)
{
    cleanness *clean = context;
    clean->unclean = 0;
    clean->failed = NULL;
    for (size_t i = 0; i < clean->journal->worker_count; i++) {
        pdr_actor_worker *worker = &clean->journal->workers[i];
        if (worker->started)
            pdr_actor_worker_call(worker, count_unclean, clean);
        else if (!worker->ended)
            count_unclean(worker, clean); /* this thread drives */
    }
    return clean->unclean == 0 || clean->failed;
}

static void drain_with_workers(cleanness *clean, int64_t until)
{
    enum { LOOK_AGAIN_US = 2000 };
    pdr_journal *journal = clean->journal;
    while (!is_clean(clean)) {
        int64_t now = pdr_mono_us();
        if (now >= until || atomic_load(&journal->closing)) return;
        pthread_mutex_lock(&journal->lock);
        (void)pdr_cond_wait_until(&journal->changed, &journal->lock, now + LOOK_AGAIN_US);
        pthread_mutex_unlock(&journal->lock);
    }
}

pdr_code pdr_journal_drain(pdr_journal *journal, int timeout_ms, pdr_error *err)
{
    pdr_code code = pdr_guard_block(journal, err);
    if (code != PDR_OK) return code;
    cleanness clean = {.journal = journal};
    int64_t until = pdr_deadline_us(timeout_ms);
    for (size_t i = 0; i < journal->worker_count; i++)
        pdr_actor_worker_call(&journal->workers[i], flush, NULL);
    if (journal->plan.workers)
        drain_with_workers(&clean, until);
    else if (journal->place_count)
        (void)pdr_drive_until(journal, until, is_clean, &clean);
    if (clean.failed) {
        readiness ready = {journal, NULL, clean.failed};
        code = say_failed(&ready, err);
    } else if (atomic_load(&journal->closing)) { /* its partitions are not what they were */
        code = pdr_guard_closing(err);
    } else if (clean.unclean) {
        code = pdr_fail(err, PDR_TIMEOUT, "%d partitions still have open commands or unsaved entities",
                        (int)clean.unclean);
    }
    pdr_guard_unblock(journal);
    return code;
}

/* --- numbers --- */

static void add_place(const pdr_place *place, pdr_stats *out)
{
    pdr_owner_counters counters;
    pdr_owner_gauges gauges;
    pdr_owner_counters_of(place->owner, &counters);
    pdr_owner_gauges_of(place->owner, &gauges);
    out->commands += counters.commands;
    out->events += counters.events;
    out->busy += counters.busy;
    out->recoveries += counters.recoveries;
    out->depositions += counters.depositions;
    out->activations += counters.activations;
    out->saves += counters.saves;
    out->saved_heads += counters.saved_heads;
    out->void_records += counters.voids;
    out->history_reads += counters.history_reads;
    out->residents += gauges.residents;
    out->dirty += gauges.dirty;
    out->open_commands += gauges.open_commands;
    out->resident_bytes += gauges.resident_bytes;
    out->shell_bytes += gauges.shell_bytes;
    out->ids_bytes += gauges.ids_bytes;
    uint64_t tail =
        gauges.known_end > gauges.checkpoint ? (uint64_t)(gauges.known_end - gauges.checkpoint) : 0;
    if (tail > out->longest_tail) out->longest_tail = tail;
}

static void add_worker(pdr_actor_worker *worker, void *context)
{
    for (size_t i = 0; i < worker->place_count; i++)
        add_place(worker->places[i], context);
}

/* Two workers whose completions asked each other would wait for ever: in a completion there, only its own. */
void pdr_journal_stats(pdr_journal *journal, pdr_stats *out)
{
    memset(out, 0, sizeof *out);
    if (pdr_guard_enter(journal, NULL) != PDR_OK) return;
    pdr_actor_worker *here = pdr_this_worker && pdr_this_worker->journal == journal ? pdr_this_worker : NULL;
    for (size_t i = 0; i < journal->worker_count; i++)
        if (!here || here == &journal->workers[i])
            pdr_actor_worker_call(&journal->workers[i], add_worker, out);
    out->failed_tells = atomic_load(&journal->failed_tells);
    out->busy += atomic_load(&journal->busy);
}
