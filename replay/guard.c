#include "replay/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static const struct {
    int number;
    const char *name;
} faults[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
              {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"}, {SIGKILL, "SIGKILL"}};
enum { FAULTS = sizeof faults / sizeof faults[0], CAUGHT = FAULTS - 1, STACK = 64 * 1024 };

typedef struct guard {
    sigjmp_buf back;
    bool inside, has_stack;
    /* For the handler: endless recursion leaves no room on the thread's own. */
    _Alignas(16) char stack[STACK];
} guard;

static _Thread_local guard here;
static bool installed;

const char *pdr_guard_signal_name(int signal)
{
    for (size_t i = 0; i < FAULTS; i++)
        if (faults[i].number == signal) return faults[i].name;
    return "a signal";
}

/* Not inside a call: the fault is met again on return, without this handler. */
static void on_fault(int number)
{
    if (here.inside) siglongjmp(here.back, number);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

pdr_code pdr_guard_install(pdr_error *err)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_fault;
    action.sa_flags = SA_ONSTACK | SA_NODEFER; /* no mask has to be put back on the way out */
    for (size_t i = 0; i < CAUGHT; i++)
        if (sigaction(faults[i].number, &action, NULL) != 0)
            return pdr_fail(err, PDR_FATAL, "%s can't be caught", faults[i].name);
    installed = true;
    return PDR_OK;
}

static void use_stack(void)
{
    stack_t stack;
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = here.stack;
    stack.ss_size = sizeof here.stack;
    (void)sigaltstack(&stack, NULL);
    here.has_stack = true;
}

int pdr_guard_call(void (*work)(void *context), void *context)
{
    if (installed && !here.has_stack) use_stack();
    int signal = sigsetjmp(here.back, 0);
    if (signal == 0) {
        here.inside = installed;
        atomic_signal_fence(memory_order_seq_cst);
        work(context);
    }
    here.inside = false;
    return signal;
}
