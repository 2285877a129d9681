/* Faults in code that is called come back as their signals. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "replay/guard.h"

static void fine(void *context)
{
    ++*(int *)context;
}

static void reads_nowhere(void *context)
{
    *(volatile int *)context = *(volatile int *)(uintptr_t)(*(int *)context & 0);
}

static void aborts(void *context)
{
    (void)context;
    abort();
}

static int deeper(volatile int *depth)
{
    volatile char room[1024];
    room[0] = (char)++*depth;
    if (*depth < 0) return 0;
    return deeper(depth) + room[0];
}

static void recurses(void *context)
{
    *(int *)context = deeper(context);
}

static void raises(void *context)
{
    (void)raise(*(int *)context);
}

static void claim_all(void)
{
    for (int round = 0; round < 3; round++) {
        int value = 0, fpe = SIGFPE;
        cr_expect_eq(pdr_guard_call(fine, &value), 0);
        cr_expect_eq(value, 1);
        cr_expect_eq(pdr_guard_call(reads_nowhere, &value), SIGSEGV);
        cr_expect_eq(pdr_guard_call(aborts, NULL), SIGABRT);
        cr_expect_eq(pdr_guard_call(raises, &fpe), SIGFPE);
        value = 0;
        cr_expect_eq(pdr_guard_call(recurses, &value), SIGSEGV, "a stack that is used up");
    }
}

static void *in_thread(void *context)
{
    claim_all();
    return context;
}

Test(guard, faults_are_caught_again_and_again)
{
    cr_assert_eq(pdr_guard_install(NULL), PDR_OK);
    claim_all();
}

Test(guard, every_thread_catches_its_own)
{
    pthread_t threads[3];
    cr_assert_eq(pdr_guard_install(NULL), PDR_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, in_thread, NULL), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

Test(guard, a_fault_elsewhere_ends_the_process, .signal = SIGSEGV)
{
    int value = 0;
    cr_assert_eq(pdr_guard_install(NULL), PDR_OK);
    cr_assert_eq(pdr_guard_call(fine, &value), 0);
    reads_nowhere(&value);
}

Test(guard, signals_have_names)
{
    cr_expect_str_eq(pdr_guard_signal_name(SIGSEGV), "SIGSEGV");
    cr_expect_str_eq(pdr_guard_signal_name(SIGKILL), "SIGKILL");
    cr_expect_str_eq(pdr_guard_signal_name(SIGWINCH), "a signal");
}
