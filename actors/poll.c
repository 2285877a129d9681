/* The application's thread: completions, and, without workers, everything. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "actors/shell.h"
#include "actors/waiter.h"
#include "base/mem.h"

/* Without workers there is one pdr_actor_worker without a thread; none if nothing is owned. */
static pdr_actor_worker *driven(pdr_journal *journal)
{
    return journal->plan.workers == 0 && journal->worker_count ? &journal->workers[0] : NULL;
}

/* Gives how many completions of the application ran; *did: whether anything happened. Under `drive`. */
static size_t drive_step(pdr_actor_worker *worker, bool *did)
{
    pdr_actor_worker *outer = pdr_this_worker;
    uint64_t before = worker->silent, answered = 0;
    for (size_t i = 0; i < worker->place_count; i++)
        answered -= atomic_load_explicit(&worker->places[i]->answered, memory_order_relaxed);
    pdr_this_worker = worker;
    *did = pdr_actor_worker_step(worker) > 0;
    pdr_this_worker = outer;
    for (size_t i = 0; i < worker->place_count; i++)
        answered += atomic_load_explicit(&worker->places[i]->answered, memory_order_relaxed);
    if (*did && worker->journal->sleepers) pdr_alarm_wake(&worker->alarm); /* may concern another driver */
    return (size_t)(answered - (worker->silent - before));
}

/* Another driver's sleep may have eaten the ring that was meant for this one: hence the ceiling. */
static void drive_sleep(pdr_actor_worker *worker, int64_t until_us)
{
    enum { SHARED_SLEEP_US = 50000 };
    pdr_journal *journal = worker->journal;
    if (journal->sleepers) {
        int64_t ceiling = pdr_mono_us() + SHARED_SLEEP_US;
        if (until_us > ceiling) until_us = ceiling;
    }
    journal->sleepers++;
    pdr_actor_worker_sleep(worker, until_us, &journal->drive);
    journal->sleepers--;
}

bool pdr_drive_until(pdr_journal *journal, int64_t until_us, bool (*is_done)(void *context), void *context)
{
    pdr_actor_worker *worker = driven(journal);
    bool done = false;
    pthread_mutex_lock(&journal->drive);
    for (;;) {
        bool did = false;
        size_t ran = worker->ended ? 0 : drive_step(worker, &did);
        (void)ran;
        done = is_done(context);
        if (done || worker->ended || pdr_mono_us() >= until_us) break;
        if (!did) drive_sleep(worker, until_us);
    }
    pthread_mutex_unlock(&journal->drive);
    return done;
}

/* With workers: sleep until one of them hands something over. */
static void wait_for_replies(pdr_journal *journal, int64_t until_us)
{
    pdr_alarm_set(&journal->poller);
    int64_t left = until_us == INT64_MAX ? -1 : until_us - pdr_mono_us();
    if (pdr_mailbox_is_empty(&journal->completed) && left != 0) {
        struct pollfd fd = {journal->poller.fd, POLLIN, 0};
        int64_t ms = left < 0 ? -1 : (left + 999) / 1000;
        int woken = poll(&fd, 1, (int)ms);
        PDR_INVARIANT("fds-can-be-polled", woken >= 0 || errno == EINTR || errno == ENOMEM);
    }
    pdr_alarm_clear(&journal->poller);
}

static size_t poll_replies(pdr_journal *journal, int64_t until_us)
{
    size_t ran = pdr_replies_run(journal), more = ran;
    while (ran == 0 && pdr_mono_us() < until_us && !atomic_load(&journal->closing)) {
        wait_for_replies(journal, until_us);
        ran = more = pdr_replies_run(journal);
    }
    for (int rounds = 0; more && rounds < 16; rounds++)
        ran += more = pdr_replies_run(journal);
    return ran;
}

static size_t poll_driven(pdr_actor_worker *worker, int64_t until_us)
{
    pdr_journal *journal = worker->journal;
    size_t ran = 0;
    pthread_mutex_lock(&journal->drive);
    while (!worker->ended) {
        bool did;
        size_t now_ran = drive_step(worker, &did);
        ran += now_ran;
        if ((ran && !now_ran) || pdr_mono_us() >= until_us) break;
        if (!did) drive_sleep(worker, until_us);
    }
    pthread_mutex_unlock(&journal->drive);
    return ran;
}

/* --- the fd --- */

/* epoll forgets an fd that was closed, and a number may come back as another file: so each is told anew. */
static void watch(int epoll, const struct pollfd *fd)
{
    struct epoll_event event = {0};
    if (fd->events & POLLIN) event.events |= EPOLLIN;
    if (fd->events & POLLOUT) event.events |= EPOLLOUT;
    event.data.fd = fd->fd;
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd->fd, &event) == 0 || errno != ENOENT) return;
    int failed = epoll_ctl(epoll, EPOLL_CTL_ADD, fd->fd, &event);
    PDR_INVARIANT("fds-can-be-watched", failed == 0 || errno == ENOMEM || errno == ENOSPC || errno == EBADF);
}

/* When `fd` has to be polled next; also arms the alarms, so that a later send makes it readable. */
static int64_t arm_driven(pdr_actor_worker *worker)
{
    pdr_journal *journal = worker->journal;
    struct pollfd fds[PDR_MAX_FDS];
    int count = PDR_MAX_FDS - 1;
    fds[0] = (struct pollfd){worker->alarm.fd, POLLIN, 0};
    int64_t due = pdr_actor_worker_due(worker, fds + 1, &count);
    if (journal->epoll < 0) journal->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i <= count && journal->epoll >= 0; i++)
        watch(journal->epoll, &fds[i]);
    pdr_alarm_clear(&worker->alarm);
    pdr_alarm_set(&worker->alarm);
    if (pdr_actor_worker_has_mail(worker)) {
        pdr_alarm_ring(&worker->alarm);
        due = 0;
    }
    return due;
}

static void arm_replies(pdr_journal *journal)
{
    pdr_alarm_clear(&journal->poller);
    pdr_alarm_set(&journal->poller);
    if (!pdr_mailbox_is_empty(&journal->completed)) pdr_alarm_ring(&journal->poller);
}

static int ms_until(int64_t due_us)
{
    if (due_us == INT64_MAX) return -1;
    int64_t left = due_us - pdr_mono_us();
    if (left <= 0) return 0;
    return left > INT64_C(3600) * 1000000 ? 3600 * 1000 : (int)((left + 999) / 1000);
}

int pdr_poll_fd(pdr_journal *journal, int *timeout_ms)
{
    int ignored;
    int *out = timeout_ms ? timeout_ms : &ignored;
    *out = -1;
    if (pdr_guard_enter(journal, NULL) != PDR_OK) return -1;
    atomic_store(&journal->watched, true);
    pdr_actor_worker *worker = driven(journal);
    if (!worker) {
        arm_replies(journal);
        return journal->poller.fd;
    }
    bool nested = pdr_guard_in_completion(journal);
    if (!nested) pthread_mutex_lock(&journal->drive);
    *out = ms_until(arm_driven(worker));
    if (!nested) pthread_mutex_unlock(&journal->drive);
    return journal->epoll;
}

size_t pdr_poll(pdr_journal *journal, int timeout_ms)
{
    if (pdr_guard_enter(journal, NULL) != PDR_OK || pdr_guard_in_completion(journal)) return 0;
    int64_t until = pdr_deadline_us(timeout_ms);
    pdr_actor_worker *worker = driven(journal);
    atomic_fetch_add(&journal->blocked, 1);
    size_t ran = worker ? poll_driven(worker, until) : poll_replies(journal, until);
    if (atomic_load_explicit(&journal->watched, memory_order_relaxed) && !worker) arm_replies(journal);
    atomic_fetch_sub(&journal->blocked, 1);
    return ran;
}
