/* ^C and SIGTERM in long work. */
#include <signal.h>
#include <stdatomic.h>

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
