#include "actors/waiter.h"

#include <errno.h>
#include <time.h>

#include "base/mem.h"

int64_t pdr_mono_us(void)
{
    struct timespec now;
    PDR_INVARIANT("clocks-are-there", clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t pdr_deadline_us(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : pdr_mono_us() + (int64_t)timeout_ms * 1000;
}

pdr_code pdr_cond_open(pthread_cond_t *cond, pdr_error *err)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    if (!failed) {
        failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        if (!failed) failed = pthread_cond_init(cond, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    return failed ? pdr_fail_backend(err, PDR_NOMEM, failed, "condition variable") : PDR_OK;
}

bool pdr_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_us)
{
    if (until_us == INT64_MAX) return pthread_cond_wait(cond, lock) == 0;
    struct timespec until = {(time_t)(until_us / 1000000), (long)(until_us % 1000000) * 1000};
    return pthread_cond_timedwait(cond, lock, &until) != ETIMEDOUT;
}

pdr_code pdr_waiter_open(pdr_waiter **out, pdr_error *err)
{
    pdr_waiter *waiter = pdr_calloc(1, sizeof *waiter);
    if (!waiter) return pdr_fail(err, PDR_NOMEM, "a waiter");
    pdr_code code = pdr_cond_open(&waiter->came, err);
    if (code != PDR_OK) {
        pdr_free(waiter);
        return code;
    }
    int failed = pthread_mutex_init(&waiter->lock, NULL);
    PDR_INVARIANT("mutexes-open", failed == 0);
    waiter->holds = 2;
    waiter->state = (pdr_buf)PDR_BUF_INIT(PDR_MAX_STATE);
    *out = waiter;
    return PDR_OK;
}

void pdr_waiter_let_go(pdr_waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    unsigned left = --waiter->holds;
    pthread_mutex_unlock(&waiter->lock);
    if (left) return;
    pthread_mutex_destroy(&waiter->lock);
    pthread_cond_destroy(&waiter->came);
    pdr_buf_release(&waiter->state);
    pdr_free(waiter);
}

static void copy_reply(pdr_waiter *waiter, const pdr_reply *reply)
{
    pdr_answered *to = &waiter->answered;
    to->code = reply->code;
    to->seq = reply->seq;
    to->events = reply->events;
    to->repeated = reply->repeated;
    to->partition = reply->partition;
    to->position = reply->position;
    to->answer_size = reply->answer.size <= PDR_MAX_REPLY ? reply->answer.size : PDR_MAX_REPLY;
    if (to->answer_size) memcpy(to->answer, reply->answer.data, to->answer_size);
    to->answer[to->answer_size] = '\0';
    if (reply->error) waiter->error = *reply->error;
    waiter->has_state = reply->state.data != NULL;
    if (!waiter->has_state) return;
    if (pdr_buf_append(&waiter->state, reply->state.data, reply->state.size) != PDR_OK)
        to->code = pdr_fail(&waiter->error, PDR_NOMEM, "a copy of a state of %zu bytes", reply->state.size);
}

void pdr_waiter_complete(void *context, const pdr_reply *reply)
{
    pdr_waiter *waiter = context;
    pthread_mutex_lock(&waiter->lock);
    copy_reply(waiter, reply);
    waiter->done = true;
    pthread_cond_signal(&waiter->came);
    pthread_mutex_unlock(&waiter->lock);
    pdr_waiter_let_go(waiter);
}

bool pdr_waiter_sleep(pdr_waiter *waiter, int64_t until_us)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->done && pdr_cond_wait_until(&waiter->came, &waiter->lock, until_us))
        continue;
    bool done = waiter->done;
    pthread_mutex_unlock(&waiter->lock);
    return done;
}

bool pdr_waiter_is_done(pdr_waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    bool done = waiter->done;
    pthread_mutex_unlock(&waiter->lock);
    return done;
}
