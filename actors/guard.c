#include "actors/shell.h"

_Thread_local pdr_actor_worker *pdr_this_worker;
_Thread_local pdr_journal *pdr_this_completing;

/* Counts forks from the first process to this one: cheaper to compare than a process id is to ask for. */
static uint64_t family = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forked(void)
{
    family++;
    pdr_this_worker = NULL;
    pdr_this_completing = NULL;
}

static void watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, forked) != 0) family = 1; /* unguarded, but works */
}

uint64_t pdr_guard_family(void)
{
    pthread_once(&once, watch_forks);
    return family;
}

bool pdr_guard_is_parents(const pdr_journal *journal)
{
    return journal->family != family;
}

bool pdr_guard_in_completion(const pdr_journal *journal)
{
    return pdr_this_completing == journal || (pdr_this_worker && pdr_this_worker->journal == journal);
}

pdr_code pdr_guard_closing(pdr_error *err)
{
    return pdr_fail(err, PDR_CLOSED, "the journal is being closed");
}

pdr_code pdr_guard_enter(pdr_journal *journal, pdr_error *err)
{
    if (!journal) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the journal is NULL");
    if (pdr_guard_is_parents(journal))
        return pdr_fail(err, PDR_CLOSED, "the journal was opened before a fork, by the parent process");
    return atomic_load_explicit(&journal->closing, memory_order_seq_cst) ? pdr_guard_closing(err) : PDR_OK;
}

pdr_code pdr_guard_block(pdr_journal *journal, pdr_error *err)
{
    if (!journal) return pdr_fail(err, PDR_INVALID_ARGUMENT, "the journal is NULL");
    if (pdr_guard_in_completion(journal))
        return pdr_fail(err, PDR_WRONG_THREAD, "a completion would wait for itself");
    if (!pdr_guard_is_parents(journal)) atomic_fetch_add(&journal->blocked, 1);
    pdr_code code = pdr_guard_enter(journal, err);
    if (code != PDR_OK && !pdr_guard_is_parents(journal)) atomic_fetch_sub(&journal->blocked, 1);
    return code;
}

void pdr_guard_unblock(pdr_journal *journal)
{
    atomic_fetch_sub(&journal->blocked, 1);
}
