#include <stdio.h>
#include <unistd.h>

#include "tests/contract/contract.h"

/* Runs before Criterion's main: a suite whose server isn't named says so and counts as skipped. */
__attribute__((constructor)) static void skip_without_a_server(void)
{
    const char *why = pdr_contract_skip();
    if (!why) return;
    fprintf(stderr, "SKIPPED: contract suite: %s\n", why);
    fflush(stderr);
    _exit(77);
}
