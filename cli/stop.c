/* ^C and SIGTERM in long work, and beside workers. */
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "cli/out.h"

static atomic_bool stopped;

static void note(int number)
{
    (void)number;
    atomic_store(&stopped, true);
}

/* The handler is there once: what comes again ends the process. Waiting calls are interrupted. */
void pdr_stop_on_signals(void)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool pdr_stopped(void)
{
    return atomic_load(&stopped);
}

/* --- held --- */

static void both(sigset_t *set)
{
    (void)sigemptyset(set);
    (void)sigaddset(set, SIGTERM);
    (void)sigaddset(set, SIGINT);
}

void pdr_hold_signals(void)
{
    sigset_t set;
    both(&set);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

bool pdr_signal_comes(int ms)
{
    sigset_t set;
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
    both(&set);
    return sigtimedwait(&set, NULL, &time) > 0;
}
