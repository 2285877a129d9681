/* Calling an application's code that may crash: a fault in it comes back as its signal's number. What it held
 * (memory, locks) is left as it was, so this is for tools that read, never for owners. */
#ifndef PDR_REPLAY_GUARD_H
#define PDR_REPLAY_GUARD_H

#include "perdure/error.h"

/* From now on faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) inside pdr_guard_call are caught; elsewhere
 * they end the process as ever. For the whole process, once. PDR_FATAL. */
PDR_CHECKED pdr_code pdr_guard_install(pdr_error *err);
/* Call it; gives 0, or the signal that ended the call. Any thread; not within itself. Without
 * pdr_guard_install it is a plain call. */
int pdr_guard_call(void (*work)(void *context), void *context);
const char *pdr_guard_signal_name(int signal); /* "SIGSEGV" */

#endif
