#include "actors/waiter.h"

#include "base/mem.h"

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
