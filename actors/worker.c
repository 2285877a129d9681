#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sched.h>
#include <unistd.h>

#include "actors/shell.h"
#include "actors/waiter.h"
#include "base/mem.h"

static int64_t now_of(pdr_actor_worker *worker)
{
    return worker->env.env.ops->mono_us(&worker->env.env);
}

/* --- mail --- */

void pdr_actor_worker_refuse(pdr_place *place, pdr_cmd *cmd, pdr_code code, const pdr_error *error)
{
    pdr_reply reply = {
        .code = code, .error = error, .partition = place->partition, .position = PDR_POSITION_START};
    cmd->done(cmd->context, &reply);
    pdr_cmd_free(cmd);
}

static size_t take_mail(pdr_place *place)
{
    size_t count = 0;
    for (pdr_mail *mail = pdr_mailbox_take(&place->mail); mail; count++) {
        pdr_cmd *cmd = (pdr_cmd *)(void *)mail;
        mail = mail->next;
        cmd->next = NULL;
        pdr_error error;
        pdr_code code = pdr_owner_submit(place->owner, cmd, &error);
        if (PDR_UNLIKELY(code != PDR_OK)) pdr_actor_worker_refuse(place, cmd, code, &error);
    }
    place->taken += count;
    place->touched = count > 0;
    return count;
}

/* A sender may make a place ready again as soon as its mail is taken: so its link is read before. */
static size_t take_all_mail(pdr_actor_worker *worker)
{
    size_t count = 0;
    for (pdr_mail *ready = pdr_mailbox_take(&worker->ready); ready;) {
        pdr_place *place = (pdr_place *)ready;
        ready = ready->next;
        count += take_mail(place);
    }
    return count;
}

bool pdr_actor_worker_has_mail(pdr_actor_worker *worker)
{
    return !pdr_mailbox_is_empty(&worker->ready) || !pdr_mailbox_is_empty(&worker->jobs);
}

static size_t run_jobs(pdr_actor_worker *worker)
{
    size_t count = 0;
    for (pdr_mail *mail = pdr_mailbox_take(&worker->jobs); mail; count++) {
        pdr_job *job = (pdr_job *)mail;
        mail = mail->next;
        job->run(worker, job->context);
        pthread_mutex_lock(&worker->journal->lock);
        job->done = true;
        pthread_cond_broadcast(&worker->journal->changed);
        pthread_mutex_unlock(&worker->journal->lock);
    }
    return count;
}

/* --- a step --- */

static void turn(pdr_place *place)
{
    place->due = pdr_owner_turn(place->owner);
    place->touched = false;
}

/* Answered is what was taken and isn't open; senders compare it with what they sent. */
static void publish(pdr_place *place)
{
    uint64_t answered = place->taken - pdr_owner_open_commands(place->owner);
    atomic_store_explicit(&place->answered, answered, memory_order_release);
}

size_t pdr_actor_worker_step(pdr_actor_worker *worker)
{
    size_t jobs = run_jobs(worker), mail = take_all_mail(worker);
    if (mail)
        for (size_t i = 0; i < worker->place_count; i++)
            if (worker->places[i]->touched) turn(worker->places[i]);
    size_t came = worker->log->ops->poll(worker->log) + worker->store->ops->poll(worker->store), due = 0;
    int64_t now = now_of(worker);
    for (size_t i = 0; i < worker->place_count; i++) {
        pdr_place *place = worker->places[i];
        bool is_due = place->due <= now;
        if (came || is_due) turn(place);
        if (came || is_due || mail) publish(place);
        due += is_due;
    }
    pdr_replies_flush(worker);
    return jobs + mail + came + due;
}

/* --- sleep --- */

int64_t pdr_actor_worker_due(pdr_actor_worker *worker, struct pollfd *fds, int *count)
{
    int64_t log_us = INT64_MAX, store_us = INT64_MAX, due = INT64_MAX;
    int max = *count;
    int n = worker->log->ops->wait_on(worker->log, fds, max, &log_us);
    n += worker->store->ops->wait_on(worker->store, fds + n, max - n, &store_us);
    *count = n;
    int64_t soon = log_us < store_us ? log_us : store_us;
    for (size_t i = 0; i < worker->place_count; i++)
        if (worker->places[i]->due < due) due = worker->places[i]->due;
    if (worker->closing && worker->until < due) due = worker->until;
    if (soon == INT64_MAX) return due;
    int64_t then = now_of(worker) + (soon > 0 ? soon : 0);
    return then < due ? then : due;
}

static void sleep_on(struct pollfd *fds, int count, int64_t due_us, int64_t now)
{
    int64_t left = due_us - now;
    if (due_us != INT64_MAX && left <= 0) return;
    struct timespec timeout = {(time_t)(left / 1000000), (long)(left % 1000000) * 1000};
    int woken = ppoll(fds, (nfds_t)count, due_us == INT64_MAX ? NULL : &timeout, NULL);
    PDR_INVARIANT("fds-can-be-polled", woken >= 0 || errno == EINTR || errno == ENOMEM);
}

void pdr_actor_worker_sleep(pdr_actor_worker *worker, int64_t until_us, pthread_mutex_t *held)
{
    struct pollfd fds[PDR_MAX_FDS];
    int count = PDR_MAX_FDS - 1;
    fds[0] = (struct pollfd){worker->alarm.fd, POLLIN, 0};
    int64_t due = pdr_actor_worker_due(worker, fds + 1, &count);
    if (until_us < due) due = until_us;
    pdr_alarm_set(&worker->alarm);
    if (!pdr_actor_worker_has_mail(worker)) {
        int64_t now = now_of(worker);
        if (held) pthread_mutex_unlock(held);
        sleep_on(fds, count + 1, due, now);
        if (held) pthread_mutex_lock(held);
    }
    if (fds[0].revents)
        pdr_alarm_clear(&worker->alarm);
    else
        atomic_store_explicit(&worker->alarm.armed, false, memory_order_relaxed);
}

/* --- the thread --- */

static bool may_end(pdr_actor_worker *worker)
{
    if (!worker->closing) return false;
    if (now_of(worker) >= worker->until) return true;
    for (size_t i = 0; i < worker->place_count; i++) {
        pdr_owner_state state = pdr_owner_state_of(worker->places[i]->owner);
        if (state != PDR_OWNER_IDLE && state != PDR_OWNER_FAILED) return false;
    }
    return true;
}

/* Whatever was sent gets its answer: what the owner has open from its close, what it never saw here. */
static void close_places(pdr_actor_worker *worker)
{
    static const pdr_error closed = {PDR_CANCELLED, 0, "the journal was closed before the command was begun"};
    for (size_t i = 0; i < worker->place_count; i++) {
        pdr_place *place = worker->places[i];
        pdr_owner_close(place->owner);
        place->owner = NULL;
        while (place->taken < atomic_load(&place->sent)) {
            pdr_mail *mail = pdr_mailbox_take(&place->mail);
            if (!mail) sched_yield(); /* its sender is about to put it, or to take its count back */
            while (mail) {
                pdr_cmd *cmd = (pdr_cmd *)(void *)mail;
                mail = mail->next;
                place->taken++;
                pdr_actor_worker_refuse(place, cmd, PDR_CANCELLED, &closed);
            }
        }
        atomic_store(&place->answered, place->taken);
    }
    pdr_replies_flush(worker);
}

static void *run(void *context)
{
    pdr_actor_worker *worker = context;
    pdr_this_worker = worker;
    while (!may_end(worker))
        if (pdr_actor_worker_step(worker) == 0 && !may_end(worker))
            pdr_actor_worker_sleep(worker, INT64_MAX, NULL);
    close_places(worker);
    pthread_mutex_lock(&worker->journal->lock);
    worker->ended = true;
    pthread_cond_broadcast(&worker->journal->changed);
    pthread_mutex_unlock(&worker->journal->lock);
    return NULL;
}

static void begin_close(pdr_actor_worker *worker, void *context)
{
    take_all_mail(worker); /* what was sent before is still served */
    worker->closing = true;
    worker->until = *(const int64_t *)context;
    for (size_t i = 0; i < worker->place_count; i++) {
        pdr_owner_resign(worker->places[i]->owner);
        worker->places[i]->due = 0;
    }
}

void pdr_actor_worker_resign(pdr_actor_worker *worker)
{
    int64_t until = pdr_deadline_us((int)worker->journal->plan.settings.close_timeout_ms);
    pdr_actor_worker_call(worker, begin_close, &until);
}

static bool has_ended(void *context)
{
    return may_end(context);
}

static void close_connections(pdr_actor_worker *worker)
{
    if (worker->store) worker->store->ops->close(worker->store);
    if (worker->log) worker->log->ops->close(worker->log);
    worker->store = NULL;
    worker->log = NULL;
    pdr_alarm_close(&worker->alarm);
    pdr_free(worker->places);
    worker->places = NULL;
    worker->place_count = 0;
}

/* Others may be driving, or asleep: they leave when they see that it has ended. */
static void close_driven(pdr_actor_worker *worker)
{
    pdr_journal *journal = worker->journal;
    bool idle = pdr_drive_until(journal, worker->until, has_ended, worker);
    (void)idle; /* or its time is up: the same */
    pthread_mutex_lock(&journal->drive);
    pdr_this_worker = worker;
    close_places(worker);
    pdr_this_worker = NULL;
    worker->ended = true;
    pthread_mutex_unlock(&journal->drive);
    while (atomic_load(&journal->blocked)) {
        pdr_alarm_wake(&worker->alarm);
        sched_yield();
    }
}

void pdr_actor_worker_close(pdr_actor_worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    else if (worker->place_count && worker->closing && !worker->journal->plan.workers)
        close_driven(worker);
    else if (worker->place_count)
        close_places(worker); /* opening failed: nothing was sent */
    worker->started = false;
    close_connections(worker);
}

pdr_code pdr_actor_worker_open(pdr_actor_worker *worker, pdr_journal *journal, pdr_log *log, pdr_store *store,
                               pdr_error *err)
{
    worker->journal = journal;
    worker->log = log;
    worker->store = store;
    worker->alarm.fd = -1;
    pdr_system_env_init(&worker->env, journal->plan.log_line, journal->plan.context);
    pdr_code code = pdr_alarm_open(&worker->alarm, err);
    if (code == PDR_OK && !log) code = pdr_backends_log_open(&journal->plan.backends, &worker->log, err);
    if (code == PDR_OK && !store)
        code = pdr_backends_store_open(&journal->plan.backends, &worker->store, err);
    if (code != PDR_OK) return code;
    worker->places = pdr_calloc(journal->place_count, sizeof(pdr_place *));
    return worker->places ? PDR_OK : pdr_fail(err, PDR_NOMEM, "%zu partitions", journal->place_count);
}

/* Signals are the application's business, on its own threads. */
pdr_code pdr_actor_worker_start(pdr_actor_worker *worker, pdr_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&worker->thread, NULL, run, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) return pdr_fail_backend(err, PDR_NOMEM, failed, "no worker thread: %s", strerror(failed));
    worker->started = true;
    char name[16];
    snprintf(name, sizeof name, "perdure-%u", (unsigned)(worker - worker->journal->workers) & 0xfff);
    pthread_setname_np(worker->thread, name);
    return PDR_OK;
}

/* --- jobs --- */

void pdr_actor_worker_call(pdr_actor_worker *worker, void (*job)(pdr_actor_worker *worker, void *context),
                           void *context)
{
    pdr_journal *journal = worker->journal;
    if (pdr_this_worker == worker) {
        job(worker, context);
        return;
    }
    if (!worker->started) {
        pthread_mutex_lock(&journal->drive);
        if (!worker->ended) job(worker, context);
        pthread_mutex_unlock(&journal->drive);
        return;
    }
    pdr_job item = {{NULL}, job, context, false};
    pdr_mailbox_put(&worker->jobs, &item.mail);
    pdr_alarm_ring(&worker->alarm);
    pthread_mutex_lock(&journal->lock);
    while (!item.done && !worker->ended)
        pthread_cond_wait(&journal->changed, &journal->lock);
    pthread_mutex_unlock(&journal->lock);
}
