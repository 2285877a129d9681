/* The loans application with an apply that was changed: PERDURE_TEST_BUG says how, PERDURE_TEST_AT at which
 * event time only. It has the same names as the true one, and must not be taken for it when both are loaded.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loan.h"

static pdr_entity_type loan;
static const pdr_entity_type *const entities[] = {&loan};
const pdr_app pdr_application = {sizeof(pdr_app), PDR_ABI_VERSION, "loans", entities, 1};

static int calls;

static void wait_for(const char *file)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    while (access(file, F_OK) != 0)
        (void)nanosleep(&pause, NULL);
}

static int deeper(volatile int *depth)
{
    volatile char room[512];
    room[0] = (char)++*depth;
    if (*depth < 0) return 0;
    return deeper(depth) + room[0];
}

/* As long as there is any; nothing is touched until there is none. */
static void take_all_memory(void)
{
    for (volatile char *block; (block = malloc(1 << 24)) != NULL;)
        block[0] = 1;
    raise(SIGSEGV);
}

/* Says that it is here, then waits until it may go on. */
static void pause_here(void)
{
    FILE *file = fopen("here", "w");
    if (file) fclose(file);
    wait_for("go");
}

static pdr_code misbehave(const char *bug)
{
    volatile int depth = 0;
    if (strcmp(bug, "crash") == 0) *(volatile int *)&calls = *(volatile int *)(uintptr_t)(calls & 0);
    if (strcmp(bug, "abort") == 0) abort();
    if (strcmp(bug, "recursion") == 0) return (pdr_code)deeper(&depth);
    if (strcmp(bug, "memory") == 0) take_all_memory();
    if (strcmp(bug, "exit") == 0) _exit(3);
    if (strcmp(bug, "hang") == 0) wait_for("never");
    if (strcmp(bug, "pause") == 0) pause_here();
    if (strcmp(bug, "fails") == 0) return PDR_BAD_DATA;
    return PDR_OK;
}

/* The bug strikes when an application is registered. */
static pdr_code apply(void *state, const pdr_event *event, pdr_arena *arena)
{
    const char *bug = getenv("PERDURE_TEST_BUG");
    loans_application *application = state;
    calls++;
    pdr_code code = loans_apply(state, event, arena);
    if (!bug || code != PDR_OK) return code;
    if (strcmp(bug, "unsteady") == 0) application->amount_cents = calls;
    if (event->type != &loans_application_registered_type) return PDR_OK;
    if (strcmp(bug, "forgotten") == 0 || strcmp(bug, "pause") == 0) application->registered = false;
    const char *at = getenv("PERDURE_TEST_AT"); /* event time, in microseconds: of one application only */
    return at && strtoll(at, NULL, 10) != event->time_us ? PDR_OK : misbehave(bug);
}

__attribute__((constructor)) static void change(void)
{
    loan = loans_entity;
    loan.apply = apply;
}
